"""`market officer`, said on an officer's own machine to a market that is served."""

import asyncio
import getpass
import io
import socket
import stat
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
import uvicorn

from market.app import create_app, served
from market.cli import parser
from market.cli.officer import KIND
from market.cli.servers import server_config
from market.runtime import CannotStart
from market.sealing import fingerprint, public_of, unlock
from market.settings import Settings
from market.vault import Vault
from tests.conftest import Databases
from tests.makers.bids import close_bidding, confirm, declare, some_suppliers, submit
from tests.makers.keys import PASSPHRASE
from tests.makers.officers import publish_with_officers, tender_with_three_openers
from tests.makers.world import World


@pytest.fixture
async def market(
    databases: Databases, settings: Settings, vault: Vault
) -> AsyncIterator[tuple[World, str]]:
    """A market that is served on this machine, and its address."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()  # so that the first request waits for the server
        address = f"http://127.0.0.1:{listening.getsockname()[1]}"
        server = uvicorn.Server(server_config(served(create_app(settings, databases.app, vault))))
        task = asyncio.create_task(server.serve(sockets=[listening]))
        async with httpx.AsyncClient(base_url=address) as client:
            assert (await client.get("/api/v1/signing-keys")).status_code == 200
            yield World(client, vault), address
        server.should_exit = True
        await task


async def officer(*arguments: str) -> int:
    """Say something on the officer's own machine, which knows nothing of the market's settings."""
    chosen = parser().parse_args(["officer", *arguments])
    assert chosen.offline
    status: int = await asyncio.to_thread(chosen.do, Settings(), chosen)
    return status


async def test_three_officers_keep_rehearse_and_release(
    market: tuple[World, str],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world, address = market
    passphrase = tmp_path / "passphrase"
    passphrase.write_text(PASSPHRASE)
    tender, openers = await tender_with_three_openers(world, lots=1)
    at = []
    for number, person in enumerate(openers):
        key, token = tmp_path / f"key-{number}", tmp_path / f"token-{number}"
        token.write_text(person.token)
        locked = ["--passphrase-file", str(passphrase)]
        assert await officer("new-key", "--to", str(key), *locked) == 0
        assert stat.S_IMODE(key.stat().st_mode) == 0o600
        at.append([*locked, "--key", str(key), "--at", address, "--token-file", str(token)])
        assert await officer("register", *at[-1]) == 0
    known_by = fingerprint(public_of(unlock(PASSPHRASE, key.read_bytes(), kind=KIND))).hex()
    assert capsys.readouterr().out.count(known_by) == 2
    assert await officer("fingerprint", "--key", str(key), *locked) == 0
    assert capsys.readouterr().out == f"{known_by}\n"

    assert (await publish_with_officers(tender)).status_code == 200
    await submit((await some_suppliers(world, 1))[0], tender, 1)
    for arguments in at[:2]:
        assert await officer("rehearse", str(tender.id), *arguments) == 0
    assert "The canary opened: Olive Opener and you can release keys." in capsys.readouterr().out
    await close_bidding(world, tender)
    for person in openers:
        await declare(person, tender)
    for person in openers[:2]:
        await confirm(person, tender)
    assert await officer("list", str(tender.id), *at[2]) == 0
    assert "to pass on to Olive Opener: lot 1, quality" in capsys.readouterr().out
    monkeypatch.setattr(sys, "stdin", io.StringIO("n\n"))
    assert await officer("release", str(tender.id), *at[2]) == 0
    asked = capsys.readouterr().out
    assert "Pass on your shares of lot 1, quality: 1? [y/N] Nothing more was passed on." in asked
    monkeypatch.setattr(sys, "stdin", io.StringIO("y\n"))
    assert await officer("release", str(tender.id), *at[2]) == 0
    assert await officer("release", str(tender.id), "--yes", *at[0]) == 0
    assert "Released 1 content keys of lot 1, quality: 1." in capsys.readouterr().out
    answer = await openers[1].post(f"{tender.path}/opening")
    assert answer.json() == {"opened": 1, "failed": 0, "remaining": 0, "manifest_faults": 0}


async def test_what_fails_at_the_desk_is_told_in_a_sentence(
    market: tuple[World, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, address = market
    passphrase, key, token = tmp_path / "passphrase", tmp_path / "key", tmp_path / "token"
    passphrase.write_text("too short")
    locked = ["--passphrase-file", str(passphrase)]
    with pytest.raises(CannotStart, match="at least 16"):
        await officer("new-key", "--to", str(key), *locked)
    passphrase.write_text(PASSPHRASE)
    await officer("new-key", "--to", str(key), *locked)
    token.write_text("none")
    by_token = ["--key", str(key), "--token-file", str(token)]
    with pytest.raises(CannotStart, match="The market refused: Sign in first"):
        await officer("register", "--at", address, *by_token, *locked)
    with pytest.raises(CannotStart, match="out of reach"):
        await officer("register", "--at", "http://127.0.0.1:9", *by_token, *locked)
    monkeypatch.setattr(getpass, "getpass", lambda _: "a password of nobody")
    by_email = ["--key", str(key), "--email", "nobody@market.example"]
    with pytest.raises(CannotStart, match="does not let you in"):
        await officer("register", "--at", address, *by_email, *locked)
    passphrase.write_text("another passphrase")
    with pytest.raises(CannotStart, match="passphrase is wrong"):
        await officer("register", "--at", address, *by_token, *locked)
    monkeypatch.setattr(sys, "stdin", io.StringIO(""))
    with pytest.raises(CannotStart, match="No passphrase is given"):
        await officer("new-key", "--to", str(tmp_path / "other"))
    with pytest.raises(SystemExit):
        await officer("register", "--at", "http://market.example", *by_token)
