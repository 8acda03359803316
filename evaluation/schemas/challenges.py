"""Challenges of an award, and how they end."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, ClassVar
from uuid import UUID

import msgspec
from msgspec import Meta

from evaluation.schemas.figures import Reason, ensure_says_something
from evaluation.schemas.lines import LINE


class ChallengeOutcome(StrEnum):
    """What is decided on a challenge."""

    REJECTED = "rejected"
    UPHELD_REEVALUATE = "upheld_reevaluate"
    UPHELD_ABANDON = "upheld_abandon"


class ReceivedOutside(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whose challenge came by letter or through a court, which one it is, and when it came."""

    challenger: UUID
    reference: Annotated[str, Meta(min_length=1, max_length=120, pattern=LINE)]
    received_at: Annotated[datetime, Meta(tz=True)]


class ChallengeLot(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Challenge an award: by its bidder or, with `outside`, recorded by the tender manager."""

    grounds: Reason
    outside: ReceivedOutside | None = None

    example: ClassVar[dict[str, Any]] = {
        "grounds": "The reasons given for criterion Q1.2 are about another bid than ours."
    }

    def __post_init__(self) -> None:
        """Refuse grounds made of blanks."""
        ensure_says_something(self.grounds)


class ChallengeView(msgspec.Struct, frozen=True, kw_only=True):
    """A challenge and, once it has ended, how and why.

    One that is neither open nor ended was overtaken: the award that it is of stands no more.
    """

    number: int
    challenger: UUID
    challenger_name: str
    grounds: str
    reference: str | None
    received_at: datetime
    recorded_at: datetime
    open: bool
    outcome: str | None
    reason: str | None
    ended_at: datetime | None


class ChallengesView(msgspec.Struct, frozen=True, kw_only=True):
    """Whether a lot is on hold, and those of its challenges that the reader may read."""

    lot: int
    on_hold: bool
    challenges: list[ChallengeView]


class DecideChallenge(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Decide a challenge, with the reasons that its challenger is given."""

    outcome: ChallengeOutcome
    reason: Reason

    example: ClassVar[dict[str, Any]] = {
        "outcome": "rejected",
        "reason": "The reasons recorded for criterion Q1.2 quote the bidder's own answer.",
    }

    def __post_init__(self) -> None:
        """Refuse a reason made of blanks."""
        ensure_says_something(self.reason)


class WithdrawChallenge(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Withdraw one's challenge, saying why."""

    reason: Reason

    example: ClassVar[dict[str, Any]] = {
        "reason": "The further reasons sent to us on 3 March answer our question."
    }

    def __post_init__(self) -> None:
        """Refuse a reason made of blanks."""
        ensure_says_something(self.reason)


class ChallengeMoved(msgspec.Struct, frozen=True, kw_only=True):
    """A challenge as it was recorded or ended, and where its lot stands now."""

    number: int
    at: datetime
    lot: int
    stage: str
    version: int
    on_hold: bool
