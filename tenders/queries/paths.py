"""What connects people with bidders: found by the market, said as sentences."""

from collections import defaultdict
from decimal import Decimal
from uuid import UUID

import msgspec

from market.actor import Actor
from market.database import fetch
from market.ownership.queries import paths_between
from market.ownership.rules.paths import Node
from tenders.permissions.opening import ensure_knows_bidders
from tenders.queries.opening import standing_of
from tenders.rules.connections import Place, start_at, target_at
from tenders.schemas.conflicts import ConflictSource, ConflictView, DecisionOutcome, PathView

MOST_PATHS_SHOWN = 20

_CONFLICTS = """
SELECT c.person, p.name, c.bidder, o.name AS bidder_name, c.source, c.excusable, c.decided
FROM conflicts_in($1) c JOIN person p ON p.id = c.person JOIN organisation o ON o.id = c.bidder
ORDER BY p.name, p.id, o.name, o.id, c.source
"""

_PLACES = "SELECT * FROM places_of($1, $2)"

_PLACES_OF_BIDDER = "SELECT * FROM places_of_bidder($1, $2)"


class _Conflict(msgspec.Struct, frozen=True):
    person: UUID
    name: str
    bidder: UUID
    bidder_name: str
    source: ConflictSource
    excusable: bool
    decided: DecisionOutcome | None


class _Place(msgspec.Struct, frozen=True):
    party: UUID
    name: str
    source: str
    relationship: str | None
    associate: str | None
    share: Decimal | None


class _PlaceOfBidder(msgspec.Struct, frozen=True):
    party: UUID
    name: str
    role: str


async def conflicts(actor: Actor, tender_id: UUID) -> list[ConflictView]:
    """What stands between people and bidders: one's own, and for the guardian everybody's.

    One's own is told only about bidders one has declared about already. Inside a transaction.

    Raises:
        NotFound: no such tender.
        DutyNeeded: the actor holds no duty for which the names matter.
        BiddersNotKnown: the time for it has not come.
    """
    ensure_knows_bidders(await standing_of(actor, tender_id))
    return await conflicts_in(tender_id)


async def conflicts_in(tender_id: UUID) -> list[ConflictView]:
    """The same inside a transaction; the database gives each what they may know."""
    grouped: dict[tuple[UUID, UUID], list[_Conflict]] = defaultdict(list)
    for row in await fetch(_Conflict, _CONFLICTS, tender_id):
        grouped[row.person, row.bidder].append(row)
    return [await _view(tender_id, rows) for rows in grouped.values()]


async def _view(tender_id: UUID, rows: list[_Conflict]) -> ConflictView:
    first = rows[0]
    undecided = any(row.decided is None for row in rows)
    return ConflictView(
        person=first.person,
        name=first.name,
        bidder=first.bidder,
        bidder_name=first.bidder_name,
        sources=sorted({row.source for row in rows}),
        excusable=all(row.excusable for row in rows),
        decided=None if undecided else first.decided,
        paths=await _paths(tender_id, first),
    )


async def _paths(tender_id: UUID, between: _Conflict) -> list[PathView]:
    person = Node(between.person, between.name, is_person=True)
    bidder = Node(between.bidder, between.bidder_name)
    places = await fetch(_Place, _PLACES, between.person, tender_id)
    ends = await fetch(_PlaceOfBidder, _PLACES_OF_BIDDER, tender_id, between.bidder)
    starts = [
        start_at(person, msgspec.convert(place, Place, from_attributes=True)) for place in places
    ]
    targets = [target_at(bidder, end.party, end.name, end.role) for end in ends]
    found = await paths_between(starts, targets)
    return [
        PathView(sentence=f"{path.sentence}.", strength=path.strength, links=path.links)
        for path in found[:MOST_PATHS_SHOWN]
    ]
