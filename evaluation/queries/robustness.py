"""What a robustness report is made of: a ranking and the scores it came of."""

from decimal import Decimal
from fractions import Fraction
from uuid import UUID

import msgspec

from evaluation.permissions import READS_EVALUATION, LotFacts, ensure_reads
from evaluation.queries.facts import facts_of, published_requirement
from evaluation.queries.offers import Ranked, offers_of
from evaluation.queries.ranking import decided_bids, ranking_row
from evaluation.queries.scores import agreed_scores
from evaluation.rules.robustness.report import Ranked as RankedLot
from market.actor import Actor
from market.database import fetch, fetch_value
from market.errors import NotFound
from market.money import fraction_of
from tenders.rules.award_methods import DropOutRule
from tenders.rules.requirement import leaves, price_weight

_MARKS = """
SELECT DISTINCT ON (s.bid, s.criterion, s.evaluator)
       s.bid, c.code AS criterion, s.evaluator, p.name, s.value
FROM current_score s JOIN criterion c ON c.id = s.criterion JOIN person p ON p.id = s.evaluator
WHERE s.lot = $1 ORDER BY s.bid, s.criterion, s.evaluator, s.number DESC
"""


_FIRST = "SELECT min(number) FROM current_ranking WHERE lot = $1"


class _Mark(msgspec.Struct, frozen=True):
    bid: UUID
    criterion: str
    evaluator: UUID
    name: str
    value: Decimal


class RankedForReport(msgspec.Struct, frozen=True, kw_only=True):
    """What the report is about: the lot, and the ranking whose figures stand, with its number."""

    lot: UUID
    number: int
    ranked: RankedLot


async def ranked_for_report(actor: Actor, tender_id: UUID, lot_number: int) -> RankedForReport:
    """Read a ranked lot whole, inside a transaction.

    Where figures are frozen when a bid drops out, the first ranking of the round is read: its
    figures stand.

    Raises:
        NotFound: no such lot, no duty in its tender, or nothing of it is ranked.
        DutyNeeded: the actor's duty does not read rankings.
        DeclarationMissing: the actor has not declared against every bidder.
        ConflictOfInterest: the actor has an interest in a bidder.
    """
    facts = ensure_reads(
        await facts_of(actor, tender_id, lot_number), *READS_EVALUATION, what="its ranking"
    )
    requirement, lot = await published_requirement(facts)
    rescored = requirement.award_method.when_a_bid_drops_out is DropOutRule.RESCORE
    number = None if rescored else await fetch_value(_FIRST, facts.lot)
    row = None if facts.kept_fresh else await ranking_row(facts, number)
    if row is None:
        message = "The lot has not been ranked."
        raise NotFound(message)
    bids = [Ranked.of(bid) for bid in await decided_bids(facts, row.id) if bid.place is not None]
    if not bids:
        message = "No bid of the lot is left in its ranking."
        raise NotFound(message)
    names = {bid.bid: bid.pseudonym for bid in bids}
    agreed: dict[str, dict[str, Fraction]] = {name: {} for name in names.values()}
    for score in await agreed_scores(facts):
        if score.bid in names:
            agreed[names[score.bid]][score.criterion] = Fraction(score.value)
    evaluators, marks = await _marks(facts)
    ranked = RankedLot(
        method=requirement.award_method,
        price_weight=price_weight(lot),
        minimum_quality=fraction_of(lot.minimum_quality),
        offers=await offers_of(facts, requirement, bids, row.draw_seed),
        weights={leaf.code: fraction_of(leaf.weight) for leaf in leaves(lot)},
        agreed=agreed,
        scale=sorted(fraction_of(step.value) for step in requirement.scale),
        evaluators=evaluators,
        marks=marks,
    )
    return RankedForReport(lot=facts.lot, number=row.number, ranked=ranked)


async def _marks(facts: LotFacts) -> tuple[list[str], list[list[Fraction | None]]]:
    """Every evaluator, by name, and what each gave for each criterion of each bid."""
    rows = await fetch(_Mark, _MARKS, facts.lot)
    people = sorted({(row.name, row.evaluator) for row in rows}, key=lambda one: (one[0], one[1]))
    given = {(row.bid, row.criterion, row.evaluator): Fraction(row.value) for row in rows}
    units = sorted({(row.bid, row.criterion) for row in rows}, key=lambda one: (one[0], one[1]))
    return (
        [name for name, _ in people],
        [[given.get((*unit, person)) for _, person in people] for unit in units],
    )
