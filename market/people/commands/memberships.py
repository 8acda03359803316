"""Granting and ending the roles that people hold for organisations."""

from uuid import UUID, uuid4

from market.actor import Actor, Role
from market.command import command
from market.database import execute, fetch_value
from market.errors import NotFound
from market.events.commands import record
from market.people.permissions import ensure_may_administer


async def grant_role(
    actor: Actor, person: UUID, organisation: UUID, role: Role, *, granted_by: UUID | None = None
) -> None:
    """Give a person a role they do not hold yet, inside a command that has permitted it.

    `granted_by` is who decided it, where that is not the actor.
    """
    await execute(
        "INSERT INTO membership (id, person, organisation, role, granted_by)"
        " VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING",
        uuid4(),
        person,
        organisation,
        role.value,
        actor.person if granted_by is None else granted_by,
    )


@command
async def end_membership(actor: Actor, membership_id: UUID) -> None:
    """End a role of somebody in the organisation one administers.

    Raises:
        NotFound: no such membership in force in the actor's organisation.
        Forbidden: the actor does not administer it.
    """
    organisation = await fetch_value(
        "SELECT organisation FROM membership WHERE id = $1 AND ended_at IS NULL", membership_id
    )
    if organisation is None:
        raise NotFound
    ensure_may_administer(actor, organisation)
    ended = await execute(
        "UPDATE membership SET ended_at = market_now() WHERE id = $1 AND ended_at IS NULL",
        membership_id,
    )
    if not ended:
        raise NotFound
    await record(actor, "membership.ended", "membership", membership_id)
