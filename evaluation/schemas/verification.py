"""The winner's verification: what it is checked for, and what was found."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, ClassVar
from uuid import UUID

import msgspec
from msgspec import Meta

from evaluation.schemas.figures import Reason, ensure_says_something


class CheckSubject(StrEnum):
    """What is checked of the lead or, of those who take part in its bid, the grounds alone."""

    EXCLUSION_GROUNDS = "exclusion_grounds"
    FINANCIAL_STANDING = "financial_standing"
    INSURANCE = "insurance"


class CheckOutcome(StrEnum):
    """Found as declared, found otherwise, or not insisted on for a reason that is recorded."""

    VERIFIED = "verified"
    NOT_MET = "not_met"
    WAIVED = "waived"


class RecordCheck(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What was found of one thing. `participant` is who was checked, if not the lead of the bid.

    `evidence` says where the evidence is kept or was seen.
    """

    check: CheckSubject
    participant: UUID | None = None
    outcome: CheckOutcome
    reason: Reason
    evidence: Annotated[
        str, Meta(min_length=1, max_length=1_000, pattern=r"^[^\u0000]*\S[^\u0000]*$")
    ]

    example: ClassVar[dict[str, Any]] = {
        "check": "insurance",
        "outcome": "verified",
        "reason": "The certificates cover the sums that the requirement asks for.",
        "evidence": "Certificate 4711 of 1 March, file P-12",
    }

    def __post_init__(self) -> None:
        """Refuse a reason of blanks."""
        ensure_says_something(self.reason)


class CheckRecorded(msgspec.Struct, frozen=True, kw_only=True):
    """A check as it was stored. `verified` says that every check is verified or waived."""

    lot: int
    number: int
    recorded_at: datetime
    verified: bool


class AwardCheckView(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that is checked, of whom, what was declared of it, and what was found last.

    What the lead declared for itself is in its bid; `declared` is what it declared for another.
    """

    check: CheckSubject
    participant: UUID | None
    name: str
    declared: str | None
    number: int | None
    outcome: CheckOutcome | None
    reason: str | None
    evidence: str | None
    recorded_at: datetime | None


class AwardChecks(msgspec.Struct, frozen=True, kw_only=True):
    """Everything the winner of the award that stands is checked for."""

    lot: int
    version: int
    verified: bool
    checks: list[AwardCheckView]
