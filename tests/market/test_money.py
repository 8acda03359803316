from decimal import Decimal
from fractions import Fraction

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from market.money import (
    DecimalText,
    Money,
    apportioned,
    decimal_of,
    display,
    exact_product,
    exact_shares,
    exact_sum,
    exact_text,
    fraction_of,
    plain_text,
    shares,
)

# Mostly small weights, so that equal remainders turn up often.
WEIGHTS = st.dictionaries(
    st.text(max_size=3), st.integers(0, 12) | st.integers(0, 10**9), min_size=1, max_size=12
).filter(lambda weights: any(weights.values()))


@pytest.mark.parametrize("text", ["0", "35", "-1.5", "007", "999999999999999.999999", "1.10"])
def test_decimal_text_is_read_exactly(text: str) -> None:
    assert msgspec.convert(text, DecimalText) == text
    assert decimal_of(text) == Decimal(text)
    assert fraction_of(text) == Fraction(text)


@pytest.mark.parametrize(
    "text",
    [
        *("", " 1", "1\n", "1.", ".5", "+1", "1e3", "NaN", "1,000", "--1", "1_0", "\u0665"),
        *("1.0000001", "1234567890123456"),
    ],
)
def test_anything_else_is_no_decimal_text(text: str) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(text, DecimalText)
    with pytest.raises(ValueError, match="is not a decimal number"):
        decimal_of(text)


@pytest.mark.parametrize("number", [b"1", b"1.5", b"true", b"null"])
def test_json_numbers_are_refused_for_decimals(number: bytes) -> None:
    with pytest.raises(msgspec.ValidationError, match="Expected `str`"):
        msgspec.json.decode(number, type=DecimalText)


def test_money_keeps_every_decimal_on_its_way() -> None:
    money = Money.of(Decimal("1250.50"))
    assert msgspec.json.encode(money) == b'{"amount":"1250.50","currency":"GBP"}'
    assert msgspec.json.decode(msgspec.json.encode(money), type=Money).exact == Decimal("1250.50")


def test_money_in_another_currency_is_refused() -> None:
    with pytest.raises(msgspec.ValidationError, match="currency"):
        msgspec.convert({"amount": "1", "currency": "EUR"}, Money)


def test_sums_and_products_do_not_round_at_28_digits() -> None:
    large, small = Decimal("1" + "0" * 29 + "1"), Decimal("0.000001")
    assert Fraction(exact_sum([large, small])) == Fraction(large) + Fraction(small)
    assert exact_product(large, small) == Decimal("1000000000000000000000000.000001")
    assert exact_sum([]) == 0


@pytest.mark.parametrize(
    ("value", "exact", "plain"),
    [("1E+2", "100", "100"), ("99.990", "99.990", "99.99"), ("0.00", "0.00", "0"), ("7", "7", "7")],
)
def test_numbers_are_written_without_exponents(value: str, exact: str, plain: str) -> None:
    assert exact_text(Decimal(value)) == exact
    assert plain_text(Decimal(value)) == plain


@pytest.mark.parametrize(
    ("value", "places", "shown"),
    [
        (Fraction(250, 3), 2, "83.33"),
        (Decimal("0.125"), 2, "0.13"),
        (Decimal("-0.125"), 2, "-0.13"),
        (Decimal("-0.004"), 2, "0.00"),
        (Fraction(4000, 105), 3, "38.095"),
        (Decimal("2.5"), 0, "3"),
        (Decimal("99.995"), 2, "100.00"),
        (Decimal(7), 2, "7.00"),
    ],
)
def test_display_rounds_halves_away_from_zero(
    value: Fraction | Decimal, places: int, shown: str
) -> None:
    assert display(value, places) == shown


@given(st.fractions(), st.integers(0, 6))
def test_what_is_displayed_lies_within_half_a_unit_of_the_value(
    value: Fraction, places: int
) -> None:
    assert abs(Fraction(display(value, places)) - value) <= Fraction(1, 2 * 10**places)


def test_shares_of_the_demonstration_populations_add_up() -> None:
    populations = {"06F": 461_940, "06P": 213_052, "04F": 275_882}
    assert shares(populations) == {
        "06F": Decimal("48.58"),
        "06P": Decimal("22.41"),
        "04F": Decimal("29.01"),
    }


def test_among_equal_remainders_the_earlier_key_gets_the_hundredth() -> None:
    assert shares({"b": 1, "a": 1, "c": 1}) == {
        "b": Decimal("33.34"),
        "a": Decimal("33.33"),
        "c": Decimal("33.33"),
    }


@given(WEIGHTS)
def test_shares_add_up_to_exactly_100_and_lie_within_a_hundredth_of_the_exact_ones(
    weights: dict[str, int],
) -> None:
    rounded, exact = shares(weights), exact_shares(weights)
    assert exact_sum(rounded.values()) == Decimal("100.00")
    assert sum(exact.values()) == 1
    assert list(rounded) == list(exact) == list(weights)
    for key, share in rounded.items():
        assert share.as_tuple().exponent == -2
        assert abs(Fraction(share) - 100 * exact[key]) < Fraction(1, 100)


@pytest.mark.parametrize("weights", [{}, {"a": 0}, {"a": 2, "b": -1}])
def test_there_are_no_shares_of_nothing_or_of_less(weights: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="Shares need weights"):
        shares(weights)


@given(
    total=st.decimals(min_value=0, max_value=10**15, places=2)
    | st.decimals(min_value=0, max_value=10**9, places=9)
    | st.integers(0, 1_000).map(lambda pence: Decimal(pence).scaleb(-2)),
    weights=WEIGHTS,
)
def test_the_parts_of_a_sum_add_up_to_it_and_each_is_within_a_unit_of_its_share(
    total: Decimal, weights: dict[str, int]
) -> None:
    parts, exact = apportioned(total, weights), exact_shares(weights)
    assert exact_sum(parts.values()) == total
    places = max(2, len(plain_text(total).partition(".")[2]))
    for key, part in parts.items():
        assert abs(Fraction(part) - Fraction(total) * exact[key]) < Fraction(1, 10**places)
        assert -part.as_tuple().exponent == places  # type: ignore[operator]  # finite, so a number


def test_the_pennies_that_are_left_go_to_the_largest_remainders() -> None:
    assert apportioned(Decimal("100.00"), {"a": 1, "b": 1, "c": 1}) == {
        "a": Decimal("33.34"),
        "b": Decimal("33.33"),
        "c": Decimal("33.33"),
    }
    assert apportioned(Decimal("0.005"), {"a": 2, "b": 1}) == {
        "a": Decimal("0.003"),
        "b": Decimal("0.002"),
    }


def test_a_negative_sum_and_nobody_to_divide_among_are_refused() -> None:
    with pytest.raises(ValueError, match="zero or more"):
        apportioned(Decimal(-1), {"a": 1})
    with pytest.raises(ValueError, match="weights"):
        apportioned(Decimal(1), {"a": 0})
