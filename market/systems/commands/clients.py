"""Registering clients, changing their keys, revoking them."""

from collections.abc import Sequence
from uuid import UUID, uuid4

import msgspec

from market.actor import Actor
from market.command import command
from market.database import execute, fetch_value
from market.errors import Stale
from market.events.commands import record
from market.systems.commands.keys import holding_membership
from market.systems.errors import CredentialEnded, KeySetFaulty
from market.systems.permissions import ensure_may_change, ensure_may_make
from market.systems.queries.lists import client_facts, client_view
from market.systems.rules.key_sets import PublicJWK, key_set_faults
from market.systems.schemas import ChangeKeys, ClientView, RegisterClient


def _kept(keys: Sequence[PublicJWK]) -> str:
    """The keys as they are stored: public members alone, since no others passed.

    Raises:
        KeySetFaulty: with every fault.
    """
    if faults := key_set_faults(keys):
        raise KeySetFaulty(faults[0].reason, faults=faults)
    return msgspec.json.encode(keys).decode()


@command
async def register_client(actor: Actor, organisation_id: UUID, given: RegisterClient) -> ClientView:
    """Register a system that acts in the actor's own name and proves itself by its own keys.

    Raises:
        PersonActs: the actor is a system.
        NotFound: the organisation is not the one the actor acts for.
        NotInOwnOrganisation: the actor is neither administrator nor bid manager of it.
        TooManyCredentials: the actor has as many as one can have.
        KeySetFaulty: with every fault of its keys.
    """
    ensure_may_make(actor, organisation_id)
    keys = _kept(given.jwks.keys)
    client = uuid4()
    await fetch_value(
        "INSERT INTO oauth_client (id, organisation, person, membership, name, scopes, keys)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING id",
        client,
        organisation_id,
        actor.person,
        await holding_membership(actor, organisation_id),
        given.name,
        sorted({scope.value for scope in given.scopes}),
        keys,
    )
    view = await client_view(client)
    await record(
        actor,
        "client.registered",
        "client",
        client,
        after=keys.encode(),
        private={"name": view.name, "key_ids": view.key_ids},
        scopes=[*view.scopes],
    )
    return view


@command
async def change_keys(actor: Actor, client_id: UUID, version: int, given: ChangeKeys) -> ClientView:
    """Replace the public keys of one's own client; tokens it has work on until they expire.

    Raises:
        PersonActs: the actor is a system.
        NotFound: no such client, or none that the actor may know of.
        Forbidden: it is somebody else's.
        CredentialEnded: it was revoked.
        Stale: its keys were changed meanwhile.
        KeySetFaulty: with every fault of the new keys.
    """
    facts = await client_facts(actor, client_id)
    ensure_may_change(actor, facts.organisation, facts.person)
    if facts.revoked:
        raise CredentialEnded
    keys = _kept(given.jwks.keys)
    changed = await fetch_value(
        "UPDATE oauth_client SET keys = $3::jsonb,"
        " version = version + (keys <> $3::jsonb)::integer WHERE id = $1 AND version = $2"
        " AND revoked_at IS NULL RETURNING version",
        client_id,
        version,
        keys,
    )
    if changed is None:
        raise Stale
    view = await client_view(client_id)
    await record(
        actor,
        "client.keys_changed",
        "client",
        client_id,
        after=keys.encode(),
        private={"key_ids": view.key_ids},
    )
    return view


@command
async def revoke_client(actor: Actor, client_id: UUID) -> None:
    """Revoke a client and, with it, every token it has; revoking a revoked one changes nothing.

    Raises:
        PersonActs: the actor is a system.
        NotFound: no such client, or none that the actor may know of.
    """
    await client_facts(actor, client_id)
    await execute(
        "UPDATE oauth_client SET revoked_at = clock_timestamp()"
        " WHERE id = $1 AND revoked_at IS NULL",
        client_id,
    )
    await record(actor, "client.revoked", "client", client_id)
