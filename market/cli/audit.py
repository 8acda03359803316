"""What the command line does about the record: verifying a tender's, away from the market."""

import argparse
import sys
from pathlib import Path

from market.cli import tasks
from market.settings import Settings
from market.transparency.rules.exports import MOST_BYTES
from market.transparency.rules.notes import MOST_NOTE_BYTES, BadVerifierKey, VerifierKey
from market.transparency.rules.verdicts import Verdict
from market.transparency.verification import verify_export


def add_to(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `audit` and what can be done with it."""
    audit = commands.add_parser(
        "audit", help="the record of a tender", description="The record of a tender."
    )
    acts = audit.add_subparsers(title="commands", metavar="COMMAND", required=True)
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
    checkpoints = [
        # Bytes that are no UTF-8 become characters that no note may have.
        _content(Path(file), MOST_NOTE_BYTES).decode("utf-8", "surrogateescape")
        for file in chosen.checkpoint
    ]
    verdict = verify_export(content, chosen.key, checkpoints)
    for line in _told(verdict):
        sys.stdout.write(f"{line}\n")
    return 0 if verdict.good else 1


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
