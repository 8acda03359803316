"""Bidders who carry on whatever breaks: they repeat a request with its key until it is answered."""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from typing import Any
from uuid import UUID, uuid4

import httpx
from msgspec import Struct, field

from tests.faults.scene import Scene
from tests.makers.world import Person

_PATIENCE = 6.0
"""Seconds a bidder waits for an answer before the request is sent again."""
_DOCUMENTED = {"busy", "no-room", "outcome-unknown"}
"""What 503 may say; everything else above 499 is a fault of the market."""


class Given(Struct, frozen=True, kw_only=True):
    """A submission that was acknowledged: what was sent, under which key, and the answer."""

    bidder: Person
    path: str
    method: str
    version: int | None
    key: str
    body: dict[str, Any]
    answer: dict[str, Any]
    repeats: int
    answered_at: float

    @property
    def bid(self) -> UUID:
        """The bid it is a version of."""
        return UUID(self.answer["bid"])

    @property
    def number(self) -> int:
        """Which version of it."""
        number: int = self.answer["version"]
        return number


class Told(Struct, kw_only=True):
    """Everything the bidders were told, and how often they had to ask again."""

    given: list[Given] = field(default_factory=list)
    refused: Counter[str] = field(default_factory=Counter)
    answers: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    lost: int = 0
    """Requests whose connection broke, or that were not answered in time."""

    @property
    def silences(self) -> list[float]:
        """Seconds between acknowledgements that followed each other, the longest first."""
        moments = sorted(one.answered_at for one in self.given)
        return sorted((b - a for a, b in pairwise(moments)), reverse=True)


class Bidders:
    """Clients of several API processes, as behind a balancer that tries any of them."""

    def __init__(self, scene: Scene, addresses: Sequence[str], give_up_at: float) -> None:
        self.told = Told()
        self._scene = scene
        self._addresses = addresses
        self._give_up_at = give_up_at
        limits = httpx.Limits(max_connections=400, max_keepalive_connections=100)
        self._client = httpx.AsyncClient(limits=limits)
        self._chance = random.Random()  # noqa: S311  # no secret
        self._more = asyncio.Event()

    async def close(self) -> None:
        """Close every connection."""
        await self._client.aclose()

    async def acknowledged(self, count: int) -> None:
        """Wait until so many submissions have been acknowledged."""
        while len(self.told.given) < count:
            self._more.clear()
            await self._more.wait()

    async def ask(  # noqa: PLR0913  # the parts of a request
        self,
        person: Person,
        method: str,
        path: str,
        body: Any = None,
        *,
        key: str | None = None,
        version: int | None = None,
        patience: float = _PATIENCE,
    ) -> tuple[httpx.Response, int]:
        """Send a request until something else than "try again" is answered; and how often again.

        Raises:
            TimeoutError: nobody answered for so long that the market must be taken for dead.
        """
        headers = {"Authorization": f"Bearer {person.token}"}
        if key is not None:
            headers["Idempotency-Key"] = key
        if version is not None:
            headers["If-Match"] = f'"{version}"'
        repeats = 0
        while time.monotonic() < self._give_up_at:
            address = self._chance.choice(self._addresses)
            try:
                answer = await self._client.request(
                    method,
                    f"{address}/api/v1{path}",
                    json=body,
                    headers=headers,
                    timeout=patience,
                )
            except httpx.TransportError:
                self.told.lost += 1
            else:
                problem = self._problem(answer)
                self.told.answers[f"{answer.status_code} {problem}".strip()] += 1
                if answer.status_code < 500 and problem != "key-in-progress":
                    return answer, repeats
            repeats += 1
            await asyncio.sleep(self._chance.uniform(0.05, 0.25))
        message = f"{method} {path} was not answered"
        raise TimeoutError(message)

    def _problem(self, answer: httpx.Response) -> str:
        if answer.status_code < 400:
            return ""
        if answer.headers.get("content-type", "").startswith("application/problem+json"):
            problem = str(answer.json()["type"]).rpartition("/")[2]
            if answer.status_code < 500 or (answer.status_code == 503 and problem in _DOCUMENTED):
                return problem
        self.told.faults.append(f"{answer.status_code}: {answer.text[:300]}")
        return "undocumented"

    async def bid(self, person: Person, times: int, starts_in: float, wait: float) -> None:
        """Submit, then replace, so many times in all or until bidding is closed."""
        await asyncio.sleep(starts_in)
        path, method, version = f"{self._scene.tender.path}/lots/1/bids", "POST", None
        for number in range(1, times + 1):
            given = await self._submit(person, method, path, version, number)
            if given is None:
                return
            path, method, version = f"/bids/{given.bid}", "PUT", given.number
            await asyncio.sleep(self._chance.uniform(0, 2 * wait))

    async def _submit(
        self, person: Person, method: str, path: str, version: int | None, number: int
    ) -> Given | None:
        text = f"Answer {number} of {person.name}: " + "We will do it thus. " * 40
        body = self._scene.body(text, f"{self._chance.randint(1, 99999)}.00")
        key = str(uuid4())
        answer, repeats = await self.ask(person, method, path, body, key=key, version=version)
        if answer.status_code not in {200, 201}:
            self.told.refused[self._problem(answer)] += 1
            return None
        given = Given(
            bidder=person,
            path=path,
            method=method,
            version=version,
            key=key,
            body=body,
            answer=answer.json(),
            repeats=repeats,
            answered_at=time.monotonic(),
        )
        self.told.given.append(given)
        self._more.set()
        return given

    async def ask_again(self, given: Given) -> dict[str, Any]:
        """Repeat an acknowledged submission, key and all, and give the answer."""
        answer, _ = await self.ask(
            given.bidder, given.method, given.path, given.body, key=given.key, version=given.version
        )
        said: dict[str, Any] = answer.json()
        return said
