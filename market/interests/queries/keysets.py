"""Cursors of the registers' lists, by a time or a day and an id."""

from datetime import UTC, date, datetime
from uuid import UUID

from market.errors import Malformed
from market.pages import decode_cursor, encode_cursor

_FOREIGN = "The cursor is not one the market gave. Begin again without it."


def cursor_at(moment: date, item: UUID) -> str:
    """Make the cursor that continues after an item, at an instant or on a day."""
    return encode_cursor(moment.isoformat(), str(item))


def read_instant(cursor: str | None) -> tuple[datetime | None, UUID | None]:
    """Read back where a list by instants goes on.

    Raises:
        Malformed: the cursor is none of the market's.
    """
    if cursor is None:
        return None, None
    moment, item = decode_cursor(cursor, 2)
    try:
        # taken as UTC whatever it says, since at the ends of time another offset cannot be
        return datetime.fromisoformat(moment).replace(tzinfo=UTC), UUID(item)
    except ValueError:
        raise Malformed(_FOREIGN) from None


def read_day(cursor: str | None) -> tuple[date | None, UUID | None]:
    """Read back where a list by days goes on.

    Raises:
        Malformed: the cursor is none of the market's.
    """
    if cursor is None:
        return None, None
    day, item = decode_cursor(cursor, 2)
    try:
        return date.fromisoformat(day), UUID(item)
    except ValueError:
        raise Malformed(_FOREIGN) from None
