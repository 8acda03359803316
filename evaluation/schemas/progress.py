"""Where the evaluation of a lot stands, and who has to do what next."""

from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

import msgspec

from evaluation.schemas.award import RecommendationView
from evaluation.schemas.figures import Comment


class EvaluatorProgress(msgspec.Struct, frozen=True, kw_only=True):
    """How many scores an evaluator has given of those they must give; no score is shown."""

    person: UUID
    name: str
    given: int
    needed: int
    locked_at: datetime | None


class MissingView(msgspec.Struct, frozen=True, kw_only=True):
    """Something that has to be done before the lot can go on, and who has to do it."""

    who: str
    what: str


class StandstillView(msgspec.Struct, frozen=True, kw_only=True):
    """The standstill of a lot: fixed when the notices were sent, and never changed."""

    rule_set: str
    began_at: datetime
    ends_at: datetime
    over: bool


class EvaluationView(msgspec.Struct, frozen=True, kw_only=True):
    """The evaluation of a lot. `version` is in the ETag that acts on the lot need.

    `round` is 1 until a challenge has the lot evaluated anew.

    Counts are shown once the bids are opened, to people without an interest who have declared.
    """

    tender: UUID
    lot: int
    title: str
    stage: str
    round: int
    version: int
    bids: int | None
    evaluators: list[EvaluatorProgress]
    agreed_scores: int | None
    agreed_scores_needed: int | None
    missing: list[MissingView]
    recommendation: RecommendationView | None
    standstill: StandstillView | None
    abandoned_because: str | None


class LotMoved(msgspec.Struct, frozen=True, kw_only=True):
    """Where an act on a lot took it."""

    lot: int
    stage: str
    version: int


class AbandonLot(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Give a lot up, for a reason that is published with it."""

    reason: Comment

    example: ClassVar[dict[str, Any]] = {
        "reason": "No bid reached the minimum quality; the need will be described anew."
    }
