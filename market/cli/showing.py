"""`market demo`, and the demonstration's data in a new sandbox."""

import argparse
import asyncio
import secrets
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import httpx
import msgspec
from rich.console import Console

from market.app import create_app, served
from market.cli.servers import AnnouncedServer, address_of, listen, server_config
from market.cli.tasks import ACTOR
from market.demo.bidders import BIDDERS
from market.demo.cast import BUYERS, REGISTRAR
from market.demo.desk import DemonstrationFailed
from market.demo.show import perform, populate
from market.observation.log import configure_log
from market.openapi import PREFIX
from market.people.commands import create_operator
from market.runtime import Runtime, kept_secret, prepare
from market.settings import Environment, Settings

_UNLIMITED = 1_000_000_000
_TIMEOUT = 60.0  # seconds for one request of the demonstration


def demo(settings: Settings, chosen: argparse.Namespace) -> int:
    """Play the competition in a market that exists for it alone."""
    configure_log("WARNING")
    folder = settings.folder / "demo" if chosen.folder is None else Path(chosen.folder)
    console = Console(highlight=False)
    with tempfile.TemporaryDirectory(prefix="market-demo-") as home:
        own = Settings(home=home, postgres_programs=settings.postgres_programs)
        with prepare(own) as runtime:
            asyncio.run(_perform(runtime, folder, console))
    return 0


async def _perform(runtime: Runtime, folder: Path, console: Console) -> None:
    async with _playing(runtime) as (client, invitation):
        await perform(
            client,
            password=secrets.token_urlsafe(12),
            invitation=invitation,
            folder=folder,
            console=console,
        )


def ensure_demonstration(runtime: Runtime) -> list[str]:
    """Load the demonstration's data into a new embedded sandbox; say how to sign in to it.

    A sandbox in which people have registered otherwise is left alone. What a stopped or failed
    loading has begun is gone on with at the next start.
    """
    if not runtime.settings.embedded or runtime.environment is not Environment.SANDBOX:
        return []
    state = runtime.settings.folder / "demonstration"
    if not state.exists():
        if asyncio.run(_has_people(runtime)):
            return []
        state.write_text("begun\n")
    password = kept_secret(
        runtime.settings.folder / "keys" / "demonstration-password",
        lambda: secrets.token_urlsafe(12),
    )
    if state.read_text().strip() != "loaded":
        sys.stderr.write("Loading the demonstration's data; this is done once.\n")
        try:
            asyncio.run(_populate(runtime, password))
        except (DemonstrationFailed, httpx.HTTPError) as error:
            reason = " ".join(str(error).split())
            sys.stderr.write(f"The demonstration's data could not be loaded: {reason}\n")
            return []
        state.write_text("loaded\n")
    lead, supplier = BUYERS[0].email, BIDDERS[-1].email
    return [
        f"  sign in        POST {PREFIX}/sessions; everybody's password is {password}",
        f"                 {lead} (procurement lead), {supplier} (supplier), {REGISTRAR.email}",
    ]


async def _has_people(runtime: Runtime) -> bool:
    connection = await asyncpg.connect(**runtime.connection)
    try:
        return bool(await connection.fetchval("SELECT EXISTS (SELECT FROM person)"))
    finally:
        await connection.close()


async def _populate(runtime: Runtime, password: str) -> None:
    async with _playing(runtime) as (client, invitation):
        await populate(client, password=password, invitation=invitation)


@asynccontextmanager
async def _playing(runtime: Runtime) -> AsyncIterator[tuple[httpx.AsyncClient, str | None]]:
    """Serve the API on a port of its own, without limits of rate, to the demonstration alone."""
    settings = msgspec.structs.replace(
        runtime.settings, requests_per_minute=_UNLIMITED, sign_ins_per_minute=_UNLIMITED
    )
    with listen("127.0.0.1", 0) as listening:
        app = served(create_app(settings, runtime.connection, runtime.vault))
        server = AnnouncedServer(server_config(app))
        serving = asyncio.create_task(server.serve(sockets=[listening]))
        ready = asyncio.create_task(server.ready.wait())
        await asyncio.wait({serving, ready}, return_when=asyncio.FIRST_COMPLETED)
        try:
            if not ready.done():
                ready.cancel()
                message = "The API did not start."
                raise DemonstrationFailed(message)
            invited = await create_operator(
                ACTOR, REGISTRAR.email, settings.invitation_lifetime, runtime.vault
            )
            async with httpx.AsyncClient(
                base_url=address_of(listening), timeout=_TIMEOUT, trust_env=False
            ) as client:
                yield client, None if invited is None else invited.secret
        finally:
            server.should_exit = True
            await serving
