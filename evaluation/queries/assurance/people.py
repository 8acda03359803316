"""Everybody with a duty in a tender, and what is known of each, as the report shows it."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, datetime
from typing import Protocol, TypeVar
from uuid import UUID

import msgspec

from evaluation.schemas.assurance import (
    AboutBidder,
    Connection,
    DelegatedBy,
    DutyHeld,
    ExemptionHeld,
    GuardianDecision,
    OnTakingDuty,
    PersonInTender,
    RegisteredInterest,
    Source,
    Suspension,
)
from market.database import fetch
from tenders.rules.duties import AWARD_DUTIES, Duty
from tenders.schemas.conflicts import DecisionOutcome, Statement
from tenders.schemas.opening import Interest

_DUTIES = "SELECT * FROM assurance_duties($1) ORDER BY given_at, duty"
_ON_DUTY = "SELECT * FROM assurance_duty_declarations($1) ORDER BY declared_at"
_INTERESTS = "SELECT * FROM assurance_interests($1) ORDER BY declared_at, counterparty"
_ABOUT_BIDDERS = """
SELECT d.*, o.name AS bidder_name FROM assurance_declarations($1) d
LEFT JOIN organisation o ON o.id = d.bidder ORDER BY d.declared_at, o.name
"""
_CONNECTIONS = """
SELECT c.person, c.bidder, o.name AS bidder_name, c.finding AS source, c.kind, c.through, c.known_at
FROM assurance_connections($1) c LEFT JOIN organisation o ON o.id = c.bidder
ORDER BY c.known_at, o.name, c.finding, c.kind, c.through
"""
_DECISIONS = """
SELECT c.*, o.name AS bidder_name FROM assurance_decisions($1) c
LEFT JOIN organisation o ON o.id = c.bidder ORDER BY c.decided_at, o.name
"""
_EXEMPTIONS = """
SELECT e.person, e.one, e.other, e.reason, g.name AS granted_by_name, e.granted_at, e.expires_at,
       r.revoked_at, r.reason AS revoked_because
FROM exemption e JOIN person g ON g.id = e.granted_by
LEFT JOIN exemption_revocation r ON r.exemption = e.id
WHERE e.tender = $1 ORDER BY e.granted_at, e.id
"""
_DELEGATIONS = """
SELECT g.delegate, g.delegator, o.name AS delegator_name, g.authority, g.starts_on, g.ends_on,
       g.recorded_at, n.ended_at
FROM award_delegation g JOIN organisation o ON o.id = g.delegator
LEFT JOIN award_delegation_ending n ON n.delegation = g.id
WHERE g.delegator IN (SELECT b.organisation FROM tender_buyer b WHERE b.tender = $1)
  AND g.delegate IN (SELECT d.organisation FROM duty d WHERE d.tender = $1)
ORDER BY g.recorded_at, g.id
"""


class _Duty(msgspec.Struct, frozen=True):
    person: UUID
    name: str
    duty: Duty
    organisation: UUID
    organisation_name: str
    given_at: datetime
    given_by_name: str | None
    taken_up_at: datetime | None
    released_at: datetime | None
    suspended_because: Suspension | None


class _OnDuty(msgspec.Struct, frozen=True):
    person: UUID
    statement: Statement
    details: str | None
    declared_at: datetime


class _AboutBidder(msgspec.Struct, frozen=True):
    person: UUID
    bidder: UUID | None
    bidder_name: str | None
    interest: Interest
    details: str | None
    declared_at: datetime


class _Interest(msgspec.Struct, frozen=True):
    person: UUID
    kind: str | None
    relationship: str | None
    counterparty: str | None
    withheld: bool
    starts_on: date | None
    ends_on: date | None
    declared_at: datetime


class _Connection(msgspec.Struct, frozen=True):
    person: UUID
    bidder: UUID | None
    bidder_name: str | None
    source: Source
    kind: str
    through: str | None
    known_at: datetime


class _Decision(msgspec.Struct, frozen=True):
    person: UUID
    bidder: UUID | None
    bidder_name: str | None
    outcome: DecisionOutcome
    reason: str | None
    mitigation: str
    decided_by_name: str
    decided_at: datetime


class _Exemption(msgspec.Struct, frozen=True):
    person: UUID
    one: Duty
    other: Duty
    reason: str
    granted_by_name: str
    granted_at: datetime
    expires_at: datetime
    revoked_at: datetime | None
    revoked_because: str | None


class _Delegation(msgspec.Struct, frozen=True):
    delegate: UUID
    delegator: UUID
    delegator_name: str
    authority: str
    starts_on: date
    ends_on: date
    recorded_at: datetime
    ended_at: datetime | None


class _OfPerson(Protocol):
    @property
    def person(self) -> UUID: ...


Row = TypeVar("Row", bound=_OfPerson)
View = TypeVar("View", bound=msgspec.Struct)


async def people_in(tender_id: UUID) -> list[PersonInTender]:
    """Those with a duty, by name, each with everything that is known of them here."""
    duties = await fetch(_Duty, _DUTIES, tender_id)
    delegations = await fetch(_Delegation, _DELEGATIONS, tender_id)
    names = {row.person: row.name for row in duties}
    held = _by_person(duties)
    on_duty = _by_person(await fetch(_OnDuty, _ON_DUTY, tender_id))
    about = _by_person(await fetch(_AboutBidder, _ABOUT_BIDDERS, tender_id))
    interests = _by_person(await fetch(_Interest, _INTERESTS, tender_id))
    connections = _by_person(await fetch(_Connection, _CONNECTIONS, tender_id))
    decisions = _by_person(await fetch(_Decision, _DECISIONS, tender_id))
    exemptions = _by_person(await fetch(_Exemption, _EXEMPTIONS, tender_id))
    return [
        PersonInTender(
            person=person,
            name=names[person],
            duties=[_duty(row, delegations) for row in held[person]],
            on_taking_duty=_views(on_duty[person], OnTakingDuty),
            about_bidders=_views(about[person], AboutBidder),
            interests=_views(interests[person], RegisteredInterest),
            connections=_views(connections[person], Connection),
            decisions=_views(decisions[person], GuardianDecision),
            exemptions=[_exemption(row) for row in exemptions[person]],
        )
        for person in sorted(names, key=lambda one: (names[one], one))
    ]


def _by_person(rows: list[Row]) -> defaultdict[UUID, list[Row]]:
    found: defaultdict[UUID, list[Row]] = defaultdict(list)
    for row in rows:
        found[row.person].append(row)
    return found


def _views(rows: Sequence[object], kind: type[View]) -> list[View]:
    return [msgspec.convert(row, kind, from_attributes=True) for row in rows]


def _duty(row: _Duty, delegations: Sequence[_Delegation]) -> DutyHeld:
    under = [
        msgspec.convert(one, DelegatedBy, from_attributes=True)
        for one in delegations
        if row.duty in AWARD_DUTIES and one.delegate == row.organisation
    ]
    return DutyHeld(
        duty=row.duty,
        organisation=row.organisation,
        organisation_name=row.organisation_name,
        given_at=row.given_at,
        given_by_name=row.given_by_name,
        taken_up_at=row.taken_up_at,
        released_at=row.released_at,
        suspended_because=row.suspended_because,
        delegated_by=under,
    )


def _exemption(row: _Exemption) -> ExemptionHeld:
    return ExemptionHeld(
        duties=(row.one, row.other),
        reason=row.reason,
        granted_by_name=row.granted_by_name,
        granted_at=row.granted_at,
        expires_at=row.expires_at,
        revoked_at=row.revoked_at,
        revoked_because=row.revoked_because,
    )
