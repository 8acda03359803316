"""What can be read about tenders: one, those published, one's own, and their requirement."""

from datetime import date, datetime
from typing import Literal
from uuid import UUID

import msgspec

from market.actor import Actor
from market.database import fetch, fetch_one, reading
from market.errors import Malformed, NotFound
from market.money import exact_text, shares
from market.pages import Page
from tenders.permissions.tenders import (
    READS_DRAFTS,
    ensure_sees,
    sees_inside,
)
from tenders.queries.facts import facts_of
from tenders.queries.keysets import cursor_at, read_cursor
from tenders.queries.matching import matching
from tenders.rules.duties import Duty
from tenders.rules.searches import Filters, bounds_faults
from tenders.rules.stages import RedraftStage, TenderStage, TenderStatus, status_of
from tenders.schemas.tenders import (
    BuyerView,
    ChangedRequirement,
    LatestAmendment,
    LotView,
    TenderSummary,
    TenderView,
    TimetableView,
)

_TENDER = """
SELECT t.id, t.reference, t.version, t.stage, t.title, t.buyer, o.name AS buyer_name,
       t.demonstration, t.rule_set, t.rule_set_date, t.clarifications_until, t.deadline,
       t.contract_starts, t.created_at, t.published_at, t.opened_at, t.abandoned_at,
       t.abandoned_because, market_now() AS now,
       (SELECT max(number) FROM requirement_version r WHERE r.tender = t.id) AS latest,
       t.published_requirement, t.redraft, t.amendments,
       (SELECT encode(d.commitment, 'hex') FROM tender_draw d WHERE d.tender = t.id)
       AS draw_commitment
FROM tender t JOIN organisation o ON o.id = t.buyer WHERE t.id = $1
"""
_LATEST_AMENDMENT = """
SELECT number, summary, material, published_at FROM amendment
WHERE tender = $1 AND number = $2
"""
_BUYERS = """
SELECT b.organisation, o.name, b.population FROM tender_buyer b
JOIN organisation o ON o.id = b.organisation WHERE b.tender = $1 ORDER BY o.name, o.id
"""
_LOTS = """
SELECT l.id, l.number, l.title, l.stage, l.version,
       ARRAY(SELECT s.service_line FROM lot_service_line s WHERE s.lot = l.id
             ORDER BY s.service_line) AS service_lines
FROM lot l WHERE l.tender = $1 ORDER BY l.number
"""

_PUBLISHED_TENDERS = """
SELECT t.id, t.reference, t.title, t.stage, t.buyer, o.name AS buyer_name, t.demonstration,
       ARRAY(SELECT DISTINCT s.service_line FROM lot l JOIN lot_service_line s ON s.lot = l.id
             WHERE l.tender = t.id ORDER BY s.service_line) AS service_lines,
       t.deadline, t.created_at, t.published_at, market_now() AS now
FROM tender t JOIN organisation o ON o.id = t.buyer
WHERE t.published_at IS NOT NULL
  AND ($1::timestamptz IS NULL OR (t.published_at, t.id) < ($1, $2::uuid))
  AND ($3::text IS NULL OR $3 = CASE WHEN t.stage = 'published' AND t.deadline <= market_now()
                                THEN 'closed' ELSE t.stage END)
  AND """
_ASKED_FOR = matching(
    text="$4::text",
    lines="$5::text[]",
    buyer="$6::uuid",
    minimum="$7::numeric",
    maximum="$8::numeric",
)
_LATEST_FIRST = " ORDER BY t.published_at DESC, t.id DESC LIMIT $9"
_PUBLISHED = _PUBLISHED_TENDERS + _ASKED_FOR + _LATEST_FIRST
_MINE = """
SELECT t.id, t.reference, t.title, t.stage, t.buyer, o.name AS buyer_name, t.demonstration,
       ARRAY(SELECT DISTINCT s.service_line FROM lot l JOIN lot_service_line s ON s.lot = l.id
             WHERE l.tender = t.id ORDER BY s.service_line) AS service_lines,
       t.deadline, t.created_at, t.published_at, market_now() AS now
FROM tender t JOIN organisation o ON o.id = t.buyer
WHERE (EXISTS (SELECT 1 FROM duty d WHERE d.tender = t.id AND d.person = $3
               AND d.organisation = $4 AND d.released_at IS NULL)
       OR $5 AND EXISTS (SELECT 1 FROM tender_buyer b WHERE b.tender = t.id
                         AND b.organisation = $4))
  AND ($1::timestamptz IS NULL OR (t.created_at, t.id) < ($1, $2::uuid))
ORDER BY t.created_at DESC, t.id DESC LIMIT $6
"""


class _Tender(msgspec.Struct, frozen=True):
    id: UUID
    reference: str
    version: int
    stage: TenderStage
    title: str
    buyer: UUID
    buyer_name: str
    demonstration: bool
    rule_set: str | None
    rule_set_date: date | None
    clarifications_until: datetime | None
    deadline: datetime | None
    contract_starts: date | None
    created_at: datetime
    published_at: datetime | None
    opened_at: datetime | None
    abandoned_at: datetime | None
    abandoned_because: str | None
    now: datetime
    latest: int | None
    published_requirement: int | None
    redraft: RedraftStage | None
    amendments: int
    draw_commitment: str | None


