"""The provider's documents: its metadata, its keys, what its token endpoint answers."""

import base64
from collections.abc import Collection
from typing import Final, Literal

import msgspec
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, JWKRegistry, Key, OKPKey, RSAKey

from market.single_sign_on.errors import ProviderFailed
from market.web_addresses import is_local, is_protected

_MOST_KEYS = 100
_LEAST_BITS, _MOST_BITS = 2048, 8192
_LONGEST_NUMBER = 1400  # base64 of 8192 bits
_LONGEST_EXPONENT = 10  # the usual one, 65537, takes four
PUBLIC_KINDS: Final = frozenset({"RSA", "EC", "OKP"})


class Metadata(msgspec.Struct, frozen=True, kw_only=True):
    """What the provider says of itself: OpenID Connect Discovery 1.0, section 3; RFC 9207."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str | None = None
    token_endpoint_auth_methods_supported: tuple[str, ...] = ("client_secret_basic",)
    authorization_response_iss_parameter_supported: bool = False


class Tokens(msgspec.Struct, frozen=True, kw_only=True):
    """What the token endpoint gives for a code."""

    id_token: str | None = None
    access_token: str | None = None


class TokenError(msgspec.Struct, frozen=True, kw_only=True):
    """Why the token endpoint gives nothing: RFC 6749, section 5.2."""

    error: str


class _Keys(msgspec.Struct, frozen=True):
    keys: list[msgspec.Raw]


class _PublicKey(msgspec.Struct, frozen=True, omit_defaults=True):
    """The public members of a JSON Web Key (RFC 7517, RFC 7518, RFC 8037), and no others."""

    kty: str
    kid: str | None = None
    use: str | None = None
    alg: str | None = None
    n: str | None = None
    e: str | None = None
    crv: str | None = None
    x: str | None = None
    y: str | None = None


def ensure_usable(metadata: Metadata, issuer: str) -> None:
    """Accept the metadata of the provider that was named in the settings, and of no other.

    Raises:
        ProviderFailed: another issuer, or an endpoint to which secrets must not be sent.
    """
    if metadata.issuer != issuer:
        message = "The identity provider calls itself otherwise than MARKET_OIDC_ISSUER."
        raise ProviderFailed(message)
    local = is_local(issuer)
    endpoints = {
        "authorization_endpoint": metadata.authorization_endpoint,
        "token_endpoint": metadata.token_endpoint,
        "jwks_uri": metadata.jwks_uri,
        "userinfo_endpoint": metadata.userinfo_endpoint,
    }
    for name, address in endpoints.items():
        if address is not None and not is_protected(address, local=local):
            message = f"The identity provider's {name} is not an https address."
            raise ProviderFailed(message)


def client_authentication(
    secret: str | None, supported: Collection[str]
) -> Literal["none", "client_secret_basic", "client_secret_post"]:
    """How the market proves to the token endpoint who it is.

    Raises:
        ProviderFailed: the provider takes a secret in no way that the market knows.
    """
    if secret is None:
        return "none"
    if "client_secret_basic" in supported:
        return "client_secret_basic"
    if "client_secret_post" in supported:
        return "client_secret_post"
    message = "The identity provider takes a client secret in no way that the market knows."
    raise ProviderFailed(message)


def signing_keys(document: bytes) -> tuple[Key, ...]:
    """Read the public keys for signatures out of a JSON Web Key Set.

    Keys of other kinds or uses, of other sizes, or that are none, are passed over (RFC 7517,
    section 5); private members are not even read. RSA keys have 2048 to 8192 bits.

    Raises:
        ProviderFailed: it is no key set, or an unreasonably long one.
    """
    try:
        listed = msgspec.json.decode(document, type=_Keys).keys
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        message = "The identity provider's keys are not a JSON Web Key Set."
        raise ProviderFailed(message) from None
    if len(listed) > _MOST_KEYS:
        message = f"The identity provider lists more than {_MOST_KEYS} keys."
        raise ProviderFailed(message)
    return tuple(key for one in listed if (key := _signing_key(one)) is not None)


def _signing_key(raw: msgspec.Raw) -> Key | None:
    try:
        public = msgspec.json.decode(raw, type=_PublicKey)
        if public.kty not in PUBLIC_KINDS or public.use == "enc":
            return None
        if public.kty == "RSA" and not _LEAST_BITS <= _bits(public.n) <= _MOST_BITS:
            return None
        if len(public.e or "") > _LONGEST_EXPONENT:
            return None
        key = JWKRegistry.import_key(msgspec.to_builtins(public))
    except (msgspec.MsgspecError, RecursionError, JoseError, ValueError, KeyError, TypeError):
        return None
    return key if isinstance(key, RSAKey | ECKey | OKPKey) else None


def _bits(number: str | None) -> int:
    """The length of a base64url number, as far as it is one that can be used."""
    if number is None or len(number) > _LONGEST_NUMBER:
        return 0
    padded = number + "=" * (-len(number) % 4)
    return int.from_bytes(base64.urlsafe_b64decode(padded), "big").bit_length()
