"""What a process needs before it serves: a database that is ready, and the vault, opened once."""

import asyncio
import contextlib
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import asyncpg
import msgspec

from market import migrations, seed
from market.database import UNREACHABLE
from market.embedded import EmbeddedPostgres
from market.key_files import (
    encryption_keys,
    kept_keys,
    kept_secret,
    keys_folder,
    signing_keys,
    texts_of_keys,
)
from market.keys.keeping import record_signing_keys
from market.migrations import APP, WORKER, MigrationError
from market.sealing import ServerCustodian
from market.settings import Environment, Settings, decode_secret
from market.vault import Vault

_DATABASE = "market"
_SEED_BYTES = 32
_PATIENCE = 10.0  # seconds for a server to answer a first connection


class CannotStart(RuntimeError):
    """The market cannot start as it is set up; the message says what to do."""


class Runtime(msgspec.Struct, frozen=True, kw_only=True):
    """A market that is ready to serve. `connection` is the app role's, as asyncpg's arguments.

    `worker` is the way in of the worker role, which reads the whole log, and `migration` that of
    the role that migrates, where this process knows them.
    """

    settings: Settings
    connection: dict[str, Any]
    worker: dict[str, Any] | None
    migration: dict[str, Any] | None
    vault: Vault
    environment: Environment

    def __repr__(self) -> str:
        """Say what it is for, and nothing of how to get in."""
        return f"Runtime({self.environment.value!r})"


@contextmanager
def prepare(settings: Settings) -> Iterator[Runtime]:
    """Start what has to run, migrate, initialise, load the reference data, open the vault.

    The embedded PostgreSQL runs until the context is left, unless others use it. With a database
    of one's own, migrations run only where MARKET_MIGRATION_URL is set; elsewhere they must have
    run. Blocks: call it outside an event loop.

    Raises:
        CannotStart: a database that cannot be reached, is not migrated, or is for something else.
        BadSettings: keys that are missing or of the wrong form.
        MigrationError: a migration failed.
        EmbeddedPostgresError: the embedded server does not start.
    """
    with _place(settings) as ways:
        if ways.migration is not None:
            asyncio.run(_bring_up(settings, ways, ways.migration))
        runtime = _open(settings, ways)
        if ways.migration is not None:
            asyncio.run(_note_signing_keys(ways.migration, runtime.vault))
        yield runtime


@contextmanager
def join(settings: Settings) -> Iterator[Runtime]:
    """The same for one more process of a market that another process has prepared."""
    with _place(settings) as ways:
        yield _open(settings, ways)


@contextmanager
def migrated(settings: Settings) -> Iterator[list[str]]:
    """Migrate without initialising, and give the names of the migrations that ran.

    Raises:
        CannotStart: MARKET_MIGRATION_URL is not set.
    """
    with _place(settings) as ways:
        if ways.migration is None:
            message = (
                "MARKET_MIGRATION_URL is not set: migrating needs a role that owns the schema."
            )
            raise CannotStart(message)
        yield asyncio.run(_migrate(settings, ways, ways.migration))


class _Ways(msgspec.Struct, frozen=True, kw_only=True):
    """The ways into the database, as asyncpg's arguments."""

    app: dict[str, Any]
    worker: dict[str, Any] | None
    migration: dict[str, Any] | None


@contextmanager
def _place(settings: Settings) -> Iterator[_Ways]:
    """Give the ways into the database, with the embedded server running where it is used."""
    if settings.database_url is not None:
        yield _Ways(
            app={"dsn": settings.database_url},
            worker=None if settings.worker_url is None else {"dsn": settings.worker_url},
            migration=None if settings.migration_url is None else {"dsn": settings.migration_url},
        )
        return
    programs = None if settings.postgres_programs is None else Path(settings.postgres_programs)
    server = EmbeddedPostgres(settings.folder / "postgres", programs=programs)
    keys = keys_folder(settings)
    if (server.data / "PG_VERSION").exists():
        _ensure_keys_are_there(settings, keys)
    password = kept_secret(keys / "app-password", lambda: secrets.token_urlsafe(32))
    of_worker = kept_secret(keys / "worker-password", lambda: secrets.token_urlsafe(32))
    kept_keys(settings, keys)
    with server:
        superuser: dict[str, Any] = {**server.connection.parameters()}
        database = superuser | {"database": _DATABASE}
        asyncio.run(_ensure_database(superuser))
        yield _Ways(
            app=database | {"user": APP, "password": password},
            worker=database | {"user": WORKER, "password": of_worker},
            migration=database,
        )


async def _ensure_database(parameters: dict[str, Any]) -> None:
    connection = await asyncpg.connect(**parameters)
    try:
        if not await connection.fetchval(
            "SELECT true FROM pg_database WHERE datname = $1", _DATABASE
        ):
            with contextlib.suppress(asyncpg.DuplicateDatabaseError, asyncpg.UniqueViolationError):
                await connection.execute(f"CREATE DATABASE {_DATABASE}")
    finally:
        await connection.close()


