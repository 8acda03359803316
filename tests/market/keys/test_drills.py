"""Drills: the keys are lost, restored, rotated and dropped, and every bid opens all the same."""

import asyncio
import base64
import shutil
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID, uuid4

import asyncpg
import httpx
import msgspec
import pytest
from msgspec.structs import replace

from market.keys.errors import KeyStillNeeded
from market.runtime import CannotStart, prepare
from market.sealing import wrapped_under
from market.settings import Settings
from market.signing import SignedStatement, verify_receipt
from tests.conftest import Databases
from tests.makers.bids import close_bidding, confirm, declare, give_bid, some_suppliers, submit
from tests.makers.keys import (
    PASSPHRASE,
    SECOND,
    market_over,
    say,
    settings_over,
    text,
    with_settings_of,
)
from tests.makers.tenders import PublishedTender, approved_tender, published_tender
from tests.makers.world import World


async def tender_with_a_bid(world: World) -> PublishedTender:
    """A tender that one supplier bid in, and whose bidding is closed."""
    tender = await published_tender(world)
    await submit((await some_suppliers(world, 1))[0], tender, 1)
    await close_bidding(world, tender)
    return tender


async def opened(world: World, tender: PublishedTender) -> httpx.Response:
    """The answer to the second confirmation, of people who meet the market again."""
    for opener in [replace(person, client=world.client) for person in tender.openers]:
        await declare(opener, tender)
        answer = await confirm(opener, tender)
    return answer


async def wrapped(databases: Databases, question: str) -> set[str]:
    connection = await asyncpg.connect(**databases.superuser)
    try:
        return {wrapped_under(row[0]) for row in await connection.fetch(question)}
    finally:
        await connection.close()


