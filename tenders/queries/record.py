"""The record of a tender: its events, as far as they give no bid away."""

from datetime import datetime
from uuid import UUID

import msgspec

from market.actor import Actor
from market.database import fetch, reading
from market.events.commands import Detail
from market.pages import Page
from tenders.permissions.tenders import ensure_sees_record
from tenders.queries.duties import ever_held
from tenders.queries.facts import facts_of
from tenders.queries.keysets import cursor_at, read_cursor
from tenders.rules.duties import BLIND
from tenders.schemas.tenders import EventView

# Until the bids are opened only acts of the house are shown: of organisations that buy, or that
# hold a duty and so cannot bid. Anybody else's act, a refused one too, would tell who bids.
_EVENTS = """
SELECT e.id, e.occurred_at, e.action, e.person, p.name AS person_name, e.organisation,
       e.subject_kind, e.subject, e.request, e.details
FROM event e LEFT JOIN person p ON p.id = e.person
WHERE e.tender = $1
  AND ($2::timestamptz IS NULL OR (e.occurred_at, e.id) > ($2, $3::uuid))
  AND ($4 OR e.organisation IN (SELECT organisation FROM tender_buyer WHERE tender = $1
                                UNION SELECT organisation FROM duty WHERE tender = $1))
ORDER BY e.occurred_at, e.id LIMIT $5
"""


class _Event(msgspec.Struct, frozen=True):
    id: UUID
    occurred_at: datetime
    action: str
    person: UUID | None
    person_name: str | None
    organisation: UUID | None
    subject_kind: str
    subject: UUID
    request: str
    details: str


async def record_of(
    actor: Actor, tender_id: UUID, *, limit: int, cursor: str | None
) -> Page[EventView]:
    """List the events of a tender in the order in which they happened.

    Raises:
        NotFound: the tender is not visible to the actor.
        Forbidden: the actor is neither its manager nor its guardian nor a buyer's auditor.
    """
    moment, item = read_cursor(cursor)
    async with reading(actor):
        facts = ensure_sees_record(actor, await facts_of(actor, tender_id))
        # an auditor who also scores stays blind to who bids, as everybody who scores
        blind = bool(BLIND & await ever_held(tender_id, actor.person))
        opened = facts.opened_at is not None and not blind
        rows = await fetch(_Event, _EVENTS, tender_id, moment, item, opened, limit + 1)
    shown = rows[:limit]
    return Page(
        items=[
            EventView(
                id=row.id,
                occurred_at=row.occurred_at,
                action=row.action,
                person=row.person,
                person_name=row.person_name,
                organisation=row.organisation,
                subject_kind=row.subject_kind,
                subject=row.subject,
                request=row.request,
                details=msgspec.json.decode(row.details, type=dict[str, Detail]),
            )
            for row in shown
        ],
        next=cursor_at(shown[-1].occurred_at, shown[-1].id) if len(rows) > limit else None,
    )
