"""What the API takes and gives about gifts and hospitality."""

from datetime import date, datetime
from typing import Any, ClassVar
from uuid import UUID

import msgspec

from market.actor import Role
from market.interests.rules.gifts import GiftContent
from market.interests.rules.registers import Publication
from market.interests.rules.texts import Paragraph
from market.interests.rules.thresholds import Departure, Expectation, GiftKind, GiftSource
from market.interests.schemas.interests import ConsentDecisionView
from market.money import Money


class DeclareGift(GiftContent, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Declare an offer made to oneself, or as guardian to a member, the `person`."""

    person: UUID | None = None

    example: ClassVar[dict[str, Any]] = GiftContent.example


class CorrectGift(GiftContent, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The whole of an offer as it should have been declared."""

    example: ClassVar[dict[str, Any]] = GiftContent.example


class ReviewGift(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Review an offer: senior approval, or that there is none, with a comment."""

    approves: bool
    comment: Paragraph

    example: ClassVar[dict[str, Any]] = {
        "approves": True,
        "comment": "Every speaker was invited, and the body has no business with the host.",
    }


class GiftReviewView(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody senior decided about an offer."""

    approves: bool
    comment: str
    reviewed_by: UUID
    reviewed_by_name: str
    reviewed_at: datetime


class GiftView(msgspec.Struct, frozen=True, kw_only=True):
    """An offer, for its recipient and those who read the private part.

    `edition` is the edition of the guidance in force on the day of the offer, `expectation` what it
    asked for, `requirement` that in words, and `departure` how what was done departs from it.
    """

    id: UUID
    person: UUID
    name: str
    positions: list[Role]
    for_organisation: UUID
    kind: GiftKind
    source: GiftSource
    detail: str
    value: Money
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
    edition: str | None
    expectation: Expectation
    requirement: str
    departure: Departure | None
    review: GiftReviewView | None
    declared_at: datetime
    entered_by: UUID
    consents: bool
    consent_refused_because: str | None
    consent_decision: ConsentDecisionView | None
    publication: Publication
    supersedes: UUID | None
    superseded_by: UUID | None


class BandView(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked for up to a limit in pounds, `including` it or not; no limit: beyond."""

    up_to: Money | None
    including: bool
    expectation: Expectation
    requirement: str


class ThresholdsView(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked for of one kind of offer from one source."""

    kind: GiftKind
    source: GiftSource
    bands: list[BandView]


class EditionView(msgspec.Struct, frozen=True, kw_only=True):
    """The thresholds of one edition of the guidance; the next edition's start ends it."""

    name: str
    starts_on: date
    source: str
    thresholds: list[ThresholdsView]
