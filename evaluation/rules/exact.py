"""Exact figures and prices as they travel and are kept in notices."""

from decimal import Decimal
from fractions import Fraction
from typing import Final, Self

from msgspec import Struct

from market.money import Money, display, exact_text, plain_text

_ENOUGH: Final = 1_000
_MOST_PLACES: Final = 12


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


def significant(value: Fraction) -> str:
    """Write a figure for display with two decimals, or with four digits where it is small."""
    places = 2
    while value and abs(value) * 10**places < _ENOUGH and places < _MOST_PLACES:
        places += 1
    return display(value, places)


def shown_value(value: Decimal, divisor: int = 1) -> str:
    """Write a score: as it is or, for a mean of so many, rounded to two decimals."""
    return exact_text(value) if divisor == 1 else display(Fraction(value) / divisor)


def value_text(value: Fraction | Decimal) -> str:
    """Write an agreed value in words to a bidder: a mean that does not end as a fraction too."""
    exact = Fraction(value)
    rest = exact.denominator
    for prime in (2, 5):
        while rest % prime == 0:
            rest //= prime
    if rest == 1:
        return plain_text(Decimal(exact.numerator) / Decimal(exact.denominator))
    return f"{display(exact)} ({exact.numerator}/{exact.denominator})"
