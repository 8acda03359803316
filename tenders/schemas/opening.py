"""What the API takes and gives about declarations and the opening of bids."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, ClassVar
from uuid import UUID

import msgspec
from msgspec import Meta

from market.money import DecimalText
from market.sealing import EnvelopeKind
from tenders.rules.participants import ExclusionGrounds, ParticipantRole

# As many as an organisation register could ever name in one tender; a bound, not a rule.
MOST_DECLARATIONS = 500

Details = Annotated[str, Meta(max_length=4_000, pattern=r"^[^\u0000]*$")]


class Interest(StrEnum):
    """The kinds of interest (NHS England, Managing Conflicts of Interest, 2017), or none."""

    NONE = "none"
    FINANCIAL = "financial"
    NON_FINANCIAL_PROFESSIONAL = "non_financial_professional"
    NON_FINANCIAL_PERSONAL = "non_financial_personal"
    INDIRECT = "indirect"


class ParticipantDeclared(msgspec.Struct, frozen=True, kw_only=True):
    """What the lead declared for a participant in one of its bids."""

    lot_number: int
    variant: int
    share: DecimalText | None
    exclusion_grounds: ExclusionGrounds
    details: str


class ParticipantName(msgspec.Struct, frozen=True, kw_only=True):
    """Who takes part in bids beside their lead.

    What was `declared` tells for which lots, and is there for those alone who may know whose bid
    is whose: until the quality of a lot is decided, not for those who score it.
    """

    role: ParticipantRole
    name: str
    declared: list[ParticipantDeclared]


class BidderView(msgspec.Struct, frozen=True, kw_only=True):
    """An organisation that bids, by name alone: of the bid nothing, beside what is declared.

    `participants` are the members of its consortium and the subcontractors it names.
    """

    organisation: UUID
    name: str
    participants: list[ParticipantName] = []


class Declare(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whether one has an interest in one bidder. Say what it is, unless there is none."""

    bidder: UUID
    interest: Interest
    details: Details = ""


class DeclareAll(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Declarations against some or all bidders of a tender. None can be taken back."""

    declarations: Annotated[tuple[Declare, ...], Meta(min_length=1, max_length=MOST_DECLARATIONS)]

    example: ClassVar[dict[str, Any]] = {
        "declarations": [
            {
                "bidder": "6f1c2f9e-55c1-4f0e-9a60-0b9d8a5f7f10",
                "interest": "none",
                "details": "",
            },
            {
                "bidder": "b1d5a8b4-2a3c-4c6f-8f0a-7d1e2c3b4a59",
                "interest": "indirect",
                "details": "My sister is employed there as an analyst.",
            },
        ]
    }


class DeclarationView(msgspec.Struct, frozen=True, kw_only=True):
    """What one declared about one bidder, and when."""

    id: UUID
    bidder: UUID
    bidder_name: str
    interest: Interest
    details: str
    declared_at: datetime


class DeclarationsView(msgspec.Struct, frozen=True, kw_only=True):
    """One's own declarations in a tender, what is outstanding, and whether one may act on bids."""

    declarations: list[DeclarationView]
    outstanding: list[BidderView]
    may_act: bool


class ConfirmationGiven(msgspec.Struct, frozen=True, kw_only=True):
    """How many openers without an interest have confirmed; with the second one bids are opened."""

    confirmed_by: int
    opened: bool


class OpeningResumed(msgspec.Struct, frozen=True, kw_only=True):
    """How far the opening of the quality envelopes has come, counted over all lots.

    `manifest_faults` counts what is stored otherwise than it was fixed at the deadline; the minutes
    list it.
    """

    opened: int
    failed: int
    remaining: int
    manifest_faults: int


class EnvelopeOpenedView(msgspec.Struct, frozen=True, kw_only=True):
    """That an envelope was opened: `failure` says why its content could not be used, if so."""

    bid: UUID
    kind: EnvelopeKind
    opened_at: datetime
    failure: str | None
