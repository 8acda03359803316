"""The public registers: what the database's own functions give, which is no more than is public."""

from datetime import date
from decimal import Decimal
from uuid import UUID

import msgspec

from market.actor import Actor, Role
from market.database import fetch, reading
from market.interests.queries.facts import ensure_register, today
from market.interests.queries.keysets import cursor_at, read_day, read_instant
from market.interests.rules.interests import InterestKind, Relationship
from market.interests.rules.registers import Publication
from market.interests.rules.thresholds import GiftKind, GiftSource
from market.interests.schemas.registers import (
    PublicBreach,
    PublicGift,
    PublicInterest,
    RecordPastKeeping,
)
from market.money import Money, plain_text
from market.organisations.queries import name_and_id, search_words
from market.pages import Page, encode_cursor

_INTERESTS = """
SELECT * FROM public_interests($1)
WHERE name ILIKE ALL ($2::text[]) AND ($3::text IS NULL OR (name, id) > ($3, $4::uuid))
ORDER BY name, id LIMIT $5
"""
_GIFTS = """
SELECT * FROM public_gifts($1)
WHERE name ILIKE ALL ($2::text[]) AND ($3::text IS NULL OR (name, id) > ($3, $4::uuid))
ORDER BY name, id LIMIT $5
"""
_BREACHES = """
SELECT * FROM public_breaches($1)
WHERE $2::timestamptz IS NULL OR (published_at, id) < ($2, $3::uuid)
ORDER BY published_at DESC, id DESC LIMIT $4
"""
_PAST_KEEPING = """
WITH record AS (
    SELECT 'interest' AS kind, i.id, kept_until(coalesce(e.ended_on, i.ends_on, (
        SELECT register_day(max(m.ended_at)) FROM membership m
        WHERE m.person = i.person AND m.organisation = i.for_organisation
        HAVING bool_and(m.ended_at IS NOT NULL)))) AS kept_until
    FROM interest i LEFT JOIN interest_ending e ON e.interest = i.id
    WHERE i.for_organisation = $1
      AND NOT EXISTS (SELECT 1 FROM interest s WHERE s.supersedes = i.id)
    UNION ALL
    SELECT 'interest_confirmation', c.id, kept_until(register_day(c.confirmed_at))
    FROM interest_confirmation c WHERE c.organisation = $1
    UNION ALL
    SELECT 'gift', g.id,
        kept_until(greatest(g.offered_on, g.received_on, register_day(g.declared_at)))
    FROM gift g WHERE g.for_organisation = $1
      AND NOT EXISTS (SELECT 1 FROM gift s WHERE s.supersedes = g.id)
    UNION ALL
    SELECT 'conflict_breach', b.id, kept_until(register_day(b.recorded_at))
    FROM conflict_breach b WHERE b.organisation = $1
)
SELECT kind, id, kept_until FROM record
WHERE kept_until < $2::date AND ($3::date IS NULL OR (kept_until, id) > ($3, $4::uuid))
ORDER BY kept_until, id LIMIT $5
"""


class _Interest(msgspec.Struct, frozen=True):
    id: UUID
    name: str
    positions: list[Role]
    left_on: date | None
    withheld: bool
    counterparty: str | None
    business: str | None
    kind: InterestKind | None
    associate: str | None
    relationship: Relationship | None
    nature: str | None
    share: Decimal | None
    starts_on: date | None
    ended_on: date | None
    actions: list[str] | None


class _Gift(msgspec.Struct, frozen=True):
    id: UUID
    name: str
    positions: list[Role]
    withheld: bool
    offered_on: date | None
    received_on: date | None
    kind: GiftKind | None
    source: GiftSource | None
    detail: str | None
    value: Decimal | None
    estimated: bool | None
    offeror: str | None
    business: str | None
    previous_offers: int | None
    reviewed_by: str | None
    reviewed_on: date | None
    approved: bool | None
    accepted: bool | None
    on_behalf_of_organisation: bool | None
    reason: str | None
    comment: str | None


def _publication(*, withheld: bool) -> Publication:
    return Publication.WITHHELD if withheld else Publication.PUBLISHED


