"""The index family: one figure ranks the bids, made of price and quality together.

P is the price in pounds. Q is the quality in per cent of what can be had (the quality points over
the quality weight, times 100), so that the figure does not depend on how the weights were cut;
wQ and wP are the weights of quality and price. Each class gives `figure`, of which the lowest or
the highest ranks first, as `lowest_wins` says. Price points there are none.
"""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Protocol

from evaluation.rules.methods.offers import (
    WHOLE,
    NoQuality,
    OutsideDomain,
    Parameters,
    ensure_prices_positive,
    quality_of,
)
from evaluation.rules.methods.reals import power
from evaluation.rules.ranking import Offer, Ranking, ScoredOffer, ranked, tie_breaker
from tenders.rules.award_methods import MethodName


class Priced:
    """An offer as an index sees it: price, and quality in per cent, beside those of the others."""

    __slots__ = ("price", "prices", "qualities", "quality")

    def __init__(
        self,
        price: Fraction,
        quality: Fraction,
        prices: Sequence[Fraction],
        qualities: Sequence[Fraction],
    ) -> None:
        self.price = price
        self.quality = quality
        self.prices = prices
        self.qualities = qualities


class Index(Protocol):
    """One figure out of price and quality."""

    lowest_wins: bool

    def figure(self, offer: Priced, parameters: Parameters) -> Fraction:
        """Return the figure by which an offer is ranked. Raises `OutsideDomain`."""


class PricePerQualityPoint:
    """P / Q: what a per cent of quality costs; the lowest wins.

    Domain: prices of zero or more are divided as they are; quality above zero, else `NoQuality`
    (a published minimum above nought keeps such bids out). Absolute: no figure depends on
    another bid. Edges: a price of zero is nought and wins; one bid and equal bids are what they
    are. Monotonicity: falls strictly with more quality (for a price above zero) and with a lower
    price. It values a point the more, the dearer the bid, and so may reward what nobody
    needs: the trial warns of it. Source: Cabinet Office, Bid Evaluation Guidance Note (May 2021),
    section 7.3.
    """

    lowest_wins = True

    def figure(self, offer: Priced, parameters: Parameters) -> Fraction:
        """Return pounds for each per cent of quality."""
        del parameters
        if offer.price < 0:
            raise OutsideDomain("The price per quality point needs prices of zero or more.")
        if offer.quality <= 0:
            raise NoQuality("The price per quality point needs every offer to have some quality.")
        return offer.price / offer.quality


class ValueIndex:
    """Q / P: quality for each pound; the highest wins.

    Domain: prices above zero. Absolute. Edges: no quality is nought, and last. Monotonicity: rises
    strictly with quality, and with a lower price where there is any quality. It ranks as the price
    per quality point does. Published example: 99 per cent at GBP 1.18m is 83.90 for each million,
    80 per cent at GBP 1.00m is 80.00.
    """

    lowest_wins = False

    def figure(self, offer: Priced, parameters: Parameters) -> Fraction:
        """Return per cent of quality for each pound."""
        del parameters
        ensure_prices_positive([offer.price], "value index")
        return offer.quality / offer.price


class WeightedValueIndex:
    """Q ^ (wQ / wP) / P: the value index with quality weighted against price; the highest wins.

    Domain: prices above zero, both weights above zero. A power that is not whole is taken to fifty
    digits. Absolute. Edges and monotonicity as for the value index, since the exponent is above
    zero. Source: UK Ministry of Defence, value-for-money index of its commercial guidance.
    """

    lowest_wins = False

    def figure(self, offer: Priced, parameters: Parameters) -> Fraction:
        """Return weighted quality for each pound."""
        ensure_prices_positive([offer.price], "weighted value index")
        exponent = parameters.quality_weight / _price_weight(parameters)
        return power(offer.quality, exponent) / offer.price


class MonetisedQuality:
    """P - V x Q / 100, V being what full quality is worth in pounds; the lowest wins.

    Domain: every price; V above zero. Absolute: what a point is worth is the same at every price,
    which is why the literature prefers it (Bergman and Lundberg, 2013). Edges: the figure may be
    negative, and is compared all the same. Monotonicity: falls strictly with more quality and with
    a lower price.
    Published example: EUR 80,000, and a criterion worth EUR 2,500 met at 60 per cent: 78,500.
    """

    lowest_wins = True

    def figure(self, offer: Priced, parameters: Parameters) -> Fraction:
        """Return the price less what its quality is worth, in pounds."""
        return offer.price - parameters.figure("quality_value") * offer.quality / WHOLE


