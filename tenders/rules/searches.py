"""What opportunities are looked for by: the filters of their list and of every saved search."""

from collections.abc import Collection
from decimal import Decimal
from typing import Annotated, Final
from uuid import UUID

from msgspec import Meta, Struct

from market.errors import Fault
from market.money import DECIMAL_PATTERN, decimal_of
from tenders.rules.requirement import ServiceLineCode

MOST_SEARCHES: Final = 20
"""How many searches in force a person has for one organisation; the database holds the same."""
MOST_LINES: Final = 20

Text = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=100,
        pattern=r"^[^\x00]*$",
        description="Text that the title contains, capitals or not.",
    ),
]
Value = Annotated[
    str,
    Meta(
        pattern=DECIMAL_PATTERN,
        max_length=22,
        description="Pounds a year, as decimal text, as estimated for one of its lots.",
        examples=["250000.00"],
    ),
]


class Filters(Struct, frozen=True, kw_only=True):
    """What an opportunity must be like; what is not given, or empty, asks for nothing.

    Several service lines: one of them is enough. Both bounds of the value include themselves and
    hold for one and the same lot.
    """

    text: Text | None = None
    service_lines: Annotated[tuple[ServiceLineCode, ...], Meta(max_length=MOST_LINES)] = ()
    buyer: UUID | None = None
    minimum_value: Value | None = None
    maximum_value: Value | None = None

    @property
    def bounds(self) -> tuple[Decimal | None, Decimal | None]:
        """The bounds of the value as numbers."""
        return _number(self.minimum_value), _number(self.maximum_value)


def _number(text: str | None) -> Decimal | None:
    return None if text is None else decimal_of(text)


def bounds_faults(filters: Filters) -> list[Fault]:
    """Say what is wrong with the bounds of the value: below nothing, or crossed."""
    lowest, highest = filters.bounds
    faults = [
        Fault(field=field, reason="A value is not negative.")
        for field, bound in (("minimum_value", lowest), ("maximum_value", highest))
        if bound is not None and bound < 0
    ]
    if not faults and lowest is not None and highest is not None and lowest > highest:
        reason = "The lower bound is above the upper one. Exchange them, or leave one out."
        faults.append(Fault(field="minimum_value", reason=reason))
    return faults


def filters_faults(
    filters: Filters, known_lines: Collection[str], *, buyer_known: bool
) -> list[Fault]:
    """Say what is wrong with filters to be kept: a search that can never match helps nobody.

    `known_lines` are those of the service lines that the market has.
    """
    faults = bounds_faults(filters)
    seen: set[str] = set()
    for number, code in enumerate(filters.service_lines):
        field = f"service_lines[{number}]"
        if code not in known_lines:
            faults.append(Fault(field=field, reason="There is no such service line."))
        elif code in seen:
            faults.append(Fault(field=field, reason="This service line is there already."))
        seen.add(code)
    if filters.buyer is not None and not buyer_known:
        reason = "There is no such organisation among those that can buy."
        faults.append(Fault(field="buyer", reason=reason))
    return faults
