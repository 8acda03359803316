"""What every test stands on: a real PostgreSQL, a fresh database each, the API over HTTP."""

import asyncio
import functools
import hashlib
import os
import secrets
import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import hypothesis
import msgspec
import pytest
from litestar import Litestar
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

from market import database, migrations, seed
from market.app import create_app, served
from market.background import Workbench
from market.door import Door
from market.embedded import EmbeddedPostgres
from market.mail.kinds import NoticeKind
from market.notices import KINDS
from market.people import credentials
from market.sealing import ServerCustodian
from market.settings import Environment, Settings
from market.signing import SigningKey
from market.single_sign_on.provider import identity_provider
from market.vault import Vault
from tests.makers import snapshots
from tests.makers.databases import (
    APP_PASSWORD,
    Databases,
    LaterConnection,
    WatchedPool,
    later_bench,
)
from tests.makers.snapshots import Stage
from tests.makers.world import World

# How long an example takes tells of the machine's other work, not of the code.
hypothesis.settings.register_profile("market", deadline=None)
hypothesis.settings.load_profile("market")

__all__ = ["APP_PASSWORD", "Databases"]

# The databases of tests live for seconds: cleaning them up costs more than it spares.
FAST = {
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "autovacuum": "off",
    "max_wal_size": "256MB",
}
IN_MEMORY = Path("/dev/shm")  # noqa: S108  # where Linux keeps files in memory
ROOM = 2 * 1024**3


@pytest.fixture(scope="session")
def server() -> Iterator[EmbeddedPostgres]:
    """One server for all test processes; the last one out stops it."""
    root = _place()
    with EmbeddedPostgres(root, settings=FAST | {"max_connections": "200"}) as running:
        yield running
    if root.is_relative_to(IN_MEMORY) and not (root / "data" / "postmaster.pid").exists():
        shutil.rmtree(root, ignore_errors=True)


def _place() -> Path:
    """In memory where there is room for it: every test makes and drops some five hundred files.

    ext4 grows slow at that, since it looks for inodes that were not deleted a moment ago.
    """
    here = Path(__file__).parent.parent
    if IN_MEMORY.is_dir() and shutil.disk_usage(IN_MEMORY).free > ROOM:
        return IN_MEMORY / f"market-tests-{hashlib.sha256(bytes(here)).hexdigest()[:12]}"
    return here / ".market" / "tests"


async def _build_template(server: EmbeddedPostgres, name: str, environment: Environment) -> None:
    connection = await asyncpg.connect(**server.connection.parameters())
    await connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
    await connection.execute(f'CREATE DATABASE "{name}"')
    await connection.execute("SELECT pg_advisory_lock(1)")  # roles belong to the whole server
    parameters: dict[str, Any] = {**server.connection.parameters(), "database": name}
    await migrations.migrate(parameters, app_password=APP_PASSWORD)
    passwords = {migrations.APP: APP_PASSWORD, migrations.WORKER: APP_PASSWORD}
    await migrations.set_passwords(parameters, passwords)
    await migrations.initialise(parameters, environment=environment, name="tests.example")
    await seed.load_reference(parameters)
    await connection.close()


async def _drop(server: EmbeddedPostgres, name: str) -> None:
    connection = await asyncpg.connect(**server.connection.parameters())
    await connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
    await connection.close()


@pytest.fixture(scope="session")
def template(server: EmbeddedPostgres) -> Iterator[str]:
    """A migrated sandbox with the reference data, from which each test's database is cloned."""
    name = f"template_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}_{os.getpid()}"
    asyncio.run(_build_template(server, name, Environment.SANDBOX))
    yield name
    asyncio.run(snapshots.forget(server.connection.parameters()))
    asyncio.run(_drop(server, name))


@asynccontextmanager
async def own_databases(server: EmbeddedPostgres, template: str) -> AsyncIterator[Databases]:
    """The database of one test, dropped afterwards."""
    parameters: dict[str, Any] = {**server.connection.parameters()}
    connection = await asyncpg.connect(**parameters)
    own = Databases(parameters, connection, template)
    try:
        yield own
    finally:
        await own.drop()
        await connection.close()


@pytest.fixture
async def databases(server: EmbeddedPostgres, template: str) -> AsyncIterator[Databases]:
    """A database of the test's own, dropped afterwards."""
    async with own_databases(server, template) as own:
        yield own


@pytest.fixture
async def superuser(databases: Databases) -> AsyncIterator[Any]:
    """A connection that may do anything: what it cannot do, nobody does by mistake."""
    connection = LaterConnection(databases.connect)
    yield connection
    await connection.close()


@pytest.fixture
async def app_role(databases: Databases) -> AsyncIterator[Any]:
    """A connection as the role API processes use, outside the API."""
    connection = LaterConnection(functools.partial(databases.connect, migrations.APP))
    yield connection
    await connection.close()


@pytest.fixture
async def bench(databases: Databases, settings: Settings, vault: Vault) -> AsyncIterator[Workbench]:
    """What the worker's tasks are made with, over the test's database."""
    async with later_bench(databases, settings, vault) as opened:
        yield opened


