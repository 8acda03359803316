"""The change feed in tests: numbered at once, read to its end, followed over ASGI."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx
import msgspec
from litestar import Litestar

from market.background import Workbench
from market.events.sequencing import Sequencer
from market.events.watching import Watch
from market.transparency.keeping import Keeper
from market.worker import keep_doing
from tests.makers.world import Person, World

PATIENCE = 5.0


async def until(holds: Callable[[], bool]) -> None:
    """Wait until something holds that is to hold very soon."""
    for _ in range(int(PATIENCE / 0.01)):
        if holds():
            return
        await asyncio.sleep(0.01)
    raise AssertionError


async def end_session(superuser: Any, person: Person) -> None:
    """End every session of a person behind the market's back, with an event."""
    async with superuser.transaction():
        await superuser.execute(
            "INSERT INTO event (id, action, subject_kind, subject, request, details)"
            " VALUES (gen_random_uuid(), 'test.made', 'thing', gen_random_uuid(), 'test', '{}')"
        )
        await superuser.execute(
            "UPDATE session SET revoked_at = now() WHERE person = $1", person.id
        )


async def number(bench: Workbench) -> None:
    """Give every event that was committed its position."""
    sequencer = Sequencer(bench)
    while await sequencer.run() == 0:
        pass


async def newest(bench: Workbench) -> int:
    """How far the log goes, everything numbered."""
    await number(bench)
    async with bench.database.transaction() as connection:
        return int(await connection.fetchval("SELECT position FROM sequencer"))


async def sign(bench: Workbench) -> int:
    """Sign a checkpoint of all there is, as the worker does, and say of how much."""
    size = await newest(bench)
    keeper = Keeper(bench)
    while True:
        await keeper.run(asked=True)
        async with bench.database.transaction() as connection:
            if await connection.fetchval("SELECT max(size) FROM checkpoint") == size:
                return size


@asynccontextmanager
async def numbering(bench: Workbench) -> AsyncIterator[None]:
    """Number events as the worker does, while the context lasts."""
    task = asyncio.create_task(keep_doing(Sequencer(bench)))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def asked(reader: Person | World, query: str = "", **options: Any) -> httpx.Response:
    """Ask for a page, whatever the answer: as a person, or as nobody in particular."""
    path = f"/events?{query}"
    if isinstance(reader, World):
        return await reader.client.get(f"/api/v1{path}", **options)
    return await reader.get(path, **options)


async def page(reader: Person | World, query: str = "") -> dict[str, Any]:
    """A page that must be given."""
    answer = await asked(reader, query)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def feed(reader: Person | World, query: str = "", *, after: int = 0) -> list[dict[str, Any]]:
    """Everything the reader sees after a position, page after page."""
    items: list[dict[str, Any]] = []
    while True:
        found = await page(reader, f"{query}&after={after}&limit=500")
        items += found["items"]
        after = found["next"]
        if not found["more"]:
            return items


def types(items: list[dict[str, Any]]) -> list[str]:
    """The types of events, in their order."""
    return [item["type"] for item in items]


class Said(msgspec.Struct, frozen=True):
    """One thing a stream said."""

    id: str
    event: str
    data: Any


class Stream:
    """A request for a stream, and what has come of it: read straight off ASGI, as it is sent."""

    def __init__(self, app: Any, query: str, headers: dict[str, str]) -> None:
        """Ask for it when entered."""
        self._app = app
        self._query = query
        self._headers = headers
        self._messages: asyncio.Queue[Any] = asyncio.Queue()
        self._gone = asyncio.Event()
        self._reads = asyncio.Event()
        self._reads.set()
        self._received = False
        self._text = ""
        self._scope: dict[str, Any] = {}
        self.task: asyncio.Task[None] | None = None
        self.status = 0
        self.headers: dict[str, str] = {}

    async def _receive(self) -> dict[str, Any]:
        if not self._received:
            self._received = True
            return {"type": "http.request", "body": b"", "more_body": False}
        await self._gone.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Any) -> None:
        await self._reads.wait()
        await self._messages.put(message)

    def take_no_more(self) -> None:
        """Stay, but read nothing of what is sent from now on."""
        self._reads.clear()

    async def open(self) -> None:
        """Send the request."""
        self._scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": "GET",
            "scheme": "http",
            "path": "/api/v1/events",
            "raw_path": b"/api/v1/events",
            "query_string": self._query.encode(),
            "root_path": "",
            "headers": [
                (key.lower().encode(), value.encode()) for key, value in self._headers.items()
            ],
            "client": ("127.0.0.1", 1),
            "server": ("market", 80),
        }
        self.task = asyncio.create_task(self._app(self._scope, self._receive, self._send))

    async def begun(self) -> None:
        """Wait for the beginning of the answer."""
        start = await self._next()
        self.status = start["status"]
        self.headers = {key.decode(): value.decode() for key, value in start["headers"]}

    @property
    def asked(self) -> bool:
        """Whether the application has taken the request."""
        return "litestar_app" in self._scope

    @property
    def app(self) -> Litestar:
        """The application that answers, once it was asked."""
        app: Litestar = self._scope["litestar_app"]
        return app

    @property
    def watch(self) -> Watch:
        """Who waits in the process that answers."""
        watch: Watch = self.app.state["watch"]
        return watch

    async def body(self) -> Any:
        """The whole of an answer that is JSON."""
        text = b""
        while True:
            message = await self._next()
            text += message["body"]
            if not message.get("more_body"):
                return json.loads(text)

    async def _next(self) -> Any:
        async with asyncio.timeout(PATIENCE):
            return await self._messages.get()

    async def block(self) -> str | None:
        """The next block of the stream, without the empty line that ends it; None at its end."""
        while "\n\n" not in self._text:
            message = await self._next()
            self._text += message["body"].decode()
            if not message.get("more_body"):
                return None
        text, _, self._text = self._text.partition("\n\n")
        return text

    async def said(self) -> Said | None:
        """The next event of the stream, comments and the rest left out; None at its end."""
        while (text := await self.block()) is not None:
            fields = dict(line.split(": ", 1) for line in text.splitlines() if ": " in line)
            if "data" in fields:
                return Said(fields["id"], fields["event"], json.loads(fields["data"]))
        return None

    async def close(self) -> None:
        """Go away, as a client that closes its connection; the answer must end."""
        self._gone.set()
        if self.task is not None:
            async with asyncio.timeout(PATIENCE):
                await self.task


@asynccontextmanager
async def sent(
    reader: Person | World, query: str, accept: str, headers: dict[str, str]
) -> AsyncIterator[Stream]:
    """A request that was sent, and is gone away from at the end."""
    inner: Any = reader.client._transport  # noqa: SLF001  # httpx has no public way to its application
    token = {} if isinstance(reader, World) else {"authorization": f"Bearer {reader.token}"}
    stream = Stream(inner.app, query, {"accept": accept, **token, **headers})
    await stream.open()
    try:
        yield stream
    finally:
        await stream.close()


@asynccontextmanager
async def followed(
    reader: Person | World, query: str = "after=0", **headers: str
) -> AsyncIterator[Stream]:
    """A stream that has begun."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    async with sent(reader, query, "text/event-stream", named) as stream:
        await stream.begun()
        yield stream


@asynccontextmanager
async def awaited(reader: Person | World, query: str) -> AsyncIterator[Stream]:
    """A request that waits for events, as it is seen to do."""
    async with sent(reader, query, "application/json", {}) as stream:
        await until(lambda: stream.asked and stream.watch.waiting > 0)
        yield stream
