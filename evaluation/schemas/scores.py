"""What evaluators read of bids, the scores they give, and what the panel agrees."""

from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

import msgspec

from evaluation.rules.exact import Exact
from evaluation.schemas.figures import Reason, ensure_says_something
from market.money import DecimalText
from tenders.rules.requirement import Code


class GiveScore(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A score of one criterion of one bid. Giving it again corrects it; both stay on record."""

    criterion: Code
    value: DecimalText
    reason: Reason

    example: ClassVar[dict[str, Any]] = {
        "criterion": "Q1.1",
        "value": "3",
        "reason": "Meets the need with evidence from two groups of the same size.",
    }

    def __post_init__(self) -> None:
        """Refuse a reason made of blanks."""
        ensure_says_something(self.reason)


class AnsweredQuestion(msgspec.Struct, frozen=True, kw_only=True):
    """What a bid answers to a published question."""

    criterion: str
    title: str
    question: str
    text: str


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
    supplier: str | None
    quality_points: Exact | None
    passed: bool | None


class ScoreView(msgspec.Struct, frozen=True, kw_only=True):
    """A score with its reason. `agreed` ones are the panel's, recorded by the moderator.

    `number` counts the corrections of one score; the highest one of its kind is `current`.
    """

    pseudonym: str
    criterion: str
    agreed: bool
    person: UUID
    person_name: str
    number: int
    current: bool
    value: DecimalText
    reason: str
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
    """A bid's exact quality points, and whether they meet the published minimum."""

    pseudonym: str
    quality_points: Exact
    percentage: Exact
    passed: bool


class QualityLocked(msgspec.Struct, frozen=True, kw_only=True):
    """The quality of a lot as it was decided, for good."""

    lot: int
    stage: str
    version: int
    decisions: list[DecisionView]