async def _migrate(settings: Settings, ways: _Ways, migration: dict[str, Any]) -> list[str]:
    known = {
        APP: ways.app.get("password") or _password_in(settings.database_url, APP),
        WORKER: (ways.worker or {}).get("password") or _password_in(settings.worker_url, WORKER),
    }
    try:
        ran = await migrations.migrate(
            migration, app_password=known[APP], worker_password=known[WORKER]
        )
        if settings.embedded:
            # the files are what counts: roles may be older than they, or come out of a backup
            passwords = {role: str(password) for role, password in known.items()}
            await migrations.set_passwords(migration, passwords)
    except UNREACHABLE as error:
        raise _unreachable(error) from error
    return ran


def _password_in(url: str | None, role: str) -> str | None:
    """The role's password, if the URL is that role's: a first migration makes the role."""
    parts = urlsplit(url or "")
    if parts.username != role or parts.password is None:
        return None
    return unquote(parts.password)


async def _bring_up(settings: Settings, ways: _Ways, migration: dict[str, Any]) -> None:
    await _migrate(settings, ways, migration)
    await migrations.initialise(migration, environment=settings.environment, name=settings.name)
    await seed.load_reference(migration)


async def _note_signing_keys(migration: dict[str, Any], vault: Vault) -> None:
    connection = await asyncpg.connect(**migration)
    try:
        await record_signing_keys(connection, vault)
    finally:
        await connection.close()


class _Installed(msgspec.Struct, frozen=True):
    kind: Environment | None
    pending: tuple[str, ...]
    too_mighty: bool


async def _look(connection: dict[str, Any]) -> _Installed:
    try:
        opened = await asyncpg.connect(**connection, timeout=_PATIENCE)
    except (*UNREACHABLE, ValueError) as error:
        raise _unreachable(error) from error
    try:
        pending = await migrations.pending(opened)
        kind = None
        if not pending:
            kind = await opened.fetchval("SELECT kind FROM installation")
        mighty = await opened.fetchval(
            "SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user"
        )
    finally:
        await opened.close()
    return _Installed(
        kind=None if kind is None else Environment(kind),
        pending=tuple(pending),
        too_mighty=bool(mighty),
    )


def _unreachable(error: Exception) -> CannotStart:
    reason = str(error) or type(error).__name__
    return CannotStart(f"The database does not let the market in: {reason}")


def _open(settings: Settings, ways: _Ways) -> Runtime:
    found = asyncio.run(_look(ways.app))
    if found.too_mighty:
        message = (
            "MARKET_DATABASE_URL names a superuser, or a role that row-level security does not"
            f" bind: use the role {APP}, or one that was granted it."
        )
        raise CannotStart(message)
    if found.pending:
        message = (
            f"The database lacks {len(found.pending)} migrations, {found.pending[0]} first:"
            " say `market migrate` with MARKET_MIGRATION_URL set."
        )
        raise CannotStart(message)
    if found.kind is None:
        message = (
            "The database is not initialised: say `market init --environment sandbox` (or"
            " production) with MARKET_MIGRATION_URL set."
        )
        raise CannotStart(message)
    if found.kind is not settings.environment:
        message = (
            f"The database was initialised as {found.kind.value}, but MARKET_ENVIRONMENT says"
            f" {settings.environment.value}. A database stays what it is: use another one, or"
            " correct the setting."
        )
        raise CannotStart(message)
    return Runtime(
        settings=settings,
        connection=ways.app,
        worker=ways.worker,
        migration=ways.migration,
        vault=open_vault(settings, sandbox=found.kind is Environment.SANDBOX),
        environment=found.kind,
    )


# ------------------------------------------------------------------------------------------- keys


def open_vault(settings: Settings, *, sandbox: bool) -> Vault:
    """Open the vault with the keys of the settings, or those kept beside the embedded database.

    Raises:
        BadSettings: a key that is missing or of the wrong form; it is never repeated.
    """
    encryption, signing = texts_of_keys(settings)
    keys = encryption_keys(encryption)
    signing_key, *retired = signing_keys(signing)
    return Vault(
        custodian=ServerCustodian(dict(keys), keys[0][0]),
        signing_key=signing_key,
        retired_signing_keys=tuple(retired),
        sandbox=sandbox,
        name=settings.name,
        key_pepper=(
            None
            if settings.key_pepper is None
            else decode_secret("MARKET_KEY_PEPPER", settings.key_pepper.strip(), _SEED_BYTES)
        ),
    )


def _ensure_keys_are_there(settings: Settings, folder: Path) -> None:
    """Refuse to make new keys for old data: what was sealed to the lost ones opens for nobody.

    Raises:
        CannotStart: a key that the embedded database was used with is neither kept nor given.
    """
    needed = {
        "key-encryption-keys": settings.key_encryption_keys,
        "signing-key": settings.signing_key,
    }
    missing = [name for name, given in needed.items() if not given and not (folder / name).exists()]
    if missing:
        message = (
            f"{' and '.join(missing)} of this market are missing in {folder}, and without them no"
            " sealed bid opens: put them back with `market keys restore`. To begin anew, move"
            f" {settings.folder} away."
        )
        raise CannotStart(message)


__all__ = [
    "CannotStart",
    "MigrationError",
    "Runtime",
    "join",
    "migrated",
    "open_vault",
    "prepare",
]
