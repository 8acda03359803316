"""What the market itself records of webhooks, once their deliveries or memberships show it.

It acts for the organisation and in nobody's name; the database lets it say nothing else.
"""

from uuid import UUID

from market.actor import Actor
from market.command import command
from market.database import execute
from market.errors import Stale
from market.events.commands import record
from market.webhooks.rules.subscriptions import WebhookEndReason, WebhookPauseReason

_KIND = "webhook_subscription"


@command
async def note_verified(actor: Actor, webhook_id: UUID) -> None:
    """Record that the receiver has answered a challenge: from now on it is delivered to.

    Raises:
        Stale: it is verified already, or has ended.
        NotVerified: no challenge was answered.
    """
    noted = await execute(
        "UPDATE webhook_subscription SET verified_at = clock_timestamp(), version = version + 1"
        " WHERE id = $1 AND verified_at IS NULL AND ended_at IS NULL",
        webhook_id,
    )
    if not noted:
        raise Stale
    await record(actor, "webhook_subscription.verified", _KIND, webhook_id)


@command
async def pause_by_itself(actor: Actor, webhook_id: UUID) -> None:
    """Pause a webhook of which too many deliveries died one after another.

    Raises:
        Stale: it is paused already, or has ended.
        NotVerified: its deliveries do not show it.
    """
    reason = WebhookPauseReason.TOO_MANY_DEAD.value
    paused = await execute(
        "UPDATE webhook_subscription SET paused_at = clock_timestamp(), paused_because = $2,"
        " version = version + 1 WHERE id = $1 AND paused_at IS NULL AND ended_at IS NULL",
        webhook_id,
        reason,
    )
    if not paused:
        raise Stale
    await record(actor, "webhook_subscription.paused", _KIND, webhook_id, because=reason)


@command
async def stop_webhook(actor: Actor, webhook_id: UUID, because: WebhookEndReason) -> None:
    """End a webhook whose maker has lost their membership, or whose receiver wants no more.

    Raises:
        Stale: it has ended already.
        NotVerified: its deliveries, or the membership, do not show it.
    """
    stopped = await execute(
        "UPDATE webhook_subscription SET ended_at = clock_timestamp(), ended_because = $2,"
        " version = version + 1 WHERE id = $1 AND ended_at IS NULL",
        webhook_id,
        because.value,
    )
    if not stopped:
        raise Stale
    await record(actor, "webhook_subscription.stopped", _KIND, webhook_id, because=because.value)
