"""A test's database, and the ways into it that are opened only when somebody goes through them."""

import asyncio
import inspect
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from typing import Any
from unittest.mock import patch

import asyncpg
import msgspec

from market import database, migrations
from market.background import Workbench, WorkerDatabase, workbench
from market.settings import Settings
from market.vault import Vault
from tenders import pulse

APP_PASSWORD = "a password for tests alone"  # noqa: S105  # the server listens on a private socket


class Ways(msgspec.Struct, frozen=True, kw_only=True):
    """How processes of the market reach a database that is not a test's own."""

    app: dict[str, Any]
    worker: dict[str, Any]


class Databases:
    """How to reach a test's database: as its superuser, as the app role and as the worker's.

    The database is a clone of a template. `begin_from` takes another template: the clone of it is
    made, and takes the present one's place, when somebody next wants to reach it.
    """

    def __init__(self, server: dict[str, Any], admin: Any, template: str) -> None:
        """Clone from the template, over the superuser's connection to the server, `admin`."""
        self._server = server
        self._admin = admin
        self._name = ""
        self._template: str | None = template
        self._made: list[str] = []
        self._turn = asyncio.Lock()
        self.touched = False
        """Whether anybody but the application has, or was told, a way into it."""

    @property
    def superuser(self) -> dict[str, Any]:
        """How to reach it as somebody who may do anything."""
        self._touch()
        return self._reach()

    @property
    def app(self) -> dict[str, Any]:
        """How to reach it as the role that API processes use."""
        self._touch()
        return self._reach(migrations.APP)

    @property
    def worker(self) -> dict[str, Any]:
        """How to reach it as the role of the worker."""
        self._touch()
        return self._reach(migrations.WORKER)

    async def for_application(self) -> dict[str, Any]:
        """How the application under test reaches it, whose steps are counted otherwise."""
        await self._settle()
        return self._reach(migrations.APP)

    async def connect(self, role: str | None = None, **options: Any) -> Any:
        """Open a connection, by default as its superuser."""
        self.touched = True
        await self._settle()
        return await asyncpg.connect(**self._reach(role), **options)

    async def connect_as_keeper(self) -> Any:
        """Open a connection of whoever is about to keep it as a template."""
        await self._settle()
        return await asyncpg.connect(**self._reach())

    async def open_bench(
        self, settings: Settings, vault: Vault, until: AsyncExitStack
    ) -> WorkerDatabase:
        """Open the worker's pool until the stack is left."""
        self.touched = True
        await self._settle()
        reach = self._reach(migrations.WORKER)
        return (await until.enter_async_context(workbench(settings, reach, vault))).database

    def is_at(self, reach: dict[str, Any]) -> bool:
        """Whether this is where the database is, and stays."""
        return self._template is None and reach["database"] == self._name

    def begin_from(self, template: str) -> None:
        """Go on in a clone of another database; nobody may be connected to that one."""
        self._template = template

    def give_away(self) -> str:
        """Give the database, to which nobody is connected, to somebody who keeps it."""
        self._made.remove(self._name)
        return self._name

    async def drop(self) -> None:
        """Remove every database the test had, whoever is still connected."""
        await self.remove(self._made)

    async def remove(self, names: Iterable[str]) -> None:
        """Remove databases, whoever is still connected."""
        for name in names:
            await self._admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)')

    def _reach(self, role: str | None = None) -> dict[str, Any]:
        by = {} if role is None else {"user": role, "password": APP_PASSWORD}
        return {**self._server, "database": self._name, **by}

    def _touch(self) -> None:
        """Clone aside if that was put off: who asks for the way in goes it at once."""
        self.touched = True
        if self._template is not None:
            with ThreadPoolExecutor(1) as aside:
                aside.submit(asyncio.run, self._clone_aside()).result()

    async def _clone_aside(self) -> None:
        admin = await asyncpg.connect(**self._server)
        try:
            await self._clone(admin)
        finally:
            await admin.close()

    async def _settle(self) -> None:
        async with self._turn:
            if self._template is not None:
                await self._clone(self._admin)

    async def _clone(self, admin: Any) -> None:
        name = f"test_{secrets.token_hex(6)}"
        await admin.execute(
            f'CREATE DATABASE "{name}" TEMPLATE "{self._template}" STRATEGY FILE_COPY'
        )
        self._made.append(name)
        self._name, self._template = name, None


