"""Webhooks in tests: receivers on this machine that behave as they are told, and a worker."""

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any
from uuid import UUID

import msgspec
from standardwebhooks import Webhook

from market.actor import Actor
from market.background import Task, Workbench
from market.command import command
from market.events.commands import record
from market.events.sequencing import Sequencer
from market.webhooks.delivering import (
    WebhookDelivery,
    WebhookFanOut,
    WebhookUpkeep,
)
from market.webhooks.sending import Sender
from market.worker import keep_doing
from tests.makers.systems import answerable
from tests.makers.world import Person, World

PATIENCE = 15.0
"""Seconds until a test gives up waiting for what must happen; a busy machine takes some."""

SEEN = "invitation.made"
"""What an administrator sees of colleagues' acts, as the type of events that tests let happen."""


class Received(msgspec.Struct, frozen=True):
    """A request as a receiver got it."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def said(self) -> dict[str, Any]:
        """The payload."""
        said: dict[str, Any] = json.loads(self.body)
        return said

    @property
    def type(self) -> str:
        """Its type."""
        return str(self.said["type"])

    def verified(self, secret: str) -> dict[str, Any]:
        """The payload, if the library of Standard Webhooks finds a signature by the secret."""
        said: dict[str, Any] = Webhook(secret).verify(self.body, self.headers)
        return said


class Answer(msgspec.Struct, frozen=True):
    """What a receiver answers; with `endless` its body never ends, with `never` nothing comes.

    With `raw`, these bytes, the last of them again and again, every twentieth of a second.
    """

    status: int = 200
    headers: dict[str, str] = {}
    body: bytes = b""
    after: float = 0.0
    endless: bool = False
    never: bool = False
    raw: tuple[bytes, ...] = ()


Behaviour = Callable[[Received], Answer]


def well(request: Received) -> Answer:
    """Answer the challenge, and take whatever comes."""
    if request.type == "webhook.verification":
        challenge = request.said["data"]["challenge"]
        return Answer(body=json.dumps({"challenge": challenge}).encode())
    return Answer(204)


def always(**answer: Any) -> Behaviour:
    """Answer the challenge, and everything else in one way."""

    def behave(request: Received) -> Answer:
        return well(request) if request.type == "webhook.verification" else Answer(**answer)

    return behave


class Receiver:
    """Somebody's endpoint on loopback; what it does can be changed while it runs."""

    def __init__(self, scheme: str) -> None:
        """Behave well until told otherwise."""
        self.behaves: Behaviour = well
        self.received: list[Received] = []
        self.at_once = 0
        self.most_at_once = 0
        self._scheme = scheme
        self._server: asyncio.Server | None = None
        self._port = 0
        self._open: dict[asyncio.Task[Any], asyncio.StreamWriter] = {}

    @property
    def url(self) -> str:
        """Where it is."""
        return f"{self._scheme}://127.0.0.1:{self._port}/hook"

    @property
    def events(self) -> list[Received]:
        """What it got beside challenges."""
        return [one for one in self.received if one.type != "webhook.verification"]

    def got(self, kind: str) -> list[Received]:
        """What it got of a type."""
        return [one for one in self.received if one.type == kind]

    @property
    def ids(self) -> set[str]:
        """The `webhook-id`s of the events it got."""
        return {one.headers["webhook-id"] for one in self.events}

    async def start(self, tls: ssl.SSLContext | None = None) -> None:
        """Listen, at the port of before if there was one."""
        self._server = await asyncio.start_server(
            self._serve, "127.0.0.1", self._port, ssl=tls, ssl_handshake_timeout=1 if tls else None
        )
        self._port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Be down: nothing listens at the port."""
        if self._server is not None:
            self._server.close()
            busy = list(self._open)
            for task, writer in self._open.items():
                writer.transport.abort()
                task.cancel()
            await asyncio.gather(*busy, return_exceptions=True)
            await self._server.wait_closed()
            self._server = None

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._open[task] = writer
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            with suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
                await self._answer(reader, writer)
        finally:
            self.at_once -= 1
            del self._open[task]
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("ascii").split("\r\n")
        pairs = (line.partition(":") for line in head[1:] if line)
        headers = {name.lower(): value.strip() for name, _, value in pairs}
        body = await reader.readexactly(int(headers["content-length"]))
        request = Received(head[0].split(" ")[1], headers, body)
        self.received.append(request)
        answer = self.behaves(request)
        if answer.never:
            await reader.read()
            return
        for part in answer.raw:
            writer.write(part)
            await writer.drain()
        while answer.raw:
            await asyncio.sleep(0.05)
            writer.write(answer.raw[-1])
            await writer.drain()
        await asyncio.sleep(answer.after)
        given = "".join(f"{name}: {value}\r\n" for name, value in answer.headers.items())
        length = "" if answer.endless else f"content-length: {len(answer.body)}\r\n"
        writer.write(f"HTTP/1.1 {answer.status} So\r\n{given}{length}\r\n".encode() + answer.body)
        await writer.drain()
        while answer.endless:
            writer.write(b"x" * 65536)
            await writer.drain()


@asynccontextmanager
async def receiving(
    behaves: Behaviour = well, tls: ssl.SSLContext | None = None
) -> AsyncIterator[Receiver]:
    """A receiver for as long as the context lasts."""
    receiver = Receiver("http" if tls is None else "https")
    receiver.behaves = behaves
    await receiver.start(tls)
    try:
        yield receiver
    finally:
        await receiver.stop()


def worker_tasks(bench: Workbench, sender: Sender | None = None) -> list[Task]:
    """What a worker does about events and webhooks."""
    return [
        Sequencer(bench),
        WebhookUpkeep(bench),
        WebhookFanOut(bench),
        WebhookDelivery(bench, sender),
    ]


@asynccontextmanager
async def working(bench: Workbench, sender: Sender | None = None) -> AsyncIterator[None]:
    """A worker beside the test."""
    doing = [asyncio.create_task(keep_doing(task)) for task in worker_tasks(bench, sender)]
    try:
        yield
    finally:
        for task in doing:
            task.cancel()
        await asyncio.gather(*doing, return_exceptions=True)


async def until(
    true: Callable[[], bool | Awaitable[bool]], because: Callable[[], object] = lambda: ""
) -> None:
    """Wait until something is so.

    Raises:
        AssertionError: it never was.
    """
    patience = asyncio.get_running_loop().time() + PATIENCE
    while True:
        found = true()
        if found if isinstance(found, bool) else await found:
            return
        assert asyncio.get_running_loop().time() < patience, f"It never came to be. {because()}"
        await asyncio.sleep(0.02)


def webhooks_path(person: Person) -> str:
    """Where the webhooks of a person's organisation are."""
    return f"/organisations/{person.organisation}/webhooks"


