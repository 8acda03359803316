"""Documents are scanned by clamd's INSTREAM command, within bounds, or not taken."""

import asyncio
import contextlib
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from market.documents.scanning import Scanner, ScannerUnavailable
from tests.makers.scanner import clamd

WORST = b"an entirely made-up signature"


async def pieces(*content: bytes) -> AsyncIterator[bytes]:
    for piece in content:
        yield piece


async def test_what_is_found_is_named_and_clean_documents_pass(tmp_path: Path) -> None:
    async with clamd(tmp_path, WORST) as (address, scanned):
        scanner = Scanner(address=address, patience=5)
        long = b"x" * 200_000
        assert await scanner.finding(pieces(long, b"end")) is None
        assert scanned[-1] == long + b"end"
        assert await scanner.finding(pieces(b"before ", WORST, b" after")) == "Made.Up-1"
        assert await scanner.finding(pieces()) is None


@pytest.mark.parametrize(
    "answer", [b"stream: nonsense\x00", b"INSTREAM size limit exceeded. ERROR\x00", b""]
)
async def test_an_answer_that_says_neither_is_none(tmp_path: Path, answer: bytes) -> None:
    async with clamd(tmp_path, WORST, answer=answer) as (address, _):
        with pytest.raises(ScannerUnavailable):
            await Scanner(address=address, patience=5).finding(pieces(b"content"))


async def test_a_scanner_that_is_not_there_or_does_not_answer_is_waited_for_no_longer(
    tmp_path: Path,
) -> None:
    for address in (f"unix:{tmp_path}/none.sock", "127.0.0.1:1"):
        with pytest.raises(ScannerUnavailable):
            await Scanner(address=address, patience=5).finding(pieces(b"content"))
    async with clamd(tmp_path, WORST, answer=None) as (address, _):
        with pytest.raises(ScannerUnavailable):
            await Scanner(address=address, patience=0.05).finding(pieces(b"content"))


@asynccontextmanager
async def real_clamd(folder: Path) -> AsyncIterator[str]:
    """ClamAV's own daemon, with one signature made by hand."""
    signatures = folder / "signatures"
    signatures.mkdir()
    (signatures / "made-up.ndb").write_text(f"Made.Up.Real:0:*:{WORST.hex()}\n")
    settings = folder / "clamd.conf"
    socket = folder / "clamd.sock"
    settings.write_text(
        f"DatabaseDirectory {signatures}\nLocalSocket {socket}\nForeground yes\n"
        f"TemporaryDirectory {folder}\nStreamMaxLength 10M\n"
    )
    programme = shutil.which("clamd") or ""
    process = await asyncio.create_subprocess_exec(
        programme,
        f"--config-file={settings}",
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        async with asyncio.timeout(60):
            while not socket.exists():  # noqa: ASYNC110  # clamd tells nobody that it is there
                await asyncio.sleep(0.1)
        yield f"unix:{socket}"
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        await process.wait()


@pytest.mark.skipif(shutil.which("clamd") is None, reason="ClamAV's daemon is not installed")
async def test_the_real_clamd_finds_what_it_has_a_signature_for(tmp_path: Path) -> None:
    async with real_clamd(tmp_path) as address:
        scanner = Scanner(address=address, patience=20)
        assert await scanner.finding(pieces(b"nothing in particular")) is None
        found = await scanner.finding(pieces(b"x" * 70_000, WORST))
        assert found is not None
        assert found.startswith("Made.Up.Real")
