"""PostgreSQL servers for the tests that break them: killed without warning, copied, promoted."""

import functools
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from market.embedded.programs import clean_environment, find_programs

SUPERUSER = "postgres"
SCRIPT = Path(__file__).parents[2] / "docker" / "backup.sh"
"""The script that an operator copies servers with."""
DATABASE = "market"
PATIENCE = 60.0
# As root PostgreSQL does not run; in a user namespace of one uid it does, and files stay root's.
_NAMESPACE = ("unshare", "--user", "--map-user=65534", "--map-group=65534")
AS_SOMEBODY = _NAMESPACE if os.geteuid() == 0 else ()

# As safe as a production server, and small.
SAFE: Mapping[str, str] = {
    "fsync": "on",
    "full_page_writes": "on",
    "synchronous_commit": "on",
    "wal_level": "replica",
    "wal_log_hints": "on",
    "hot_standby": "on",
    "max_connections": "120",
    "max_wal_senders": "6",
    "shared_buffers": "128MB",
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "timezone": "UTC",
    "log_timezone": "UTC",
}
# Nothing but the writer of the log may write it out, and that only every ten seconds: what was
# acknowledged a moment ago is in the memory of processes that die.
FORGETFUL: Mapping[str, str] = {
    "synchronous_commit": "off",
    "wal_writer_delay": "10s",
    "wal_writer_flush_after": "1GB",
    "wal_buffers": "64MB",
    "autovacuum": "off",
    "bgwriter_lru_maxpages": "0",
    "checkpoint_timeout": "1h",
}


def programs() -> Path:
    """Where PostgreSQL's programs are: MARKET_POSTGRES_PROGRAMS, or those of the wheel."""
    chosen = os.environ.get("MARKET_POSTGRES_PROGRAMS")
    return find_programs(None if chosen is None else Path(chosen)).folder


def needs_namespace() -> None:
    """Skip where PostgreSQL can be run by nobody: root, without user namespaces."""
    if not AS_SOMEBODY:
        return
    if shutil.which("unshare") is None or (
        subprocess.run([*_NAMESPACE, "true"], check=False, capture_output=True).returncode != 0  # noqa: S603  # constant
    ):
        pytest.skip("These tests run as root here, and user namespaces are forbidden.")


def free_port() -> int:
    """A port of the loopback interface that was free a moment ago."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        port: int = listening.getsockname()[1]
        return port


def environment(password: str) -> dict[str, str]:
    """The environment PostgreSQL's programs run in here, and the password they may need."""
    found = clean_environment()
    path = f"{_aside()}{programs()}:{Path(sys.executable).parent}:{found['PATH']}"
    return found | {"PATH": path, "PGPASSWORD": password}


@functools.cache
def _aside() -> str:
    """Where our own pg_verifybackup is, if PostgreSQL's does not run: the wheel's does not."""
    asked = [str(programs() / "pg_verifybackup"), "--version"]
    if subprocess.run(asked, check=False, capture_output=True).returncode == 0:  # noqa: S603  # PostgreSQL's own
        return ""
    return f"{Path(__file__).parent}:"


def run(command: Sequence[str | Path], password: str = "") -> str:
    """Run one of PostgreSQL's programs to its end; what it says goes into the failure."""
    done = subprocess.run(  # noqa: S603  # PostgreSQL's own programs; no shell
        [*AS_SOMEBODY, *map(str, command)],
        check=False,
        capture_output=True,
        text=True,
        env=environment(password),
        cwd="/",
    )
    assert done.returncode == 0, f"{command[0]}: {done.stdout}{done.stderr}"
    return done.stdout


