"""The stages of a tender: what may follow what, and what time alone decides."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Final


class TenderStage(StrEnum):
    """The stored stages of a tender: what people did."""

    DRAFT = "draft"
    IN_REVIEW = "in_review"
    APPROVED = "approved"
    PUBLISHED = "published"
    OPENED = "opened"
    ABANDONED = "abandoned"


class RedraftStage(StrEnum):
    """How far a changed requirement has come while the tender stays published."""

    DRAFT = "draft"
    IN_REVIEW = "in_review"
    APPROVED = "approved"


class TenderStatus(StrEnum):
    """What a tender is shown as: its stage, and `closed` once the deadline has passed."""

    DRAFT = "draft"
    IN_REVIEW = "in_review"
    APPROVED = "approved"
    PUBLISHED = "published"
    CLOSED = "closed"
    OPENED = "opened"
    ABANDONED = "abandoned"


TRANSITIONS: Final[Mapping[TenderStage, frozenset[TenderStage]]] = MappingProxyType(
    {
        TenderStage.DRAFT: frozenset({TenderStage.IN_REVIEW, TenderStage.ABANDONED}),
        # Back to draft when the reviewer returns it.
        TenderStage.IN_REVIEW: frozenset(
            {TenderStage.APPROVED, TenderStage.DRAFT, TenderStage.ABANDONED}
        ),
        # Back to draft to be revised, which needs another review.
        TenderStage.APPROVED: frozenset(
            {TenderStage.PUBLISHED, TenderStage.DRAFT, TenderStage.ABANDONED}
        ),
        TenderStage.PUBLISHED: frozenset({TenderStage.OPENED, TenderStage.ABANDONED}),
        TenderStage.OPENED: frozenset({TenderStage.ABANDONED}),
        TenderStage.ABANDONED: frozenset(),
    }
)
"""The lawful moves. The database holds the same (`tender_transition`); a test compares the two."""

BEFORE_PUBLICATION: Final = frozenset(
    {TenderStage.DRAFT, TenderStage.IN_REVIEW, TenderStage.APPROVED}
)


def may_move(current: TenderStage, following: TenderStage) -> bool:
    """Say whether a tender may go from one stage to the other; staying put is no move."""
    return following in TRANSITIONS[current]


def status_of(stage: TenderStage, deadline: datetime | None, now: datetime) -> TenderStatus:
    """Derive what a tender is shown as; at the deadline itself a published one is closed."""
    if stage is TenderStage.PUBLISHED and deadline is not None and deadline <= now:
        return TenderStatus.CLOSED
    return TenderStatus(stage.value)
