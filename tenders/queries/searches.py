"""The searches that somebody saved."""

from datetime import datetime
from decimal import Decimal
from uuid import UUID

import msgspec

from market.actor import Actor
from market.database import fetch, fetch_one, reading
from market.errors import NotFound
from market.money import exact_text
from market.pages import Page
from tenders.permissions.searches import ensure_acts_for
from tenders.queries.keysets import cursor_at, read_cursor
from tenders.schemas.searches import SavedSearchView

_SEARCH = """
SELECT s.id, s.name, s.text, s.service_lines, s.buyer, s.minimum_value, s.maximum_value, s.made_at
FROM saved_search s WHERE s.ended_at IS NULL
"""
_ONE = _SEARCH + "AND s.id = $1"
_OWN = (
    _SEARCH
    + """
AND s.person = $1 AND s.organisation = $2
AND ($3::timestamptz IS NULL OR (s.made_at, s.id) > ($3, $4::uuid))
ORDER BY s.made_at, s.id LIMIT $5
"""
)


class _Search(msgspec.Struct, frozen=True):
    id: UUID
    name: str
    text: str | None
    service_lines: list[str]
    buyer: UUID | None
    minimum_value: Decimal | None
    maximum_value: Decimal | None
    made_at: datetime


async def saved_searches(actor: Actor, *, limit: int, cursor: str | None) -> Page[SavedSearchView]:
    """List the actor's searches in force for the organisation they act for, the oldest first.

    Raises:
        NotActing: the actor acts for none.
        Malformed: a cursor that is none of the market's.
    """
    person, organisation = ensure_acts_for(actor)
    moment, item = read_cursor(cursor)
    async with reading(actor):
        rows = await fetch(_Search, _OWN, person, organisation, moment, item, limit + 1)
    shown = rows[:limit]
    following = cursor_at(shown[-1].made_at, shown[-1].id) if len(rows) > limit else None
    return Page(items=[_view(row) for row in shown], next=following)


async def saved_search(search_id: UUID) -> SavedSearchView:
    """Show a search in force inside a transaction that has permitted it.

    Raises:
        NotFound: there is none, or it is somebody else's.
    """
    found = await fetch_one(_Search, _ONE, search_id)
    if found is None:
        raise NotFound
    return _view(found)


def _view(row: _Search) -> SavedSearchView:
    return SavedSearchView(
        id=row.id,
        name=row.name,
        text=row.text,
        service_lines=row.service_lines,
        buyer=row.buyer,
        minimum_value=_text(row.minimum_value),
        maximum_value=_text(row.maximum_value),
        made_at=row.made_at,
    )


def _text(value: Decimal | None) -> str | None:
    return None if value is None else exact_text(value)
