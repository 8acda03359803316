"""What a timetable of a tender must be, before the rule set has its say at publication."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Final

from market.errors import Fault
from tenders.rules.rule_sets import LONDON

LONGEST: Final = timedelta(days=3660)
"""How far ahead dates of a timetable may lie: beyond ten years is a slip of the pen."""


def timetable_faults(
    now: datetime,
    *,
    clarifications_until: datetime | None,
    deadline: datetime,
    contract_starts: date,
) -> Iterator[Fault]:
    """Find everything wrong with a timetable that is set at `now`; instants need a time zone."""
    if deadline <= now:
        reason = "The deadline for bids is in the past; choose a later one."
        yield Fault(field="deadline", reason=reason)
    elif deadline - now > LONGEST:
        yield Fault(field="deadline", reason="The deadline is more than ten years ahead.")
    if clarifications_until is not None:
        if clarifications_until <= now:
            reason = "The time for questions is in the past; choose a later one."
            yield Fault(field="clarifications_until", reason=reason)
        if clarifications_until >= deadline:
            reason = "Questions end before the deadline for bids; choose an earlier time."
            yield Fault(field="clarifications_until", reason=reason)
    today = now.astimezone(LONDON).date()
    if contract_starts - today > 2 * LONGEST:
        yield Fault(field="contract_starts", reason="The contract starts too far ahead.")
    elif now < deadline <= now + LONGEST and contract_starts <= deadline.astimezone(LONDON).date():
        reason = "The contract starts after the deadline for bids; choose a later day."
        yield Fault(field="contract_starts", reason=reason)
