"""Processes of the market for the tests that break things: started, killed, started again."""

import base64
import contextlib
import os
import secrets
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

from tests.makers.databases import Databases, Ways


def _url(parameters: dict[str, Any]) -> str:
    user, password = quote(parameters["user"]), quote(parameters.get("password") or "", safe="")
    host, port = quote(str(parameters["host"]), safe=""), parameters.get("port", 5432)
    return f"postgresql://{user}:{password}@/{parameters['database']}?host={host}&port={port}"


def keys() -> dict[str, str]:
    """New keys of a market, as its environment gives them."""
    encryption, signing = (base64.b64encode(secrets.token_bytes(32)).decode() for _ in range(2))
    return {"MARKET_KEY_ENCRYPTION_KEYS": f"tests:{encryption}", "MARKET_SIGNING_KEY": signing}


def plain_environment(home: Path, **settings: str) -> dict[str, str]:
    """The environment of a process of the market, with these settings alone (without `MARKET_`)."""
    inherited = {name: value for name, value in os.environ.items() if "MARKET_" not in name}
    return inherited | {
        "PYTHONPATH": str(Path(__file__).parents[2]),
        "MARKET_HOME": str(home),
        "MARKET_NAME": "tests.example",
        "MARKET_LOG_LEVEL": "ERROR",
        **{f"MARKET_{name.upper()}": value for name, value in settings.items()},
    }


def environment(databases: Databases | Ways, home: Path) -> dict[str, str]:
    """The environment in which a process of the market meets the test's database."""
    ways = {"database_url": _url(databases.app), "worker_url": _url(databases.worker)}
    return plain_environment(home, **ways) | keys()


class Process:
    """One `market …` process, by its arguments; killed without warning and started anew."""

    def __init__(
        self, arguments: list[str], variables: dict[str, str], log: Path | None = None
    ) -> None:
        self._command = [sys.executable, "-m", "market", *arguments]
        self._variables = variables
        self._log = log
        self.starts = 0
        self._running: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it; what it says goes nowhere, and what it complains of into the log if any."""
        self.starts += 1
        with contextlib.ExitStack() as stack:
            self._running = subprocess.Popen(  # noqa: S603  # this programme itself
                self._command,
                env=self._variables,
                stdout=subprocess.DEVNULL,
                stderr=None if self._log is None else stack.enter_context(self._log.open("ab")),
                start_new_session=True,
            )

    def kill(self, how: signal.Signals = signal.SIGKILL) -> None:
        """Send it a signal, and reap it where that ended it."""
        if self._running is not None and self._running.poll() is None:
            self._running.send_signal(how)
            if how is signal.SIGKILL:
                self._running.wait()

    @property
    def id(self) -> int:
        """Its process id; 0 where it was never started."""
        return 0 if self._running is None else self._running.pid

    @property
    def alive(self) -> bool:
        """Whether it runs."""
        return self._running is not None and self._running.poll() is None


@contextmanager
def running(*processes: Process) -> Iterator[None]:
    """Start them, and leave none behind."""
    try:
        for process in processes:
            process.start()
        yield
    finally:
        for process in processes:
            process.kill(signal.SIGCONT)
            process.kill()
