"""Reading the log by position: what the reader may see whole, and what is public."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

import msgspec

from market.actor import ANONYMOUS, Actor
from market.database import fetch, fetch_one, fetch_value, reading
from market.events.commands import Detail
from market.events.rules import Wanted, wanted
from market.events.schemas import Feed, FeedEvent

LOOKED_AT = 2000
"""At how many positions one reading looks at most."""
LOOKED_AT_FOR_ONE = 10_000
"""At how many where one subject or tender is asked for: few of them are looked at closely."""

_NEWEST = "SELECT position FROM sequencer"
_ENDS = """
SELECT position AS newest, (SELECT coalesce(max(size), 0) FROM checkpoint) AS signed FROM sequencer
"""

# Row-level security decides what is seen. LIMIT ends the look early where much is. OFFSET 0 keeps
# the planner to one way: by position, event by event, whatever it has heard of the tables.
_WHOLE = """
SELECT p.position, e.id, e.action AS type, e.occurred_at, e.subject_kind, e.subject, e.tender,
       e.person, e.organisation, e.request, e.details,
       CASE WHEN tender_is_opened(e.tender) THEN p.tender_number END AS tender_number
FROM event_position p CROSS JOIN LATERAL (
    SELECT * FROM event WHERE event.id = p.event
    AND ($3::text[] IS NULL OR action = ANY ($3) OR split_part(action, '.', 1) = ANY ($4))
    AND ($5::uuid IS NULL OR subject = $5) AND ($6::uuid IS NULL OR event.tender = $6)
    OFFSET 0) e
WHERE p.position > $1 AND p.position <= $2
ORDER BY p.position LIMIT $7
"""
_PUBLIC = """
SELECT e.position, e.id, e.action AS type, e.occurred_at, e.subject_kind, e.subject, e.tender,
       e.details
FROM public_events($1, $2) e
WHERE ($3::text[] IS NULL OR e.action = ANY ($3) OR split_part(e.action, '.', 1) = ANY ($4))
  AND ($5::uuid IS NULL OR e.subject = $5) AND ($6::uuid IS NULL OR e.tender = $6)
ORDER BY e.position LIMIT $7
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


class _Ends(msgspec.Struct, frozen=True):
    newest: int
    signed: int


class Look(msgspec.Struct, frozen=True, kw_only=True):
    """What one look at the log found, up to which position it `reached`, and where the log ended.

    `full` says that the look ended at its limit, with another event in sight. `signed` is how much
    of the log the newest checkpoint tells everybody of.
    """

    items: list[FeedEvent]
    full: bool
    reached: int
    newest: int
    signed: int

    @property
    def more(self) -> bool:
        """Whether the log goes on beyond what was looked at."""
        return self.reached < self.newest

    def shown(self, known: int) -> Feed:
        """The page as it may be given to a reader who knows of a position.

        Whoever was told the exact end of the log could ask again and again, and learn the moment of
        every act that they do not see: in a quiet hour before a deadline, of every bid. So beyond
        what the newest checkpoint tells everybody, a minute late, it tells no more than the events.
        """
        if self.full or self.reached < self.signed:
            return Feed(items=self.items, next=self.reached, more=True)
        seen = self.items[-1].position if self.items else known
        reached = max(seen, min(self.reached, self.signed))
        return Feed(items=self.items, next=reached, more=False)


async def newest_position() -> int:
    """How far the log has been numbered."""
    async with reading(ANONYMOUS):
        newest: int = await fetch_value(_NEWEST)
    return newest


async def look_at_feed(  # noqa: PLR0913  # the filters of one list, each by its name
    actor: Actor,
    *,
    after: int,
    limit: int,
    types: Collection[str] = (),
    subject: UUID | None = None,
    tender: UUID | None = None,
    look: int | None = None,
) -> Look:
    """Find the events after a position that the actor may see, in the order of their positions.

    An event that the actor sees whole is given whole, once, though it is public as well. At most
    `look` positions are looked at (else `LOOKED_AT`, or `LOOKED_AT_FOR_ONE` for one subject or
    tender), whatever is found there. Who acts by a credential, as a system, sees of its maker's
    other acts what a colleague would.

    Raises:
        UnknownType: a type is neither an action nor a kind of actions.
    """
    sought = wanted(types)
    async with reading(actor):
        ends = await fetch_one(_Ends, _ENDS)
        if ends is None:
            message = "The log has no sequencer."
            raise LookupError(message)
        reach = LOOKED_AT if subject is None and tender is None else LOOKED_AT_FOR_ONE
        upto = min(after + (look or reach), ends.newest)
        public: list[_Row] = []
        whole: list[_Row] = []
        if after < upto:
            # one more than the page holds: so it is known whether the look went to its end
            filters = (after, upto, *_names(sought), subject, tender, limit + 1)
            public = await fetch(_Row, _PUBLIC, *filters)
            whole = [] if actor.person is None else await fetch(_Row, _WHOLE, *filters)
    found = {row.position: row.shown(whole=False) for row in public}
    found |= {row.position: row.shown(whole=True) for row in whole}
    items = [found[position] for position in sorted(found)[:limit]]
    full = len(found) > limit
    reached = items[-1].position if full else max(after, upto)
    return Look(items=items, full=full, reached=reached, newest=ends.newest, signed=ends.signed)


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
    """Give what `look_at_feed` finds, for use inside the market: `next` is exactly how far it went.

    Raises:
        UnknownType: a type is neither an action nor a kind of actions.
    """
    found = await look_at_feed(
        actor, after=after, limit=limit, types=types, subject=subject, tender=tender, look=look
    )
    return Feed(items=found.items, next=found.reached, more=found.more)


def _names(sought: Wanted) -> tuple[list[str] | None, list[str]]:
    everything = not sought.actions and not sought.kinds
    return None if everything else sorted(sought.actions), sorted(sought.kinds)
