"""Moving a lot along its stages, by conditional update; and giving it up."""

from uuid import UUID

from evaluation.permissions import LotFacts, ensure_may, ensure_stage
from evaluation.queries.facts import hold
from evaluation.rules.stages import LOT_TRANSITIONS, LotStage, may_move
from evaluation.schemas.progress import AbandonLot, LotMoved
from market.actor import Actor
from market.command import command
from market.database import fetch_value
from market.errors import Stale
from market.events.commands import record
from tenders.rules.duties import Duty

_MOVE = """
UPDATE lot SET stage = $3, version = version + 1, abandoned_because = $4
WHERE id = $1 AND version = $2 RETURNING version
"""


async def move(facts: LotFacts, following: LotStage, *, because: str | None = None) -> LotMoved:
    """Move a lot that is held to its next stage, inside a command that has permitted it.

    Raises:
        Stale: the lot was changed meanwhile.
    """
    if not may_move(facts.stage, following):
        message = f"A lot never goes from {facts.stage} to {following}."
        raise ValueError(message)
    version = await fetch_value(_MOVE, facts.lot, facts.version, following.value, because)
    if version is None:
        raise Stale
    return LotMoved(lot=facts.number, stage=following.value, version=version)


@command
async def abandon_lot(
    actor: Actor, tender_id: UUID, lot_number: int, version: int, given: AbandonLot
) -> LotMoved:
    """Give a lot up for a published reason, as its tender manager, at any stage before a contract.

    Raises:
        NotFound: no such lot, or the actor has no duty in its tender.
        DutyNeeded: the actor is not the tender manager.
        DeclarationMissing: the bids are opened, and the actor has not declared.
        ConflictOfInterest: the actor has an interest in a bidder.
        Stale: the lot was changed meanwhile.
        LotNotThere: the lot is contracted or abandoned.
    """
    facts = ensure_may(
        await hold(actor, tender_id, lot_number),
        Duty.TENDER_MANAGER,
        to="abandon a lot",
        version=version,
    )
    before_contract = [stage for stage in LotStage if LotStage.ABANDONED in LOT_TRANSITIONS[stage]]
    ensure_stage(facts, *before_contract, to="be abandoned")
    moved = await move(facts, LotStage.ABANDONED, because=given.reason)
    await record(
        actor,
        "lot.abandoned",
        "lot",
        facts.lot,
        tender=tender_id,
        lot=lot_number,
        stage=facts.stage.value,
        private={"reason": given.reason},
    )
    return moved
