"""What can be read of bidders' names, declarations and the opening."""

from datetime import datetime
from uuid import UUID

import msgspec

from market.actor import Actor
from market.database import fetch, fetch_one, reading
from market.sealing import EnvelopeKind
from tenders.permissions.opening import (
    Conflict,
    Standing,
    ensure_knows_bidders,
    ensure_visible,
)
from tenders.permissions.tenders import READS_DRAFTS
from tenders.rules.duties import Duty
from tenders.rules.stages import TenderStage, status_of
from tenders.schemas.opening import (
    BidderView,
    DeclarationsView,
    DeclarationView,
    ParticipantName,
)

_STANDING = """
SELECT t.stage, t.deadline, market_now() AS now, t.published_at IS NOT NULL AS published,
    t.opened_at IS NOT NULL AS opened,
    EXISTS (SELECT 1 FROM tender_buyer b WHERE b.tender = t.id AND b.organisation = $3)
        AS for_buyer, s.duties, s.offered, s.suspended, my_conflict(t.id) AS conflict,
    set_config('market.tender', t.id::text, true) AS about
FROM tender t CROSS JOIN LATERAL my_duties(t.id, $2, $3) s WHERE t.id = $1
"""

_BIDDERS = """
SELECT o.id AS organisation, o.name, coalesce((
    SELECT jsonb_agg(one.named ORDER BY one.named ->> 'role', one.named ->> 'name') FROM (
        SELECT jsonb_build_object('role', p.role, 'name', p.name, 'declared', coalesce(
            jsonb_agg(jsonb_build_object('lot_number', p.lot_number, 'variant', p.variant,
                'share', trim_scale(p.share)::text, 'exclusion_grounds', p.exclusion_grounds,
                'details', p.details) ORDER BY p.lot_number, p.variant)
            FILTER (WHERE p.lot_number IS NOT NULL), '[]')) AS named
        FROM participants_of($1) p WHERE p.bidder = o.id GROUP BY p.role, p.name) one
    ), '[]')::text AS participants
FROM bidders_of($1) b JOIN organisation o ON o.id = b.organisation
ORDER BY o.name, o.id
"""

_DECLARATIONS = """
SELECT d.id, d.bidder, o.name AS bidder_name, d.interest, d.details, d.declared_at
FROM declaration d JOIN organisation o ON o.id = d.bidder
WHERE d.tender = $1 AND d.person = $2 ORDER BY d.declared_at, d.id
"""

# What may not be opened now, by this person, is not counted as left to do.
_UNOPENED = """
SELECT m.bid FROM manifest_entry m
WHERE m.lot = $1 AND envelope_may_open(m.bid, $2) AND NOT EXISTS (
    SELECT 1 FROM opened_envelope o WHERE o.bid = m.bid AND o.kind = $2)
ORDER BY m.pseudonym
"""


class _Standing(msgspec.Struct, frozen=True):
    stage: TenderStage
    deadline: datetime | None
    now: datetime
    published: bool
    opened: bool
    for_buyer: bool
    duties: list[Duty]
    offered: list[Duty]
    suspended: list[Duty]
    conflict: Conflict | None


class _Bidder(msgspec.Struct, frozen=True):
    organisation: UUID
    name: str
    participants: str


class _Bid(msgspec.Struct, frozen=True):
    bid: UUID


async def standing_of(actor: Actor, tender_id: UUID) -> Standing:
    """Where a tender stands and the actor in it, inside a transaction.

    Raises:
        NotFound: there is no such tender, or none that the actor may know of.
    """
    row = await fetch_one(_Standing, _STANDING, tender_id, actor.person, actor.organisation)
    standing = None
    if row is not None:
        standing = Standing(
            status=status_of(row.stage, row.deadline, row.now),
            published=row.published,
            opened=row.opened,
            inside=row.for_buyer and bool(actor.roles & READS_DRAFTS),
            duties=frozenset(row.duties),
            offered=frozenset(row.offered),
            suspended=frozenset(row.suspended),
            conflict=row.conflict,
        )
    return ensure_visible(standing)


async def known_bidders(tender_id: UUID) -> list[BidderView]:
    """The bidders' names, inside a transaction; the database gives them to those who may know."""
    return [
        BidderView(
            organisation=row.organisation,
            name=row.name,
            participants=msgspec.json.decode(row.participants, type=list[ParticipantName]),
        )
        for row in await fetch(_Bidder, _BIDDERS, tender_id)
    ]


async def declarations_of(actor: Actor, tender_id: UUID) -> DeclarationsView:
    """The actor's own declarations and what is outstanding, inside a transaction."""
    made = await fetch(DeclarationView, _DECLARATIONS, tender_id, actor.person)
    declared = {declaration.bidder for declaration in made}
    bidders = await known_bidders(tender_id)
    standing = await standing_of(actor, tender_id)
    return DeclarationsView(
        declarations=made,
        outstanding=[bidder for bidder in bidders if bidder.organisation not in declared],
        may_act=standing.conflict is None,
    )


async def bidders(actor: Actor, tender_id: UUID) -> list[BidderView]:
    """The names of those who bid, for those who must declare against them; in a transaction.

    Raises:
        NotFound: no such tender.
        DutyNeeded: the actor holds no duty for which the names matter.
        BiddersNotKnown: the time for it has not come.
    """
    ensure_knows_bidders(await standing_of(actor, tender_id))
    return await known_bidders(tender_id)


async def my_declarations(actor: Actor, tender_id: UUID) -> DeclarationsView:
    """What the actor has declared in a tender, and what is outstanding.

    Raises:
        NotFound: no such tender.
        DutyNeeded: the actor holds no duty for which the names matter.
        BiddersNotKnown: the time for it has not come.
    """
    async with reading(actor):
        ensure_knows_bidders(await standing_of(actor, tender_id))
        return await declarations_of(actor, tender_id)


async def unopened(actor: Actor, lot_id: UUID, kind: EnvelopeKind) -> list[UUID]:
    """The bids of a lot whose envelope of this kind the actor may open now and nobody has opened.

    Empty where the lot has not come so far, where all are open, and for those whose duty it is
    not: `open_envelope` says which.
    """
    async with reading(actor):
        return [row.bid for row in await fetch(_Bid, _UNOPENED, lot_id, kind.value)]
