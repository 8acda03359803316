"""What is asked of the worker: to verify a receiver, and to deliver something again."""

from uuid import UUID, uuid4

from msgspec import UNSET

from market.actor import Actor
from market.command import command
from market.database import fetch_one, fetch_value
from market.errors import NotFound
from market.events.commands import record
from market.webhooks.errors import NotReplayed, TooManyWebhookRequests, WebhookEnded
from market.webhooks.permissions import ensure_may_change
from market.webhooks.queries.subscriptions import webhook_facts
from market.webhooks.rules.subscriptions import MOST_REQUESTS, WebhookRequestKind
from market.webhooks.schemas import ReplayWebhook, WebhookRequestView

_ASK = """
INSERT INTO webhook_request (id, subscription, kind, delivery, after) VALUES ($1, $2, $3, $4, $5)
RETURNING id, subscription AS webhook, kind, asked_at
"""


@command
async def verify_webhook(actor: Actor, webhook_id: UUID) -> WebhookRequestView:
    """Have the worker send the receiver of one's own webhook a new challenge.

    Raises:
        Forbidden: the actor is a system.
        NotFound: no such webhook, or none that the actor may know of.
        NotYourWebhook: it is somebody else's.
        NotForThisOrganisation: the actor acts for another organisation, or has lost the role.
        WebhookEnded: it has ended.
        TooManyWebhookRequests: ten requests wait to be carried out.
    """
    await _ensure_may_ask(actor, webhook_id)
    asked = await _ask(webhook_id, WebhookRequestKind.VERIFICATION)
    await record(
        actor, "webhook_subscription.verification_asked", "webhook_subscription", webhook_id
    )
    return asked


@command
async def replay_webhook(
    actor: Actor, webhook_id: UUID, given: ReplayWebhook
) -> WebhookRequestView:
    """Have the worker deliver again: one delivery, the dead ones, or all from a position.

    Raises:
        Forbidden: the actor is a system.
        NotFound: no such webhook or delivery, or none that the actor may know of.
        NotYourWebhook: it is somebody else's.
        NotForThisOrganisation: the actor acts for another organisation, or has lost the role.
        NotReplayed: the delivery waits to be delivered anyway, or is a verification.
        WebhookEnded: it has ended.
        TooManyWebhookRequests: ten requests wait to be carried out.
    """
    await _ensure_may_ask(actor, webhook_id)
    kind, delivery, after = WebhookRequestKind.DEAD, None, None
    if given.delivery is not UNSET:
        kind, delivery = WebhookRequestKind.DELIVERY, given.delivery
        await _ensure_ended(webhook_id, delivery)
    elif given.after is not UNSET:
        kind, after = WebhookRequestKind.POSITION, given.after
    asked = await _ask(webhook_id, kind, delivery, after)
    await record(
        actor,
        "webhook_subscription.replayed",
        "webhook_subscription",
        webhook_id,
        what=kind.value,
        delivery=None if delivery is None else str(delivery),
        from_position=after,
    )
    return asked


async def _ensure_may_ask(actor: Actor, webhook_id: UUID) -> None:
    facts = await webhook_facts(actor, webhook_id)
    ensure_may_change(actor, facts.organisation, facts.person)
    if facts.ended:
        raise WebhookEnded
    waiting = await fetch_value(
        "SELECT count(*) FROM webhook_request WHERE subscription = $1 AND done_at IS NULL",
        webhook_id,
    )
    if waiting >= MOST_REQUESTS:
        raise TooManyWebhookRequests


async def _ensure_ended(webhook_id: UUID, delivery: UUID) -> None:
    ended = await fetch_value(
        "SELECT outcome IS NOT NULL AND type <> 'webhook.verification' FROM webhook_delivery"
        " WHERE id = $1 AND subscription = $2",
        delivery,
        webhook_id,
    )
    if ended is None:
        raise NotFound
    if not ended:
        raise NotReplayed


async def _ask(
    webhook_id: UUID,
    kind: WebhookRequestKind,
    delivery: UUID | None = None,
    after: int | None = None,
) -> WebhookRequestView:
    asked = await fetch_one(
        WebhookRequestView, _ASK, uuid4(), webhook_id, kind.value, delivery, after
    )
    if asked is None:
        raise NotFound
    return asked
