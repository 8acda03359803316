"""Declaring on taking a duty, exempting from the matrix, deciding about interests."""

from datetime import timedelta
from typing import Final
from uuid import UUID, uuid4

from market.actor import Actor
from market.command import command
from market.database import execute, fetch_value
from market.errors import Fault, NotFound
from market.events.commands import record
from tenders.errors import (
    ExemptionFaulty,
    ExemptionOver,
    NotExemptible,
    NothingToTakeUp,
    RegisterSaysOtherwise,
)
from tenders.permissions.opening import ensure_knows_bidders, ensure_unconflicted
from tenders.permissions.tenders import TenderFacts, ensure_holds, ensure_may, ensure_sees
from tenders.queries import conflicts as queries
from tenders.queries.facts import facts_of, hold
from tenders.queries.opening import standing_of
from tenders.rules.duties import DEFAULT, Duty
from tenders.rules.stages import TenderStage
from tenders.schemas.conflicts import (
    ConflictDecisionView,
    DecideConflict,
    DeclareOnDuty,
    DutyDeclarationView,
    EndWithReason,
    ExemptionView,
    GrantExemption,
    Statement,
)

_LONGEST: Final = timedelta(days=3653)


@command
async def declare_on_duty(
    actor: Actor, tender_id: UUID, given: DeclareOnDuty
) -> DutyDeclarationView:
    """Declare one's interests on taking up the duties one has been given in a tender.

    A duty given later asks for another declaration.

    Raises:
        NotFound: there is no such tender, or none that the actor may know of.
        NothingToTakeUp: the actor has no duty in it.
        RegisterSaysOtherwise: the declaration contradicts the register of interests.
    """
    facts = ensure_sees(actor, await facts_of(actor, tender_id))
    if not facts.duties and not facts.offered:
        raise NothingToTakeUp
    registered = await fetch_value("SELECT count(*) FROM interests_in_force($1)", actor.person)
    if (given.statement is Statement.AS_REGISTERED) != (registered > 0):
        reason = (
            f"The register holds {registered} interests of yours that are not over: say"
            " as_registered, or end those that are."
            if registered
            else "The register holds no interest of yours: enter yours first, or say"
            " nothing_to_declare."
        )
        raise RegisterSaysOtherwise(reason, faults=[Fault(field="statement", reason=reason)])
    declaration = uuid4()
    await execute(
        "INSERT INTO duty_declaration (id, tender, person, statement, details)"
        " VALUES ($1, $2, $3, $4, $5)",
        declaration,
        tender_id,
        actor.person,
        given.statement.value,
        given.details,
    )
    await record(
        actor,
        "duty.taken_up",
        "duty_declaration",
        declaration,
        tender=tender_id,
        statement=given.statement.value,
        duties=sorted(duty.value for duty in facts.offered),
    )
    return await queries.duty_declaration(tender_id, declaration)


@command
async def grant_exemption(actor: Actor, tender_id: UUID, given: GrantExemption) -> ExemptionView:
    """Let one person hold one pair of duties that is kept apart by default; it is published.

    Raises:
        DutyNeeded: the actor is not the tender's conflicts guardian.
        NotExemptible: the pair is on the floor, or needs no exemption.
        ExemptionFaulty: it would end before it begins, or more than ten years from now.
        NotFound: no such tender or person.
    """
    facts = await _held_by_guardian(actor, tender_id, to="grant exemptions")
    one, other = sorted(duty.value for duty in given.duties)
    if frozenset(given.duties) not in DEFAULT:
        reason = (
            f"Nobody can be exempted to be both {_spoken(one)} and {_spoken(other)}: the pair is on"
            " the floor of the matrix, or needs no exemption."
        )
        raise NotExemptible(reason, faults=[Fault(field="duties", reason=reason)])
    if not facts.now < given.expires_at < facts.now + _LONGEST:
        reason = "An exemption ends in the future, and within ten years."
        raise ExemptionFaulty(reason, faults=[Fault(field="expires_at", reason=reason)])
    if await fetch_value("SELECT id FROM person WHERE id = $1", given.person) is None:
        reason = "There is no such person."
        raise NotFound(reason, faults=[Fault(field="person", reason=reason)])
    exemption = uuid4()
    await execute(
        "INSERT INTO exemption (id, tender, person, one, other, reason, granted_by, expires_at)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        exemption,
        tender_id,
        given.person,
        one,
        other,
        given.reason,
        actor.person,
        given.expires_at,
    )
    await record(
        actor,
        "exemption.granted",
        "exemption",
        exemption,
        tender=tender_id,
        person_exempted=str(given.person),
        duties=[one, other],
        expires_at=given.expires_at.isoformat(),
    )
    return await queries.exemption(tender_id, exemption)


