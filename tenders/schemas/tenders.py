"""What the API takes and gives about tenders, their requirement and its review."""

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Any, ClassVar
from uuid import UUID

import msgspec
from msgspec import Meta

from market.money import DecimalText
from tenders.rules.duties import Duty
from tenders.rules.requirement import Requirement
from tenders.rules.stages import RedraftStage, TenderStatus

Instant = Annotated[
    datetime, Meta(tz=True, description="An RFC 3339 instant with its offset from UTC.")
]
Title = Annotated[str, Meta(min_length=1, max_length=200, pattern=r"^[^\x00]*[^\s\x00][^\x00]*$")]
Reason = Annotated[
    str, Meta(min_length=1, max_length=20_000, pattern=r"^[^\x00]*[^\s\x00][^\x00]*$")
]


class CreateTender(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Begin a tender. The organisation one acts for buys; one becomes the tender's manager."""

    title: Title
    demonstration: bool = False
    rule_set_date: Annotated[
        date | None,
        Meta(
            description=(
                "Only for a demonstration in a sandbox: the date whose procurement law governs,"
                " in place of the day of publication."
            )
        ),
    ] = None

    example: ClassVar[dict[str, Any]] = {"title": "Business intelligence for three groups"}


class Timetable(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When questions end, when bids must be in, and when the contract starts."""

    deadline: Instant
    contract_starts: date
    clarifications_until: Instant | None = None

    example: ClassVar[dict[str, Any]] = {
        "clarifications_until": "2030-03-18T12:00:00Z",
        "deadline": "2030-03-28T12:00:00Z",
        "contract_starts": "2030-07-01",
    }


class AddBuyer(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Let another organisation buy in the tender; costs are shared by population."""

    organisation: UUID

    example: ClassVar[dict[str, Any]] = {"organisation": "6c2b6a3c-0a3d-5d0c-9a8e-3a3e6a1f9d10"}


class ReviewOutcome(StrEnum):
    """What an independent reviewer finds."""

    APPROVED = "approved"
    RETURNED = "returned"


class GiveReview(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An independent reviewer's answer to the present version of the requirement."""

    outcome: ReviewOutcome
    comments: Reason

    example: ClassVar[dict[str, Any]] = {
        "outcome": "approved",
        "comments": "The needs are stated without favouring any supplier or product.",
    }


class Abandon(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Give the tender up, for a reason that is published with it."""

    reason: Reason

    example: ClassVar[dict[str, Any]] = {"reason": "The groups will provide the service together."}


class BuyerView(msgspec.Struct, frozen=True, kw_only=True):
    """An organisation that buys, and its share of the costs in per cent."""

    organisation: UUID
    name: str
    population: int
    share: DecimalText


class TimetableView(msgspec.Struct, frozen=True, kw_only=True):
    """The timetable as far as it is settled."""

    clarifications_until: datetime | None
    deadline: datetime | None
    contract_starts: date | None


class LotView(msgspec.Struct, frozen=True, kw_only=True):
    """A published lot: where it stands, and the service lines it asks for."""

    id: UUID
    number: int
    title: str
    stage: str
    version: int
    service_lines: list[str]


class LatestAmendment(msgspec.Struct, frozen=True, kw_only=True):
    """The latest amendment of a tender; all of them are at `/tenders/{tender_id}/amendments`."""

    number: int
    summary: str
    material: bool
    published_at: datetime


class ChangedRequirement(msgspec.Struct, frozen=True, kw_only=True):
    """A changed requirement that is being prepared for an amendment, for those who work on it."""

    number: int
    stage: RedraftStage


class TenderView(msgspec.Struct, frozen=True, kw_only=True):
    """A tender. Lots are shown once it is published; `my_duties` are the caller's own.

    The buyers' shares follow their populations and add up to exactly 100.00.
    """

    id: UUID
    reference: str
    version: int
    status: TenderStatus
    title: str
    buyer: UUID
    buyer_name: str
    buyers: list[BuyerView]
    demonstration: bool
    rule_set: str | None
    rule_set_date: date | None
    timetable: TimetableView
    requirement: Annotated[
        int | None,
        Meta(description="The number of the published version of the requirement, or the latest."),
    ]
    changed_requirement: ChangedRequirement | None
    amendments: Annotated[int, Meta(description="How many amendments were published.")]
    latest_amendment: LatestAmendment | None
    lots: list[LotView]
    my_duties: list[Duty]
    duties_to_take_up: Annotated[
        list[Duty],
        Meta(description="Given to the caller; in force once they declare on taking them."),
    ]
    created_at: datetime
    published_at: datetime | None
    opened_at: datetime | None
    abandoned_at: datetime | None
    abandoned_because: str | None


class TenderSummary(msgspec.Struct, frozen=True, kw_only=True):
    """A tender in a list."""

    id: UUID
    reference: str
    title: str
    status: TenderStatus
    buyer: UUID
    buyer_name: str
    demonstration: bool
    service_lines: list[str]
    deadline: datetime | None
    created_at: datetime
    published_at: datetime | None


class RequirementView(msgspec.Struct, frozen=True, kw_only=True):
    """A version of the requirement. `version` is the tender's, as in the ETag.

    `digest` is the SHA-256 of `content` as RFC 8785 canonical JSON, so that anybody can check
    that what was published did not change.
    """

    tender: UUID
    version: int
    number: int
    digest: str
    edited_at: datetime
    content: Requirement


class StoredRequirement(msgspec.Struct, frozen=True, kw_only=True):
    """A RequirementView whose content goes out as it is stored, neither read nor written again."""

    tender: UUID
    version: int
    number: int
    digest: str
    edited_at: datetime
    content: msgspec.Raw


class ReviewView(msgspec.Struct, frozen=True, kw_only=True):
    """What a reviewer said of a version, and when."""

    reviewer: UUID
    reviewer_name: str
    outcome: ReviewOutcome
    comments: str
    reviewed_at: datetime


class RequirementVersionView(msgspec.Struct, frozen=True, kw_only=True):
    """Who wrote a version of the requirement and when, and what reviewers said of it."""

    number: int
    digest: str
    edited_by: UUID
    editor_name: str
    organisation: UUID
    edited_at: datetime
    reviews: list[ReviewView]


class EventView(msgspec.Struct, frozen=True, kw_only=True):
    """One act in the tender's record."""

    id: UUID
    occurred_at: datetime
    action: str
    person: UUID | None
    person_name: str | None
    organisation: UUID | None
    subject_kind: str
    subject: UUID
    request: str
    details: dict[str, str | int | bool | list[str] | None]
