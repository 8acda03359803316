"""Which prices the published indicators flag, exactly."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluation.rules.low_prices import Indicator, low_prices
from tenders.rules.low_prices import AbnormallyLow, low_price_faults

BOTH = AbnormallyLow(below_mean="20", below_next="10")


def _flagged(*prices: str, published: AbnormallyLow | None = BOTH) -> dict[str, list[str]]:
    named = {str(place): Fraction(Decimal(price)) for place, price in enumerate(prices)}
    return {
        key: [one.indicator.value for one in flags]
        for key, flags in low_prices(named, published).items()
    }


def test_one_bid_and_equal_bids_are_not_flagged() -> None:
    assert _flagged("1") == {}
    assert _flagged() == {}
    assert _flagged("100", "100", "100") == {}


def test_of_two_bids_the_other_is_the_mean_and_the_next() -> None:
    assert _flagged("80", "100") == {"0": ["below_mean", "below_next"]}
    assert _flagged("90", "100") == {"0": ["below_next"]}
    assert _flagged("90.000001", "100") == {}


def test_the_published_share_itself_flags_and_a_millionth_less_does_not() -> None:
    mean = AbnormallyLow(below_mean="20")
    assert _flagged("80", "90", "110", published=mean) == {"0": ["below_mean"]}
    assert _flagged("80.000001", "90", "110", published=mean) == {}


def test_two_who_agree_on_a_low_price_are_both_flagged() -> None:
    assert _flagged("10", "10", "100") == {
        "0": ["below_mean", "below_next"],
        "1": ["below_mean", "below_next"],
    }


def test_nothing_is_flagged_where_nothing_is_published() -> None:
    assert _flagged("1", "100", published=None) == {}


_PRICES = st.lists(st.integers(1, 10**6), min_size=2, max_size=8)


@given(_PRICES, st.integers(1, 10**6))
def test_a_lower_price_is_flagged_by_no_less(prices: list[int], lower: int) -> None:
    def found(first: int) -> set[Indicator]:
        named = {str(n): Fraction(price) for n, price in enumerate([first, *prices[1:]])}
        return {one.indicator for one in low_prices(named, BOTH).get("0", [])}

    cut = min(lower, prices[0])
    if not any(cut < other <= prices[0] for other in prices[1:]):
        assert found(prices[0]) <= found(cut)


@pytest.mark.parametrize(
    ("published", "fields"),
    [
        (AbnormallyLow(), ["abnormally_low"]),
        (AbnormallyLow(below_mean="0"), ["abnormally_low.below_mean"]),
        (AbnormallyLow(below_mean="20", below_next="100"), ["abnormally_low.below_next"]),
        (AbnormallyLow(below_mean="-1", below_next="99.9"), ["abnormally_low.below_mean"]),
        (None, []),
        (BOTH, []),
    ],
)
def test_what_flags_nothing_or_everything_is_refused(
    published: AbnormallyLow | None, fields: list[str]
) -> None:
    assert [fault.field for fault in low_price_faults(published)] == fields
