"""Price points of the additive family: one class a formula, each with its source and its edges.

In all of them `weight` is the most points a price can earn, P the price of the offer, Pmin and Pmax
the lowest and highest price of the offers ranked together. A lower price never gets fewer points,
and never gives another offer more: that is what keeps a better offer from ranking lower.
"""

from collections.abc import Sequence
from fractions import Fraction
from typing import Protocol

from evaluation.rules.methods.offers import (
    NotTheFixedPrice,
    Parameters,
    ensure_prices_positive,
)
from evaluation.rules.methods.reals import logarithm
from market.money import fraction_of

_WHOLE = 100


class PriceCurve(Protocol):
    """Turns a price into points; `prices` are those of all offers ranked together, its own too."""

    def points(
        self, price: Fraction, prices: Sequence[Fraction], parameters: Parameters
    ) -> Fraction:
        """Return points from 0 to the price weight. Raises `OutsideDomain`."""


class LowestPriceRatio:
    """Price points in proportion to the lowest price: weight x Pmin / P.

    Domain: prices above zero; any other raises `PriceNotPositive`, because a price of zero leaves
    every other offer with no points and its own points undefined (Bevan Brittan, 2019).
    Edges: the lowest price, an only offer and offers of equal prices get the full weight; no
    price gets zero. Monotonicity: points fall strictly as an offer's own price rises, so an
    offer that lowers its price cannot lose a place. The points depend on the lowest price of
    the others: when that offer drops out, the order of the rest may change.
    Published examples: GBP 1.0m, 1.2m and 2.0m get 100, 83.33 and 50 of 100 (Brodies); GBP 100,
    105 and 108 get 40, 38.095 and 37.037 of 40 (Impact Bids).
    """

    def points(
        self, price: Fraction, prices: Sequence[Fraction], parameters: Parameters
    ) -> Fraction:
        """Return weight x lowest / price, exactly; raise `PriceNotPositive` outside its domain."""
        ensure_prices_positive([price, *prices], "lowest-price ratio")
        return parameters.price_weight * min(prices) / price


class LinearBetweenBounds:
    """Points on a straight line between two published prices.

    weight x (ceiling - P) / (ceiling - floor). Domain: every price; clamped to 0 at and above the
    ceiling and to the full weight at and below the floor. Edges: what others bid does not matter,
    so one bid, equal bids and a bid that drops out change nothing. Monotonicity: points never rise
    with the price; between the bounds they fall strictly, outside two prices earn the same.
    Published example: bounds 5,995 and 8,995, weight 10: 6,450 earns 8.48 and 7,295 earns 5.67.
    """

    def points(
        self, price: Fraction, prices: Sequence[Fraction], parameters: Parameters
    ) -> Fraction:
        """Return the points on the published line; other prices are not looked at."""
        del prices
        floor, ceiling = parameters.figure("floor"), parameters.figure("ceiling")
        return _clamped((ceiling - price) / (ceiling - floor)) * parameters.price_weight


class OneSidedInterpolation:
    """Points lost in proportion to the excess over the lowest price: weight x (2 - P / Pmin).

    Domain: prices above zero. Not below 0: twice the lowest price, and more, earn nothing.
    Edges: the lowest price, an only offer and equal prices earn the full weight. Monotonicity:
    points never rise with an offer's own price; a lower lowest price takes points from all
    others. Relative: it depends on Pmin. Source: "einseitige Interpolation", vergabeblog.de,
    12 July 2015.
    """

    def points(
        self, price: Fraction, prices: Sequence[Fraction], parameters: Parameters
    ) -> Fraction:
        """Return the points; raise `PriceNotPositive` outside its domain."""
        ensure_prices_positive([price, *prices], "one-sided interpolation")
        return _clamped(2 - price / min(prices)) * parameters.price_weight


class TwoSidedInterpolation:
    """Points between the lowest and the highest price: weight x (Pmax - P) / (Pmax - Pmin).

    Domain: every price. Edges: the lowest price earns the full weight and the highest none,
    however near they are to each other; an only offer and equal prices earn the full weight.
    Monotonicity: an offer that lowers its price never gets fewer points and never gives another
    more. Relative: it depends on both ends, so a bid that cannot win decides how far the others
    lie apart; German review bodies held it impermissible with few bids (vergabeblog.de, 12 July
    2015). Trial and robustness report say so.
    """

    def points(
        self, price: Fraction, prices: Sequence[Fraction], parameters: Parameters
    ) -> Fraction:
        """Return the points between the two ends of what was bid."""
        lowest, highest = min(prices), max(prices)
        if lowest == highest:
            return parameters.price_weight
        return parameters.price_weight * (highest - price) / (highest - lowest)


