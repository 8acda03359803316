"""What the market is compared with: the same statements, asked barely, and by a bare handler."""

import asyncio
import time
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import uvicorn
from litestar import Litestar, get, post
from litestar.datastructures import State
from litestar.params import FromPath, JSONBody

from market.cli.servers import server_config
from market.database import SESSION, Connection
from tenders.schemas.bids import GiveBid
from tests.bench.recording import Statement


async def ask(connection: Any, statements: list[Statement]) -> list[Any]:
    """Ask what was recorded, in its order, and give the rows."""
    rows: list[Any] = []
    for one in statements:
        found = await getattr(connection, one.method)(one.sql, *one.arguments)
        if one.method == "fetch":
            rows.extend(dict(row) for row in found)
        elif one.method == "fetchrow" and found is not None:
            rows.append(dict(found))
    return rows


@get("/{number:int}", status_code=200)
async def read(number: FromPath[int], state: State) -> list[Any]:
    """Ask what the market asked for such a reading, and give the rows as they are."""
    async with state["pool"].acquire() as connection:
        return await ask(connection, state["recorded"][number])


@post("/{number:int}", status_code=201)
async def write(number: FromPath[int], data: JSONBody[GiveBid], state: State) -> list[Any]:
    """Ask what the market asked when it was sent this bid."""
    _ = data  # read and converted, as the market does
    async with state["pool"].acquire() as connection:
        return await ask(connection, state["recorded"][number])


def serve(port: int, parameters: dict[str, Any], recorded: list[list[Statement]]) -> None:
    """Serve the bare handlers, on the server that the market uses, until the process ends."""

    @asynccontextmanager
    async def lifespan(app: Litestar) -> AsyncIterator[None]:
        async with asyncpg.create_pool(
            **parameters,
            min_size=4,
            max_size=24,
            connection_class=Connection,
            server_settings=SESSION,
        ) as pool:
            app.state["pool"] = pool
            yield

    app = Litestar(
        route_handlers=[read, write],
        lifespan=[lifespan],
        state=State({"recorded": recorded}),
        openapi_config=None,
        logging_config=None,
    )
    config = server_config(app)
    config.host, config.port = "127.0.0.1", port
    uvicorn.Server(config).run()


class Replay:
    """The statements alone: one connection, and how long each of them took."""

    def __init__(self, parameters: dict[str, Any]) -> None:
        """Connect as the pools do."""
        self._loop = asyncio.new_event_loop()
        self._connection: Any = self._loop.run_until_complete(
            asyncpg.connect(**parameters, server_settings=SESSION)
        )
        self.times: defaultdict[int, list[float]] = defaultdict(list)

    def __call__(self, statements: list[Statement]) -> float:
        """Ask what was recorded, and give how many seconds that took."""
        return self._loop.run_until_complete(self._ask(statements))

    def close(self) -> None:
        """Hang up."""
        self._loop.run_until_complete(self._connection.close())
        self._loop.close()

    async def _ask(self, statements: list[Statement]) -> float:
        began = last = time.perf_counter()
        for place, one in enumerate(statements):
            await getattr(self._connection, one.method)(one.sql, *one.arguments)
            now = time.perf_counter()
            self.times[place].append(now - last)
            last = now
        return last - began
