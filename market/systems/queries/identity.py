"""Who acts by an API key or a client's token, found in one query at the door."""

from uuid import UUID

import msgspec

from market.actor import Actor, Role, Scope
from market.database import DB
from market.errors import Busy, NotSignedIn
from market.systems import credentials
from market.systems.errors import (
    CredentialExpired,
    CredentialRevoked,
    MakerGone,
    WrongCredential,
)
from market.systems.rules.keys import comes_from, read_key

_OF_KEY = """
SELECT k.id AS credential, k.person, k.organisation, k.scopes, k.addresses, k.secret_code,
       k.revoked_at IS NOT NULL AS revoked, k.expires_at <= clock_timestamp() AS expired,
       h.ended_at IS NOT NULL AS orphaned,
       ARRAY(SELECT m.role FROM membership m WHERE m.person = k.person
             AND m.organisation = k.organisation AND m.ended_at IS NULL) AS roles
FROM api_key k JOIN membership h ON h.id = k.membership WHERE k.id = $1
"""

_OF_CLIENT = """
SELECT c.id AS credential, c.person, c.organisation, t.scopes, ARRAY[]::text[] AS addresses,
       '\\x'::bytea AS secret_code, c.revoked_at IS NOT NULL AS revoked,
       t.expires_at <= clock_timestamp() AS expired, h.ended_at IS NOT NULL AS orphaned,
       ARRAY(SELECT m.role FROM membership m WHERE m.person = c.person
             AND m.organisation = c.organisation AND m.ended_at IS NULL) AS roles
FROM client_token t JOIN oauth_client c ON c.id = t.client
JOIN membership h ON h.id = c.membership WHERE t.token_digest = $1
"""


class _Found(msgspec.Struct, frozen=True):
    credential: UUID
    person: UUID
    organisation: UUID
    scopes: list[Scope]
    addresses: list[str]
    secret_code: bytes
    revoked: bool
    expired: bool
    orphaned: bool
    roles: list[Role]


class RefusedCredential(Exception):
    """A credential that is known and does not work: which one, and the refusal to answer with."""

    def __init__(self, credential: UUID, refusal: NotSignedIn) -> None:
        """Keep both; the refusal alone is told."""
        super().__init__(refusal.detail)
        self.credential = credential
        self.refusal = refusal


async def actor_of_key(text: str, pepper: bytes, address: str, request: str) -> Actor:
    """Whoever acts by an API key, sent from an address.

    Raises:
        WrongCredential: the market never wrote it, or it is not this key's secret.
        RefusedCredential: the secret is right, but the key is used from elsewhere (which is told
            as WrongCredential is), has expired, was revoked, or nobody answers for it.
    """
    written = read_key(text)
    if written is None:
        message = (
            "This is not a whole API key: copy it again, all"
            " of it. (It begins with mka_ and its last letters are a checksum.)"
        )
        raise WrongCredential(message)
    found = await _find(_OF_KEY, written.id)
    if found is None or not credentials.key_fits(pepper, written, found.secret_code):
        raise WrongCredential
    if not comes_from(address, found.addresses):
        raise RefusedCredential(found.credential, WrongCredential())
    return _actor(found, request)


async def actor_of_client_token(token: str, request: str) -> Actor:
    """Whoever acts by a client's token.

    Raises:
        WrongCredential: there is no such token.
        RefusedCredential: it has expired, its client was revoked, or nobody answers for it.
    """
    found = await _find(_OF_CLIENT, credentials.token_digest(token))
    if found is None:
        raise WrongCredential
    return _actor(found, request)


async def _find(sql: str, argument: UUID | bytes) -> _Found | None:
    pool = DB.pool
    if pool is None:
        raise Busy
    row = await pool.fetchrow(sql, argument)
    return None if row is None else msgspec.convert(dict(row), _Found)


def _actor(found: _Found, request: str) -> Actor:
    """The maker of the credential, by it and within its scopes; only its holder learns why not."""
    if found.revoked:
        raise RefusedCredential(found.credential, CredentialRevoked())
    if found.expired:
        raise RefusedCredential(found.credential, CredentialExpired())
    if found.orphaned:
        raise RefusedCredential(found.credential, MakerGone())
    return Actor(
        person=found.person,
        organisation=found.organisation,
        roles=frozenset(found.roles),
        request=request,
        credential=found.credential,
        scopes=frozenset(found.scopes),
    )
