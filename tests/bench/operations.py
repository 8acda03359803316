"""The four requests that are measured, and each measured three ways over databases alike."""

import asyncio
import os
import statistics
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from pathlib import Path

import httpx
from msgspec import Struct

from market.embedded import EmbeddedPostgres
from market.migrations import WORKER
from tests.bench import bare
from tests.bench.figures import Asked, Cost, Figure
from tests.bench.measures import awake, family, processor_seconds
from tests.bench.recording import RECORDED, Statement, serving
from tests.bench.servers import bare_process, market_process
from tests.bench.stage import LISTED, OPENED, Stage
from tests.bench.wire import Request, Wire
from tests.faults.processes import environment
from tests.makers.databases import Ways
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


class Way(Struct, frozen=True, kw_only=True):
    """One way to do an operation.

    `do` does the request of a number and says how many seconds it waited for the answer; counted
    is what the process that does it and all of PostgreSQL spend on a processor.
    """

    do: Callable[[int], float]
    process: int


def measured(operation: Operation, ways: Sequence[Way], postgres: int) -> list[Cost]:
    """Do an operation every way, a round of each in turn, so that what disturbs disturbs all."""
    costs = [Cost(latency=[], processor=[]) for _ in ways]
    with awake():
        for way in ways:
            for number in range(operation.warm_up):
                way.do(number)
        for begin in range(operation.warm_up, operation.total, operation.a_round):
            for way, cost in zip(ways, costs, strict=True):
                processes = {way.process, *family(postgres)}
                before = processor_seconds(processes)
                times = [way.do(number) for number in range(begin, begin + operation.a_round)]
                spent = processor_seconds(processes) - before
                cost.latency.append(statistics.median(times))
                cost.processor.append(spent / operation.a_round)
    return costs


def over_http(operation: Operation, wire: Wire, *, bare_paths: int = 0) -> Callable[[int], float]:
    """Send an operation's requests; to the bare server, by the number of what it asks."""
    given = operation.requests
    requests = [
        given[number % len(given)].encoded(f"/{number % bare_paths}" if bare_paths else None)
        for number in range(operation.total)
    ]

    def do(number: int) -> float:
        answer = wire.send(requests[number])
        assert answer.status == operation.status, answer.body[:500]
        return answer.seconds

    return do


class Place(Struct, frozen=True):
    """Where measurements are made: the server, copies of the stage, and the keys of processes."""

    server: EmbeddedPostgres
    market: MovingMarket
    variables: dict[str, str]
    home: Path

    def postgres(self) -> int:
        """The process of the PostgreSQL that everything runs over."""
        return int((self.server.data / "postmaster.pid").read_text().split("\n")[0])

    def ways(self, name: str) -> Ways:
        """How a process of the market reaches a database."""
        app = self.market.databases.app(name)
        return Ways(app=app, worker=app | {"user": WORKER})

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
    names = ("bench_recorded", "bench_market", "bench_handler", "bench_statements")
    for name in names:
        place.clone(stage, name)
    recorded = asyncio.run(record(place.market, names[0], operation))
    variables = environment(place.ways(names[1]), place.home) | place.variables
    to_app = place.market.databases.app
    with ExitStack() as stack:
        port, process = stack.enter_context(market_process(variables))
        bare_port, bare_id = stack.enter_context(bare_process(to_app(names[2]), recorded))
        wire, bare_wire = stack.enter_context(Wire(port)), stack.enter_context(Wire(bare_port))
        replay = stack.enter_context(closing(bare.Replay(to_app(names[3]))))
        market, handler, statements = measured(
            operation,
            [
                Way(do=over_http(operation, wire), process=process),
                Way(
                    do=over_http(operation, bare_wire, bare_paths=len(recorded)),
                    process=bare_id,
                ),
                Way(
                    do=lambda number: replay(recorded[number % len(recorded)]),
                    process=os.getpid(),
                ),
            ],
            place.postgres(),
        )
        asked = [
            Asked(" ".join(one.sql.split()), statistics.median(replay.times[number]) * 1000)
            for number, one in enumerate(recorded[0])
        ]
    place.drop(*names)
    return Figure(
        operation=operation.name,
        market=market,
        handler=handler,
        statements=statements,
        asked=asked,
        goal=operation.goal,
        reference=operation.reference,
    )
