"""Passphrases at the command line: from a file, a descriptor or a prompt, never an argument."""

import argparse
import getpass
import os
import sys
from pathlib import Path

from market.runtime import CannotStart
from market.settings import Settings

_MOST_BYTES = 4096


def take_passphrase(added: argparse.ArgumentParser) -> None:
    """Let a command take a passphrase."""
    added.add_argument(
        "--passphrase-file", metavar="FILE", help="the file that holds the passphrase"
    )
    added.add_argument(
        "--passphrase-fd",
        type=int,
        metavar="N",
        help="read the passphrase from this file descriptor (else MARKET_KEYS_PASSPHRASE_FILE, or"
        " a prompt)",
    )


def passphrase_for(
    what: str, settings: Settings, chosen: argparse.Namespace, *, twice: bool = False
) -> str:
    """Get the passphrase; at a prompt twice where it is a new one. A line break at the end is none.

    Raises:
        CannotStart: there is nobody to ask, or two different ones were given.
    """
    if chosen.passphrase_fd is not None:
        with os.fdopen(chosen.passphrase_fd, "rb") as given_file:
            return _line(given_file.read(_MOST_BYTES))
    path: str | None = chosen.passphrase_file or settings.keys_passphrase_file
    if path is not None:
        return _line(Path(path).read_bytes()[:_MOST_BYTES])
    if not sys.stdin.isatty():
        message = "No passphrase is given: say --passphrase-file or --passphrase-fd."
        raise CannotStart(message)
    given = getpass.getpass(f"Passphrase of {what}: ")
    if twice and getpass.getpass("Once more: ") != given:
        message = "The two passphrases differ."
        raise CannotStart(message)
    return given


def _line(content: bytes) -> str:
    return content.decode("utf-8", "surrogateescape").rstrip("\r\n")
