"""Who an ID token proves to sign in: signature, claims, address, name."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final

import msgspec
from joserfc import jws, jwt
from joserfc.errors import ClaimError, JoseError, MissingClaimError
from joserfc.jwk import Key

from market.people.rules import normal_email
from market.single_sign_on.errors import (
    EmailNotVerified,
    IdentityNotProven,
    InvitedSomebodyElse,
    ProviderFailed,
)

KINDS_OF_ALGORITHMS: Final = {
    "RS256": "RSA",
    "RS384": "RSA",
    "RS512": "RSA",
    "PS256": "RSA",
    "PS384": "RSA",
    "PS512": "RSA",
    "ES256": "EC",
    "ES384": "EC",
    "ES512": "EC",
    "Ed25519": "OKP",
}
"""The signatures that are accepted, with the kind of key each needs: none symmetric, never none."""

LONGEST_TOKEN = 32_768
_LONGEST_SUBJECT = 255  # OpenID Connect Core 1.0, section 2
_LONGEST_NAME = 200
_NOT_CLAIMS = (JoseError, ValueError, KeyError, TypeError, AttributeError, RecursionError)


class _Registry(jws.JWSRegistry):
    """The library's own checks; what it does not know in a header is ignored (RFC 7515, 4)."""

    max_header_length = 8192


_REGISTRY = _Registry(algorithms=list(KINDS_OF_ALGORITHMS), strict_check_header=False)

_WRONG = {
    "iss": "The identity token is from another issuer than the provider that was asked.",
    "sub": "The identity token does not say who it is about.",
    "aud": "The identity token was made for somebody else than this market.",
    "exp": "The identity token has expired.",
    "iat": "The identity token's time of issue cannot be right.",
    "nonce": "The identity token belongs to another sign-in.",
}


class UnknownKey(Exception):  # no refusal: the provider's keys are read again
    """The token is signed by a key that is not among those known."""


class Expected(msgspec.Struct, frozen=True, kw_only=True):
    """What an ID token must agree with. Times are seconds since 1970, by the real clock."""

    issuer: str
    client_id: str
    nonce: str
    asked_at: int
    now: int
    skew: int
    fresh: bool


