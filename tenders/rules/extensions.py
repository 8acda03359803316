"""What may be decided upon a proposal to extend."""

from collections.abc import Iterator
from datetime import date, datetime
from enum import StrEnum

from market.errors import Fault
from tenders.rules.amendments import amendment_faults


class ExtensionOutcome(StrEnum):
    """What somebody decided about a proposal."""

    ACCEPTED = "accepted"
    DECLINED = "declined"


def extension_faults(
    now: datetime,
    *,
    outcome: ExtensionOutcome,
    standing: datetime,
    deadline: datetime | None,
    contract_starts: date | None,
) -> Iterator[Fault]:
    """Find everything wrong with a decision at `now`; `standing` is the deadline until then.

    Who accepts names the new deadline, which an amendment then sets: how much time makes good what
    was lost is theirs to judge.
    """
    if outcome is ExtensionOutcome.DECLINED:
        if deadline is not None:
            yield Fault(field="deadline", reason="Whoever declines leaves the deadline as it is.")
        return
    if deadline is None:
        yield Fault(field="deadline", reason="Give the later deadline that is to stand.")
        return
    yield from amendment_faults(
        now,
        found=None,
        keeps_lots=True,
        material=False,
        standing=standing,
        deadline=deadline,
        contract_starts=contract_starts,
    )
    if standing < deadline <= now:
        reason = "That moment has passed: choose a deadline that bidders can still meet."
        yield Fault(field="deadline", reason=reason)
