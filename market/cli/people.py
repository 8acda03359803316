"""What the command line does about people: erasing somebody, legal holds."""

import argparse
import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import asyncpg

from market.erasure import commands
from market.erasure.queries import find_person, plan_of
from market.erasure.rules import ERASES, STAYS, reasons_against
from market.erasure.schemas import Person, Plan
from market.migrations import OWNER
from market.runtime import CannotStart, Runtime, join
from market.settings import Settings

LONGEST_REASON = 2000


def add_to(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `people` and what can be done about them."""
    people = commands.add_parser(
        "people", help="erasure and legal holds", description="Erasure and legal holds."
    )
    acts = people.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for name, purpose, do, what in (
        (
            "erase",
            "show what erasing somebody would take and leave; with --yes, erase them for good",
            erase,
            "whom to erase",
        ),
        ("hold", "forbid that anything about a person is erased", hold, "about whom"),
        ("release", "release a legal hold", release, "its id"),
    ):
        act = acts.add_parser(name, help=purpose, description=f"{purpose[0].upper()}{purpose[1:]}.")
        if name == "release":
            act.add_argument("hold", metavar="HOLD", type=identity, help=what)
        else:
            act.add_argument("person", metavar="EMAIL|ID", help=what)
        if name == "erase":
            act.add_argument("--yes", action="store_true", help="erase them")
        act.add_argument(
            "--because",
            required=True,
            type=reason,
            metavar="TEXT",
            help="why; it is kept, so name nobody in it",
        )
        act.set_defaults(do=do)


def erase(settings: Settings, chosen: argparse.Namespace) -> int:
    """Show what erasing somebody would take and leave; with --yes, erase them."""

    async def run(connection: Any) -> int:
        person = await find_person(connection, chosen.person)
        if person.erased_at is not None:
            sys.stderr.write(f"market: {person.id} was erased on {person.erased_at:%d %B %Y}.\n")
            return 1
        plan = await plan_of(connection, person.id)
        against = list(_against(plan))
        if against:
            sys.stderr.write("".join(f"{reason}\n" for reason in against))
            sys.stderr.write(f"market: {person.id} cannot be erased now.\n")
            return 1
        _show(person, plan)
        if not chosen.yes:
            _say("", "Nothing was erased. Say it again with --yes to erase them for good.")
            return 0
        erasure = await commands.erase(connection, person.id, chosen.because)
        _say("", f"Erased {person.id} (erasure {erasure}).")
        return 0

    return _as_owner(settings, run)


def hold(settings: Settings, chosen: argparse.Namespace) -> int:
    """Forbid that anything about a person is erased."""

    async def run(connection: Any) -> int:
        person = await find_person(connection, chosen.person)
        placed = await commands.place_hold(connection, person.id, chosen.because)
        _say(f"Placed the legal hold {placed} on {person.id}. Release it by this id.")
        return 0

    return _as_owner(settings, run)


def release(settings: Settings, chosen: argparse.Namespace) -> int:
    """Release a legal hold."""

    async def run(connection: Any) -> int:
        person = await commands.release_hold(connection, chosen.hold, chosen.because)
        _say(f"Released the legal hold {chosen.hold} on {person}.")
        return 0

    return _as_owner(settings, run)


def _as_owner(settings: Settings, run: Callable[[Any], Awaitable[int]]) -> int:
    async def connected(runtime: Runtime) -> int:
        async with _owner(runtime) as connection:
            return await run(connection)

    with join(settings) as runtime:
        return asyncio.run(connected(runtime))


@asynccontextmanager
async def _owner(runtime: Runtime) -> AsyncIterator[Any]:
    """Connect as the role that owns the schema, which alone can do what is done here.

    Raises:
        CannotStart: this process does not know a way in for it.
    """
    if runtime.migration is None:
        message = "MARKET_MIGRATION_URL is not set: this needs the role that owns the schema."
        raise CannotStart(message)
    connection = await asyncpg.connect(**runtime.migration, server_settings={"role": OWNER})
    try:
        yield connection
    finally:
        await connection.close()


def _against(plan: Plan) -> list[str]:
    found = list(reasons_against(plan.kept, plan.holds, plan.today))
    found += [
        f"They are the only administrator of {name}: somebody else has to be one first."
        for name in plan.alone_in
    ]
    return found


def _show(person: Person, plan: Plan) -> None:
    _say(f"{person.name} <{person.email}>, {person.id}", "", "Erased would be:")
    _say("  name, address, password")
    for change in plan.changes:
        if change.row_count:
            what = ERASES.get(change.name, change.name.replace("_", " "))
            _say(f"  {what} ({change.row_count})")
    _say("", f"What stays, with the {plan.events} events of what they did:")
    _say(*(f"  {line}" for line in STAYS))


def _say(*lines: str) -> None:
    for line in lines:
        sys.stdout.write(f"{line}\n")


def reason(text: str) -> str:
    """Read the reason of an erasure or of a legal hold.

    Raises:
        ArgumentTypeError: it is blank or too long.
    """
    if not (text.strip() and text.isprintable() and len(text) <= LONGEST_REASON):
        message = f"say why in 1 to {LONGEST_REASON} characters"
        raise argparse.ArgumentTypeError(message)
    return text


def identity(text: str) -> UUID:
    """Read an id.

    Raises:
        ArgumentTypeError: it is none.
    """
    try:
        return UUID(text)
    except ValueError:
        message = "an id has the form 01234567-89ab-cdef-0123-456789abcdef"
        raise argparse.ArgumentTypeError(message) from None
