"""Pure rules about a client's proof of who it is: a JWT that it signed (RFC 7523, RFC 8725)."""

import base64
import binascii
import hashlib
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Annotated, Any, Final
from uuid import UUID

import msgspec
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jws import JWSRegistry
from msgspec import Meta

from market.systems.rules.key_sets import PublicJWK, algorithms_of, imported

LONGEST: Final = 8192
"""How many letters an assertion may have: a signature by RSA of 4096 bits has 683."""
LONGEST_LIFE: Final = 300
"""How many seconds from now an assertion may still be good for."""
SKEW: Final = 30
"""By how many seconds a client's clock may differ from the market's."""

_TYPES = frozenset({"jwt", "client-authentication+jwt"})
_PARTS = 3
_UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)


class BadAssertion(ValueError):
    """The assertion proves nothing; the sentence says why, to a client that made a mistake."""


class _Header(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a header may say. `jwk`, `jku`, `x5u` and `crit` are refused: the keys are known."""

    alg: Annotated[str, Meta(max_length=20)]
    kid: Annotated[str, Meta(max_length=200)] | None = None
    typ: Annotated[str, Meta(max_length=50)] | None = None


class _Claims(msgspec.Struct, frozen=True):
    """The claims that count; what else a client claims says nothing to the market."""

    iss: str
    sub: str
    aud: str | list[str]
    exp: int | float
    iat: int | float
    jti: Annotated[str, Meta(min_length=8, max_length=200)]
    nbf: int | float | None = None


class Assertion(msgspec.Struct, frozen=True):
    """A proof that was found right: whose it is, and the digest of its id, to be used once."""

    client: UUID
    digest: bytes


class _Registry(JWSRegistry):
    """The library's registry with an allow-list and no opinion on EdDSA's former name."""

    def get_alg(self, name: str) -> Any:
        if name not in (self.allowed or ()):
            raise BadAssertion(_ALGORITHM)
        return self.algorithms[name]


_ALGORITHM = "The algorithm is not one that this key signs by."
_FORM = "The assertion is not a signed JWT of the form that RFC 7523 describes."


def claimed_client(assertion: str) -> UUID:
    """Whom an assertion says it is from: enough to look up keys by, and believed in nothing else.

    Raises:
        BadAssertion: it is no JWT, or names no client.
    """
    claims = _claims(_decoded(_parts(assertion)[1]))
    if claims.iss != claims.sub:
        message = "iss and sub must both be the client's id."
        raise BadAssertion(message)
    try:
        client = UUID(claims.iss)
    except ValueError:
        client = None
    if client is None or str(client) != claims.iss:
        message = "iss must be the client's id as the market gave it."
        raise BadAssertion(message)
    return client


def checked(
    assertion: str,
    keys: Sequence[PublicJWK],
    *,
    client: UUID,
    audiences: Collection[str],
    now: datetime,
) -> Assertion:
    """Find an assertion right: signed by a key of the client, for this market, now.

    The algorithm must be on the list of the very key that is named. There must be one audience
    alone, so that no other server can use what was meant for it here.

    Raises:
        BadAssertion: with a sentence that says why.
    """
    head, _, _ = _parts(assertion)
    try:
        header = msgspec.json.decode(_decoded(head), type=_Header)
    except _UNREADABLE:
        message = "The header may hold alg, kid and typ, and must hold alg."
        raise BadAssertion(message) from None
    if header.typ is not None and header.typ.lower() not in _TYPES:
        message = "typ must be JWT or client-authentication+jwt."
        raise BadAssertion(message)
    claims = _claims(_verified(assertion, header, keys))
    if claims.iss != str(client) or claims.sub != str(client):
        message = "iss and sub must both be the client's id."
        raise BadAssertion(message)
    audience = [claims.aud] if isinstance(claims.aud, str) else claims.aud
    if len(audience) != 1 or audience[0] not in audiences:
        message = f"aud must be one of: {', '.join(sorted(audiences))}; and that alone."
        raise BadAssertion(message)
    _ensure_timely(claims, now.timestamp())
    return Assertion(client, hashlib.sha256(claims.jti.encode()).digest())


def _ensure_timely(claims: _Claims, now: float) -> None:
    if claims.exp <= now:
        message = "The assertion has expired."
        raise BadAssertion(message)
    if claims.exp > now + LONGEST_LIFE + SKEW:
        message = f"exp must lie within {LONGEST_LIFE} seconds."
        raise BadAssertion(message)
    if max(claims.iat, claims.nbf or claims.iat) > now + SKEW:
        message = "The assertion is from the future: set the clock."
        raise BadAssertion(message)
    if claims.iat > claims.exp or claims.iat < now - LONGEST_LIFE - SKEW:
        message = f"iat must lie within the last {LONGEST_LIFE} seconds, and before exp."
        raise BadAssertion(message)


def _verified(assertion: str, header: _Header, keys: Sequence[PublicJWK]) -> bytes:
    """The payload, if the key that the header names signed it."""
    named = [jwk for jwk in keys if header.kid in {None, jwk.kid}]
    if len(named) != 1:
        message = "kid must be that of a registered key, and given where there are several."
        raise BadAssertion(message)
    allowed = algorithms_of(named[0])
    if header.alg not in allowed:
        raise BadAssertion(_ALGORITHM)
    try:
        signed = jws.deserialize_compact(
            assertion, imported(named[0]), registry=_Registry(algorithms=allowed)
        )
    except (JoseError, ValueError):
        message = "The signature is not one by the registered key."
        raise BadAssertion(message) from None
    return signed.payload or b""


def _claims(payload: bytes) -> _Claims:
    try:
        return msgspec.json.decode(payload, type=_Claims)
    except _UNREADABLE as error:
        message = f"The assertion needs iss, sub, aud, exp, iat and jti: {error}."
        raise BadAssertion(message) from None


def _parts(assertion: str) -> list[str]:
    if len(assertion) > LONGEST:
        message = f"The assertion is longer than {LONGEST} letters."
        raise BadAssertion(message)
    parts = assertion.split(".")
    if len(parts) != _PARTS or not assertion.isascii() or not all(parts):
        raise BadAssertion(_FORM)
    return parts


def _decoded(part: str) -> bytes:
    try:
        return base64.b64decode(part + "=" * (-len(part) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise BadAssertion(_FORM) from None
