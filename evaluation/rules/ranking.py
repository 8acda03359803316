"""Offers, the ranking they are put into, and how ranks are shared."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction

from msgspec import Struct

from tenders.rules.award_methods import MethodName, TieRule


class Offer(Struct, frozen=True, kw_only=True):
    """A bid as a method sees it: a key, its exact quality points, its price in pounds.

    What follows is there for tie rules that ask for it: the points of each criterion, the place in
    the order of receipt, and the place in a draw (see `tenders.rules.draw`).
    """

    key: str
    quality_points: Fraction
    price: Decimal
    criterion_points: Mapping[str, Fraction] = {}
    received: int | None = None
    drawn: int | None = None


class ScoredOffer(Struct, frozen=True, kw_only=True):
    """An offer with the figures that a method computed for it."""

    offer: Offer
    price_points: Fraction
    total: Fraction


class RankedOffer(Struct, frozen=True, kw_only=True):
    """An offer's place in a ranking; `tied` says that it shares its rank.

    For an additive method `total` is quality points plus price points. An index method puts its
    one figure there and gives no price points.
    """

    key: str
    quality_points: Fraction
    price: Decimal
    price_points: Fraction
    total: Fraction
    rank: int
    tied: bool


class Ranking(Struct, frozen=True, kw_only=True):
    """The rows, best first, with the name and version of the method that made them."""

    rows: tuple[RankedOffer, ...]
    method: MethodName
    version: int


OrderingKey = tuple[Fraction, ...]


def tie_breaker(rule: TieRule, criterion: str | None = None) -> Callable[[Offer], Fraction]:
    """Return what decides between offers with equal totals: the smaller figure comes first.

    Raises `ValueError` for a rule that names a criterion where none is named; what it returns
    raises the same for an offer without what the rule asks for.
    """
    if rule is TieRule.HIGHER_QUALITY:
        return lambda offer: -offer.quality_points
    if rule is TieRule.LOWER_PRICE:
        return lambda offer: Fraction(offer.price)
    if rule is TieRule.EARLIEST_SUBMISSION:
        return lambda offer: _place(offer.received, "when it was received")
    if rule is TieRule.COMMITTED_DRAW:
        return lambda offer: _place(offer.drawn, "its place in the draw")
    if criterion is None:
        raise ValueError("The tie rule names no criterion.")
    return lambda offer: -_points(offer, criterion)


def _place(place: int | None, what: str) -> Fraction:
    if place is None:
        raise ValueError(f"The tie rule needs to know of every offer {what}.")
    return Fraction(place)


def _points(offer: Offer, criterion: str) -> Fraction:
    if criterion not in offer.criterion_points:
        raise ValueError(f"The tie rule needs the points of every offer for {criterion}.")
    return offer.criterion_points[criterion]


def ranked(
    scored: Iterable[ScoredOffer], ordering: Callable[[ScoredOffer], OrderingKey]
) -> tuple[RankedOffer, ...]:
    """Rank by `ordering`, smallest first, as competitions do: 1, 2, 2, 4.

    Offers with equal orderings share a rank and are marked as tied; they are listed by key, so
    the rows do not depend on the order in which offers came. Raises `ValueError` when two
    offers have one key.
    """
    rows = sorted(scored, key=lambda row: (ordering(row), row.offer.key))
    if len({row.offer.key for row in rows}) < len(rows):
        raise ValueError("Two offers have the same key.")
    orderings = [ordering(row) for row in rows]
    return tuple(
        RankedOffer(
            key=row.offer.key,
            quality_points=row.offer.quality_points,
            price=row.offer.price,
            price_points=row.price_points,
            total=row.total,
            rank=orderings.index(orderings[place]) + 1,
            tied=orderings.count(orderings[place]) > 1,
        )
        for place, row in enumerate(rows)
    )


def leaders(ranking: Ranking) -> Sequence[RankedOffer]:
    """Return the offers of rank 1: none without offers, several when the tie rule cannot decide."""
    return [row for row in ranking.rows if row.rank == 1]
