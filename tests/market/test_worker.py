"""The worker: every task for itself, whatever happens to another; a process kept running."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import msgspec
import pytest

from market import worker
from market.background import Workbench
from market.runtime import CannotStart, Runtime
from market.settings import Environment
from market.vault import Vault
from tests.conftest import Databases
from tests.faults.processes import environment

_RUNNING = (sys.executable, "-m", "market", "run", "--port", "0", "--no-demonstration")


class _Task:
    name = "counted"

    def __init__(self, *outcomes: float | Exception) -> None:
        self.outcomes = list(outcomes)
        self.runs = 0

    async def run(self) -> float:
        self.runs += 1
        outcome = self.outcomes.pop(0) if self.outcomes else 60.0
        if isinstance(outcome, Exception):
            raise outcome
        return outcome


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long tasks paused, without the waiting; a minute is the end of a test's patience."""
    taken: list[float] = []
    sleep = asyncio.sleep

    async def noted(seconds: float) -> None:
        taken.append(seconds)
        await sleep(3600 if seconds == 60.0 else 0)

    monkeypatch.setattr(asyncio, "sleep", noted)
    return taken


async def _until_it_rests(task: _Task) -> None:
    doing = asyncio.create_task(worker.keep_doing(task))
    await asyncio.wait({doing}, timeout=0.05)
    doing.cancel()
    await asyncio.wait({doing})


async def test_a_task_is_repeated_as_it_asks_and_backs_off_when_it_fails(
    pauses: list[float],
) -> None:
    task = _Task(0, 0.5, OSError("away"), OSError("away"), OSError("away"), 0.25, ValueError("no"))
    await _until_it_rests(task)
    assert pauses == [0, 0.5, 1, 2, 4, 0.25, 1, 60]


async def test_a_task_that_never_recovers_is_tried_once_a_minute(pauses: list[float]) -> None:
    await _until_it_rests(_Task(*(OSError("away") for _ in range(9))))
    assert pauses == [1, 2, 4, 8, 16, 32, 60]


async def test_one_task_that_fails_stops_no_other() -> None:
    bad, good = _Task(OSError("away")), _Task(0, 0, 0)
    doing = [asyncio.create_task(worker.keep_doing(task)) for task in (bad, good)]
    await asyncio.wait(doing, timeout=0.1)
    for one in doing:
        one.cancel()
    await asyncio.wait(doing)
    assert good.runs == 4


async def test_without_its_way_into_the_database_it_says_what_to_set(
    databases: Databases, bench: Workbench, vault: Vault
) -> None:
    runtime = Runtime(
        settings=bench.settings,
        connection=databases.app,
        worker=None,
        migration=None,
        vault=vault,
        environment=Environment.SANDBOX,
    )
    with pytest.raises(CannotStart, match="MARKET_WORKER_URL"):
        await worker.work(runtime)


async def test_it_does_everything_at_once_and_ends_when_it_is_cancelled(
    databases: Databases, superuser: Any, bench: Workbench, vault: Vault, tmp_path: Path
) -> None:
    runtime = Runtime(
        # a folder of its own: in another one lies the checkpoint of another log
        settings=msgspec.structs.replace(bench.settings, checkpoint_interval=1, home=str(tmp_path)),
        connection=databases.app,
        worker=databases.worker,
        migration=None,
        vault=vault,
        environment=Environment.SANDBOX,
    )
    working = asyncio.create_task(worker.work(runtime))
    try:
        async with asyncio.timeout(10):
            while not await superuser.fetchval("SELECT count(*) FROM checkpoint"):  # noqa: ASYNC110  # of another process's doing
                await asyncio.sleep(0.05)
    finally:
        working.cancel()
        await asyncio.wait({working})
    assert working.cancelled()


def _workers(of: int) -> list[int]:
    """The processes that were started by another one."""
    threads = Path(f"/proc/{of}/task").glob("*/children")
    return [int(one) for thread in threads for one in thread.read_text().split()]


def _wait_for(condition: Any) -> Any:
    end = time.monotonic() + 20
    while time.monotonic() < end:
        if found := condition():
            return found
        time.sleep(0.05)
    pytest.fail("It did not come to that within twenty seconds.")


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="looks into /proc")
def test_a_server_starts_its_worker_again_and_the_worker_does_not_outlive_it(
    databases: Databases, tmp_path: Path
) -> None:
    server = subprocess.Popen(  # noqa: S603  # this interpreter, constant arguments
        _RUNNING, env=environment(databases, tmp_path), stdout=subprocess.DEVNULL
    )
    try:
        (first,) = _wait_for(lambda: _workers(server.pid))
        os.kill(first, signal.SIGKILL)
        (second,) = _wait_for(lambda: [one for one in _workers(server.pid) if one != first])
        time.sleep(1.5)  # until it knows whose it is
        server.kill()
        server.wait()
        _wait_for(lambda: not Path(f"/proc/{second}").exists())
    finally:
        server.kill()
        server.wait()
