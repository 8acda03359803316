"""What the command line does about ownership: importing large files of statements."""

import argparse
import asyncio
import sys
import time
from pathlib import Path

from market.cli.tasks import ACTOR, connected
from market.ownership.commands import import_statements
from market.ownership.errors import UnusableStatements
from market.runtime import CannotStart, Runtime, prepare
from market.settings import Settings


def import_file(settings: Settings, chosen: argparse.Namespace) -> int:
    """Import a file of ownership statements in one transaction, and say what became of it."""
    content = _content(Path(chosen.file), settings.ownership_file_limit)

    async def run(runtime: Runtime) -> int:
        began = time.perf_counter()
        async with connected(runtime):
            try:
                made = await import_statements(
                    ACTOR, content, chosen.source, most_bytes=settings.ownership_file_limit
                )
            except UnusableStatements as refusal:
                for fault in refusal.faults:
                    sys.stderr.write(f"{fault.field}: {fault.reason}\n")
                sys.stderr.write(f"market: {refusal.title}\n")
                return 1
        took = time.perf_counter() - began
        sys.stdout.write(
            f"Read {made.statements} statements, {made.added} of them new, in {took:.1f} s:"
            f" {made.parties} parties and {made.links} links made, {made.merged} parties merged,"
            f" {made.ended} links ended.\n"
            f"{made.silent} relationships give a reason for silence;"
            f" {made.unresolved} references lead nowhere.\n"
        )
        for warning in made.warnings:
            sys.stdout.write(f"warning: {warning}\n")
        return 0

    with prepare(settings) as runtime:
        return asyncio.run(run(runtime))


def _content(path: Path, most_bytes: int) -> bytes:
    """Read the file.

    Raises:
        CannotStart: it is larger than the setting allows.
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        content = file.read(most_bytes + 1)
    if len(content) > most_bytes:
        message = (
            f"{path} has more than {most_bytes} bytes: divide it, or set"
            " MARKET_OWNERSHIP_FILE_LIMIT."
        )
        raise CannotStart(message)
    return content
