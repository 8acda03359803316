"""Looking in the feed for what each webhook is to deliver."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

import msgspec
import structlog

from market.actor import Actor, Role, Scope
from market.background import Workbench
from market.events.queries import read_feed
from market.events.schemas import Feed
from market.webhooks.delivering.lines import hold_line, line_up
from market.webhooks.rules.subscriptions import MOST_WAITING

_LOG = structlog.get_logger("market.webhooks")
_IDLE = 0.2
"""Seconds between looks while nothing happens."""
_AT_ONCE = 16
"""How many subscriptions one pass looks for."""
_PAGE = 200

_CLAIM = """
WITH free AS MATERIALIZED (
    SELECT c.subscription FROM webhook_cursor c
    JOIN webhook_subscription s ON s.id = c.subscription
    JOIN membership m ON m.id = s.membership
    WHERE s.verified_at IS NOT NULL AND s.paused_at IS NULL AND s.ended_at IS NULL
      AND m.ended_at IS NULL AND c.fanned_out_to < (SELECT position FROM sequencer WHERE id = 1)
      AND (c.claimed_until IS NULL OR c.claimed_until <= clock_timestamp())
      AND (SELECT count(*) FROM (SELECT 1 FROM webhook_delivery d
           WHERE d.subscription = s.id AND d.outcome IS NULL LIMIT $2) w) < $2
    ORDER BY c.fanned_out_at LIMIT $1 FOR UPDATE OF c SKIP LOCKED
)
UPDATE webhook_cursor c
SET claimed_until = clock_timestamp() + make_interval(secs => $3), fanned_out_at = clock_timestamp()
FROM free JOIN webhook_subscription s ON s.id = free.subscription
WHERE c.subscription = free.subscription
RETURNING s.id, s.person, s.organisation, s.types, s.tender, c.fanned_out_to,
    ARRAY(SELECT m.role FROM membership m WHERE m.person = s.person
          AND m.organisation = s.organisation AND m.ended_at IS NULL) AS roles
"""

_KEEP = """
INSERT INTO webhook_delivery (id, subscription, event, position, type, subject, made_at, attempts)
SELECT gen_random_uuid(), $1, e.event, e.position, e.type, e.subject, clock_timestamp(), 0
FROM unnest($2::uuid[], $3::bigint[], $4::text[], $5::uuid[]) AS e (event, position, type, subject)
ON CONFLICT DO NOTHING
"""

# only from where the look began: a replay may have set the subscription back meanwhile
_ADVANCE = """
UPDATE webhook_cursor SET fanned_out_to = $3, claimed_until = NULL
WHERE subscription = $1 AND fanned_out_to = $2
"""


class _Looking(msgspec.Struct, frozen=True, kw_only=True):
    """A subscription whose events are looked for: what for, in whose name, from where."""

    id: UUID
    person: UUID
    organisation: UUID
    types: list[str]
    tender: UUID | None
    fanned_out_to: int
    roles: list[Role]


def on_behalf(subscription: UUID, person: UUID, organisation: UUID, roles: Iterable[Role]) -> Actor:
    """Who reads the feed for a webhook: a system in its maker's name, as an API key would be.

    So it is shown what the maker's system sees in the feed, and nothing of what they do as a
    person: their signing in, their own declarations.
    """
    return Actor(
        person=person,
        organisation=organisation,
        roles=frozenset(roles),
        request="worker",
        credential=subscription,
        scopes=frozenset({Scope.EVENTS_READ}),
    )


class WebhookFanOut:
    """Makes deliveries out of what the feed shows each subscription's maker, in its order."""

    name = "webhook fan-out"

    def __init__(self, bench: Workbench) -> None:
        """Look with the app role, as the maker; write the books with the worker's."""
        self._database = bench.database
        self._lease = bench.settings.webhook_lease

    async def run(self) -> float:
        """Look once for every subscription that is behind the log, or for as many as a pass has.

        What fails for one is logged and tried again when its lease is over; the others go on.
        """
        async with self._database.transaction() as connection:
            rows = await connection.fetch(_CLAIM, _AT_ONCE, MOST_WAITING, self._lease)
        more = len(rows) == _AT_ONCE
        for row in rows:
            looking = msgspec.convert(dict(row), _Looking)
            try:
                more |= await self._look(looking)
            except Exception as error:  # noqa: BLE001  # whatever it is, it is this webhook's own
                _LOG.warning("events not found", webhook=str(looking.id), because=repr(error)[:500])
        return 0 if more else _IDLE

    async def _look(self, looking: _Looking) -> bool:
        """Keep one page of the feed as deliveries; True where there is more."""
        maker = on_behalf(looking.id, looking.person, looking.organisation, looking.roles)
        feed = await read_feed(
            maker,
            after=looking.fanned_out_to,
            limit=_PAGE,
            types=looking.types,
            tender=looking.tender,
        )
        async with self._database.transaction() as connection:
            await hold_line(connection, looking.id)
            await self._keep(connection, looking, feed)
        return feed.more

    @staticmethod
    async def _keep(connection: Any, looking: _Looking, feed: Feed) -> None:
        advanced = await connection.execute(_ADVANCE, looking.id, looking.fanned_out_to, feed.next)
        if advanced != "UPDATE 1" or not feed.items:
            return
        await connection.execute(
            _KEEP,
            looking.id,
            [event.id for event in feed.items],
            [event.position for event in feed.items],
            [event.type for event in feed.items],
            [event.subject for event in feed.items],
        )
        await line_up(connection, looking.id, list({event.subject for event in feed.items}))
