"""The keys and clients of an organisation, for those who answer for them."""

from typing import TypeVar
from uuid import UUID

import msgspec

from market.actor import Actor, Scope
from market.database import fetch, fetch_one, fetch_value, reading
from market.errors import NotFound
from market.organisations.queries import name_and_id
from market.pages import Page, encode_cursor
from market.systems.permissions import ensure_may_end, sees_all
from market.systems.schemas import ApiKeyView, ClientView

_KEYS = """
SELECT k.id, k.organisation, k.person, p.name AS person_name, k.name, k.scopes, k.addresses,
       k.predecessor, k.made_at, k.expires_at, k.revoked_at, u.last_used_at, u.last_used_address
FROM api_key k JOIN person p ON p.id = k.person LEFT JOIN credential_use u ON u.credential = k.id
"""

_CLIENTS = """
SELECT c.id, c.organisation, c.person, p.name AS person_name, c.name, c.scopes, c.version,
       ARRAY(SELECT jsonb_array_elements(c.keys) ->> 'kid') AS key_ids, c.made_at, c.revoked_at,
       u.last_used_at, u.last_used_address
FROM oauth_client c JOIN person p ON p.id = c.person
LEFT JOIN credential_use u ON u.credential = c.id
"""

_PAGE = """
WHERE {0}.organisation = $1 AND ($2::uuid IS NULL OR {0}.person = $2)
  AND ($3::text IS NULL OR ({0}.name, {0}.id) > ($3, $4::uuid))
ORDER BY {0}.name, {0}.id LIMIT $5
"""


class KeyFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What decides about an API key, and what its successor takes over."""

    id: UUID
    organisation: UUID
    person: UUID
    name: str
    scopes: list[Scope]
    addresses: list[str]
    over: bool
    replaced: bool


class ClientFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What decides about a client."""

    id: UUID
    organisation: UUID
    person: UUID
    version: int
    revoked: bool


async def key_facts(actor: Actor, key_id: UUID) -> KeyFacts:
    """Look a key up inside a command, for somebody who may know of it.

    Raises:
        NotFound: there is no such key, or none that the actor may know of.
    """
    found = await fetch_one(
        KeyFacts,
        "SELECT id, organisation, person, name, scopes, addresses, (revoked_at IS NOT NULL OR"
        " expires_at <= clock_timestamp()) AS over, EXISTS (SELECT 1 FROM api_key s"
        " WHERE s.predecessor = k.id) AS replaced FROM api_key k WHERE id = $1",
        key_id,
    )
    if found is None:
        raise NotFound
    ensure_may_end(actor, found.organisation, found.person)
    return found


async def client_facts(actor: Actor, client_id: UUID) -> ClientFacts:
    """Look a client up inside a command, for somebody who may know of it.

    Raises:
        NotFound: there is no such client, or none that the actor may know of.
    """
    found = await fetch_one(
        ClientFacts,
        "SELECT id, organisation, person, version, revoked_at IS NOT NULL AS revoked"
        " FROM oauth_client WHERE id = $1",
        client_id,
    )
    if found is None:
        raise NotFound
    ensure_may_end(actor, found.organisation, found.person)
    return found


async def api_keys_of(
    actor: Actor, organisation_id: UUID, cursor: str | None, limit: int
) -> Page[ApiKeyView]:
    """List API keys by name, ended ones included; administrators see all, others their own.

    Raises:
        NotFound: no such organisation, or not the actor's own.
        Forbidden: the actor has nothing to do with its systems.
        Malformed: a cursor that is none of the market's.
    """
    return await _page(ApiKeyView, _KEYS + _PAGE.format("k"), actor, organisation_id, cursor, limit)


async def clients_of(
    actor: Actor, organisation_id: UUID, cursor: str | None, limit: int
) -> Page[ClientView]:
    """List clients by name, revoked ones included; administrators see all, others their own.

    Raises:
        NotFound: no such organisation, or not the actor's own.
        Forbidden: the actor has nothing to do with its systems.
        Malformed: a cursor that is none of the market's.
    """
    sql = _CLIENTS + _PAGE.format("c")
    return await _page(ClientView, sql, actor, organisation_id, cursor, limit)


V = TypeVar("V", ApiKeyView, ClientView)


async def _page(  # noqa: PLR0913, PLR0917  # a list's parameters, and what it lists
    kind: type[V],
    sql: str,
    actor: Actor,
    organisation: UUID,
    cursor: str | None,
    limit: int,
) -> Page[V]:
    own = None if sees_all(actor, organisation) else actor.person
    after, after_id = (None, None) if cursor is None else name_and_id(cursor)
    async with reading(actor):
        if await fetch_value("SELECT id FROM organisation WHERE id = $1", organisation) is None:
            raise NotFound
        found = await fetch(kind, sql, organisation, own, after, after_id, limit + 1)
    items = found[:limit]
    following = encode_cursor(items[-1].name, str(items[-1].id)) if len(found) > limit else None
    return Page(items=items, next=following)


async def client_view(client_id: UUID) -> ClientView:
    """Show a client inside the current transaction.

    Raises:
        NotFound: there is none.
    """
    found = await fetch_one(ClientView, _CLIENTS + "WHERE c.id = $1", client_id)
    if found is None:
        raise NotFound
    return found


async def client(actor: Actor, client_id: UUID) -> ClientView:
    """Show a client to whoever registered it, its organisation's administrators, a registrar.

    Raises:
        NotFound: there is no such client, or none that the actor may know of.
    """
    async with reading(actor):
        await client_facts(actor, client_id)
        return await client_view(client_id)
