"""What every method works with: its parameters, its domain, and what it may refuse."""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Protocol

from msgspec import Struct

from evaluation.rules.ranking import Offer, Ranking, ScoredOffer
from market.money import fraction_of
from tenders.rules.award_methods import (
    AwardMethod,
    MethodName,
    MethodParameters,
    QualityTaken,
    TieRule,
)

WHOLE = Fraction(100)


class OutsideDomain(ValueError):
    """The method is not defined for these offers; the message says for which and why."""


class PriceNotPositive(OutsideDomain):
    """The method is not defined for a price of zero or less."""


class NoQuality(OutsideDomain):
    """The method divides by quality, and an offer has none."""


class NotTheFixedPrice(OutsideDomain):
    """An offer has another price than the one that was published."""


class Parameters(Struct, frozen=True, kw_only=True):
    """What a requirement publishes about its method: points for price (of 100), and the rest."""

    price_weight: Fraction
    tie_rule: TieRule
    tie_criterion: str | None = None
    quality: QualityTaken = QualityTaken.AS_SCORED
    figures: MethodParameters = MethodParameters()

    @classmethod
    def published(cls, method: AwardMethod, price_weight: Fraction) -> "Parameters":
        """Take them out of a requirement, for a lot with so many points for price."""
        return cls(
            price_weight=price_weight,
            tie_rule=method.tie_rule,
            tie_criterion=method.tie_criterion,
            quality=method.quality,
            figures=method.parameters,
        )

    @property
    def quality_weight(self) -> Fraction:
        """Points for quality, of 100."""
        return WHOLE - self.price_weight

    def figure(self, name: str) -> Fraction:
        """A published figure as a number. Raises `ValueError` where it was not published."""
        text: str | None = getattr(self.figures, name)
        if text is None:
            raise ValueError(f"The method needs the figure {name}, which was not published.")
        return fraction_of(text)


class Method(Protocol):
    """An award method of either family: additive (quality plus price points) or index."""

    name: MethodName
    version: int
    lowest_wins: bool

    def rank(self, offers: Sequence[Offer], parameters: Parameters) -> Ranking:
        """Rank the offers; none gives an empty ranking. Raises `OutsideDomain`."""

    def place(self, scored: Sequence[ScoredOffer], parameters: Parameters) -> Ranking:
        """Order offers by figures that stand, as after one of them dropped out."""


def quality_of(offers: Sequence[Offer], parameters: Parameters) -> Mapping[str, Fraction]:
    """The quality points of each offer as the method takes them: as scored, or of the best's.

    Relative to the best: weight x points / best points; where nobody has any points, nobody gets
    any. Monotonicity: an offer's own points rise with its quality, or, where it is the best, those
    of all others fall.
    """
    points = {offer.key: offer.quality_points for offer in offers}
    if parameters.quality is QualityTaken.AS_SCORED:
        return points
    best = max(points.values(), default=Fraction(0))
    if not best:
        return points
    return {key: parameters.quality_weight * value / best for key, value in points.items()}


def ensure_prices_positive(prices: Sequence[Fraction], what: str) -> None:
    """Refuse prices of zero or less, for a method named in the message.

    Raises:
        PriceNotPositive: one of the prices is not above zero.
    """
    if any(price <= 0 for price in prices):
        raise PriceNotPositive(f"The {what} needs every price to be above zero.")
