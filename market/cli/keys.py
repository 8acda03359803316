"""What the command line does about the market's keys: back up, restore, rotate, rehearse, show."""

import argparse
import asyncio
import secrets
import sys
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, TypeVar
from uuid import UUID

import asyncpg

from market import key_files
from market.cli import tasks
from market.cli.passphrases import passphrase_for, take_passphrase
from market.key_files import encryption_keys, signing_keys, texts_of_keys
from market.keys import keeping
from market.keys.rules.backups import KeyBackup, locked_backup, opened_backup
from market.people import credentials as of_people
from market.runtime import CannotStart, Runtime, prepare
from market.sealing import (
    KEY_ENCRYPTION_KEY_BYTES,
    CannotUnlock,
    PassphraseTooShort,
    ServerCustodian,
)
from market.settings import Settings
from market.webhooks import credentials as of_webhooks
from tenders.queries.canaries import rehearse
from tenders.rules.custody import KEPT as OF_TENDERS

KEPT: Final = (*OF_TENDERS, of_webhooks.KEPT, of_people.KEPT)
"""Every column of the market that holds what is wrapped. A test compares it with the database."""

R = TypeVar("R")


def add_to(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `keys` and what can be done with them."""
    keys = commands.add_parser(
        "keys", help="the market's own keys", description="The market's own keys."
    )
    acts = keys.add_subparsers(title="commands", metavar="COMMAND", required=True)
    _add(acts, "show", "say which keys there are, and what is wrapped under each", show)
    backing = _add(acts, "backup", "write all keys to a file that a passphrase opens", backup)
    backing.add_argument("--to", required=True, metavar="FILE", help="the file; it must be new")
    take_passphrase(backing)
    restoring = _add(
        acts, "restore", "put the keys of a backup back where the market looks", restore
    )
    restoring.add_argument("file", metavar="FILE", help="the backup")
    restoring.add_argument(
        "--to", metavar="FILE", help="write them to this new file, as settings, instead"
    )
    take_passphrase(restoring)
    rotating = _add(
        acts, "rotate", "make a new key-encryption key, and wrap everything under it", rotate
    )
    rotating.add_argument(
        "--signing",
        action="store_true",
        help="make a new signing key instead; the old one verifies",
    )
    rotating.add_argument(
        "--to", metavar="FILE", help="where keys come from settings: write the new setting here"
    )
    _add(acts, "rewrap", "wrap everything under the current key-encryption key", rewrap)
    dropping = _add(acts, "drop", "put a key-encryption key out of use for good", drop)
    dropping.add_argument("key", metavar="ID", help="its id")
    rehearsing = _add(acts, "rehearse", "open the canary of every key, and no bid", rehearse_keys)
    rehearsing.add_argument(
        "tender", nargs="?", type=_tender, metavar="TENDER", help="of this tender alone"
    )


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


def _tender(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        message = "a tender's id is a UUID"
        raise argparse.ArgumentTypeError(message) from None


def _say(*lines: str) -> None:
    sys.stdout.write("".join(f"{line}\n" for line in lines))


def _at_database(runtime: Runtime, work: Callable[[Any], Awaitable[R]]) -> R:
    """Do something as the role that migrates.

    Raises:
        CannotStart: this process does not know that role.
    """
    if runtime.migration is None:
        message = "MARKET_MIGRATION_URL is not set: the keys are tended by the role that migrates."
        raise CannotStart(message)
    way = runtime.migration

    async def connected() -> R:
        connection = await asyncpg.connect(**way)
        try:
            return await work(connection)
        finally:
            await connection.close()

    return asyncio.run(connected())


def _custodian(runtime: Runtime) -> ServerCustodian:
    custodian = runtime.vault.custodian
    if not isinstance(custodian, ServerCustodian):
        message = "This market's custodian keeps its keys elsewhere: rotate them there."
        raise CannotStart(message)
    return custodian


# ------------------------------------------------------------------------------- backup, restore


def backup(settings: Settings, chosen: argparse.Namespace) -> int:
    """Lock all keys into a file, read it back, and write down that there is a backup."""
    passphrase = passphrase_for("the backup", settings, chosen, twice=True)
    target = Path(chosen.to)
    with prepare(settings) as runtime:
        encryption, signing = texts_of_keys(settings)
        made = KeyBackup(
            market=settings.name,
            key_encryption_keys=encryption,
            signing_key=signing,
            key_pepper=settings.key_pepper,
        )
        try:
            content = locked_backup(
                made, passphrase, made_at=f"{datetime.now(UTC):%Y-%m-%d %H:%M}Z"
            )
        except PassphraseTooShort as error:
            raise CannotStart(str(error)) from error
        key_files.write_closed(target, content)
        if opened_backup(target.read_bytes(), passphrase) != made:
            message = f"{target} does not read back as it was written: use another disk."
            raise CannotStart(message)
        count = len(encryption_keys(encryption)) + len(signing_keys(signing))
        _at_database(runtime, lambda way: keeping.record_act(way, "backup", keys=count, failed=0))
    _say(
        f"{target}: {count} keys, locked by the passphrase, and read back.",
        "Keep it apart from the database's backups, and the passphrase apart from both.",
    )
    return 0


def restore(settings: Settings, chosen: argparse.Namespace) -> int:
    """Put keys back: into the folder of an embedded market, or as settings into a file."""
    passphrase = passphrase_for("the backup", settings, chosen)
    try:
        found = opened_backup(Path(chosen.file).read_bytes(), passphrase)
    except CannotUnlock as error:
        raise CannotStart(str(error)) from error
    if chosen.to is not None:
        _write_settings(Path(chosen.to), found.variables())
        return 0
    if not settings.embedded:
        message = "The keys of this market come from settings: say --to FILE to have them written."
        raise CannotStart(message)
    folder = key_files.keys_folder(settings)
    wanted = {
        folder / key_files.ENCRYPTION: found.key_encryption_keys,
        folder / key_files.SIGNING: found.signing_key,
    }
    for path, text in wanted.items():
        if path.exists() and path.read_text(encoding="ascii").strip() != text:
            message = f"{path} holds other keys than the backup: move it away first, and keep it."
            raise CannotStart(message)
    for path, text in wanted.items():
        key_files.replace_secret(path, text)
    _say(f"The keys of {found.market} are in {folder}. Now say `market keys rehearse`.")
    if found.key_pepper is not None:
        _say("It had a MARKET_KEY_PEPPER of its own: restore --to FILE writes it as a setting.")
    return 0


def _write_settings(target: Path, variables: dict[str, str]) -> None:
    lines = "".join(f"{name}={value}\n" for name, value in variables.items())
    key_files.write_closed(target, lines.encode("ascii"))
    _say(f"{target} holds {' and '.join(variables)}, readable by you alone.")


# --------------------------------------------------------------------------------------- rotation


def rotate(settings: Settings, chosen: argparse.Namespace) -> int:
    """Make a new key; where the market keeps its keys itself, use it at once."""
    given = settings.signing_key if chosen.signing else settings.key_encryption_keys
    name = key_files.SIGNING if chosen.signing else key_files.ENCRYPTION
    variable = "MARKET_SIGNING_KEY" if chosen.signing else "MARKET_KEY_ENCRYPTION_KEYS"
    if given is not None and chosen.to is None:
        message = f"{variable} is a setting: say --to FILE to have the new one written there."
        raise CannotStart(message)
    with prepare(settings) as runtime:
        _custodian(runtime)
        encryption, signing = texts_of_keys(settings)
        text = _with_new_signing_key(signing) if chosen.signing else _with_new_key(encryption)
    if given is not None:
        _write_settings(Path(chosen.to), {variable: text})
        after = "show" if chosen.signing else "rewrap"
        _say(f"Set it for every process, start them again, and say `market keys {after}`.")
        return 0
    key_files.replace_secret(key_files.keys_folder(settings) / name, text)
    _say("Start every process of this market again, and make a new backup.")
    if chosen.signing:
        with prepare(settings) as runtime:  # which writes down from when on it signs
            _say(f"{runtime.vault.signing_key.key_id} signs; what the others signed verifies.")
        return 0
    return rewrap(settings, chosen)


def _with_new_key(encryption: str) -> str:
    key_id = f"{datetime.now(UTC):%Y%m%d}-{secrets.token_hex(3)}"
    return f"{key_id}:{key_files.random_base64(KEY_ENCRYPTION_KEY_BYTES)},{encryption}"


def _with_new_signing_key(signing: str) -> str:
    return f"{key_files.random_base64(key_files.SEED_BYTES)},{signing}"


def rewrap(settings: Settings, _: argparse.Namespace) -> int:
    """Wrap everything under the current key-encryption key; after a break it goes on."""
    with prepare(settings) as runtime:
        custodian = _custodian(runtime)

        async def all_of_it(connection: Any) -> list[keeping.Rewrapped]:
            return [await keeping.rewrap(connection, custodian, column) for column in KEPT]

        done = _at_database(runtime, all_of_it)
    failed = 0
    for item in done:
        failed += len(item.failed)
        _say(f"{item.column.table}: {item.done} rewrapped under {custodian.current}")
        _say(*(f"  does not unwrap: {row}" for row in item.failed))
    if not failed:
        _say("Once every process has the new keys: market keys drop ID, for each old one.")
    return 1 if failed else 0


def drop(settings: Settings, chosen: argparse.Namespace) -> int:
    """Put a key-encryption key out of use, where nothing needs it any more."""
    with prepare(settings) as runtime:
        keys = encryption_keys(texts_of_keys(settings)[0])
        if chosen.key == keys[0][0]:
            message = f"{chosen.key} is the current key: rotate first."
            raise CannotStart(message)
        if chosen.key not in dict(keys):
            message = f"There is no key {chosen.key} among those given."
            raise CannotStart(message)
        _at_database(runtime, lambda way: keeping.retire(way, KEPT, chosen.key))
    _say(f"Nothing is wrapped under {chosen.key}, and nothing ever will be.")
    if settings.key_encryption_keys is not None:
        _say("Take it out of MARKET_KEY_ENCRYPTION_KEYS.")
        return 0
    text = texts_of_keys(settings)[0]
    rest = [item for item in text.split(",") if item.strip().partition(":")[0] != chosen.key]
    key_files.replace_secret(key_files.keys_folder(settings) / key_files.ENCRYPTION, ",".join(rest))
    _say("Backups of the database made before need it: keep the backup of the keys with them.")
    return 0


# --------------------------------------------------------------------------------------- rehearsal


def rehearse_keys(settings: Settings, chosen: argparse.Namespace) -> int:
    """Open canaries, say which keys could not be used, and give 0 if all could."""
    with prepare(settings) as runtime:

        async def try_all(connection: Any) -> Any:
            found = await rehearse(connection, runtime.vault.custodian, chosen.tender)
            if chosen.tender is None:
                await keeping.record_act(
                    connection, "rehearsal", keys=found.keys, failed=len(found.failed)
                )
            return found

        found = _at_database(runtime, try_all)
    _say(f"{found.keys - len(found.failed)} of {found.keys} keys open their canaries.")
    _say(*(f"  CANNOT BE OPENED: {name}" for name in found.failed))
    if found.failed:
        _say("Put the missing key back: market keys restore FILE.")
    return 1 if found.failed else 0


def show(settings: Settings, _: argparse.Namespace) -> int:
    """Say which keys there are, what is wrapped under each, and what was done about them."""
    with prepare(settings) as runtime:
        keys = [key_id for key_id, _ in encryption_keys(texts_of_keys(settings)[0])]
        wrapped = _at_database(runtime, lambda way: keeping.counts(way, KEPT))
        acts = _at_database(runtime, keeping.latest_acts)
        vault = runtime.vault
    for place, key_id in enumerate(keys):
        _say(
            f"key-encryption key {key_id}: {'current' if place == 0 else 'old'},"
            f" {wrapped.get(key_id, 0)} wrapped under it"
        )
    for key_id in sorted(set(wrapped) - set(keys)):
        _say(f"key-encryption key {key_id}: MISSING, {wrapped[key_id]} wrapped under it")
    _say(f"signing key {vault.signing_key.key_id}: current")
    _say(*(f"signing key {key.key_id}: retired" for key in vault.retired_signing_keys))
    for act in acts:
        _say(f"last {act.act}: {act.done_at:%Y-%m-%d %H:%M}Z, {act.keys} keys, {act.failed} failed")
    return 1 if set(wrapped) - set(keys) else 0