class WatchedPool:
    """The application's pool, which counts what goes through it and follows the database.

    Commands and queries find it where the application puts its own, in `database.DB.pool`.
    """

    def __init__(self, databases: Databases, settings: Settings) -> None:
        """Open the pool with these settings when the database is first asked for anything."""
        self._databases = databases
        self._settings = settings
        self._pool: Any = None
        self._turn = asyncio.Lock()
        self._moves = False
        self.transactions = 0

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """Let an application that starts take this pool, and put off its first beat with it."""

        async def opened(*_: object) -> None:
            database.DB.pool = self  # type: ignore[assignment]  # quacks as asyncpg's own

        async def put_off(_: int) -> None:
            """`_follow` beats."""

        with (
            patch.object(database, "open_pool", opened),
            patch.object(pulse, "beat", put_off),
        ):
            yield

    def __bool__(self) -> bool:
        """Whether Piccolo need not open a pool; whoever asks `is None` is made to wait instead."""
        return not self._moves

    def acquire(self, **options: Any) -> "_Taking":
        """Take a connection: to be awaited, or to be had within `async with`."""
        return _Taking(self, options)

    async def take(self, options: dict[str, Any]) -> Any:
        """Take a connection, of the pool itself."""
        return await (await self._there()).acquire(**options)

    async def execute(self, *arguments: Any, **options: Any) -> Any:
        """Run a statement on any connection."""
        return await (await self._there()).execute(*arguments, **options)

    async def fetchrow(self, *arguments: Any, **options: Any) -> Any:
        """Read a row on any connection."""
        return await (await self._there()).fetchrow(*arguments, **options)

    def get_size(self) -> int:
        """How many connections there are; while none was asked for, as many as there would be."""
        return self._settings.pool_minimum if self._pool is None else int(self._pool.get_size())

    def get_idle_size(self) -> int:
        """How many of them nobody uses."""
        return self.get_size() if self._pool is None else int(self._pool.get_idle_size())

    def __getattr__(self, name: str) -> Any:
        """What else a pool can do or tell."""
        return getattr(self._pool, name)

    async def close(self) -> None:
        """Close every connection."""
        if self._pool is not None:
            await self._pool.close()

    async def leave(self) -> None:
        """Close every connection until the next is asked for."""
        await self.close()
        self._pool = None

    async def _there(self) -> Any:
        self.transactions += 1
        if not self._is_there():
            async with self._turn:
                if not self._is_there():
                    await self._follow()
        return self._pool

    def _is_there(self) -> bool:
        return self._pool is not None and self._databases.is_at(database.DB.config)

    async def _follow(self) -> None:
        await self.close()
        reach = await self._databases.for_application()
        self._moves = True
        try:
            await database.open_pool(self._settings, reach)
            self._pool = database.DB.pool
        finally:
            database.DB.pool = self  # type: ignore[assignment]  # as above
            self._moves = False
        await self._pool.execute("SELECT beat($1)", self._settings.interruption_after)


class _Taking:
    """A connection that is being taken from the application's pool."""

    def __init__(self, pool: WatchedPool, options: dict[str, Any]) -> None:
        self._pool = pool
        self._options = options
        self._taken: Any = None

    def __await__(self) -> Generator[Any, None, Any]:
        return self._pool.take(self._options).__await__()

    async def __aenter__(self) -> Any:
        self._taken = await self
        return self._taken

    async def __aexit__(self, *_: object) -> None:
        await self._pool.release(self._taken)


class LaterConnection:
    """A connection that is opened when it is first used; otherwise as asyncpg's own."""

    def __init__(self, connect: Callable[[], Awaitable[Any]]) -> None:
        """Open it so."""
        self._connect = connect
        self._opened: Any = None
        self._turn = asyncio.Lock()

    async def opened(self) -> Any:
        """The connection itself."""
        async with self._turn:
            if self._opened is None:
                self._opened = await self._connect()
        return self._opened

    def transaction(self, **options: Any) -> Any:
        """A transaction, to be entered or started as asyncpg's own."""
        if self._opened is not None:
            return self._opened.transaction(**options)
        return _LaterTransaction(self, options)

    async def close(self) -> None:
        """Close it, if it was opened."""
        if self._opened is not None:
            await self._opened.close()

    def __getattr__(self, name: str) -> Any:
        """What the connection can do, once it is open."""
        if self._opened is not None:
            return getattr(self._opened, name)
        if not inspect.iscoroutinefunction(getattr(asyncpg.Connection, name)):
            message = f"{name} needs a connection that is open: await `opened()` first."
            raise RuntimeError(message)

        async def later(*arguments: Any, **options: Any) -> Any:
            return await getattr(await self.opened(), name)(*arguments, **options)

        return later


class _LaterTransaction:
    """A transaction of a connection that is opened for it."""

    def __init__(self, on: LaterConnection, options: dict[str, Any]) -> None:
        self._on = on
        self._options = options
        self._begun: Any = None

    async def start(self) -> None:
        self._begun = (await self._on.opened()).transaction(**self._options)
        await self._begun.start()

    async def commit(self) -> None:
        await self._begun.commit()

    async def rollback(self) -> None:
        await self._begun.rollback()

    async def __aenter__(self) -> None:
        await self.start()

    async def __aexit__(self, kind: type[BaseException] | None, *_: object) -> None:
        await (self.commit() if kind is None else self.rollback())


class LaterWorkerDatabase(WorkerDatabase):
    """The worker's pool, opened when it is first used."""

    def __init__(self, connect: Callable[[], Awaitable[WorkerDatabase]]) -> None:
        """Open it so."""
        super().__init__(None)
        self._connect = connect
        self._opened: WorkerDatabase | None = None
        self._turn = asyncio.Lock()

    async def _there(self) -> WorkerDatabase:
        async with self._turn:
            if self._opened is None:
                self._opened = await self._connect()
        return self._opened

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Any]:
        """Give a connection on which each statement is a transaction of its own."""
        async with (await self._there()).connection() as connection:
            yield connection

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Any]:
        """Give a connection in a transaction, committed at the end and undone on any error."""
        async with (await self._there()).transaction() as connection:
            yield connection


@asynccontextmanager
async def later_bench(
    databases: Databases, settings: Settings, vault: Vault
) -> AsyncIterator[Workbench]:
    """A workbench over a test's database that connects to it when a task first does."""
    async with AsyncExitStack() as until:

        async def connect() -> WorkerDatabase:
            return await databases.open_bench(settings, vault, until)

        yield Workbench(settings=settings, vault=vault, database=LaterWorkerDatabase(connect))
