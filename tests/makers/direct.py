"""Straight at the database: transactions as the app role, past every rule in Python."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from market.database import RULE_BROKEN

SESSION = (
    "INSERT INTO session (id, token_digest, person, method, started_at, confirmed_at, expires_at)"
    " SELECT $1, $2, id, 'password', now(), now(), now() + interval '1 hour' FROM person"
    " WHERE id = $3"
)


@asynccontextmanager
async def acting(
    connection: Any,
    person: UUID | None = None,
    organisation: UUID | None = None,
    session: UUID | None = None,
) -> AsyncIterator[None]:
    """A transaction in somebody's name, as the API opens one, with an event in it.

    It is of a session that began just now, where the person is registered; `session` names
    another one, which need not work.
    """
    async with connection.transaction():
        await act_as(connection, person, organisation, session)
        await connection.execute(
            "INSERT INTO event (id, action, subject_kind, subject, request, details)"
            " VALUES ($1, 'test.acted', 'person', $1, 'test', '{}')",
            uuid4(),
        )
        if session is None and person is not None:
            await act_afresh(connection, person, organisation)
        yield


async def act_afresh(connection: Any, person: UUID, organisation: UUID | None = None) -> None:
    """Let a person act for the rest of the transaction, in a session that begins now."""
    fresh = uuid4()
    await connection.execute(SESSION, fresh, fresh.bytes, person)
    await act_as(connection, person, organisation, fresh)


async def act_as(
    connection: Any, person: UUID | None, organisation: UUID | None, session: UUID | None
) -> None:
    """Say who acts for the rest of the transaction, as the API does at its beginning."""
    await connection.execute(
        "SELECT set_config('market.person', $1, true),"
        " set_config('market.organisation', $2, true), set_config('market.session', $3, true)",
        str(person or ""),
        str(organisation or ""),
        str(session or ""),
    )


@asynccontextmanager
async def refused(promise: str) -> AsyncIterator[None]:
    """Expect a guard of the database to refuse, naming the promise it keeps."""
    with pytest.raises(asyncpg.PostgresError) as caught:
        yield
    assert getattr(caught.value, "constraint_name", None) == promise, repr(caught.value)
    assert caught.value.sqlstate == RULE_BROKEN


@asynccontextmanager
async def not_granted() -> AsyncIterator[None]:
    """Expect PostgreSQL to refuse because the role was never granted this."""
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        yield
