"""The command line: `market`, and everything one can tell it."""

import argparse
import signal
import sys
from collections.abc import Sequence
from types import FrameType
from typing import NoReturn

from market.cli import (
    audit,
    keys,
    log,
    officer,
    ownership,
    people,
    receipt,
    serving,
    showing,
    tasks,
    working,
)
from market.database import UNREACHABLE
from market.demo.desk import DemonstrationFailed
from market.embedded import EmbeddedPostgresError
from market.errors import MarketError
from market.migrations import MigrationError
from market.runtime import CannotStart
from market.settings import PREFIX, BadSettings, Environment, Settings, from_environment

_EXPECTED = (
    CannotStart,
    BadSettings,
    MigrationError,
    EmbeddedPostgresError,
    MarketError,
    DemonstrationFailed,
    *UNREACHABLE,
)
FAILED = 1
"""The exit status of what could not be done; 2 is for what was not understood."""


class _Stopped(BaseException):
    """Somebody asked the process to stop."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line says, and give the exit status.

    What can be expected to fail is told in one line on stderr, never as a traceback.
    """
    chosen = parser().parse_args(arguments)
    signal.signal(signal.SIGTERM, _stop)
    try:
        # what works away from the market does not ask how one is set up
        settings = Settings() if getattr(chosen, "offline", False) else from_environment()
        status: int = chosen.do(settings, chosen)
        sys.stdout.flush()
    except BrokenPipeError:
        sys.stderr.close()  # whoever read has gone, and needs no complaint either
        return FAILED
    except _EXPECTED as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        sys.stderr.write(f"market: {reason}\n")
        return FAILED
    except (KeyboardInterrupt, _Stopped):
        return 0
    return status


def _stop(_: int, __: FrameType | None) -> NoReturn:
    """Leave by way of every context, so that the embedded server is stopped in order."""
    raise _Stopped


def parser() -> argparse.ArgumentParser:
    """All that can be said, with its help."""
    top = argparse.ArgumentParser(
        prog="market",
        description="The commissioning support market: tenders, sealed bids, evaluation, award.",
        epilog=_settings_help(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = top.add_subparsers(title="commands", metavar="COMMAND", required=True)

    run = _add(commands, "run", "serve the API", serving.run)
    run.add_argument("--host", help="address to listen on (MARKET_HOST, or 127.0.0.1)")
    run.add_argument("--port", type=_port, help="port; 0 takes any (MARKET_PORT, or 8000)")
    run.add_argument(
        "--workers", type=_workers, default=1, metavar="N", help="how many processes (1)"
    )
    run.add_argument(
        "--no-demonstration",
        action="store_true",
        help="do not load the demonstration's data into an empty embedded database",
    )
    run.add_argument(
        "--no-worker",
        action="store_true",
        help="serve alone: `market worker` runs elsewhere",
    )
    worker = _add(
        commands,
        "worker",
        "do what is done beside requests: number and sign the log, deliver what is due",
        working.worker,
    )
    log.add_covering(worker, "checkpoints kept elsewhere: do not begin if the log contradicts them")
    worker.add_argument("--beside", type=int, metavar="PID", help=argparse.SUPPRESS)

    _add(
        commands,
        "demo",
        "live through a whole competition, told as it happens (sandbox only)",
        showing.demo,
    )

    _add(commands, "migrate", "bring the database to this version's schema", tasks.migrate)

    init = _add(
        commands,
        "init",
        "migrate, and write once what the database is for; it cannot be changed later",
        tasks.initialise,
    )
    init.add_argument("--environment", required=True, choices=[kind.value for kind in Environment])

    operator = commands.add_parser(
        "operator", help="the market's operator", description="The market's operator."
    )
    acts = operator.add_subparsers(title="commands", metavar="COMMAND", required=True)
    invite = _add(
        acts,
        "invite",
        "invite the operator's registrar; prints the invitation's secret, once",
        tasks.invite_operator,
    )
    invite.add_argument("--email", required=True, help="whom to invite")

    owned = commands.add_parser(
        "ownership", help="who owns whom", description="What is known of who owns whom."
    )
    acts = owned.add_subparsers(title="commands", metavar="COMMAND", required=True)
    imported = _add(
        acts,
        "import",
        "import Beneficial Ownership Data Standard statements (0.2, 0.4; an array or JSON Lines)",
        ownership.import_file,
    )
    imported.add_argument("file", metavar="FILE", help="the file of statements")
    imported.add_argument("--source", required=True, type=_source, help="where the file is from")

    people.add_to(commands)
    audit.add_to(commands)
    receipt.add_to(commands)
    keys.add_to(commands)
    officer.add_to(commands)
    log.add_to(commands)
    _add(commands, "clock", "show the market's time, and how far it is ahead", tasks.show_clock)
    _add(commands, "openapi", "print the OpenAPI document", tasks.show_document)
    _add(
        commands,
        "status",
        "show what is on and what is missing; exit status 1 if something is",
        tasks.show_status,
    )
    return top


def _add(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]",
    name: str,
    purpose: str,
    do: tasks.Task,
) -> argparse.ArgumentParser:
    added = commands.add_parser(
        name, help=purpose, description=f"{purpose[0].upper()}{purpose[1:]}."
    )
    added.set_defaults(do=do)
    return added


def _port(text: str) -> int:
    if not (text.isdecimal() and int(text) <= 65535):  # noqa: PLR2004  # what a port can be
        message = "a port is a number from 0 to 65535"
        raise argparse.ArgumentTypeError(message)
    return int(text)


def _source(text: str) -> str:
    if not (text.strip() and text.isprintable() and len(text) <= 300):  # noqa: PLR2004  # as by HTTP
        message = "say in 1 to 300 characters where the file is from"
        raise argparse.ArgumentTypeError(message)
    return text


def _workers(text: str) -> int:
    if not (text.isdecimal() and 1 <= int(text) <= 64):  # noqa: PLR2004  # more than one machine needs
        message = "the number of processes is 1 to 64"
        raise argparse.ArgumentTypeError(message)
    return int(text)


def _settings_help() -> str:
    """Name every setting with its default, out of the struct that reads them."""
    defaults = Settings()
    lines = [
        "settings, all from the environment:",
        *(
            f"  {PREFIX}{name.upper():<32}{_shown(getattr(defaults, name))}"
            for name in Settings.__struct_fields__
        ),
        "",
        "Without MARKET_DATABASE_URL the market runs its own PostgreSQL in MARKET_HOME.",
    ]
    return "\n".join(lines)


def _shown(default: object) -> str:
    return "" if default is None else str(default)
