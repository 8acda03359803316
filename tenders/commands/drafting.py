"""Acts on a draft: beginning it, its requirement, its timetable, who buys."""

import hashlib
import secrets
from datetime import datetime
from typing import Final
from uuid import UUID, uuid4

import msgspec
import rfc8785

from market.actor import Actor
from market.command import command
from market.database import execute, fetch, fetch_one, fetch_value
from market.errors import Fault, Forbidden, Malformed, NotFound, Stale
from market.events.commands import record
from market.organisations.rules import BUYER_KINDS, OrganisationKind
from tenders.commands.stages import count_up, move_redraft
from tenders.errors import (
    BuyersSettled,
    BuysAlready,
    CannotBuy,
    DutyClash,
    RequirementFaulty,
    RequirementSettled,
    TimetableFaulty,
)
from tenders.permissions.tenders import TenderFacts, ensure_may, ensure_may_create, ensure_stage
from tenders.queries.conflicts import exempted_pairs
from tenders.queries.duties import ever_held
from tenders.queries.facts import hold
from tenders.queries.requirements import requirement_view_of
from tenders.queries.tenders import view_of
from tenders.rules.duties import Duty, clashes
from tenders.rules.requirement import Requirement, faults
from tenders.rules.rule_sets import LONDON, NoRuleSet, rule_set_on
from tenders.rules.stages import BEFORE_PUBLICATION, RedraftStage, TenderStage
from tenders.rules.timetable import timetable_faults
from tenders.schemas.tenders import AddBuyer, CreateTender, RequirementView, TenderView, Timetable

_UNAMBIGUOUS: Final = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Digits and capitals of which no two are read or heard for each other: no 0, 1, I, L, O, U."""
_DRAWN: Final = 6


class _Organisation(msgspec.Struct, frozen=True):
    kind: OrganisationKind
    population: int | None


class _ServiceLine(msgspec.Struct, frozen=True):
    code: str


async def _organisation(organisation: UUID | None) -> _Organisation | None:
    return await fetch_one(
        _Organisation, "SELECT kind, population FROM organisation WHERE id = $1", organisation
    )


@command
async def create_tender(actor: Actor, given: CreateTender) -> TenderView:
    """Begin a tender for the organisation one acts for; one is its manager from declaring on.

    Raises:
        Forbidden: the actor is no procurement lead, or their organisation does not buy.
        RuleSetDateRefused: a date of the law is given outside a demonstration in a sandbox.
        Malformed: the market has no procurement rules for that date.
    """
    buyer = await _organisation(actor.organisation)
    if buyer is None or actor.organisation is None:
        message = "Sign in for an organisation that buys in this market."
        raise Forbidden(message)
    installed = await fetch_value("SELECT kind FROM installation")
    ensure_may_create(
        actor,
        buyer.kind,
        buyer.population,
        demonstration=given.demonstration,
        sandbox=installed == "sandbox",
        rule_set_date=given.rule_set_date,
    )
    if given.rule_set_date is not None:
        try:
            rule_set_on(given.rule_set_date)
        except NoRuleSet as error:
            fault = Fault(field="rule_set_date", reason=str(error))
            raise Malformed(fault.reason, faults=[fault]) from None
    tender = await _insert_tender(actor.organisation, given)
    await execute(
        "INSERT INTO tender_buyer (id, tender, organisation, population) VALUES ($1, $2, $3, $4)",
        uuid4(),
        tender,
        actor.organisation,
        buyer.population,
    )
    await execute(
        "INSERT INTO duty (id, tender, person, organisation, duty, assigned_by)"
        " VALUES ($1, $2, $3, $4, $5, $3)",
        uuid4(),
        tender,
        actor.person,
        actor.organisation,
        Duty.TENDER_MANAGER.value,
    )
    view = await view_of(tender, frozenset(), frozenset({Duty.TENDER_MANAGER}))
    await record(actor, "tender.created", "tender", tender, tender=tender, reference=view.reference)
    return view


async def _insert_tender(buyer: UUID, given: CreateTender) -> UUID:
    """Write the tender's row under a reference that nobody else has."""
    tender = uuid4()
    now: datetime = await fetch_value("SELECT market_now()")
    year = now.astimezone(LONDON).year
    while True:
        drawn = "".join(secrets.choice(_UNAMBIGUOUS) for _ in range(_DRAWN))
        written = await execute(
            "INSERT INTO tender (id, reference, buyer, title, stage, version, demonstration,"
            " rule_set_date) VALUES ($1, $2, $3, $4, 'draft', 1, $5, $6)"
            " ON CONFLICT (reference) DO NOTHING",
            tender,
            f"CSM-{year}-{drawn}",
            buyer,
            given.title,
            given.demonstration,
            given.rule_set_date,
        )
        if written:
            return tender


