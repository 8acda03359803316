"""`market worker`, by itself or beside a server that `market run` starts."""

import argparse
import asyncio
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from market.observation.log import configure_log
from market.runtime import join
from market.settings import Settings
from market.worker import work

_GRACE = 10  # seconds for what the worker is doing when it is asked to stop


def worker(settings: Settings, _: argparse.Namespace) -> int:
    """Do everything that is done beside requests, until somebody stops it."""
    configure_log(settings.log_level)
    with join(settings) as runtime:
        asyncio.run(work(runtime))
    return 0


@contextmanager
def worker_beside() -> Iterator[None]:
    """Run `market worker` as a process of its own with the same settings, and stop it at the end.

    A process, not a task: what it does at length must not hold up an answer.
    """
    command = [sys.executable, "-m", "market", "worker"]
    with subprocess.Popen(command) as process:  # noqa: S603  # this programme itself
        try:
            yield
        finally:
            process.terminate()
            try:
                process.wait(_GRACE)
            except subprocess.TimeoutExpired:
                process.kill()