@command
async def revoke_exemption(
    actor: Actor, tender_id: UUID, exemption_id: UUID, given: EndWithReason
) -> ExemptionView:
    """End an exemption before its time: both duties of the pair are suspended at once.

    Raises:
        DutyNeeded: the actor is not the tender's conflicts guardian.
        NotFound: there is no such exemption in the tender.
        ExemptionOver: it has expired or was revoked before.
    """
    await _held_by_guardian(actor, tender_id, to="revoke exemptions")
    found = await queries.exemption(tender_id, exemption_id)
    if not found.in_force:
        raise ExemptionOver
    await execute(
        "INSERT INTO exemption_revocation (id, exemption, reason, revoked_by)"
        " VALUES ($1, $2, $3, $4)",
        uuid4(),
        exemption_id,
        given.reason,
        actor.person,
    )
    await record(
        actor,
        "exemption.revoked",
        "exemption",
        exemption_id,
        tender=tender_id,
        person_exempted=str(found.person),
    )
    return await queries.exemption(tender_id, exemption_id)


@command
async def decide_conflict(
    actor: Actor, tender_id: UUID, given: DecideConflict
) -> ConflictDecisionView:
    """Decide about one person's interest in one bidder, once bidders are known.

    Until something else is decided an interest means leaving. What comes to be known after a
    decision, an entry in the register or a link of ownership, was not decided upon and takes the
    person out again.

    Raises:
        DutyNeeded: the actor is not the tender's conflicts guardian.
        BiddersNotKnown: the deadline has not passed.
        DeclarationMissing, ConflictOfInterest: the guardian themselves may not act.
        NeverExcusable: the person is a member, employee or director of the bidder or its group.
        OwnInterest, NotInTender, RemovedForGood, DeclarationsFaulty: as they say.
    """
    await hold(actor, tender_id)
    standing = await standing_of(actor, tender_id)
    ensure_holds(standing, Duty.GUARDIAN, to="decide about interests")
    ensure_knows_bidders(standing)
    ensure_unconflicted(standing)
    decision = uuid4()
    await execute(
        "INSERT INTO conflict_decision (id, tender, person, bidder, outcome, reason, mitigation,"
        " links, decided_by) VALUES ($1, $2, $3, $4, $5, $6, $7, '{}', $8)",
        decision,
        tender_id,
        given.person,
        given.bidder,
        given.outcome.value,
        given.reason,
        given.mitigation,
        actor.person,
    )
    await record(
        actor,
        "conflict.decided",
        "conflict_decision",
        decision,
        tender=tender_id,
        person_decided_about=str(given.person),
        bidder=str(given.bidder),
        outcome=given.outcome.value,
    )
    return await queries.conflict_decision(tender_id, decision)


async def _held_by_guardian(actor: Actor, tender_id: UUID, *, to: str) -> TenderFacts:
    """Hold the tender for its guardian, who has declared once the bids are open."""
    facts = ensure_may(actor, await hold(actor, tender_id), Duty.GUARDIAN, to=to)
    if facts.stage is TenderStage.OPENED:
        ensure_unconflicted(await standing_of(actor, tender_id))
    return facts


def _spoken(duty: str) -> str:
    return duty.replace("_", " ")