async def test_a_lost_key_encryption_key_comes_back_from_the_backup(
    databases: Databases, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = settings_over(databases, tmp_path)
    async with market_over(databases, settings) as world:
        tender = await tender_with_a_bid(world)
    file, written = tmp_path / "backup.json", tmp_path / "restored"
    assert await say(settings, "keys", "backup", "--to", str(file)) == 0
    assert "2 keys, locked by the passphrase, and read back" in capsys.readouterr().out
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    with pytest.raises(FileExistsError):
        await say(settings, "keys", "backup", "--to", str(file))

    lost = settings_over(databases, tmp_path, key_encryption_keys=f"second:{text(SECOND)}")
    assert await say(lost, "keys", "rehearse") == 1
    out = capsys.readouterr().out
    assert "0 of 4 keys open their canaries." in out
    assert out.count("CANNOT BE OPENED") == 4
    assert await say(lost, "keys", "show") == 1
    assert "key-encryption key first: MISSING, 5 wrapped under it" in capsys.readouterr().out
    async with market_over(databases, lost) as world:
        assert (await opened(world, tender)).json()["type"] == "/problems/keys-unavailable"

    (tmp_path / "passphrase").write_text("another passphrase than before")
    with pytest.raises(CannotStart, match="passphrase is wrong"):
        await say(lost, "keys", "restore", str(file), "--to", str(written))
    assert not written.exists()
    (tmp_path / "passphrase").write_text(PASSPHRASE)
    with pytest.raises(CannotStart, match="come from settings"):
        await say(lost, "keys", "restore", str(file))
    assert await say(lost, "keys", "restore", str(file), "--to", str(written)) == 0
    assert stat.S_IMODE(written.stat().st_mode) == 0o600

    restored = with_settings_of(lost, written)
    assert await say(restored, "keys", "rehearse", str(tender.id)) == 0
    assert await say(restored, "keys", "rehearse") == 0
    assert "4 of 4 keys open their canaries." in capsys.readouterr().out
    async with market_over(databases, restored) as world:
        opener = replace(tender.openers[0], client=world.client)
        resumed = await opener.post(f"{tender.path}/opening")
        assert resumed.json() == {"opened": 1, "failed": 0, "remaining": 0, "manifest_faults": 0}


async def test_keys_are_rotated_and_dropped_and_every_bid_opens(
    databases: Databases, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = settings_over(databases, tmp_path)
    async with market_over(databases, before) as world:
        tender = await tender_with_a_bid(world)
    with pytest.raises(CannotStart, match="say --to FILE"):
        await say(before, "keys", "rotate")
    written = tmp_path / "rotated"
    assert await say(before, "keys", "rotate", "--to", str(written)) == 0
    during = with_settings_of(before, written)
    with pytest.raises(KeyStillNeeded, match="5 secrets are wrapped under 'first'"):
        await say(during, "keys", "drop", "first")
    assert await say(during, "keys", "rewrap") == 0
    assert "tender_key: 4 rewrapped" in capsys.readouterr().out
    assert await say(during, "keys", "rewrap") == 0
    assert "tender_key: 0 rewrapped" in capsys.readouterr().out
    assert "first" not in await wrapped(databases, "SELECT wrapped_key FROM tender_key")

    current = (during.key_encryption_keys or "").partition(":")[0]
    for key, reason in ((current, "is the current key"), ("none", "There is no key none")):
        with pytest.raises(CannotStart, match=reason):
            await say(during, "keys", "drop", key)
    assert await say(during, "keys", "drop", "first") == 0
    assert "Take it out of MARKET_KEY_ENCRYPTION_KEYS" in capsys.readouterr().out
    keys = (during.key_encryption_keys or "").partition(",")[0]
    after = replace(during, key_encryption_keys=keys)
    async with market_over(databases, before) as world:  # a process that nobody started again
        late = await approved_tender(world)
        answer = await late.manager.post(f"{late.path}/publication", version=late.version)
        assert answer.status_code == 503, answer.text
        assert answer.json()["type"] == "/problems/key-out-of-use"
    async with market_over(databases, after) as world:
        assert (await opened(world, tender)).json() == {"confirmed_by": 2, "opened": True}


async def test_another_signing_key_signs_and_what_the_first_signed_and_derived_holds(
    databases: Databases, tmp_path: Path
) -> None:
    before, written = settings_over(databases, tmp_path), tmp_path / "rotated"
    await say(before, "keys", "show")
    once = {"Idempotency-Key": str(uuid4())}
    async with market_over(databases, before) as world:
        tender = await published_tender(world, lots=1)
        supplier = (await some_suppliers(world, 1))[0]
        given = (await give_bid(supplier, tender, 1, headers=once)).json()
        published = (await world.public("/signing-keys")).json()["keys"]
        first = world.vault
        assert [key["kid"] for key in published] == [first.signing_key.key_id]
    assert await say(before, "keys", "rotate", "--signing", "--to", str(written)) == 0
    after = with_settings_of(before, written)
    assert await say(after, "keys", "show") == 0
    async with market_over(databases, after) as world:
        second = world.vault
        current, retired = (await world.public("/signing-keys")).json()["keys"]
        bidder = replace(supplier, client=world.client)
        again = (await give_bid(bidder, tender, 1, headers=once)).json()
    assert again == given  # its salts, too, which no table holds
    signed = msgspec.convert(given["receipt"], SignedStatement)
    assert signed.key_id == retired["kid"]
    assert verify_receipt(signed, base64.urlsafe_b64decode(retired["x"] + "=")).bid == UUID(
        given["bid"]
    )
    assert current["kid"] == second.signing_key.key_id != first.signing_key.key_id
    assert retired["kid"] == first.signing_key.key_id
    assert retired["retired_at"] == current["began_at"]
    assert "retired_at" not in current
    assert second.pepper() == first.pepper()
    assert second.derive_secret(b"checkpoints") == first.derive_secret(b"checkpoints")
    assert second.has_signed_with(first.signing_key.key_id)
    assert not first.has_signed_with(second.signing_key.key_id)


# -- a market that keeps its keys itself --------------------------------------------------------


@pytest.fixture
def home() -> Iterator[Path]:
    # not tmp_path: its name is long, and the socket's path has to be short
    folder = Path(tempfile.mkdtemp(prefix="keys-"))
    yield folder
    shutil.rmtree(folder)


def test_an_embedded_market_gets_its_lost_keys_back_and_changes_them(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (home / "passphrase").write_text(PASSPHRASE)
    settings = Settings(home=str(home), keys_passphrase_file=str(home / "passphrase"))
    folder, file = home / "keys", str(home / "backup.json")

    def run(*arguments: str) -> int:
        return asyncio.run(say(settings, *arguments))

    assert run("keys", "backup", "--to", file) == 0
    kept = {name: (folder / name).read_text() for name in ("key-encryption-keys", "signing-key")}
    for name in kept:
        (folder / name).unlink()
    with pytest.raises(CannotStart, match="market keys restore"):
        prepare(settings).__enter__()
    assert run("keys", "restore", file) == 0
    assert {name: (folder / name).read_text() for name in kept} == kept
    assert run("keys", "restore", file) == 0

    assert run("keys", "rotate") == 0
    current, old = (folder / "key-encryption-keys").read_text().strip().split(",")
    assert old == kept["key-encryption-keys"].strip()
    with pytest.raises(CannotStart, match="holds other keys than the backup"):
        run("keys", "restore", file)
    assert run("keys", "drop", "first") == 0
    assert (folder / "key-encryption-keys").read_text().strip() == current
    assert run("keys", "rotate", "--signing") == 0
    assert (folder / "signing-key").read_text().endswith("," + kept["signing-key"])
    capsys.readouterr()
    assert run("keys", "show") == 0
    shown = capsys.readouterr().out
    assert "last backup" in shown
    assert shown.count("signing key") == 2
