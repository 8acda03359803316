"""The demonstration on its stage: a sandbox's API on a loopback port, and the play on it."""

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import uvicorn
from rich.console import Console

from market.actor import Actor
from market.app import create_app, served
from market.database import fetch_value, reading
from market.demo.cast import REGISTRAR
from market.demo.play import Play
from market.demo.show import perform, populate
from market.people.commands import create_operator
from market.runtime import CannotStart, Runtime
from market.settings import Environment

ARTEFACTS = "demo"
_PASSWORD = "demonstration-password"  # noqa: S105  # the name of a file
_INVITATION_LIFETIME = 3600
_PATIENCE = 30.0  # seconds that one request of the play may take


def demonstration_password(folder: Path) -> str:
    """The one password of everybody in the demonstration, made once for this market, kept 0600."""
    path = folder / _PASSWORD
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text(f"{secrets.token_urlsafe(12)}\n", encoding="ascii")
    return path.read_text(encoding="ascii").strip()


@asynccontextmanager
async def _stage(runtime: Runtime) -> AsyncIterator[httpx.AsyncClient]:
    """Serve the API on a free loopback port while the context lasts."""
    app = create_app(runtime.settings, runtime.connection, runtime.vault)
    config = uvicorn.Config(served(app), host="127.0.0.1", port=0, log_config=None)
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    try:
        while not server.started:
            if serving.done():
                message = "The API did not start."
                raise CannotStart(message)
            await asyncio.sleep(0.01)
        port = server.servers[0].sockets[0].getsockname()[1]
        url = f"http://127.0.0.1:{port}"
        async with httpx.AsyncClient(base_url=url, timeout=_PATIENCE) as client:
            yield client
    finally:
        server.should_exit = True
        await serving


async def _invitation(runtime: Runtime) -> str | None:
    """The registrar's invitation, or None where there is a registrar already."""
    made = await create_operator(Actor(), REGISTRAR.email, _INVITATION_LIFETIME, runtime.vault)
    return None if made is None else made.secret


def _ensure_sandbox(runtime: Runtime) -> None:
    if runtime.environment is not Environment.SANDBOX:
        message = "The demonstration invents people and moves the clock: only a sandbox plays it."
        raise CannotStart(message)


async def demonstrate(runtime: Runtime, console: Console) -> Play:
    """Play the whole competition with live progress, and write its artefacts.

    Raises:
        CannotStart: the database is not a sandbox.
        DemonstrationFailed: the API answered otherwise than the story has it.
    """
    _ensure_sandbox(runtime)
    folder = runtime.settings.folder
    async with _stage(runtime) as client:
        return await perform(
            client,
            password=demonstration_password(folder),
            invitation=await _invitation(runtime),
            folder=folder / ARTEFACTS,
            console=console,
        )


async def ensure_populated(runtime: Runtime) -> str | None:
    """Give an empty sandbox the demonstration's data and a tender that is open for bids.

    Gives the password of everybody in the demonstration; None where the sandbox holds other data,
    which is then left alone.
    """
    _ensure_sandbox(runtime)
    folder = runtime.settings.folder
    async with _stage(runtime) as client:
        published = (await client.get("/api/v1/tenders?status=published")).json()
        if published["items"]:
            known = (folder / _PASSWORD).exists()
            return demonstration_password(folder) if known else None
        async with reading(Actor()):
            strangers = await fetch_value(
                "SELECT count(*) FROM person WHERE email NOT LIKE '%.example'"
            )
        if strangers:
            return None
        password = demonstration_password(folder)
        await populate(client, password=password, invitation=await _invitation(runtime))
        return password
