"""The decision of each buyer of a joint purchase whether it takes part in the award."""

from datetime import datetime
from uuid import UUID, uuid4

import msgspec

from evaluation.commands.moves import move
from evaluation.outcome_errors import BuyerContracted, BuyerDecidedAlready, NotOwnBuyer
from evaluation.permissions import LotFacts, ensure_may, ensure_stage
from evaluation.queries.facts import hold
from evaluation.queries.joint import buyer_standing
from evaluation.rules.joint import BuyerPart
from evaluation.rules.stages import LotStage
from evaluation.schemas.joint import BuyerDecided, DecideForBuyer
from evaluation.schemas.progress import LotMoved
from market.actor import Actor
from market.command import command
from market.database import fetch_value
from market.events.commands import record
from market.people.permissions import ensure_fresh
from tenders.rules.duties import Duty

_DECIDE = """
INSERT INTO buyer_decision (id, lot, buyer, takes_part, reason, decided_by)
VALUES ($1, $2, $3, $4, $5, $6) RETURNING decided_at
"""


@command
async def decide_for_buyer(
    actor: Actor, tender_id: UUID, lot_number: int, given: DecideForBuyer
) -> BuyerDecided:
    """Decide whether the buyer one acts for takes part in the award, as its own award approver.

    Once for an award and a buyer, before the buyer's contract; a later award asks anew. Where the
    others have their contracts, a refusal of the last buyer completes the lot.

    Raises:
        FreshSignInNeeded: the actor's sign-in or its confirmation is older than fifteen minutes.
        NotFound: no such lot, or the actor has no duty in its tender.
        DutyNeeded: the actor is not an award approver.
        DeclarationMissing: the actor has not declared against every bidder.
        ConflictOfInterest: the actor has an interest in a bidder.
        LotNotThere: the lot is not awarded, or every contract is made.
        LotOnHold: the award is challenged.
        NotOwnBuyer: the organisation the actor acts for is no buyer of the tender.
        BuyerDecidedAlready: the buyer has decided about this award.
        BuyerContracted: the buyer has its contract.
    """
    ensure_fresh(actor)
    facts = ensure_may(
        await hold(actor, tender_id, lot_number),
        Duty.AWARD_APPROVER,
        to="decide for a buyer",
    )
    ensure_stage(facts, LotStage.AWARDED, LotStage.NOTIFIED, to="be decided by its buyers")
    standing = next(
        (one for one in await buyer_standing(facts) if one.buyer == actor.organisation), None
    )
    if standing is None:
        raise NotOwnBuyer
    if standing.decided_itself:
        raise BuyerDecidedAlready
    if standing.contract is not None:
        raise BuyerContracted
    decision = uuid4()
    decided_at: datetime = await fetch_value(
        _DECIDE,
        decision,
        facts.lot,
        standing.buyer,
        given.takes_part,
        given.reason,
        actor.person,
    )
    await record(
        actor,
        "buyer.decided",
        "buyer_decision",
        decision,
        tender=tender_id,
        after=msgspec.json.encode(given),
        lot=lot_number,
        buyer=str(standing.buyer),
        takes_part=given.takes_part,
    )
    moved = await move_if_contracted(facts)
    return BuyerDecided(
        buyer=standing.buyer,
        part=BuyerPart.TAKES_PART if given.takes_part else BuyerPart.REFUSED,
        decided_at=decided_at,
        lot=moved.lot,
        stage=moved.stage,
        version=moved.version,
    )


async def move_if_contracted(facts: LotFacts) -> LotMoved:
    """Move a held lot on once every buyer that takes part has its contract."""
    if await fetch_value("SELECT lot_fully_contracted($1)", facts.lot):
        return await move(facts, LotStage.CONTRACTED)
    return LotMoved(lot=facts.number, stage=facts.stage.value, version=facts.version)
