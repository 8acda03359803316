"""Recording the contracts of the buyers, once the standstill is over."""

from uuid import UUID, uuid4

import msgspec

from evaluation.award_errors import StandstillRunning, WinnerUnverified
from evaluation.challenge_errors import LotOnHold
from evaluation.commands.joint import move_if_contracted
from evaluation.outcome_errors import KpisLacking
from evaluation.permissions import ensure_may, ensure_stage
from evaluation.queries.award import contracts_of
from evaluation.queries.facts import hold
from evaluation.queries.joint import buyers_of
from evaluation.rules.joint import chosen_buyer
from evaluation.rules.stages import LotStage, StandstillStage, shown_stage
from evaluation.schemas.award import ContractMadeView, MakeContract
from market.actor import Actor
from market.command import command
from market.database import execute, fetch_value
from market.events.commands import record
from tenders.rules.duties import Duty

_CONTRACT = """
INSERT INTO contract (id, lot, award, reference, recorded_by, starts, ends, buyer)
SELECT $1, a.lot, a.id, $3, $4, $5, $6, $7 FROM award a WHERE a.id = latest_award($2)
"""


@command
async def make_contract(
    actor: Actor, tender_id: UUID, lot_number: int, version: int, given: MakeContract
) -> ContractMadeView:
    """Record the contract of one buyer for a lot, no earlier than the end of its standstill.

    Its value is the buyer's share of the awarded price. With the last one of those who take part
    the lot is contracted.

    Raises:
        NotFound: no such lot, or the actor has no duty in its tender.
        DutyNeeded: the actor is not the contract manager.
        DeclarationMissing: the actor has not declared against every bidder.
        ConflictOfInterest: the actor has an interest in a bidder.
        Stale: the lot was changed meanwhile.
        LotNotThere: the bidders have not been told, or every contract is made.
        LotOnHold: the award is challenged.
        StandstillRunning: the standstill is not over; the detail says when it is.
        ContractBuyerNeeded: the tender has several buyers and none of them is named, or another.
        BuyerUndecided: the buyer has not decided whether it takes part.
        BuyerRefused, AllBuyersRefused: the buyer, or every buyer, decided not to take part.
        BuyerContracted: the buyer has its contract.
        KpisLacking: a contract of this value has indicators first.
        ContractDayFaulty: it starts or ends more than 50 years from today.
        WinnerUnverified: what the winner declared is not verified.
    """
    facts = ensure_may(
        await hold(actor, tender_id, lot_number),
        Duty.CONTRACT_MANAGER,
        to="record its contract",
        version=version,
    )
    ensure_stage(facts, LotStage.NOTIFIED, to="be contracted")
    if facts.on_hold:
        message = "The award is challenged: no contract can be made until that is decided."
        raise LotOnHold(message)
    shown = shown_stage(facts.stage, standstill_end=facts.standstill_ends_at, now=facts.now)
    if shown is StandstillStage.STANDSTILL and facts.standstill_ends_at is not None:
        ends_at = facts.standstill_ends_at.strftime("%Y-%m-%dT%H:%M:%SZ")
        message = f"No contract can be made before the standstill is over, at {ends_at}."
        raise StandstillRunning(message)
    lacking = await fetch_value("SELECT kpis_lacking($1)", facts.lot)
    if lacking:
        message = f"Set {lacking} more key performance indicators before the contract is made."
        raise KpisLacking(message)
    buyer = chosen_buyer(await buyers_of(facts), given.buyer)
    if not await fetch_value("SELECT award_verified(latest_award($1))", facts.lot):
        raise WinnerUnverified
    contract = uuid4()
    await execute(
        _CONTRACT,
        contract,
        facts.lot,
        given.reference,
        actor.person,
        given.starts,
        given.ends,
        buyer,
    )
    await record(
        actor,
        "contract.made",
        "contract",
        contract,
        tender=tender_id,
        after=msgspec.json.encode(given),
        lot=lot_number,
        reference=given.reference,
        buyer=str(buyer),
    )
    moved = await move_if_contracted(facts)
    made = next(one for one in await contracts_of(facts.lot) if one.buyer == buyer)
    return ContractMadeView(lot=moved.lot, stage=moved.stage, version=moved.version, contract=made)
