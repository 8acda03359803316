"""Changes of a contract within the limits of its law, and its milestones."""

from collections.abc import Sequence
from decimal import Decimal
from uuid import UUID, uuid4

import msgspec

from evaluation.commands.performance import hold_to_manage, today_of
from evaluation.outcome_errors import (
    ContractBuyerNeeded,
    MilestoneInFuture,
    MilestoneMetAlready,
    NoSuchGround,
    NothingChanged,
)
from evaluation.permissions import LotFacts
from evaluation.queries.performance import running_contracts
from evaluation.rules.contract_rules import CONTRACT_RULES
from evaluation.schemas.performance import (
    ChangeContract,
    ChangeView,
    MeetMilestone,
    MilestoneView,
    RunningContract,
    SetMilestone,
)
from market.actor import Actor
from market.command import command
from market.database import execute, fetch, fetch_one
from market.errors import NotFound
from market.events.commands import record
from tenders.rules.rule_sets import RuleSetName

_CHANGE = """
INSERT INTO contract_change (id, contract, ground, reason, value, ends, scope, recorded_by)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8) RETURNING number, flagged
"""
_SET = "INSERT INTO milestone (id, contract, title, due, set_by) VALUES ($1, $2, $3, $4, $5)"
_MET = """
INSERT INTO milestone_met (id, milestone, met_on, evidence, recorded_by)
VALUES ($1, $2, $3, $4, $5)
"""
_MILESTONE = """
SELECT m.id, d.id IS NOT NULL AS met FROM milestone m
LEFT JOIN milestone_met d ON d.milestone = m.id WHERE m.contract = $1 AND m.number = $2
"""


class _Contract(msgspec.Struct, frozen=True):
    id: UUID
    buyer: UUID


class _Changed(msgspec.Struct, frozen=True):
    number: int
    flagged: bool


class _Milestone(msgspec.Struct, frozen=True):
    id: UUID
    met: bool


async def _contract_of(facts: LotFacts, buyer: UUID | None) -> _Contract:
    """The contract of the buyer named, or the sole one of the lot."""
    made = await fetch(_Contract, "SELECT id, buyer FROM contract WHERE lot = $1", facts.lot)
    found = [one for one in made if buyer is None or one.buyer == buyer]
    if len(found) != 1:
        raise ContractBuyerNeeded
    return found[0]


async def _shown(facts: LotFacts, buyer: UUID) -> RunningContract:
    contracts: Sequence[RunningContract] = (await running_contracts([facts.lot]))[facts.lot]
    return next(one for one in contracts if one.buyer == buyer)


@command
async def change_contract(
    actor: Actor, tender_id: UUID, lot_number: int, given: ChangeContract
) -> ChangeView:
    """Record a change of a contract, on a ground of its law and within what that allows.

    Sources: Public Contracts Regulations 2015, regulation 72; Procurement Act 2023, section 74.

    Raises:
        NotFound: no such lot, or the actor has no duty in its tender.
        DutyNeeded: the actor is not the contract manager.
        DeclarationMissing: the actor has not declared against every bidder.
        ConflictOfInterest: the actor has an interest in a bidder.
        LotNotThere: not every contract of the lot is made.
        ContractBuyerNeeded: the lot has several contracts, and it is not said whose is changed.
        NoSuchGround: the rule set knows no such ground.
        NothingChanged: the contract would be as it is.
        ChangeTooGreat: the change goes further than the ground allows.
        ChangedEndFaulty: the contract would end before it starts.
        ContractDayFaulty: it would end more than 50 years from today.
    """
    facts = await hold_to_manage(actor, tender_id, lot_number, to="have its contract changed")
    contract = await _contract_of(facts, given.buyer)
    grounds = CONTRACT_RULES[RuleSetName(facts.rule_set)].changes
    if given.ground not in grounds:
        message = f"The grounds of this contract's law are: {', '.join(grounds)}."
        raise NoSuchGround(message)
    value: Decimal | None = None if given.value is None else given.value.exact
    if value is not None and value <= 0:
        raise NothingChanged
    change = uuid4()
    row = await fetch_one(
        _Changed,
        _CHANGE,
        change,
        contract.id,
        given.ground.value,
        given.reason,
        value,
        given.ends,
        given.scope,
        actor.person,
    )
    if row is None:
        message = "An insert gave no row back."
        raise LookupError(message)
    await record(
        actor,
        "contract.changed",
        "contract_change",
        change,
        tender=tender_id,
        after=msgspec.json.encode(given),
        lot=lot_number,
        buyer=str(contract.buyer),
        number=row.number,
        ground=given.ground.value,
        flagged=row.flagged,
    )
    shown = await _shown(facts, contract.buyer)
    return next(one for one in shown.changes if one.number == row.number)


@command
async def set_milestone(
    actor: Actor, tender_id: UUID, lot_number: int, given: SetMilestone
) -> MilestoneView:
    """Set what is to be done under a contract by a day, as its contract manager.

    Raises:
        NotFound: no such lot, or the actor has no duty in its tender.
        DutyNeeded: the actor is not the contract manager.
        DeclarationMissing: the actor has not declared against every bidder.
        ConflictOfInterest: the actor has an interest in a bidder.
        LotNotThere: not every contract of the lot is made.
        ContractBuyerNeeded: the lot has several contracts, and it is not said whose it is.
        ContractDayFaulty: it is due more than 50 years from today.
    """
    facts = await hold_to_manage(actor, tender_id, lot_number, to="get a milestone")
    contract = await _contract_of(facts, given.buyer)
    milestone = uuid4()
    await execute(_SET, milestone, contract.id, given.title, given.due, actor.person)
    shown = (await _shown(facts, contract.buyer)).milestones[-1]
    await record(
        actor,
        "milestone.set",
        "milestone",
        milestone,
        tender=tender_id,
        after=msgspec.json.encode(given),
        lot=lot_number,
        buyer=str(contract.buyer),
        number=shown.number,
        due=given.due.isoformat(),
    )
    return shown


@command
async def meet_milestone(
    actor: Actor, tender_id: UUID, lot_number: int, number: int, given: MeetMilestone
) -> MilestoneView:
    """Record on which day a milestone was met, and what shows it.

    Raises:
        NotFound: no such lot or milestone, or the actor has no duty in the tender.
        DutyNeeded: the actor is not the contract manager.
        DeclarationMissing: the actor has not declared against every bidder.
        ConflictOfInterest: the actor has an interest in a bidder.
        LotNotThere: not every contract of the lot is made.
        ContractBuyerNeeded: the lot has several contracts, and it is not said whose it is.
        MilestoneMetAlready: the milestone has been met.
        MilestoneInFuture: the day has not come.
    """
    facts = await hold_to_manage(actor, tender_id, lot_number, to="have a milestone met")
    contract = await _contract_of(facts, given.buyer)
    milestone = await fetch_one(_Milestone, _MILESTONE, contract.id, number)
    if milestone is None:
        raise NotFound
    if milestone.met:
        raise MilestoneMetAlready
    if given.met_on > today_of(facts):
        raise MilestoneInFuture
    met = uuid4()
    await execute(_MET, met, milestone.id, given.met_on, given.evidence, actor.person)
    await record(
        actor,
        "milestone.met",
        "milestone_met",
        met,
        tender=tender_id,
        after=msgspec.json.encode(given),
        lot=lot_number,
        buyer=str(contract.buyer),
        number=number,
        met_on=given.met_on.isoformat(),
    )
    shown = await _shown(facts, contract.buyer)
    return next(one for one in shown.milestones if one.number == number)
