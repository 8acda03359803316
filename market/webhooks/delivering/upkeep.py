"""Carrying out what was asked for, recording what deliveries show, forgetting what is old."""

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

import msgspec
import structlog

from market.actor import Actor
from market.background import Workbench
from market.errors import Stale
from market.webhooks.commands.consequences import note_verified, pause_by_itself, stop_webhook
from market.webhooks.delivering.lines import hold_line, line_up
from market.webhooks.delivering.messages import VERIFICATION
from market.webhooks.rules.retries import MOST_DEAD_IN_A_ROW
from market.webhooks.rules.subscriptions import WebhookEndReason, WebhookRequestKind

_LOG = structlog.get_logger("market.webhooks")
_IDLE = 0.2
_AT_ONCE = 50

_BEGIN = """
INSERT INTO webhook_cursor (subscription, fanned_out_to, fanned_out_at, dead_in_a_row)
SELECT s.id, s.start_after, clock_timestamp(), 0 FROM webhook_subscription s
WHERE s.ended_at IS NULL AND NOT EXISTS (
    SELECT 1 FROM webhook_cursor c WHERE c.subscription = s.id)
ON CONFLICT DO NOTHING
"""

# What follows from facts, looked for in these: a worker that dies between fact and consequence
# leaves nothing undone.
_DUE = """
SELECT * FROM (
    SELECT s.id, s.organisation, CASE
        WHEN m.ended_at IS NOT NULL THEN 'membership_ended'
        WHEN EXISTS (SELECT 1 FROM webhook_delivery d
            WHERE d.subscription = s.id AND d.outcome = 'gone') THEN 'receiver_gone'
        WHEN s.verified_at IS NULL AND EXISTS (SELECT 1 FROM webhook_delivery d
            WHERE d.subscription = s.id AND d.type = 'webhook.verification'
            AND d.outcome = 'delivered') THEN 'verified'
        WHEN s.paused_at IS NULL AND c.dead_in_a_row >= $1
            AND c.dead_at > coalesce(s.resumed_at, '-infinity') THEN 'too_many_dead'
        END AS shown
    FROM webhook_subscription s JOIN membership m ON m.id = s.membership
    LEFT JOIN webhook_cursor c ON c.subscription = s.id
    WHERE s.ended_at IS NULL
) due WHERE shown IS NOT NULL LIMIT $2
"""

_REQUESTS = """
SELECT r.id, r.subscription, r.kind, r.delivery, r.after, r.asked_at
FROM webhook_request r JOIN webhook_subscription s ON s.id = r.subscription
JOIN webhook_cursor c ON c.subscription = s.id
WHERE r.done_at IS NULL AND s.ended_at IS NULL
ORDER BY r.asked_at LIMIT $1 FOR UPDATE OF r SKIP LOCKED
"""

_CHALLENGE = """
INSERT INTO webhook_delivery (id, subscription, event, position, type, subject, made_at, attempts,
    next_attempt_at)
VALUES (gen_random_uuid(), $1, $2, 0, $3, $2, clock_timestamp(), 0, clock_timestamp())
ON CONFLICT DO NOTHING
"""

_REOPEN = """
UPDATE webhook_delivery SET outcome = NULL, settled_at = NULL, attempts = 0, next_attempt_at = NULL
WHERE subscription = $1 AND outcome IS NOT NULL AND type <> 'webhook.verification'
"""
_REOPENED = {
    WebhookRequestKind.DELIVERY: _REOPEN + " AND id = $2 RETURNING subject",
    WebhookRequestKind.DEAD: _REOPEN + " AND outcome = 'dead' RETURNING subject",
    WebhookRequestKind.POSITION: _REOPEN + " AND position > $2 RETURNING subject",
}

_SET_BACK = """
UPDATE webhook_cursor SET fanned_out_to = $2, claimed_until = NULL
WHERE subscription = $1 AND fanned_out_to > $2
"""

_ERASE = """
UPDATE webhook_secret k SET wrapped = NULL
FROM webhook_subscription s WHERE s.id = k.subscription AND k.wrapped IS NOT NULL
AND (s.ended_at IS NOT NULL OR k.signs_until <= clock_timestamp())
"""


