"""What the command line does besides serving: migrate, initialise, invite, show."""

import argparse
import asyncio
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import msgspec

from market import database
from market.actor import Actor
from market.app import api_document
from market.clock.queries import read_clock
from market.people.commands import create_operator
from market.runtime import Runtime, migrated, prepare
from market.settings import BadSettings, Environment, Settings
from market.status.queries import status
from market.status.schemas import Mark

Task = Callable[[Settings, argparse.Namespace], int]

ACTOR = Actor(request="command line")


@asynccontextmanager
async def connected(runtime: Runtime) -> AsyncIterator[None]:
    """Run commands and queries of the market outside a server."""
    await database.open_pool(
        msgspec.structs.replace(runtime.settings, pool_minimum=1, pool_maximum=2),
        runtime.connection,
    )
    try:
        yield
    finally:
        await database.close_pool()


def _say(*lines: str) -> None:
    for line in lines:
        sys.stdout.write(f"{line}\n")


def migrate(settings: Settings, _: argparse.Namespace) -> int:
    """Run the migrations that have not run."""
    with migrated(settings) as ran:
        _say(*(f"ran {name}" for name in ran))
        if not ran:
            _say("Nothing to do: every migration has run.")
    return 0


def initialise(settings: Settings, chosen: argparse.Namespace) -> int:
    """Migrate, write what the database is for, load the reference data."""
    try:
        settings = msgspec.structs.replace(settings, environment=Environment(chosen.environment))
    except ValueError as error:
        raise BadSettings(str(error)) from None
    with prepare(settings) as runtime:
        _say(f"The database is ready as {runtime.environment.value}.")
    return 0


def invite_operator(settings: Settings, chosen: argparse.Namespace) -> int:
    """Invite the operator's registrar, and show the secret of the invitation."""

    async def invite(runtime: Runtime) -> int:
        async with connected(runtime):
            given = await create_operator(
                ACTOR, chosen.email, settings.invitation_lifetime, runtime.vault
            )
        if given is None:
            _say(f"{chosen.email} is a registrar already.")
            return 0
        until = f"{given.expires_at:%d %B %Y, %H:%M} UTC"
        _say(f"Invited {given.email} to be the market's registrar, until {until}.")
        _say("Hand them this secret; they send it to POST /api/v1/invitation-acceptances:")
        _say(given.secret)
        return 0

    with prepare(settings) as runtime:
        return asyncio.run(invite(runtime))


def show_clock(settings: Settings, _: argparse.Namespace) -> int:
    """Show the market's time."""

    async def read(runtime: Runtime) -> int:
        async with connected(runtime):
            clock = await read_clock(ACTOR)
        ahead = f"{clock.shift_seconds:.0f} seconds ahead of" if clock.shift_seconds else "with"
        _say(f"{clock.now:%Y-%m-%dT%H:%M:%SZ}, {ahead} real time ({clock.environment})")
        return 0

    with prepare(settings) as runtime:
        return asyncio.run(read(runtime))


def show_document(_: Settings, __: argparse.Namespace) -> int:
    """Print the OpenAPI document."""
    sys.stdout.write(api_document().decode())
    return 0


def show_status(settings: Settings, _: argparse.Namespace) -> int:
    """Print the status, line by line."""

    async def read(runtime: Runtime) -> int:
        async with connected(runtime):
            found = await status(settings, runtime.vault, serving=False)
        _say(f"{found.environment.upper()}, version {found.version}")
        for line in found.lines:
            mark = {Mark.GOOD: "ok     ", Mark.MISSING: "MISSING", Mark.NOTE: "       "}[line.mark]
            _say(f"{mark}  {line.name}: {line.found}", f"         {line.meaning}")
        return 0 if found.complete else 1

    with prepare(settings) as runtime:
        return asyncio.run(read(runtime))
