"""Asking a bidder about its bid through one point of contact, and answering."""

from datetime import datetime, timedelta
from uuid import UUID, uuid4

import msgspec

from evaluation.errors import (
    AnsweredAlready,
    AnswerTooLate,
    BidNotOpened,
    QuestionDeadlineFaulty,
)
from evaluation.permissions import ensure_may, ensure_stage
from evaluation.queries.clarifications import asked_of_me
from evaluation.queries.facts import share
from evaluation.rules.stages import LotStage
from evaluation.schemas.clarifications import (
    About,
    AnswerGiven,
    AskBidder,
    BidderAsked,
    GiveAnswer,
)
from market.actor import Actor
from market.command import command
from market.database import fetch_one, fetch_value
from market.errors import Fault, NotFound
from market.events.commands import record
from tenders.permissions.bids import is_bid_manager
from tenders.rules.duties import Duty

_ASK = """
INSERT INTO bid_question (id, lot, bid, about, question, asked_by, answer_by)
VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING id, number, asked_at
"""

_ANSWER = """
INSERT INTO bid_answer (id, question, answer, answered_by) VALUES ($1, $2, $3, $4)
RETURNING answered_at
"""

_LONGEST = timedelta(days=60)
_ASKED_BY = {
    About.QUALITY: Duty.TENDER_MANAGER,
    About.PRICE: Duty.PRICE_EVALUATOR,
    About.LOW_PRICE: Duty.PRICE_EVALUATOR,
}
_ASKED_AT = {
    About.QUALITY: LotStage.QUALITY_SCORING,
    About.PRICE: LotStage.PRICE_OPENED,
    About.LOW_PRICE: LotStage.RANKED,
}


class _Asked(msgspec.Struct, frozen=True):
    id: UUID
    number: int
    asked_at: datetime


@command
async def ask_bidder(
    actor: Actor, tender_id: UUID, lot_number: int, pseudonym: str, given: AskBidder
) -> BidderAsked:
    """Ask a bidder about its bid, under its pseudonym, with a deadline for the answer.

    Raises:
        NotFound: no such lot or bid, or the actor has no duty in the tender.
        DutyNeeded: the actor is not the tender manager or, of a price, the price evaluator.
        DeclarationMissing: the actor has not declared against every bidder.
        ConflictOfInterest: the actor has an interest in a bidder.
        LotNotThere: quality is locked; of a price: the prices are not open, or ranked.
        BidNotOpened: that envelope of the bid is not open.
        QuestionDeadlineFaulty: the deadline is past, or more than 60 days ahead.
    """
    return await put_question(actor, tender_id, lot_number, pseudonym, given)


async def put_question(
    actor: Actor, tender_id: UUID, lot_number: int, pseudonym: str, given: AskBidder
) -> BidderAsked:
    """Ask about whatever may be asked about now, inside a command; raise as `ask_bidder` does."""
    facts = ensure_may(
        await share(actor, tender_id, lot_number), _ASKED_BY[given.about], to="ask its bidders"
    )
    ensure_stage(facts, _ASKED_AT[given.about], to="have its bidders asked")
    bid = await fetch_value("SELECT bid_to_question($1, $2)", facts.lot, pseudonym)
    if bid is None:
        raise NotFound
    if not facts.now < given.answer_by <= facts.now + _LONGEST:
        reason = (
            f"Leave the bidder time to answer: later than now, and {_LONGEST.days} days at most."
        )
        raise QuestionDeadlineFaulty(reason, faults=[Fault(field="answer_by", reason=reason)])
    asked = await fetch_one(
        _Asked,
        _ASK,
        uuid4(),
        facts.lot,
        bid,
        given.about.value,
        given.question,
        actor.person,
        given.answer_by,
    )
    if asked is None:
        raise BidNotOpened
    await record(
        actor,
        "bid.questioned",
        "bid_question",
        asked.id,
        tender=tender_id,
        after=msgspec.json.encode(given),
        lot=lot_number,
        bid=pseudonym,
        number=asked.number,
        about=given.about.value,
        answer_by=given.answer_by.isoformat(),
    )
    return BidderAsked(
        pseudonym=pseudonym,
        number=asked.number,
        about=given.about,
        asked_at=asked.asked_at,
        answer_by=given.answer_by,
    )


@command
async def answer_question(
    actor: Actor, bid_id: UUID, number: int, given: GiveAnswer
) -> AnswerGiven:
    """Answer a question about one's own bid, once and in time; the bid stays as it is.

    The event names no tender: beside the answer under its pseudonym it would tell whose it is.

    Raises:
        NotFound: there is no such bid or question, or the actor does not deal with it.
        AnsweredAlready: it is answered.
        AnswerTooLate: its deadline is over, or the lot has gone on.
    """
    if not is_bid_manager(actor):
        raise NotFound
    asked = next((row for row in await asked_of_me(bid_id) if row.number == number), None)
    if asked is None:
        raise NotFound
    if asked.answer is not None:
        raise AnsweredAlready
    if asked.now > asked.answer_by or asked.stage is not _ASKED_AT[asked.about]:
        raise AnswerTooLate
    answer = uuid4()
    answered_at: datetime = await fetch_value(_ANSWER, answer, asked.id, given.answer, actor.person)
    await record(
        actor,
        "question.answered",
        "bid_answer",
        answer,
        after=msgspec.json.encode(given),
        number=number,
    )
    return AnswerGiven(bid=bid_id, number=number, answered_at=answered_at)
