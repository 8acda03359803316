"""The report on a recommendation, as those who decide about it read it."""

import asyncio
from datetime import datetime
from fractions import Fraction
from typing import Final
from uuid import UUID

import msgspec

from evaluation.permissions import LotFacts, ensure_reads
from evaluation.queries.award import present_recommendation
from evaluation.queries.facts import facts_of, published_requirement
from evaluation.queries.judged import judged_bids, judged_lot
from evaluation.queries.ranking import DecidedRow, decided_bids, ranking_row
from evaluation.queries.robustness import ranked_for_report
from evaluation.rules.low_prices import LowPrice, low_prices
from evaluation.rules.recommendation import (
    Findings,
    HandledConflict,
    LowPriceDecided,
    RecommendationReport,
    RecommendedBid,
    ReportedDissent,
    report_on,
)
from evaluation.rules.robustness.report import Flip, marks_that_flip
from market.actor import Actor
from market.database import fetch, fetch_value
from market.errors import NotFound
from tenders.rules.duties import Duty

READS_RECOMMENDATION: Final = (Duty.MODERATOR, Duty.AWARD_APPROVER, Duty.GUARDIAN)
"""The duties whose holders read it: who recommends, who approves, who guards against conflicts.

The database holds the same (`conflicts_handled`).
"""

_ITS_RANKING: Final = """
SELECT k.number FROM recommendation r JOIN current_ranking k ON k.id = r.ranking
WHERE r.lot = $1 ORDER BY r.number DESC LIMIT 1
"""
_DECIDED: Final = """
SELECT m.pseudonym, d.outcome, d.reason FROM low_price_decision d
JOIN manifest_entry m ON m.bid = d.bid WHERE d.lot = $1
"""
_CONFLICTS: Final = "SELECT * FROM conflicts_handled($1)"
_DISSENT: Final = """
SELECT m.pseudonym, c.code AS criterion, p.name AS evaluator, d.reason
FROM dissent d JOIN current_agreed_score a ON a.id = d.agreed_score
JOIN manifest_entry m ON m.bid = a.bid JOIN criterion c ON c.id = a.criterion
JOIN person p ON p.id = d.evaluator
WHERE a.lot = $1 ORDER BY length(m.pseudonym), m.pseudonym, c.code, a.number, p.name, d.evaluator
"""


class _Decided(msgspec.Struct, frozen=True):
    pseudonym: str
    outcome: str
    reason: str


async def recommendation_report(
    actor: Actor, tender_id: UUID, lot_number: int
) -> tuple[UUID, RecommendationReport]:
    """Report on the latest recommendation of a lot, with the ranking that it is about.

    Inside a transaction; the lot's id comes first.

    Raises:
        NotFound: no such lot, no duty in its tender, or nothing is recommended in its round.
        DutyNeeded: the actor's duty does not decide about awards.
        DeclarationMissing: the actor has not declared against every bidder.
        ConflictOfInterest: the actor has an interest in a bidder.
    """
    facts = ensure_reads(
        await facts_of(actor, tender_id, lot_number),
        *READS_RECOMMENDATION,
        what="the report on its recommendation",
    )
    recommended = None if facts.kept_fresh else await present_recommendation(facts)
    number = None if recommended is None else await fetch_value(_ITS_RANKING, facts.lot)
    row = None if number is None else await ranking_row(facts, number)
    if recommended is None or row is None:
        message = "Nothing is recommended for the lot."
        raise NotFound(message)
    rows = await decided_bids(facts, row.id)
    bids = await judged_bids(facts, rows)
    return facts.lot, report_on(
        await judged_lot(facts, row.method, row.method_version),
        msgspec.convert(recommended, RecommendedBid, from_attributes=True),
        {one.pseudonym: bids[one.bid] for one in rows},
        await _findings(actor, facts, row.number, row.ranked_at, rows),
    )


async def _findings(
    actor: Actor, facts: LotFacts, ranking: int, ranked_at: datetime, rows: list[DecidedRow]
) -> Findings:
    return Findings(
        ranking=ranking,
        ranked_at=ranked_at,
        flips=await _flips(actor, facts, ranking),
        low_prices=await _low_prices(facts, rows),
        decided={
            one.pseudonym: LowPriceDecided(outcome=one.outcome, reason=one.reason)
            for one in await fetch(_Decided, _DECIDED, facts.lot)
        },
        conflicts=await fetch(HandledConflict, _CONFLICTS, facts.lot),
        dissent=await fetch(ReportedDissent, _DISSENT, facts.lot),
    )


async def _low_prices(facts: LotFacts, rows: list[DecidedRow]) -> dict[str, list[LowPrice]]:
    requirement, _ = await published_requirement(facts)
    prices = {one.pseudonym: Fraction(one.price) for one in rows if one.price is not None}
    return low_prices(prices, requirement.abnormally_low)


async def _flips(actor: Actor, facts: LotFacts, ranking: int) -> list[Flip] | None:
    """The single marks that flip the ranking, where its own figures stand and it is the latest."""
    if await fetch_value("SELECT max(number) FROM current_ranking WHERE lot = $1", facts.lot) != (
        ranking
    ):
        return None
    found = await ranked_for_report(actor, facts.tender, facts.number)
    if found.number != ranking:
        return None
    # exact fractions of many bids take a while: beside the other requests
    return await asyncio.to_thread(marks_that_flip, found.ranked)
