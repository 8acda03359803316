"""What can be read about declared interests, by those who may."""

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

import msgspec

from market.actor import Actor, Role
from market.database import fetch, reading
from market.errors import NotFound
from market.interests.queries.keysets import cursor_at, read_instant
from market.interests.rules.dates import days_late, declare_by, london_date
from market.interests.rules.interests import InterestKind, Relationship
from market.interests.rules.registers import ended_on, publication_of
from market.interests.schemas.interests import (
    ConsentDecisionView,
    InterestView,
    MitigationView,
)
from market.money import plain_text
from market.organisations.queries import name_and_id
from market.organisations.rules import Scheme
from market.pages import Page, encode_cursor

# Which rows there are, and which of them the actor sees, row-level security decides.
_ROWS = """
SELECT i.*, p.name, e.ended_on AS recorded_end, s.id AS superseded_by,
    ARRAY(SELECT DISTINCT m.role FROM membership m
          WHERE m.person = i.person AND m.organisation = i.for_organisation
          AND m.started_at <= i.declared_at
          AND (m.ended_at IS NULL OR m.ended_at > i.declared_at) ORDER BY m.role) AS positions,
    d.withhold, d.reason AS decision_reason, d.decided_by, d.decided_at
FROM interest i JOIN person p ON p.id = i.person
LEFT JOIN interest_ending e ON e.interest = i.id
LEFT JOIN interest s ON s.supersedes = i.id
LEFT JOIN consent_decision d ON d.interest = i.id
WHERE i.id = ANY ($1::uuid[])
"""
_VERSIONS = """
SELECT id FROM interest WHERE origin = (SELECT origin FROM interest WHERE id = $1)
ORDER BY declared_at, id
"""
_OF_PERSON = """
SELECT id FROM interest
WHERE person = $1 AND ($2::timestamptz IS NULL OR (declared_at, id) < ($2, $3::uuid))
ORDER BY declared_at DESC, id DESC LIMIT $4
"""
_OF_ORGANISATION = """
SELECT i.id FROM interest i JOIN person p ON p.id = i.person
WHERE i.for_organisation = $1
  AND NOT EXISTS (SELECT 1 FROM interest s WHERE s.supersedes = i.id)
  AND (NOT $2 OR NOT i.consents
       AND NOT EXISTS (SELECT 1 FROM consent_decision d WHERE d.interest = i.id))
  AND ($3::text IS NULL OR (p.name, i.id) > ($3, $4::uuid))
ORDER BY p.name, i.id LIMIT $5
"""
_MITIGATIONS = """
SELECT m.id, m.what, m.agreed_with, p.name AS agreed_with_name, m.recorded_by, m.recorded_at,
    i.origin
FROM interest_mitigation m JOIN interest i ON i.id = m.interest
JOIN person p ON p.id = m.agreed_with
WHERE i.origin = ANY ($1::uuid[]) ORDER BY m.recorded_at, m.id
"""


class Found(msgspec.Struct, frozen=True):
    """The id of a row of a list."""

    id: UUID


class _Row(msgspec.Struct, frozen=True):
    id: UUID
    origin: UUID
    person: UUID
    name: str
    positions: list[Role]
    for_organisation: UUID
    kind: InterestKind
    relationship: Relationship
    associate: str | None
    organisation: UUID | None
    counterparty: str
    scheme: Scheme | None
    identifier: str | None
    business: str | None
    nature: str
    share: Decimal | None
    starts_on: date | None
    ends_on: date | None
    recorded_end: date | None
    aware_on: date
    declared_at: datetime
    entered_by: UUID
    line_manager: UUID | None
    consents: bool
    consent_refused_because: str | None
    withhold: bool | None
    decision_reason: str | None
    decided_by: UUID | None
    decided_at: datetime | None
    supersedes: UUID | None
    superseded_by: UUID | None


class _Mitigation(MitigationView, frozen=True):
    origin: UUID


