"""The supervisor of the embedded PostgreSQL server: one folder, any number of processes.

The wheel's own supervisor trusts every local user, and as root it makes a system user and opens
each folder above the data. This one asks for a password (SCRAM), listens on a socket in a 0700
folder and nowhere else, and leaves permissions alone. A process that uses the server holds a shared
lock on a file; the kernel frees it even after SIGKILL, so who is last out is never guessed.
POSIX only: it needs `flock`.
"""

import contextlib
import fcntl
import os
import pwd
import secrets
import shutil
import signal
import stat
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Final, Self

from market.embedded.connection import Connection
from market.embedded.programs import (
    ONESELF,
    EmbeddedPostgresError,
    Identity,
    clean_environment,
    command_line,
    copy_programs,
    find_programs,
    run_program,
)

_SUPERUSER: Final = "postgres"
_PORT: Final = 5432  # part of the socket's file name; no TCP port is opened
_PATIENCE: Final = 60.0  # seconds for crash recovery, or for the checkpoint of a shutdown
_LONGEST_SOCKET_PATH: Final = 103  # sun_path: 104 bytes on macOS, 108 on Linux, with the final NUL
_LARGEST_LOG: Final = 10_000_000  # bytes, before it is put aside at the next start
_NAMESPACE: Final = ("unshare", "--user", "--map-user=65534", "--map-group=65534")

# What an acknowledged bid rests on.
_DEFAULTS: Final = {
    "fsync": "on",
    "full_page_writes": "on",
    "synchronous_commit": "on",
    "max_connections": "100",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_error_verbosity": "terse",  # the detail of a violated constraint would log the row
}
# What keeps the server private and in its folder.
_FIXED: Final = {
    "listen_addresses": "",
    "port": str(_PORT),
    "unix_socket_permissions": "0700",
}
_NOT_SETTINGS: Final = frozenset(_FIXED) | {
    "config_file",
    "data_directory",
    "hba_file",
    "ident_file",
    "unix_socket_directories",
    "unix_socket_group",
}


