"""Reading the log by position: what the reader may see whole, and what is public."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

import msgspec

from market.actor import ANONYMOUS, Actor
from market.database import fetch, fetch_value, reading
from market.events.commands import Detail
from market.events.rules import Wanted, wanted
from market.events.schemas import Feed, FeedEvent

LOOKED_AT = 2000
"""At how many positions one reading looks at most."""
LOOKED_AT_FOR_ONE = 10_000
"""At how many where one subject or tender is asked for, whose events an index finds."""

_NEWEST = "SELECT position FROM sequencer"

# Row-level security decides what is seen. LIMIT ends the look early where much is.
_WHOLE = """
SELECT p.position, e.id, e.action AS type, e.occurred_at, e.subject_kind, e.subject, e.tender,
       e.person, e.organisation, e.request, e.details,
       CASE WHEN tender_is_opened(e.tender) THEN p.tender_number END AS tender_number
FROM event_position p JOIN event e ON e.id = p.event
WHERE p.position > $1 AND p.position <= $2
  AND ($3::text[] IS NULL OR e.action = ANY ($3) OR split_part(e.action, '.', 1) = ANY ($4))
  AND ($5::uuid IS NULL OR e.subject = $5) AND ($6::uuid IS NULL OR e.tender = $6)
ORDER BY p.position LIMIT $7
"""
_PUBLIC = """
SELECT e.position, e.id, e.action AS type, e.occurred_at, e.subject_kind, e.subject, e.tender,
       e.details
FROM public_events($1, $2) e
WHERE ($3::text[] IS NULL OR e.action = ANY ($3) OR split_part(e.action, '.', 1) = ANY ($4))
  AND ($5::uuid IS NULL OR e.subject = $5) AND ($6::uuid IS NULL OR e.tender = $6)
ORDER BY e.position
"""


class _Row(msgspec.Struct, frozen=True, kw_only=True):
    """An event as the database gives it; what a public one lacks is null."""

    position: int
    id: UUID
    type: str
    occurred_at: datetime
    subject_kind: str
    subject: UUID
    tender: UUID | None
    details: str
    person: UUID | None = None
    organisation: UUID | None = None
    request: str | None = None
    tender_number: int | None = None

    def shown(self, *, whole: bool) -> FeedEvent:
        """The event as the feed gives it."""
        return FeedEvent(
            position=self.position,
            id=self.id,
            type=self.type,
            occurred_at=self.occurred_at,
            subject_kind=self.subject_kind,
            subject=self.subject,
            tender=self.tender,
            whole=whole,
            person=self.person,
            organisation=self.organisation,
            request=self.request,
            details=msgspec.json.decode(self.details, type=dict[str, Detail]),
            tender_number=self.tender_number,
        )


async def newest_position() -> int:
    """How far the log has been numbered."""
    async with reading(ANONYMOUS):
        newest: int = await fetch_value(_NEWEST)
    return newest


async def read_feed(  # noqa: PLR0913  # the filters of one list, each by its name
    actor: Actor,
    *,
    after: int,
    limit: int,
    types: Collection[str] = (),
    subject: UUID | None = None,
    tender: UUID | None = None,
    look: int | None = None,
) -> Feed:
    """Give the events after a position that the actor may see, in the order of their positions.

    An event that the actor sees whole is given whole, once, though it is public as well. At most
    `look` positions are looked at (else `LOOKED_AT`, or `LOOKED_AT_FOR_ONE` for one subject or
    tender), whatever is found there: `next` says how far. Who acts by a credential, as a system,
    sees of its maker's other acts what a colleague would.

    Raises:
        UnknownType: a type is neither an action nor a kind of actions.
    """
    sought = wanted(types)
    async with reading(actor):
        newest: int = await fetch_value(_NEWEST)
        reach = LOOKED_AT if subject is None and tender is None else LOOKED_AT_FOR_ONE
        upto = min(after + (look or reach), newest)
        if upto <= after:
            return Feed(items=[], next=after, more=False)
        filters = (after, upto, *_names(sought), subject, tender)
        known = actor.person is not None
        whole = await fetch(_Row, _WHOLE, *filters, limit + 1) if known else []
        public = await fetch(_Row, _PUBLIC, *filters)
    found = {row.position: row.shown(whole=False) for row in public}
    found |= {row.position: row.shown(whole=True) for row in whole}
    items = [found[position] for position in sorted(found)[:limit]]
    reached = items[-1].position if len(found) > limit else upto
    return Feed(items=items, next=reached, more=reached < newest)


def _names(sought: Wanted) -> tuple[list[str] | None, list[str]]:
    everything = not sought.actions and not sought.kinds
    return None if everything else sorted(sought.actions), sorted(sought.kinds)
