"""Recording the contract, once the standstill is over."""

from uuid import UUID, uuid4

import msgspec

from evaluation.commands.moves import move
from evaluation.errors import StandstillRunning, WinnerUnverified
from evaluation.permissions import ensure_may, ensure_stage
from evaluation.queries.facts import hold
from evaluation.rules.stages import LotStage, StandstillStage, shown_stage
from evaluation.schemas.award import ContractMadeView, ContractView, MakeContract
from market.actor import Actor
from market.command import command
from market.database import fetch_one, fetch_value
from market.events.commands import record
from tenders.rules.duties import Duty

_CONTRACT = """
INSERT INTO contract (id, lot, award, reference, recorded_by, starts, ends)
SELECT $1, a.lot, a.id, $3, $4, $5, $6 FROM award a WHERE a.id = latest_award($2)
RETURNING reference, starts, ends, made_at
"""


@command
async def make_contract(
    actor: Actor, tender_id: UUID, lot_number: int, version: int, given: MakeContract
) -> ContractMadeView:
    """Record the contract made for a lot, no earlier than the end of its standstill.

    Raises:
        NotFound: no such lot, or the actor has no duty in its tender.
        DutyNeeded: the actor is not the contract manager.
        DeclarationMissing: the actor has not declared against every bidder.
        ConflictOfInterest: the actor has an interest in a bidder.
        Stale: the lot was changed meanwhile.
        LotNotThere: the bidders have not been told, or there is a contract.
        StandstillRunning: the standstill is not over; the detail says when it is.
        WinnerUnverified: what the winner declared is not verified.
    """
    facts = ensure_may(
        await hold(actor, tender_id, lot_number),
        Duty.CONTRACT_MANAGER,
        to="record its contract",
        version=version,
    )
    ensure_stage(facts, LotStage.NOTIFIED, to="be contracted")
    shown = shown_stage(facts.stage, standstill_end=facts.standstill_ends_at, now=facts.now)
    if shown is StandstillStage.STANDSTILL and facts.standstill_ends_at is not None:
        ends_at = facts.standstill_ends_at.strftime("%Y-%m-%dT%H:%M:%SZ")
        message = f"No contract can be made before the standstill is over, at {ends_at}."
        raise StandstillRunning(message)
    if not await fetch_value("SELECT award_verified(latest_award($1))", facts.lot):
        raise WinnerUnverified
    contract = uuid4()
    made = await fetch_one(
        ContractView,
        _CONTRACT,
        contract,
        facts.lot,
        given.reference,
        actor.person,
        given.starts,
        given.ends,
    )
    if made is None:
        message = f"The notified lot {facts.lot} has no award."
        raise LookupError(message)
    moved = await move(facts, LotStage.CONTRACTED)
    await record(
        actor,
        "contract.made",
        "contract",
        contract,
        tender=tender_id,
        after=msgspec.json.encode(given),
        lot=lot_number,
        reference=given.reference,
    )
    return ContractMadeView(lot=moved.lot, stage=moved.stage, version=moved.version, contract=made)
