"""Delivering: claimed by a lease, in order for each subject, and until it is delivered or dead."""

import asyncio
import random
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

import msgspec
import structlog

from market.actor import Role
from market.background import Workbench
from market.events.queries import read_feed
from market.vault import Vault
from market.webhooks import credentials
from market.webhooks.delivering.fan_out import on_behalf
from market.webhooks.delivering.lines import call_next, hold_line
from market.webhooks.delivering.messages import (
    VERIFICATION,
    Message,
    challenge_message,
    event_message,
)
from market.webhooks.rules.retries import (
    VERIFICATION_ATTEMPTS,
    DeliveryOutcome,
    Verdict,
    asked_to_wait,
    wait_before_next,
    waits,
)
from market.webhooks.rules.subscriptions import AT_ONCE
from market.webhooks.sending import MOST_READ, Answer, Sender

_LOG = structlog.get_logger("market.webhooks")
_IDLE = 0.2
"""Seconds between looks for what is due."""

# Held first and claimed from in a second statement, which sees what was committed until then: so
# nobody claims what another has, nor more of one subscription than may be under way at once.
_FREE = """
SELECT c.subscription FROM webhook_cursor c
JOIN webhook_subscription s ON s.id = c.subscription
JOIN membership m ON m.id = s.membership
WHERE s.ended_at IS NULL AND m.ended_at IS NULL
  AND EXISTS (SELECT 1 FROM webhook_delivery d WHERE d.subscription = s.id AND d.outcome IS NULL
      AND d.next_attempt_at <= (SELECT clock_timestamp())
      AND (d.claimed_until IS NULL OR d.claimed_until <= clock_timestamp())
      AND (d.type = $2 OR s.verified_at IS NOT NULL AND s.paused_at IS NULL))
  AND (SELECT count(*) FROM webhook_delivery d WHERE d.subscription = s.id AND d.claim IS NOT NULL
       AND d.claimed_until > clock_timestamp()) < $3
ORDER BY random() LIMIT $1 FOR UPDATE OF c SKIP LOCKED
"""

_CLAIM = """
WITH due AS MATERIALIZED (
    SELECT d.id FROM webhook_subscription s CROSS JOIN LATERAL (
        SELECT d.id, d.next_attempt_at FROM webhook_delivery d
        WHERE d.subscription = s.id AND d.outcome IS NULL
          AND d.next_attempt_at <= (SELECT clock_timestamp())
          AND (d.claimed_until IS NULL OR d.claimed_until <= clock_timestamp())
          AND (d.type = $2 OR s.verified_at IS NOT NULL AND s.paused_at IS NULL)
        ORDER BY d.next_attempt_at, d.position
        LIMIT greatest(0, $4 - (SELECT count(*) FROM webhook_delivery u
            WHERE u.subscription = s.id AND u.claim IS NOT NULL
            AND u.claimed_until > clock_timestamp()))
    ) d WHERE s.id = ANY ($1::uuid[]) AND s.ended_at IS NULL ORDER BY d.next_attempt_at LIMIT $3
)
UPDATE webhook_delivery d
SET claim = gen_random_uuid(), claimed_until = clock_timestamp() + make_interval(secs => $5)
FROM due, webhook_subscription s
WHERE d.id = due.id AND s.id = d.subscription
RETURNING d.id, d.claim, d.subscription, d.event, d.position, d.type, d.subject, d.made_at,
    d.attempts, s.url, s.person, s.organisation, clock_timestamp() AS now,
    (SELECT note FROM checkpoint ORDER BY size DESC LIMIT 1) AS checkpoint,
    ARRAY(SELECT m.role FROM membership m WHERE m.person = s.person
          AND m.organisation = s.organisation AND m.ended_at IS NULL) AS roles
"""

_SECRETS = """
SELECT id, subscription, wrapped FROM webhook_secret
WHERE subscription = ANY ($1::uuid[]) AND wrapped IS NOT NULL
  AND (signs_until IS NULL OR signs_until > clock_timestamp())
ORDER BY made_at DESC
"""

