"""The very statements of a request: what its connections were asked, in order, with arguments."""

from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

from msgspec import Struct

from market import database
from market.database import Connection


class Statement(Struct, frozen=True):
    """One statement as it was asked: by which method of the connection, and with what."""

    method: str
    sql: str
    arguments: tuple[Any, ...]


RECORDED: list[Statement] = []
"""What was asked since the list was last cleared, in all connections of the process."""


def _recording(method: str) -> Callable[..., Coroutine[Any, Any, Any]]:
    plain = getattr(Connection, method)

    async def ask(self: Connection, query: str, *args: Any, **options: Any) -> Any:
        RECORDED.append(Statement(method, query, args))
        return await plain(self, query, *args, **options)

    return ask


class RecordingConnection(Connection):
    """A connection that keeps a list of what it is asked."""


for _method in ("execute", "fetch", "fetchrow", "fetchval"):
    setattr(RecordingConnection, _method, _recording(_method))


@asynccontextmanager
async def serving(parameters: dict[str, Any]) -> AsyncIterator[None]:
    """Let the application of this process use a database over a connection that records."""
    database.DB.config = parameters
    await database.DB.start_connection_pool(
        min_size=1,
        max_size=3,
        connection_class=RecordingConnection,
        server_settings=database.SESSION,
    )
    try:
        yield
    finally:
        await database.close_pool()