@pytest.fixture(scope="session")
def vault() -> Vault:
    """Keys made for the tests."""
    return Vault(
        custodian=ServerCustodian({"tests": secrets.token_bytes(32)}, "tests"),
        signing_key=SigningKey.from_seed(secrets.token_bytes(32)),
        sandbox=True,
        name="tests.example",
    )


@pytest.fixture(scope="session", autouse=True)
def dear_hasher() -> Iterator[PasswordHash]:
    """What passwords are hashed with in earnest; tests do it at next to no cost.

    Every password of the tests is hashed and checked as ever, by the same algorithm.
    """
    cheap = PasswordHash((Argon2Hasher(memory_cost=8, time_cost=1, parallelism=1),))
    with pytest.MonkeyPatch.context() as patched:
        dear = credentials._HASHER  # noqa: SLF001  # its cost is all that changes
        patched.setattr(credentials, "_HASHER", cheap)
        yield dear


@asynccontextmanager
async def running(app: Litestar) -> AsyncIterator[None]:
    """Run the lifespan in one task: pytest-asyncio enters and leaves a fixture in two."""
    ready, stop = asyncio.Event(), asyncio.Event()

    async def hold() -> None:
        async with app.lifespan():
            ready.set()
            await stop.wait()

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(hold())
        await ready.wait()
        try:
            yield
        finally:
            stop.set()


@pytest.fixture(scope="session")
def documents_folder(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Where documents are kept in tests."""
    return str(tmp_path_factory.mktemp("documents"))


@pytest.fixture
def settings(documents_folder: str) -> Settings:
    """The settings tests run with: a small pool, no rate limits to trip over."""
    return Settings(
        pool_minimum=1,
        pool_maximum=12,
        requests_per_minute=1_000_000,
        sign_ins_per_minute=100_000,
        documents_folder=documents_folder,
    )


_APPS: dict[tuple[Any, ...], tuple[Litestar, dict[str, Any]]] = {}
# Where servers of a test's own listen: at another port each time.
_ELSEWHERE = frozenset({"oidc_issuer", "smtp_port"})


def app_over(
    settings: Settings,
    connection: dict[str, Any],
    vault: Vault,
    kinds: tuple[NoticeKind, ...] = KINDS,
) -> Litestar:
    """The application over another database: putting it together anew would take most of a test."""
    if settings.requests_at_once < Settings().requests_at_once:
        return create_app(
            settings, connection, vault
        )  # what it has noticed of full hours is its own
    alike = msgspec.structs.asdict(settings)
    told = tuple(value for name, value in alike.items() if name not in _ELSEWHERE)
    by = (told, id(vault), id(kinds))
    app, place = _APPS.get(by, (None, {}))
    if app is None:
        app = create_app(settings, place, vault, kinds)
        _APPS[by] = app, place
    app.state["settings"] = settings
    app.state["identity_provider"] = identity_provider(settings)
    app.state["door"] = Door(settings, vault)  # what was asked of another test's is not counted
    place.clear()
    place.update(connection)
    return app


@asynccontextmanager
async def served_world(app: Litestar, vault: Vault) -> AsyncIterator[World]:
    """An application running, and makers that act through it."""
    transport = httpx.ASGITransport(served(app), raise_app_exceptions=False)
    async with (
        running(app),
        httpx.AsyncClient(transport=transport, base_url="http://market") as client,
    ):
        yield World(client, vault)


@asynccontextmanager
async def own_world(
    databases: Databases,
    settings: Settings,
    vault: Vault,
    kinds: tuple[NoticeKind, ...] = KINDS,
) -> AsyncIterator[World]:
    """The world of one test, whose first steps may be found among what is kept."""
    pool = WatchedPool(databases, settings)
    async with AsyncExitStack() as until:
        with pool.in_place():
            app = app_over(settings, {}, vault, kinds)
            opened = await until.enter_async_context(served_world(app, vault))
        opened.stage = Stage(pool, databases, ("fresh", repr(settings), vault))
        yield opened
    assert database.DB.pool is None


@pytest.fixture
async def world(
    request: pytest.FixtureRequest, databases: Databases, settings: Settings, vault: Vault
) -> AsyncIterator[World]:
    """The API running over the test's database, and makers that act through it."""
    async with own_world(databases, settings, vault) as opened:
        if "monkeypatch" in request.fixturenames:
            opened.stage = None  # what is made may not be what is made elsewhere
        yield opened


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say how many cells of the access matrix were compared, in whichever processes."""
    properties = [
        item
        for report in terminalreporter.stats.get("passed", ())
        for item in report.user_properties
    ]
    cells = [int(value) for name, value in properties if name == "cells"]
    of_all = [f" of {value:,}" for name, value in properties if name == "all cells"]
    if cells:
        said = f"access matrix: {sum(cells):,}{''.join(of_all)} cells, {len(cells)} states"
        terminalreporter.write_line(said)
