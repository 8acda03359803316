"""`market run`: one process or several, one socket, an orderly end."""

import argparse
import atexit
import gc
import os
import socket
import tempfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import msgspec
from litestar.types import ASGIApp

from market.app import create_app, served
from market.cli import showing
from market.cli.servers import (
    AnnouncedServer,
    address_of,
    listen,
    server_config,
    tell_before_stopping,
)
from market.cli.several import Several, end_with_the_first
from market.cli.working import worker_beside
from market.observation.log import configure_log
from market.runtime import Runtime, join, prepare
from market.settings import Environment, Settings, from_environment


def run(settings: Settings, chosen: argparse.Namespace) -> int:
    """Serve until somebody stops it."""
    host = settings.host if chosen.host is None else chosen.host
    port = settings.port if chosen.port is None else chosen.port
    settings = msgspec.structs.replace(settings, host=host, port=port)
    configure_log(settings.log_level)
    with ExitStack() as stack:
        listening = stack.enter_context(listen(host, port))  # first: a port in use costs no start
        runtime = stack.enter_context(prepare(settings))
        hints = [] if chosen.no_demonstration else showing.ensure_demonstration(runtime)
        if not chosen.no_worker and runtime.worker is not None:
            stack.enter_context(worker_beside(settings))
        words = _words(runtime, listening, hints)
        if chosen.workers == 1:
            app = create_app(runtime.settings, runtime.connection, runtime.vault)
            settle()
            config = server_config(served(app))
            AnnouncedServer(config, words, app.state["watch"].end).run(sockets=[listening])
            return 0
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="market-measures-"))
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = folder
        config = server_config("market.cli.serving:build", workers=chosen.workers)
        Several(config, listening, words).run()
    return 0


def settle() -> None:
    """Let the collector of garbage pass over what is there for good: the application itself."""
    gc.collect()
    gc.freeze()


def build() -> ASGIApp:
    """The application in one of several processes: joins what the first has prepared.

    Called inside an event loop, so the blocking part has a thread of its own.
    """
    settings = from_environment()
    configure_log(settings.log_level)
    stack = ExitStack()
    with ThreadPoolExecutor(max_workers=1) as thread:
        runtime = thread.submit(stack.enter_context, join(settings)).result()
    atexit.register(stack.close)
    app = create_app(runtime.settings, runtime.connection, runtime.vault)
    settle()
    tell_before_stopping(app.state["watch"].end)
    end_with_the_first()
    answering: ASGIApp = served(app)
    return answering


def _words(runtime: Runtime, listening: socket.socket, hints: list[str]) -> str:
    address = address_of(listening)
    sandbox = runtime.environment is Environment.SANDBOX
    lines = [
        f"The market{' (SANDBOX)' if sandbox else ''} answers at {address}",
        f"  API reference  {address}/docs",
        f"  status         {address}/status",
        *hints,
        "Stop it with Ctrl-C.",
    ]
    return "\n".join(lines) + "\n"
