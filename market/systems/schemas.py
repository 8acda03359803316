"""What the API takes and gives about keys, clients and tokens."""

from datetime import datetime
from typing import Annotated, Any, ClassVar
from uuid import UUID

import msgspec
from msgspec import UNSET, Meta, UnsetType

from market.actor import Scope
from market.systems.rules.key_sets import MOST_KEYS, PublicJWK
from market.systems.rules.keys import LONGEST_GRACE

_LONGEST_GRACE = int(LONGEST_GRACE.total_seconds())

Name = Annotated[
    str, Meta(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f]*[^\x00-\x20][^\x00-\x1f]*$")
]
Scopes = Annotated[list[Scope], Meta(min_length=1, max_length=len(Scope))]
Network = Annotated[str, Meta(min_length=2, max_length=50)]
Instant = Annotated[datetime, Meta(tz=True)]


class MakeApiKey(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Make an API key for oneself: for what, until when (at most a year), and from where.

    `addresses` are networks in CIDR notation; with none, the key works from anywhere.
    """

    name: Name
    scopes: Scopes
    expires_at: Instant
    addresses: Annotated[list[Network], Meta(max_length=20)] = []  # msgspec copies it

    example: ClassVar[dict[str, Any]] = {
        "name": "Bid desk of Fenland Data",
        "scopes": ["opportunities:read", "bids:read", "bids:write"],
        "expires_at": "2027-03-31T23:00:00Z",
        "addresses": ["192.0.2.0/24"],
    }


class ReplaceApiKey(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Replace a key by a successor for the same scopes and networks.

    The old key goes on working for `grace_seconds` (a day unless it is less), so that systems can
    change over. The successor expires when the old one would have, unless `expires_at` says when.
    """

    grace_seconds: Annotated[int, Meta(ge=0, le=_LONGEST_GRACE)] = _LONGEST_GRACE
    expires_at: Instant | UnsetType = UNSET

    example: ClassVar[dict[str, Any]] = {
        "grace_seconds": 3600,
        "expires_at": "2027-09-30T23:00:00Z",
    }


class ApiKeyMade(msgspec.Struct, frozen=True, kw_only=True):
    """An API key without its secret, as it is stored to answer a repeated request."""

    id: UUID
    organisation: UUID
    person: UUID
    name: str
    scopes: list[Scope]
    addresses: list[str]
    predecessor: UUID | None
    made_at: datetime
    expires_at: datetime


class ApiKeyGiven(ApiKeyMade, frozen=True, kw_only=True):
    """A new API key. `key` is shown here and never again; send it as a bearer token."""

    key: str


class ApiKeyView(ApiKeyMade, frozen=True, kw_only=True):
    """An API key as it stands: who answers for it, and its last use, to the minute."""

    person_name: str
    revoked_at: datetime | None
    last_used_at: datetime | None
    last_used_address: str | None


class JWKSet(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Public keys as a JSON Web Key Set (RFC 7517)."""

    keys: Annotated[list[PublicJWK], Meta(min_length=1, max_length=MOST_KEYS)]


_EXAMPLE_KEYS = {
    "keys": [
        {
            "kty": "OKP",
            "kid": "2027-01",
            "alg": "EdDSA",
            "crv": "Ed25519",
            "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
        }
    ]
}


class RegisterClient(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Register a system that proves who it is by its own keys (`private_key_jwt`, RFC 7523)."""

    name: Name
    scopes: Scopes
    jwks: JWKSet

    example: ClassVar[dict[str, Any]] = {
        "name": "Procurement suite of Fenland Data",
        "scopes": ["opportunities:read", "bids:read", "bids:write"],
        "jwks": _EXAMPLE_KEYS,
    }


class ChangeKeys(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Replace a client's public keys; those left out sign nothing any more."""

    jwks: JWKSet

    example: ClassVar[dict[str, Any]] = {"jwks": _EXAMPLE_KEYS}


class ClientView(msgspec.Struct, frozen=True, kw_only=True):
    """A client as it stands; its id is the `client_id`."""

    id: UUID
    organisation: UUID
    person: UUID
    person_name: str
    name: str
    scopes: list[Scope]
    key_ids: list[str]
    version: int
    made_at: datetime
    revoked_at: datetime | None
    last_used_at: datetime | None
    last_used_address: str | None


class TokenGiven(msgspec.Struct, frozen=True, kw_only=True):
    """A token for a client (RFC 6749, section 5.1)."""

    access_token: str
    token_type: str
    expires_in: int
    scope: str


class TokenError(msgspec.Struct, frozen=True, kw_only=True):
    """Why there is no token (RFC 6749, section 5.2)."""

    error: str
    error_description: str


class ServerMetadata(msgspec.Struct, frozen=True, kw_only=True):
    """What a client's library needs to know of the market's token endpoint (RFC 8414)."""

    issuer: str
    token_endpoint: str
    scopes_supported: list[str]
    response_types_supported: list[str]
    grant_types_supported: list[str]
    token_endpoint_auth_methods_supported: list[str]
    token_endpoint_auth_signing_alg_values_supported: list[str]
    service_documentation: str
