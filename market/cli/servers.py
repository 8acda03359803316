"""The server under the API: its socket, how it runs, and that it says when it answers."""

import asyncio
import errno
import signal
import socket
import sys
from collections.abc import Callable
from types import FrameType

import uvicorn
from litestar.types import ASGIApp

from market.runtime import CannotStart

_GRACE = 30  # seconds for requests in flight when the process is asked to stop
_BACKLOG = 2048


def server_config(app: ASGIApp | str, *, workers: int = 1) -> uvicorn.Config:
    """How the server runs: uvloop and httptools, its lines in our log, nothing said of itself."""
    return uvicorn.Config(
        app,
        factory=isinstance(app, str),
        workers=workers,
        loop="uvloop",
        http="httptools",
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        backlog=_BACKLOG,
        timeout_keep_alive=30,
        timeout_graceful_shutdown=_GRACE,
    )


class AnnouncedServer(uvicorn.Server):
    """A server that says where it is once it answers, and that it stops before it waits to."""

    def __init__(
        self,
        config: uvicorn.Config,
        words: str = "",
        before_stopping: Callable[[], None] | None = None,
    ) -> None:
        """Keep what to say, and whom to tell before requests in flight are waited for."""
        super().__init__(config)
        self.ready = asyncio.Event()
        self._words = words
        self._before_stopping = before_stopping

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, then say so."""
        await super().startup(sockets)
        sys.stdout.write(self._words)
        sys.stdout.flush()
        self.ready.set()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Let those go who only wait, then stop."""
        if self._before_stopping is not None:
            self._before_stopping()
        await super().shutdown(sockets)


def tell_before_stopping(tell: Callable[[], None]) -> None:
    """Have something called when the process is asked to stop, before the server itself hears it.

    For processes whose server is not ours to make: uvicorn starts several, and handles signals in
    each before it asks for the application. Called in the loop that serves.
    """
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        following = signal.getsignal(number)

        def stopping(given: int, frame: FrameType | None, following: object = following) -> None:
            loop.call_soon_threadsafe(tell)
            if callable(following):
                following(given, frame)

        signal.signal(number, stopping)


def listen(host: str, port: int) -> socket.socket:
    """Open the socket the market is reached at.

    Raises:
        CannotStart: the port is in use, or not for us, or there is no such address.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except socket.gaierror as error:
        message = f"There is no address {host} on this machine: {error.strerror}."
        raise CannotStart(message) from error
    listening = socket.socket(family, kind, protocol)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
        listening.listen(_BACKLOG)
    except OSError as error:
        listening.close()
        if error.errno == errno.EADDRINUSE:
            message = (
                f"Port {port} on {host} is in use: stop what uses it, or choose another with"
                " --port or MARKET_PORT."
            )
        else:
            message = f"The market cannot listen on {host}, port {port}: {error.strerror}."
        raise CannotStart(message) from error
    return listening


def address_of(listening: socket.socket) -> str:
    """The URL of a listening socket."""
    host, port = listening.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
