"""Time stamps of checkpoints: by a real authority made with OpenSSL, and by bad ones."""

import asyncio
import shutil
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from market.background import Workbench
from market.settings import Settings
from market.transparency.stamping import BadTimeStamp, TimeStamper, stamp
from tests.makers.log import keep_and_sign
from tests.makers.world import World

pytestmark = pytest.mark.skipif(
    shutil.which("openssl") is None, reason="the authority is made with the openssl program"
)
Answer = Callable[[bytes], Awaitable[tuple[int, bytes]]]
_CONFIGURATION = """
[req]
distinguished_name = name
[name]
[root]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign
[authority]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = critical, timeStamping
[tsa]
default_tsa = stamps
[stamps]
serial = serial
signer_cert = authority.pem
signer_key = authority.key
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256
accuracy = secs:1
ess_cert_id_alg = sha256
"""


def _openssl(folder: Path, *arguments: str) -> None:
    subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)  # noqa: S603, S607


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A root, and an authority under it, as a folder."""
    folder = tmp_path_factory.mktemp("authority")
    (folder / "serial").write_text("01\n")
    (folder / "openssl.cnf").write_text(_CONFIGURATION)
    key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
    _openssl(
        folder,
        "req",
        "-x509",
        *key,
        "-keyout",
        "root.key",
        "-out",
        "root.pem",
        "-days",
        "30",
        "-subj",
        "/CN=Test root",
        "-config",
        "openssl.cnf",
        "-extensions",
        "root",
    )
    _openssl(
        folder,
        "req",
        *key,
        "-keyout",
        "authority.key",
        "-out",
        "authority.csr",
        "-subj",
        "/CN=Test authority",
        "-config",
        "openssl.cnf",
    )
    _openssl(
        folder,
        "x509",
        "-req",
        "-in",
        "authority.csr",
        "-CA",
        "root.pem",
        "-CAkey",
        "root.key",
        "-out",
        "authority.pem",
        "-days",
        "30",
        "-set_serial",
        "2",
        "-extfile",
        "openssl.cnf",
        "-extensions",
        "authority",
    )
    return folder


@asynccontextmanager
async def _serving(answer: Answer) -> AsyncIterator[str]:
    """An HTTP server on loopback that answers every request as told."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
        status, body = await answer(await reader.readexactly(length))
        writer.write(f"HTTP/1.1 {status} X\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server:
        yield f"http://127.0.0.1:{port}/stamps"


def _stamping(folder: Path) -> Answer:
    async def answer(query: bytes) -> tuple[int, bytes]:
        (folder / "query").write_bytes(query)
        await asyncio.to_thread(
            _openssl,
            folder,
            "ts",
            "-reply",
            "-config",
            "openssl.cnf",
            "-queryfile",
            "query",
            "-out",
            "reply",
        )
        return 200, (folder / "reply").read_bytes()

    return answer


async def test_a_checkpoint_is_stamped_and_openssl_verifies_the_stamp(
    world: World, superuser: Any, bench: Workbench, authority: Path, tmp_path: Path
) -> None:
    size = await keep_and_sign(bench, superuser)
    async with _serving(_stamping(authority)) as url:
        settings = msgspec.structs.replace(
            bench.settings, timestamp_url=url, timestamp_roots=str(authority / "root.pem")
        )
        stamper = TimeStamper(msgspec.structs.replace(bench, settings=settings))
        assert await stamper.run() == 0
        assert await stamper.run() > 0  # there is no other to stamp
    row = await superuser.fetchrow("SELECT * FROM checkpoint_stamp")
    assert (row["size"], row["authority"]) == (size, url)
    note = (await world.public("/log/checkpoint")).text
    (tmp_path / "token").write_bytes(row["token"])
    (tmp_path / "note").write_text(note)
    _openssl(
        tmp_path,
        "ts",
        "-verify",
        "-token_in",
        "-in",
        "token",
        "-data",
        "note",
        "-CAfile",
        str(authority / "root.pem"),
    )
    listed = (await world.public("/log/checkpoints")).json()["items"]
    assert listed[0]["time_stamp"] is not None


async def test_without_an_authority_nothing_is_asked_for(bench: Workbench, superuser: Any) -> None:
    await keep_and_sign(bench, superuser)
    assert await TimeStamper(bench).run() > 60
    assert await superuser.fetchval("SELECT count(*) FROM checkpoint_stamp") == 0


async def test_a_stamp_of_another_message_or_by_a_stranger_is_not_kept(authority: Path) -> None:
    pem = (authority / "root.pem").read_bytes()
    async with _serving(_stamping(authority)) as url:
        await stamp(url, pem, b"one")
        reply = (authority / "reply").read_bytes()

        async def replayed(_: bytes) -> tuple[int, bytes]:
            return 200, reply

        async with _serving(replayed) as other:
            with pytest.raises(BadTimeStamp):
                await stamp(other, pem, b"two")
        _openssl(
            authority,
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-nodes",
            "-keyout",
            "stranger.key",
            "-out",
            "stranger.pem",
            "-days",
            "30",
            "-subj",
            "/CN=Stranger",
            "-config",
            "openssl.cnf",
            "-extensions",
            "root",
        )
        with pytest.raises(BadTimeStamp):
            await stamp(url, (authority / "stranger.pem").read_bytes(), b"one")


@pytest.mark.parametrize(
    ("status", "body"), [(500, b""), (302, b""), (200, b"no stamp"), (200, b"x" * 200_000)]
)
async def test_an_authority_that_answers_badly_raises_and_nothing_is_kept(
    authority: Path, status: int, body: bytes
) -> None:
    async def answer(_: bytes) -> tuple[int, bytes]:
        return status, body

    async with _serving(answer) as url:
        with pytest.raises(BadTimeStamp):
            await stamp(url, (authority / "root.pem").read_bytes(), b"note")


async def test_an_authority_that_is_away_is_an_error_for_the_worker_to_wait_after(
    authority: Path,
) -> None:
    with pytest.raises(httpx.HTTPError):
        await stamp("http://127.0.0.1:9/", (authority / "root.pem").read_bytes(), b"note")


@pytest.mark.parametrize(
    "given",
    [
        {"timestamp_url": "https://stamps.example"},
        {"timestamp_roots": "roots.pem"},
        {"timestamp_url": "ftp://stamps.example", "timestamp_roots": "roots.pem"},
        {"timestamp_interval": 5},
        {"checkpoint_interval": 61},
        {"checkpoint_interval": 0},
    ],
)
def test_settings_that_break_what_is_promised_are_refused(given: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="MARKET_"):
        Settings(**given)