async def webhook(person: Person, url: str, **changes: Any) -> dict[str, Any]:
    """A webhook that the person made, as it was shown."""
    answer = await person.post(webhooks_path(person), {"url": url} | changes)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def seen(person: Person, made: dict[str, Any]) -> dict[str, Any]:
    """The webhook as it stands."""
    answer = await person.get(f"/webhooks/{made['id']}")
    assert answer.status_code == 200, answer.text
    view: dict[str, Any] = answer.json()
    return view


async def is_in(person: Person, made: dict[str, Any], state: str) -> bool:
    """Whether the webhook is in a state."""
    return bool((await seen(person, made))["state"] == state)


async def verified(person: Person, url: str, **changes: Any) -> dict[str, Any]:
    """A webhook that was made and verified; a worker must be running, or it never is."""
    made = await webhook(person, url, **changes)
    await until(lambda: is_in(person, made, "active"))
    return made


@command
async def _happen(actor: Actor, action: str, subjects: list[UUID]) -> list[UUID]:
    return [
        await record(actor, action, "invitation", subject, number=number)
        for number, subject in enumerate(subjects)
    ]


async def happen(person: Person, *subjects: UUID, action: str = SEEN) -> list[UUID]:
    """Acts of somebody in the person's organisation, one for each subject given, in that order."""
    actor = Actor(organisation=person.organisation)
    return await _happen(actor, action, list(subjects))


async def deliveries(person: Person, made: dict[str, Any], **query: Any) -> list[dict[str, Any]]:
    """The newest deliveries of a webhook."""
    answer = await person.get(f"/webhooks/{made['id']}/deliveries", params={"limit": 200, **query})
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


async def attempts(person: Person, made: dict[str, Any], delivery: str) -> list[dict[str, Any]]:
    """The attempts of a delivery, the last first."""
    answer = await person.get(f"/webhooks/{made['id']}/deliveries/{delivery}")
    assert answer.status_code == 200, answer.text
    log: list[dict[str, Any]] = answer.json()["log"]
    return log


async def owner(world: World, name: str = "Ada First") -> Person:
    """Somebody who may make webhooks for a commissioning group."""
    return await answerable(world, name)
