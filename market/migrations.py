"""Bring a database to the present schema: roles, tables, guards, and what the database is for."""

import contextlib
import functools
import io
import os
import re
from collections.abc import Mapping
from importlib import resources
from typing import Any

import asyncpg
from piccolo.apps.migrations.commands.base import BaseMigrationManager
from piccolo.apps.migrations.commands.forwards import ForwardsMigrationManager

from market.database import DB
from market.settings import Environment

OWNER, GUARD, APP, WORKER = "market_owner", "market_guard", "market_app", "market_worker"
_LOCK = 7_620_318_844_551
_TIMEOUTS = {"lock_timeout": "5s", "statement_timeout": "120s"}
_OLDEST = 160000
APPS = ("market", "suppliers", "tenders", "evaluation")
_ID = re.compile(r'^ID = "([^"]+)"', re.MULTILINE)
_TAGS = re.compile(r"WHEN TAG IN \(([^)]*)\)")
_QUOTED = re.compile("'([^']+)'")
_MADE_ELSEWHERE = (asyncpg.DuplicateObjectError, asyncpg.UniqueViolationError)


class MigrationError(RuntimeError):
    """The database cannot be migrated; the message says what to do."""


async def run_script(package: str, name: str) -> None:
    """Run plain SQL (several statements, literal braces) inside the current migration."""
    unit: Any = DB.current_transaction.get()
    script = resources.files(package).joinpath("piccolo_migrations", "sql", name).read_text()
    await unit.connection.execute(script)


@functools.cache
def expected() -> tuple[str, ...]:
    """The names of all migrations this programme knows, as `app/id`, in the order they run."""
    found: list[str] = []
    for app in APPS:
        folder = resources.files(app).joinpath("piccolo_migrations")
        ids = [
            match[1]
            for item in folder.iterdir()
            if item.name.endswith(".py") and (match := _ID.search(item.read_text()))
        ]
        found.extend(f"{app}/{migration}" for migration in sorted(ids))
    return tuple(found)


async def applied(connection: Any) -> set[str]:
    """The names of the migrations that a database has had."""
    if await connection.fetchval("SELECT to_regclass('migration')") is None:
        return set()
    rows = await connection.fetch("SELECT app_name, name FROM migration")
    return {f"{row['app_name']}/{row['name']}" for row in rows}


async def pending(connection: Any) -> list[str]:
    """The names of the migrations that a database still lacks."""
    done = await applied(connection)
    return [name for name in expected() if name not in done]


async def _ensure_version(connection: Any) -> None:
    version = await connection.fetchval("SELECT current_setting('server_version_num')::int")
    if version < _OLDEST:
        message = "The market needs PostgreSQL 16 or later."
        raise MigrationError(message)


async def ensure_roles(
    connection: Any, app_password: str | None, worker_password: str | None = None
) -> None:
    """Make the four roles where they are missing, and give this database to the owner role.

    The owner owns everything and cannot log in; the guard runs the guards; the app is what API
    processes log in as, and the worker what `market worker` reads the whole log as. The worker
    cannot log in until its password is known. Needs a role that may create roles, once; later
    runs need no more than membership of the owner. Roles belong to the whole server: somebody who
    makes them for another database at this moment does no harm.
    """
    existing = {
        row["rolname"]
        for row in await connection.fetch(
            "SELECT rolname FROM pg_roles WHERE rolname = ANY ($1::text[])",
            [OWNER, GUARD, APP, WORKER],
        )
    }
    if APP not in existing and app_password is None:
        message = (
            f"The role {APP} is missing and no password for it is known: create it, or give"
            f" MARKET_DATABASE_URL with the user {APP} and a password."
        )
        raise MigrationError(message)
    for role in (OWNER, GUARD):
        if role not in existing:
            with contextlib.suppress(*_MADE_ELSEWHERE):
                await connection.execute(f"CREATE ROLE {role} NOLOGIN")
    if GUARD not in existing or OWNER not in existing:
        await connection.execute(f"GRANT {GUARD} TO {OWNER}")
        await connection.execute(f"GRANT {OWNER} TO CURRENT_USER")
    if APP not in existing:
        quoted = await connection.fetchval("SELECT quote_literal($1::text)", app_password)
        with contextlib.suppress(*_MADE_ELSEWHERE):
            await connection.execute(f"CREATE ROLE {APP} LOGIN PASSWORD {quoted}")
    await _ensure_worker(connection, worker_password, there=WORKER in existing)
    database = await connection.fetchval("SELECT quote_ident(current_database())")
    owner = await connection.fetchval(
        "SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = current_database()"
    )
    if owner != OWNER:
        await connection.execute(f"ALTER DATABASE {database} OWNER TO {OWNER}")
    # whoever made the database and whomever it was given to: PostgreSQL lets anybody connect and
    # make temporary tables unless it is told otherwise
    await connection.execute(f"REVOKE ALL ON DATABASE {database} FROM PUBLIC")
    await connection.execute(f"GRANT CONNECT ON DATABASE {database} TO {APP}, {WORKER}")