class DeviationFromMean:
    """Half the points at the mean price, one per cent of them more or less for each per cent.

    weight x (1/2 + (mean - P) / mean), clamped to 0 and to the full weight. Domain: prices above
    zero. Edges: an only offer and equal prices earn half the weight; a price at half the mean and
    below earns it all. Monotonicity: as an offer lowers its price its own points rise or stay at
    the full weight, and those of all others fall or stay at nothing. Relative: every price moves
    the mean, and therefore every score. Source: procurementtemplates.co.uk, "mean calculation".
    """

    def points(
        self, price: Fraction, prices: Sequence[Fraction], parameters: Parameters
    ) -> Fraction:
        """Return the points; raise `PriceNotPositive` outside its domain."""
        ensure_prices_positive([price, *prices], "deviation from the mean")
        mean = sum(prices, Fraction(0)) / len(prices)
        return _clamped(Fraction(1, 2) + (mean - price) / mean) * parameters.price_weight


class Logarithmic:
    """Points lost with the logarithm of the excess: weight x (1 - log(P / Pmin) / log A).

    Domain: prices above zero; A, the published base, above 1 (1.5, 2 and 3 are usual): at A times
    the lowest price nothing is left, and not below 0. The logarithm is taken to fifty digits.
    Edges: the lowest price, an only offer and equal prices earn the full weight. Monotonicity: as
    for the lowest-price ratio, until nothing is left. Relative: it depends on Pmin. Source:
    Negometrix, article 9000092065.
    """

    def points(
        self, price: Fraction, prices: Sequence[Fraction], parameters: Parameters
    ) -> Fraction:
        """Return the points; raise `PriceNotPositive` outside its domain."""
        ensure_prices_positive([price, *prices], "logarithmic method")
        excess = logarithm(price / min(prices), parameters.figure("base"))
        return _clamped(1 - excess) * parameters.price_weight


class BandedIncrease:
    """A share of the points by how far a price lies over the lowest, in published bands.

    The lowest price earns the full weight; a price up to so many per cent above it (the bound
    included) earns the share of its band; beyond the last band what is published for it. Domain:
    prices above zero. Edges: an only offer and equal prices earn the full weight; a penny more
    than a bound costs a whole step, which the trial warns of. Monotonicity: bands whose shares
    rise are refused at publication, so points never rise with the price, and a lower lowest
    price never gives others more. Relative: it depends on Pmin. Source: NHS Buying Catalogue
    (5 of 5 at the lowest price, 4 to +25 %, 3 to +50 %, 2 to +100 %, else 1).
    """

    def points(
        self, price: Fraction, prices: Sequence[Fraction], parameters: Parameters
    ) -> Fraction:
        """Return the points of the price's band; raise `PriceNotPositive` outside its domain."""
        ensure_prices_positive([price, *prices], "banded increase")
        increase = _WHOLE * (price / min(prices) - 1)
        share = Fraction(_WHOLE)
        if increase > 0:
            share = next(
                (
                    fraction_of(band.share)
                    for band in parameters.figures.bands
                    if increase <= fraction_of(band.up_to)
                ),
                parameters.figure("beyond"),
            )
        return parameters.price_weight * share / _WHOLE


class FixedPrice:
    """No price points: the price was published, and quality alone ranks the bids.

    Domain: offers at exactly the published price; another raises `NotTheFixedPrice`. Every offer
    earns the full price weight, which for this method is nought in a requirement. Monotonicity:
    a better quality ranks higher, and there is nothing else. Source: Procurement Act 2023,
    section 23, and Directive 2014/24/EU, article 67(2), which let a fixed price or cost decide
    on quality criteria only.
    """

    def points(
        self, price: Fraction, prices: Sequence[Fraction], parameters: Parameters
    ) -> Fraction:
        """Return the price weight; raise `NotTheFixedPrice` for any other price."""
        del prices
        if price != parameters.figure("price"):
            raise NotTheFixedPrice("With a fixed price every offer has the price published.")
        return parameters.price_weight


def _clamped(share: Fraction) -> Fraction:
    return max(Fraction(0), min(Fraction(1), share))
