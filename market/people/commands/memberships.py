"""Giving and ending the roles that people hold for organisations."""

from uuid import UUID, uuid4

import msgspec

from market.actor import Actor, Role
from market.command import command
from market.database import execute, fetch, fetch_one, fetch_value
from market.errors import Fault, Forbidden, Malformed, NotFound
from market.events.commands import record
from market.organisations.rules import OrganisationKind
from market.people.errors import AlreadyMember
from market.people.permissions import (
    ensure_administrator_remains,
    ensure_given_by_another,
    ensure_may_administer,
)
from market.people.rules import grantable_roles
from market.people.schemas import GiveRole, MembershipView


class _Membership(msgspec.Struct, frozen=True):
    id: UUID
    role: Role


class _Invitation(msgspec.Struct, frozen=True):
    id: UUID


async def grant_role(
    actor: Actor, person: UUID, organisation: UUID, role: Role, *, granted_by: UUID | None = None
) -> UUID | None:
    """Give a person a role, inside a command that has permitted it.

    Gives the membership's id, or None where the person holds the role already. `granted_by` is who
    decided it, where that is not the actor.
    """
    membership = uuid4()
    written = await execute(
        "INSERT INTO membership (id, person, organisation, role, granted_by)"
        " VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING",
        membership,
        person,
        organisation,
        role.value,
        actor.person if granted_by is None else granted_by,
    )
    return membership if written else None


async def hold_organisation(actor: Actor, organisation: UUID) -> None:
    """Lock an organisation for a change of its people, and see that the actor may still make it.

    Of two administrators who remove each other the second waits here, and is one no more.

    Raises:
        NotFound: the organisation is not the actor's own.
        Forbidden: the actor does not administer it, or does so no longer.
    """
    ensure_may_administer(actor, organisation)
    await execute("SELECT FROM organisation WHERE id = $1 FOR NO KEY UPDATE", organisation)
    if not await fetch_value("SELECT may_invite($1, $2)", actor.person, organisation):
        message = "You administer the organisation no longer."
        raise Forbidden(message)


async def _ensure_administered(actor: Actor, organisation: UUID, without: UUID) -> None:
    others = await fetch_value(
        "SELECT count(*) FROM membership WHERE organisation = $1 AND role = $2"
        " AND ended_at IS NULL AND person <> $3",
        organisation,
        Role.ADMINISTRATOR.value,
        without,
    )
    ensure_administrator_remains(actor, others)


class _Held(msgspec.Struct, frozen=True):
    person: UUID
    organisation: UUID
    role: Role


@command
async def end_membership(actor: Actor, membership_id: UUID) -> None:
    """End a role of somebody in the organisation one administers.

    Raises:
        NotFound: no such membership in force in the actor's organisation.
        Forbidden: the actor does not administer it.
        LastAdministrator: nobody would administer it any more, and the actor is not the registrar.
    """
    held = await fetch_one(
        _Held,
        "SELECT person, organisation, role FROM membership WHERE id = $1 AND ended_at IS NULL",
        membership_id,
    )
    if held is None:
        raise NotFound
    await hold_organisation(actor, held.organisation)
    if held.role is Role.ADMINISTRATOR:
        await _ensure_administered(actor, held.organisation, held.person)
    ended = await execute(
        "UPDATE membership SET ended_at = market_now() WHERE id = $1 AND ended_at IS NULL",
        membership_id,
    )
    if not ended:
        raise NotFound
    await record(actor, "membership.ended", "membership", membership_id)


@command
async def remove_member(actor: Actor, organisation_id: UUID, person_id: UUID) -> None:
    """End every role of a person in the organisation one administers, in one act.

    Their sessions for it stop working at once, since a session stands on a role. What they were
    invited to there and have not taken up is revoked, so that they do not come back by it.

    Raises:
        NotFound: the person holds no role in the organisation, or it is not the actor's own.
        Forbidden: the actor does not administer it.
        LastAdministrator: nobody would administer it any more, and the actor is not the registrar.
    """
    await hold_organisation(actor, organisation_id)
    revoked = await fetch(
        _Invitation,
        "UPDATE invitation i SET revoked_at = clock_timestamp(), revoked_by = $3"
        " FROM person p WHERE p.id = $2 AND i.email = p.email AND i.organisation = $1"
        " AND i.accepted_at IS NULL AND i.revoked_at IS NULL AND i.expires_at > clock_timestamp()"
        " RETURNING i.id",
        organisation_id,
        person_id,
        actor.person,
    )
    held = await fetch(
        _Membership,
        "SELECT id, role FROM membership WHERE organisation = $1 AND person = $2"
        " AND ended_at IS NULL ORDER BY role",
        organisation_id,
        person_id,
    )
    if not held:
        raise NotFound
    if any(one.role is Role.ADMINISTRATOR for one in held):
        await _ensure_administered(actor, organisation_id, person_id)
    await execute(
        "UPDATE membership SET ended_at = market_now() WHERE organisation = $1 AND person = $2"
        " AND ended_at IS NULL",
        organisation_id,
        person_id,
    )
    for invitation in revoked:
        await record(actor, "invitation.revoked", "invitation", invitation.id)
    for one in held:
        await record(actor, "membership.ended", "membership", one.id)
    await record(
        actor,
        "member.removed",
        "person",
        person_id,
        organisation_left=str(organisation_id),
        roles=[one.role.value for one in held],
    )


@command
async def give_role(
    actor: Actor, organisation_id: UUID, person_id: UUID, given: GiveRole
) -> MembershipView:
    """Give a further role to somebody who belongs to the organisation one administers.

    Raises:
        NotFound: the person holds no role in the organisation, or it is not the actor's own.
        Forbidden: the actor does not administer it, or (WatchmanOfOneself) gives themselves a role
            that watches over others.
        Malformed: a role that this kind of organisation has not.
        AlreadyMember: the person holds the role already.
    """
    await hold_organisation(actor, organisation_id)
    kind = await fetch_value(
        "SELECT o.kind FROM organisation o WHERE o.id = $1 AND EXISTS (SELECT 1 FROM membership m"
        " WHERE m.organisation = o.id AND m.person = $2 AND m.ended_at IS NULL)",
        organisation_id,
        person_id,
    )
    if kind is None:
        raise NotFound
    if given.role not in grantable_roles(OrganisationKind(kind)):
        fault = Fault(field="role", reason=f"An organisation of this kind has no {given.role}.")
        raise Malformed(fault.reason, faults=[fault])
    ensure_given_by_another(actor, person_id, [given.role])
    membership = await grant_role(actor, person_id, organisation_id, given.role)
    if membership is None:
        raise AlreadyMember
    await record(actor, "membership.granted", "membership", membership, role=given.role.value)
    found = await fetch_one(
        MembershipView,
        "SELECT m.id, m.person, p.name, m.organisation, o.name AS organisation_name, m.role,"
        " m.started_at, m.ended_at FROM membership m JOIN person p ON p.id = m.person"
        " JOIN organisation o ON o.id = m.organisation WHERE m.id = $1",
        membership,
    )
    if found is None:
        raise NotFound
    return found
