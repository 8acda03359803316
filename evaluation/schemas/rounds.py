"""The rounds of a lot's evaluation: what each decided, and on which scores."""

from datetime import datetime

import msgspec

from evaluation.rules.exact import Exact


class RoundListed(msgspec.Struct, frozen=True, kw_only=True):
    """A round; a later one says which challenge it follows, and why that was upheld.

    `rankings` are the numbers under which its rankings are read.
    """

    number: int
    begun_at: datetime | None
    challenge: int | None
    because: str | None
    rankings: list[int]


class RoundsView(msgspec.Struct, frozen=True, kw_only=True):
    """The rounds of a lot, first to last; the last one counts."""

    lot: int
    rounds: list[RoundListed]


class RoundDecision(msgspec.Struct, frozen=True, kw_only=True):
    """What a round decided about the quality of a bid."""

    pseudonym: str
    quality_points: Exact
    passed: bool
    failed_because: list[str]


class RoundScore(msgspec.Struct, frozen=True, kw_only=True):
    """A score of a round, an evaluator's or the agreed one, with its reason.

    What is passed or failed has the value 1 or 0.
    """

    pseudonym: str
    criterion: str
    agreed: bool
    person_name: str
    number: int
    value: Exact
    reason: str
    given_at: datetime


class RoundView(msgspec.Struct, frozen=True, kw_only=True):
    """A round that was superseded, as it was: nothing of it is ever overwritten."""

    lot: int
    number: int
    decisions: list[RoundDecision]
    scores: list[RoundScore]
