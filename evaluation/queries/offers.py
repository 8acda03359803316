"""Ranked bids as the methods see them, with what the published tie rule asks for."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Self
from uuid import UUID

import msgspec

from evaluation.permissions import LotFacts
from evaluation.queries.ranking import DecidedRow
from evaluation.queries.scores import agreed_scores
from evaluation.rules.ranking import Offer
from market.database import fetch
from market.money import fraction_of
from tenders.rules.award_methods import TieRule
from tenders.rules.draw import draw_key, drawn_order
from tenders.rules.requirement import Requirement, highest, leaves

_RECEIVED = "SELECT bid, received FROM order_of_receipt($1)"


class Ranked(msgspec.Struct, frozen=True, kw_only=True):
    """A bid that is ranked: its exact quality points and its price in pounds."""

    pseudonym: str
    bid: UUID
    quality_points: Fraction
    price: Decimal

    @classmethod
    def of(cls, row: DecidedRow) -> Self:
        """Take it out of a ranking; raise `ValueError` for a bid without a price."""
        if row.price is None:
            raise ValueError("Only a ranked bid has a price.")
        return cls(
            pseudonym=row.pseudonym,
            bid=row.bid,
            quality_points=row.quality_points,
            price=row.price,
        )


class _Received(msgspec.Struct, frozen=True):
    bid: UUID
    received: int


async def offers_of(
    facts: LotFacts, requirement: Requirement, bids: Sequence[Ranked], seed: bytes | None
) -> list[Offer]:
    """The bids as offers, keyed by pseudonym, inside a transaction."""
    points = await _criterion_points(facts, requirement)
    received: Mapping[UUID, int] = {}
    if requirement.award_method.tie_rule is TieRule.EARLIEST_SUBMISSION:
        rows = await fetch(_Received, _RECEIVED, facts.lot)
        received = {row.bid: row.received for row in rows}
    drawn: Mapping[bytes, int] = {}
    if seed is not None:
        drawn = drawn_order(seed, [draw_key(facts.number, bid.pseudonym) for bid in bids])
    return [
        Offer(
            key=bid.pseudonym,
            quality_points=bid.quality_points,
            price=bid.price,
            criterion_points=points.get(bid.bid, {}),
            received=received.get(bid.bid),
            drawn=drawn.get(draw_key(facts.number, bid.pseudonym)),
        )
        for bid in bids
    ]


async def _criterion_points(
    facts: LotFacts, requirement: Requirement
) -> dict[UUID, dict[str, Fraction]]:
    lot = next(lot for lot in requirement.lots if lot.number == facts.number)
    most = highest(requirement.scale)
    weights = {leaf.code: fraction_of(leaf.weight) for leaf in leaves(lot)}
    points: dict[UUID, dict[str, Fraction]] = {}
    for score in await agreed_scores(facts):
        earned = weights[score.criterion] * Fraction(score.value) / most
        points.setdefault(score.bid, {})[score.criterion] = earned
    return points