_LOG_ATTEMPT = """
INSERT INTO webhook_attempt (id, delivery, made_at, milliseconds, status, failure)
SELECT $2, d.id, clock_timestamp() - make_interval(secs => $3 / 1000.0), $3, $4, $5
FROM webhook_delivery d WHERE d.id = $1
"""

# What was delivered is delivered, whoever has it now; what failed is for whoever has it to say.
_SETTLE = """
UPDATE webhook_delivery
SET outcome = $3, settled_at = clock_timestamp(), attempts = attempts + $4, claim = NULL,
    claimed_until = NULL, next_attempt_at = NULL
WHERE id = $1 AND outcome IS NULL AND (claim = $2 OR $3 = 'delivered')
"""

_AGAIN = """
UPDATE webhook_delivery
SET attempts = attempts + 1, claim = NULL, claimed_until = NULL,
    next_attempt_at = clock_timestamp() + make_interval(secs => $3)
WHERE id = $1 AND claim = $2 AND outcome IS NULL
"""

_COUNT = """
UPDATE webhook_cursor c SET
    dead_in_a_row = CASE WHEN $2 = 'delivered' THEN 0
        WHEN c.dead_at > coalesce(s.resumed_at, '-infinity') THEN c.dead_in_a_row + 1 ELSE 1 END,
    dead_at = CASE WHEN $2 = 'delivered' THEN c.dead_at ELSE clock_timestamp() END
FROM webhook_subscription s
WHERE c.subscription = $1 AND s.id = c.subscription
  AND ($2 = 'dead' OR $2 = 'delivered' AND c.dead_in_a_row > 0)
"""


class Claimed(msgspec.Struct, frozen=True, kw_only=True):
    """A delivery that is ours for the length of the lease."""

    id: UUID
    claim: UUID
    subscription: UUID
    event: UUID
    position: int
    type: str
    subject: UUID
    made_at: datetime
    attempts: int
    url: str
    checkpoint: str | None
    person: UUID
    organisation: UUID
    roles: list[Role]
    now: datetime
    secrets: tuple[tuple[UUID, bytes], ...] = ()

    def __repr__(self) -> str:
        """Name the delivery, without where it goes and what it is signed with."""
        return f"Claimed({self.id})"


