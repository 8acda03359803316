"""`market worker`, by itself or beside a server that `market run` starts."""

import argparse
import asyncio
import os
import subprocess
import sys
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager

import structlog

from market.cli.log import notes_in
from market.observation.log import configure_log
from market.runtime import join
from market.settings import Settings
from market.worker import work

_LOG = structlog.get_logger("market.worker")
_GRACE = 10  # seconds for what the worker is doing when it is asked to stop
_LOOK = 1.0  # seconds between looks at whether the server is still there
_FIRST_PAUSE = 1.0
_LONGEST_PAUSE = 60.0


def worker(settings: Settings, chosen: argparse.Namespace) -> int:
    """Do everything that is done beside requests, until somebody stops it."""
    configure_log(settings.log_level)
    notes = notes_in(chosen.covering)
    with join(settings) as runtime:
        working = work(runtime, notes)
        asyncio.run(working if chosen.beside is None else _beside(chosen.beside, working))
    return 0


async def _beside(server: int, working: Coroutine[None, None, None]) -> None:
    """Work until the server is gone that this process was started by, killed or not."""
    task = asyncio.create_task(working)
    while os.getppid() == server and not task.done():
        await asyncio.wait({task}, timeout=_LOOK)
    task.cancel()
    await asyncio.wait({task})
    if not task.cancelled() and (error := task.exception()) is not None:
        raise error


class _Worker:
    """The process of the worker, started again when it ends before it was asked to."""

    def __init__(self, settings: Settings) -> None:
        # where the server was told to listen by the command line is what links lead to
        listening = {"MARKET_HOST": settings.host, "MARKET_PORT": str(settings.port)}
        self._variables = {**os.environ, **listening}
        self._stopping = threading.Event()
        self._process = self._start()
        self._watch = threading.Thread(target=self._keep, name="worker", daemon=True)
        self._watch.start()

    def _start(self) -> "subprocess.Popen[bytes]":
        command = [sys.executable, "-m", "market", "worker", "--beside", str(os.getpid())]
        return subprocess.Popen(command, env=self._variables)  # noqa: S603  # this programme itself

    def _keep(self) -> None:
        pause = _FIRST_PAUSE
        while True:
            ended = self._process.wait()
            if self._stopping.wait(pause):
                return
            _LOG.warning("the worker ended and is started again", status=ended, after=pause)
            pause = min(pause * 2, _LONGEST_PAUSE)
            self._process = self._start()

    def stop(self) -> None:
        """Ask it to stop, and end it if it does not."""
        self._stopping.set()
        self._process.terminate()
        try:
            self._process.wait(_GRACE)
        except subprocess.TimeoutExpired:
            self._process.kill()
        self._watch.join(_GRACE)


@contextmanager
def worker_beside(settings: Settings) -> Iterator[None]:
    """Run `market worker` as a process of its own with the same settings, and stop it at the end.

    A process, not a task: what it does at length must not hold up an answer.
    """
    worker = _Worker(settings)
    try:
        yield
    finally:
        worker.stop()
