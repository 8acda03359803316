"""What the command line does about a receipt: verify it, away from the market and its database."""

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TypeVar
from uuid import UUID

import msgspec

from market.cli import tasks
from market.runtime import CannotStart
from market.settings import Settings
from market.signing import PublicKeySet
from market.transparency.rules.exports import MOST_BYTES, read
from market.transparency.rules.notes import BadVerifierKey
from market.transparency.verification import verify_export
from tenders.rules.receipts import (
    Finding,
    LoggedAct,
    Minutes,
    NoReceipt,
    Receipt,
    Salts,
    bad,
    good,
    judge_bid,
    judge_minutes,
    judge_record,
    judge_signature,
    read_receipt,
    told,
)

_Read = TypeVar("_Read")
_LARGEST = 64 * 1024**2


def add_to(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `receipt` and what can be done with it."""
    receipt = commands.add_parser(
        "receipt", help="a signed receipt of a bid", description="A signed receipt of a bid."
    )
    acts = receipt.add_subparsers(title="commands", metavar="COMMAND", required=True)
    purpose = "verify a receipt, without the market; exit status 1 if anything is not as it must be"
    verifying = acts.add_parser(
        "verify", help=purpose, description=f"{purpose[0].upper()}{purpose[1:]}."
    )
    for name, metavar, needed, what in (
        ("--key", "FILE", True, "the market's key set, as GET /signing-keys gave it"),
        ("--bid", "FILE", False, "the bid as it was sent: was exactly this received?"),
        ("--salts", "FILE", False, "its salts, as far as FILE is not the answer that holds them"),
        ("--minutes", "FILE", False, "the minutes of the opening: what became of it?"),
        ("--record", "FILE", False, "the record of the tender: does the log hold it?"),
    ):
        verifying.add_argument(name, metavar=metavar, required=needed, help=what)
    verifying.add_argument(
        "--log-key",
        action="append",
        default=[],
        metavar="KEY",
        help="the log's verifier key, for the record; once for each that it has had",
    )
    verifying.add_argument(
        "file", metavar="FILE", help="the receipt, or the whole answer that held it"
    )
    do: tasks.Task = verify
    verifying.set_defaults(do=do, offline=True)


def verify(_: Settings, chosen: argparse.Namespace) -> int:
    """Verify a receipt, say what was found in plain sentences, and give 0 if all is good."""
    try:
        given = read_receipt(_content(chosen.file))
    except NoReceipt as fault:
        return _say([bad(str(fault))], [])
    receipt, signature = judge_signature(given.receipt, _parsed(chosen.key, PublicKeySet))
    if receipt is None:
        return _say([signature], [])
    remarks = [told(receipt)]
    if given.receipt.sandbox:
        remarks.append("It is of a sandbox: a rehearsal, not a real tender.")
    return _say([signature, *_compared(receipt, given.salts, chosen)], remarks)


def _compared(
    receipt: Receipt, salts: Salts | None, chosen: argparse.Namespace
) -> Iterator[Finding]:
    if chosen.bid is not None:
        if chosen.salts is not None:
            salts = _parsed(chosen.salts, Salts).filled_by(salts or Salts())
        if salts is None:
            message = "Comparing a bid needs its salts: give --salts, or the whole answer as FILE."
            raise CannotStart(message)
        yield from judge_bid(receipt, _content(chosen.bid), salts)
    if chosen.minutes is not None:
        yield from judge_minutes(receipt, _parsed(chosen.minutes, Minutes))
    if chosen.record is not None:
        yield from _in_record(receipt, chosen.record, chosen.log_key)


def _in_record(receipt: Receipt, file: str, keys: Sequence[str]) -> Iterator[Finding]:
    """Verify the record of the tender first: what it says counts for nothing otherwise."""
    if not keys:
        message = "A record is verified with the log's key: give --log-key."
        raise CannotStart(message)
    content = _content(file, MOST_BYTES)
    try:
        verdict = verify_export(content, keys)
    except BadVerifierKey as error:
        raise CannotStart(str(error)) from error
    if not verdict.good:
        yield bad(f"The record of the tender is bad: {verdict.findings[0]}")
        return
    yield good("The record of the tender is as the log's checkpoint has it.")
    reading = read(content)
    if reading.record.tender != str(receipt.tender):
        yield bad("It is the record of another tender.")
        return
    acts = [
        LoggedAct(
            event.header.action,
            UUID(event.header.subject),
            int(str(event.content.details["version"])),
            event.header.position,
        )
        for event in (one.event for one in reading.events)
        if event is not None
        and event.header.action.startswith("bid.")
        and "version" in event.content.details
    ]
    yield from judge_record(receipt, acts)


def _say(findings: Sequence[Finding], remarks: Sequence[str]) -> int:
    all_good = all(finding.good for finding in findings)
    lines = ["The receipt is good." if all_good else "THE RECEIPT IS NOT GOOD.", *remarks]
    lines += [f"  {'good' if one.good else 'bad'}: {one.sentence}" for one in findings]
    sys.stdout.write("\n".join(lines) + "\n")
    return 0 if all_good else 1


def _content(file: str, most: int = _LARGEST) -> bytes:
    """Read a file; one byte more than may be is enough to find it too large."""
    with Path(file).open("rb") as opened:
        content = opened.read(most + 1)
    if len(content) > most:
        message = f"{file} is too large to be what it is given as."
        raise CannotStart(message)
    return content


def _parsed(file: str, kind: type[_Read]) -> _Read:
    try:
        return msgspec.json.decode(_content(file), type=kind)
    except (msgspec.MsgspecError, ValueError) as error:
        message = f"{file} is not what it is given as: {error}"
        raise CannotStart(message) from error
