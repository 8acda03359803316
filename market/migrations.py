"""Bring a database to the present schema: roles, tables, guards, and what the database is for."""

import contextlib
import io
import os
import re
from importlib import resources
from typing import Any

import asyncpg
from piccolo.apps.migrations.commands.base import BaseMigrationManager
from piccolo.apps.migrations.commands.forwards import ForwardsMigrationManager

from market.database import DB
from market.settings import Environment

OWNER, GUARD, APP = "market_owner", "market_guard", "market_app"
_LOCK = 7_620_318_844_551
_TIMEOUTS = {"lock_timeout": "5s", "statement_timeout": "120s"}
_OLDEST = 160000


class MigrationError(RuntimeError):
    """The database cannot be migrated; the message says what to do."""


async def run_script(package: str, name: str) -> None:
    """Run plain SQL (several statements, literal braces) inside the current migration."""
    unit: Any = DB.current_transaction.get()
    script = resources.files(package).joinpath("piccolo_migrations", "sql", name).read_text()
    await unit.connection.execute(script)


async def ensure_roles(parameters: dict[str, Any], app_password: str | None) -> None:
    """Make the three roles where they are missing, and give this database to the owner role.

    The owner owns everything and cannot log in; the guard runs the guards; the app is what API
    processes log in as. Needs a role that may create roles, once; later runs need no more than
    membership of the owner.
    """
    connection = await asyncpg.connect(**parameters)
    try:
        if connection.get_server_version() < (16,) or (
            await connection.fetchval("SELECT current_setting('server_version_num')::int") < _OLDEST
        ):
            message = "The market needs PostgreSQL 16 or later."
            raise MigrationError(message)
        await connection.execute("SET market.migrating = 'on'")
        existing = {
            row["rolname"]
            for row in await connection.fetch(
                "SELECT rolname FROM pg_roles WHERE rolname = ANY ($1::text[])", [OWNER, GUARD, APP]
            )
        }
        for role in (OWNER, GUARD):
            if role not in existing:
                await connection.execute(f"CREATE ROLE {role} NOLOGIN")
        if GUARD not in existing or OWNER not in existing:
            await connection.execute(f"GRANT {GUARD} TO {OWNER}")
            await connection.execute(f"GRANT {OWNER} TO CURRENT_USER")
        if APP not in existing:
            if app_password is None:
                message = "The role market_app is missing and no password for it is known."
                raise MigrationError(message)
            quoted = await connection.fetchval("SELECT quote_literal($1::text)", app_password)
            await connection.execute(f"CREATE ROLE {APP} LOGIN PASSWORD {quoted}")
        database = await connection.fetchval("SELECT quote_ident(current_database())")
        owner = await connection.fetchval(
            "SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = current_database()"
        )
        if owner != OWNER:
            await connection.execute(f"ALTER DATABASE {database} OWNER TO {OWNER}")
            await connection.execute(f"REVOKE ALL ON DATABASE {database} FROM PUBLIC")
            await connection.execute(f"GRANT CONNECT ON DATABASE {database} TO {APP}")
    finally:
        await connection.close()


async def migrate(parameters: dict[str, Any], *, app_password: str | None = None) -> list[str]:
    """Run every migration that has not run, one runner at a time, and say which.

    Raises:
        MigrationError: a migration failed; nothing of it remains.
    """
    await ensure_roles(parameters, app_password)
    os.environ["PICCOLO_CONF"] = "market.piccolo_conf"
    previous = DB.config
    DB.config = parameters | {
        "server_settings": {"role": OWNER, "market.migrating": "on", **_TIMEOUTS}
    }
    gate = await asyncpg.connect(**parameters)
    said = io.StringIO()
    try:
        await gate.execute("SELECT pg_advisory_lock($1)", _LOCK)
        with contextlib.redirect_stdout(said):
            for app in BaseMigrationManager().get_sorted_app_names():
                result = await ForwardsMigrationManager(app_name=app).run()
                if not result.success:
                    message = result.message or f"The migrations of {app} failed."
                    raise MigrationError(message)
        await _ensure_event_trigger(gate)
    finally:
        DB.config = previous
        await gate.close()
    return re.findall(r"  - (\S+?)(?:ok|:|\s)", said.getvalue())


async def _ensure_event_trigger(connection: Any) -> None:
    """Guard the guards, where this role may: event triggers need a superuser."""
    if not await connection.fetchval("SELECT rolsuper FROM pg_roles WHERE rolname = current_user"):
        return
    if await connection.fetchval("SELECT true FROM pg_event_trigger WHERE evtname = 'guards_stay'"):
        return
    script = resources.files("market").joinpath(
        "piccolo_migrations", "sql", "market_event_trigger.sql"
    )
    await connection.execute("SET market.migrating = 'on'")
    await connection.execute(script.read_text())


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
                    "INSERT INTO event (action, subject_kind, subject, request, details)"
                    " VALUES ('market.initialised', 'installation', gen_random_uuid(), 'init', '{}')"
                )
                await connection.execute("INSERT INTO market_clock (id, shift) VALUES (1, '0')")
        kind = await connection.fetchval("SELECT kind FROM installation")
    finally:
        await connection.close()
    return Environment(kind)
