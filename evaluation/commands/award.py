"""Recommending the best bid, and approving the award."""

from datetime import datetime
from uuid import UUID, uuid4

import msgspec

from evaluation.award_errors import (
    DecidedAlready,
    FirstPlaceTied,
    LotsAwaited,
    LowPriceUndecided,
    NotAllocated,
    NotRankedFirst,
)
from evaluation.commands.moves import move
from evaluation.permissions import LotFacts, ensure_may, ensure_stage
from evaluation.queries.allocation import allocated_bid
from evaluation.queries.facts import hold, published_requirement
from evaluation.queries.ranking import DecidedRow, decided_bids
from evaluation.rules.allocation import Undecided
from evaluation.rules.stages import LotStage
from evaluation.schemas.award import (
    ApprovalGiven,
    ApprovalOutcome,
    Approve,
    Recommend,
    RecommendationGiven,
)
from evaluation.schemas.progress import LotMoved
from market.actor import Actor
from market.command import command
from market.database import execute, fetch_one, fetch_value
from market.errors import NotFound
from market.events.commands import record
from market.people.permissions import ensure_fresh
from tenders.rules.duties import Duty
from tenders.rules.lot_limits import LotLimit

_RECOMMEND = """
INSERT INTO recommendation (id, lot, bid, reason, recommended_by)
VALUES ($1, $2, $3, $4, $5) RETURNING number, recommended_at
"""

_LATEST = """
SELECT r.id, r.number, r.bid, EXISTS (SELECT 1 FROM approval a WHERE a.recommendation = r.id
                                      AND a.approver = $2) AS answered
FROM recommendation r WHERE r.lot = $1 ORDER BY r.number DESC LIMIT 1
"""

_APPROVE = """
INSERT INTO approval (id, recommendation, approver, outcome, reason)
VALUES ($1, $2, $3, $4, $5) RETURNING lay, decided_at
"""

_BEFORE = """
SELECT lay, decided_at FROM approval WHERE recommendation = $1 AND approver = $2 AND outcome = $3
"""

_LOW_PRICE = "SELECT low_price_undecided($1, $2)"
_APPROVED = "SELECT award_approved(l) FROM lot l WHERE l.id = $1"
_COUNTED = "SELECT approved FROM evaluation_counts($1)"
_AWARD = "INSERT INTO award (id, lot, recommendation, bid) VALUES ($1, $2, $3, $4)"


class _Recommended(msgspec.Struct, frozen=True):
    number: int
    recommended_at: datetime


class _Latest(msgspec.Struct, frozen=True):
    id: UUID
    number: int
    bid: UUID
    answered: bool


class _Answer(msgspec.Struct, frozen=True):
    lay: bool
    decided_at: datetime


@command
async def recommend(
    actor: Actor, tender_id: UUID, lot_number: int, given: Recommend
) -> RecommendationGiven:
    """Recommend the bid that alone ranks first, with a reason.

    Where the number of lots for one supplier is limited, that to which the lot is allocated.

    Raises:
        NotFound: no such lot or bid, or the actor has no duty in the tender.
        DutyNeeded: the actor is not a moderator.
        DeclarationMissing: the actor has not declared against every bidder.
        ConflictOfInterest: the actor has an interest in a bidder.
        LotNotThere: the lot is not ranked, or a recommendation is being answered.
        NotRankedFirst: another bid ranks first, or this one is not ranked.
        FirstPlaceTied: the published tie rule does not tell the first bids apart.
        LotsAwaited: lots are limited, and not all are ranked without ties.
        NotAllocated: lots are limited, and this one goes to another bid.
        LowPriceUndecided: its price appears abnormally low, and nobody has decided about it.
    """
    facts = ensure_may(
        await hold(actor, tender_id, lot_number), Duty.MODERATOR, to="recommend an award"
    )
    ensure_stage(facts, LotStage.RANKED, to="get a recommendation")
    requirement, _ = await published_requirement(facts)
    bids = await decided_bids(facts)
    if requirement.lot_limit is None:
        chosen = _ensure_first(bids, given.pseudonym)
    else:
        chosen = await _ensure_allocated(facts, requirement.lot_limit, bids, given.pseudonym)
    if await fetch_value(_LOW_PRICE, facts.lot, chosen.bid):
        raise LowPriceUndecided
    recommendation = uuid4()
    row = await fetch_one(
        _Recommended,
        _RECOMMEND,
        recommendation,
        facts.lot,
        chosen.bid,
        given.reason,
        actor.person,
    )
    if row is None:
        message = "An insert gave no row back."
        raise LookupError(message)
    moved = await move(facts, LotStage.RECOMMENDED)
    await record(
        actor,
        "award.recommended",
        "recommendation",
        recommendation,
        tender=tender_id,
        after=msgspec.json.encode(given),
        lot=lot_number,
        number=row.number,
    )
    return RecommendationGiven(
        number=row.number,
        pseudonym=given.pseudonym,
        recommended_at=row.recommended_at,
        lot=moved.lot,
        stage=moved.stage,
        version=moved.version,
    )


