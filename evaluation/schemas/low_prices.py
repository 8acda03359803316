"""Prices that appear abnormally low: flags, explanations and decisions."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, ClassVar

import msgspec
from msgspec import Meta

from evaluation.rules.exact import Exact
from evaluation.rules.low_prices import Indicator
from evaluation.schemas.figures import Reason, ensure_says_something
from market.money import DecimalText
from tenders.rules.low_prices import AbnormallyLow


class LowPriceFlag(msgspec.Struct, frozen=True, kw_only=True):
    """By how many per cent a price lies below what it is compared with, in pounds."""

    indicator: Indicator
    compared_with: Exact
    per_cent_below: Exact
    published: DecimalText


class LowPriceOutcome(StrEnum):
    """Accepted: the explanation accounts for the price. Rejected: the bid is out."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"


class AskForExplanation(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is to be explained about a bid's price, and until when its bidder may answer.

    Any ranked price may be asked about; one that is flagged must be before its bid can win.
    """

    pseudonym: Annotated[str, Meta(max_length=20)]
    question: Reason
    answer_by: Annotated[datetime, Meta(tz=True)]

    example: ClassVar[dict[str, Any]] = {
        "pseudonym": "Bid B",
        "question": "Explain your price: it is 40 per cent below the mean of the other bids.",
        "answer_by": "2030-03-01T12:00:00Z",
    }

    def __post_init__(self) -> None:
        """Refuse a question made of blanks."""
        ensure_says_something(self.question)


class DecideLowPrice(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whether the evidence supplied accounts for the price, and why."""

    pseudonym: Annotated[str, Meta(max_length=20)]
    outcome: LowPriceOutcome
    reason: Reason

    example: ClassVar[dict[str, Any]] = {
        "pseudonym": "Bid B",
        "outcome": "accepted",
        "reason": "Its own data centre saves the hosting that the others buy; it showed the bills.",
    }

    def __post_init__(self) -> None:
        """Refuse a reason of blanks."""
        ensure_says_something(self.reason)


class LowPriceDecided(msgspec.Struct, frozen=True, kw_only=True):
    """A decision as it was stored. `ranking` numbers the one that follows where the bid is out."""

    pseudonym: str
    outcome: LowPriceOutcome
    lot: int
    stage: str
    version: int
    ranking: int | None


class ExplanationAsked(msgspec.Struct, frozen=True, kw_only=True):
    """What a bidder was asked about its price, and what it answered."""

    number: int
    question: str
    asked_at: datetime
    answer_by: datetime
    answer: str | None
    answered_at: datetime | None


class LowPriceDecisionView(msgspec.Struct, frozen=True, kw_only=True):
    """What was decided about a price, and why."""

    outcome: LowPriceOutcome
    reason: str
    decided_at: datetime


class ExplainedBid(msgspec.Struct, frozen=True, kw_only=True):
    """A bid whose price is flagged, was asked about or decided about.

    `blocks_recommendation` says that it cannot be recommended before that decision.
    """

    pseudonym: str
    flags: list[LowPriceFlag]
    explanations: list[ExplanationAsked]
    decision: LowPriceDecisionView | None
    blocks_recommendation: bool


class PriceExplanations(msgspec.Struct, frozen=True, kw_only=True):
    """The prices of a lot that appear abnormally low by what the requirement published."""

    lot: int
    version: int
    published: AbnormallyLow | None
    bids: list[ExplainedBid]