class _Due(msgspec.Struct, frozen=True):
    id: UUID
    organisation: UUID
    shown: str


class _Request(msgspec.Struct, frozen=True):
    id: UUID
    subscription: UUID
    kind: WebhookRequestKind
    delivery: UUID | None
    after: int | None


Consequence = Callable[[Actor, UUID], Awaitable[None]]


async def _lost_membership(actor: Actor, webhook: UUID) -> None:
    await stop_webhook(actor, webhook, WebhookEndReason.MEMBERSHIP_ENDED)


async def _receiver_gone(actor: Actor, webhook: UUID) -> None:
    await stop_webhook(actor, webhook, WebhookEndReason.RECEIVER_GONE)


_CONSEQUENCES: dict[str, Consequence] = {
    "membership_ended": _lost_membership,
    "receiver_gone": _receiver_gone,
    "verified": note_verified,
    "too_many_dead": pause_by_itself,
}


class WebhookUpkeep:
    """Sees to what follows from facts, and to what people asked for."""

    name = "webhook upkeep"

    def __init__(self, bench: Workbench) -> None:
        """Record with the app role; look, and write the books, with the worker's."""
        self._database = bench.database

    async def run(self) -> float:
        """Open books for new subscriptions, and see to everything there is at the moment."""
        async with self._database.transaction() as connection:
            await connection.execute(_BEGIN)
            rows = await connection.fetch(_DUE, MOST_DEAD_IN_A_ROW, _AT_ONCE)
        for row in rows:
            await self._record(msgspec.convert(dict(row), _Due))
        done = 0
        while await self._carry_out_one():
            done += 1
            if done == _AT_ONCE:
                return 0
        return _IDLE

    @staticmethod
    async def _record(due: _Due) -> None:
        """Record one consequence; that another worker was faster, or a person, is no fault."""
        actor = Actor(organisation=due.organisation, request="worker")
        try:
            await _CONSEQUENCES[due.shown](actor, due.id)
        except Stale:
            return
        _LOG.info("webhook changed by itself", webhook=str(due.id), because=due.shown)

    async def _carry_out_one(self) -> bool:
        async with self._database.transaction() as connection:
            row = await connection.fetchrow(_REQUESTS, 1)
            if row is None:
                return False
            request = msgspec.convert(dict(row), _Request)
            await hold_line(connection, request.subscription)
            reopened = await self._carry_out(connection, request)
            await connection.execute(
                "UPDATE webhook_request SET done_at = clock_timestamp(), reopened = $2"
                " WHERE id = $1",
                request.id,
                reopened,
            )
        return True

    @staticmethod
    async def _carry_out(connection: Any, request: _Request) -> int:
        """Make a challenge, or open again what had ended; give how many deliveries that are."""
        if request.kind is WebhookRequestKind.VERIFICATION:
            await connection.execute(_CHALLENGE, request.subscription, request.id, VERIFICATION)
            return 1
        arguments: list[Any] = [request.subscription]
        if request.kind is WebhookRequestKind.DELIVERY:
            arguments.append(request.delivery)
        elif request.kind is WebhookRequestKind.POSITION:
            arguments.append(request.after)
            await connection.execute(_SET_BACK, *arguments)
        rows = await connection.fetch(_REOPENED[request.kind], *arguments)
        subjects = list({row["subject"] for row in rows})
        await line_up(connection, request.subscription, subjects)
        return len(rows)


class WebhookRetention:
    """Forgets attempts and ended deliveries after thirty days, and secrets that sign no more."""

    name = "webhook retention"
    _BATCH = 5000
    _HOUR = 3600.0

    def __init__(self, bench: Workbench) -> None:
        """Forget with the worker role, by the rule that the database holds."""
        self._database = bench.database

    async def run(self) -> float:
        """Forget one batch."""
        async with self._database.transaction() as connection:
            await connection.execute(_ERASE)
            gone = await connection.fetchval("SELECT forget_webhook_deliveries($1)", self._BATCH)
        return 0 if gone >= self._BATCH else self._HOUR
