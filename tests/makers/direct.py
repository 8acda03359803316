"""Straight at the database: transactions as the app role, past every rule in Python."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from market.database import RULE_BROKEN


@asynccontextmanager
async def acting(
    connection: Any, person: UUID | None = None, organisation: UUID | None = None
) -> AsyncIterator[None]:
    """A transaction in somebody's name, as the API opens one, with an event in it."""
    async with connection.transaction():
        await connection.execute(
            "SELECT set_config('market.person', $1, true),"
            " set_config('market.organisation', $2, true)",
            str(person or ""),
            str(organisation or ""),
        )
        await connection.execute(
            "INSERT INTO event (id, action, subject_kind, subject, request, details)"
            " VALUES ($1, 'test.acted', 'person', $1, 'test', '{}')",
            uuid4(),
        )
        yield


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
