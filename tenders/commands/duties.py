"""Acts on duties: giving one in a tender, releasing somebody from one."""

from uuid import UUID, uuid4

from market.actor import Actor
from market.command import command
from market.database import execute, fetch_value
from market.errors import NotFound
from market.events.commands import record
from tenders.errors import (
    DelegationNeeded,
    DutyClash,
    DutyHeldAlready,
    DutyReleasedAlready,
    LastTenderManager,
    NotMember,
    SuppliersMayNotHoldDuties,
    TransitionRefused,
)
from tenders.permissions.opening import ensure_unconflicted
from tenders.permissions.tenders import TenderFacts, ensure_may
from tenders.queries.conflicts import exempted_pairs
from tenders.queries.duties import duty, ever_held
from tenders.queries.facts import hold
from tenders.queries.opening import standing_of
from tenders.rules.duties import AWARD_DUTIES, Duty, clashes
from tenders.rules.stages import TenderStage
from tenders.schemas.duties import AssignDuty, DutyView


@command
async def assign_duty(actor: Actor, tender_id: UUID, given: AssignDuty) -> DutyView:
    """Give a person a duty in the tender, for an organisation of which they are a member.

    The tender stays locked until the end: of two people racing into duties that clash, or of one
    racing into two, the second sees what the first did.

    Raises:
        DutyNeeded: the actor is not the tender's manager.
        NotMember: the person is no member of the organisation.
        DutyHeldAlready: the person holds or held the duty.
        DutyClash: the person holds or held a duty that keeps them from this one.
        DelegationNeeded: an award duty for an organisation to which no buyer has delegated it.
        SuppliersMayNotHoldDuties: the tender is published and the person belongs to a supplier.
        DutyComesTooLate: the person opened the bids, or the panel has finished scoring.
        DeclarationMissing, ConflictOfInterest: the bids are open, and the manager may not act.
    """
    facts = ensure_may(
        actor, await hold(actor, tender_id), Duty.TENDER_MANAGER, to="give duties in it"
    )
    await _ensure_manager_unconflicted(actor, facts)
    if facts.stage is TenderStage.ABANDONED:
        message = "The tender is abandoned; there are no duties to be given in it."
        raise TransitionRefused(message)
    if not await _is_member(given.person, given.organisation):
        raise NotMember
    held = await ever_held(tender_id, given.person)
    if given.duty in held:
        raise DutyHeldAlready
    if against := clashes(held, given.duty, await exempted_pairs(tender_id, given.person)):
        raise DutyClash(against[0].sentence)
    if given.duty in AWARD_DUTIES and not await _may_hold_award_duties(tender_id, given):
        raise DelegationNeeded
    if facts.stage is TenderStage.PUBLISHED and await _belongs_to_a_supplier(given.person):
        raise SuppliersMayNotHoldDuties
    assigned = uuid4()
    await execute(
        "INSERT INTO duty (id, tender, person, organisation, duty, assigned_by)"
        " VALUES ($1, $2, $3, $4, $5, $6)",
        assigned,
        tender_id,
        given.person,
        given.organisation,
        given.duty.value,
        actor.person,
    )
    await record(
        actor,
        "duty.assigned",
        "duty",
        assigned,
        tender=tender_id,
        duty=given.duty.value,
        person_assigned=str(given.person),
        held_for=str(given.organisation),
    )
    return await _shown(tender_id, assigned)


@command
async def release_duty(actor: Actor, tender_id: UUID, duty_id: UUID) -> DutyView:
    """Release somebody from a duty. That they held it keeps counting.

    Raises:
        DutyNeeded: the actor is not the tender's manager.
        NotFound: there is no such duty in the tender.
        DutyReleasedAlready: it was released before.
        LastTenderManager: nobody else manages the tender.
    """
    facts = ensure_may(
        actor, await hold(actor, tender_id), Duty.TENDER_MANAGER, to="release people from duties"
    )
    await _ensure_manager_unconflicted(actor, facts)
    found = await _shown(tender_id, duty_id)
    if found.released_at is not None:
        raise DutyReleasedAlready
    if found.duty is Duty.TENDER_MANAGER and not await _another_manager(tender_id, duty_id):
        raise LastTenderManager
    released = await execute(
        "UPDATE duty SET released_at = market_now() WHERE id = $1 AND released_at IS NULL", duty_id
    )
    if not released:
        raise DutyReleasedAlready
    await record(
        actor,
        "duty.released",
        "duty",
        duty_id,
        tender=tender_id,
        duty=found.duty.value,
        person_released=str(found.person),
    )
    return await _shown(tender_id, duty_id)


async def _ensure_manager_unconflicted(actor: Actor, facts: TenderFacts) -> None:
    """Once the bids are open, who has an interest in one changes nothing about the panel."""
    if facts.stage is TenderStage.OPENED:
        ensure_unconflicted(await standing_of(actor, facts.id))


async def _shown(tender_id: UUID, duty_id: UUID) -> DutyView:
    found = await duty(tender_id, duty_id)
    if found is None:
        raise NotFound
    return found


async def _is_member(person: UUID, organisation: UUID) -> bool:
    return bool(
        await fetch_value(
            "SELECT EXISTS (SELECT 1 FROM membership WHERE person = $1 AND organisation = $2"
            " AND ended_at IS NULL)",
            person,
            organisation,
        )
    )


async def _belongs_to_a_supplier(person: UUID) -> bool:
    return bool(await fetch_value("SELECT belongs_to_any_supplier($1)", person))


async def _may_hold_award_duties(tender_id: UUID, given: AssignDuty) -> bool:
    return bool(
        await fetch_value("SELECT may_hold_award_duties($1, $2)", tender_id, given.organisation)
    )


async def _another_manager(tender_id: UUID, duty_id: UUID) -> bool:
    return bool(
        await fetch_value(
            "SELECT EXISTS (SELECT 1 FROM duty WHERE tender = $1 AND id <> $2"
            " AND duty = 'tender_manager' AND released_at IS NULL)",
            tender_id,
            duty_id,
        )
    )
