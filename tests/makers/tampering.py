"""What a superuser can do who means harm: past every trigger and foreign key."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

LOG = (
    "event",
    "event_position",
    "event_leaf",
    "event_blinding",
    "event_private",
    "merkle_node",
    "checkpoint",
)


@asynccontextmanager
async def unguarded(connection: Any, *tables: str) -> AsyncIterator[None]:
    """Everything a superuser can do to tables, the log's by default: no trigger or key is asked."""
    await connection.execute("SET session_replication_role = replica; SET market.migrating = 'on'")
    # triggers that are ENABLE ALWAYS fire all the same: they are switched off one by one
    for table in tables or LOG:
        await connection.execute(f"ALTER TABLE {table} DISABLE TRIGGER ALL")
    yield
    for table in tables or LOG:
        await connection.execute(f"ALTER TABLE {table} ENABLE TRIGGER ALL")
    await connection.execute("RESET session_replication_role; RESET market.migrating")