def decision(
    withhold: bool | None,  # noqa: FBT001  # a column of the row
    reason: str | None,
    decided_by: UUID | None,
    decided_at: datetime | None,
) -> ConsentDecisionView | None:
    """The guardian's decision that stands beside an entry, where there is one."""
    if withhold is None or reason is None or decided_by is None or decided_at is None:
        return None
    return ConsentDecisionView(
        withhold=withhold, reason=reason, decided_by=decided_by, decided_at=decided_at
    )


def _view(row: _Row, mitigations: list[MitigationView]) -> InterestView:
    due = declare_by(row.aware_on)
    return InterestView(
        id=row.id,
        person=row.person,
        name=row.name,
        positions=row.positions,
        for_organisation=row.for_organisation,
        kind=row.kind,
        relationship=row.relationship,
        associate=row.associate,
        organisation=row.organisation,
        counterparty=row.counterparty,
        scheme=row.scheme,
        identifier=row.identifier,
        business=row.business,
        nature=row.nature,
        share=None if row.share is None else plain_text(row.share),
        starts_on=row.starts_on,
        ends_on=row.ends_on,
        ended_on=ended_on(planned=row.ends_on, recorded=row.recorded_end),
        aware_on=row.aware_on,
        declare_by=due,
        declared_at=row.declared_at,
        late_by_days=days_late(due, london_date(row.declared_at)),
        entered_by=row.entered_by,
        line_manager=row.line_manager,
        consents=row.consents,
        consent_refused_because=row.consent_refused_because,
        consent_decision=decision(
            row.withhold, row.decision_reason, row.decided_by, row.decided_at
        ),
        publication=publication_of(consents=row.consents, guardian_withholds=row.withhold),
        supersedes=row.supersedes,
        superseded_by=row.superseded_by,
        mitigations=mitigations,
    )


async def _viewed(ids: Sequence[UUID]) -> list[InterestView]:
    """Views in the order of the ids, each with what was agreed about any version of it."""
    rows = {row.id: row for row in await fetch(_Row, _ROWS, list(ids))}
    found: dict[UUID, list[MitigationView]] = {}
    for one in await fetch(_Mitigation, _MITIGATIONS, [row.origin for row in rows.values()]):
        view = MitigationView(
            id=one.id,
            what=one.what,
            agreed_with=one.agreed_with,
            agreed_with_name=one.agreed_with_name,
            recorded_by=one.recorded_by,
            recorded_at=one.recorded_at,
        )
        found.setdefault(one.origin, []).append(view)
    return [_view(rows[one], found.get(rows[one].origin, [])) for one in ids if one in rows]


async def interest_view(interest: UUID) -> InterestView:
    """An interest, inside the current transaction.

    Raises:
        NotFound: there is none, or none the actor may read.
    """
    found = await _viewed([interest])
    if not found:
        raise NotFound
    return found[0]


async def versions_of(interest: UUID) -> list[InterestView]:
    """Every version of an interest that the actor may read, inside the current transaction."""
    return await _viewed([one.id for one in await fetch(Found, _VERSIONS, interest)])


async def my_interests(actor: Actor, cursor: str | None, limit: int) -> Page[InterestView]:
    """Everything the actor ever declared, or a guardian about them, the latest first.

    Raises:
        Malformed: a cursor that is none of the market's.
    """
    before, before_id = read_instant(cursor)
    async with reading(actor):
        found = await fetch(Found, _OF_PERSON, actor.person, before, before_id, limit + 1)
        items = await _viewed([one.id for one in found[:limit]])
    following = cursor_at(items[-1].declared_at, items[-1].id) if len(found) > limit else None
    return Page(items=items, next=following)


async def interests_of(
    organisation: UUID, *, undecided: bool, cursor: str | None, limit: int
) -> Page[InterestView]:
    """The latest versions in an organisation's register, inside the current transaction.

    Raises:
        Malformed: a cursor that is none of the market's.
    """
    after, after_id = (None, None) if cursor is None else name_and_id(cursor)
    found = await fetch(
        Found, _OF_ORGANISATION, organisation, undecided, after, after_id, limit + 1
    )
    items = await _viewed([one.id for one in found[:limit]])
    following = encode_cursor(items[-1].name, str(items[-1].id)) if len(found) > limit else None
    return Page(items=items, next=following)
