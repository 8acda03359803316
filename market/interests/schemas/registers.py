"""What the API gives of the public registers, and what it may remove of the kept ones."""

from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

import msgspec

from market.actor import Role
from market.interests.rules.interests import InterestKind, Relationship
from market.interests.rules.registers import Publication
from market.interests.rules.thresholds import GiftKind, GiftSource
from market.money import Money


class PublicInterest(msgspec.Struct, frozen=True, kw_only=True):
    """A line of the public register of interests.

    Of a withheld interest nothing is shown but whose it is. `positions` are held now or were within
    the last six months; `left_on` is given of who is decision-making staff no more.
    """

    id: UUID
    name: str
    positions: list[Role]
    left_on: date | None
    publication: Publication
    counterparty: str | None
    business: str | None
    kind: InterestKind | None
    indirect: bool | None
    associate: str | None
    relationship: Relationship | None
    nature: str | None
    share: str | None
    starts_on: date | None
    ended_on: date | None
    actions: list[str] | None


class PublicGift(msgspec.Struct, frozen=True, kw_only=True):
    """A line of the public register of gifts and hospitality; nothing of it where withheld."""

    id: UUID
    name: str
    positions: list[Role]
    publication: Publication
    offered_on: date | None
    received_on: date | None
    kind: GiftKind | None
    source: GiftSource | None
    detail: str | None
    value: Money | None
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


class PublicBreach(msgspec.Struct, frozen=True, kw_only=True):
    """A breach of the rules on conflicts of interest, anonymised."""

    id: UUID
    text: str
    published_at: datetime


class KeptKind(StrEnum):
    """The kinds of records that are kept for six years."""

    INTEREST = "interest"
    INTEREST_CONFIRMATION = "interest_confirmation"
    GIFT = "gift"
    CONFLICT_BREACH = "conflict_breach"


class RecordPastKeeping(msgspec.Struct, frozen=True, kw_only=True):
    """A record whose six years are over: it may be removed, and nothing removes it by itself."""

    kind: KeptKind
    id: UUID
    kept_until: date
