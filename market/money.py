"""Exact amounts: decimal text in, exact arithmetic between, rounding only for display."""

import re
from collections.abc import Iterable, Mapping
from decimal import Clamped, Context, Decimal, DivisionByZero, Inexact, InvalidOperation, Overflow
from fractions import Fraction
from typing import Annotated, Final, Literal, Self, TypeVar

from msgspec import Meta, Struct

DECIMAL_PATTERN: Final = r"^-?[0-9]{1,15}(\.[0-9]{1,6})?$(?!\n)"
"""ASCII digits only; the look-ahead is there because `$` alone lets a final line feed through."""

DecimalText = Annotated[
    str,
    Meta(
        pattern=DECIMAL_PATTERN,
        title="Decimal number as text",
        description=(
            "An exact decimal number as a JSON string: up to 15 digits before the point and up to"
            " 6 after it. JSON numbers are refused, because many clients round them."
        ),
        examples=["35", "1250.50", "0.000001"],
    ),
]
"""A decimal number as it travels. A minus sign passes, so that a rule can say what is wrong."""

# Decimal's usual context rounds to 28 digits without a word: a quantity times a price may have
# 38. Here a result that cannot be held exactly raises instead.
_EXACT: Final = Context(
    prec=200, traps=[Inexact, InvalidOperation, DivisionByZero, Overflow, Clamped]
)
_WHOLE: Final = 10_000  # hundredths of a per cent in a whole

K = TypeVar("K")


class Money(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An exact sum of money in pounds sterling."""

    amount: DecimalText
    currency: Literal["GBP"] = "GBP"

    @classmethod
    def of(cls, amount: Decimal) -> Self:
        """Give the sum as money, every decimal kept."""
        return cls(amount=exact_text(amount))

    @property
    def exact(self) -> Decimal:
        """The sum as a number; raises `ValueError` if the amount is not decimal text."""
        return decimal_of(self.amount)


def decimal_of(text: str) -> Decimal:
    """Parse decimal text exactly; raise `ValueError` for anything that `DecimalText` refuses.

    Decimal's own parser also takes "1e9", "NaN", " 1 " and digits of other scripts.
    """
    if re.match(DECIMAL_PATTERN, text) is None:
        raise ValueError(f"{text!r} is not a decimal number of the form 1250.50.")
    return Decimal(text)


def fraction_of(text: str) -> Fraction:
    """Parse decimal text as an exact fraction; raise `ValueError` as `decimal_of` does."""
    return Fraction(decimal_of(text))


def exact_sum(values: Iterable[Decimal]) -> Decimal:
    """Add without rounding, however many digits that takes."""
    total = Decimal(0)
    for value in values:
        total = _EXACT.add(total, value)
    return total


def exact_product(left: Decimal, right: Decimal) -> Decimal:
    """Multiply without rounding, however many digits that takes."""
    return _EXACT.multiply(left, right)


def exact_text(value: Decimal) -> str:
    """Write every digit, with no exponent: 1E+2 is "100", 1.50 is "1.50"."""
    return format(value, "f")


def plain_text(value: Decimal) -> str:
    """Write the value for a sentence, with no exponent and no trailing zeros: 99.990 is "99.99"."""
    return exact_text(_EXACT.normalize(value))


def display(value: Fraction | Decimal, places: int = 2) -> str:
    """Round half up (halves away from zero) to `places` decimals, for display only.

    Never compute or compare with the result: ties and ranks are decided on exact values.
    """
    scaled = Fraction(value) * 10**places
    # Whole-number arithmetic: the quotient of (2n + d) by 2d is n/d rounded half up.
    units = (2 * abs(scaled.numerator) + scaled.denominator) // (2 * scaled.denominator)
    whole, rest = divmod(units, 10**places)
    sign = "-" if scaled < 0 and units else ""
    return f"{sign}{whole}.{rest:0{places}d}" if places else f"{sign}{whole}"


def exact_shares(weights: Mapping[K, int]) -> dict[K, Fraction]:
    """Divide 1 in proportion to the weights, exactly.

    Raises `ValueError` when a weight is negative or there is nothing to divide by.
    """
    whole = sum(weights.values())
    if any(weight < 0 for weight in weights.values()) or not whole:
        raise ValueError(
            "Shares need weights of zero or more, of which at least one is above zero."
        )
    return {key: Fraction(weight, whole) for key, weight in weights.items()}


def shares(weights: Mapping[K, int]) -> dict[K, Decimal]:
    """Divide 100 per cent in proportion, with two decimals, adding up to exactly 100.00.

    By the method of largest remainders, as `apportioned`; raises `ValueError` as it does.
    """
    units = _in_proportion(_WHOLE, weights)
    return {key: Decimal(unit).scaleb(-2) for key, unit in units.items()}


def apportioned(total: Decimal, weights: Mapping[K, int]) -> dict[K, Decimal]:
    """Divide a sum in proportion, to the penny, the parts adding up to exactly the sum.

    A sum that is finer than a penny is divided as finely as it is given. The method of largest
    remainders (Hamilton): each part is rounded down, and the units left over go one each to the
    largest remainders; among equal remainders the earlier key in `weights` comes first. Raises
    `ValueError` for a negative sum, and as `exact_shares` does.
    """
    if total < 0:
        raise ValueError("Only a sum of zero or more can be divided.")
    _, _, decimals = plain_text(total).partition(".")
    places = max(2, len(decimals))
    units = _in_proportion(int(Fraction(total) * 10**places), weights)
    return {key: _EXACT.create_decimal(unit).scaleb(-places, _EXACT) for key, unit in units.items()}


def _in_proportion(whole: int, weights: Mapping[K, int]) -> dict[K, int]:
    """Divide a number of units by the method of largest remainders."""
    ideal = {key: share * whole for key, share in exact_shares(weights).items()}
    units = {key: value.numerator // value.denominator for key, value in ideal.items()}
    by_remainder = sorted(ideal, key=lambda key: units[key] - ideal[key])
    for key in by_remainder[: whole - sum(units.values())]:
        units[key] += 1
    return units
