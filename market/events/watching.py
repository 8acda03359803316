"""Waiting for events: one look at the log per process for everybody who waits in it."""

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

import structlog

from market.events.errors import NoRoomToWait, WaitsElsewhere
from market.events.queries import newest_position
from market.settings import Settings

_LOG = structlog.get_logger("market.events")
LOOKS_EVERY = 0.1
"""Seconds between two looks at how far the log goes."""
_AFTER_FAILURE = 1.0
_READ_AT_ONCE = 4


class Watch:
    """Who waits for events in this process, and the one task that looks for them.

    The task looks only while somebody waits. A waiter holds neither a connection to the database
    nor a place among the requests worked on. Waking is no more than a hint to read again: many wake
    at once, so few of them read at a time.
    """

    def __init__(self, settings: Settings) -> None:
        """Take from the settings how many may wait."""
        self._most = settings.feed_waiters
        self._most_each = settings.feed_waiters_each
        self._waiting: Counter[str] = Counter()
        self._newest = 0
        self._watchers = 0
        self._turn: asyncio.Future[None] | None = None
        self._looking: asyncio.Task[None] | None = None
        self._reading = asyncio.Semaphore(_READ_AT_ONCE)
        self._stop = asyncio.Event()

    @property
    def ended(self) -> bool:
        """Whether the process was asked to stop."""
        return self._stop.is_set()

    @property
    def waiting(self) -> int:
        """How many requests wait, or follow the log, at present."""
        return self._waiting.total()

    @property
    def looking(self) -> bool:
        """Whether the log is being looked at."""
        return self._looking is not None

    @property
    def reading(self) -> asyncio.Semaphore:
        """The turns of those who were woken and read."""
        return self._reading

    @contextmanager
    def place(self, reader: str) -> Iterator[None]:
        """Be one of those who wait, for as long as the context lasts.

        Raises:
            WaitsElsewhere: the reader waits in as many requests as one may.
            NoRoomToWait: as many wait as this process lets wait.
        """
        if self._waiting[reader] >= self._most_each:
            raise WaitsElsewhere
        if self.waiting >= self._most:
            raise NoRoomToWait
        self._waiting[reader] += 1
        try:
            yield
        finally:
            self._waiting[reader] -= 1
            if not self._waiting[reader]:
                del self._waiting[reader]

    async def beyond(self, position: int, seconds: float) -> bool:
        """Wait until the log goes beyond a position, at most so long, and say whether it does."""
        until = time.monotonic() + seconds
        self._watchers += 1
        try:
            while self._newest <= position and not self.ended:
                rest = until - time.monotonic()
                if rest <= 0:
                    break
                await asyncio.wait((self._next_turn(),), timeout=rest)
        finally:
            self._watchers -= 1
        return self._newest > position

    async def rest(self, seconds: float) -> None:
        """Wait so long, but not when the process is asked to stop."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._stop.wait()

    def _next_turn(self) -> "asyncio.Future[None]":
        if self._turn is None:
            self._turn = asyncio.get_running_loop().create_future()
        if self._looking is None:
            self._looking = asyncio.create_task(self._look(), name="feed")
        return self._turn

    async def _look(self) -> None:
        """Look how far the log goes until nobody waits any more."""
        try:
            while self._watchers and not self.ended:
                pause = LOOKS_EVERY
                try:
                    newest = await newest_position()
                except Exception as error:  # noqa: BLE001  # who waits is told in time that nothing came
                    _LOG.warning("the log was not looked at", because=repr(error)[:200])
                    pause = _AFTER_FAILURE
                else:
                    if newest > self._newest:
                        self._newest = newest
                        self._wake()
                await asyncio.sleep(pause)
        finally:
            self._looking = None

    def _wake(self) -> None:
        turn, self._turn = self._turn, None
        if turn is not None and not turn.done():
            turn.set_result(None)

    # -------------------------------------------------------------------------- the process's life

    def begin(self) -> None:
        """Let people wait: the process serves."""
        self._stop = asyncio.Event()
        self._newest = 0
        self._reading = asyncio.Semaphore(_READ_AT_ONCE)

    def end(self) -> None:
        """Let everybody go who waits, and nobody wait any more: the process is asked to stop."""
        self._stop.set()
        self._wake()

    async def close(self) -> None:
        """End, and stop looking."""
        self.end()
        looking = self._looking
        if looking is not None:
            looking.cancel()
            await asyncio.gather(looking, return_exceptions=True)
