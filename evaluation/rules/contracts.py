"""What a contract is worth in each of its years, computed exactly."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Final

from msgspec import Struct

from market.money import apportioned, display

MONTHS: Final = 12


class ContractYear(Struct, frozen=True, kw_only=True):
    """A year of the term, how many months of the term fall into it, and what they are worth."""

    year: int
    months: int
    value: Decimal


def contract_years(value: Decimal, term_months: int) -> Sequence[ContractYear]:
    """Divide a contract's value over the years of its term, in proportion to the months in each.

    The last year may be shorter. The parts are whole pennies, by largest remainders, and add up to
    exactly the value. Raises `ValueError` for a term of no month.
    """
    if term_months < 1:
        raise ValueError("A term has one month at least.")
    months = {
        number: min(MONTHS, term_months - MONTHS * (number - 1))
        for number in range(1, 1 + -(-term_months // MONTHS))
    }
    parts = apportioned(value, months)
    return [
        ContractYear(year=number, months=held, value=parts[number])
        for number, held in months.items()
    ]


def a_year_after(day: date) -> date:
    """The same day a year later; of 29 February, the last day of February."""
    try:
        return day.replace(year=day.year + 1)
    except ValueError:
        return date(day.year + 1, 2, 28)


def percent_of(change: Decimal | int, whole: Decimal | int) -> str:
    """Say a change in per cent of what was awarded, rounded half up to two decimals."""
    return display(Fraction(change) / Fraction(whole) * 100)
