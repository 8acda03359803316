"""Many requests at a time: sent when they are due, whether or not earlier ones were answered."""

import asyncio
import time
from collections import Counter
from collections.abc import Iterator, Sequence

import uvloop
from msgspec import Struct

_END = b"\r\n\r\n"
_LENGTH = b"content-length: "
_LIMIT = 1 << 22


class Outcome(Struct, frozen=True, kw_only=True):
    """What became of a load: how many answers by status, and the seconds each was waited for.

    A request is waited for from when it was due, so that a server that stalls does not hide it.
    """

    statuses: dict[int, int]
    seconds: list[float]
    lasted: float

    @property
    def rate(self) -> float:
        """How many requests a second were answered."""
        return len(self.seconds) / self.lasted

    def percentile(self, share: float) -> float:
        """The milliseconds within which such a share was answered."""
        ordered = sorted(self.seconds)
        return ordered[min(int(len(ordered) * share), len(ordered) - 1)] * 1000


async def _one(
    port: int, waiting: Iterator[tuple[float, bytes]], answers: list[tuple[int, float]]
) -> None:
    """One connection: sends the next request that is due, and waits for its answer."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=_LIMIT)
    try:
        for due, request in waiting:
            if (early := due - time.perf_counter()) > 0:
                await asyncio.sleep(early)
            writer.write(request)
            head = await reader.readuntil(_END)
            place = head.lower().find(_LENGTH)
            if place >= 0:
                length = int(head[place + len(_LENGTH) : head.index(b"\r", place)])
                await reader.readexactly(length)
            answers.append((int(head[9:12]), time.perf_counter() - due))
    finally:
        writer.close()


async def _load(
    port: int, requests: Sequence[bytes], rate: float | None, connections: int
) -> Outcome:
    answers: list[tuple[int, float]] = []
    began = time.perf_counter()

    def due() -> Iterator[tuple[float, bytes]]:
        for number, request in enumerate(requests):
            yield (time.perf_counter() if rate is None else began + number / rate), request

    waiting = due()
    async with asyncio.TaskGroup() as tasks:
        for _ in range(connections):
            tasks.create_task(_one(port, waiting, answers))
    return Outcome(
        statuses=dict(Counter(status for status, _ in answers)),
        seconds=[seconds for _, seconds in answers],
        lasted=time.perf_counter() - began,
    )


def load(
    port: int, requests: Sequence[bytes], *, rate: float | None = None, connections: int
) -> Outcome:
    """Send requests at a rate a second, or as fast as so many connections get answers."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_load(port, requests, rate, connections))
