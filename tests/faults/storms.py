"""A storm of bids before a deadline: the processes, what breaks them, and the figures of it."""

import asyncio
import random
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeAlias
from uuid import uuid4

from msgspec import Struct

from tests.faults.bidders import Bidders, Told
from tests.faults.keeping import Kept
from tests.faults.postgres import Postgres, free_port
from tests.faults.processes import Process, running
from tests.faults.scene import Scene

_AFTER = 90.0
"""Seconds after the deadline in which everybody must have been answered."""

Breaking: TypeAlias = Callable[[Bidders, float], Awaitable[None]]
"""What breaks things, told who bids and when bidding closes."""


class Broken(Struct):
    """How often what was killed."""

    processes: int = 0
    servers: int = 0
    slowest_return: float = 0.0


def say(text: str) -> None:
    """Print a figure."""
    sys.stdout.write(f"{text}\n")


class Deployment:
    """Several API processes over one or more servers, watched and started again as a host would."""

    def __init__(
        self,
        scene: Scene,
        folder: Path,
        *servers: Postgres,
        count: int,
        workers: int = 0,
        beside: Sequence[Mapping[str, str]] = ({},),
    ) -> None:
        """So many processes; `beside` is what their environments hold besides, in turn."""
        ports = [free_port() for _ in range(count)]
        self.addresses = [f"http://127.0.0.1:{port}" for port in ports]
        self.processes = [
            Process(
                ["run", "--no-worker", "--no-demonstration", "--port", str(port)],
                {**scene.variables(*servers), **beside[number % len(beside)]},
                folder / f"api-{number}.log",
            )
            for number, port in enumerate(ports)
        ]
        # a worker remembers what it signed: of this market, not of another copy of the prepared one
        signing = scene.variables(*servers, checkpoint_interval="1")
        signing["MARKET_HOME"] = str(folder / "home")
        self.workers = [
            Process(["worker"], signing, folder / f"worker-{number}.log")
            for number in range(workers)
        ]

    async def answering(self, bidders: Bidders, scene: Scene) -> None:
        """Wait until one of them answers."""
        await bidders.ask(scene.registrar, "GET", "/clock")

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Run them, each started again when it ends, and leave none behind."""
        with running(*self.processes, *self.workers):
            watching = asyncio.create_task(self._watch())
            try:
                yield
            finally:
                watching.cancel()

    async def _watch(self) -> None:
        while True:
            for process in (*self.processes, *self.workers):
                if not process.alive:
                    process.start()
            await asyncio.sleep(0.2)


async def break_things(
    deployment: Deployment, server: Postgres, until: float, broken: Broken
) -> None:
    """Kill a process or PostgreSQL now and then."""
    chance = random.Random()  # noqa: S311  # no secret
    while time.monotonic() < until:
        await asyncio.sleep(chance.uniform(0.5, 2.0))
        if broken.servers > broken.processes:
            chance.choice([*deployment.processes, *deployment.workers]).kill()
            broken.processes += 1
        else:
            await fell(server, broken)


async def fell(server: Postgres, broken: Broken) -> None:
    """Kill every process of PostgreSQL, and start it again."""
    await asyncio.to_thread(server.kill)
    took = await asyncio.to_thread(server.start)
    broken.servers += 1
    broken.slowest_return = max(broken.slowest_return, took)


async def storm(  # noqa: PLR0913  # the parts of a storm
    scene: Scene,
    deployment: Deployment,
    server: Postgres,
    breaking: Breaking,
    *,
    seconds: float,
    bidders: int,
    submissions: int = 4,
) -> Told:
    """Everybody submits and replaces in the last seconds before the deadline, and a bit after.

    `server` is the primary when it begins. The processes run on until the caller stops them.
    """
    crowd = Bidders(scene, deployment.addresses, time.monotonic() + seconds + _AFTER)
    await deployment.answering(crowd, scene)
    await scene.close_in(server, seconds)
    closes_at = time.monotonic() + seconds
    breaker = asyncio.ensure_future(breaking(crowd, closes_at))
    chance = random.Random()  # noqa: S311  # no secret
    await asyncio.gather(
        *(
            crowd.bid(one, submissions, chance.uniform(0, seconds * 0.9), seconds / 6)
            for one in scene.bidders[:bidders]
        )
    )
    await breaker
    await crowd.close()
    return crowd.told


async def ask_some_again(scene: Scene, deployment: Deployment, told: Told, count: int) -> None:
    """After the deadline, repeat some submissions: each must get the receipt it got."""
    crowd = Bidders(scene, deployment.addresses, time.monotonic() + _AFTER)
    for one in random.sample(told.given, min(count, len(told.given))):
        assert await crowd.ask_again(one) == one.answer
    await crowd.close()


async def open_bids(scene: Scene, deployment: Deployment) -> dict[str, int]:
    """Let both openers declare and confirm, over HTTP, and say how many envelopes opened."""
    crowd = Bidders(scene, deployment.addresses, time.monotonic() + _AFTER)
    tender = scene.tender
    for opener in tender.openers:
        listed, _ = await crowd.ask(opener, "GET", f"{tender.path}/bidders")
        assert listed.status_code == 200, listed.text
        body = {
            "declarations": [
                {"bidder": one["organisation"], "interest": "none", "details": ""}
                for one in listed.json()
            ]
        }
        for path, sent in (("declarations", body), ("opening-confirmations", {})):
            answer, _ = await crowd.ask(
                opener, "POST", f"{tender.path}/{path}", sent, key=str(uuid4()), patience=60
            )
            assert answer.status_code == 201, answer.text
    answer, _ = await crowd.ask(
        tender.openers[0], "POST", f"{tender.path}/opening", {}, key=str(uuid4()), patience=60
    )
    assert answer.status_code == 201, answer.text
    await crowd.close()
    opened: dict[str, int] = answer.json()
    return opened


def describe(told: Told, kept: Kept, broken: Broken) -> str:
    """Put a round in figures."""
    again = sum(one.repeats > 0 for one in told.given)
    return (
        f"{len(told.given)} acknowledged ({again} after repeating), {kept.versions} stored,"
        f" {kept.opened} envelopes opened, {len(kept.lost)} lost, {kept.twice} twice,"
        f" {len(kept.late)} late, {len(kept.broken)} broken, {len(kept.unasked)} unasked;"
        f" refused {dict(told.refused)}; {told.lost} connections lost, answers"
        f" {dict(told.answers)}; killed: {broken.processes} processes, PostgreSQL"
        f" {broken.servers} times (back in {broken.slowest_return:.2f} s at most); longest silence"
        f" {(told.silences or [0.0])[0]:.2f} s"
    )
