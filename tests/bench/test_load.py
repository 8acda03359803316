"""A deadline rush on a disk of a millisecond, and what memory a process takes in the long run."""

import asyncio
import os
from itertools import cycle, islice

import asyncpg
import msgspec
import pytest

from tests.bench.conftest import FIGURES
from tests.bench.copies import copied_suppliers
from tests.bench.disks import Disk
from tests.bench.figures import keep, say
from tests.bench.load import Outcome, load
from tests.bench.measures import resident_bytes
from tests.bench.operations import Place
from tests.bench.servers import market_process
from tests.bench.stage import Stage
from tests.faults.processes import environment

RATE = int(os.environ.get("BENCH_RATE", "500"))
SECONDS = int(os.environ.get("BENCH_SECONDS", "4"))
PATIENCE = 50.0
"""Milliseconds within which 99 of 100 submissions are answered."""
REQUESTS = int(os.environ.get("BENCH_REQUESTS", "100000"))
MEMORY = 200 * 10**6
_SHARES = (1.0, 0.8, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1)
_WARM_UP = 1_000
_CONNECTIONS = 64
_NAME = "bench_load"


class Rush(msgspec.Struct, frozen=True, kw_only=True):
    """Submissions at a rate, and how they fared."""

    asked: int
    answered: float
    median: float
    late: float
    statuses: dict[int, int]

    @property
    def kept_up(self) -> bool:
        """Whether all were accepted, and nearly all in time."""
        return set(self.statuses) == {201} and self.late < PATIENCE

    def __str__(self) -> str:
        """One line."""
        return (
            f"  {self.asked:4} a second: {self.answered:6.0f} answered, median {self.median:7.1f}"
            f" ms, p99 {self.late:7.1f} ms, {self.statuses}"
        )


def _rush(rate: int, outcome: Outcome) -> Rush:
    return Rush(
        asked=rate,
        answered=outcome.rate,
        median=outcome.percentile(0.5),
        late=outcome.percentile(0.99),
        statuses=outcome.statuses,
    )


async def _bidders(place: Place, stage: Stage, count: int) -> list[str]:
    superuser = await asyncpg.connect(**place.market.databases.superuser(_NAME))
    try:
        made = await copied_suppliers(superuser, stage.model, count)
        await superuser.execute("VACUUM ANALYZE")
    finally:
        await superuser.close()
    return [one.token for one in made]


def test_a_rush_on_a_disk_of_a_millisecond(place: Place, stage: Stage, disk: Disk) -> None:
    if not disk.can_be_slow:
        pytest.skip("there is no compiler to make the disk slow with")
    place.clone(stage, _NAME)
    needed = _WARM_UP + int(sum(_SHARES) * RATE * SECONDS)
    tokens = asyncio.run(_bidders(place, stage, needed // 2 + 1))
    waiting = iter([one.encoded() for one in stage.submissions(tokens)])
    variables = environment(place.ways(_NAME), place.home) | place.variables
    rushes = []
    with disk.slow(1_000), market_process(variables, workers=2) as (port, _):
        load(port, list(islice(waiting, _WARM_UP)), connections=_CONNECTIONS)
        for share in _SHARES:
            rate = int(RATE * share)
            sent = list(islice(waiting, rate * SECONDS))
            rushes.append(_rush(rate, load(port, sent, rate=rate, connections=_CONNECTIONS)))
            if rushes[-1].kept_up:
                break
    place.drop(_NAME)
    say("\n".join(["", "submissions on a disk of 1 ms", *map(str, rushes)]))
    keep(FIGURES, "rush", rushes)
    assert rushes[0].kept_up, f"not {RATE} a second: {rushes[0]}"


def test_a_process_stays_small(place: Place, stage: Stage) -> None:
    place.clone(stage, _NAME)
    paths = (f"/tenders/{stage.open}/requirement", "/tenders?limit=20", "/clock", "/me", "/bids")
    readings = [one.encoded() for path in paths for one in stage.readings(f"/api/v1{path}")]
    submissions = [one.encoded() for one in stage.submissions()]
    variables = environment(place.ways(_NAME), place.home) | place.variables
    sizes = []
    with market_process(variables) as (port, process):
        sizes.append(resident_bytes(process))
        load(port, submissions, connections=_CONNECTIONS)
        sizes.append(resident_bytes(process))
        sent = list(islice(cycle(readings), REQUESTS))
        for part in range(4):
            outcome = load(port, sent[part::4], connections=16)
            assert set(outcome.statuses) == {200}, outcome.statuses
            sizes.append(resident_bytes(process))
    place.drop(_NAME)
    said = ", ".join(f"{size / 1e6:.0f}" for size in sizes)
    say(f"\nmemory of a process in MB: at first, after {len(submissions):,} bids, then after each")
    say(f"quarter of {REQUESTS:,} requests: {said}")
    keep(FIGURES, "memory", sizes)
    assert sizes[-1] < MEMORY
