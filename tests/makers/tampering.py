"""What a superuser can do who means harm: past every trigger and foreign key of the log."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any


@asynccontextmanager
async def unguarded(connection: Any) -> AsyncIterator[None]:
    """Everything a superuser can do: no trigger, no foreign key is asked."""
    await connection.execute("SET session_replication_role = replica; SET market.migrating = 'on'")
    # triggers that are ENABLE ALWAYS fire all the same: they are switched off one by one
    tables = (
        "event",
        "event_position",
        "event_leaf",
        "event_blinding",
        "event_private",
        "merkle_node",
        "checkpoint",
    )
    for table in tables:
        await connection.execute(f"ALTER TABLE {table} DISABLE TRIGGER ALL")
    yield
    for table in tables:
        await connection.execute(f"ALTER TABLE {table} ENABLE TRIGGER ALL")
    await connection.execute("RESET session_replication_role; RESET market.migrating")
