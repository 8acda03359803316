"""Cursors of lists that are ordered by a time and an id."""

from datetime import UTC, datetime
from uuid import UUID

from market.errors import Malformed
from market.pages import decode_cursor, encode_cursor


def cursor_at(moment: datetime, item: UUID) -> str:
    """Make the cursor that continues after an item."""
    return encode_cursor(moment.isoformat(), str(item))


def read_cursor(cursor: str | None) -> tuple[datetime | None, UUID | None]:
    """Read back where a list goes on; without a cursor it begins at the beginning.

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
        message = "The cursor is not one the market gave. Begin again without it."
        raise Malformed(message) from None
