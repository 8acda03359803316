"""What a request costs does not grow with the market: with bids on a tender, and with tenders."""

import asyncio

import asyncpg
import msgspec
import pytest

from tests.bench.conftest import FIGURES
from tests.bench.copies import copied_tenders
from tests.bench.figures import Cost, keep, say
from tests.bench.operations import Operation, Place, Way, measured, operations, over_http
from tests.bench.servers import market_process
from tests.bench.stage import Stage
from tests.bench.wire import Wire
from tests.faults.processes import environment

GROWTH = 1.25
"""Not more than what two measurements of the same differ by."""
_NAME = "bench_growth"


class Growth(msgspec.Struct, frozen=True, kw_only=True):
    """What an operation took when there was little, and when there was much."""

    operation: str
    few: Cost
    many: Cost

    @property
    def factor(self) -> float:
        """How many times the time on a processor grew."""
        return self.many.processor_milliseconds / self.few.processor_milliseconds

    def __str__(self) -> str:
        """One line."""
        few, many = self.few, self.many
        return (
            f"{self.operation:40} {few.milliseconds:7.2f} -> {many.milliseconds:7.2f} ms"
            f" | on a processor {few.processor_milliseconds:6.2f} ->"
            f" {many.processor_milliseconds:6.2f} ms, {self.factor:5.2f} x"
        )


def _judge(name: str, grown: list[Growth]) -> None:
    say("\n" + "\n".join(str(one) for one in grown))
    keep(FIGURES, name, grown)
    if missed := [str(one) for one in grown if one.factor > GROWTH]:
        pytest.fail("\n".join(["it grows", *missed]), pytrace=False)


def test_a_bid_costs_the_same_after_a_thousand_others(place: Place, stage: Stage) -> None:
    submission = operations(stage)[0]
    place.clone(stage, _NAME)
    half = len(submission.requests) // 2
    first = msgspec.structs.replace(
        submission, requests=submission.requests[:half], warm_up=10, rounds=3, a_round=50
    )
    variables = environment(place.ways(_NAME), place.home) | place.variables
    with market_process(variables) as (port, process), Wire(port) as wire:
        for request in submission.requests[half : half + 50]:
            wire.send(request.encoded())  # the process is warm, the first lot has no bid
        few = measured(first, [Way(do=over_http(first, wire), process=process)], place.postgres())[
            0
        ]
        begin = first.total
        for request in first.requests[begin:1000]:
            wire.send(request.encoded())
        last = msgspec.structs.replace(first, requests=first.requests[max(begin, 1000) :])
        many = measured(last, [Way(do=over_http(last, wire), process=process)], place.postgres())[0]
    place.drop(_NAME)
    _judge(
        "growth with bids",
        [Growth(operation="submit, with 10 and with 1,000 bids", few=few, many=many)],
    )


async def _publish(place: Place, stage: Stage, count: int) -> None:
    superuser = await asyncpg.connect(**place.market.databases.superuser(_NAME))
    try:
        await copied_tenders(superuser, stage.open, count)
        await superuser.execute("VACUUM ANALYZE")
        await superuser.execute("CHECKPOINT")
    finally:
        await superuser.close()


def _all(place: Place, chosen: list[Operation], skip: int) -> list[Cost]:
    variables = environment(place.ways(_NAME), place.home) | place.variables
    costs = []
    with market_process(variables) as (port, process), Wire(port) as wire:
        for given in chosen:
            requests = given.requests if given.repeatable else given.requests[skip:]
            one = msgspec.structs.replace(given, requests=requests, rounds=3)
            costs += measured(
                one, [Way(do=over_http(one, wire), process=process)], place.postgres()
            )
    return costs


def test_nothing_costs_more_among_a_hundred_thousand_tenders(place: Place, stage: Stage) -> None:
    chosen = operations(stage)[:3]
    place.clone(stage, _NAME)
    asyncio.run(_publish(place, stage, 1_000))
    few = _all(place, chosen, 0)
    asyncio.run(_publish(place, stage, 99_000))
    many = _all(place, chosen, 450)
    place.drop(_NAME)
    _judge(
        "growth with tenders",
        [
            Growth(operation=f"{one.name}, 1,000 and 100,000 tenders", few=before, many=after)
            for one, before, after in zip(chosen, few, many, strict=True)
        ],
    )
