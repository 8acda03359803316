"""A lot and its bids as they were judged: what notices and the report for approvers are made of."""

from collections import defaultdict
from collections.abc import Sequence
from fractions import Fraction
from uuid import UUID

import msgspec

from evaluation.permissions import LotFacts
from evaluation.queries.facts import published_requirement
from evaluation.queries.ranking import DecidedRow
from evaluation.queries.scores import agreed_scores
from evaluation.rules.notice_content import Agreed, DecidedBid, JudgedLot
from market.database import fetch
from tenders.rules.requirement import groups, highest, leaves

_BUYERS = """
SELECT o.name FROM tender_buyer b JOIN organisation o ON o.id = b.organisation
WHERE b.tender = $1 ORDER BY o.name, o.id
"""


class _Buyer(msgspec.Struct, frozen=True):
    name: str


async def judged_lot(facts: LotFacts, method: str, version: int) -> JudgedLot:
    """The lot as it was published, and the method that ranked it, inside a transaction."""
    requirement, lot = await published_requirement(facts)
    return JudgedLot(
        reference=facts.reference,
        title=facts.tender_title,
        buyers=[row.name for row in await fetch(_Buyer, _BUYERS, facts.tender)],
        lot=facts.number,
        lot_title=facts.title,
        leaves=leaves(lot),
        groups=groups(lot),
        scale=requirement.scale,
        highest=highest(requirement.scale),
        quality_weight=Fraction(facts.quality_weight),
        price_weight=Fraction(facts.price_weight),
        minimum_quality=facts.minimum_quality,
        method=method,
        method_version=version,
        tie_rule=requirement.award_method.tie_rule.value,
        rule_set=facts.rule_set,
        round=facts.round,
    )


async def judged_bids(facts: LotFacts, rows: Sequence[DecidedRow]) -> dict[UUID, DecidedBid]:
    """Decided bids with what the panel agreed of each, inside a transaction."""
    agreed: dict[UUID, dict[str, Agreed]] = defaultdict(dict)
    for score in await agreed_scores(facts):
        agreed[score.bid][score.criterion] = Agreed(value=score.value, reason=score.reason)
    return {
        row.bid: DecidedBid(
            supplier=row.supplier,
            variant=row.variant,
            agreed=agreed[row.bid],
            quality_points=row.quality_points,
            passed=row.passed,
            failed_because=row.failed_because,
            failure=row.failure,
            dropped_out=row.dropped_out,
            price=row.price,
            price_points=row.price_points,
            total=row.total,
            place=row.place,
        )
        for row in rows
    }
