"""Where the time goes inside the process: each of the four requests under the profiler."""

import asyncio
import cProfile
import io
import pstats
from urllib.parse import urlsplit

import asyncpg
from litestar.types import ASGIApp

from tests.access import requests
from tests.bench.conftest import HOME
from tests.bench.operations import Operation, operations
from tests.bench.stage import Stage
from tests.makers.moving import MovingMarket

COUNT = 200
NAME = "bench_profiled"
_LONGEST = 60
# Of functions inlined into a statement PostgreSQL keeps no count.
_FUNCTIONS = """
SELECT funcname, calls, total_time, self_time FROM pg_stat_user_functions
ORDER BY self_time DESC LIMIT 25
"""


def _asked(operation: Operation, number: int) -> requests.Request:
    given = operation.requests[number % len(operation.requests)]
    address = urlsplit(given.path)
    headers = [(b"host", b"market"), (b"authorization", f"Bearer {given.token}".encode())]
    if given.key is not None:
        headers += [
            (b"idempotency-key", given.key.encode()),
            (b"content-type", b"application/json"),
        ]
    return requests.Request(
        method=given.method,
        path=address.path,
        query=address.query,
        address="127.0.0.1",
        headers=headers,
        body=given.body,
    )


async def _send(app: ASGIApp, operation: Operation, profile: cProfile.Profile) -> None:
    count = min(COUNT, operation.total)
    for number in range(count):
        if number == count // 10:
            profile.enable()
        answer = await requests.send(app, _asked(operation, number))
        assert answer.status == operation.status, answer.body
    profile.disable()


async def _profiled(market: MovingMarket, stage: Stage, operation: Operation) -> str:
    """Run an operation under both profilers, Python's and PostgreSQL's, and say what they saw."""
    databases, profile, said = market.databases, cProfile.Profile(), io.StringIO()
    await databases.clone(stage.database, NAME)
    superuser = await asyncpg.connect(**databases.superuser(NAME))
    try:
        await superuser.execute(f"ALTER DATABASE {NAME} SET track_functions = 'all'")
        async with market.over(NAME):
            await _send(market.app, operation, profile)
        functions = await superuser.fetch(_FUNCTIONS)
    finally:
        await superuser.close()
    await databases.drop(NAME)
    said.write(f"\n{operation.name}\n\nfunction of the database: calls, ms in all, ms by itself\n")
    for name, calls, total, own in functions:
        said.write(f"  {name:40} {calls:8} {total:10.1f} {own:10.1f}\n")
    for order in ("tottime", "cumulative"):
        pstats.Stats(profile, stream=said).sort_stats(order).print_stats(_LONGEST)
    return said.getvalue()


def test_where_the_time_goes(market: MovingMarket, stage: Stage) -> None:
    said = [asyncio.run(_profiled(market, stage, operation)) for operation in operations(stage)]
    (HOME / "bench-profile.txt").write_text("".join(said))
    assert all("function calls" in part for part in said)
