"""What can be read about gifts and hospitality, by those who may."""

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

import msgspec

from market.actor import Actor, Role
from market.database import fetch, reading
from market.errors import NotFound
from market.interests.queries.interests import Found, decision
from market.interests.queries.keysets import cursor_at, read_instant
from market.interests.rules.registers import publication_of
from market.interests.rules.thresholds import (
    EDITIONS,
    SENTENCES,
    Band,
    Edition,
    GiftKind,
    GiftSource,
    departure_of,
    edition_in_force,
    expectation_of,
)
from market.interests.schemas.gifts import (
    BandView,
    EditionView,
    GiftReviewView,
    GiftView,
    ThresholdsView,
)
from market.money import Money
from market.organisations.queries import name_and_id
from market.pages import Page, encode_cursor

_ROWS = """
SELECT g.*, p.name, s.id AS superseded_by, earlier_offers(g) AS previous_offers,
    ARRAY(SELECT DISTINCT m.role FROM membership m
          WHERE m.person = g.person AND m.organisation = g.for_organisation
          AND m.started_at <= g.declared_at
          AND (m.ended_at IS NULL OR m.ended_at > g.declared_at) ORDER BY m.role) AS positions,
    r.approves, r.comment, r.reviewed_by, q.name AS reviewed_by_name, r.reviewed_at,
    d.withhold, d.reason AS decision_reason, d.decided_by, d.decided_at
FROM gift g JOIN person p ON p.id = g.person
LEFT JOIN gift s ON s.supersedes = g.id
LEFT JOIN gift_review r ON r.gift = g.id
LEFT JOIN person q ON q.id = r.reviewed_by
LEFT JOIN consent_decision d ON d.gift = g.id
WHERE g.id = ANY ($1::uuid[])
"""
_OF_PERSON = """
SELECT id FROM gift
WHERE person = $1 AND ($2::timestamptz IS NULL OR (declared_at, id) < ($2, $3::uuid))
ORDER BY declared_at DESC, id DESC LIMIT $4
"""
_OF_ORGANISATION = """
SELECT g.id FROM gift g JOIN person p ON p.id = g.person
WHERE g.for_organisation = $1 AND NOT EXISTS (SELECT 1 FROM gift s WHERE s.supersedes = g.id)
  AND ($2::text IS NULL OR (p.name, g.id) > ($2, $3::uuid))
ORDER BY p.name, g.id LIMIT $4
"""


class _Row(msgspec.Struct, frozen=True):
    id: UUID
    person: UUID
    name: str
    positions: list[Role]
    for_organisation: UUID
    kind: GiftKind
    source: GiftSource
    detail: str
    value: Decimal
    estimated: bool
    offered_on: date
    received_on: date | None
    organisation: UUID | None
    offeror: str
    business: str | None
    previous_offers: int
    accepted: bool
    on_behalf_of_organisation: bool
    reason: str
    approves: bool | None
    comment: str | None
    reviewed_by: UUID | None
    reviewed_by_name: str | None
    reviewed_at: datetime | None
    declared_at: datetime
    entered_by: UUID
    consents: bool
    consent_refused_because: str | None
    withhold: bool | None
    decision_reason: str | None
    decided_by: UUID | None
    decided_at: datetime | None
    supersedes: UUID | None
    superseded_by: UUID | None


def _review(row: _Row) -> GiftReviewView | None:
    if (
        row.approves is None
        or row.comment is None
        or row.reviewed_by is None
        or row.reviewed_by_name is None
        or row.reviewed_at is None
    ):
        return None
    return GiftReviewView(
        approves=row.approves,
        comment=row.comment,
        reviewed_by=row.reviewed_by,
        reviewed_by_name=row.reviewed_by_name,
        reviewed_at=row.reviewed_at,
    )


def _view(row: _Row) -> GiftView:
    edition = edition_in_force(row.offered_on)
    expectation = expectation_of(row.kind, row.source, row.value, row.offered_on)
    return GiftView(
        id=row.id,
        person=row.person,
        name=row.name,
        positions=row.positions,
        for_organisation=row.for_organisation,
        kind=row.kind,
        source=row.source,
        detail=row.detail,
        value=Money.of(row.value),
        estimated=row.estimated,
        offered_on=row.offered_on,
        received_on=row.received_on,
        organisation=row.organisation,
        offeror=row.offeror,
        business=row.business,
        previous_offers=row.previous_offers,
        accepted=row.accepted,
        on_behalf_of_organisation=row.on_behalf_of_organisation,
        reason=row.reason,
        edition=None if edition is None else edition.name,
        expectation=expectation,
        requirement=SENTENCES[expectation],
        departure=departure_of(
            expectation,
            accepted=row.accepted,
            for_organisation=row.on_behalf_of_organisation,
            approved=row.approves is True,
        ),
        review=_review(row),
        declared_at=row.declared_at,
        entered_by=row.entered_by,
        consents=row.consents,
        consent_refused_because=row.consent_refused_because,
        consent_decision=decision(
            row.withhold, row.decision_reason, row.decided_by, row.decided_at
        ),
        publication=publication_of(consents=row.consents, guardian_withholds=row.withhold),
        supersedes=row.supersedes,
        superseded_by=row.superseded_by,
    )


async def gift_view(gift: UUID) -> GiftView:
    """An offer, inside the current transaction.

    Raises:
        NotFound: there is none, or none the actor may read.
    """
    found = await _viewed([gift])
    if not found:
        raise NotFound
    return found[0]


async def _viewed(ids: Sequence[UUID]) -> list[GiftView]:
    rows = {row.id: row for row in await fetch(_Row, _ROWS, list(ids))}
    return [_view(rows[one]) for one in ids if one in rows]


async def my_gifts(actor: Actor, cursor: str | None, limit: int) -> Page[GiftView]:
    """Every offer declared by or about the actor, the latest first.

    Raises:
        Malformed: a cursor that is none of the market's.
    """
    before, before_id = read_instant(cursor)
    async with reading(actor):
        found = await fetch(Found, _OF_PERSON, actor.person, before, before_id, limit + 1)
        items = await _viewed([one.id for one in found[:limit]])
    following = cursor_at(items[-1].declared_at, items[-1].id) if len(found) > limit else None
    return Page(items=items, next=following)


async def gifts_of(organisation: UUID, cursor: str | None, limit: int) -> Page[GiftView]:
    """The latest versions in an organisation's register, inside the current transaction.

    Raises:
        Malformed: a cursor that is none of the market's.
    """
    after, after_id = (None, None) if cursor is None else name_and_id(cursor)
    found = await fetch(Found, _OF_ORGANISATION, organisation, after, after_id, limit + 1)
    items = await _viewed([one.id for one in found[:limit]])
    following = encode_cursor(items[-1].name, str(items[-1].id)) if len(found) > limit else None
    return Page(items=items, next=following)


def editions() -> list[EditionView]:
    """The thresholds of every edition, as the rules have them."""
    return [_edition(one) for one in EDITIONS]


def _edition(edition: Edition) -> EditionView:
    return EditionView(
        name=edition.name,
        starts_on=edition.starts_on,
        source=edition.source,
        thresholds=[
            ThresholdsView(kind=kind, source=source, bands=[_band(band) for band in bands])
            for (kind, source), bands in sorted(edition.bands.items())
        ],
    )


def _band(band: Band) -> BandView:
    return BandView(
        up_to=None if band.up_to is None else Money.of(band.up_to),
        including=band.with_limit and band.up_to is not None,
        expectation=band.expectation,
        requirement=SENTENCES[band.expectation],
    )
