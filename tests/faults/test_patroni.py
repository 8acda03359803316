"""Patroni over etcd decides who is the primary: its leader is killed, and nothing is lost."""

import asyncio
import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from msgspec import json

from market.embedded.programs import command_line
from tests.faults.bidders import Bidders
from tests.faults.keeping import compare
from tests.faults.postgres import (
    AS_SOMEBODY,
    SAFE,
    SUPERUSER,
    Postgres,
    environment,
    free_port,
    kill_family,
    kill_pids,
    programs,
)
from tests.faults.scene import BIDDERS, Scene
from tests.faults.storms import Broken, Deployment, describe, open_bids, say, storm

SECONDS = 50.0
GOAL = 30.0
"""Within so many seconds bids must be acknowledged again."""
_OF_PATRONI = {"listen_addresses", "wal_level", "hot_standby", "max_connections", "max_wal_senders"}


def patroni() -> Path:
    """Patroni's program; without it, or without etcd, the drill is skipped."""
    found = shutil.which("patroni", path=f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    if found is None or shutil.which("etcd") is None:
        pytest.skip(
            "The drill needs the programs `patroni` (of the lock) and `etcd` (of the host)."
        )
    return Path(found)


class Node:
    """One server under Patroni, which starts and promotes it."""

    def __init__(self, name: str, server: Postgres, etcd: int, folder: Path) -> None:
        self.name, self.server = name, server
        self.port = free_port()
        self._file, self._log = folder / f"{name}.json", folder / f"{name}.patroni.log"
        self._running: subprocess.Popen[bytes] | None = None
        logins = {"username": SUPERUSER, "password": server.password}
        settings = {one: value for one, value in SAFE.items() if one not in _OF_PATRONI}
        self._file.write_bytes(
            json.encode(
                {
                    "scope": "market",
                    "name": name,
                    "restapi": {
                        "listen": f"127.0.0.1:{self.port}",
                        "connect_address": f"127.0.0.1:{self.port}",
                    },
                    "etcd3": {"hosts": f"127.0.0.1:{etcd}"},
                    "bootstrap": {
                        "dcs": {
                            "ttl": 20,
                            "loop_wait": 2,
                            "retry_timeout": 5,
                            "maximum_lag_on_failover": 0,
                            "synchronous_mode": True,
                            "postgresql": {
                                "use_pg_rewind": True,
                                "parameters": {"max_connections": 120, "max_wal_senders": 6},
                            },
                        }
                    },
                    "postgresql": {
                        "listen": f"127.0.0.1:{server.port}",
                        "connect_address": f"127.0.0.1:{server.port}",
                        "data_dir": str(server.folder),
                        "bin_dir": str(programs()),
                        "pgpass": str(folder / f"{name}.pgpass"),
                        "parameters": settings,
                        "authentication": {
                            "superuser": logins,
                            "replication": logins,
                            "rewind": logins,
                        },
                    },
                }
            )
        )

    def start(self) -> None:
        """Start Patroni, which starts the server."""
        with self._log.open("ab") as log:
            self._running = subprocess.Popen(  # noqa: S603  # a program of the lock
                [*AS_SOMEBODY, str(patroni()), str(self._file)],
                env=environment(self.server.password) | {"HOME": str(self._file.parent)},
                cwd="/",
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def kill(self) -> None:
        """Kill Patroni and its server with SIGKILL, as if the machine had lost its power."""
        if self._running is None:
            return
        self._running.send_signal(signal.SIGSTOP)  # or it would start the server again
        with contextlib.suppress(FileNotFoundError, ValueError):
            pid = int((self.server.folder / "postmaster.pid").read_text().split("\n", 1)[0])
            if str(self.server.folder) in command_line(pid):  # and not who got its number since
                kill_pids(pid)
        kill_family(self._running)
        self._running = None

    async def role(self, client: httpx.AsyncClient) -> str:
        """What Patroni says it is: "primary", "sync_standby", "replica", or nothing."""
        try:
            answer = await client.get(f"http://127.0.0.1:{self.port}/patroni")
        except httpx.TransportError:
            return ""
        said = answer.json()
        if said.get("state") != "running":
            return ""
        return "sync_standby" if said.get("sync_standby") is True else str(said.get("role"))


@contextlib.contextmanager
def etcd(folder: Path) -> Iterator[int]:
    """One etcd on the loopback interface; gives the port its clients use."""
    clients, peers = free_port(), free_port()
    mine, theirs = f"http://127.0.0.1:{clients}", f"http://127.0.0.1:{peers}"
    addresses = ["--listen-client-urls", mine, "--advertise-client-urls", mine]
    addresses += ["--listen-peer-urls", theirs, "--initial-advertise-peer-urls", theirs]
    addresses += ["--initial-cluster", f"default={theirs}"]
    with (folder / "etcd.log").open("ab") as log:
        running = subprocess.Popen(  # noqa: S603  # constant but for ports and folder
            [shutil.which("etcd") or "etcd", "--data-dir", str(folder / "etcd"), *addresses],
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        yield clients
    finally:
        running.kill()
        running.wait()


async def _roles(nodes: list[Node], wanted: set[str], within: float) -> list[str]:
    """Wait until the nodes have roles, each among those wanted and all of them there."""
    roles: list[str] = []
    async with httpx.AsyncClient(timeout=2) as client:
        end = time.monotonic() + within
        while time.monotonic() < end:
            roles = [await node.role(client) for node in nodes]
            if set(roles) == wanted:
                return roles
            await asyncio.sleep(0.2)
    pytest.fail(f"After {within} seconds the nodes are {roles}, not {sorted(wanted)}.")


async def test_when_patroni_s_leader_is_killed_bids_are_taken_again_within_thirty_seconds(
    scene: Scene, tmp_path: Path
) -> None:
    patroni()
    primary = scene.prepared.copied(tmp_path / "one")
    standby = Postgres(tmp_path / "two", password=primary.password)
    with etcd(tmp_path) as port, contextlib.ExitStack() as stack:
        one, two = Node("one", primary, port, tmp_path), Node("two", standby, port, tmp_path)
        for node in (one, two):
            stack.callback(node.kill)
        one.start()
        await _roles([one], {"primary"}, 60)
        two.start()
        await _roles([one, two], {"primary", "sync_standby"}, 60)
        deployment = Deployment(scene, tmp_path, primary, standby, count=2)
        killed_at = 0.0

        async def breaking(bidders: Bidders, _: float) -> None:
            nonlocal killed_at
            await bidders.acknowledged(BIDDERS // 4)
            killed_at = time.monotonic()
            await asyncio.to_thread(one.kill)

        async with deployment.running():
            told = await storm(
                scene, deployment, primary, breaking, seconds=SECONDS, bidders=BIDDERS
            )
            kept = await compare(standby, scene, told.given)
            opened = await open_bids(scene, deployment)
        back = min(at.answered_at for at in told.given if at.answered_at > killed_at) - killed_at
        one.start()  # the former leader comes back as a standby
        await _roles([one, two], {"primary", "sync_standby"}, 60)
    said = describe(told, kept, Broken(servers=1))
    say(f"\nPatroni: bids acknowledged again after {back:.1f} s; {said}")
    assert told.faults == []
    assert kept.good, kept
    assert opened["remaining"] == opened["failed"] == 0
    assert back < GOAL
