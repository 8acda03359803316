"""The log of what a webhook delivered: deliveries, and every attempt."""

from uuid import UUID

import msgspec

from market.actor import Actor
from market.database import fetch, fetch_one, reading
from market.errors import NotFound
from market.pages import Page, encode_cursor
from market.webhooks.queries.subscriptions import time_and_id, webhook_facts
from market.webhooks.rules.retries import DeliveryOutcome
from market.webhooks.schemas import WebhookAttemptView, WebhookDeliveryLog, WebhookDeliveryView

_DELIVERIES = """
SELECT id, event, position, type, subject, made_at, attempts,
       CASE WHEN outcome IS NULL THEN next_attempt_at END AS next_attempt_at, outcome, settled_at
FROM webhook_delivery
"""

_PAGE = """
WHERE subscription = $1 AND ($2::text IS NULL OR outcome = $2)
  AND ($3::timestamptz IS NULL OR (made_at, id) < ($3, $4::uuid))
ORDER BY made_at DESC, id DESC LIMIT $5
"""

MOST_ATTEMPTS_SHOWN = 200


async def deliveries_of(
    actor: Actor, webhook_id: UUID, outcome: DeliveryOutcome | None, cursor: str | None, limit: int
) -> Page[WebhookDeliveryView]:
    """List a webhook's deliveries, the newest first; `outcome` picks those that ended so.

    Raises:
        NotFound: there is no such webhook, or none that the actor may know of.
        Malformed: a cursor that is none of the market's.
    """
    before, before_id = (None, None) if cursor is None else time_and_id(cursor)
    async with reading(actor):
        await webhook_facts(actor, webhook_id)
        found = await fetch(
            WebhookDeliveryView,
            _DELIVERIES + _PAGE,
            webhook_id,
            None if outcome is None else outcome.value,
            before,
            before_id,
            limit + 1,
        )
    items = found[:limit]
    following = None
    if len(found) > limit:
        following = encode_cursor(items[-1].made_at.isoformat(), str(items[-1].id))
    return Page(items=items, next=following)


async def delivery_log(actor: Actor, webhook_id: UUID, delivery_id: UUID) -> WebhookDeliveryLog:
    """Show a delivery with its attempts.

    Raises:
        NotFound: there is none of this webhook, or the actor may not know of the webhook.
    """
    async with reading(actor):
        await webhook_facts(actor, webhook_id)
        found = await fetch_one(
            WebhookDeliveryView,
            _DELIVERIES + "WHERE subscription = $1 AND id = $2",
            webhook_id,
            delivery_id,
        )
        if found is None:
            raise NotFound
        log = await fetch(
            WebhookAttemptView,
            "SELECT made_at, milliseconds, status, failure FROM webhook_attempt"
            " WHERE delivery = $1 ORDER BY made_at DESC LIMIT $2",
            delivery_id,
            MOST_ATTEMPTS_SHOWN,
        )
    return WebhookDeliveryLog(**msgspec.structs.asdict(found), log=log)
