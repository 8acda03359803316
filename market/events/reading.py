"""One reader of the feed in one request: a page, a page waited for, or a stream."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from contextlib import AbstractContextManager
from uuid import UUID

import msgspec

from market.actor import Actor
from market.errors import Busy, NotSignedIn
from market.events.queries import read_feed
from market.events.schemas import Feed
from market.events.streams import KEEP_ALIVE, event_text, next_text, retry_text
from market.events.watching import Watch
from market.problems import AnyRequest
from market.requests import still_acting, visit_of
from market.settings import Settings

_BREATH = 0.5
"""Seconds before a reader who found nothing is woken again, however much happens."""


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """Which events a request asks for."""

    after: int
    limit: int
    types: tuple[str, ...] = ()
    subject: UUID | None = None
    tender: UUID | None = None


class Reader:
    """Somebody who reads the feed. While they wait they hold no connection and no place."""

    def __init__(self, request: AnyRequest, actor: Actor) -> None:
        """Read as the actor of the request."""
        self._request = request
        self._actor = actor
        self._visit = visit_of(request)
        self._settings: Settings = request.app.state["settings"]
        self._watch: Watch = request.app.state["watch"]

    def _name(self) -> str:
        """As whom the reader is counted: the credential, the person, or the address."""
        actor = self._actor
        return str(actor.credential or actor.person or actor.address)

    def place(self) -> AbstractContextManager[None]:
        """Be counted among those who wait.

        Raises:
            WaitsElsewhere: the reader waits in as many requests as one may.
            NoRoomToWait: as many wait as this process lets wait.
        """
        return self._watch.place(self._name())

    async def page(self, asked: Asked, wait: int) -> Feed:
        """Give a page; where it would be empty, wait so many seconds for something to be on it.

        Raises:
            UnknownType: a type is neither an action nor a kind of actions.
            WaitsElsewhere: the reader waits in as many requests as one may.
            NoRoomToWait: as many wait as this process lets wait.
            NotSignedIn: the session ended while the reader waited.
        """
        found = await self._read(asked)
        if found.items or found.more or not wait or self._watch.ended:
            return found
        with self.place():
            return await self._awaited(asked, found, time.monotonic() + wait)

    async def _awaited(self, asked: Asked, found: Feed, until: float) -> Feed:
        while not (found.items or found.more) and time.monotonic() < until:
            async with self._visit.away():
                moved = await self._moved(found.next, until - time.monotonic())
            if not moved:
                break
            await self._ensure_acting()
            async with self._watch.reading:
                found = await self._read(msgspec.structs.replace(asked, after=found.next))
            if not found.items:
                async with self._visit.away():
                    await self._watch.rest(min(_BREATH, until - time.monotonic()))
        return found

    async def _moved(self, position: int, seconds: float) -> bool:
        """Wait until the log goes on, the time is over, or the client has gone away."""
        moved = asyncio.create_task(self._watch.beyond(position, seconds))
        gone = asyncio.create_task(self._gone())
        try:
            await asyncio.wait((moved, gone), return_when=asyncio.FIRST_COMPLETED)
            return moved.done() and moved.result()
        finally:
            moved.cancel()
            gone.cancel()
            await asyncio.gather(moved, gone, return_exceptions=True)

    async def _gone(self) -> None:
        while (await self._request.receive())["type"] != "http.disconnect":
            pass

    async def _read(self, asked: Asked) -> Feed:
        return await read_feed(
            self._actor,
            after=asked.after,
            limit=asked.limit,
            types=asked.types,
            subject=asked.subject,
            tender=asked.tender,
        )

    async def _ensure_acting(self) -> None:
        if not await still_acting(self._request, self._actor):
            raise NotSignedIn

    # -------------------------------------------------------------------------------------- streams

    async def stream(self, asked: Asked) -> AsyncIterator[bytes]:
        """Give events as they come, as Server-Sent Events, until the stream's time is over.

        It ends earlier when the session does, which is looked at once a minute, and when the
        process is asked to stop. Its last words say from where to go on.
        """
        yield retry_text()
        course = _Course(asked.after, self._settings)
        with contextlib.suppress(NotSignedIn):
            while not (self._watch.ended or course.is_over()):
                if course.check_is_due():
                    await self._ensure_acting()
                found = await self._found(msgspec.structs.replace(asked, after=course.reached))
                if words := course.words_of(found):
                    yield words
                if not found.more:
                    moved = await self._watch.beyond(course.reached, course.pause())
                    if moved and not found.items:
                        await self._watch.rest(_BREATH)
                if words := course.sign_of_life():
                    yield words
        yield course.last_words()

    async def _found(self, asked: Asked) -> Feed:
        """Read on, in one's turn and in a place; nothing where the market is too busy for it."""
        try:
            async with self._watch.reading, self._visit.working():
                return await self._read(asked)
        except Busy:
            await self._watch.rest(_BREATH)
            return Feed(items=[], next=asked.after, more=False)


class _Course:
    """How far a stream is: what it has said of its position, and what is due when."""

    def __init__(self, after: int, settings: Settings) -> None:
        self.reached = after
        self._said = after
        self._caught_up = False
        now = time.monotonic()
        self._ends = now + settings.feed_stream_lifetime
        self._heartbeat = settings.feed_heartbeat
        self._quiet_until = now + self._heartbeat
        self._check_every = settings.feed_session_check
        self._check = now + self._check_every

    def is_over(self) -> bool:
        """Whether its time is over."""
        return time.monotonic() >= self._ends

    def check_is_due(self) -> bool:
        """Whether the session is to be looked at again."""
        if time.monotonic() < self._check:
            return False
        self._check = time.monotonic() + self._check_every
        return True

    def pause(self) -> float:
        """For how long nothing is due."""
        return max(0.0, min(self._ends, self._check, self._quiet_until) - time.monotonic())

    def words_of(self, found: Feed) -> bytes:
        """The events; and once, where what there was has been read, how far it went."""
        self.reached = found.next
        words = b"".join(event_text(item) for item in found.items)
        if found.items:
            self._said = found.items[-1].position
        if not found.more and not self._caught_up:
            self._caught_up = True
            words += self.last_words()
        if words:
            self._spoke()
        return words

    def sign_of_life(self) -> bytes:
        """What is said when nothing was for a while: how far it went, or that it is there."""
        if time.monotonic() < self._quiet_until:
            return b""
        self._spoke()
        return self.last_words() or KEEP_ALIVE

    def last_words(self) -> bytes:
        """From where to go on, where that has not been said."""
        if self._said == self.reached:
            return b""
        self._said = self.reached
        return next_text(self.reached)

    def _spoke(self) -> None:
        self._quiet_until = time.monotonic() + self._heartbeat
