"""What the panel agrees, and the moment at which the quality of a lot is decided for good."""

from collections import defaultdict
from decimal import Decimal
from fractions import Fraction
from uuid import UUID, uuid4

import msgspec

from evaluation.commands.moves import move
from evaluation.commands.scoring import Stored, find_scorable, listed, record_score
from evaluation.errors import ModerationIncomplete, ModerationTooEarly, OpeningIncomplete
from evaluation.permissions import LotFacts, ensure_may, ensure_stage
from evaluation.queries.facts import hold, published_requirement, share
from evaluation.queries.progress import evaluators_of
from evaluation.queries.scores import agreed_scores
from evaluation.rules.exact import Exact
from evaluation.rules.scoring import meets_minimum, quality_percentage, quality_points
from evaluation.rules.stages import LotStage
from evaluation.schemas.scores import DecisionView, GiveScore, QualityLocked, ScoreGiven
from market.actor import Actor
from market.command import command
from market.database import execute, fetch, fetch_one
from market.events.commands import record
from market.money import decimal_of
from tenders.rules.duties import Duty
from tenders.rules.requirement import highest, leaves

_AGREE = """
INSERT INTO agreed_score (id, lot, bid, criterion, moderator, value, reason)
VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING id, number, agreed_at AS given_at
"""

_BIDS = """
SELECT m.bid, m.pseudonym, o.id IS NOT NULL AS opened, o.content IS NOT NULL AS readable
FROM manifest_entry m LEFT JOIN opened_envelope o ON o.bid = m.bid AND o.kind = 'quality'
WHERE m.lot = $1 ORDER BY length(m.pseudonym), m.pseudonym
"""

_DECIDE = """
INSERT INTO quality_decision
    (id, lot, bid, points_numerator, points_denominator, passed, decided_by)
VALUES ($1, $2, $3, $4, $5, $6, $7)
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
    passed: bool


@command
async def agree_score(
    actor: Actor, tender_id: UUID, lot_number: int, pseudonym: str, given: GiveScore
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
        ChangedMeanwhile: another moderator recorded the same score at this moment.
    """
    facts = ensure_may(
        await share(actor, tender_id, lot_number), Duty.MODERATOR, to="record agreed scores"
    )
    ensure_stage(facts, LotStage.QUALITY_SCORING, to="be moderated")
    await _ensure_all_locked(facts)
    bid, criterion = await find_scorable(facts, pseudonym, given)
    stored = await fetch_one(
        Stored,
        _AGREE,
        uuid4(),
        facts.lot,
        bid,
        criterion,
        actor.person,
        decimal_of(given.value),
        given.reason,
    )
    return await record_score(actor, facts, pseudonym, given, stored, action="score.agreed")


async def _ensure_all_locked(facts: LotFacts) -> None:
    evaluators = await evaluators_of(facts)
    waiting = [row.name for row in evaluators if row.locked_at is None]
    if waiting:
        message = f"These evaluators have not locked their scores: {', '.join(waiting)}."
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

    A bid passes when its points reach the published percentage of those to be had. One whose
    quality envelope did not open gets no points and does not pass.

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
            actor.person,
        )
    moved = await move(facts, LotStage.QUALITY_LOCKED)
    views = [
        DecisionView(
            pseudonym=decision.pseudonym,
            quality_points=Exact.of(decision.points),
            percentage=Exact.of(decision.percentage),
            passed=decision.passed,
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
    agreed: dict[UUID, dict[str, Decimal]] = defaultdict(dict)
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
    decisions = []
    for bid in bids:
        points = (
            quality_points(scored, agreed[bid.bid], highest(requirement.scale))
            if bid.readable
            else Fraction(0)
        )
        percentage = quality_percentage(points, Fraction(facts.quality_weight))
        passed = bid.readable and meets_minimum(percentage, facts.minimum_quality)
        decisions.append(_Decision(bid.bid, bid.pseudonym, points, percentage, passed))
    return decisions
