"""The restore drill: a base backup and the archive of the log, to a new folder, checked whole."""

import asyncio
import os
import shlex
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import UUID, uuid4

import httpx
import pytest

from market.transparency.rules.notes import VerifierKey, verify_checkpoint
from tests.faults.bidders import Bidders
from tests.faults.keeping import compare, signed
from tests.faults.postgres import DATABASE, SCRIPT, SUPERUSER, Postgres, run, serving
from tests.faults.scene import Scene
from tests.faults.storms import Deployment, say
from tests.makers.world import Person

_NUMBERED = """
SELECT NOT EXISTS (SELECT 1 FROM event e WHERE NOT EXISTS (
    SELECT 1 FROM event_position p WHERE p.event = e.id))
"""
_NEWEST = "SELECT note FROM checkpoint ORDER BY size DESC LIMIT 1"


def archived(scene: Scene, folder: Path) -> Postgres:
    """A copy of the prepared server that archives its write-ahead log."""
    archive = folder / "archive"
    archive.mkdir()
    command = f"{shlex.quote(str(SCRIPT))} keep %p {shlex.quote(str(archive))}/%f"
    settings = {"archive_mode": "on", "archive_command": command}
    return scene.prepared.copied(folder / "primary", settings)


def base_backup(server: Postgres, folder: Path) -> None:
    """Take a base backup as docker/README.md says, and verify it."""
    way = f"host=127.0.0.1 port={server.port} user={SUPERUSER}"
    run([SCRIPT, "base", folder, way], server.password)


def restored(server: Postgres, backup: Path, archive: Path, folder: Path, until: str) -> Postgres:
    """A server over a copy of the backup, which follows the archive up to a point."""
    run([SCRIPT, "restore", backup, archive, folder, until])
    return Postgres(folder, password=server.password, settings={"archive_mode": "off"})


class Operator:
    """Somebody at the command line of the market, over one server."""

    def __init__(self, scene: Scene, server: Postgres) -> None:
        owner = f"postgresql://{SUPERUSER}:{server.password}@127.0.0.1:{server.port}/{DATABASE}"
        self._variables = scene.variables(server, migration_url=owner)

    def says(self, *words: str | Path | UUID, status: int = 0) -> str:
        """Run a command to its end; it must end with this status."""
        done = subprocess.run(  # noqa: S603  # this programme itself
            [sys.executable, "-m", "market", *map(str, words)],
            check=False,
            capture_output=True,
            text=True,
            env=self._variables,
            timeout=120,
        )
        assert done.returncode == status, done.stdout + done.stderr
        return done.stdout + done.stderr


async def bid(scene: Scene, deployment: Deployment, people: tuple[Person, ...]) -> Bidders:
    """Let some people bid, and give what they were told."""
    crowd = Bidders(scene, deployment.addresses, time.monotonic() + 60)
    await deployment.answering(crowd, scene)
    await asyncio.gather(*(crowd.bid(one, 2, 0, 0.1) for one in people))
    await crowd.close()
    assert crowd.told.faults == []
    assert len(crowd.told.given) == 2 * len(people)
    return crowd


@asynccontextmanager
async def market(scene: Scene, server: Postgres, folder: Path) -> AsyncIterator[Deployment]:
    """An API process and a worker that signs every second."""
    deployment = Deployment(scene, folder, server, count=1, workers=1)
    async with deployment.running():
        yield deployment


async def numbered(server: Postgres) -> None:
    """Wait until a worker has given everything its position."""
    async with asyncio.timeout(60):
        while not await server.execute(_NUMBERED):  # noqa: ASYNC110  # nobody else tells
            await asyncio.sleep(0.2)


async def test_a_restore_gives_every_bid_back_and_the_root_that_was_signed(
    scene: Scene, tmp_path: Path
) -> None:
    server = archived(scene, tmp_path)
    with serving(server):
        async with market(scene, server, tmp_path) as deployment:
            first = await bid(scene, deployment, scene.bidders[:10])
            base_backup(server, tmp_path / "backup")
            second = await bid(scene, deployment, scene.bidders[10:20])
            note = await signed(server)
        given = first.told.given + second.told.given
        await server.execute("SELECT pg_switch_wal()")
        server.stop()
    (tmp_path / "kept.txt").write_text(note, "utf-8")
    began = time.monotonic()
    again = restored(
        server, tmp_path / "backup", tmp_path / "archive", tmp_path / "restored", "latest"
    )
    with serving(again):
        took = time.monotonic() - began
        operator = Operator(scene, again)
        said = operator.says("audit", "check", "--checkpoint", tmp_path / "kept.txt")
        assert "The log is good." in said
        assert "1 held elsewhere" in said
        assert await again.execute(_NEWEST) == note
        kept = await compare(again, scene, given)
        assert kept.good, kept
        assert await again.execute("SHOW data_checksums") == "on"
    say(f"\nrestored in {took:.1f} s: {len(given)} bids, {said.splitlines()[-1]}")


