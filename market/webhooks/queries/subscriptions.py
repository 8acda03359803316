"""The webhooks of an organisation, for those who answer for them."""

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from market.actor import Actor
from market.database import fetch, fetch_one, fetch_value, reading
from market.errors import Malformed, NotFound
from market.pages import Page, decode_cursor, encode_cursor
from market.webhooks.permissions import ensure_may_end, sees_all
from market.webhooks.schemas import WebhookView

_VIEWS = """
SELECT s.id, s.organisation, s.person, p.name AS person_name, s.url, s.types, s.tender,
       CASE WHEN s.ended_at IS NOT NULL THEN 'ended' WHEN s.paused_at IS NOT NULL THEN 'paused'
            WHEN s.verified_at IS NULL THEN 'unverified' ELSE 'active' END AS state,
       s.version, s.made_at, s.verified_at, s.paused_at, s.paused_because, s.ended_at,
       s.ended_because, coalesce(c.fanned_out_to, s.start_after) AS position,
       (SELECT count(*) FROM webhook_delivery d WHERE d.subscription = s.id
        AND d.outcome IS NULL AND d.type <> 'webhook.verification') AS waiting,
       (SELECT count(*) FROM webhook_delivery d WHERE d.subscription = s.id
        AND d.outcome = 'dead' AND d.type <> 'webhook.verification') AS dead,
       (SELECT a.failure FROM webhook_delivery d JOIN webhook_attempt a ON a.delivery = d.id
        WHERE d.subscription = s.id AND d.type = 'webhook.verification'
        ORDER BY a.made_at DESC LIMIT 1) AS verification_failure,
       coalesce((SELECT jsonb_agg(jsonb_build_object('id', k.id, 'made_at', k.made_at,
            'signs_until', k.signs_until) ORDER BY k.made_at DESC) FROM webhook_secret k
        WHERE k.subscription = s.id AND s.ended_at IS NULL
        AND (k.signs_until IS NULL OR k.signs_until > clock_timestamp())), '[]')::text AS secrets
FROM webhook_subscription s JOIN person p ON p.id = s.person
LEFT JOIN webhook_cursor c ON c.subscription = s.id
"""

_PAGE = """
WHERE s.organisation = $1 AND ($2::uuid IS NULL OR s.person = $2)
  AND ($3::timestamptz IS NULL OR (s.made_at, s.id) < ($3, $4::uuid))
ORDER BY s.made_at DESC, s.id DESC LIMIT $5
"""


class WebhookFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What decides about a webhook."""

    id: UUID
    organisation: UUID
    person: UUID
    version: int
    paused: bool
    ended: bool


async def webhook_facts(actor: Actor, webhook_id: UUID) -> WebhookFacts:
    """Look a webhook up inside a command or query, for somebody who may know of it.

    Raises:
        NotFound: there is none, or none that the actor may know of.
        Forbidden: the actor is a system.
    """
    found = await fetch_one(
        WebhookFacts,
        "SELECT id, organisation, person, version, paused_at IS NOT NULL AS paused,"
        " ended_at IS NOT NULL AS ended FROM webhook_subscription WHERE id = $1",
        webhook_id,
    )
    if found is None:
        raise NotFound
    ensure_may_end(actor, found.organisation, found.person)
    return found


def _view(row: dict[str, Any]) -> WebhookView:
    secrets = msgspec.json.decode(str(row["secrets"]))
    return msgspec.convert(row | {"secrets": secrets}, WebhookView)


async def webhook_view(webhook_id: UUID) -> WebhookView:
    """Show a webhook inside the current transaction.

    Raises:
        NotFound: there is none.
    """
    found = await fetch_one(dict[str, Any], _VIEWS + "WHERE s.id = $1", webhook_id)
    if found is None:
        raise NotFound
    return _view(found)


async def webhook(actor: Actor, webhook_id: UUID) -> WebhookView:
    """Show a webhook to its maker, its organisation's administrators and a registrar.

    Raises:
        NotFound: there is none, or none that the actor may know of.
        Forbidden: the actor is a system.
    """
    async with reading(actor):
        await webhook_facts(actor, webhook_id)
        return await webhook_view(webhook_id)


async def webhooks_of(
    actor: Actor, organisation_id: UUID, cursor: str | None, limit: int
) -> Page[WebhookView]:
    """List webhooks, the newest first, ended ones included.

    Administrators see all, others their own.

    Raises:
        NotFound: no such organisation, or not the actor's own.
        Forbidden: the actor has nothing to do with its webhooks.
        Malformed: a cursor that is none of the market's.
    """
    own = None if sees_all(actor, organisation_id) else actor.person
    before, before_id = (None, None) if cursor is None else time_and_id(cursor)
    async with reading(actor):
        if await fetch_value("SELECT id FROM organisation WHERE id = $1", organisation_id) is None:
            raise NotFound
        rows = await fetch(
            dict[str, Any], _VIEWS + _PAGE, organisation_id, own, before, before_id, limit + 1
        )
    items = [_view(row) for row in rows[:limit]]
    following = None
    if len(rows) > limit:
        following = encode_cursor(items[-1].made_at.isoformat(), str(items[-1].id))
    return Page(items=items, next=following)


def time_and_id(cursor: str) -> tuple[datetime, UUID]:
    """Read the cursor of a list that is ordered by time and id.

    Raises:
        Malformed: it is none of ours.
    """
    at, last = decode_cursor(cursor, 2)
    try:
        return datetime.fromisoformat(at), UUID(last)
    except ValueError:
        message = "The cursor is not one the market gave. Begin again without it."
        raise Malformed(message) from None
