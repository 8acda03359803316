"""One running market taken from database to database, and changes that are checked and undone."""

import contextlib
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar
from typing import Any

import asyncpg
import httpx
import msgspec

from market import database, migrations
from market.app import create_app, served
from market.embedded import EmbeddedPostgres
from market.settings import Settings
from market.vault import Vault

_UNDONE: ContextVar[bool] = ContextVar("undone", default=False)


class Undoing(database.Connection):
    """A connection whose COMMIT, inside `undone`, checks everything and takes it back.

    What a COMMIT would check, the constraints and guards put off until then, is checked first; so
    a request is answered as if its change had been kept, and the database stays as it was.
    """

    async def execute(  # as asyncpg has it
        self,
        query: str,
        *args: Any,
        timeout: float | None = None,  # noqa: ASYNC109  # the overridden method has it
    ) -> str:
        """Run a statement; of a COMMIT that is to be undone, everything but the keeping."""
        if query == "COMMIT" and _UNDONE.get():
            await super().execute("SET CONSTRAINTS ALL IMMEDIATE", timeout=timeout)
            await super().execute("ROLLBACK", timeout=timeout)
            return "COMMIT"
        return await super().execute(query, *args, timeout=timeout)


@contextmanager
def undone() -> Iterator[None]:
    """Let the requests sent inside change nothing for good; each of one transaction at most."""
    token = _UNDONE.set(True)
    try:
        yield
    finally:
        _UNDONE.reset(token)


class Databases(msgspec.Struct, frozen=True):
    """The databases of a test server: made out of each other, and reached as the app role."""

    server: EmbeddedPostgres
    password: str

    def superuser(self, name: str) -> dict[str, Any]:
        """How to reach one as its superuser."""
        return {**self.server.connection.parameters(), "database": name}

    def app(self, name: str) -> dict[str, Any]:
        """How to reach one as the role that API processes use."""
        return self.superuser(name) | {"user": migrations.APP, "password": self.password}

    async def clone(self, template: str, name: str) -> None:
        """Make a database out of another one, to which nobody may be connected."""
        await self._run(f'CREATE DATABASE "{name}" TEMPLATE "{template}" STRATEGY FILE_COPY')

    async def drop(self, name: str) -> None:
        """Remove a database, whoever is still connected to it."""
        await self._run(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    async def _run(self, statement: str) -> None:
        connection = await asyncpg.connect(**self.server.connection.parameters())
        try:
            await connection.execute(statement)
        finally:
            await connection.close()


class MovingMarket:
    """The API as one application, run over one database after another."""

    def __init__(self, databases: Databases, settings: Settings, vault: Vault) -> None:
        """Assemble the application; it serves nothing until it is `over` a database."""
        self.databases = databases
        self.settings = settings
        self.vault = vault
        self.app = served(create_app(settings, {}, vault))
        self.client = httpx.AsyncClient(
            transport=httpx.ASGITransport(self.app, raise_app_exceptions=False),
            base_url="http://market",
        )

    @asynccontextmanager
    async def over(self, name: str, connections: int = 3) -> AsyncIterator[None]:
        """Serve from a database with so many connections, on which changes can be `undone`."""
        database.DB.config = self.databases.app(name)
        await database.DB.start_connection_pool(
            min_size=1,
            max_size=connections,
            connection_class=Undoing,
            server_settings={"application_name": "market", "timezone": "UTC"},
        )
        try:
            yield
        finally:
            with contextlib.suppress(asyncpg.InterfaceError):
                await database.close_pool()
