"""What the command line does about the record: export and check it here, verify it elsewhere."""

import argparse
import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg

from market.background import workbench
from market.cli import log, tasks
from market.runtime import CannotStart, Runtime, prepare
from market.settings import Settings
from market.transparency.checking import Checked, check_log
from market.transparency.exporting import Covered, NotCovered, NothingToExport, export_tender
from market.transparency.keeping import bring_up_to_now
from market.transparency.restarting import Contradicted, ensure_covers, known_keys
from market.transparency.rules.exports import MOST_BYTES
from market.transparency.rules.notes import BadVerifierKey, VerifierKey
from market.transparency.rules.verdicts import Verdict
from market.transparency.verification import verify_export


def add_to(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `audit` and what can be done with it."""
    audit = commands.add_parser(
        "audit", help="the log, and the record of a tender", description="The log of the market."
    )
    acts = audit.add_subparsers(title="commands", metavar="COMMAND", required=True)
    purpose = "write the record of a tender to a file that anybody can verify without the market"
    exporting = acts.add_parser(
        "export", help=purpose, description=f"{purpose[0].upper()}{purpose[1:]}."
    )
    exporting.add_argument("tender", type=_tender, metavar="TENDER", help="the tender's id")
    exporting.add_argument(
        "--to", metavar="FILE", help="the file to write (tender-record-TENDER.json)"
    )
    log.add_covering(exporting, "checkpoints held elsewhere that the file must be comparable with")
    exporting.set_defaults(do=export)
    purpose = "read the whole log and compare it with every checkpoint; exit status 1 if it is bad"
    checking = acts.add_parser(
        "check", help=purpose, description=f"{purpose[0].upper()}{purpose[1:]}."
    )
    checking.add_argument(
        "--checkpoint",
        action="extend",
        nargs="+",
        default=[],
        metavar="FILE",
        help="a checkpoint that was kept elsewhere",
    )
    checking.set_defaults(do=check)
    purpose = "verify the file of a tender's record, without the market; exit status 1 if it is bad"
    verifying = acts.add_parser(
        "verify", help=purpose, description=f"{purpose[0].upper()}{purpose[1:]}."
    )
    verifying.add_argument("file", metavar="FILE", help="the file of the record")
    verifying.add_argument(
        "--key",
        required=True,
        action="append",
        type=_key,
        metavar="KEY",
        help="the log's verifier key, NAME+ID+BASE64; once for each that it has had",
    )
    verifying.add_argument(
        "--checkpoint",
        action="extend",
        nargs="+",
        default=[],
        metavar="FILE",
        help="a checkpoint that was kept elsewhere: what finds out another history",
    )
    do: tasks.Task = verify
    verifying.set_defaults(do=do, offline=True)


def verify(_: Settings, chosen: argparse.Namespace) -> int:
    """Verify a file, say what came of it, and give 0 if all is good."""
    content = _content(Path(chosen.file), MOST_BYTES)
    checkpoints = log.notes_in(chosen.checkpoint)
    verdict = verify_export(content, chosen.key, checkpoints)
    for line in _told(verdict):
        sys.stdout.write(f"{line}\n")
    return 0 if verdict.good else 1


def export(settings: Settings, chosen: argparse.Namespace) -> int:
    """Bring the log up to now, and write the record of a tender as of then."""
    target = Path(chosen.to or f"tender-record-{chosen.tender}.json")
    notes = log.notes_in(chosen.covering)
    with prepare(settings) as runtime:
        made = asyncio.run(tender_record(runtime, chosen.tender, notes))
    keys = " ".join(f"--key {key}" for key in made.keys)
    target.write_bytes(made.content)
    sys.stdout.write(
        f"{target}: {made.events} events, under the checkpoint of {made.size} positions"
        f" signed at {made.signed_at:%Y-%m-%dT%H:%M:%SZ}.\n"
        f"Verify it with: market audit verify {target} {keys}\n"
    )
    return 0


async def tender_record(runtime: Runtime, tender: UUID, covering: Sequence[str] = ()) -> Covered:
    """Number, hash and sign what is not yet, where this process may, and make the record.

    Raises:
        CannotStart: there is no such tender, or this process may not read private details.
    """
    if runtime.migration is None:
        message = (
            "MARKET_MIGRATION_URL is not set: a record holds private details, which only the role"
            " that migrates reads."
        )
        raise CannotStart(message)
    if runtime.worker is not None:
        await _sign(runtime, runtime.worker, covering)
    connection = await asyncpg.connect(**runtime.migration)
    try:
        keys = await known_keys(connection, runtime.vault)
        return await export_tender(connection, keys, tender, covering)
    except (NothingToExport, NotCovered) as error:
        raise CannotStart(str(error)) from error
    finally:
        await connection.close()


async def _sign(runtime: Runtime, worker: dict[str, Any], covering: Sequence[str]) -> None:
    """Bring the log up to now, unless it contradicts what was kept elsewhere.

    Raises:
        CannotStart: it does, so that nothing is signed.
    """
    async with workbench(runtime.settings, worker, runtime.vault) as bench:
        try:
            async with bench.database.connection() as connection:
                await ensure_covers(connection, runtime.vault, covering)
        except Contradicted as error:
            raise CannotStart(str(error)) from error
        await bring_up_to_now(bench)


def check(settings: Settings, chosen: argparse.Namespace) -> int:
    """Read the whole log, say what came of it, and give 0 if all is good."""
    notes = log.notes_in(chosen.checkpoint)

    async def read(runtime: Runtime) -> Checked:
        way = runtime.worker or runtime.migration
        if way is None:
            message = "MARKET_WORKER_URL is not set: checking needs the role that reads the log."
            raise CannotStart(message)
        connection = await asyncpg.connect(**way)
        try:
            return await check_log(connection, await known_keys(connection, runtime.vault), notes)
        finally:
            await connection.close()

    with prepare(settings) as runtime:
        checked = asyncio.run(read(runtime))
    lines = ["The log is good." if checked.good else "THE LOG IS BAD."]
    if checked.first_bad_position is not None:
        lines.append(f"First bad position: {checked.first_bad_position}")
    lines += [f"  bad: {finding.sentence}" for finding in checked.findings]
    lines.append(
        f"Read {checked.size} positions, and compared them with {checked.checkpoints} checkpoints"
        f" signed here and {checked.held} held elsewhere."
    )
    if checked.lost:
        lines.append(f"{checked.lost} held elsewhere are of what was declared lost at a restart.")
    sys.stdout.write("\n".join(lines) + "\n")
    return 0 if checked.good else 1


def _tender(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        message = "a tender's id is a UUID"
        raise argparse.ArgumentTypeError(message) from None


def _told(verdict: Verdict) -> list[str]:
    checked = verdict.checked
    lines = ["The record is good." if verdict.good else "THE RECORD IS BAD."]
    if verdict.first_bad_position is not None:
        lines.append(f"First bad position: {verdict.first_bad_position}")
    lines += [f"  bad: {finding}" for finding in verdict.findings]
    lines += [
        f"Checked against a log of {checked.positions} positions, and found good:",
        f"  {checked.events} events, each in the log, with what was said and its number",
        f"  {checked.private_details} private details; {checked.erased} are not in the file",
        f"  {checked.earlier_checkpoints} earlier checkpoints in the file",
        f"  {checked.held_checkpoints} checkpoints held elsewhere",
        f"  {checked.time_stamps} time stamps, of which the authority was not checked",
    ]
    return lines + [f"  note: {remark}" for remark in verdict.remarks]


def _content(path: Path, most_bytes: int) -> bytes:
    """Read a file, and one byte more than may be: what judges it says that it is too large."""
    with path.open("rb") as file:
        return file.read(most_bytes + 1)


def _key(text: str) -> str:
    try:
        VerifierKey.parse(text)
    except BadVerifierKey as error:
        raise argparse.ArgumentTypeError(str(error)) from error
    return text
