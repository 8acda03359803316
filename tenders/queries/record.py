"""The record of a tender: its events, as far as they give no bid away."""

from datetime import datetime
from uuid import UUID

import msgspec

from market.actor import Actor
from market.database import fetch, fetch_value, reading
from market.events.commands import Detail
from market.pages import Page
from tenders.permissions.tenders import TenderFacts, ensure_sees_record
from tenders.queries.duties import ever_held
from tenders.queries.facts import facts_of
from tenders.queries.keysets import cursor_at, read_cursor
from tenders.rules.duties import BLIND, Duty
from tenders.schemas.tenders import EventView

# Before the opening a declaration tells how many bid, and a refusal after the deadline may tell
# who. Acts of the house are those of organisations that buy, or that hold a duty and so cannot
# bid; anybody else's, a refused one too, tell whose bid is whose; what the panel read tells what
# there is to read. The database holds the same (`withholds_event`). What is kept apart from an
# event is shown with it, unless it has been erased.
_EVENTS = """
SELECT e.id, e.occurred_at, e.action, e.person, p.name AS person_name, e.organisation,
       e.subject_kind, e.subject, e.request, e.details || coalesce(v.details, '{}') AS details
FROM event e LEFT JOIN person p ON p.id = e.person LEFT JOIN event_private v ON v.event = e.id
WHERE e.tender = $1
  AND ($2::timestamptz IS NULL OR (e.occurred_at, e.id) > ($2, $3::uuid))
  AND (e.person = $4 OR CASE
    WHEN NOT $5 AND (e.action IN ('interest.declared', 'conflict.decided')
                     OR reads_of_bidders(e.action)
                     OR e.action = 'request.refused' AND e.occurred_at >= $6::timestamptz) THEN $7
    WHEN e.action LIKE 'bid.%' OR reads_of_bidders(e.action) OR reads_of_bids(e.action)
         OR NOT EXISTS (
        SELECT 1 FROM tender_buyer b WHERE b.tender = $1 AND b.organisation = e.organisation
        UNION ALL SELECT 1 FROM duty d WHERE d.tender = $1 AND d.organisation = e.organisation)
    THEN $8 ELSE true END)
ORDER BY e.occurred_at, e.id LIMIT $9
"""

_SCORING = """
SELECT EXISTS (SELECT 1 FROM lot WHERE tender = $1 AND stage IN ('bidding', 'quality_scoring'))
"""


_CONFLICT = "SELECT my_conflict($1)"


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


async def _shows_bidders(actor: Actor, facts: TenderFacts) -> bool:
    """Whether the acts of those who may have bid are shown: never before the opening.

    Until every lot has left quality scoring they are shown to manager and guardian, who can never
    score; an auditor might be given that duty, or have it already. A manager who has not declared
    against the bidders, or has an interest in one, does not see them at all.
    """
    if facts.opened_at is None:
        return False
    if Duty.GUARDIAN not in facts.duties and await fetch_value(_CONFLICT, facts.id) is not None:
        return False
    scoring: bool = await fetch_value(_SCORING, facts.id)
    if not scoring:
        return True
    blind = bool(BLIND & await ever_held(facts.id, actor.person))
    return bool(facts.duties & {Duty.TENDER_MANAGER, Duty.GUARDIAN}) and not blind


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
        rows = await fetch(
            _Event,
            _EVENTS,
            tender_id,
            moment,
            item,
            actor.person,
            facts.opened_at is not None,
            facts.deadline,
            Duty.GUARDIAN in facts.duties,
            await _shows_bidders(actor, facts),
            limit + 1,
        )
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
