"""`market officer`: the keys of tenders, kept by people on their own machines."""

import argparse
import asyncio
import getpass
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final
from uuid import UUID

import httpx

from market.cli.officer_desk import OfficerDesk
from market.cli.passphrases import passphrase_for, take_passphrase
from market.key_files import write_closed
from market.runtime import CannotStart
from market.sealing import (
    CannotUnlock,
    PassphraseTooShort,
    fingerprint,
    lock,
    new_key_pair,
    public_of,
    unlock,
)
from market.settings import Settings
from market.web_addresses import is_protected

KIND: Final = "commissioning-support-market/officer-key/v1"
_PATIENCE = 60.0

Work = Callable[[OfficerDesk], Awaitable[list[str]]]


def add_to(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `officer` and what can be done as one."""
    officer = commands.add_parser(
        "officer",
        help="keep the keys of tenders on one's own machine",
        description="Keep the keys of tenders on one's own machine, two people together.",
    )
    acts = officer.add_subparsers(title="commands", metavar="COMMAND", required=True)
    making = _add(acts, "new-key", "make a key, in a file that a passphrase opens", new_key)
    making.add_argument("--to", required=True, metavar="FILE", help="the file; it must be new")
    showing = _add(acts, "fingerprint", "show by what others know a key", show_fingerprint)
    showing.add_argument("--key", required=True, metavar="FILE", help="the file of the key")
    _at_market(_add(acts, "register", "register the key for tenders from now on", register))
    for name, purpose, do in (
        ("list", "say what there is to do for this key", overview),
        ("rehearse", "open the canary with another officer; no bid is touched", rehearse),
        ("release", "release with another officer the keys of envelopes that are due", release),
    ):
        added = _add(acts, name, purpose, do)
        added.add_argument("tender", type=_tender, metavar="TENDER", help="the tender's id")
        added.add_argument("--yes", action="store_true", help="do not ask before each step")
        _at_market(added)


def _add(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]",
    name: str,
    purpose: str,
    do: Callable[[Settings, argparse.Namespace], int],
) -> argparse.ArgumentParser:
    added = commands.add_parser(
        name, help=purpose, description=f"{purpose[0].upper()}{purpose[1:]}."
    )
    added.set_defaults(do=do, offline=True)
    take_passphrase(added)
    return added


def _at_market(added: argparse.ArgumentParser) -> None:
    added.add_argument("--key", required=True, metavar="FILE", help="the file of the key")
    added.add_argument("--at", required=True, type=_address, metavar="URL", help="the market")
    who = added.add_mutually_exclusive_group(required=True)
    who.add_argument("--email", help="sign in with this address; the password is asked for")
    who.add_argument("--token-file", metavar="FILE", help="a file that holds a session's token")


def _address(text: str) -> str:
    if not is_protected(text):
        message = "the market's address begins with https (http only on this machine)"
        raise argparse.ArgumentTypeError(message)
    return text.rstrip("/")


def _tender(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        message = "a tender's id is a UUID"
        raise argparse.ArgumentTypeError(message) from None


def _say(*lines: str) -> None:
    sys.stdout.write("".join(f"{line}\n" for line in lines))


def new_key(settings: Settings, chosen: argparse.Namespace) -> int:
    """Make a key, locked by a passphrase, and say its fingerprint."""
    passphrase = passphrase_for("the key", settings, chosen, twice=True)
    pair = new_key_pair()
    known_by = fingerprint(pair.public).hex()
    try:
        content = lock(passphrase, pair.private, kind=KIND, about=f"An officer's key, {known_by}")
    except PassphraseTooShort as error:
        raise CannotStart(str(error)) from error
    write_closed(Path(chosen.to), content)
    _say(
        f"{chosen.to} holds the key, locked by the passphrase. Its fingerprint is",
        known_by,
        "Keep a copy of the file on another disk. Now say `market officer register`.",
    )
    return 0


def _private(settings: Settings, chosen: argparse.Namespace) -> bytes:
    passphrase = passphrase_for("the key", settings, chosen)
    try:
        return unlock(passphrase, Path(chosen.key).read_bytes(), kind=KIND)
    except CannotUnlock as error:
        raise CannotStart(str(error)) from error


def show_fingerprint(settings: Settings, chosen: argparse.Namespace) -> int:
    """Say a key's fingerprint, to be compared with what the market shows."""
    _say(fingerprint(public_of(_private(settings, chosen))).hex())
    return 0


def register(settings: Settings, chosen: argparse.Namespace) -> int:
    """Register the public half."""

    async def work(desk: OfficerDesk) -> list[str]:
        made = await desk.register()
        return [f"Registered {made.fingerprint}, for tenders that are published from now on."]

    return _at_desk(settings, chosen, work)


def overview(settings: Settings, chosen: argparse.Namespace) -> int:
    """Say what there is to do."""
    return _at_desk(settings, chosen, lambda desk: desk.overview(chosen.tender))


def rehearse(settings: Settings, chosen: argparse.Namespace) -> int:
    """Do one's part of a rehearsal."""
    return _at_desk(settings, chosen, lambda desk: desk.rehearse(chosen.tender))


def release(settings: Settings, chosen: argparse.Namespace) -> int:
    """Do one's part of a release."""

    def agreed(question: str) -> bool:
        if chosen.yes:
            return True
        sys.stdout.write(f"{question} [y/N] ")
        sys.stdout.flush()
        return sys.stdin.readline().strip().lower() in {"y", "yes"}

    return _at_desk(settings, chosen, lambda desk: desk.release(chosen.tender, agreed))


def _at_desk(settings: Settings, chosen: argparse.Namespace, work: Work) -> int:
    """Open the key, sign in, and do something.

    Raises:
        CannotStart: the key does not open, the market is out of reach, or it refuses.
    """
    private = _private(settings, chosen)
    token = None if chosen.token_file is None else Path(chosen.token_file).read_text().strip()

    async def signed_in() -> list[str]:
        async with httpx.AsyncClient(base_url=chosen.at, timeout=_PATIENCE) as client:
            try:
                return await work(
                    OfficerDesk(client, token or await _token(client, chosen.email), private)
                )
            except httpx.HTTPError as error:
                message = f"The market at {chosen.at} is out of reach: {error}"
                raise CannotStart(message) from error

    _say(*asyncio.run(signed_in()))
    return 0


async def _token(client: httpx.AsyncClient, email: str) -> str:
    given = {"email": email, "password": getpass.getpass("Password: ")}
    if code := getpass.getpass("Code of your authenticator, if you have one: "):
        given["one_time_password"] = code
    answer = await client.post("/api/v1/sessions", json=given)
    if not answer.is_success:
        message = f"The market does not let you in: {answer.json().get('detail', '')}"
        raise CannotStart(message)
    token: str = answer.json()["token"]
    return token