class EmbeddedPostgres:
    """A PostgreSQL server whose data, socket and password live in one folder.

    `settings` are server settings (`fsync=off` for a test server) that win over the safe defaults;
    they count for whoever starts the server, not for those who find it running. `programs` is the
    folder of PostgreSQL's programs; without it the wheel's are taken, or else the newest of the
    system. Calls block: make them outside the event loop.

    Raises:
        EmbeddedPostgresError: no programs, or a setting that would open or move the server.
    """

    def __init__(
        self,
        root: Path,
        *,
        settings: Mapping[str, str] = MappingProxyType({}),
        programs: Path | None = None,
    ) -> None:
        if refused := sorted(_NOT_SETTINGS & {name.lower() for name in settings}):
            raise EmbeddedPostgresError(
                f"These settings would open the server or move it: {', '.join(refused)}."
            )
        self.root = root.resolve()
        self.data = self.root / "data"
        self.log = self.root / "server.log"
        self._password = self.root / "password"
        self._settings = {**_DEFAULTS, **settings, **_FIXED}
        self._programs = find_programs(programs)
        self._identity = ONESELF
        self._socket_folder = self.root / "socket"
        self._said_before = 0  # bytes of the log that earlier starts have written
        self._place: int | None = None  # the lock that says "I use the server"

    def start(self) -> Self:
        """Start the server, or join the one that runs; harmless when this object already uses it.

        Raises:
            EmbeddedPostgresError: data of another major version, nobody to run the server as, or
                a server that does not start.
        """
        self.root.mkdir(parents=True, exist_ok=True, mode=0o700)
        with self._one_at_a_time():
            joined = self._place is not None
            if self._place is None:
                self._place = self._open_lock("users.lock")
                fcntl.flock(self._place, fcntl.LOCK_SH)
            try:
                self._identity = self._choose_identity()
                self._socket_folder = self._make_socket_folder()
                if not (self.data / "PG_VERSION").exists():
                    self._make_cluster()
                self._refuse_other_version()
                self._make_ready()
            except BaseException:
                if not joined:
                    self._leave()
                raise
        return self

    def stop(self) -> None:
        """Leave the server; the last to leave shuts it down and waits until it is down.

        Raises:
            EmbeddedPostgresError: the server is still shutting down after a minute.
        """
        if self._place is None:
            return
        with self._one_at_a_time():  # keeps starters out until the server has gone
            try:
                fcntl.flock(self._place, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return  # somebody else still uses it
            else:
                self._shut_down()
            finally:
                self._leave()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def connection(self) -> Connection:
        """The superuser's way in. Others are made from it with `msgspec.structs.replace`."""
        if self._place is None:
            raise EmbeddedPostgresError("The embedded PostgreSQL is not started; call start().")
        return Connection(
            host=str(self._socket_folder),
            port=_PORT,
            user=_SUPERUSER,
            password=self._password.read_text().strip(),
            database="postgres",
        )

    def run(self, program: str, *arguments: str) -> str:
        """Run one of PostgreSQL's client programs (`pg_dump`) as the superuser; give its output.

        Raises:
            EmbeddedPostgresError: it failed; with what it complained of.
        """
        way = self.connection
        environment = clean_environment() | {
            "PGHOST": way.host,
            "PGPORT": str(way.port),
            "PGUSER": way.user,
            "PGPASSWORD": way.password,
            "PGDATABASE": way.database,
        }
        command = [str(self._programs.folder / program), *arguments]
        return run_program(command, environment=environment)

    # ---------------------------------------------------------------------------------- locks

    def _open_lock(self, name: str) -> int:
        try:
            return os.open(self.root / name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except PermissionError as error:
            raise EmbeddedPostgresError(
                f"{self.root} belongs to somebody else. Start the market as the user who owns it, "
                "or set MARKET_HOME to another folder."
            ) from error

    @contextlib.contextmanager
    def _one_at_a_time(self) -> Iterator[None]:
        gate = self._open_lock("start.lock")
        try:
            fcntl.flock(gate, fcntl.LOCK_EX)
            yield
        finally:
            os.close(gate)

    def _leave(self) -> None:
        if self._place is not None:
            os.close(self._place)
            self._place = None

    # ------------------------------------------------------------------------------- identity

    def _choose_identity(self) -> Identity:
        """Choose as whom to run: oneself, or as root somebody less.

        In a user namespace of one uid PostgreSQL sees a uid other than 0, while the files stay
        root's own. Where that is forbidden, or the data are somebody else's, an ordinary user.
        """
        if os.geteuid() != 0:
            return ONESELF
        owner = self.data.stat().st_uid if self.data.exists() else 0
        if owner == 0 and shutil.which("unshare"):
            # There root has no powers over other users' folders, so it is tried, not assumed.
            postgres = self._programs.folder / "postgres"
            attempt = ("sh", "-c", 'test -w "$0" && exec "$1" --version', self.root, postgres)
            probe = subprocess.run([*_NAMESPACE, *attempt], check=False, capture_output=True)  # noqa: S603  # no input
            if probe.returncode == 0:
                return Identity(wrapper=_NAMESPACE)
        for account in pwd.getpwall():
            if account.pw_uid == owner != 0 or (owner == 0 and account.pw_name == "nobody"):
                return self._identity_of(account)
        raise EmbeddedPostgresError(
            "PostgreSQL does not run as root, and there is neither a user namespace nor a user to "
            "run it as. Start the market as an ordinary user."
        )

    def _identity_of(self, account: pwd.struct_passwd) -> Identity:
        self.root.chmod(0o711)  # passing through only; data, socket and password stay closed
        if not _can_be_entered(self.root):
            raise EmbeddedPostgresError(
                f"PostgreSQL does not run as root, and {account.pw_name}, as whom it would run, "
                f"cannot reach {self.root}. Set MARKET_HOME to a folder such as /var/lib/market, "
                "or start the market as an ordinary user."
            )
        if not _can_be_entered(self._programs.folder):
            self._programs = copy_programs(self._programs, self.root)
        return Identity(uid=account.pw_uid, gid=account.pw_gid)

    def _give(self, path: Path) -> None:
        if self._identity.uid is not None and self._identity.gid is not None:
            os.chown(path, self._identity.uid, self._identity.gid)

    # -------------------------------------------------------------------------------- cluster

    def _make_socket_folder(self) -> Path:
        """Make the socket's folder: beside the data, or a temporary one if that is too long."""
        folder = self.root / "socket"
        if len(os.fsencode(folder / f".s.PGSQL.{_PORT}")) > _LONGEST_SOCKET_PATH:
            note = self.root / "socket-folder"
            if not note.exists():
                note.write_text(tempfile.mkdtemp(prefix="market-"))
            folder = Path(note.read_text())
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._give(folder)
        found = folder.lstat()
        owner = os.geteuid() if self._identity.uid is None else self._identity.uid
        if not stat.S_ISDIR(found.st_mode) or found.st_mode & 0o077 or found.st_uid != owner:
            raise EmbeddedPostgresError(
                f"{folder} must be a folder that nobody else may enter. Remove it and start again."
            )
        return folder

    def _make_cluster(self) -> None:
        """Make the cluster aside and move it: a half-made one never looks complete."""
        unfinished = self.root / "data.tmp"
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(mode=0o700)
        self._give(unfinished)
        self._password.unlink(missing_ok=True)
        self._password.touch(mode=0o600)
        self._password.write_text(f"{secrets.token_urlsafe(32)}\n")
        self._give(self._password)
        options = ["--auth=scram-sha-256", "--data-checksums", "--encoding=UTF8"]
        options += [f"--username={_SUPERUSER}", f"--pwfile={self._password}", "--locale=C.UTF-8"]
        if self._programs.major >= 17:  # noqa: PLR2004  # the first with a builtin provider
            # Its order never changes with the C library, so indexes outlive an upgrade of that.
            options.append("--locale-provider=builtin")
        if self._settings["fsync"] == "off":
            options.append("--no-sync")
        run_program(
            [str(self._programs.folder / "initdb"), f"--pgdata={unfinished}", *options],
            identity=self._identity,
            folder=Path("/"),
        )
        os.chown(self._password, os.geteuid(), os.getegid())
        _sync(self._password)
        unfinished.rename(self.data)
        _sync(self.root)

    def _refuse_other_version(self) -> None:
        written = (self.data / "PG_VERSION").read_text().strip()
        if written != str(self._programs.major):
            raise EmbeddedPostgresError(
                f"The data in {self.data} were written by PostgreSQL {written}, but the programs "
                f"in {self._programs.folder} are PostgreSQL {self._programs.major}. Set "
                f"MARKET_POSTGRES_PROGRAMS to the programs of PostgreSQL {written}, or upgrade the "
                "data with pg_upgrade first."
            )

    # --------------------------------------------------------------------------------- server

    def _make_ready(self) -> None:
        """Wait until the server accepts connections, and start it whenever there is none."""
        deadline = time.monotonic() + _PATIENCE
        launched: subprocess.Popen[bytes] | None = None
        while (answer := self._answer()) != "ready":
            if time.monotonic() > deadline:
                raise EmbeddedPostgresError(
                    f"PostgreSQL did not become ready in {_PATIENCE:.0f} seconds; see {self.log}."
                )
            if answer == "none" and self._postmaster() is None:
                if launched is not None and launched.poll() is not None:
                    self._explain_end()
                    launched = None
                if launched is None:
                    launched = self._launch()
            time.sleep(0.01)

    def _answer(self) -> str:
        """Ask the socket: "ready", "busy" (starting, recovering or stopping) or "none"."""
        program = self._programs.folder / "pg_isready"
        asked = subprocess.run(  # noqa: S603  # our own program and folder
            [program, "-q", "-h", self._socket_folder, "-p", str(_PORT)],
            check=False,
            env=clean_environment(),
        )
        return {0: "ready", 1: "busy"}.get(asked.returncode, "none")

    def _launch(self) -> subprocess.Popen[bytes]:
        # A killed server leaves its pid behind. When another process has that number by now,
        # PostgreSQL takes it for a rival and refuses; the caller has just seen that it is not ours.
        (self.data / "postmaster.pid").unlink(missing_ok=True)
        if self.log.exists() and self.log.stat().st_size > _LARGEST_LOG:
            self.log.rename(self.root / "server.old.log")
        self.log.touch(mode=0o600)
        self._said_before = self.log.stat().st_size
        command = [*self._identity.wrapper, str(self._programs.folder / "postgres")]
        command += ["-D", str(self.data), "-k", str(self._socket_folder)]
        command += [f"--{name}={value}" for name, value in self._settings.items()]
        with self.log.open("ab") as log:
            process = subprocess.Popen(  # noqa: S603  # our own program and options
                command,
                cwd="/",
                env=clean_environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C is for the market, which then stops it in order
                user=self._identity.uid,
                group=self._identity.gid,
                extra_groups=None if self._identity.uid is None else [],
            )
        # It may outlive this object, or be stopped by another process: somebody must collect it.
        threading.Thread(target=process.wait, name="embedded-postgres", daemon=True).start()
        return process

    def _explain_end(self) -> None:
        """Raise with the server's last words, unless they are about a killed server's remains."""
        said = self.log.read_bytes()[self._said_before :].decode(errors="replace").splitlines()
        fatal = next((line for line in reversed(said) if "FATAL:" in line), " ".join(said[-1:]))
        if "pre-existing shared memory block" not in fatal:
            raise EmbeddedPostgresError(
                f"PostgreSQL did not start ({fatal.strip()}); see {self.log}."
            )
        time.sleep(0.1)

    def _postmaster(self) -> int | None:
        """Give the pid of this folder's running server, and of no process that got its number."""
        try:
            pid = int((self.data / "postmaster.pid").read_text().split("\n", 1)[0])
        except (FileNotFoundError, ValueError):
            return None
        return pid if str(self.data) in command_line(pid) else None

    def _shut_down(self) -> None:
        if (pid := self._postmaster()) is not None:
            os.kill(pid, signal.SIGINT)  # "fast": open transactions are rolled back
            deadline = time.monotonic() + _PATIENCE
            while self._postmaster() == pid:
                if time.monotonic() > deadline:
                    raise EmbeddedPostgresError(
                        f"PostgreSQL is still shutting down; see {self.log}."
                    )
                time.sleep(0.01)


def _can_be_entered(folder: Path) -> bool:
    return all(above.stat().st_mode & stat.S_IXOTH for above in (folder, *folder.parents))


def _sync(path: Path) -> None:
    opened = os.open(path, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