class WebhookDelivery:
    """Delivers what is due: so many at a time, and of one webhook two at most.

    So a slow receiver holds up nobody but itself. A worker that dies leaves its claims, which are
    taken over when the lease ends: everything is delivered at least once.
    """

    name = "webhook delivery"

    def __init__(self, bench: Workbench, sender: Sender | None = None) -> None:
        """Send as the settings say, or by another sender."""
        settings = bench.settings
        self._database = bench.database
        self._vault: Vault = bench.vault
        self._sender = sender or Sender(settings)
        self._places = settings.webhook_deliveries_at_once
        self._lease = settings.webhook_lease
        self._waits = waits(settings.webhook_first_retry, settings.webhook_retry_span)

    async def run(self) -> float:
        """Deliver until nothing is due and nothing under way, filling places as they get free."""
        under_way: set[asyncio.Task[None]] = set()
        async with asyncio.TaskGroup() as group:
            while True:
                claimed = await self._claim(self._places - len(under_way))
                under_way |= {group.create_task(self._carry_out(one)) for one in claimed}
                if not under_way:
                    return _IDLE
                _, under_way = await asyncio.wait(
                    under_way, timeout=_IDLE, return_when=asyncio.FIRST_COMPLETED
                )

    async def _claim(self, places: int) -> list[Claimed]:
        """Claim what is due, for at most so many places."""
        if places <= 0:
            return []
        async with self._database.transaction() as connection:
            free = await connection.fetch(_FREE, places, VERIFICATION, AT_ONCE)
            if not free:
                return []
            subscriptions = [row["subscription"] for row in free]
            rows = await connection.fetch(
                _CLAIM, subscriptions, VERIFICATION, places, AT_ONCE, self._lease
            )
            secrets = await connection.fetch(_SECRETS, subscriptions)
        return [
            msgspec.structs.replace(
                msgspec.convert(dict(row), Claimed),
                secrets=tuple(
                    (secret["id"], secret["wrapped"])
                    for secret in secrets
                    if secret["subscription"] == row["subscription"]
                ),
            )
            for row in rows
        ]

    async def _carry_out(self, one: Claimed) -> None:
        """Deliver one; a fault of our own is logged, and tried again when the lease is over."""
        try:
            message = await self._message(one)
            if message is None:
                await self._settle(one, DeliveryOutcome.WITHDRAWN, None)
                return
            await self._conclude(one, await self._send(one, message))
        except Exception as error:  # noqa: BLE001  # one delivery's fault must not stop the others
            _LOG.warning("not delivered", delivery=str(one.id), because=repr(error)[:500])

    async def _message(self, one: Claimed) -> Message | None:
        """What to send: the event as its maker sees it now, or None where they do not any more."""
        if one.type == VERIFICATION:
            return challenge_message(one.event, one.made_at)
        maker = on_behalf(one.subscription, one.person, one.organisation, one.roles)
        feed = await read_feed(maker, after=one.position - 1, limit=1, look=1)
        found = next((event for event in feed.items if event.id == one.event), None)
        return None if found is None else event_message(found, one.checkpoint)

    async def _send(self, one: Claimed, message: Message) -> Answer:
        in_force = [
            credentials.recalled(self._vault, wrapped, secret, one.subscription)
            for secret, wrapped in one.secrets
        ]
        if not in_force:
            failure = "It has no secret to sign with."
            return Answer(verdict=Verdict.FAILED, failure=failure)
        challenges = message.challenge is not None
        answer = await self._sender.send(
            one.url, message.headers(in_force, one.now), message.body, read=challenges
        )
        if challenges and answer.verdict is Verdict.DELIVERED:
            if len(answer.body) > MOST_READ:
                return _refuted(answer, f"Its answer was longer than {MOST_READ:,} bytes.")
            if not message.answered_by(answer.body):
                return _refuted(answer, "Its answer did not give the challenge back.")
        return answer

    async def _conclude(self, one: Claimed, answer: Answer) -> None:
        """Keep what came of an attempt: an end, or when to try again."""
        if answer.verdict is not Verdict.FAILED:
            await self._settle(one, DeliveryOutcome(answer.verdict.value), answer)
            return
        made = one.attempts + 1
        asked = asked_to_wait(answer.retry_after, one.now)
        pause = wait_before_next(made, self._waits, random.random(), asked)  # noqa: S311  # jitter, no secret
        if pause is None or (one.type == VERIFICATION and made >= VERIFICATION_ATTEMPTS):
            await self._settle(one, DeliveryOutcome.DEAD, answer)
            return
        async with self._database.transaction() as connection:
            await _log(connection, one, answer)
            await connection.execute(_AGAIN, one.id, one.claim, pause)

    async def _settle(self, one: Claimed, outcome: DeliveryOutcome, answer: Answer | None) -> None:
        """End a delivery, and let the next event of its subject come up."""
        async with self._database.transaction() as connection:
            await hold_line(connection, one.subscription)
            if answer is not None:
                await _log(connection, one, answer)
            settled = await connection.execute(
                _SETTLE, one.id, one.claim, outcome.value, int(answer is not None)
            )
            if settled == "UPDATE 1":
                await call_next(connection, one.subscription, one.subject)
                if one.type != VERIFICATION:
                    await connection.execute(_COUNT, one.subscription, outcome.value)


async def _log(connection: Any, one: Claimed, answer: Answer) -> None:
    await connection.execute(
        _LOG_ATTEMPT, one.id, uuid4(), answer.milliseconds, answer.status, answer.failure
    )


def _refuted(answer: Answer, words: str) -> Answer:
    return msgspec.structs.replace(answer, verdict=Verdict.FAILED, failure=words)
