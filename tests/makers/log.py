"""Makers around the log: events written straight, the worker's passes made by hand."""

from typing import Any
from uuid import UUID, uuid4

from market.background import Workbench
from market.events.sequencing import Sequencer
from market.transparency.keeping import BATCH, Keeper

_EVENT = """
INSERT INTO event (id, action, subject_kind, subject, tender, request, details)
VALUES ($1, $2, 'thing', $3, $4, 'test', $5)
"""


async def record_straight(
    connection: Any,
    subject: UUID | None = None,
    *,
    tender: UUID | None = None,
    action: str = "test.made",
    details: str = "{}",
) -> UUID:
    """Write one event without any command."""
    event = uuid4()
    await connection.execute(_EVENT, event, action, subject or uuid4(), tender, details)
    return event


async def number(bench: Workbench) -> None:
    """Give a position to everything that is committed."""
    while await Sequencer(bench).run() == 0:
        pass


async def keep(bench: Workbench, keeper: Keeper | None = None) -> None:
    """Number and hash everything that is committed, and sign where that is due."""
    await number(bench)
    keeper = keeper or Keeper(bench)
    while await keeper.run() == 0:
        pass


async def keep_and_sign(bench: Workbench, connection: Any) -> int:
    """Bring the log up to now with a checkpoint over all of it, and give its size."""
    await record_straight(connection, action="lot.awarded")
    await keep(bench)
    size: int = await connection.fetchval("SELECT max(size) FROM checkpoint")
    return size


__all__ = ["BATCH", "keep", "keep_and_sign", "number", "record_straight"]
