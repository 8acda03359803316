"""Questions about bids: counted for those who see to fairness, in full for their bidder."""

from datetime import datetime
from uuid import UUID

import msgspec

from evaluation.permissions import LotFacts
from evaluation.queries.facts import facts_of
from evaluation.rules.stages import LotStage
from evaluation.schemas.clarifications import (
    About,
    BidderCount,
    BidQuestions,
    QuestionListed,
    QuestionToMe,
)
from market.actor import Actor
from market.database import fetch, fetch_value, reading
from market.errors import NotFound
from tenders.permissions.bids import is_bid_manager


class AskedOfMe(msgspec.Struct, frozen=True):
    """A question about one's own bid, with what decides whether it can be answered."""

    id: UUID
    lot: UUID
    tender: UUID
    number: int
    about: About
    question: str
    asked_at: datetime
    answer_by: datetime
    stage: LotStage
    answer: str | None
    answered_at: datetime | None
    now: datetime


async def bid_questions(actor: Actor, tender_id: UUID, lot_number: int) -> BidQuestions:
    """List who was asked how often, and when; the words are the asker's and the bidder's.

    Raises:
        NotFound: no such lot, or the actor is not one of those who see to it that all are treated
            alike: moderator, points of contact, guardian, auditors, without an interest.
    """
    async with reading(actor):
        facts = await facts_of(actor, tender_id, lot_number)
        if facts is None or not await fetch_value("SELECT sees_questions($1)", facts.lot):
            raise NotFound
        return await _log(facts)


async def _log(facts: LotFacts) -> BidQuestions:
    return BidQuestions(
        lot=facts.number,
        bidders=await fetch(BidderCount, "SELECT * FROM questions_counted($1)", facts.lot),
        questions=await fetch(QuestionListed, "SELECT * FROM questions_shown($1)", facts.lot),
    )


async def asked_of_me(bid_id: UUID) -> list[AskedOfMe]:
    """What was asked about a bid of the acting organisation, inside a transaction."""
    return await fetch(AskedOfMe, "SELECT * FROM my_bid_questions($1)", bid_id)


async def questions_to_me(actor: Actor, bid_id: UUID) -> list[QuestionToMe]:
    """List what was asked about a bid of the organisation one manages bids for.

    Raises:
        NotFound: there is no such bid, or the actor does not deal with it.
    """
    if not is_bid_manager(actor):
        raise NotFound
    async with reading(actor):
        mine = "SELECT id FROM bid WHERE id = $1 AND organisation = $2"
        if await fetch_value(mine, bid_id, actor.organisation) is None:
            raise NotFound
        rows = await asked_of_me(bid_id)
    return [msgspec.convert(row, QuestionToMe, from_attributes=True) for row in rows]
