"""What a task of the worker is, and what it works with: the role that reads the whole log."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Protocol

import asyncpg
import msgspec

from market.database import Connection
from market.settings import Settings
from market.vault import Vault

_POOL = 8


class Task(Protocol):
    """One thing that `market worker` does over and over. Several workers may do it at once."""

    name: str

    async def run(self) -> float:
        """Do one pass, and give the seconds until the next: 0 where there is more to do."""


class WorkerDatabase:
    """The pool of the worker role, beside the app role's that commands and queries use.

    Its transactions are short: nothing is sent to anybody while one is open.
    """

    def __init__(self, pool: Any) -> None:
        """Use this pool."""
        self._pool = pool

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Any]:
        """Give a connection on which each statement is a transaction of its own."""
        async with self._pool.acquire() as connection:
            yield connection

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Any]:
        """Give a connection in a transaction, committed at the end and undone on any error."""
        async with self._pool.acquire() as connection, connection.transaction():
            yield connection


class Workbench(msgspec.Struct, frozen=True, kw_only=True):
    """What every task is made with."""

    settings: Settings
    vault: Vault
    database: WorkerDatabase


@asynccontextmanager
async def workbench(
    settings: Settings, parameters: dict[str, Any], vault: Vault
) -> AsyncIterator[Workbench]:
    """Open the worker role's pool for as long as the context lasts."""
    async with asyncpg.create_pool(
        **parameters,
        min_size=1,
        max_size=_POOL,
        connection_class=Connection,
        command_timeout=settings.statement_timeout + 5,
        server_settings={
            "application_name": "market worker",
            "statement_timeout": f"{int(settings.statement_timeout * 1000)}ms",
            "lock_timeout": f"{int(settings.lock_timeout * 1000)}ms",
            "idle_in_transaction_session_timeout": "10s",
            "timezone": "UTC",
        },
    ) as pool:
        yield Workbench(settings=settings, vault=vault, database=WorkerDatabase(pool))
