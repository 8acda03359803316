"""Making, replacing and revoking API keys."""

from datetime import datetime, timedelta
from uuid import UUID, uuid4

import msgspec
from msgspec import UNSET

from market.actor import Actor
from market.command import command
from market.database import execute, fetch_one, fetch_value
from market.errors import Fault, Malformed
from market.events.commands import record
from market.systems import credentials
from market.systems.errors import (
    AlreadyReplaced,
    CredentialEnded,
    LifetimeRefused,
    NotInOwnOrganisation,
)
from market.systems.permissions import ensure_may_change, ensure_may_make
from market.systems.queries.lists import KeyFacts, key_facts
from market.systems.rules.keys import LONGEST_LIFE, network_faults, normal_networks
from market.systems.schemas import ApiKeyGiven, ApiKeyMade, MakeApiKey, ReplaceApiKey
from market.vault import Vault

_MAKE = """
INSERT INTO api_key (id, organisation, person, membership, name, scopes, addresses, secret_code,
                     predecessor, expires_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
RETURNING id, organisation, person, name, scopes, addresses, predecessor, made_at, expires_at
"""


async def make_key(
    actor: Actor, organisation_id: UUID, given: MakeApiKey, vault: Vault
) -> ApiKeyGiven:
    """Make an API key that acts in the actor's own name, and show it once.

    The key is derived after the command, so that the stored answer does not hold it.

    Raises:
        PersonActs: the actor is a system.
        NotFound: the organisation is not the one the actor acts for.
        NotInOwnOrganisation: the actor is neither administrator nor bid manager of it.
        LifetimeRefused: it would expire in the past, or after more than a year.
        TooManyCredentials: the actor has as many as one can have.
        Malformed: an address that is no network.
    """
    return _with_key(await _make(actor, organisation_id, given, vault), vault)


def _with_key(made: ApiKeyMade, vault: Vault) -> ApiKeyGiven:
    return ApiKeyGiven(**msgspec.structs.asdict(made), key=credentials.api_key_of(vault, made.id))


@command
async def _make(actor: Actor, organisation_id: UUID, given: MakeApiKey, vault: Vault) -> ApiKeyMade:
    ensure_may_make(actor, organisation_id)
    if faults := network_faults(given.addresses):
        raise Malformed(faults[0].reason, faults=faults)
    return await _write(
        actor,
        given,
        normal_networks(given.addresses),
        organisation=organisation_id,
        vault=vault,
        action="api_key.made",
    )


async def replace_key(
    actor: Actor, key_id: UUID, given: ReplaceApiKey, vault: Vault
) -> ApiKeyGiven:
    """Make the successor of one's own key; the old one works on for a grace period.

    Raises:
        PersonActs: the actor is a system.
        NotFound: no such key, or none that the actor may know of.
        Forbidden: it is somebody else's.
        CredentialEnded: the key has expired or was revoked.
        AlreadyReplaced: it has a successor.
        LifetimeRefused: the successor would expire in the past, or after more than a year.
    """
    return _with_key(await _replace(actor, key_id, given, vault), vault)


@command
async def _replace(actor: Actor, key_id: UUID, given: ReplaceApiKey, vault: Vault) -> ApiKeyMade:
    # held to the end: what is being revoked is not replaced, nor replaced twice
    expires_at: datetime | None = await fetch_value(
        "SELECT expires_at FROM api_key WHERE id = $1 FOR NO KEY UPDATE", key_id
    )
    former = await key_facts(actor, key_id)
    ensure_may_change(actor, former.organisation, former.person)
    if former.over or expires_at is None:
        raise CredentialEnded
    if former.replaced:
        raise AlreadyReplaced
    made = await _write(
        actor,
        MakeApiKey(
            name=former.name,
            scopes=former.scopes,
            expires_at=expires_at if given.expires_at is UNSET else given.expires_at,
        ),
        former.addresses,
        organisation=former.organisation,
        vault=vault,
        action="api_key.replaced",
        former=former,
    )
    await execute(
        "UPDATE api_key SET expires_at = least(expires_at, clock_timestamp()"
        " + make_interval(secs => $2)) WHERE id = $1",
        key_id,
        float(given.grace_seconds),
    )
    return made


async def holding_membership(actor: Actor, organisation: UUID) -> UUID:
    """The membership by which somebody answers for a credential: as bid manager where they are one.

    Raises:
        NotInOwnOrganisation: there is none any more.
    """
    found = await fetch_value(
        "SELECT id FROM membership WHERE person = $1 AND organisation = $2 AND ended_at IS NULL"
        " AND role IN ('administrator', 'bid_manager') ORDER BY role DESC LIMIT 1",
        actor.person,
        organisation,
    )
    if found is None:
        raise NotInOwnOrganisation
    return UUID(str(found))


async def _write(  # noqa: PLR0913  # one row, each part by its name
    actor: Actor,
    given: MakeApiKey,
    networks: list[str],
    *,
    organisation: UUID,
    vault: Vault,
    action: str,
    former: KeyFacts | None = None,
) -> ApiKeyMade:
    now: datetime = await fetch_value("SELECT clock_timestamp()")
    if not timedelta(0) < given.expires_at - now <= LONGEST_LIFE:
        raise LifetimeRefused(
            faults=[Fault(field="expires_at", reason=LifetimeRefused.title)],
        )
    key = uuid4()
    made = await fetch_one(
        ApiKeyMade,
        _MAKE,
        key,
        organisation,
        actor.person,
        await holding_membership(actor, organisation),
        given.name,
        sorted({scope.value for scope in given.scopes}),
        networks,
        credentials.code_for(vault, key),
        None if former is None else former.id,
        given.expires_at,
    )
    if made is None:
        raise NotInOwnOrganisation
    await record(
        actor,
        action,
        "api_key",
        key,
        private={"name": made.name, "addresses": made.addresses},
        scopes=[*made.scopes],
        predecessor=None if former is None else str(former.id),
        expires_at=made.expires_at.isoformat(),
    )
    return made


@command
async def revoke_key(actor: Actor, key_id: UUID) -> None:
    """Revoke a key at once and for good; revoking a revoked one changes nothing.

    Raises:
        PersonActs: the actor is a system.
        NotFound: no such key, or none that the actor may know of.
    """
    await key_facts(actor, key_id)
    await execute(
        "UPDATE api_key SET revoked_at = clock_timestamp() WHERE id = $1 AND revoked_at IS NULL",
        key_id,
    )
    await record(actor, "api_key.revoked", "api_key", key_id)
