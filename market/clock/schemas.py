"""What the API takes and gives about the clock."""

from datetime import datetime
from typing import Annotated, Any, ClassVar

import msgspec
from msgspec import Meta

from market.settings import Environment

_FIRST_YEAR, _LAST_YEAR = 1900, 2200


class ClockView(msgspec.Struct, frozen=True, kw_only=True):
    """The market's time, and by how many seconds it is ahead of the real one."""

    now: datetime
    shift_seconds: float
    environment: Environment


class ShiftClock(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Move a sandbox's clock forward to an instant; it goes on from there."""

    forward_to: Annotated[datetime, Meta(tz=True)]

    def __post_init__(self) -> None:
        """Refuse what no calendar reaches, before it is reckoned with.

        Raises:
            ValueError: the year is not one of the present centuries.
        """
        if not _FIRST_YEAR <= self.forward_to.year <= _LAST_YEAR:
            message = f"forward_to must lie between {_FIRST_YEAR} and {_LAST_YEAR}."
            raise ValueError(message)

    example: ClassVar[dict[str, Any]] = {"forward_to": "2027-03-01T12:00:00Z"}
