"""The line that the events of one subject stand in: only the first of them may be delivered."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

_HOLD = "SELECT 1 FROM webhook_cursor WHERE subscription = $1 FOR UPDATE"

_LINE_UP = """
WITH line AS MATERIALIZED (
    SELECT d.id, d.next_attempt_at, NOT EXISTS (
        SELECT 1 FROM webhook_delivery e WHERE e.subscription = d.subscription
        AND e.subject = d.subject AND e.outcome IS NULL AND e.position < d.position) AS first
    FROM webhook_delivery d
    WHERE d.subscription = $1 AND d.subject = ANY ($2::uuid[]) AND d.outcome IS NULL
      AND d.claim IS NULL
)
UPDATE webhook_delivery d
SET next_attempt_at = CASE WHEN line.first THEN clock_timestamp() END
FROM line
WHERE d.id = line.id AND line.first = (line.next_attempt_at IS NULL)
"""

_NEXT_IN_LINE = """
UPDATE webhook_delivery SET next_attempt_at = clock_timestamp()
WHERE next_attempt_at IS NULL AND id = (
    SELECT id FROM webhook_delivery
    WHERE subscription = $1 AND subject = $2 AND outcome IS NULL ORDER BY position LIMIT 1)
"""


async def hold_line(connection: Any, subscription: UUID) -> None:
    """Hold a subscription's lines to the end of the transaction.

    Whoever adds to them, ends something in them or claims from them does so alone: otherwise one
    who adds could see as unsettled what another settles in this moment, and nobody would call the
    next one up.
    """
    await connection.execute(_HOLD, subscription)


async def line_up(connection: Any, subscription: UUID, subjects: Sequence[UUID]) -> None:
    """Let of each subject the first wait for its time, and all behind it for the first."""
    await connection.execute(_LINE_UP, subscription, list(subjects))


async def call_next(connection: Any, subscription: UUID, subject: UUID) -> None:
    """Let the next of a subject come up, when the one before it has ended."""
    await connection.execute(_NEXT_IN_LINE, subscription, subject)
