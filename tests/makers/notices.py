"""Events that the tests' kinds of notice are made of, and the worker's tasks run to their end."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import msgspec

from market.background import Task, Workbench
from market.events.sequencing import Sequencer
from market.mail.kinds import NoticeKind
from market.mail.noticing import Noticing
from market.mail.posting import Posting
from tests.makers.world import Person

TENDER = UUID("5b1f7c52-2f4e-4b36-9a5c-7f1d0f3b8c11")


async def happen(
    connection: Any, action: str, *people: Person, title: str = "Data services", **facts: object
) -> UUID:
    """Record an event that concerns people, as the superuser."""
    event = uuid4()
    details = {
        "to": [{"person": str(one.id), "organisation": str(one.organisation)} for one in people],
        "facts": {"title": title, "tender": str(TENDER), **facts},
    }
    await connection.execute(
        "INSERT INTO event (id, action, subject_kind, subject, request, details)"
        " VALUES ($1, $2, 'thing', $3, 'test', $4)",
        event,
        action,
        uuid4(),
        msgspec.json.encode(details).decode(),
    )
    return event


async def exhaust(task: Task) -> None:
    """Run a task until it has no more to do."""
    while await task.run() == 0:
        pass


async def notice(bench: Workbench, kinds: Sequence[NoticeKind]) -> None:
    """Number what happened and make its notices."""
    await exhaust(Sequencer(bench))
    await exhaust(Noticing(bench, kinds))


async def post(bench: Workbench, kinds: Sequence[NoticeKind]) -> None:
    """Send what is due."""
    await exhaust(Posting(bench, kinds))


async def state_of(connection: Any) -> list[tuple[Any, ...]]:
    rows = await connection.fetch("SELECT state, attempts, last_error FROM notice ORDER BY made_at")
    return [tuple(row) for row in rows]


async def make_due(connection: Any) -> None:
    """As if every pause and every claim had run out."""
    await connection.execute(
        "UPDATE notice SET send_after = clock_timestamp() - interval '1 second',"
        " claimed_until = clock_timestamp() - interval '1 second' WHERE state = 'waiting'"
    )


async def age(connection: Any, by: timedelta) -> None:
    """Make every notice that waits older."""
    await connection.execute(
        "UPDATE notice SET made_at = made_at - $1::interval, digest_at = digest_at - $1::interval,"
        " send_after = send_after - $1::interval WHERE state = 'waiting'",
        by,
    )


async def reach_digest(connection: Any) -> None:
    """As if the hour of the digest had just come."""
    await connection.execute(
        "UPDATE notice SET digest_at = transaction_timestamp(),"
        " send_after = transaction_timestamp()"
        " WHERE digest_at IS NOT NULL AND state = 'waiting' AND mailing IS NULL"
    )
