"""What the command line does about the log's origin: restarting it after its end was lost."""

import argparse
import asyncio
import sys
from pathlib import Path

import asyncpg

from market.migrations import OWNER
from market.runtime import CannotStart, Runtime, join
from market.settings import Settings
from market.transparency.restarting import CannotRestart, Declared
from market.transparency.restarting import restart as declare
from market.transparency.rules.notes import MOST_NOTE_BYTES
from market.transparency.witness import Witness


def add_to(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `log` and what can be done with it."""
    log = commands.add_parser("log", help="the origin of the log", description="The log's origin.")
    acts = log.add_subparsers(title="commands", metavar="COMMAND", required=True)
    purpose = "declare a new origin of the log, after a restore lost the end of its present one"
    restarting = acts.add_parser(
        "restart", help=purpose, description=f"{purpose[0].upper()}{purpose[1:]}."
    )
    restarting.add_argument(
        "--because",
        required=True,
        metavar="TEXT",
        help="why, in at most 300 characters; it is published for good, so name nobody in it",
    )
    add_covering(restarting, "the newest checkpoints that can be found elsewhere: what was lost")
    restarting.set_defaults(do=restart)


def add_covering(parser: argparse.ArgumentParser, purpose: str) -> None:
    """Let checkpoints be named that were kept elsewhere."""
    parser.add_argument(
        "--covering", action="extend", nargs="+", default=[], metavar="FILE", help=purpose
    )


def notes_in(files: list[str]) -> list[str]:
    """Read checkpoints; bytes that are no UTF-8 become characters that no note may have."""
    notes = []
    for name in files:
        with Path(name).open("rb") as file:
            notes.append(file.read(MOST_NOTE_BYTES + 1).decode("utf-8", "surrogateescape"))
    return notes


def restart(settings: Settings, chosen: argparse.Namespace) -> int:
    """Declare a new origin, and say of each former one what is kept and what is lost.

    The checkpoint that a worker kept on this machine is shown beside those that are named.
    """
    notes = [*Witness(settings.folder).notes(), *notes_in(chosen.covering)]
    with join(settings) as runtime:
        made = asyncio.run(_restart(runtime, chosen.because, notes))
    for one in made:
        said = "its end is lost" if one.restart.known > one.restart.kept else "none is lost"
        sys.stdout.write(
            f"{one.restart.former}: {one.restart.kept} positions are kept, and its newest known"
            f" checkpoint is of {one.restart.known}: {said}.\n"
        )
    sys.stdout.write(
        f"The log is {made[0].restart.origin} from now on. Publish the declaration, and the new key"
        " (GET /log/key):\n" + "".join(f"\n{one.note}" for one in made)
    )
    return 0


async def _restart(runtime: Runtime, because: str, notes: list[str]) -> list[Declared]:
    if runtime.migration is None:
        message = "MARKET_MIGRATION_URL is not set: this needs the role that owns the schema."
        raise CannotStart(message)
    connection = await asyncpg.connect(**runtime.migration, server_settings={"role": OWNER})
    try:
        return await declare(connection, runtime.vault, because, notes)
    except CannotRestart as error:
        raise CannotStart(str(error)) from error
    finally:
        await connection.close()
