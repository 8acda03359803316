"""The additive family: quality points plus price points."""

from collections.abc import Sequence
from fractions import Fraction

from evaluation.rules.methods.curves import PriceCurve
from evaluation.rules.methods.offers import Parameters, quality_of
from evaluation.rules.ranking import Offer, Ranking, ScoredOffer, ranked, tie_breaker
from tenders.rules.award_methods import MethodName


class AdditiveMethod:
    """Quality points plus price points, the highest total first.

    Totals are exact and so are ties. Offers with equal totals are ordered by the published tie
    rule; where that is equal too they share their rank, as in 1, 2, 2, 4, and are marked as
    tied. Quality and price points lie within their weights, so totals lie between 0 and 100. An
    offer of higher quality or of a lower price, all else equal, never ranks lower.
    """

    lowest_wins = False

    def __init__(self, name: MethodName, version: int, curve: PriceCurve) -> None:
        self.name = name
        self.version = version
        self._curve = curve

    def rank(self, offers: Sequence[Offer], parameters: Parameters) -> Ranking:
        """Rank the offers; raise what the curve raises, `ValueError` for a key used twice.

        Only offers that reached the minimum quality belong here: one that did not would lend
        its price to the points of the others.
        """
        prices = [Fraction(offer.price) for offer in offers]
        quality = quality_of(offers, parameters)
        scored = []
        for offer, price in zip(offers, prices, strict=True):
            points = self._curve.points(price, prices, parameters)
            total = quality[offer.key] + points
            scored.append(ScoredOffer(offer=offer, price_points=points, total=total))
        return self.place(scored, parameters)

    def place(self, scored: Sequence[ScoredOffer], parameters: Parameters) -> Ranking:
        """Order offers by figures they have already, the highest total first."""
        breaker = tie_breaker(parameters.tie_rule, parameters.tie_criterion)
        rows = ranked(scored, ordering=lambda row: (-row.total, breaker(row.offer)))
        return Ranking(rows=rows, method=self.name, version=self.version)
