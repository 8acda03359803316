"""Offers, the ranking they are put into, and how ranks are shared."""

from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from fractions import Fraction

from msgspec import Struct

from tenders.rules.requirement import MethodName, TieRule


class Offer(Struct, frozen=True, kw_only=True):
    """A bid as a method sees it: a key, its exact quality points, its price in pounds."""

    key: str
    quality_points: Fraction
    price: Decimal


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


def tie_breaker(rule: TieRule, offer: Offer) -> Fraction:
    """Return what decides between offers with equal totals: the smaller figure comes first."""
    if rule is TieRule.HIGHER_QUALITY:
        return -offer.quality_points
    return Fraction(offer.price)


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
