"""A client of HTTP/1.1 that costs next to nothing: one connection, requests made beforehand."""

import socket
import time
from types import TracebackType
from typing import Self

from msgspec import Struct

_CHUNK = 1 << 18
_END = b"\r\n\r\n"
_LENGTH = b"content-length: "


class Request(Struct, frozen=True, kw_only=True):
    """A request as it is sent."""

    method: str
    path: str
    token: str | None = None
    key: str | None = None
    body: bytes = b""

    def encoded(self, path: str | None = None) -> bytes:
        """Put it on the wire, to another path where one is given."""
        lines = [f"{self.method} {path or self.path} HTTP/1.1", "host: market"]
        if self.token is not None:
            lines.append(f"authorization: Bearer {self.token}")
        if self.key is not None:
            lines.append(f"idempotency-key: {self.key}")
        if self.body:
            lines += ["content-type: application/json", f"content-length: {len(self.body)}"]
        return "\r\n".join(lines).encode() + _END + self.body


class Answer(Struct, frozen=True):
    """A status and a body, and how many seconds they took."""

    status: int
    body: bytes
    seconds: float


class Wire:
    """One connection that stays open."""

    def __init__(self, port: int) -> None:
        """Connect to a port of this machine."""
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=60)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._socket.close()

    def send(self, sent: bytes) -> Answer:
        """Send one request and wait for its answer.

        Raises:
            ConnectionError: the server hung up before it had answered.
        """
        began = time.perf_counter()
        self._socket.sendall(sent)
        received = bytearray()
        while (head := received.find(_END)) < 0:
            self._read(received)
        body = head + len(_END)
        found = received.lower().find(_LENGTH, 0, head)
        length = 0
        if found >= 0:
            end = received.find(b"\r", found)
            length = int(received[found + len(_LENGTH) : end])
        while len(received) < body + length:
            self._read(received)
        seconds = time.perf_counter() - began
        return Answer(int(received[9:12]), bytes(received[body:]), seconds)

    def _read(self, received: bytearray) -> None:
        chunk = self._socket.recv(_CHUNK)
        if not chunk:
            raise ConnectionError("The server hung up.")
        received += chunk
