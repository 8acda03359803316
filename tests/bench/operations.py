"""The four requests that are measured, and each measured three ways over databases alike."""

import asyncio
import os
import statistics
from collections.abc import Callable
from pathlib import Path

import httpx
from msgspec import Struct

from market.embedded import EmbeddedPostgres
from market.migrations import WORKER
from tests.bench import bare
from tests.bench.measures import family, processor_seconds
from tests.bench.recording import RECORDED, Statement, serving
from tests.bench.servers import bare_process, market_process
from tests.bench.stage import LISTED, OPENED, Stage
from tests.bench.wire import Request, Wire
from tests.conftest import Databases as Ways
from tests.faults.processes import environment
from tests.makers.moving import MovingMarket


class Operation(Struct, frozen=True, kw_only=True):
    """One kind of request, the requests themselves, and how they are counted."""

    name: str
    requests: list[Request]
    warm_up: int
    rounds: int
    a_round: int
    status: int
    repeatable: bool
    """Whether asking the same once more is the same: what records an event is not."""
    goal: float
    """How much time on a processor it may cost at most, in that of the bare handler."""
    reference: float
    """A fifth of these milliseconds is what it may take at most."""

    @property
    def total(self) -> int:
        """How many requests are sent in all."""
        return self.warm_up + self.rounds * self.a_round


class Cost(Struct, frozen=True, kw_only=True):
    """What one request took: median seconds, and mean seconds on a processor, of every round."""

    latency: list[float]
    processor: list[float]

    @property
    def milliseconds(self) -> float:
        """The median of the rounds' medians."""
        return statistics.median(self.latency) * 1000

    @property
    def processor_milliseconds(self) -> float:
        """The median of the rounds' means."""
        return statistics.median(self.processor) * 1000


class Figure(Struct, frozen=True, kw_only=True):
    """An operation as the market does it, as bare handlers do, and by its statements alone."""

    operation: str
    market: Cost
    handler: Cost
    statements: Cost
    asked: list[tuple[str, float]]
    """Each statement with the median of its milliseconds, seen from the client."""


def operations(stage: Stage) -> list[Operation]:
    """What is measured. The figures of comparison are those of the market this one follows."""
    requirement = f"/api/v1/tenders/{stage.open}/requirement"
    bids = f"/api/v1/tenders/{stage.opened}/lots/1/evaluation/bids?limit={OPENED}"
    listed = stage.readings(f"/api/v1/tenders?limit={LISTED}")
    opened = [Request(method="GET", path=bids, token=stage.evaluator)]
    return [
        Operation(
            name="submit a bid of 11 kB",
            requests=stage.submissions(),
            warm_up=100,
            rounds=5,
            a_round=100,
            status=201,
            repeatable=False,
            goal=2.5,
            reference=11.0,
        ),
        Operation(
            name="read a requirement of 11 kB",
            requests=stage.readings(requirement),
            warm_up=100,
            rounds=5,
            a_round=200,
            status=200,
            repeatable=True,
            goal=1.5,
            reference=4.4,
        ),
        Operation(
            name=f"list {LISTED} tenders",
            requests=listed,
            warm_up=60,
            rounds=5,
            a_round=60,
            status=200,
            repeatable=True,
            goal=1.5,
            reference=42.0,
        ),
        Operation(
            name=f"list {OPENED} opened bids",
            requests=opened,
            warm_up=8,
            rounds=3,
            a_round=8,
            status=200,
            repeatable=False,
            goal=1.5,
            reference=79.0,
        ),
    ]


async def record(market: MovingMarket, name: str, operation: Operation) -> list[list[Statement]]:
    """Send an operation's requests inside this process, and give what each of them asked."""
    count = 20 if operation.repeatable else operation.total
    requests = [operation.requests[n % len(operation.requests)] for n in range(count)]
    transport = httpx.ASGITransport(market.app, raise_app_exceptions=False)
    recorded = []
    async with (
        serving(market.databases.app(name)),
        httpx.AsyncClient(transport=transport, base_url="http://market") as client,
    ):
        for request in requests:
            RECORDED.clear()
            headers = {"authorization": f"Bearer {request.token}"}
            if request.key is not None:
                headers |= {"idempotency-key": request.key, "content-type": "application/json"}
            answer = await client.request(
                request.method, request.path, headers=headers, content=request.body
            )
            assert answer.status_code == operation.status, answer.text
            recorded.append(list(RECORDED))
    return recorded


