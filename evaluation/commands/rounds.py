"""Reading a superseded round, which is an event as every reading of scores is."""

from uuid import UUID

from evaluation.queries.rounds import superseded_round
from evaluation.schemas.rounds import RoundView
from market.actor import Actor
from market.command import confidential_reading
from market.events.commands import record


@confidential_reading
async def read_round(actor: Actor, tender_id: UUID, lot_number: int, number: int) -> RoundView:
    """Show a round that was superseded, with its decisions and every score.

    Raises:
        NotFound: no such lot or superseded round, or it is hidden from the actor.
        DutyNeeded: the actor's duty does not read evaluations.
        DeclarationMissing: the actor has not declared against every bidder.
        ConflictOfInterest: the actor has an interest in a bidder.
    """
    lot, view = await superseded_round(actor, tender_id, lot_number, number)
    await record(
        actor,
        "scores.read",
        "lot",
        lot,
        tender=tender_id,
        lot=lot_number,
        bids=[decision.pseudonym for decision in view.decisions],
        scores=len(view.scores),
    )
    return view
