"""What there is to erase of a person, and what forbids it: read as the role that migrates."""

from collections.abc import Sequence
from typing import Any, TypeVar
from uuid import UUID

import msgspec

from market.erasure.errors import NobodySuch
from market.erasure.rules import Held, Kept
from market.erasure.schemas import Change, Person, Plan

_PERSON = """
SELECT p.id, p.email, p.name, e.erased_at
FROM person p LEFT JOIN person_erasure e ON e.person = p.id
WHERE p.id::text = $1 OR p.email = $1
"""
_TODAY = "SELECT register_day(market_now())"
_KEPT = "SELECT kind, what, concluded_on FROM kept_of_person($1) ORDER BY concluded_on, kind, what"
_HOLDS = """
SELECT register_day(placed_at) AS placed_on, because FROM legal_hold
WHERE person = $1 AND released_at IS NULL ORDER BY placed_at, id
"""
_ALONE_IN = """
SELECT o.name FROM membership m JOIN organisation o ON o.id = m.organisation
WHERE m.person = $1 AND m.role = 'administrator' AND m.ended_at IS NULL AND NOT EXISTS (
    SELECT 1 FROM membership x WHERE x.organisation = m.organisation AND x.role = 'administrator'
    AND x.ended_at IS NULL AND x.id <> m.id)
ORDER BY o.name
"""
_CHANGES = "SELECT name, row_count FROM erasure_of($1) ORDER BY name"
_EVENTS = "SELECT count(*) FROM event WHERE person = $1"

T = TypeVar("T")


async def find_person(connection: Any, given: str) -> Person:
    """Find somebody by their id or the address they sign in with.

    Raises:
        NobodySuch: there is no such person.
    """
    row = await connection.fetchrow(_PERSON, given.strip().lower())
    if row is None:
        raise NobodySuch
    return msgspec.convert(dict(row), Person)


async def plan_of(connection: Any, person: UUID) -> Plan:
    """What erasing a person would change, and what forbids it today."""
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        return Plan(
            today=await connection.fetchval(_TODAY),
            kept=_typed(Kept, await connection.fetch(_KEPT, person)),
            holds=_typed(Held, await connection.fetch(_HOLDS, person)),
            alone_in=tuple(row["name"] for row in await connection.fetch(_ALONE_IN, person)),
            changes=_typed(Change, await connection.fetch(_CHANGES, person)),
            events=await connection.fetchval(_EVENTS, person),
        )


def _typed(kind: type[T], rows: Sequence[Any]) -> tuple[T, ...]:
    return tuple(msgspec.convert(dict(row), kind) for row in rows)
