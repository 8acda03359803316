"""Disks that are slower than this machine's: a library between PostgreSQL and its fsync."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_SOURCE = Path(__file__).with_name("slow_disk.c")


class Disk:
    """What the disk of a server is made to take; nothing, until it is asked to be slow."""

    def __init__(self, folder: Path) -> None:
        """Compile the library into a folder, where there is a compiler."""
        self._says = folder / "slow-disk"
        self._library = folder / "slow-disk.so"
        compiler = shutil.which("cc")
        if compiler is not None:
            folder.mkdir(parents=True, exist_ok=True)
            command = [
                compiler,
                "-O2",
                "-shared",
                "-fPIC",
                "-o",
                str(self._library),
                str(_SOURCE),
                "-ldl",
            ]
            subprocess.run(command, check=True)  # noqa: S603  # our own source
        self.can_be_slow = compiler is not None

    @contextmanager
    def under(self) -> Iterator[None]:
        """Let servers that are started inside write to this disk."""
        if not self.can_be_slow:
            yield
            return
        self._says.write_text("0")
        os.environ |= {"LD_PRELOAD": str(self._library), "SLOW_DISK": str(self._says)}
        try:
            yield
        finally:
            del os.environ["LD_PRELOAD"], os.environ["SLOW_DISK"]

    @contextmanager
    def slow(self, microseconds: int) -> Iterator[None]:
        """Let every fsync take so much longer."""
        self._says.write_text(str(microseconds))
        try:
            yield
        finally:
            self._says.write_text("0")
