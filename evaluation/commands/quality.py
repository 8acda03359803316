"""What the panel agrees, and the moment at which the quality of a lot is decided for good."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from uuid import UUID, uuid4

import msgspec

from evaluation.commands.moves import move
from evaluation.commands.scoring import (
    Stored,
    find_scorable,
    listed,
    record_score,
    value_of,
)
from evaluation.errors import (
    MeanIsComputed,
    ModerationIncomplete,
    ModerationTooEarly,
    OpeningIncomplete,
)
from evaluation.permissions import LotFacts, ensure_may, ensure_stage
from evaluation.queries.facts import hold, published_requirement, share
from evaluation.queries.progress import coverage_of, evaluators_of
from evaluation.queries.scores import agreed_scores
from evaluation.rules.exact import Exact
from evaluation.rules.scoring import (
    NOT_OPENED,
    failings,
    meets_minimum,
    quality_percentage,
    quality_points,
)
from evaluation.rules.stages import LotStage
from evaluation.schemas.scores import AgreeScore, DecisionView, QualityLocked, ScoreGiven
from market.actor import Actor
from market.command import command
from market.database import execute, fetch, fetch_one
from market.errors import Fault
from market.events.commands import record
from tenders.rules.criteria import Criterion
from tenders.rules.duties import Duty
from tenders.rules.requirement import highest, leaves

_AGREE = """
INSERT INTO agreed_score (id, lot, bid, criterion, moderator, value, reason, discussion)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
RETURNING id, number, value, divisor, agreed_at AS given_at
"""

_BIDS = """
SELECT m.bid, m.pseudonym, o.id IS NOT NULL AS opened, o.content IS NOT NULL AS readable
FROM manifest_entry m LEFT JOIN opened_envelope o ON o.bid = m.bid AND o.kind = 'quality'
WHERE m.lot = $1 ORDER BY length(m.pseudonym), m.pseudonym
"""

_DECIDE = """
INSERT INTO quality_decision
    (id, lot, bid, points_numerator, points_denominator, passed, failed_because, decided_by)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