class UtilityIndex:
    """(1 - (Qbest - Q) x N) / P x Pbest, N = wQ / wP and Q as a share of one; the highest wins.

    Pbest is the lowest price and Qbest the highest quality among the offers. Domain: prices above
    zero, a price weight above zero. Not below 0: an offer so far behind the best in quality that
    nothing is left ties with the others of which that is true. Relative: both the best quality and
    the lowest price of others count, so a bid that drops out may turn the order round.
    Monotonicity: an offer that improves raises its own figure or, being the best, lowers those of
    all others; never the reverse. Source: Negometrix, article 44001761053.
    """

    lowest_wins = False

    def figure(self, offer: Priced, parameters: Parameters) -> Fraction:
        """Return the utility of an offer against the best of both."""
        ensure_prices_positive([offer.price, *offer.prices], "utility index")
        weight = parameters.quality_weight / _price_weight(parameters)
        behind = (max(offer.qualities) - offer.quality) / WHOLE
        return max(Fraction(0), 1 - behind * weight) * min(offer.prices) / offer.price


class CoefficientNormalisedPrice:
    """P / (1 + C x Q / (1 - C)), Q as a share of one; the lowest wins.

    C, the largest coefficient, is the sum of all that quality can earn: above 0, below 1. Domain:
    prices of zero or more. Absolute. Edges: full quality divides the price by 1 / (1 - C). A
    price of zero is nought and wins. Monotonicity: falls with more quality (for a price above
    zero) and with a lower price. Source: Prozorro, normalised price. Published example: features of
    at most 0.15 + 0.15, of which 0.1 + 0.1 were chosen: the coefficient is 9/7 exactly.
    """

    lowest_wins = True

    def figure(self, offer: Priced, parameters: Parameters) -> Fraction:
        """Return the price divided by what its quality earned, in pounds."""
        if offer.price < 0:
            raise OutsideDomain("The normalised price needs prices of zero or more.")
        largest = parameters.figure("largest_coefficient")
        return offer.price / (1 + largest * offer.quality / WHOLE / (1 - largest))


class IndexMethod:
    """One figure, the best first; equal figures are decided by the published tie rule.

    `total` of a row is the figure, exactly, in the unit that its index says; price points are
    nought. An offer of higher quality or of a lower price, all else equal, never ranks lower.
    """

    def __init__(self, name: MethodName, version: int, index: Index) -> None:
        self.name = name
        self.version = version
        self.lowest_wins = index.lowest_wins
        self._index = index

    def rank(self, offers: Sequence[Offer], parameters: Parameters) -> Ranking:
        """Rank the offers; raise what the index raises, `ValueError` for a key used twice."""
        quality = self._percentages(offers, parameters)
        prices = [Fraction(offer.price) for offer in offers]
        qualities = [quality[offer.key] for offer in offers]
        scored = [
            ScoredOffer(
                offer=offer,
                price_points=Fraction(0),
                total=self._index.figure(Priced(price, own, prices, qualities), parameters),
            )
            for offer, price, own in zip(offers, prices, qualities, strict=True)
        ]
        return self.place(scored, parameters)

    def place(self, scored: Sequence[ScoredOffer], parameters: Parameters) -> Ranking:
        """Order offers by figures they have already, the best first."""
        sign = 1 if self.lowest_wins else -1
        breaker = tie_breaker(parameters.tie_rule, parameters.tie_criterion)
        rows = ranked(scored, ordering=lambda row: (sign * row.total, breaker(row.offer)))
        return Ranking(rows=rows, method=self.name, version=self.version)

    @staticmethod
    def _percentages(offers: Sequence[Offer], parameters: Parameters) -> Mapping[str, Fraction]:
        if not parameters.quality_weight:
            raise OutsideDomain("An index needs points for quality.")
        return {
            key: WHOLE * points / parameters.quality_weight
            for key, points in quality_of(offers, parameters).items()
        }


def _price_weight(parameters: Parameters) -> Fraction:
    if parameters.price_weight <= 0:
        raise OutsideDomain("This index needs a weight for price above zero.")
    return parameters.price_weight