class _Buyer(msgspec.Struct, frozen=True):
    organisation: UUID
    name: str
    population: int


class _Summary(msgspec.Struct, frozen=True):
    id: UUID
    reference: str
    title: str
    stage: TenderStage
    buyer: UUID
    buyer_name: str
    demonstration: bool
    service_lines: list[str]
    deadline: datetime | None
    created_at: datetime
    published_at: datetime | None
    now: datetime


async def tender(actor: Actor, tender_id: UUID) -> TenderView:
    """Show a tender to whoever may see it.

    Raises:
        NotFound: there is none, or a draft that the actor may not know of.
    """
    async with reading(actor):
        facts = ensure_sees(actor, await facts_of(actor, tender_id))
        inside = sees_inside(actor, facts)
        return await view_of(tender_id, facts.duties, facts.offered, inside=inside)


async def view_of(
    tender_id: UUID,
    duties: frozenset[Duty],
    offered: frozenset[Duty] = frozenset(),
    *,
    inside: bool = True,
) -> TenderView:
    """Show a tender inside a transaction that has permitted it, with the caller's duties.

    How far a change of what is published has come is shown to those who are `inside`.
    """
    found = await fetch_one(_Tender, _TENDER, tender_id)
    if found is None:
        raise NotFound
    buyers = await fetch(_Buyer, _BUYERS, tender_id)
    share = shares({buyer.organisation: buyer.population for buyer in buyers})
    return TenderView(
        id=found.id,
        reference=found.reference,
        version=found.version,
        status=status_of(found.stage, found.deadline, found.now),
        title=found.title,
        buyer=found.buyer,
        buyer_name=found.buyer_name,
        buyers=[
            BuyerView(
                organisation=buyer.organisation,
                name=buyer.name,
                population=buyer.population,
                share=exact_text(share[buyer.organisation]),
            )
            for buyer in buyers
        ],
        demonstration=found.demonstration,
        rule_set=found.rule_set,
        rule_set_date=found.rule_set_date,
        timetable=TimetableView(
            clarifications_until=found.clarifications_until,
            deadline=found.deadline,
            contract_starts=found.contract_starts,
        ),
        requirement=found.published_requirement or found.latest,
        changed_requirement=_changed(found) if inside else None,
        amendments=found.amendments,
        latest_amendment=await fetch_one(
            LatestAmendment, _LATEST_AMENDMENT, tender_id, found.amendments
        )
        if found.amendments
        else None,
        draw_commitment=found.draw_commitment,
        lots=await fetch(LotView, _LOTS, tender_id),
        my_duties=sorted(duties),
        duties_to_take_up=sorted(offered),
        created_at=found.created_at,
        published_at=found.published_at,
        opened_at=found.opened_at,
        abandoned_at=found.abandoned_at,
        abandoned_because=found.abandoned_because,
    )


def _changed(found: _Tender) -> ChangedRequirement | None:
    if found.redraft is None or found.latest is None:
        return None
    return ChangedRequirement(number=found.latest, stage=found.redraft)


async def published(
    actor: Actor,
    filters: Filters,
    *,
    status: TenderStatus | None,
    limit: int,
    cursor: str | None,
) -> Page[TenderSummary]:
    """List published tenders that match, the latest first.

    Raises:
        Malformed: crossed bounds, or a cursor that is none of the market's.
    """
    if faults := bounds_faults(filters):
        raise Malformed(faults[0].reason, faults=faults)
    moment, item = read_cursor(cursor)
    async with reading(actor):
        rows = await fetch(
            _Summary,
            _PUBLISHED,
            moment,
            item,
            status,
            filters.text,
            list(filters.service_lines),
            filters.buyer,
            *filters.bounds,
            limit + 1,
        )
    return _page(rows, limit, "published_at")


async def mine(actor: Actor, *, limit: int, cursor: str | None) -> Page[TenderSummary]:
    """List tenders in which the actor has a duty or whose buyer they read drafts for."""
    moment, item = read_cursor(cursor)
    reads_drafts = bool(actor.roles & READS_DRAFTS)
    async with reading(actor):
        rows = await fetch(
            _Summary,
            _MINE,
            moment,
            item,
            actor.person,
            actor.organisation,
            reads_drafts,
            limit + 1,
        )
    return _page(rows, limit, "created_at")


def _page(
    rows: list[_Summary], limit: int, key: Literal["published_at", "created_at"]
) -> Page[TenderSummary]:
    shown = rows[:limit]
    following = None
    if len(rows) > limit:
        moment = shown[-1].created_at if key == "created_at" else shown[-1].published_at
        following = None if moment is None else cursor_at(moment, shown[-1].id)
    return Page(
        items=[
            TenderSummary(
                id=row.id,
                reference=row.reference,
                title=row.title,
                status=status_of(row.stage, row.deadline, row.now),
                buyer=row.buyer,
                buyer_name=row.buyer_name,
                demonstration=row.demonstration,
                service_lines=row.service_lines,
                deadline=row.deadline,
                created_at=row.created_at,
                published_at=row.published_at,
            )
            for row in shown
        ],
        next=following,
    )
