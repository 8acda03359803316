"""How many requests are worked on at a time, and what is kept for bids before a deadline."""

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from litestar.enums import ScopeType
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from market.errors import Busy, MarketError

_FRESH = 5.0
"""For how many seconds it is taken as known whether a deadline is near."""
PATIENCE = 10.0
"""How many seconds a request waits to be worked on before it is refused as Busy."""
_ANSWER_WITHIN = 2.0
"""How many seconds to wait for the database to say whether a deadline is near."""

ClosingSoon = Callable[[], Awaitable[bool]]


class NoRoom(Busy):
    """The rest of the market's capacity is kept for bids, whose deadline is near."""

    title = "A deadline is near, and the rest of the market's capacity is kept for bids. Try again."
    retry_after = 5


class Capacity:
    """The places of one process: a request takes one while it is worked on, and no longer.

    Waiting for the client's bytes is not work, so a slow sender or reader holds no place. Some
    places are kept for the giving, replacing, withdrawing and reading of one's own bids while a
    published tender is within its last minutes: others are then refused at once. At other times
    everybody may have every place, and who finds none waits in line, bids ahead.

    Whether a deadline is near is asked only when others would take a kept place, by one request at
    a time, and kept for five seconds. Where the database does not say, it is taken as near.
    """

    def __init__(
        self, at_once: int, kept: int, closing_soon: ClosingSoon, *, patience: float = PATIENCE
    ) -> None:
        """Have so many places, of which some are kept when `closing_soon` says so."""
        self._patience = patience
        self._places = at_once
        self._for_others = at_once - kept
        self._taken = 0
        self._others = 0
        self._closing_soon = closing_soon
        self._near = False
        self._asked_at = -_FRESH
        self._asking: asyncio.Task[bool] | None = None
        self._bids: deque[asyncio.Future[None]] = deque()
        self._rest: deque[asyncio.Future[None]] = deque()

    @property
    def taken(self) -> int:
        """How many places are taken."""
        return self._taken

    # ------------------------------------------------------------------------------------ places

    async def enter(self, *, submission: bool) -> None:
        """Take a place, waiting in line where there is none.

        Raises:
            NoRoom: what places are left are kept for bids.
            Busy: none became free in time.
        """
        if not submission and self._others >= self._for_others and await self._is_near():
            raise NoRoom
        await self.take(submission=submission)

    async def take(self, *, submission: bool) -> None:
        """Take a place for a request that was let in, waiting in line where there is none.

        Raises:
            Busy: none became free in time.
        """
        line = self._bids if submission else self._rest
        if not line and not self._bids and self._has_room(submission=submission):
            self._count(submission=submission)
            return
        turn = asyncio.get_running_loop().create_future()
        line.append(turn)
        try:
            await asyncio.wait_for(turn, self._patience)
        except (TimeoutError, asyncio.CancelledError) as error:
            if turn.done() and not turn.cancelled():  # its turn came just now
                self.leave(submission=submission)
            if isinstance(error, TimeoutError):
                raise Busy from None
            raise
        finally:
            if turn in line:
                line.remove(turn)

    def _has_room(self, *, submission: bool) -> bool:
        kept = self._near and not submission and self._others >= self._for_others
        return self._taken < self._places and not kept

    def _count(self, *, submission: bool) -> None:
        self._taken += 1
        self._others += not submission

    def leave(self, *, submission: bool) -> None:
        """Give the place back, to the first in line."""
        self._taken -= 1
        self._others -= not submission
        self._serve_lines()

    def _serve_lines(self) -> None:
        """Give free places to those in line, bids first."""
        for line, submits in ((self._bids, True), (self._rest, False)):
            while line and self._has_room(submission=submits):
                turn = line.popleft()
                if not turn.done():
                    self._count(submission=submits)
                    turn.set_result(None)

    # ---------------------------------------------------------------------------------- deadlines

    async def _is_near(self) -> bool:
        """Whether some tender is in its last minutes, as of the last few seconds."""
        if time.monotonic() - self._asked_at < _FRESH:
            return self._near
        if self._asking is None:
            self._asking = asyncio.create_task(self._ask())
        return await asyncio.shield(self._asking)

    async def _ask(self) -> bool:
        try:
            self._near = await asyncio.wait_for(self._closing_soon(), _ANSWER_WITHIN)
        except (MarketError, TimeoutError):
            self._near = True
        finally:
            self._asked_at = time.monotonic()
            self._asking = None
        self._serve_lines()
        return self._near

    async def close(self) -> None:
        """Let go of a question that is still open."""
        if self._asking is not None:
            self._asking.cancel()
            await asyncio.gather(self._asking, return_exceptions=True)

    # ------------------------------------------------------------------------------- the middleware

    def middleware(self, app: ASGIApp, **_: Any) -> ASGIApp:
        """Wrap what answers a request, so that it is answered in a place."""

        async def answer(scope: Scope, receive: Receive, send: Send) -> None:
            handler = scope["route_handler"]
            if scope["type"] != ScopeType.HTTP or handler.opt.get("unlimited"):
                await app(scope, receive, send)
                return
            visit = Visit(self, submission=bool(handler.opt.get("submission")))
            scope["market_visit"] = visit  # type: ignore[typeddict-unknown-key]  # ours, read by visit_of
            await self.enter(submission=visit.submission)
            visit.inside = True
            try:
                await app(scope, visit.receiving(receive), visit.sending(send))
            finally:
                visit.end()

        return answer


class Visit:
    """One request's place: given back while the client is waited for, and when it is answered."""

    __slots__ = ("_capacity", "inside", "submission")

    def __init__(self, capacity: Capacity, *, submission: bool) -> None:
        self._capacity = capacity
        self.submission = submission
        self.inside = False

    def end(self) -> None:
        """Give the place back, if it is held."""
        if self.inside:
            self.inside = False
            self._capacity.leave(submission=self.submission)

    @asynccontextmanager
    async def away(self) -> AsyncIterator[None]:
        """Hold no place while something else than work is waited for, and take one again after it.

        Raises:
            Busy: none became free in time.
        """
        held = self.inside
        self.end()
        yield
        if held:
            await self._capacity.take(submission=self.submission)
            self.inside = True

    @asynccontextmanager
    async def working(self) -> AsyncIterator[None]:
        """Take a place for a while in an answer that has begun, and so holds none.

        Raises:
            Busy: none became free in time.
        """
        await self._capacity.take(submission=self.submission)
        try:
            yield
        finally:
            self._capacity.leave(submission=self.submission)

    def receiving(self, receive: Receive) -> Receive:
        """Hold no place while bytes are waited for, and take one again when they are there."""

        async def received() -> Any:
            held = self.inside
            self.end()
            message = await receive()
            if held:
                await self._capacity.take(submission=self.submission)
                self.inside = True
            return message

        return received

    def sending(self, send: Send) -> Send:
        """Give the place back when the answer begins: it is made, and its reader may be slow."""

        async def sent(message: Message) -> None:
            if message["type"] == "http.response.start":
                self.end()
            await send(message)

        return sent
