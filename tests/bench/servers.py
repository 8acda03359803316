"""The processes that are measured: the market's own, and the bare handlers."""

import contextlib
import multiprocessing
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.process import BaseProcess
from typing import Any

from tests.bench import bare
from tests.bench.recording import Statement
from tests.bench.wire import Request, Wire
from tests.faults.processes import Process, running

_PATIENCE = 60.0
UNLIMITED = {
    "MARKET_REQUESTS_PER_MINUTE": "10000000",
    "MARKET_TENDER_REQUESTS_PER_MINUTE": "10000000",
}
"""One bench sends as much as a thousand people."""


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def await_answer(port: int, path: str) -> None:
    """Wait until somebody answers on a port.

    Raises:
        TimeoutError: nobody does.
    """
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError), Wire(port) as wire:
            wire.send(Request(method="GET", path=path).encoded())
            return
        time.sleep(0.05)
    message = f"Nobody answers on port {port}."
    raise TimeoutError(message)


@contextmanager
def market_process(variables: dict[str, str], *, workers: int = 1) -> Iterator[tuple[int, int]]:
    """A process of the market: its port and its id."""
    port = free_port()
    arguments = ["run", "--port", str(port), "--workers", str(workers)]
    process = Process([*arguments, "--no-worker", "--no-demonstration"], variables | UNLIMITED)
    with running(process):
        await_answer(port, "/api/v1/clock")
        yield port, process.id


@contextmanager
def bare_process(
    parameters: dict[str, Any], recorded: list[list[Statement]]
) -> Iterator[tuple[int, int]]:
    """A process of the bare handlers, for what was recorded: its port and its id."""
    port = free_port()
    process: BaseProcess = multiprocessing.get_context("spawn").Process(
        target=bare.serve, args=(port, parameters, recorded), daemon=True
    )
    process.start()
    try:
        await_answer(port, "/nothing")
        yield port, process.pid or 0
    finally:
        process.terminate()
        process.join()
