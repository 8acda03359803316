"""The periods of the registers: civil dates in London, counted as the guidance counts them."""

import calendar
from datetime import date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

LONDON: Final = ZoneInfo("Europe/London")
EARLIEST: Final = date(1900, 1, 1)
LATEST: Final = date(2199, 12, 31)
"""Dates outside these are slips of the pen; within them every period below can be computed."""

DAYS_TO_DECLARE: Final = 28
"""NHS Act 2006 s.14O(3): as soon as practicable after becoming aware, and within 28 days."""

MONTHS_BETWEEN_CONFIRMATIONS: Final = 12
"""Statutory guidance of 16 June 2017: registers are confirmed at least annually."""

MONTHS_PUBLIC: Final = 6
"""An interest stays on the public register for six months after it has expired."""

MONTHS_KEPT: Final = 72
"""A record of it is kept for six years after it has expired."""


def london_date(instant: datetime) -> date:
    """The civil date in London at an instant, which must have a time zone."""
    return instant.astimezone(LONDON).date()


def months_after(day: date, months: int) -> date:
    """The corresponding day some months later, or that month's last where it has none.

    This is how English law counts months (Dodds v Walker [1981] 1 WLR 1027, HL): six months after
    31 August is 28 or 29 February. PostgreSQL adds intervals of months in the same way.
    """
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def declare_by(aware_on: date) -> date:
    """The last day on which an interest of which one became aware that day is declared in time."""
    return aware_on + timedelta(days=DAYS_TO_DECLARE)


def days_late(due: date, on: date) -> int:
    """How many days after a due date a day is; 0 up to and including that date."""
    return max(0, (on - due).days)


def confirmation_due_on(joined: date, confirmed: date | None) -> date:
    """When somebody's next confirmation of their interests is due.

    Within 28 days of joining, then every twelve months. Whoever left and joined again declares as
    somebody new, whatever they confirmed before.
    """
    if confirmed is None or confirmed < joined:
        return joined + timedelta(days=DAYS_TO_DECLARE)
    return months_after(confirmed, MONTHS_BETWEEN_CONFIRMATIONS)


def public_until(ended: date) -> date:
    """The last day on which what ended that day is on the public register."""
    return months_after(ended, MONTHS_PUBLIC)


def kept_until(ended: date) -> date:
    """The last day on which the record of what ended that day must still be kept."""
    return months_after(ended, MONTHS_KEPT)
