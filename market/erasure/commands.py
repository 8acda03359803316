"""Erasing somebody, placing and releasing legal holds: the operator's, as the role that migrates.

Nobody acts here whom the market knows, so these are no commands of an actor: each is a transaction
of its own that writes its event itself.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID, uuid4

from asyncpg.exceptions import PostgresError

from market.database import named_refusal
from market.erasure.errors import NoSuchHold, StillKept
from market.erasure.queries import plan_of
from market.erasure.rules import reasons_against

_PLACED = """
INSERT INTO event (id, action, subject_kind, subject, request, details)
VALUES ($1, 'legal_hold.placed', 'person', $2, 'command line',
        jsonb_build_object('hold', $3::uuid))
"""
_RELEASED = """
INSERT INTO event (id, action, subject_kind, subject, request, details)
VALUES ($1, 'legal_hold.released', 'person', $2, 'command line',
        jsonb_build_object('hold', $3::uuid))
"""


@asynccontextmanager
async def _transaction(connection: Any) -> AsyncIterator[None]:
    try:
        async with connection.transaction():
            yield
    except PostgresError as error:
        refusal = named_refusal(error)
        if refusal is None:
            raise
        raise refusal from error


async def erase(connection: Any, person: UUID, because: str) -> UUID:
    """Erase somebody for good, and give the erasure's id. The reason is kept: name nobody in it.

    Raises:
        StillKept: the retention of something runs; every reason is in the detail.
        HeldByLaw: a legal hold is in force.
        ErasedForGood: they have been erased.
        LastAdministrator: they are the only administrator of an organisation.
    """
    plan = await plan_of(connection, person)
    reasons = list(reasons_against(plan.kept, (), plan.today))
    if reasons:
        raise StillKept(" ".join(reasons))
    async with _transaction(connection):
        erasure: UUID = await connection.fetchval("SELECT erase_person($1, $2)", person, because)
    return erasure


async def place_hold(connection: Any, person: UUID, because: str) -> UUID:
    """Forbid that anything about a person is erased, and give the hold's id.

    Raises:
        ErasedForGood: they have been erased.
    """
    hold = uuid4()
    async with _transaction(connection):
        await connection.execute(
            "INSERT INTO legal_hold (id, person, because, placed_at)"
            " VALUES ($1, $2, $3, market_now())",
            hold,
            person,
            because,
        )
        await connection.execute(_PLACED, uuid4(), person, hold)
    return hold


async def release_hold(connection: Any, hold: UUID, because: str) -> UUID:
    """Release a legal hold, and give the id of the person it was about.

    Raises:
        NoSuchHold: there is none.
        ReleasedAlready: it was released before.
    """
    async with _transaction(connection):
        person: UUID | None = await connection.fetchval(
            "UPDATE legal_hold SET released_at = market_now(), released_because = $2"
            " WHERE id = $1 RETURNING person",
            hold,
            because,
        )
        if person is None:
            raise NoSuchHold
        await connection.execute(_RELEASED, uuid4(), person, hold)
    return person
