"""What evaluators read of bids, the scores they give, and what the panel agrees."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from types import MappingProxyType
from typing import Annotated, Any, ClassVar, Final
from uuid import UUID

import msgspec
from msgspec import Meta

from evaluation.rules.exact import Exact
from evaluation.schemas.figures import Reason, ensure_says_something
from market.money import DecimalText
from tenders.rules.criteria import Code

MOST_EVIDENCE: Final = 20


class Evidence(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A place in the bid: the answer to a criterion, words quoted from it, or a page."""

    criterion: Code | None = None
    quotation: Annotated[str, Meta(max_length=2_000, pattern=r"^[^\x00]*\S[^\x00]*$")] | None = None
    page: Annotated[int, Meta(ge=1, le=100_000)] | None = None

    def __post_init__(self) -> None:
        """Refuse evidence that names no place."""
        if self.criterion is None and self.quotation is None and self.page is None:
            message = "Name the criterion, quote the bid or give the page."
            raise ValueError(message)


class Verdict(StrEnum):
    """What a criterion is given that is passed or failed."""

    PASS = "pass"  # noqa: S105  # no password
    FAIL = "fail"


VERDICTS: Final[Mapping[Verdict, Decimal]] = MappingProxyType(
    {Verdict.PASS: Decimal(1), Verdict.FAIL: Decimal(0)}
)
"""Verdicts as they are stored, beside the values of the scale."""


def verdict_of(value: Decimal) -> Verdict:
    """Read a stored verdict."""
    return Verdict.PASS if value == VERDICTS[Verdict.PASS] else Verdict.FAIL


class GiveScore(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A score of one criterion of one bid. Giving it again corrects it; both stay on record.

    A value of the published scale or, for what is passed or failed, a verdict.
    """

    criterion: Code
    value: DecimalText | None = None
    verdict: Verdict | None = None
    reason: Reason
    evidence: Annotated[tuple[Evidence, ...], Meta(max_length=MOST_EVIDENCE)] = ()

    example: ClassVar[dict[str, Any]] = {
        "criterion": "Q1.1",
        "value": "3",
        "reason": "Meets the need with evidence from two groups of the same size.",
        "evidence": [{"criterion": "Q1.1", "page": 4}],
    }

    def __post_init__(self) -> None:
        """Refuse a reason made of blanks, and whatever is not one value or one verdict."""
        ensure_says_something(self.reason)
        if (self.value is None) == (self.verdict is None):
            message = "Give a value of the scale, or a verdict where that is asked for."
            raise ValueError(message)


class AgreeScore(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the panel agreed on one criterion of one bid.

    Where the requirement publishes the mean, no value is given: the market computes it.
    `discussion` is needed where the scores lie further apart than the published tolerance.
    """

    criterion: Code
    value: DecimalText | None = None
    verdict: Verdict | None = None
    reason: Reason
    discussion: Reason | None = None

    example: ClassVar[dict[str, Any]] = {
        "criterion": "Q1.1",
        "value": "3",
        "reason": "Meets the need with evidence from two groups of the same size.",
        "discussion": "One evaluator had missed the second group; all agree it is evidence.",
    }

    def __post_init__(self) -> None:
        """Refuse texts made of blanks, and a value beside a verdict."""
        ensure_says_something(self.reason)
        if self.discussion is not None:
            ensure_says_something(self.discussion)
        if self.value is not None and self.verdict is not None:
            message = "Give a value of the scale or a verdict, not both."
            raise ValueError(message)


class Dissent(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """That an evaluator does not share what was agreed on a criterion of a bid, and why."""

    criterion: Code
    reason: Reason

    example: ClassVar[dict[str, Any]] = {
        "criterion": "Q1.1",
        "reason": "The second group is a tenth of our size; I do not take it for evidence.",
    }

    def __post_init__(self) -> None:
        """Refuse a reason made of blanks."""
        ensure_says_something(self.reason)


class DissentRecorded(msgspec.Struct, frozen=True, kw_only=True):
    """A dissent as it was stored: from which of the agreed scores of a criterion."""

    pseudonym: str
    criterion: str
    agreed_number: int
    dissented_at: datetime


class AnsweredQuestion(msgspec.Struct, frozen=True, kw_only=True):
    """What a bid answers to a published question."""

    criterion: str
    title: str
    question: str
    text: str


class ClarificationGiven(msgspec.Struct, frozen=True, kw_only=True):
    """What a bidder answered when it was asked to explain its bid; it changes nothing in it."""

    number: int
    answer: str


class BidUnderEvaluation(msgspec.Struct, frozen=True, kw_only=True):
    """An opened bid under its pseudonym, without its price; `variant` is 0 for a main bid.

    `failure` says why the quality envelope did not open: such a bid has no answers, is not scored
    and cannot pass. Whose bid it is, its points, and whether it passed are shown once the quality
    of the lot is locked.
    """

    pseudonym: str
    variant: int
    opened: bool
    failure: str | None
    answers: list[AnsweredQuestion]
    clarifications: list[ClarificationGiven]
    supplier: str | None
    quality_points: Exact | None
    passed: bool | None
    failed_because: list[str] | None


class ScoreView(msgspec.Struct, frozen=True, kw_only=True):
    """A score with its reason. `agreed` ones are the panel's, recorded by the moderator.

    `number` counts the corrections of one score; the highest one of its kind is `current`. One that
    `counts` is of an evaluator who can act and is assigned to the criterion; others stay on record.
    A `value` that is a mean is rounded, and given exactly as `mean`.
    """

    pseudonym: str
    criterion: str
    agreed: bool
    person: UUID
    person_name: str
    number: int
    current: bool
    counts: bool
    value: DecimalText
    verdict: Verdict | None
    mean: Exact | None
    reason: str
    discussion: str | None
    evidence: list[Evidence]
    given_at: datetime


class ScoreGiven(msgspec.Struct, frozen=True, kw_only=True):
    """A score as it was stored."""

    pseudonym: str
    criterion: str
    number: int
    value: DecimalText
    given_at: datetime


class ScoresLockedView(msgspec.Struct, frozen=True, kw_only=True):
    """That the acting evaluator has finished a lot."""

    lot: int
    evaluator: UUID
    scores: int
    locked_at: datetime


class DecisionView(msgspec.Struct, frozen=True, kw_only=True):
    """A bid's exact quality points, whether it passes, and if not, why.

    `failed_because` lists `failed:` and `below_minimum:` with the code of a criterion,
    `minimum_quality`, and `not_opened`.
    """

    pseudonym: str
    quality_points: Exact
    percentage: Exact
    passed: bool
    failed_because: list[str]


class QualityLocked(msgspec.Struct, frozen=True, kw_only=True):
    """The quality of a lot as it was decided, for good."""

    lot: int
    stage: str
    version: int
    decisions: list[DecisionView]
