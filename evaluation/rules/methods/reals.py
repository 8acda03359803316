"""Logarithms and real powers of exact fractions, to fifty significant digits."""

from decimal import ROUND_HALF_EVEN, Context, Decimal
from fractions import Fraction
from typing import Final

DIGITS: Final = 50
"""So many significant digits are kept, and ties are decided there."""

# Every operation of decimal is correctly rounded, and a correctly rounded monotone function stays
# monotone: with guard digits the result is, too, and two machines get the same one.
_WORKING: Final = Context(prec=DIGITS + 20, rounding=ROUND_HALF_EVEN, Emax=999_999, Emin=-999_999)
_KEPT: Final = Context(prec=DIGITS, rounding=ROUND_HALF_EVEN, Emax=999_999, Emin=-999_999)


def logarithm(value: Fraction, base: Fraction) -> Fraction:
    """Return the logarithm of a value above zero to a base above one, to fifty digits.

    Raises `ValueError` outside that domain.
    """
    if value <= 0 or base <= 1:
        raise ValueError("A logarithm needs a value above zero and a base above one.")
    if value == 1:
        return Fraction(0)
    quotient = _WORKING.divide(_WORKING.ln(_decimal(value)), _WORKING.ln(_decimal(base)))
    return Fraction(_KEPT.plus(quotient))


def power(base: Fraction, exponent: Fraction) -> Fraction:
    """Raise a base of zero or more to an exponent above zero: exactly where it is whole.

    To fifty digits otherwise. Raises `ValueError` outside that domain.
    """
    if base < 0 or exponent <= 0:
        raise ValueError("A real power needs a base of zero or more and an exponent above zero.")
    if exponent.denominator == 1:
        return base**exponent.numerator
    if base in {0, 1}:
        return base
    grown = _WORKING.exp(_WORKING.multiply(_decimal(exponent), _WORKING.ln(_decimal(base))))
    return Fraction(_KEPT.plus(grown))


def _decimal(value: Fraction) -> Decimal:
    return _WORKING.divide(Decimal(value.numerator), Decimal(value.denominator))
