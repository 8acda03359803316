"""What becomes of a contract: indicators, changes, milestones, outcome."""

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Any, ClassVar
from uuid import UUID

import msgspec
from msgspec import Meta

from evaluation.rules.contract_rules import ChangeGround
from evaluation.schemas.award import ContractView
from evaluation.schemas.figures import Comment, Reason, ensure_says_something
from evaluation.schemas.lines import LINE
from market.money import DecimalText, Money

Title = Annotated[str, Meta(min_length=1, max_length=200, pattern=LINE)]
Unit = Annotated[str, Meta(min_length=1, max_length=60, pattern=LINE)]


class Direction(StrEnum):
    """How a value is held against its target."""

    AT_LEAST = "at_least"
    AT_MOST = "at_most"


class SetKpi(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A key performance indicator; `baseline` is the value at the award, where it is known."""

    title: Title
    measure: Comment
    unit: Unit
    direction: Direction
    target: DecimalText
    baseline: DecimalText | None = None

    example: ClassVar[dict[str, Any]] = {
        "title": "Reports on time",
        "measure": "Share of monthly reports delivered by the tenth working day.",
        "unit": "per cent",
        "direction": "at_least",
        "target": "95",
        "baseline": "81.5",
    }


class KpiSet(msgspec.Struct, frozen=True, kw_only=True):
    """An indicator as it was stored, and how many more the contract needs."""

    number: int
    set_at: datetime
    lacking: int


class AssessKpi(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What was measured in a period. Whether the target was met is computed."""

    period_from: date
    period_to: date
    value: DecimalText
    evidence: Comment

    example: ClassVar[dict[str, Any]] = {
        "period_from": "2030-07-01",
        "period_to": "2030-12-31",
        "value": "97.5",
        "evidence": "Delivery log of the service desk, July to December.",
    }

    def __post_init__(self) -> None:
        """Refuse a period that ends before it begins."""
        if self.period_to <= self.period_from:
            message = "A period ends after it begins."
            raise ValueError(message)


class KpiAssessed(msgspec.Struct, frozen=True, kw_only=True):
    """An assessment as it was stored; `met` is computed from value and target."""

    number: int
    value: DecimalText
    met: bool
    assessed_at: datetime


class PublishKpis(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Publish everything measured up to a day, with every indicator assessed."""

    through: date

    example: ClassVar[dict[str, Any]] = {"through": "2031-06-30"}


class KpisPublished(msgspec.Struct, frozen=True, kw_only=True):
    """That everything measured up to a day is public, and when the next publication is due."""

    through: date
    published_at: datetime
    next_due: date


class ChangeContract(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A change of a contract: what is different after it, on what ground, and why.

    `buyer` may be left out where the lot has one contract. What is left out stays as it is.
    """

    buyer: UUID | None = None
    ground: ChangeGround
    reason: Reason
    value: Money | None = None
    ends: date | None = None
    scope: Comment | None = None

    example: ClassVar[dict[str, Any]] = {
        "ground": "not_substantial",
        "reason": "The monthly report is replaced by a dashboard, at the same price.",
        "scope": "A dashboard in place of the monthly report.",
    }

    def __post_init__(self) -> None:
        """Refuse a reason made of blanks."""
        ensure_says_something(self.reason)


class SetMilestone(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is to be done under a contract by a day; `buyer` as in a change."""

    buyer: UUID | None = None
    title: Title
    due: date

    example: ClassVar[dict[str, Any]] = {"title": "Dashboards in use", "due": "2030-10-01"}


class MeetMilestone(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """On which day a milestone was met, and what shows it; `buyer` as in a change."""

    buyer: UUID | None = None
    met_on: date
    evidence: Comment

    example: ClassVar[dict[str, Any]] = {
        "met_on": "2026-01-05",
        "evidence": "Acceptance note of the informatics team.",
    }


class YearlyCost(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the service costs a buyer in a year before the contract."""

    buyer: UUID
    cost: Money


class AccessBetter(StrEnum):
    """Whether more of the measure of access is better, or less."""

    HIGHER = "higher"
    LOWER = "lower"


class RecordBaseline(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the service costs each buyer a year, and how good access is, before the contract."""

    yearly_costs: Annotated[list[YearlyCost], Meta(min_length=1, max_length=250)]
    access_measure: Comment
    access_unit: Unit
    access_better: AccessBetter
    access_value: DecimalText

    example: ClassVar[dict[str, Any]] = {
        "yearly_costs": [
            {
                "buyer": "9b4a0e6c-3c7e-4a52-9a27-6f0d0f7b7f00",
                "cost": {"amount": "310000.00", "currency": "GBP"},
            }
        ],
        "access_measure": "Median days from a practice's question to the analysts' answer.",
        "access_unit": "days",
        "access_better": "lower",
        "access_value": "21",
    }


class BaselineView(RecordBaseline, frozen=True, kw_only=True):
    """The baseline as it was recorded at the award."""

    recorded_at: datetime


class ReviewKind(StrEnum):
    """Whether a year or the whole was reviewed."""

    YEARLY = "yearly"
    FINAL = "final"


class RecordOutcomeReview(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The figures of the twelve months that ended on a day, and the reviewer's narrative.

    `yearly_cost` is what the buyers with a contract paid together in these months; `access_value`
    the baseline's measure of access, measured again.
    """

    kind: ReviewKind
    through: date
    yearly_cost: Money
    access_value: DecimalText | None = None
    narrative: Reason

    example: ClassVar[dict[str, Any]] = {
        "kind": "yearly",
        "through": "2031-06-30",
        "yearly_cost": {"amount": "287500.00", "currency": "GBP"},
        "narrative": "Cheaper by the shared team; questions are answered in half the time.",
    }

    def __post_init__(self) -> None:
        """Refuse a narrative made of blanks."""
        ensure_says_something(self.narrative)


class OutcomeReviewView(msgspec.Struct, frozen=True, kw_only=True):
    """A published outcome review.

    `cost_lowered` and `access_improved` are computed against the baseline of the buyers that have
    a contract; they are null where no baseline was recorded at the award.
    """

    number: int
    kind: ReviewKind
    through: date
    yearly_cost: Money
    cost_before: Money | None
    cost_lowered: bool | None
    access_value: DecimalText | None
    access_improved: bool | None
    narrative: str
    reviewer: str
    reviewed_at: datetime


class AssessmentView(msgspec.Struct, frozen=True, kw_only=True):
    """What was measured of an indicator in a period."""

    period_from: date
    period_to: date
    value: DecimalText
    met: bool
    evidence: str


class KpiView(msgspec.Struct, frozen=True, kw_only=True):
    """An indicator and what was measured of it."""

    number: int
    title: str
    measure: str
    unit: str
    direction: Direction
    target: DecimalText
    baseline: DecimalText | None
    assessments: list[AssessmentView]


class KpisView(msgspec.Struct, frozen=True, kw_only=True):
    """The indicators of a lot: how many more it needs before a contract, and what was published."""

    lacking: int
    published_through: date | None
    next_due: date | None
    kpis: list[KpiView]


class ChangeView(msgspec.Struct, frozen=True, kw_only=True):
    """A change of a contract: value and end after it, and how far they are from the award.

    The percentages are of what was awarded, rounded for display. `flagged` says that with those
    before it the change comes to a tenth of the value or of the term that were awarded. `source`
    is the rule that gives the ground.
    """

    number: int
    ground: ChangeGround
    source: str
    reason: str
    value: Money
    value_changed_percent: str
    ends: date
    term_changed_percent: str
    scope: str | None
    flagged: bool
    recorded_at: datetime


class MilestoneView(msgspec.Struct, frozen=True, kw_only=True):
    """A milestone, and when it was met; `late` compares that day, or today, with the due one."""

    number: int
    title: str
    due: date
    met_on: date | None
    evidence: str | None
    late: bool


class RunningContract(ContractView, frozen=True, kw_only=True):
    """A contract with its changes and milestones. `value` and `years` are as awarded."""

    changes: list[ChangeView]
    milestones: list[MilestoneView]


class PerformanceView(msgspec.Struct, frozen=True, kw_only=True):
    """What everybody may know of a lot's contracts: how they run, and whether they did good."""

    tender: UUID
    reference: str
    lot: int
    title: str
    contracts: list[RunningContract]
    kpis: KpisView
    baseline: BaselineView | None
    reviews: list[OutcomeReviewView]


class TrackedLot(PerformanceView, frozen=True, kw_only=True):
    """A lot that a supplier won, how its contracts run, and where the record of each part is.

    Counts are of what is published; `sources` are paths of this API.
    """

    tender_title: str
    demonstration: bool
    awarded_at: datetime
    assessments: int
    assessments_met: int
    sources: dict[str, str]
