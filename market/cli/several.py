"""Several processes of the API at one port: how connections reach them, and how they end."""

import multiprocessing
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable
from typing import Any, Self

import uvicorn
from uvicorn.supervisors import Multiprocess

_UNTIL_READY = 60.0  # seconds for the first of them to answer


class SharedPort(socket.socket):
    """A port that several processes answer at, each with a socket of its own (SO_REUSEPORT).

    The kernel then deals connections out evenly; of one socket for all, whoever wakes first takes
    most of a burst, and the others have nothing to do. What is handed to a process is the address:
    it opens its own socket there. This one only keeps the port.
    """

    @classmethod
    def of(cls, listening: socket.socket) -> Self:
        """Take over the port that a socket listens at, and close that."""
        family, address = listening.family, listening.getsockname()
        listening.close()
        return cls.at(family, address)

    @classmethod
    def at(cls, family: int, address: Any) -> Self:
        """Open one of the sockets at an address."""
        opened = cls(family, socket.SOCK_STREAM)
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        opened.bind(address)
        return opened

    def __reduce__(self) -> tuple[Callable[..., Self], tuple[int, Any]]:
        """Open another at the same address, in the process that this is handed to."""
        return type(self).at, (int(self.family), self.getsockname())


class Several(Multiprocess):
    """The processes, and words to say once the first of them answers."""

    def __init__(self, config: uvicorn.Config, listening: socket.socket, words: str) -> None:
        """Share the port out where the system can: on Linux."""
        port = SharedPort.of(listening) if sys.platform == "linux" else listening
        super().__init__(config, sockets=[port])
        self._words = words

    def init_processes(self) -> None:
        """Start them, and say so."""
        super().init_processes()
        if self.processes[0].wait_until_ready(_UNTIL_READY, self.should_exit):
            sys.stdout.write(self._words)
            sys.stdout.flush()


def end_with_the_first() -> None:
    """End this process, in order, when the first one is gone: killed, it stops nobody itself.

    Otherwise the port would go on being served, and the market could not be started again.
    """
    first = multiprocessing.parent_process()
    if first is None:
        return

    def wait() -> None:
        first.join()
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=wait, daemon=True).start()