async def _ensure_worker(connection: Any, password: str | None, *, there: bool) -> None:
    """Make the worker's role, or let it log in once its password is known."""
    quoted = await connection.fetchval("SELECT quote_literal($1::text)", password)
    login = "NOLOGIN" if quoted is None else f"LOGIN PASSWORD {quoted}"
    if not there:
        with contextlib.suppress(*_MADE_ELSEWHERE):
            await connection.execute(f"CREATE ROLE {WORKER} {login}")
    elif quoted is not None and not await connection.fetchval(
        "SELECT rolcanlogin FROM pg_roles WHERE rolname = $1", WORKER
    ):
        await connection.execute(f"ALTER ROLE {WORKER} {login}")


async def set_passwords(parameters: dict[str, Any], passwords: Mapping[str, str]) -> None:
    """Give roles the passwords that processes will log in with."""
    connection = await asyncpg.connect(**parameters)
    try:
        for role, password in passwords.items():
            quoted = await connection.fetchval("SELECT quote_literal($1::text)", password)
            await connection.execute(f"ALTER ROLE {role} LOGIN PASSWORD {quoted}")
    finally:
        await connection.close()


async def migrate(
    parameters: dict[str, Any],
    *,
    app_password: str | None = None,
    worker_password: str | None = None,
) -> list[str]:
    """Run every migration that has not run, one runner at a time, and say which.

    Raises:
        MigrationError: another runner holds the lock for minutes, or a migration failed; nothing
            of it remains.
    """
    gate = await asyncpg.connect(**parameters)
    try:
        await _ensure_version(gate)
        await gate.execute("SET market.migrating = 'on'; SET lock_timeout = '120s'")
        try:
            await gate.execute("SELECT pg_advisory_lock($1)", _LOCK)
        except asyncpg.LockNotAvailableError:
            message = "Another migration of this database has been running for two minutes."
            raise MigrationError(message) from None
        await ensure_roles(gate, app_password, worker_password)
        before = await applied(gate)
        await _run_all(parameters)
        await _ensure_event_trigger(gate)
        if not await gate.fetchval("SELECT has_table_privilege($1, 'migration', 'SELECT')", APP):
            # so that an API process can tell that its database is behind
            await gate.execute(f"GRANT SELECT ON migration TO {APP}")
        after = await applied(gate)
    finally:
        await gate.close()
    return [name for name in expected() if name in after - before]


async def _run_all(parameters: dict[str, Any]) -> None:
    os.environ["PICCOLO_CONF"] = "market.piccolo_conf"
    previous = DB.config
    DB.config = parameters | {
        "server_settings": {"role": OWNER, "market.migrating": "on", **_TIMEOUTS}
    }
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            for app in BaseMigrationManager().get_sorted_app_names():
                result = await ForwardsMigrationManager(app_name=app).run()
                if not result.success:
                    message = result.message or f"The migrations of {app} failed."
                    raise MigrationError(message)
    finally:
        DB.config = previous


async def _ensure_event_trigger(connection: Any) -> None:
    """Guard the guards, where this role may: event triggers need a superuser."""
    if not await connection.fetchval("SELECT rolsuper FROM pg_roles WHERE rolname = current_user"):
        return
    folder = resources.files("market").joinpath("piccolo_migrations", "sql")
    script = folder.joinpath("market_event_trigger.sql").read_text()
    listed = _TAGS.search(script)
    present = await connection.fetchval(
        "SELECT evttags FROM pg_event_trigger WHERE evtname = 'guards_stay' AND evtenabled = 'A'"
    )
    if listed is None or set(_QUOTED.findall(listed[1])) != set(present or ()):
        await connection.execute(script)


async def initialise(
    parameters: dict[str, Any], *, environment: Environment, name: str
) -> Environment:
    """Write once what this database is for, and give what it is.

    A database that is already initialised keeps what it is: production is never made sandbox.
    """
    connection = await asyncpg.connect(**parameters, server_settings={"role": OWNER})
    try:
        await connection.execute(
            "INSERT INTO installation (id, kind, name, initialised_at)"
            " VALUES (1, $1, $2, clock_timestamp()) ON CONFLICT DO NOTHING",
            environment.value,
            name,
        )
        async with connection.transaction():
            if not await connection.fetchval("SELECT true FROM market_clock"):
                await connection.execute(
                    "INSERT INTO event (action, subject_kind, subject, request, details) VALUES"
                    " ('market.initialised', 'installation', gen_random_uuid(), 'init', '{}')"
                )
                await connection.execute("INSERT INTO market_clock (id, shift) VALUES (1, '0')")
        kind = await connection.fetchval("SELECT kind FROM installation")
    finally:
        await connection.close()
    return Environment(kind)
