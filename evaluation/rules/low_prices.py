"""Which prices appear abnormally low by the published indicators, in exact fractions."""

from collections.abc import Iterator, Mapping
from enum import StrEnum
from fractions import Fraction

from msgspec import Struct

from market.money import DecimalText, fraction_of
from tenders.rules.low_prices import AbnormallyLow

_WHOLE = 100


class Indicator(StrEnum):
    """With what a price is compared: the mean of the others, or the lowest price above it."""

    BELOW_MEAN = "below_mean"
    BELOW_NEXT = "below_next"


class LowPrice(Struct, frozen=True, kw_only=True):
    """That a price lies at least the published per cent below what it is compared with."""

    indicator: Indicator
    compared_with: Fraction
    per_cent_below: Fraction
    published: DecimalText


def low_prices(
    prices: Mapping[str, Fraction], published: AbnormallyLow | None
) -> dict[str, list[LowPrice]]:
    """Return what flags each price, by the bid's key; a bid that nothing flags is left out.

    A single bid is compared with nothing. Equal prices have the same next one above them, so two
    bids that agree on a low price hide neither. A lower price is never flagged by less than before
    as long as the others stay. Bids that dropped out are not among the prices. The database
    computes the same (`low_price_flags`).
    """
    if published is None:
        return {}
    found = {key: list(_flags(key, prices, published)) for key in prices}
    return {key: flags for key, flags in found.items() if flags}


def _flags(
    key: str, prices: Mapping[str, Fraction], published: AbnormallyLow
) -> Iterator[LowPrice]:
    price = prices[key]
    others = [other for name, other in prices.items() if name != key]
    higher = [other for other in others if other > price]
    mean = sum(others, Fraction(0)) / len(others) if others else None
    for indicator, compared_with, share in (
        (Indicator.BELOW_MEAN, mean, published.below_mean),
        (Indicator.BELOW_NEXT, min(higher, default=None), published.below_next),
    ):
        if compared_with is None or share is None:
            continue
        below = (compared_with - price) / compared_with * _WHOLE
        if below >= fraction_of(share):
            yield LowPrice(
                indicator=indicator,
                compared_with=compared_with,
                per_cent_below=below,
                published=share,
            )
