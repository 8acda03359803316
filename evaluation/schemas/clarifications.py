"""Questions about a bid, and what its bidder answers."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, ClassVar
from uuid import UUID

import msgspec
from msgspec import Meta

from evaluation.schemas.figures import Comment, Reason, ensure_says_something


class About(StrEnum):
    """What of a bid a question is about: an envelope, or that its ranked price appears too low."""

    QUALITY = "quality"
    PRICE = "price"
    LOW_PRICE = "low_price"


class AskBidder(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A question about a bid, and until when its bidder may answer.

    The tender manager asks about quality, the price evaluator about prices once they are open and,
    as a `low_price` (also under `price-explanations`), about one that is ranked and appears
    abnormally low.
    """

    about: About = About.QUALITY
    question: Reason
    answer_by: Annotated[datetime, Meta(tz=True)]

    example: ClassVar[dict[str, Any]] = {
        "about": "quality",
        "question": "Which of the two groups named in your answer do you mean on page 4?",
        "answer_by": "2030-03-01T12:00:00Z",
    }

    def __post_init__(self) -> None:
        """Refuse a question made of blanks."""
        ensure_says_something(self.question)


class BidderAsked(msgspec.Struct, frozen=True, kw_only=True):
    """A question as it was stored; the bidder has been sent a notice of it."""

    pseudonym: str
    number: int
    about: About
    asked_at: datetime
    answer_by: datetime


class BidderCount(msgspec.Struct, frozen=True, kw_only=True):
    """How often a bidder was asked, and how often it answered: all are to be treated alike."""

    pseudonym: str
    asked: int
    answered: int


class QuestionListed(msgspec.Struct, frozen=True, kw_only=True):
    """That a bidder was asked. The words, and the answer, are shown to who asked."""

    pseudonym: str
    number: int
    about: About
    asked_at: datetime
    answer_by: datetime
    question: str | None
    answered: bool
    answer: str | None


class BidQuestions(msgspec.Struct, frozen=True, kw_only=True):
    """The log of questions about the bids of a lot, with counts for every bidder."""

    lot: int
    bidders: list[BidderCount]
    questions: list[QuestionListed]


class QuestionToMe(msgspec.Struct, frozen=True, kw_only=True):
    """What was asked about one's own bid, until when it can be answered, and the answer given."""

    number: int
    about: About
    question: str
    asked_at: datetime
    answer_by: datetime
    answer: str | None
    answered_at: datetime | None


class GiveAnswer(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An answer: it explains the bid and changes nothing in it. Do not name yourselves in it."""

    answer: Comment

    example: ClassVar[dict[str, Any]] = {"answer": "The larger of the two, of 400,000 people."}


class AnswerGiven(msgspec.Struct, frozen=True, kw_only=True):
    """An answer as it was stored."""

    bid: UUID
    number: int
    answered_at: datetime
