"""The minutes of moderation: who was there, what each gave, what was discussed and agreed."""

from datetime import datetime
from uuid import UUID

import msgspec

from evaluation.rules.exact import Exact
from evaluation.schemas.scores import Verdict
from market.money import DecimalText


class Present(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody on the panel of a lot. `counts` says of an evaluator that their scores count."""

    person: UUID
    name: str
    duty: str
    counts: bool
    locked_at: datetime | None


class OriginalView(msgspec.Struct, frozen=True, kw_only=True):
    """What an evaluator gave alone, and by how much the agreed value lies above it.

    One that does not count is of an evaluator who was recused, released or replaced.
    """

    person: UUID
    name: str
    value: DecimalText
    verdict: Verdict | None
    reason: str
    given_at: datetime
    counts: bool
    delta: Exact | None


class ConsensusView(msgspec.Struct, frozen=True, kw_only=True):
    """What the panel agreed: the value exactly, its reason and the discussion.

    `stands` is false where the scores that count have changed since: it is agreed anew.
    """

    number: int
    value: DecimalText
    exact: Exact
    verdict: Verdict | None
    reason: str
    discussion: str | None
    moderator: str
    agreed_at: datetime
    stands: bool


class DissentView(msgspec.Struct, frozen=True, kw_only=True):
    """An evaluator who does not share an agreed score: the number of that score, and why."""

    person: UUID
    name: str
    agreed_number: int
    reason: str
    dissented_at: datetime


class ModeratedCriterion(msgspec.Struct, frozen=True, kw_only=True):
    """One criterion of one bid: originals, how far apart, earlier agreed scores and dissent.

    `flagged` says that the scores lie further apart than the published tolerance.
    """

    pseudonym: str
    criterion: str
    title: str
    spread: DecimalText
    flagged: bool
    originals: list[OriginalView]
    agreed: ConsensusView | None
    earlier: list[ConsensusView]
    dissent: list[DissentView]


class ModerationMinutes(msgspec.Struct, frozen=True, kw_only=True):
    """The minutes of a lot's moderation, as far as it has come; `closed` once quality is locked."""

    tender: UUID
    lot: int
    title: str
    closed: bool
    spread_tolerance: DecimalText | None
    consensus: str
    present: list[Present]
    items: list[ModeratedCriterion]
