"""Having a price explained that appears abnormally low, and deciding whether it is accepted."""

from uuid import UUID, uuid4

import msgspec

from evaluation.award_errors import ExplanationAwaited, LowPriceDecidedAlready, NotInRanking
from evaluation.commands.clarifications import put_question
from evaluation.commands.ranking import take_out
from evaluation.permissions import ensure_may, ensure_stage
from evaluation.queries.facts import hold
from evaluation.queries.ranking import decided_bids
from evaluation.rules.stages import LotStage
from evaluation.schemas.clarifications import About, AskBidder, BidderAsked
from evaluation.schemas.low_prices import (
    AskForExplanation,
    DecideLowPrice,
    LowPriceDecided,
    LowPriceOutcome,
)
from evaluation.schemas.ranking import DropOut
from market.actor import Actor
from market.command import command
from market.database import execute, fetch_value
from market.errors import NotFound
from market.events.commands import record
from tenders.rules.duties import Duty

_DECIDED = "SELECT EXISTS (SELECT 1 FROM low_price_decision WHERE bid = $1)"
_EXPLAINED = "SELECT low_price_explained($1)"
_DECIDE = """
INSERT INTO low_price_decision (id, lot, bid, outcome, reason, decided_by)
VALUES ($1, $2, $3, $4, $5, $6)
"""


@command
async def ask_for_explanation(
    actor: Actor, tender_id: UUID, lot_number: int, given: AskForExplanation
) -> BidderAsked:
    """Ask a bidder to explain its ranked price, with a deadline for the answer.

    The bid cannot be recommended until a decision about the explanation is recorded (Public
    Contracts Regulations 2015, regulation 69(1); Procurement Act 2023, section 19(4)).

    Raises:
        NotFound: no such lot or bid, or the actor has no duty in the tender.
        DutyNeeded: the actor is not a price evaluator.
        DeclarationMissing: the actor has not declared against every bidder.
        ConflictOfInterest: the actor has an interest in a bidder.
        LotNotThere: the lot is not ranked, or a bid of it is recommended.
        NotInRanking: the bid is not ranked, or dropped out.
        LowPriceDecidedAlready: it is decided whether its price is accepted.
        QuestionDeadlineFaulty: the deadline is past, or more than 60 days ahead.
    """
    question = AskBidder(about=About.LOW_PRICE, question=given.question, answer_by=given.answer_by)
    return await put_question(actor, tender_id, lot_number, given.pseudonym, question)


@command
async def decide_low_price(
    actor: Actor, tender_id: UUID, lot_number: int, version: int, given: DecideLowPrice
) -> LowPriceDecided:
    """Accept a price as explained, or reject it, for good and with the reason.

    A rejected bid drops out in the same transaction, and those that are left are ranked by the
    published rule. Nothing is rejected before its bidder could explain it (Public Contracts
    Regulations 2015, regulation 69(3) and (4); Procurement Act 2023, section 19(5)).

    Raises:
        NotFound: no such lot or bid, or the actor has no duty in the tender.
        DutyNeeded: the actor is not the tender manager.
        DeclarationMissing: the actor has not declared against every bidder.
        ConflictOfInterest: the actor has an interest in a bidder.
        Stale: the lot was changed meanwhile.
        LotNotThere: the lot is not ranked, or a bid of it is recommended.
        NotInRanking: the bid is not ranked, or dropped out.
        LowPriceDecidedAlready: it is decided.
        ExplanationAwaited: its bidder was not asked, or may still answer.
    """
    facts = ensure_may(
        await hold(actor, tender_id, lot_number),
        Duty.TENDER_MANAGER,
        to="decide whether a low price is accepted",
        version=version,
    )
    ensure_stage(facts, LotStage.RANKED, to="have a low price decided about")
    rows = await decided_bids(facts)
    chosen = next((row for row in rows if row.pseudonym == given.pseudonym), None)
    if chosen is None:
        raise NotFound
    if await fetch_value(_DECIDED, chosen.bid):
        raise LowPriceDecidedAlready
    if chosen.place is None:
        raise NotInRanking
    if not await fetch_value(_EXPLAINED, chosen.bid):
        raise ExplanationAwaited
    decision = uuid4()
    outcome = given.outcome
    await execute(
        _DECIDE, decision, facts.lot, chosen.bid, outcome.value, given.reason, actor.person
    )
    await record(
        actor,
        "low_price.decided",
        "low_price_decision",
        decision,
        tender=tender_id,
        after=msgspec.json.encode(given),
        lot=lot_number,
        bid=given.pseudonym,
        outcome=outcome.value,
    )
    if outcome is LowPriceOutcome.REJECTED:
        gone = await take_out(actor, facts, DropOut(pseudonym=given.pseudonym, reason=given.reason))
        stage, moved, ranking = gone.stage, gone.version, gone.ranking
    else:
        stage, moved, ranking = facts.stage.value, facts.version, None
    return LowPriceDecided(
        pseudonym=given.pseudonym,
        outcome=outcome,
        lot=facts.number,
        stage=stage,
        version=moved,
        ranking=ranking,
    )
