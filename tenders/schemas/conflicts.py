"""What the API takes and gives about declarations on duties, exemptions, decisions, delegations."""

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Any, ClassVar
from uuid import UUID

import msgspec
from msgspec import Meta

from tenders.rules.duties import Duty
from tenders.schemas.tenders import Instant, Reason

Words = Annotated[str, Meta(max_length=4_000, pattern=r"^[^\x00]*$")]


class Statement(StrEnum):
    """What somebody says of their interests on taking a duty."""

    NOTHING_TO_DECLARE = "nothing_to_declare"
    AS_REGISTERED = "as_registered"


class DeclareOnDuty(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Declare on taking up one's duties in a tender; until then nothing of it is served.

    `as_registered` points to one's entries in the register of interests, which must be complete.
    """

    statement: Statement
    details: Words = ""

    example: ClassVar[dict[str, Any]] = {"statement": "nothing_to_declare", "details": ""}


class DutyDeclarationView(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody declared on taking up their duties, and when."""

    id: UUID
    person: UUID
    name: str
    statement: Statement
    details: str
    declared_at: datetime


class GrantExemption(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Let one person hold two duties that are otherwise kept apart. It is published."""

    person: UUID
    duties: Annotated[tuple[Duty, Duty], Meta(description="The pair, in either order.")]
    reason: Reason
    expires_at: Instant

    example: ClassVar[dict[str, Any]] = {
        "person": "0b0d6f0e-3d5c-4bb1-8f5e-8b7f3f1f6a11",
        "duties": ["author", "quality_evaluator"],
        "reason": "She is the only clinician in three groups who can judge the medicines lot.",
        "expires_at": "2030-12-31T00:00:00Z",
    }


class EndWithReason(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """End something before its time, and say why."""

    reason: Reason

    example: ClassVar[dict[str, Any]] = {"reason": "Another clinician has joined the panel."}


class ExemptionView(msgspec.Struct, frozen=True, kw_only=True):
    """An exemption, as everybody may read it once the tender is published."""

    id: UUID
    person: UUID
    name: str
    duties: tuple[Duty, Duty]
    reason: str
    granted_by: UUID
    granted_by_name: str
    granted_at: datetime
    expires_at: datetime
    revoked_at: datetime | None
    revoked_because: str | None
    in_force: bool


class DecisionOutcome(StrEnum):
    """What a conflicts guardian can decide about an interest (DOMAIN: meeting options)."""

    NO_ACTION = "no_action"
    MAY_DISCUSS = "may_discuss"
    MUST_LEAVE = "must_leave"
    REMOVED = "removed"


class ConflictSource(StrEnum):
    """By what the market knows of a conflict."""

    SERVICE = "service"
    DECLARED = "declared"
    REGISTERED = "registered"
    CONNECTED = "connected"


class PathView(msgspec.Struct, frozen=True, kw_only=True):
    """One way from a person to a bidder, said as a sentence.

    `strength` is that of its weakest link in per cent: the upper bound of a share, 100 for control,
    office or employment.
    """

    sentence: str
    strength: str
    links: int


class ConflictView(msgspec.Struct, frozen=True, kw_only=True):
    """What stands between one person and one bidder, and what was decided about it.

    `decided` is null while nothing was, or while something has come to be known since.
    """

    person: UUID
    name: str
    bidder: UUID
    bidder_name: str
    sources: list[ConflictSource]
    excusable: bool
    decided: DecisionOutcome | None
    paths: list[PathView]


class DecideConflict(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Decide about one person's interest in one bidder; a removal is for good."""

    person: UUID
    bidder: UUID
    outcome: DecisionOutcome
    reason: Reason
    mitigation: Words = ""

    example: ClassVar[dict[str, Any]] = {
        "person": "0b0d6f0e-3d5c-4bb1-8f5e-8b7f3f1f6a11",
        "bidder": "6f1c2f9e-55c1-4f0e-9a60-0b9d8a5f7f10",
        "outcome": "may_discuss",
        "reason": "Her pension fund holds under one per cent of the bidder's parent.",
        "mitigation": "She answers questions of fact and takes no part in the scores.",
    }


class ConflictDecisionView(msgspec.Struct, frozen=True, kw_only=True):
    """What a conflicts guardian decided, and when. The latest about a bidder counts."""

    id: UUID
    person: UUID
    name: str
    bidder: UUID
    bidder_name: str
    outcome: DecisionOutcome
    reason: str
    mitigation: str
    decided_by: UUID
    decided_by_name: str
    decided_at: datetime


class Delegate(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Let another buying body's people hold award duties in the tenders of one's own."""

    delegate: UUID
    authority: Annotated[
        Reason, Meta(description="The decision it rests on, such as a minute of the board.")
    ]
    starts_on: date
    ends_on: date

    example: ClassVar[dict[str, Any]] = {
        "delegate": "6c2b6a3c-0a3d-5d0c-9a8e-3a3e6a1f9d10",
        "authority": "Governing body, 12 March 2030, item 7: the federation's award team.",
        "starts_on": "2030-04-01",
        "ends_on": "2031-03-31",
    }


class DelegationView(msgspec.Struct, frozen=True, kw_only=True):
    """A delegation of award duties, as everybody may read it."""

    id: UUID
    delegator: UUID
    delegator_name: str
    delegate: UUID
    delegate_name: str
    authority: str
    starts_on: date
    ends_on: date
    recorded_at: datetime
    ended_at: datetime | None
    ended_because: str | None
    in_force: bool