@command
async def replace_requirement(
    actor: Actor, tender_id: UUID, given: Requirement, version: int
) -> RequirementView:
    """Write a new version of the requirement. Whoever writes is an author from then on.

    While the tender takes bids, that is a version for an amendment: what is published stays what
    everybody reads until the amendment is published.

    Raises:
        DutyNeeded: the actor is neither author nor manager of the tender.
        DutyClash: the actor holds or held a duty that no author may hold.
        SuppliersMayNotHoldDuties: bids come in, and the actor, no author yet, is of a supplier.
        RequirementSettled: it is in review or approved, or takes no bids any more.
        RequirementFaulty: with every fault of the requirement.
        Stale: the tender was changed since it was read.
    """
    facts = ensure_may(
        actor,
        await hold(actor, tender_id),
        Duty.AUTHOR,
        Duty.TENDER_MANAGER,
        to="edit the requirement",
        version=version,
    )
    if not _drafts(facts):
        raise RequirementSettled
    held = await ever_held(tender_id, actor.person)
    if against := clashes(held, Duty.AUTHOR, await exempted_pairs(tender_id, actor.person)):
        raise DutyClash(against[0].sentence)
    lines = await fetch(_ServiceLine, "SELECT code FROM service_line")
    if found := faults(given, frozenset(line.code for line in lines)):
        raise RequirementFaulty(_summary(found), faults=found)
    content = canonical(given)
    await execute(
        "INSERT INTO requirement_version (id, tender, content, digest, edited_by, organisation)"
        " VALUES ($1, $2, $3, $4, $5, $6)",
        uuid4(),
        tender_id,
        content.decode(),
        hashlib.sha256(content).digest(),
        actor.person,
        actor.organisation,
    )
    if facts.stage is TenderStage.PUBLISHED:
        await move_redraft(facts, RedraftStage.DRAFT)
    else:
        written = await execute(
            "UPDATE tender SET title = $3, version = version + 1 WHERE id = $1 AND version = $2",
            tender_id,
            version,
            given.title,
        )
        if not written:
            raise Stale
    view = await requirement_view_of(tender_id)
    await record(
        actor,
        "requirement.edited",
        "tender",
        tender_id,
        tender=tender_id,
        after=content,
        number=view.number,
    )
    return view


def _drafts(facts: TenderFacts) -> bool:
    """Say whether the requirement may be written: in draft, or for an amendment of what stands."""
    if facts.stage is TenderStage.DRAFT:
        return True
    return facts.takes_bids and facts.redraft in {None, RedraftStage.DRAFT}


def canonical(requirement: Requirement) -> bytes:
    """Write a requirement in the one form of which its digest is taken (RFC 8785)."""
    return rfc8785.dumps(msgspec.to_builtins(requirement))


def _summary(found: list[Fault]) -> str:
    if len(found) == 1:
        return found[0].reason
    return f"The requirement has {len(found)} faults. The first: {found[0].reason}"


@command
async def set_timetable(
    actor: Actor, tender_id: UUID, given: Timetable, version: int
) -> TenderView:
    """Set the timetable, which can change until publication and is no authorship.

    Raises:
        DutyNeeded: the actor is not the tender's manager.
        TransitionRefused: the tender is published or abandoned.
        TimetableFaulty: with everything that is wrong with the dates.
        Stale: the tender was changed since it was read.
    """
    facts = ensure_may(
        actor,
        await hold(actor, tender_id),
        Duty.TENDER_MANAGER,
        to="set the timetable",
        version=version,
    )
    ensure_stage(facts, BEFORE_PUBLICATION, to="set the timetable")
    found = list(
        timetable_faults(
            facts.now,
            clarifications_until=given.clarifications_until,
            deadline=given.deadline,
            contract_starts=given.contract_starts,
        )
    )
    if found:
        raise TimetableFaulty(found[0].reason, faults=found)
    written = await execute(
        "UPDATE tender SET clarifications_until = $3, deadline = $4, contract_starts = $5,"
        " version = version + 1 WHERE id = $1 AND version = $2",
        tender_id,
        version,
        given.clarifications_until,
        given.deadline,
        given.contract_starts,
    )
    if not written:
        raise Stale
    await record(
        actor,
        "timetable.set",
        "tender",
        tender_id,
        tender=tender_id,
        deadline=given.deadline.isoformat(),
        contract_starts=given.contract_starts.isoformat(),
    )
    return await view_of(tender_id, facts.duties)


@command
async def add_buyer(actor: Actor, tender_id: UUID, given: AddBuyer, version: int) -> TenderView:
    """Let another organisation buy in the tender.

    Raises:
        DutyNeeded: the actor is not the tender's manager.
        BuyersSettled: the tender is not a draft any more.
        CannotBuy: the organisation is not of a kind that buys, or its population is not known.
        BuysAlready: it buys in the tender already.
        NotFound: there is no such organisation.
        Stale: the tender was changed since it was read.
    """
    facts = ensure_may(
        actor, await hold(actor, tender_id), Duty.TENDER_MANAGER, to="add buyers", version=version
    )
    if facts.stage is not TenderStage.DRAFT:
        raise BuyersSettled
    organisation = await _organisation(given.organisation)
    if organisation is None:
        message = "There is no such organisation."
        raise NotFound(message)
    if organisation.kind not in BUYER_KINDS or organisation.population is None:
        raise CannotBuy
    added = await execute(
        "INSERT INTO tender_buyer (id, tender, organisation, population) VALUES ($1, $2, $3, $4)"
        " ON CONFLICT ON CONSTRAINT tender_buyer_once DO NOTHING",
        uuid4(),
        tender_id,
        given.organisation,
        organisation.population,
    )
    if not added:
        raise BuysAlready
    await count_up(facts)
    await record(
        actor,
        "buyer.added",
        "tender",
        tender_id,
        tender=tender_id,
        buyer=str(given.organisation),
        population=organisation.population,
    )
    return await view_of(tender_id, facts.duties)
