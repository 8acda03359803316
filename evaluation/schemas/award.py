"""Recommendation, approvals, notices, standstill and contract."""

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Any, ClassVar
from uuid import UUID

import msgspec
from msgspec import Meta

from evaluation.rules.notice_content import NoticeContent
from evaluation.schemas.figures import Comment, Reason, ensure_says_something
from evaluation.schemas.lines import LINE
from market.money import Money

Pseudonym = Annotated[str, Meta(min_length=1, max_length=20)]
Reference = Annotated[str, Meta(min_length=1, max_length=60, pattern=LINE)]


class Recommend(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Recommend the bid that alone ranks first."""

    pseudonym: Pseudonym
    reason: Reason

    example: ClassVar[dict[str, Any]] = {
        "pseudonym": "Bidder A",
        "reason": "It has the most points of quality and price together.",
    }

    def __post_init__(self) -> None:
        """Refuse a reason made of blanks."""
        ensure_says_something(self.reason)


class ApprovalOutcome(StrEnum):
    """What an approver answers to a recommendation."""

    APPROVED = "approved"
    RETURNED = "returned"


class Approve(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An approver's answer to the present recommendation."""

    outcome: ApprovalOutcome
    reason: Comment

    example: ClassVar[dict[str, Any]] = {
        "outcome": "approved",
        "reason": "The record shows how each score was reached.",
    }


class ApprovalView(msgspec.Struct, frozen=True, kw_only=True):
    """One approver's answer; `lay` says that they are a lay member."""

    approver: UUID
    approver_name: str
    lay: bool
    outcome: ApprovalOutcome
    reason: str
    decided_at: datetime


class RecommendationView(msgspec.Struct, frozen=True, kw_only=True):
    """The present recommendation and what approvers have answered to it."""

    number: int
    pseudonym: str
    supplier: str
    reason: str
    recommended_by: UUID
    recommended_at: datetime
    approvals: list[ApprovalView]


class RecommendationGiven(msgspec.Struct, frozen=True, kw_only=True):
    """A new recommendation, and where it took the lot."""

    number: int
    pseudonym: str
    recommended_at: datetime
    lot: int
    stage: str
    version: int


class ApprovalGiven(msgspec.Struct, frozen=True, kw_only=True):
    """An approver's answer as it was stored, and where it took the lot.

    The lot is awarded with the answer that completes the quorum, a lay member in it.
    """

    outcome: ApprovalOutcome
    lay: bool
    decided_at: datetime
    approved: int
    quorum: int
    lot: int
    stage: str
    version: int


class NoticesSent(msgspec.Struct, frozen=True, kw_only=True):
    """That every bidder of the lot has its notice, and when the standstill ends."""

    lot: int
    stage: str
    version: int
    notices: int
    sent_at: datetime
    standstill_ends_at: datetime


class NoticeView(msgspec.Struct, frozen=True, kw_only=True):
    """What one bidder was told, word for word. Its page and PDF are found by its id."""

    id: UUID
    recipient: UUID
    recipient_name: str
    sent_at: datetime
    content: NoticeContent


class MakeContract(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The contract that one buyer made for a lot, by its own reference.

    `buyer` may be left out where the tender has one buyer. The value is not given: it is the
    buyer's share of the awarded price.
    """

    buyer: UUID | None = None
    reference: Reference
    starts: date
    ends: date

    example: ClassVar[dict[str, Any]] = {
        "reference": "BLMK-2030-17",
        "starts": "2030-07-01",
        "ends": "2033-06-30",
    }

    def __post_init__(self) -> None:
        """Refuse a contract that ends before it starts."""
        if self.ends <= self.starts:
            message = "A contract ends after it starts."
            raise ValueError(message)


class YearValue(msgspec.Struct, frozen=True, kw_only=True):
    """What the months of the term that fall into one of its years are worth."""

    year: int
    months: int
    value: Money


class ContractDates(msgspec.Struct, frozen=True, kw_only=True):
    """A contract by its buyer's reference, from when to when."""

    reference: str
    starts: date
    ends: date
    made_at: datetime


class ContractView(ContractDates, frozen=True, kw_only=True):
    """The contract of one buyer for a lot.

    `value` is its share of the awarded price by population; `years` divides it over the published
    term, and adds up to it.
    """

    buyer: UUID
    buyer_name: str
    value: Money
    years: list[YearValue]


class ContractMadeView(msgspec.Struct, frozen=True, kw_only=True):
    """The contract as it was recorded, and where it took the lot.

    The lot is contracted with the contract that completes those of all buyers that take part.
    """

    lot: int
    stage: str
    version: int
    contract: ContractView


class AwardView(msgspec.Struct, frozen=True, kw_only=True):
    """What everybody may know of an award once the bidders have been told.

    `contract_value` is the winning bid's total price. Prices of other bids are never shown.
    """

    tender: UUID
    reference: str
    lot: int
    title: str
    stage: str
    supplier: str
    organisation: UUID
    contract_value: Money
    bids: int
    method: str
    method_version: int
    awarded_at: datetime
    notified_at: datetime
    standstill_ends_at: datetime
    contracts: list[ContractView]