def family(pid: int) -> list[int]:
    """A process and all that it started, as /proc tells; nobody else's."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            with suppress(OSError):
                stat = (entry / "stat").read_text().rpartition(")")[2].split()
                if stat[0] != "Z":
                    children.setdefault(int(stat[1]), []).append(int(entry.name))
    found, waiting = [], [pid]
    while waiting:
        found.append(waiting.pop())
        waiting.extend(children.get(found[-1], ()))
    return found


def kill_pids(pid: int) -> None:
    """Kill a process and all it started with SIGKILL, as if the machine had lost its power.

    Parents are halted first: none sees a child die, and tidies up after it.
    """
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGSTOP)
    doomed = family(pid)
    for one in [*doomed[1:], pid]:
        with suppress(ProcessLookupError):
            os.kill(one, signal.SIGKILL)
    end = time.monotonic() + 10
    while any(_lives(one) for one in doomed) and time.monotonic() < end:
        time.sleep(0.005)


def kill_family(process: "subprocess.Popen[bytes]") -> None:
    """Kill a process that was started here, and all it started."""
    if process.poll() is None:
        kill_pids(process.pid)
        process.wait()


def _lives(pid: int) -> bool:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"


class Postgres:
    """One server in one folder, on a port of its own of the loopback interface."""

    def __init__(
        self, folder: Path, *, password: str, settings: Mapping[str, str] | None = None
    ) -> None:
        self.folder = folder
        self.port = free_port()
        self.password = password
        self.settings = {**SAFE, **(settings or {})}
        self._running: subprocess.Popen[bytes] | None = None

    @classmethod
    def made(cls, folder: Path, *, settings: Mapping[str, str] | None = None) -> "Postgres":
        """A new, empty server."""
        password = secrets.token_hex(16)
        folder.mkdir(mode=0o700, parents=True)
        file = folder.with_name(f"{folder.name}.password")
        file.touch(mode=0o600)
        file.write_text(password)
        run(
            [
                "initdb",
                f"--pgdata={folder}",
                "--auth=scram-sha-256",
                f"--username={SUPERUSER}",
                f"--pwfile={file}",
                "--data-checksums",
                "--encoding=UTF8",
                "--locale=C.UTF-8",
                "--no-sync",
            ]
        )
        return cls(folder, password=password, settings=settings)

    def copied(self, folder: Path, settings: Mapping[str, str] | None = None) -> "Postgres":
        """A server over a copy of this one's data: stop this one first."""
        assert not self.alive, "A server that runs cannot be copied file by file."
        shutil.copytree(self.folder, folder)
        return Postgres(folder, password=self.password, settings=settings)

    def standby(
        self, folder: Path, name: str, settings: Mapping[str, str] | None = None
    ) -> "Postgres":
        """A standby of this server under a name, made as one is made in production; not started."""
        way = f"host=127.0.0.1 port={self.port} user={SUPERUSER} application_name={name}"
        run([SCRIPT, "standby", folder, way], self.password)
        return Postgres(folder, password=self.password, settings=settings)

    def parameters(self, database: str = DATABASE, **others: Any) -> dict[str, Any]:
        """The superuser's way in, or another's, as asyncpg's arguments."""
        return {
            "host": "127.0.0.1",
            "port": self.port,
            "user": SUPERUSER,
            "password": self.password,
            "database": database,
            **others,
        }

    @property
    def alive(self) -> bool:
        """Whether it runs."""
        return self._running is not None and self._running.poll() is None

    def launch(self) -> None:
        """Start it without waiting until it answers."""
        assert not self.alive
        (self.folder / "postmaster.pid").unlink(missing_ok=True)  # of one that was killed
        command = [*AS_SOMEBODY, str(programs() / "postgres")]
        command += ["-D", str(self.folder), "-p", str(self.port)]
        command += [f"--{name}={value}" for name, value in self.settings.items()]
        with self.folder.with_name(f"{self.folder.name}.log").open("ab") as log:
            self._running = subprocess.Popen(  # noqa: S603  # PostgreSQL itself
                command,
                env=environment(self.password),
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def start(self) -> float:
        """Start it, wait until it answers, and say how many seconds that took."""
        began = time.monotonic()
        self.launch()
        while not self.answers():
            assert time.monotonic() < began + PATIENCE, f"{self.folder} does not answer"
            if not self.alive:
                said = self.folder.with_name(f"{self.folder.name}.log").read_text()[-1500:]
                assert "pre-existing shared memory" in said, said
                self.launch()
            time.sleep(0.02)
        return time.monotonic() - began

    def answers(self) -> bool:
        """Whether it takes connections."""
        asked = subprocess.run(  # noqa: S603  # PostgreSQL's own program
            [programs() / "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(self.port)],
            check=False,
            env=environment(""),
        )
        return asked.returncode == 0

    def kill(self) -> None:
        """Kill every process of it at once, with SIGKILL."""
        if self._running is not None:
            kill_family(self._running)

    def promote(self) -> None:
        """Make a primary of this standby, and wait until it is one."""
        run(["pg_ctl", "promote", f"--pgdata={self.folder}", "--wait"])

    def halt(self, what: str) -> int:
        """Halt its processes of one kind ("walsender"), and say how many: a silent partition."""
        assert self._running is not None
        found = 0
        for pid in family(self._running.pid)[1:]:
            with suppress(OSError):
                if what in Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace"):
                    os.kill(pid, signal.SIGSTOP)
                    found += 1
        return found

    def stop(self) -> None:
        """Shut it down in order."""
        if self._running is not None and self._running.poll() is None:
            self._running.send_signal(signal.SIGINT)
            self._running.wait(PATIENCE)

    async def execute(self, sql: str, database: str = DATABASE) -> Any:
        """Run one statement as its superuser, and give the first column of its first row."""
        connection = await asyncpg.connect(**self.parameters(database), timeout=10)
        try:
            return await connection.fetchval(sql)
        finally:
            connection.terminate()


@contextmanager
def serving(*servers: Postgres) -> Iterator[None]:
    """Start them in their order, and leave none behind, whatever became of them."""
    try:
        for server in servers:
            server.start()
        yield
    finally:
        for server in servers:
            server.kill()
