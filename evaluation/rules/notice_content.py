"""What notices of an award are made of, and what they hold."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction

from msgspec import Struct

from evaluation.rules.exact import Exact
from market.money import Money
from tenders.rules.criteria import Criterion, ScaleValue


class NoticeOutcome(StrEnum):
    """What became of the recipient's bid."""

    SUCCESSFUL = "successful"
    UNSUCCESSFUL = "unsuccessful"
    BELOW_MINIMUM = "below_minimum"
    NOT_OPENED = "not_opened"
    WITHOUT_PRICE = "without_price"
    DROPPED_OUT = "dropped_out"


class Agreed(Struct, frozen=True, kw_only=True):
    """What the panel agreed of one criterion of one bid."""

    value: Fraction | Decimal
    reason: str


class DecidedBid(Struct, frozen=True, kw_only=True):
    """A bid with all that was decided of it. Price figures are absent unless it was ranked.

    `failure` says why its quality envelope, or its price envelope, did not open, `dropped_out` why
    it is out of the ranking. `failed_because` is as the decision about quality has it.
    """

    supplier: str
    variant: int = 0
    agreed: Mapping[str, Agreed]
    quality_points: Fraction
    passed: bool
    failed_because: Sequence[str] = ()
    failure: str | None = None
    dropped_out: str | None = None
    price: Decimal | None = None
    price_points: Fraction | None = None
    total: Fraction | None = None
    place: int | None = None


class JudgedLot(Struct, frozen=True, kw_only=True):
    """A lot as it was published to be judged, and by which ranking.

    `leaves` are the criteria that were scored, `groups` those that hold others, in published order.
    In a `round` after the first, prices were known before.
    """

    reference: str
    title: str
    buyers: Sequence[str]
    lot: int
    lot_title: str
    leaves: Sequence[Criterion]
    groups: Sequence[Criterion]
    scale: Sequence[ScaleValue]
    highest: Fraction
    quality_weight: Fraction
    price_weight: Fraction
    minimum_quality: Decimal
    method: str
    method_version: int
    tie_rule: str
    rule_set: str
    round: int = 1


class LotAward(JudgedLot, frozen=True, kw_only=True):
    """The award of a lot, as far as every notice tells it."""

    standstill_ends_at: datetime
    winner: DecidedBid


class NoticeCriterion(Struct, frozen=True, kw_only=True):
    """A published criterion that was scored, and its weight in points out of 100.

    What is passed or failed weighs nothing; `minimum` is the value below which a bid fails.
    """

    code: str
    title: str
    weight: str
    pass_fail: bool
    minimum: str | None


class NoticeGroup(Struct, frozen=True, kw_only=True):
    """A published criterion that holds others: `criteria` are those under it that were scored."""

    code: str
    title: str
    weight: str
    criteria: list[str]


class CriterionResult(Struct, frozen=True, kw_only=True):
    """The agreed score of one criterion, its points, and the panel's reason.

    `level` is what the published scale calls the value, or whether the criterion was passed; a mean
    between two values of the scale has none.
    """

    criterion: str
    value: str
    level: str | None
    points: Exact
    reason: str


class GroupResult(Struct, frozen=True, kw_only=True):
    """The points of a criterion that holds others: the sum of those under it."""

    criterion: str
    points: Exact


class BidResult(Struct, frozen=True, kw_only=True):
    """A bid's scores. The price is given to its own bidder only."""

    scores: list[CriterionResult]
    subtotals: list[GroupResult]
    quality_points: Exact
    quality_percentage: Exact
    price: Money | None
    price_points: Exact | None
    total: Exact | None
    place: int | None


class Published(Struct, frozen=True, kw_only=True):
    """What was bought, and how tenders were judged: the same for everybody who is told of it."""

    reference: str
    title: str
    buyers: list[str]
    lot: int
    lot_title: str
    criteria: list[NoticeCriterion]
    groups: list[NoticeGroup]
    scale: list[ScaleValue]
    quality_weight: str
    price_weight: str
    highest: str
    minimum_quality: str
    method: str
    method_version: int
    tie_rule: str
    rule_set: str


class NoticeContent(Published, frozen=True, kw_only=True):
    """What one bidder is told, whatever the law; `rules.letters` gives it the form of each.

    Criteria, weights and the scale; the decision; the recipient's scores and, beside them, the
    winner's with the reasons for both, which give the characteristics and relative advantages of
    the winning tender; the winner's name; and the exact end of the standstill. Of no other bidder
    anything.
    Source: Public Contracts Regulations 2015, regulation 86(2); Procurement Regulations 2024,
    regulation 31.
    """

    recipient: str
    variant: int
    outcome: NoticeOutcome
    decision: str
    own: BidResult | None
    winner: str
    winning_variant: int
    winning: BidResult | None
    relative_advantages: list[str]
    standstill_ends_at: datetime
    standstill: str