def _public_interest(row: _Interest) -> PublicInterest:
    return PublicInterest(
        id=row.id,
        name=row.name,
        positions=row.positions,
        left_on=row.left_on,
        publication=_publication(withheld=row.withheld),
        counterparty=row.counterparty,
        business=row.business,
        kind=row.kind,
        indirect=None if row.kind is None else row.kind is InterestKind.INDIRECT,
        associate=row.associate,
        relationship=row.relationship,
        nature=row.nature,
        share=None if row.share is None else plain_text(row.share),
        starts_on=row.starts_on,
        ended_on=row.ended_on,
        actions=row.actions,
    )


def _public_gift(row: _Gift) -> PublicGift:
    return PublicGift(
        id=row.id,
        name=row.name,
        positions=row.positions,
        publication=_publication(withheld=row.withheld),
        offered_on=row.offered_on,
        received_on=row.received_on,
        kind=row.kind,
        source=row.source,
        detail=row.detail,
        value=None if row.value is None else Money.of(row.value),
        estimated=row.estimated,
        offeror=row.offeror,
        business=row.business,
        previous_offers=row.previous_offers,
        reviewed_by=row.reviewed_by,
        reviewed_on=row.reviewed_on,
        approved=row.approved,
        accepted=row.accepted,
        on_behalf_of_organisation=row.on_behalf_of_organisation,
        reason=row.reason,
        comment=row.comment,
    )


async def public_interests(
    actor: Actor, organisation: UUID, *, words: str | None, cursor: str | None, limit: int
) -> Page[PublicInterest]:
    """The public register of interests, by name.

    Raises:
        NoRegister: no such organisation, or it keeps no registers.
        Malformed: a cursor that is none of the market's.
    """
    after, after_id = (None, None) if cursor is None else name_and_id(cursor)
    async with reading(actor):
        await ensure_register(organisation)
        rows = await fetch(
            _Interest, _INTERESTS, organisation, search_words(words), after, after_id, limit + 1
        )
    items = [_public_interest(row) for row in rows[:limit]]
    following = encode_cursor(items[-1].name, str(items[-1].id)) if len(rows) > limit else None
    return Page(items=items, next=following)


async def public_gifts(
    actor: Actor, organisation: UUID, *, words: str | None, cursor: str | None, limit: int
) -> Page[PublicGift]:
    """The public register of gifts and hospitality, by name.

    Raises:
        NoRegister: no such organisation, or it keeps no registers.
        Malformed: a cursor that is none of the market's.
    """
    after, after_id = (None, None) if cursor is None else name_and_id(cursor)
    async with reading(actor):
        await ensure_register(organisation)
        rows = await fetch(
            _Gift, _GIFTS, organisation, search_words(words), after, after_id, limit + 1
        )
    items = [_public_gift(row) for row in rows[:limit]]
    following = encode_cursor(items[-1].name, str(items[-1].id)) if len(rows) > limit else None
    return Page(items=items, next=following)


async def public_breaches(
    actor: Actor, organisation: UUID, cursor: str | None, limit: int
) -> Page[PublicBreach]:
    """The published breaches, the latest first.

    Raises:
        NoRegister: no such organisation, or it keeps no registers.
        Malformed: a cursor that is none of the market's.
    """
    before, before_id = read_instant(cursor)
    async with reading(actor):
        await ensure_register(organisation)
        found = await fetch(PublicBreach, _BREACHES, organisation, before, before_id, limit + 1)
    items = found[:limit]
    following = cursor_at(items[-1].published_at, items[-1].id) if len(found) > limit else None
    return Page(items=items, next=following)


async def records_past_keeping(
    organisation: UUID, cursor: str | None, limit: int
) -> Page[RecordPastKeeping]:
    """What the actor may read and need not be kept any longer, inside the current transaction.

    An interest stands for all its versions and what was decided about them.

    Raises:
        Malformed: a cursor that is none of the market's.
    """
    after, after_id = read_day(cursor)
    found = await fetch(
        RecordPastKeeping, _PAST_KEEPING, organisation, await today(), after, after_id, limit + 1
    )
    items = found[:limit]
    following = cursor_at(items[-1].kept_until, items[-1].id) if len(found) > limit else None
    return Page(items=items, next=following)
