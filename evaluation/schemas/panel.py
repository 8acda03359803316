"""The panel of a lot: who scores what, and how far each of them is."""

from datetime import datetime
from typing import Annotated, Any, ClassVar, Final
from uuid import UUID

import msgspec
from msgspec import Meta

from evaluation.schemas.figures import Comment
from tenders.rules.criteria import MAXIMUM_CRITERIA, Code

MOST_EVALUATORS: Final = 50


class Seat(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An evaluator, and the codes of the criteria they score."""

    person: UUID
    criteria: Annotated[tuple[Code, ...], Meta(min_length=1, max_length=MAXIMUM_CRITERIA)]


class SetPanel(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who scores what in a lot; it replaces what was set before, whole.

    Once scoring has begun it needs a reason.
    """

    evaluators: Annotated[tuple[Seat, ...], Meta(min_length=1, max_length=MOST_EVALUATORS)]
    because: Comment | None = None

    example: ClassVar[dict[str, Any]] = {
        "evaluators": [
            {"person": "5b0c1f9e-6c1d-4f0e-9a52-0d7c6f0b2a11", "criteria": ["Q1.1", "Q2"]},
            {"person": "9e4a7c3d-1f2b-4c8e-8b1a-2f6d5e4c3b22", "criteria": ["Q1.1", "Q2"]},
        ],
        "because": "An evaluator was recused; a colleague takes over.",
    }


class SeatView(msgspec.Struct, frozen=True, kw_only=True):
    """An evaluator of a lot. `able` says, once the bids are open, whether they can act.

    How many scores they have given of those needed is shown to themselves, the moderator, the
    tender manager and the guardian; no score is.
    """

    person: UUID
    name: str
    criteria: list[str]
    able: bool | None
    needed: int | None
    given: int | None
    locked_at: datetime | None


class CoverageView(msgspec.Struct, frozen=True, kw_only=True):
    """How many evaluators a criterion has and, once the bids are open, how many can act."""

    criterion: str
    evaluators: int
    able: int | None


class PanelView(msgspec.Struct, frozen=True, kw_only=True):
    """The panel of a lot. `version` is in the ETag: 1 as long as nobody has been assigned.

    Until then every quality evaluator of the tender scores everything.
    """

    lot: int
    version: int
    assigned: bool
    because: str | None
    set_at: datetime | None
    evaluators_minimum: int
    evaluators: list[SeatView]
    criteria: list[CoverageView]
