"""Award methods by name and version: an old version stays runnable for as long as its tenders."""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from types import MappingProxyType
from typing import Final, Protocol

from msgspec import Struct

from evaluation.rules.ranking import Offer, Ranking, ScoredOffer, ranked, tie_breaker
from tenders.rules.requirement import MethodName, TieRule


class UnknownMethod(LookupError):
    """No award method has this name and version."""


class PriceNotPositive(ValueError):
    """The method is not defined for a price of zero or less."""


class Parameters(Struct, frozen=True, kw_only=True):
    """What a requirement publishes about its method: points for price (of 100), the tie rule."""

    price_weight: Fraction
    tie_rule: TieRule


class PriceMethod(Protocol):
    """Turns a price into points; `prices` are those of all offers ranked together, its own too."""

    def points(self, price: Fraction, prices: Sequence[Fraction], weight: Fraction) -> Fraction:
        """Return points from 0 to `weight`; a lower price never gets fewer."""


class Method(Protocol):
    """An award method of either family: additive (quality plus price points) or index."""

    name: MethodName
    version: int

    def rank(self, offers: Sequence[Offer], parameters: Parameters) -> Ranking:
        """Rank the offers; none gives an empty ranking."""


class LowestPriceRatio:
    """Price points in proportion to the lowest price: weight x lowest price / price.

    Domain: prices above zero; any other raises `PriceNotPositive`, because a price of zero leaves
    every other offer with no points and its own points undefined (Bevan Brittan, 2019).
    Edges: the lowest price, an only offer and offers of equal prices get the full weight; no
    price gets zero. Monotonicity: points fall strictly as an offer's own price rises, so an
    offer that lowers its price cannot lose a place. The points depend on the lowest price of
    the others: when that offer drops out, the order of the rest may change.
    Published examples: GBP 1.0m, 1.2m and 2.0m get 100, 83.33 and 50 of 100 (Brodies); GBP 100,
    105 and 108 get 40, 38.095 and 37.037 of 40 (Impact Bids).
    """

    def points(self, price: Fraction, prices: Sequence[Fraction], weight: Fraction) -> Fraction:
        """Return weight x lowest / price, exactly; raise `PriceNotPositive` outside its domain."""
        lowest = min(prices)
        if lowest <= 0 or price <= 0:
            raise PriceNotPositive("The lowest-price ratio needs every price to be above zero.")
        return weight * lowest / price


class AdditiveMethod:
    """Quality points plus price points, the highest total first.

    Totals are exact and so are ties. Offers with equal totals are ordered by the published tie
    rule (higher quality, or lower price); where that is equal too they share their rank, as
    in 1, 2, 2, 4, and are marked as tied. Quality and price points lie within their weights, so
    totals lie between 0 and 100. An offer of higher quality or of a lower price, all else
    equal, never ranks lower.
    """

    def __init__(self, name: MethodName, version: int, price_method: PriceMethod) -> None:
        self.name = name
        self.version = version
        self._price_method = price_method

    def rank(self, offers: Sequence[Offer], parameters: Parameters) -> Ranking:
        """Rank the offers; raise what the price method raises, `ValueError` for a key used twice.

        Only offers that reached the minimum quality belong here: one that did not would lend
        its price to the points of the others.
        """
        prices = [Fraction(offer.price) for offer in offers]
        scored = [
            self._scored(offer, price, prices, parameters.price_weight)
            for offer, price in zip(offers, prices, strict=True)
        ]
        rows = ranked(
            scored,
            ordering=lambda row: (-row.total, tie_breaker(parameters.tie_rule, row.offer)),
        )
        return Ranking(rows=rows, method=self.name, version=self.version)

    def _scored(
        self, offer: Offer, price: Fraction, prices: Sequence[Fraction], weight: Fraction
    ) -> ScoredOffer:
        price_points = self._price_method.points(price, prices, weight)
        total = offer.quality_points + price_points
        return ScoredOffer(offer=offer, price_points=price_points, total=total)


_ALL: Final[tuple[Method, ...]] = (
    AdditiveMethod(MethodName.LOWEST_PRICE_RATIO, 1, LowestPriceRatio()),
)
METHODS: Final[Mapping[tuple[MethodName, int], Method]] = MappingProxyType(
    {(method.name, method.version): method for method in _ALL}
)
"""Every method that was ever publishable. Never change one: add a version beside it."""


def method_of(name: MethodName, version: int) -> Method:
    """Return the method that a requirement names; raise `UnknownMethod` when there is none."""
    try:
        return METHODS[name, version]
    except KeyError:
        raise UnknownMethod(f"There is no award method {name} in version {version}.") from None
