"""`market demo`, and the demonstration's data in a new sandbox."""

import argparse
import asyncio
import sys
from pathlib import Path
from uuid import UUID

import httpx
import msgspec
from rich.console import Console

from market.cli.audit import tender_record
from market.demo.bidders import BIDDERS
from market.demo.cast import BUYERS, REGISTRAR
from market.demo.desk import DemonstrationFailed
from market.observation.log import configure_log
from market.openapi import PREFIX
from market.performance import ARTEFACTS, demonstrate, ensure_populated
from market.runtime import Runtime, prepare
from market.settings import Environment, Settings
from market.transparency.exporting import Covered
from market.transparency.verification import verify_export

_UNLIMITED = 1_000_000_000


def demo(settings: Settings, _: argparse.Namespace) -> int:
    """Play the whole competition, told as it happens."""
    configure_log("ERROR")
    console = Console(highlight=False)
    with prepare(settings) as runtime:
        play = asyncio.run(demonstrate(_unlimited(runtime), console))
        made = asyncio.run(tender_record(runtime, UUID(play.tender)))
        _show_record(made, settings.folder / ARTEFACTS, console)
    return 0


def _show_record(made: Covered, folder: Path, console: Console) -> None:
    """Verify the record as an outsider would, and once more with one word of it changed."""
    console.print("[bold]The record, verified without the market[/bold]")
    target, key = folder / "tender-record.json", made.keys[0]
    target.write_bytes(made.content)
    (folder / "log-key.txt").write_text(f"{key}\n", encoding="ascii")
    verdict = verify_export(made.content, [key])
    console.print(
        f"    {'Good' if verdict.good else 'BAD'}: {verdict.checked.events} events, each proven"
        f" to be in the log of {verdict.checked.positions}."
    )
    forged = verify_export(made.content.replace(b'"award.approved"', b'"award.returned"', 1), [key])
    console.print(
        f"    With one approval turned into a return: {'good' if forged.good else 'bad'}, from"
        f" position {forged.first_bad_position} on."
    )
    console.print(f"    market audit verify {target} --key '{key}'", soft_wrap=True, markup=False)


def ensure_demonstration(runtime: Runtime) -> list[str]:
    """Load the demonstration's data into a new embedded sandbox; say how to sign in to it.

    A sandbox that fails to be loaded is served as it is: the reason is told on stderr.
    """
    if not runtime.settings.embedded or runtime.environment is not Environment.SANDBOX:
        return []
    configure_log("ERROR")
    try:
        password = asyncio.run(ensure_populated(_unlimited(runtime)))
    except (DemonstrationFailed, httpx.HTTPError) as error:
        reason = " ".join(str(error).split())
        sys.stderr.write(f"market: the demonstration's data could not be loaded: {reason}\n")
        return []
    finally:
        configure_log(runtime.settings.log_level)
    if password is None:
        return []
    lead, supplier = BUYERS[0].email, BIDDERS[-1].email
    return [
        f"  sign in        POST {PREFIX}/sessions; everybody's password is {password}",
        f"                 {lead} (procurement lead), {supplier} (supplier), {REGISTRAR.email}",
    ]


def _unlimited(runtime: Runtime) -> Runtime:
    """The same market without limits of rate: all of the demonstration comes from one address."""
    settings = msgspec.structs.replace(
        runtime.settings, requests_per_minute=_UNLIMITED, sign_ins_per_minute=_UNLIMITED
    )
    return msgspec.structs.replace(runtime, settings=settings)
