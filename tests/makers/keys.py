"""A market that comes and goes over one database, and its command line between."""

import asyncio
import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import msgspec

from market.app import create_app, served
from market.cli import parser
from market.runtime import open_vault
from market.settings import Settings
from tests.conftest import Databases, running
from tests.makers.world import World

PASSPHRASE = "correct horse battery staple"  # noqa: S105  # of tests alone
FIRST, SECOND = b"1" * 32, b"2" * 32
SEED = b"s" * 32


def text(key: bytes) -> str:
    """A key as settings write it."""
    return base64.b64encode(key).decode("ascii")


def _url(parameters: dict[str, Any]) -> str:
    login = f"{parameters['user']}:{quote(parameters['password'], safe='')}"
    host = quote(str(parameters["host"]), safe="")
    return f"postgresql://{login}@/{parameters['database']}?host={host}&port={parameters['port']}"


def settings_over(databases: Databases, folder: Path, **others: Any) -> Settings:
    """The settings of a market over a test's database, its keys among them."""
    passphrase = folder / "passphrase"
    passphrase.write_text(f"{PASSPHRASE}\n")
    given = {
        "key_encryption_keys": f"first:{text(FIRST)}",
        "signing_key": text(SEED),
        "keys_passphrase_file": str(passphrase),
    }
    return Settings(
        database_url=_url(databases.app),
        migration_url=_url(databases.superuser),
        name="tests.example",
        pool_minimum=1,
        pool_maximum=4,
        requests_per_minute=1_000_000,
        sign_ins_per_minute=100_000,
        **{**given, **others},
    )


@asynccontextmanager
async def market_over(databases: Databases, settings: Settings) -> AsyncIterator[World]:
    """The API over a test's database, with the keys of the settings."""
    vault = open_vault(settings, sandbox=True)
    app = create_app(settings, databases.app, vault)
    transport = httpx.ASGITransport(served(app), raise_app_exceptions=False)
    async with (
        running(app),
        httpx.AsyncClient(transport=transport, base_url="http://market") as client,
    ):
        yield World(client, vault)


async def say(settings: Settings, *arguments: str) -> int:
    """Say something at the command line, in a thread as it has its own event loop."""
    chosen = parser().parse_args(arguments)
    status: int = await asyncio.to_thread(chosen.do, settings, chosen)
    return status


def with_settings_of(settings: Settings, written: Path) -> Settings:
    """The settings with what the command line wrote to a file for them."""
    lines = [line.partition("=") for line in written.read_text().splitlines()]
    changes = {name.removeprefix("MARKET_").lower(): value for name, _, value in lines}
    return msgspec.structs.replace(settings, **changes)
