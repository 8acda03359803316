"""The log as the database keeps it: events with their places, hashes by subtree, heads.

Everything takes a connection, because a worker, an API process and the operator's command line
each read with a role of their own.
"""

import json
from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from msgspec import Struct

from market.transparency.rules.canonical import NotCanonical, canonical
from market.transparency.rules.heads import Head
from market.transparency.rules.leaves import Details, LoggedEvent
from market.transparency.rules.merkle import Subtree

_LEVELS = 48  # bits of a place that are the number within the level

_EVENTS = """
SELECT p.position, e.id, e.action, e.occurred_at, e.recorded_at, e.subject_kind, e.subject,
    e.tender, p.tender_number, e.person, e.organisation, e.request, e.details,
    e.before_digest, e.after_digest, e.private_digest
FROM event_position p JOIN event e ON e.id = p.event
WHERE p.position > $1 ORDER BY p.position LIMIT $2
"""
_ROWS = """
SELECT p.position, p.event, l.hash, l.content, l.number, b.salt,
    e.id, e.action, e.occurred_at, e.recorded_at, e.subject_kind, e.subject,
    e.tender, p.tender_number, e.person, e.organisation, e.request, e.details,
    e.before_digest, e.after_digest, e.private_digest
FROM event_position p LEFT JOIN event e ON e.id = p.event
LEFT JOIN event_leaf l ON l.position = p.position
LEFT JOIN event_blinding b ON b.event = p.event
WHERE p.position > $1 ORDER BY p.position LIMIT $2
"""
_EVENT = """
SELECT p.position, e.id, e.action, e.occurred_at, e.recorded_at, e.subject_kind, e.subject,
    e.tender, p.tender_number, e.person, e.organisation, e.request, e.details,
    e.before_digest, e.after_digest, e.private_digest, b.salt
FROM event_position p JOIN event e ON e.id = p.event JOIN event_blinding b ON b.event = e.id
WHERE p.event = $1
"""
_EVENTS_OF_TENDER = """
SELECT p.position, e.id, e.action, e.occurred_at, e.recorded_at, e.subject_kind, e.subject,
    e.tender, p.tender_number, e.person, e.organisation, e.request, e.details,
    e.before_digest, e.after_digest, e.private_digest
FROM event_position p JOIN event e ON e.id = p.event
WHERE p.tender = $1 AND p.position <= $2 ORDER BY p.tender_number
"""
_LEAVES = "SELECT position, hash FROM event_leaf WHERE position = ANY ($1::bigint[])"
_NODES = "SELECT place, hash FROM merkle_node WHERE place = ANY ($1::bigint[])"
_HEADS = """
SELECT h.tender, last.tender_number AS count, l.hash AS last_leaf
FROM tender_head h CROSS JOIN LATERAL (
    SELECT p.tender_number, p.position FROM event_position p
    WHERE p.tender = h.tender AND p.position <= $1 ORDER BY p.tender_number DESC LIMIT 1
) last JOIN event_leaf l ON l.position = last.position
ORDER BY h.tender
"""


class CheckpointRow(Struct, frozen=True, kw_only=True):
    """A signed checkpoint, as it is kept."""

    size: int
    root: bytes
    note: str
    because: str
    signed_at: datetime


class LoggedRow(Struct, frozen=True, kw_only=True):
    """Everything that is kept at one position; what is None is missing."""

    position: int
    event: LoggedEvent | None
    leaf: bytes | None
    commitments: tuple[str, str] | None
    salt: bytes | None


_CHECKPOINT = """
SELECT size, root, note, because, signed_at FROM checkpoint
WHERE $1::bigint IS NULL OR size = $1 ORDER BY size DESC LIMIT 1
"""


def place_of(subtree: Subtree) -> int:
    """Where the hash of a complete subtree above the leaves is kept."""
    return subtree.level << _LEVELS | subtree.number


async def subtree_hashes(connection: Any, subtrees: Iterable[Subtree]) -> dict[Subtree, bytes]:
    """Fetch the hashes of complete subtrees; what is not there is not given."""
    wanted = list(subtrees)
    leaves = [one.number + 1 for one in wanted if one.level == 0]
    nodes = {place_of(one): one for one in wanted if one.level > 0}
    found: dict[Subtree, bytes] = {}
    if leaves:
        for row in await connection.fetch(_LEAVES, leaves):
            found[Subtree(0, row["position"] - 1)] = row["hash"]
    if nodes:
        for row in await connection.fetch(_NODES, list(nodes)):
            found[nodes[row["place"]]] = row["hash"]
    return found


async def events_after(connection: Any, position: int, at_most: int) -> list[LoggedEvent]:
    """Read numbered events in the order of the log."""
    return [_logged(row) for row in await connection.fetch(_EVENTS, position, at_most)]


async def event_with_salt(connection: Any, event: UUID) -> tuple[LoggedEvent, bytes] | None:
    """Read one event with the salt of its commitments; None where it is not seen whole."""
    row = await connection.fetchrow(_EVENT, event)
    return None if row is None else (_logged(row), row["salt"])


async def rows_after(connection: Any, position: int, at_most: int) -> list[LoggedRow]:
    """Read all that is kept at the next positions, whether or not it fits together."""
    return [
        LoggedRow(
            position=row["position"],
            event=None if row["id"] is None else _logged(row),
            leaf=row["hash"],
            commitments=(
                None if row["hash"] is None else (row["content"].hex(), row["number"].hex())
            ),
            salt=row["salt"],
        )
        for row in await connection.fetch(_ROWS, position, at_most)
    ]


async def events_of_tender(connection: Any, tender: UUID, size: int) -> list[LoggedEvent]:
    """Read the events of a tender up to a size of the log, in their order."""
    return [_logged(row) for row in await connection.fetch(_EVENTS_OF_TENDER, tender, size)]


async def heads_at(connection: Any, size: int) -> list[Head]:
    """Read the head of every tender as it was at a size of the log, in order of tender."""
    return [
        Head(tender=UUID(str(row["tender"])), count=row["count"], last_leaf=row["last_leaf"])
        for row in await connection.fetch(_HEADS, size)
    ]


async def checkpoint_at(connection: Any, size: int | None = None) -> CheckpointRow | None:
    """Read the checkpoint of a size, or the newest."""
    row = await connection.fetchrow(_CHECKPOINT, size)
    return None if row is None else CheckpointRow(**dict(row))


def details_of(text: str) -> Details:
    """Read the details of an event as they are hashed.

    What has no canonical form, which no command writes, is hashed as the text that it is: one bad
    event must not stop the log.
    """
    try:
        details = json.loads(text)
        canonical(details)
    except (NotCanonical, ValueError, RecursionError):
        return {"as_text": text}
    return details if isinstance(details, dict) else {"as_text": text}


def _logged(row: Any) -> LoggedEvent:
    return LoggedEvent(
        position=row["position"],
        id=_uuid(row["id"]),
        action=row["action"],
        occurred_at=row["occurred_at"],
        recorded_at=row["recorded_at"],
        subject_kind=row["subject_kind"],
        subject=_uuid(row["subject"]),
        tender=None if row["tender"] is None else _uuid(row["tender"]),
        tender_number=row["tender_number"],
        person=None if row["person"] is None else _uuid(row["person"]),
        organisation=None if row["organisation"] is None else _uuid(row["organisation"]),
        request=row["request"],
        details=details_of(row["details"]),
        before_digest=row["before_digest"],
        after_digest=row["after_digest"],
        private_digest=row["private_digest"],
    )


def _uuid(value: Any) -> UUID:
    """Asyncpg's own UUIDs, as Python's."""
    return UUID(int=value.int)
