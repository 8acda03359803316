"""One buying body lets another's people hold award duties in its tenders."""

from uuid import UUID, uuid4

from market.actor import Actor
from market.command import command
from market.database import execute, fetch_value
from market.errors import Fault, NotFound
from market.events.commands import record
from market.organisations.rules import BUYER_KINDS
from market.people.permissions import ensure_may_administer
from tenders.errors import DelegatedByAdministrator, DelegationFaulty, DelegationOver
from tenders.queries.conflicts import delegation
from tenders.schemas.conflicts import Delegate, DelegationView, EndWithReason


@command
async def delegate_award_duties(
    actor: Actor, organisation_id: UUID, given: Delegate
) -> DelegationView:
    """Record that an organisation's award duties may be held by another's people.

    Raises:
        NotFound: the organisation is not the actor's own.
        DelegatedByAdministrator, Forbidden: the actor does not administer it.
        DelegationFaulty: to oneself, to a body that does not buy, or ending before it starts.
    """
    _ensure_own(actor, organisation_id)
    kinds = [kind.value for kind in BUYER_KINDS]
    buys = await fetch_value(
        "SELECT kind = ANY ($2::text[]) FROM organisation WHERE id = $1", organisation_id, kinds
    )
    known = await fetch_value(
        "SELECT kind = ANY ($2::text[]) AND NOT proposed FROM organisation WHERE id = $1",
        given.delegate,
        kinds,
    )
    faults = []
    if not known or not buys or given.delegate == organisation_id:
        reason = "Award duties are delegated by one body that buys in this market to another."
        faults.append(Fault(field="delegate", reason=reason))
    if given.ends_on < given.starts_on:
        reason = "A delegation ends on the day it starts, or later."
        faults.append(Fault(field="ends_on", reason=reason))
    if faults:
        raise DelegationFaulty(faults[0].reason, faults=faults)
    made = uuid4()
    await execute(
        "INSERT INTO award_delegation (id, delegator, delegate, authority, starts_on, ends_on,"
        " recorded_by) VALUES ($1, $2, $3, $4, $5, $6, $7)",
        made,
        organisation_id,
        given.delegate,
        given.authority,
        given.starts_on,
        given.ends_on,
        actor.person,
    )
    await record(
        actor, "delegation.recorded", "award_delegation", made, delegate=str(given.delegate)
    )
    return await delegation(organisation_id, made)


@command
async def end_delegation(
    actor: Actor, organisation_id: UUID, delegation_id: UUID, given: EndWithReason
) -> DelegationView:
    """End a delegation before its time: duties held under it are suspended at once.

    Raises:
        NotFound: there is no such delegation of the actor's organisation.
        DelegatedByAdministrator, Forbidden: the actor does not administer it.
        DelegationOver: it was ended before.
    """
    _ensure_own(actor, organisation_id)
    found = await delegation(organisation_id, delegation_id)
    if found.ended_at is not None:
        raise DelegationOver
    await execute(
        "INSERT INTO award_delegation_ending (id, delegation, reason, ended_by)"
        " VALUES ($1, $2, $3, $4)",
        uuid4(),
        delegation_id,
        given.reason,
        actor.person,
    )
    await record(actor, "delegation.ended", "award_delegation", delegation_id)
    return await delegation(organisation_id, delegation_id)


def _ensure_own(actor: Actor, organisation_id: UUID) -> None:
    """Only an administrator of the organisation itself: the registrar does not delegate for it."""
    if actor.organisation != organisation_id:
        raise NotFound
    ensure_may_administer(actor, organisation_id)
    if actor.organisation is None:
        raise DelegatedByAdministrator
