"""Exact figures and prices as they travel and are kept in notices."""

from decimal import Decimal
from fractions import Fraction
from typing import Self

from msgspec import Struct

from market.money import Money, display, exact_text


class Exact(Struct, frozen=True, kw_only=True):
    """A figure as it is: `display` is rounded half up to two decimals, the fraction is exact.

    Numerator and denominator are whole numbers as strings, however long, in lowest terms. Ties
    and places are decided on them, never on what is displayed.
    """

    display: str
    numerator: str
    denominator: str

    @classmethod
    def of(cls, value: Fraction) -> Self:
        """Give a fraction to the outside."""
        return cls(
            display=display(value),
            numerator=str(value.numerator),
            denominator=str(value.denominator),
        )


def pounds(price: Decimal) -> Money:
    """Write a price with two decimals, or with as many more as it really has."""
    whole, _, decimals = exact_text(price).partition(".")
    return Money(amount=f"{whole}.{decimals.rstrip('0').ljust(2, '0')}")