class Identity(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody as the provider knows them. The address is in its normal form, where it is one.

    `signed_in_at` is when they last proved to it who they are, where it says so.
    """

    issuer: str
    subject: str
    email: str | None = None
    email_verified: bool = False
    name: str | None = None
    signed_in_at: datetime | None = None


def identity_in(token: str, keys: Sequence[Key], expected: Expected) -> Identity:
    """Check an ID token as OpenID Connect Core 1.0, section 3.1.3.7 says, and read it.

    Raises:
        UnknownKey: no key that is known has the token's key id and fits its algorithm.
        IdentityNotProven: with the reason, for whatever does not agree.
    """
    claims = _signed_claims(token, keys)
    _ensure_agrees(claims, expected)
    subject = claims["sub"]
    if not (0 < len(subject) <= _LONGEST_SUBJECT and subject.isascii() and subject.isprintable()):
        raise IdentityNotProven(_WRONG["sub"])
    proven = Identity(
        issuer=expected.issuer,
        subject=subject,
        signed_in_at=_signed_in_at(claims.get("auth_time"), expected),
    )
    return completed(proven, claims)


def _signed_claims(token: str, keys: Sequence[Key]) -> dict[str, Any]:
    if len(token) > LONGEST_TOKEN:
        message = "The identity token is too long."
        raise IdentityNotProven(message)
    try:
        header = jws.extract_compact(token.encode("ascii"), None, _REGISTRY).headers()
        algorithm, key_id = header.get("alg"), header.get("kid")
    except _NOT_CLAIMS:
        message = "The identity token is none."
        raise IdentityNotProven(message) from None
    if not isinstance(algorithm, str) or algorithm not in KINDS_OF_ALGORITHMS:
        message = "The identity token is signed in a way that the market does not accept."
        raise IdentityNotProven(message)
    fitting = [
        key
        for key in keys
        if key.key_type == KINDS_OF_ALGORITHMS[algorithm]
        and key.alg in {None, algorithm}
        and (key_id is None or key.kid == key_id)
    ]
    if not fitting:
        raise UnknownKey
    if len(fitting) > 1:
        message = "The identity token does not say which of the provider's keys signed it."
        raise IdentityNotProven(message)
    try:
        return jwt.decode(token, fitting[0], registry=_REGISTRY).claims
    except _NOT_CLAIMS:
        message = "The identity token's signature is wrong."
        raise IdentityNotProven(message) from None


def _ensure_agrees(claims: dict[str, Any], expected: Expected) -> None:
    rules = jwt.JWTClaimsRegistry(
        now=expected.now,
        leeway=expected.skew,
        iss={"essential": True, "value": expected.issuer},
        sub={"essential": True},
        aud={"essential": True, "value": expected.client_id},
        exp={"essential": True},
        iat={"essential": True},
        nonce={"essential": True, "value": expected.nonce},
    )
    try:
        rules.validate(claims)
    except MissingClaimError as error:
        message = f"The identity token lacks {error.claim.replace(',', ', ')}."
        raise IdentityNotProven(message) from None
    except ClaimError as error:
        message = _WRONG.get(error.claim, f"The identity token's {error.claim} is not right.")
        raise IdentityNotProven(message) from None
    if claims["iat"] < expected.asked_at - expected.skew:
        raise IdentityNotProven(_WRONG["iat"])
    party = claims.get("azp")
    several = isinstance(claims["aud"], list) and len(claims["aud"]) > 1
    if (party is None and several) or party not in {None, expected.client_id}:
        message = "The identity token was handed out to somebody else than this market."
        raise IdentityNotProven(message)


def _signed_in_at(said: object, expected: Expected) -> datetime | None:
    """When the person signed in at the provider; after the request, where `max_age=0` was asked."""
    signed_in_at = None
    if isinstance(said, int | float) and not isinstance(said, bool):
        signed_in_at = said if 0 < said <= expected.now + expected.skew else None
    if expected.fresh and (
        signed_in_at is None or signed_in_at < expected.asked_at - expected.skew
    ):
        message = "The identity provider does not say that you have signed in anew."
        raise IdentityNotProven(message)
    return None if signed_in_at is None else datetime.fromtimestamp(signed_in_at, UTC)


def completed(identity: Identity, claims: dict[str, Any]) -> Identity:
    """Add the address and the name that claims about the same subject give (section 5.1).

    Raises:
        ProviderFailed: the claims are about another subject (section 5.3.2).
    """
    if claims.get("sub") != identity.subject:
        message = "The identity provider tells of somebody else than it signed for."
        raise ProviderFailed(message)
    return Identity(
        issuer=identity.issuer,
        subject=identity.subject,
        email=_address(claims.get("email")) or identity.email,
        email_verified=claims.get("email_verified") is True,
        name=_name(claims) or identity.name,
        signed_in_at=identity.signed_in_at,
    )


def _address(said: object) -> str | None:
    if not isinstance(said, str):
        return None
    try:
        return normal_email(said)
    except ValueError:
        return None


def _name(claims: dict[str, Any]) -> str | None:
    """The name as claimed, or its parts; None where they are no name that can be shown."""
    parts = (claims.get("given_name"), claims.get("family_name"))
    joined = " ".join(part for part in parts if isinstance(part, str))
    for said in (claims.get("name"), joined):
        if isinstance(said, str) and 0 < len(said.strip()) <= _LONGEST_NAME and said.isprintable():
            return said.strip()
    return None


def name_of(identity: Identity, email: str) -> str:
    """What to call a new person: as the provider does, or else by the address they were sent."""
    return identity.name or email[:_LONGEST_NAME]


def ensure_invited(identity: Identity, invited: str) -> None:
    """Let an invitation be taken up by whom it was made to, as the provider vouches.

    Raises:
        EmailNotVerified: the provider vouches for no address.
        InvitedSomebodyElse: it vouches for another one.
    """
    if identity.email is None or not identity.email_verified:
        raise EmailNotVerified
    if identity.email != invited:
        raise InvitedSomebodyElse