def measured(operation: Operation, do: Callable[[int], float], roots: list[int]) -> Cost:
    """Do the next request, and again: `do` says how many seconds it waited for the answer.

    Counted is what `roots` and all that descend from them spend on a processor.
    """
    number = 0
    for _ in range(operation.warm_up):
        do(number)
        number += 1
    cost = Cost(latency=[], processor=[])
    pids = {pid for root in roots for pid in family(root)}
    for _ in range(operation.rounds):
        before = processor_seconds(pids)
        times = []
        for _ in range(operation.a_round):
            times.append(do(number))
            number += 1
        spent = processor_seconds(pids) - before
        cost.latency.append(statistics.median(times))
        cost.processor.append(spent / operation.a_round)
    return cost


def over_http(operation: Operation, port: int, pids: list[int], *, bare_paths: int = 0) -> Cost:
    """Measure an operation at a server; at the bare one, by the number of what it asks."""
    given = operation.requests
    requests = [
        given[number % len(given)].encoded(f"/{number % bare_paths}" if bare_paths else None)
        for number in range(operation.total)
    ]
    with Wire(port) as wire:

        def do(number: int) -> float:
            answer = wire.send(requests[number])
            assert answer.status == operation.status, answer.body[:500]
            return answer.seconds

        return measured(operation, do, pids)


class Place(Struct, frozen=True):
    """Where measurements are made: the server, copies of the stage, and the keys of processes."""

    server: EmbeddedPostgres
    market: MovingMarket
    variables: dict[str, str]
    home: Path

    def pids(self) -> list[int]:
        """The PostgreSQL that everything runs over."""
        lines = (self.server.data / "postmaster.pid").read_text().split("\n")
        return [int(lines[0])]

    def ways(self, name: str) -> Ways:
        """How a process of the market reaches a database."""
        app = self.market.databases.app(name)
        return Ways(superuser={}, app=app, worker=app | {"user": WORKER})

    def clone(self, stage: Stage, name: str) -> str:
        """A copy of the stage by this name."""
        asyncio.run(self.market.databases.drop(name))
        asyncio.run(self.market.databases.clone(stage.database, name))
        return name

    def drop(self, *names: str) -> None:
        """Drop copies."""
        for name in names:
            asyncio.run(self.market.databases.drop(name))


def measure(place: Place, stage: Stage, operation: Operation) -> Figure:
    """Measure an operation three ways, each over a copy of the stage."""
    recorded = asyncio.run(record(place.market, place.clone(stage, "bench_recorded"), operation))
    postgres = place.pids()
    variables = environment(place.ways(place.clone(stage, "bench_market")), place.home)
    with market_process(variables | place.variables) as (port, pid):
        market = over_http(operation, port, [pid, *postgres])
    name = place.clone(stage, "bench_handler")
    with bare_process(place.market.databases.app(name), recorded) as (port, pid):
        handler = over_http(operation, port, [pid, *postgres], bare_paths=len(recorded))
    replay = bare.Replay(place.market.databases.app(place.clone(stage, "bench_statements")))
    try:
        statements = measured(
            operation,
            lambda number: replay(recorded[number % len(recorded)]),
            [os.getpid()],  # PostgreSQL is a child of this process
        )
    finally:
        replay.close()
    place.drop("bench_recorded", "bench_market", "bench_handler", "bench_statements")
    asked = [
        (" ".join(one.sql.split()), statistics.median(replay.times[number]) * 1000)
        for number, one in enumerate(recorded[0])
    ]
    return Figure(
        operation=operation.name,
        market=market,
        handler=handler,
        statements=statements,
        asked=asked,
    )