async def test_a_restore_that_lost_a_tail_signs_nothing_until_a_new_origin_is_declared(
    scene: Scene, tmp_path: Path
) -> None:
    server = archived(scene, tmp_path)
    with serving(server):
        async with market(scene, server, tmp_path) as deployment:
            base_backup(server, tmp_path / "backup")
            first = await bid(scene, deployment, scene.bidders[:5])
            early = await signed(server)
            point = f"before-{uuid4().hex[:8]}"
            await server.execute(f"SELECT pg_create_restore_point('{point}')")
            lost = await bid(scene, deployment, scene.bidders[5:10])
            late = await signed(server)
        await server.execute("SELECT pg_switch_wal()")
        server.stop()
    kept = {"early": tmp_path / "early.txt", "late": tmp_path / "late.txt"}
    kept["early"].write_text(early, "utf-8")
    kept["late"].write_text(late, "utf-8")
    again = restored(
        server, tmp_path / "backup", tmp_path / "archive", tmp_path / "restored", point
    )
    with serving(again):
        assert len((await compare(again, scene, lost.told.given)).lost) == len(lost.told.given)
        assert not (await compare(again, scene, first.told.given)).lost
        operator = Operator(scene, again)
        said = operator.says("worker", "--covering", kept["late"], status=1)
        assert "its end was lost" in said and "market log restart" in said  # noqa: PT018  # one message
        async with market(scene, again, tmp_path) as deployment:
            since = await bid(scene, deployment, scene.bidders[10:11])
            await numbered(again)
            await asyncio.sleep(3)  # three times as long as between two checkpoints
        assert await again.execute(_NEWEST) == early  # the worker itself kept a newer one
        said = operator.says(
            "log", "restart", "--because", "The disk was lost.", "--covering", kept["late"]
        )
        assert "its end is lost" in said
        say(f"\n{said}")
        async with market(scene, again, tmp_path) as deployment:
            more = await bid(scene, deployment, scene.bidders[5:10])  # once more, since told so
            newest = await signed(again)
            async with httpx.AsyncClient(base_url=deployment.addresses[0]) as client:
                [declared] = (await client.get("/api/v1/log/restarts")).json()
                key = (await client.get("/api/v1/log/key")).json()
        given = first.told.given + since.told.given + more.told.given
        assert (await compare(again, scene, given)).good
        checkpoint = verify_checkpoint(newest, [VerifierKey.parse(key["verifier_key"])])
        assert checkpoint.origin == declared["origin"]
        assert str(declared["known"]) == late.split("\n")[1]
        said = operator.says("audit", "check", "--checkpoint", kept["early"], kept["late"])
        assert "The log is good." in said
        assert "1 held elsewhere are of what was declared lost" in said
        record = tmp_path / "record.json"
        said = operator.says(
            "audit", "export", scene.tender.id, "--to", record, "--covering", *kept.values()
        )
        keys = ["--key", key["verifier_key"], "--key", declared["former_key"]]
        said = operator.says("audit", "verify", record, *keys, "--checkpoint", *kept.values())
        assert "The record is good." in said
        assert "The disk was lost." in said


def test_a_backup_that_is_not_what_was_written_is_refused(scene: Scene, tmp_path: Path) -> None:
    server = scene.prepared.copied(tmp_path / "primary")
    with serving(server):
        base_backup(server, tmp_path / "backup")
    changed = next((tmp_path / "backup" / "base").glob("*/1255"))
    content = bytearray(changed.read_bytes())
    content[-1] ^= 1
    changed.write_bytes(content)
    with pytest.raises(AssertionError, match="1255"):
        restored(server, tmp_path / "backup", tmp_path, tmp_path / "restored", "latest")
    assert not (tmp_path / "restored").exists()


def test_the_archive_is_never_written_over(tmp_path: Path) -> None:
    """What is archived twice must be the same, or archiving fails and is tried again."""
    segment, other = tmp_path / "segment", tmp_path / "other"
    segment.write_bytes(b"a" * 100)
    other.write_bytes(b"b" * 100)
    place = tmp_path / "archive" / "0001"
    place.parent.mkdir()

    def keep(file: Path) -> int:
        command = [str(SCRIPT), "keep", str(file), str(place)]
        return subprocess.run(command, check=False, env={"PATH": os.environ["PATH"]}).returncode  # noqa: S603  # our script

    assert keep(segment) == 0
    assert keep(segment) == 0
    assert keep(other) != 0
    assert place.read_bytes() == segment.read_bytes()
