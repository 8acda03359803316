"""Prices that appear abnormally low, what their bidders said, and what was decided."""

from datetime import datetime
from typing import Final
from uuid import UUID

import msgspec

from evaluation.permissions import ensure_reads
from evaluation.queries.facts import facts_of, published_requirement
from evaluation.queries.ranking import decided_bids, flags_of, ranking_row
from evaluation.schemas.low_prices import (
    ExplainedBid,
    ExplanationAsked,
    LowPriceDecisionView,
    LowPriceOutcome,
    PriceExplanations,
)
from market.actor import Actor
from market.database import fetch
from market.errors import NotFound
from tenders.rules.duties import Duty

READS_EXPLANATIONS: Final = (
    Duty.PRICE_EVALUATOR,
    Duty.TENDER_MANAGER,
    Duty.MODERATOR,
    Duty.AWARD_APPROVER,
    Duty.GUARDIAN,
)
"""The duties whose holders read how a price was explained; the database holds the same."""

_EXPLANATIONS = "SELECT * FROM price_explanations($1)"
_DECISIONS = "SELECT bid, outcome, reason, decided_at FROM low_price_decision WHERE lot = $1"


class _Explained(msgspec.Struct, frozen=True):
    pseudonym: str
    number: int
    question: str
    asked_at: datetime
    answer_by: datetime
    answer: str | None
    answered_at: datetime | None


class _Decided(msgspec.Struct, frozen=True):
    bid: UUID
    outcome: LowPriceOutcome
    reason: str
    decided_at: datetime


async def explanations(
    actor: Actor, tender_id: UUID, lot_number: int
) -> tuple[UUID, PriceExplanations]:
    """Show every bid whose price is flagged, was asked about or decided about.

    Inside a transaction; the lot's id comes first.

    Raises:
        NotFound: no such lot, no duty in its tender, or nothing of it is ranked.
        DutyNeeded: the actor's duty does not read explanations.
        DeclarationMissing: the actor has not declared against every bidder.
        ConflictOfInterest: the actor has an interest in a bidder.
    """
    facts = ensure_reads(
        await facts_of(actor, tender_id, lot_number),
        *READS_EXPLANATIONS,
        what="how its prices were explained",
    )
    if await ranking_row(facts) is None:
        message = "The lot has not been ranked."
        raise NotFound(message)
    requirement, _ = await published_requirement(facts)
    bids = await decided_bids(facts)
    flags = flags_of(requirement, bids)
    asked: dict[str, list[ExplanationAsked]] = {}
    for row in await fetch(_Explained, _EXPLANATIONS, facts.lot):
        one = msgspec.convert(row, ExplanationAsked, from_attributes=True)
        asked.setdefault(row.pseudonym, []).append(one)
    decided = {
        row.bid: msgspec.convert(row, LowPriceDecisionView, from_attributes=True)
        for row in await fetch(_Decided, _DECISIONS, facts.lot)
    }
    return facts.lot, PriceExplanations(
        lot=facts.number,
        version=facts.version,
        published=requirement.abnormally_low,
        bids=[
            ExplainedBid(
                pseudonym=bid.pseudonym,
                flags=flags.get(bid.pseudonym, []),
                explanations=asked.get(bid.pseudonym, []),
                decision=decided.get(bid.bid),
                blocks_recommendation=bid.place is not None and bid.bid not in decided,
            )
            for bid in bids
            if bid.pseudonym in flags or bid.pseudonym in asked or bid.bid in decided
        ],
    )
