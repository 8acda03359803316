"""The feed as Server-Sent Events (WHATWG HTML, 9.2): their text, and the answer that carries it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractContextManager
from typing import Any

import msgspec
from litestar.response.streaming import ASGIStreamingResponse, Stream
from litestar.types import Receive, Scope, Send

from market.events.schemas import FeedEvent

MEDIA_TYPE = "text/event-stream"
KEEP_ALIVE = b":\n\n"
"""A comment: says that somebody is there."""
_RETRY = 3000
_SLOW = 30.0
"""Seconds by which a client that does not read may outlast its stream."""


def retry_text() -> bytes:
    """How many milliseconds a client waits before it comes again."""
    return f"retry: {_RETRY}\n\n".encode("ascii")


def event_text(event: FeedEvent) -> bytes:
    """An event: its position as the id, so that a client that comes again goes on after it."""
    data = msgspec.json.encode(event).decode()  # JSON on one line
    return f"id: {event.position}\nevent: {event.type}\ndata: {data}\n\n".encode()


def next_text(position: int) -> bytes:
    """From where to go on, for a client that saw nothing up to there."""
    return f'id: {position}\nevent: next\ndata: {{"next":{position}}}\n\n'.encode("ascii")


_KEPT = frozenset({"background", "encoded_headers", "is_head_response"})


class _Answer(ASGIStreamingResponse):
    """An answer that takes its place before it begins, and is not outlasted by who reads it."""

    __slots__ = ("place", "seconds")

    def __init__(
        self, *, place: Callable[[], AbstractContextManager[None]], seconds: float, **given: Any
    ) -> None:
        super().__init__(**given)
        self.place = place
        self.seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        with self.place():
            try:
                async with asyncio.timeout(self.seconds):
                    await super().__call__(scope, receive, send)
            except TimeoutError:
                return  # nobody takes what is sent


class EventStream(Stream):
    """Server-Sent Events out of an iterator, in a place that is taken when the answer begins."""

    def __init__(
        self,
        events: AsyncIterator[bytes],
        *,
        place: Callable[[], AbstractContextManager[None]],
        lifetime: float,
    ) -> None:
        """Give what the iterator gives, for at most its lifetime."""
        # X-Accel-Buffering: proxies such as nginx are not to wait for more before they pass it on
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no", "Vary": "Accept"}
        super().__init__(events, media_type=MEDIA_TYPE, headers=headers)
        self._events = events
        self._place = place
        self._seconds = lifetime + _SLOW

    def to_asgi_response(self, app: Any, request: Any, **given: Any) -> _Answer:  # noqa: ARG002  # Litestar's own signature
        """Make the answer that Litestar sends."""
        of_app = {key: value for key, value in given.items() if key in _KEPT}
        return _Answer(
            iterator=self._events,
            place=self._place,
            seconds=self._seconds,
            headers={**(given.get("headers") or {}), **self.headers},
            media_type=self.media_type,
            status_code=200,
            **of_app,
        )
