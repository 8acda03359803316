"""What can be read about breaches in private, inside the current transaction."""

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

import msgspec

from market.database import fetch
from market.errors import NotFound
from market.interests.queries.keysets import cursor_at, read_instant
from market.interests.schemas.breaches import BreachPublicationView, BreachView, InvolvedView
from market.pages import Page

_BREACH = """
SELECT id, organisation, happened_on, what, done, lessons, recorded_by, recorded_at
FROM conflict_breach WHERE id = $1
"""
_BREACHES = """
SELECT id, organisation, happened_on, what, done, lessons, recorded_by, recorded_at
FROM conflict_breach
WHERE organisation = $1 AND ($2::timestamptz IS NULL OR (recorded_at, id) < ($2, $3::uuid))
ORDER BY recorded_at DESC, id DESC LIMIT $4
"""


class _Row(msgspec.Struct, frozen=True):
    id: UUID
    organisation: UUID
    happened_on: date
    what: str
    done: str
    lessons: str
    recorded_by: UUID
    recorded_at: datetime


class _Involved(msgspec.Struct, frozen=True):
    breach: UUID
    person: UUID | None
    name: str


async def _viewed(rows: Sequence[_Row]) -> list[BreachView]:
    ids = [row.id for row in rows]
    involved: dict[UUID, list[InvolvedView]] = {}
    for one in await fetch(
        _Involved,
        "SELECT breach, person, name FROM conflict_breach_person WHERE breach = ANY ($1::uuid[])"
        " ORDER BY name, id",
        ids,
    ):
        involved.setdefault(one.breach, []).append(InvolvedView(person=one.person, name=one.name))
    published: dict[UUID, list[BreachPublicationView]] = {}
    for text in await fetch(
        BreachPublicationView,
        "SELECT id, breach, text, published_by, published_at FROM conflict_breach_publication"
        " WHERE breach = ANY ($1::uuid[]) ORDER BY published_at, id",
        ids,
    ):
        published.setdefault(text.breach, []).append(text)
    return [
        BreachView(
            id=row.id,
            organisation=row.organisation,
            happened_on=row.happened_on,
            what=row.what,
            involved=involved.get(row.id, []),
            done=row.done,
            lessons=row.lessons,
            recorded_by=row.recorded_by,
            recorded_at=row.recorded_at,
            publications=published.get(row.id, []),
        )
        for row in rows
    ]


async def breach_view(breach: UUID) -> BreachView:
    """A breach.

    Raises:
        NotFound: there is none, or none the actor may read.
    """
    found = await _viewed(await fetch(_Row, _BREACH, breach))
    if not found:
        raise NotFound
    return found[0]


async def breaches_of(organisation: UUID, cursor: str | None, limit: int) -> Page[BreachView]:
    """Every breach of an organisation, the latest recorded first.

    Raises:
        Malformed: a cursor that is none of the market's.
    """
    before, before_id = read_instant(cursor)
    rows = await fetch(_Row, _BREACHES, organisation, before, before_id, limit + 1)
    items = await _viewed(rows[:limit])
    following = cursor_at(items[-1].recorded_at, items[-1].id) if len(rows) > limit else None
    return Page(items=items, next=following)