"""


class _Bid(msgspec.Struct, frozen=True):
    bid: UUID
    pseudonym: str
    opened: bool
    readable: bool


class _Decision(msgspec.Struct, frozen=True):
    bid: UUID
    pseudonym: str
    points: Fraction
    percentage: Fraction
    failed_because: list[str]

    @property
    def passed(self) -> bool:
        return not self.failed_because


@command
async def agree_score(
    actor: Actor, tender_id: UUID, lot_number: int, pseudonym: str, given: AgreeScore
) -> ScoreGiven:
    """Record the score that the panel agreed, with its reason; repeated, it is a correction.

    Raises:
        NotFound: no such lot or bid, or the actor has no duty in the tender.
        DutyNeeded: the actor is not a moderator.
        DeclarationMissing: the actor has not declared against every bidder.
        ConflictOfInterest: the actor has an interest in a bidder.
        LotNotThere: the quality of the lot is locked, or its bids are not open.
        ModerationTooEarly: not every evaluator has locked, or not enough have.
        BidNotOpened: the bid's quality envelope did not open.
        NoSuchCriterion: the lot does not score that.
        ScoreOffScale: the value is not on the published scale.
        MeanIsComputed: a value was given where the mean is published.
        SpreadNotDiscussed: the scores lie further apart than was published, and nothing is said
            of their discussion.
        ChangedMeanwhile: another moderator recorded the same score at this moment.
    """
    facts = ensure_may(
        await share(actor, tender_id, lot_number), Duty.MODERATOR, to="record agreed scores"
    )
    ensure_stage(facts, LotStage.QUALITY_SCORING, to="be moderated")
    await _ensure_all_locked(facts)
    found, criterion = await find_scorable(facts, pseudonym, given.criterion)
    computed = found.mean and not found.pass_fail
    if computed and (given.value is not None or given.verdict is not None):
        reason = MeanIsComputed.title
        raise MeanIsComputed(reason, faults=[Fault(field="value", reason=reason)])
    stored = await fetch_one(
        Stored,
        _AGREE,
        uuid4(),
        facts.lot,
        found.bid,
        criterion,
        actor.person,
        None if computed else value_of(found, given.value, given.verdict),
        given.reason,
        given.discussion,
    )
    return await record_score(actor, facts, pseudonym, given, stored, action="score.agreed")


async def _ensure_all_locked(facts: LotFacts) -> None:
    evaluators = await evaluators_of(facts)
    waiting = [row.name for row in evaluators if row.locked_at is None]
    if waiting:
        message = f"These evaluators have not locked their scores: {', '.join(waiting)}."
        raise ModerationTooEarly(message)
    short = [
        row.code
        for row in await coverage_of(facts)
        if len(evaluators) >= facts.evaluators_minimum > row.evaluators
    ]
    if short:
        message = (
            f"The published minimum is {facts.evaluators_minimum} evaluators for every criterion;"
            f" too few are left for {', '.join(short)}. The tender manager can assign others."
        )
        raise ModerationTooEarly(message)
    if len(evaluators) < facts.evaluators_minimum:
        message = (
            f"The published minimum is {facts.evaluators_minimum} evaluators without an interest;"
            f" {len(evaluators)} have locked."
        )
        raise ModerationTooEarly(message)


@command
async def lock_quality(
    actor: Actor, tender_id: UUID, lot_number: int, version: int
) -> QualityLocked:
    """Decide the quality of every bid of a lot, exactly and for good.

    A bid passes when its points reach the published percentage of those to be had, it reaches the
    minimum of every criterion that has one, and it fails nothing. One whose quality envelope did
    not open gets no points and does not pass.

    Raises:
        NotFound: no such lot, or the actor has no duty in its tender.
        DutyNeeded: the actor is not a moderator.
        DeclarationMissing: the actor has not declared against every bidder.
        ConflictOfInterest: the actor has an interest in a bidder.
        Stale: the lot was changed meanwhile.
        LotNotThere: the lot is not being scored.
        ModerationTooEarly: not every evaluator has locked, or not enough have.
        OpeningIncomplete: a quality envelope is still to be opened.
        ModerationIncomplete: a criterion of a bid has no agreed score.
        PanelChanged: an agreed score stands on others than the scores that count now.
    """
    facts = ensure_may(
        await hold(actor, tender_id, lot_number),
        Duty.MODERATOR,
        to="lock its quality",
        version=version,
    )
    ensure_stage(facts, LotStage.QUALITY_SCORING, to="have its quality locked")
    await _ensure_all_locked(facts)
    decisions = await _decide(facts)
    for decision in decisions:
        await execute(
            _DECIDE,
            uuid4(),
            facts.lot,
            decision.bid,
            Decimal(decision.points.numerator),
            Decimal(decision.points.denominator),
            decision.passed,
            decision.failed_because,
            actor.person,
        )
    moved = await move(facts, LotStage.QUALITY_LOCKED)
    views = [
        DecisionView(
            pseudonym=decision.pseudonym,
            quality_points=Exact.of(decision.points),
            percentage=Exact.of(decision.percentage),
            passed=decision.passed,
            failed_because=decision.failed_because,
        )
        for decision in decisions
    ]
    await record(
        actor,
        "quality.locked",
        "lot",
        facts.lot,
        tender=tender_id,
        after=msgspec.json.encode(views),
        lot=lot_number,
        bids=len(decisions),
    )
    return QualityLocked(lot=moved.lot, stage=moved.stage, version=moved.version, decisions=views)


async def _decide(facts: LotFacts) -> list[_Decision]:
    """Compute every decision from the published requirement and the agreed scores that stand."""
    bids = await fetch(_Bid, _BIDS, facts.lot)
    if not all(bid.opened for bid in bids):
        raise OpeningIncomplete
    requirement, lot = await published_requirement(facts)
    scored = leaves(lot)
    agreed: dict[UUID, dict[str, Fraction]] = defaultdict(dict)
    for row in await agreed_scores(facts):
        agreed[row.bid][row.criterion] = row.value
    missing = [
        f"{bid.pseudonym} {leaf.code}"
        for bid in bids
        for leaf in scored
        if bid.readable and leaf.code not in agreed[bid.bid]
    ]
    if missing:
        raise ModerationIncomplete(listed(missing))
    return [
        _decision(facts, bid, scored, agreed[bid.bid], highest(requirement.scale)) for bid in bids
    ]


def _decision(
    facts: LotFacts,
    bid: _Bid,
    scored: Sequence[Criterion],
    agreed: Mapping[str, Fraction],
    best: Fraction,
) -> _Decision:
    weight = Fraction(facts.quality_weight)
    if not bid.readable:
        return _Decision(bid.bid, bid.pseudonym, Fraction(0), Fraction(0), [NOT_OPENED])
    points = quality_points(scored, agreed, best)
    percentage = quality_percentage(points, weight)
    enough = meets_minimum(percentage, facts.minimum_quality)
    why = failings(scored, agreed, enough=enough)
    return _Decision(bid.bid, bid.pseudonym, points, percentage, why)
