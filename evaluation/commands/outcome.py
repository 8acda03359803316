"""The baseline recorded at the award, and the outcome held against it."""

from uuid import UUID, uuid4

import msgspec

from evaluation.commands.performance import run_of, today_of
from evaluation.outcome_errors import (
    AccessMisfigured,
    BaselineFaulty,
    BaselineRecorded,
    ContractMadeAlready,
    OutcomeReviewedAlready,
    ReviewNotDue,
)
from evaluation.permissions import ensure_may, ensure_stage
from evaluation.queries.facts import hold
from evaluation.queries.performance import baselines_of, reviews_of
from evaluation.rules.stages import LotStage
from evaluation.schemas.performance import (
    BaselineView,
    OutcomeReviewView,
    RecordBaseline,
    RecordOutcomeReview,
    ReviewKind,
)
from market.actor import Actor
from market.command import command
from market.database import execute, fetch_value
from market.events.commands import record
from market.money import decimal_of
from tenders.rules.duties import Duty

_BASELINE = """
INSERT INTO outcome_baseline (id, lot, costs, access_measure, access_unit, access_better,
    access_value, recorded_by) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
"""
_REVIEW = """
INSERT INTO outcome_review (id, lot, kind, through, yearly_cost, access_value, narrative,
    reviewed_by) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
"""
_CONTRACTED = "SELECT EXISTS (SELECT 1 FROM contract WHERE lot = $1)"
_BUYERS = "SELECT array_agg(organisation) FROM tender_buyer WHERE tender = $1"


@command
async def record_baseline(
    actor: Actor, tender_id: UUID, lot_number: int, given: RecordBaseline
) -> BaselineView:
    """Record what the service costs each buyer a year and how good access is, before a contract.

    Once for an award, as its contract manager; reviews are held against it and nothing else.

    Raises:
        NotFound: no such lot, or the actor has no duty in its tender.
        DutyNeeded: the actor is not the contract manager.
        DeclarationMissing: the actor has not declared against every bidder.
        ConflictOfInterest: the actor has an interest in a bidder.
        LotNotThere: the lot is not awarded, or contracted.
        ContractMadeAlready: a buyer has its contract.
        BaselineRecorded: the baseline of this award is recorded.
        BaselineFaulty: not every buyer has its cost, or somebody else has one.
    """
    facts = ensure_may(
        await hold(actor, tender_id, lot_number), Duty.CONTRACT_MANAGER, to="record its baseline"
    )
    ensure_stage(facts, LotStage.AWARDED, LotStage.NOTIFIED, to="get its baseline")
    if await fetch_value(_CONTRACTED, facts.lot):
        raise ContractMadeAlready
    if facts.lot in await baselines_of([facts.lot]):
        raise BaselineRecorded
    costs = {str(one.buyer): one.cost.amount for one in given.yearly_costs}
    buyers = {str(buyer) for buyer in await fetch_value(_BUYERS, tender_id)}
    if len(costs) != len(given.yearly_costs) or costs.keys() != buyers:
        raise BaselineFaulty
    if any(one.cost.exact < 0 for one in given.yearly_costs):
        raise BaselineFaulty
    baseline = uuid4()
    await execute(
        _BASELINE,
        baseline,
        facts.lot,
        msgspec.json.encode(costs).decode(),
        given.access_measure,
        given.access_unit,
        given.access_better.value,
        decimal_of(given.access_value),
        actor.person,
    )
    await record(
        actor,
        "baseline.recorded",
        "outcome_baseline",
        baseline,
        tender=tender_id,
        after=msgspec.json.encode(given),
        lot=lot_number,
    )
    return (await baselines_of([facts.lot]))[facts.lot]


@command
async def review_outcome(
    actor: Actor, tender_id: UUID, lot_number: int, given: RecordOutcomeReview
) -> OutcomeReviewView:
    """Say, from figures, whether the contracts lowered cost and improved access; it is published.

    By an outcome reviewer, who by the floor of the duties wrote nothing, approved nothing and does
    not manage the contract.

    Raises:
        NotFound: no such lot, or the actor has no duty in its tender.
        DutyNeeded: the actor is not an outcome reviewer.
        DeclarationMissing: the actor has not declared against every bidder.
        ConflictOfInterest: the actor has an interest in a bidder.
        LotNotThere: not every contract of the lot is made.
        ReviewNotDue: the year is not over or, for the final review, the last contract.
        OutcomeReviewedAlready: these days are reviewed, or the final review is recorded.
        AccessMisfigured: access is measured without a baseline, or not measured with one.
    """
    facts = ensure_may(
        await hold(actor, tender_id, lot_number), Duty.OUTCOME_REVIEWER, to="review its outcome"
    )
    ensure_stage(facts, LotStage.CONTRACTED, to="have its outcome reviewed")
    starts, ends = await run_of(facts)
    last = given.kind is ReviewKind.FINAL
    if (
        given.through >= today_of(facts)
        or given.through <= starts
        or (given.through < ends if last else given.through > ends)
    ):
        raise ReviewNotDue
    before = (await reviews_of([facts.lot])).get(facts.lot, [])
    if any(one.kind is ReviewKind.FINAL or one.through >= given.through for one in before):
        raise OutcomeReviewedAlready
    if (facts.lot in await baselines_of([facts.lot])) != (given.access_value is not None):
        raise AccessMisfigured
    review = uuid4()
    await execute(
        _REVIEW,
        review,
        facts.lot,
        given.kind.value,
        given.through,
        given.yearly_cost.exact,
        None if given.access_value is None else decimal_of(given.access_value),
        given.narrative,
        actor.person,
    )
    shown = (await reviews_of([facts.lot]))[facts.lot][-1]
    await record(
        actor,
        "outcome.reviewed",
        "outcome_review",
        review,
        tender=tender_id,
        after=msgspec.json.encode(given),
        lot=lot_number,
        number=shown.number,
        kind=given.kind.value,
        through=given.through.isoformat(),
    )
    return shown