def _ensure_first(bids: list[DecidedRow], pseudonym: str) -> DecidedRow:
    chosen = next((bid for bid in bids if bid.pseudonym == pseudonym), None)
    if chosen is None:
        raise NotFound
    first = [bid for bid in bids if bid.place == 1]
    if not first:
        raise NotRankedFirst
    if len(first) > 1:
        names = " and ".join(bid.pseudonym for bid in first)
        message = (
            f"{names} share the first place: they are equal in their exact totals and in what the"
            " published tie rule compares. None of them can be recommended."
        )
        raise FirstPlaceTied(message)
    if chosen not in first:
        message = f"{first[0].pseudonym} ranks first; only that bid can be recommended."
        raise NotRankedFirst(message)
    return chosen


async def _ensure_allocated(
    facts: LotFacts, limit: LotLimit, bids: list[DecidedRow], pseudonym: str
) -> DecidedRow:
    chosen = next((bid for bid in bids if bid.pseudonym == pseudonym), None)
    if chosen is None:
        raise NotFound
    try:
        allocated = await allocated_bid(facts, limit)
    except Undecided as error:
        raise LotsAwaited(str(error)) from error
    if allocated is None or allocated.pseudonym != pseudonym:
        whom = "no bid that is left" if allocated is None else allocated.pseudonym
        message = f"One supplier may win {limit.lots} lots; by the rule this one goes to {whom}."
        raise NotAllocated(message)
    return chosen


@command
async def approve(actor: Actor, tender_id: UUID, lot_number: int, given: Approve) -> ApprovalGiven:
    """Approve the present recommendation, or return it to the panel, with a reason.

    The approval that completes the published quorum, a lay member in it, makes the award in the
    same transaction. A returned recommendation takes the lot back to its ranking. An approval
    counts while its giver may act: where one counts again since the guardian decided, whoever
    approved repeats it, and that makes the award.

    Raises:
        FreshSignInNeeded: the actor's sign-in or its confirmation is older than fifteen minutes.
        NotFound: no such lot, or the actor has no duty in its tender.
        DutyNeeded: the actor is not an award approver.
        DeclarationMissing: the actor has not declared against every bidder.
        ConflictOfInterest: the actor has an interest in a bidder.
        LotNotThere: there is no recommendation to answer.
        DecidedAlready: the actor has answered this recommendation, and the quorum is not complete.
    """
    ensure_fresh(actor)
    facts = ensure_may(
        await hold(actor, tender_id, lot_number), Duty.AWARD_APPROVER, to="approve its award"
    )
    ensure_stage(facts, LotStage.RECOMMENDED, to="be approved")
    latest = await fetch_one(_Latest, _LATEST, facts.lot, actor.person)
    if latest is None:
        raise NotFound
    if latest.answered:
        answer = await _answer_that_counts_again(actor, facts, latest, given.outcome)
    else:
        answer = await _answer(actor, facts, latest, given)
    moved = await _follow(actor, facts, latest, given.outcome)
    return ApprovalGiven(
        outcome=given.outcome,
        lay=answer.lay,
        decided_at=answer.decided_at,
        approved=await fetch_value(_COUNTED, facts.lot),
        quorum=facts.approval_quorum,
        lot=moved.lot,
        stage=moved.stage,
        version=moved.version,
    )


async def _answer(actor: Actor, facts: LotFacts, latest: _Latest, given: Approve) -> _Answer:
    approval = uuid4()
    answer = await fetch_one(
        _Answer,
        _APPROVE,
        approval,
        latest.id,
        actor.person,
        given.outcome.value,
        given.reason,
    )
    if answer is None:
        message = "An insert gave no row back."
        raise LookupError(message)
    await record(
        actor,
        "award.approved" if given.outcome is ApprovalOutcome.APPROVED else "award.returned",
        "approval",
        approval,
        tender=facts.tender,
        after=msgspec.json.encode(given),
        lot=facts.number,
        recommendation=latest.number,
    )
    return answer


async def _answer_that_counts_again(
    actor: Actor, facts: LotFacts, latest: _Latest, outcome: ApprovalOutcome
) -> _Answer:
    """The actor's approval of before, where the quorum came to be complete without another one."""
    before = await fetch_one(_Answer, _BEFORE, latest.id, actor.person, outcome.value)
    if (
        before is None
        or outcome is not ApprovalOutcome.APPROVED
        or not await fetch_value(_APPROVED, facts.lot)
    ):
        raise DecidedAlready
    return before


async def _follow(
    actor: Actor, facts: LotFacts, latest: _Latest, outcome: ApprovalOutcome
) -> LotMoved:
    """Award when the quorum is complete, go back when it was returned, else wait for others."""
    if outcome is ApprovalOutcome.RETURNED:
        return await move(facts, LotStage.RANKED)
    if not await fetch_value(_APPROVED, facts.lot):
        return LotMoved(lot=facts.number, stage=facts.stage.value, version=facts.version)
    award = uuid4()
    await execute(_AWARD, award, facts.lot, latest.id, latest.bid)
    await record(actor, "lot.awarded", "award", award, tender=facts.tender, lot=facts.number)
    return await move(facts, LotStage.AWARDED)
