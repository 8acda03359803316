"""What came of verifying a record, and how it is gathered."""

from collections.abc import Sequence

from msgspec import Struct

MOST_SENTENCES = 100
_MOST_NAMED = 10


class Checked(Struct, frozen=True, kw_only=True):
    """What was checked and found good, in numbers.

    `positions` is the size of the log the file is proven against; `erased` counts the events
    whose private details are not in the file.
    """

    positions: int = 0
    events: int = 0
    private_details: int = 0
    erased: int = 0
    earlier_checkpoints: int = 0
    held_checkpoints: int = 0
    time_stamps: int = 0


class Verdict(Struct, frozen=True, kw_only=True):
    """What came of verifying a record.

    `first_bad_position` is the lowest position of the log at which the record is shown to be, or
    can have gone, wrong; None if nothing is wrong, or what is wrong has no place in the log.
    `findings` say what is wrong, `remarks` what is not wrong and ought to be known.
    """

    good: bool
    first_bad_position: int | None
    findings: tuple[str, ...]
    remarks: tuple[str, ...]
    checked: Checked


class Findings:
    """What was found so far in a file under examination."""

    def __init__(self) -> None:
        self._findings: list[str] = []
        self._positions: list[int] = []
        self._remarks: list[str] = []
        self._counts = dict.fromkeys(Checked.__struct_fields__, 0)

    def bad(self, finding: str, position: int | None = None) -> None:
        """Add something that is wrong, with the first position it concerns."""
        self._findings.append(finding)
        if position is not None:
            self._positions.append(position)

    def remark(self, remark: str) -> None:
        """Add something that is not wrong and ought to be known."""
        self._remarks.append(remark)

    def count(self, what: str, number: int = 1) -> None:
        """Count what was found good; `what` is a member of Checked."""
        self._counts[what] += number

    def verdict(self) -> Verdict:
        """Sum up."""
        findings = self._findings[:MOST_SENTENCES]
        if len(self._findings) > len(findings):
            findings.append(f"{len(self._findings) - len(findings)} more things are wrong.")
        return Verdict(
            good=not self._findings,
            first_bad_position=min(self._positions, default=None),
            findings=tuple(findings),
            remarks=tuple(self._remarks),
            checked=Checked(**self._counts),
        )


def some(positions: Sequence[int]) -> str:
    """Name the first few positions."""
    named = ", ".join(map(str, positions[:_MOST_NAMED]))
    more = len(positions) - _MOST_NAMED
    return f"{named} and {more} more" if more > 0 else named
