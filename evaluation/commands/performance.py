"""Indicators before a contract, what is measured while it runs, and its yearly publication."""

from datetime import date, datetime
from uuid import UUID, uuid4

import msgspec

from evaluation.outcome_errors import (
    AssessedAlready,
    AssessmentsLacking,
    ContractMadeAlready,
    PeriodNotOver,
)
from evaluation.permissions import LotFacts, ensure_may, ensure_stage
from evaluation.queries.facts import hold
from evaluation.rules.contracts import a_year_after
from evaluation.rules.stages import LotStage
from evaluation.schemas.performance import (
    AssessKpi,
    KpiAssessed,
    KpiSet,
    KpisPublished,
    PublishKpis,
    SetKpi,
)
from market.actor import Actor
from market.command import command
from market.database import fetch_one, fetch_value
from market.errors import NotFound
from market.events.commands import record
from market.money import decimal_of
from tenders.rules.duties import Duty
from tenders.rules.rule_sets import LONDON

_SET = """
INSERT INTO kpi (id, lot, title, measure, unit, direction, target, baseline, set_by)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) RETURNING number, set_at
"""
_ASSESS = """
INSERT INTO kpi_assessment (id, kpi, period_from, period_to, value, evidence, assessed_by)
VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING met, assessed_at
"""
_PUBLISH = """
INSERT INTO kpi_publication (id, lot, through, published_by) VALUES ($1, $2, $3, $4)
RETURNING published_at
"""
_CONTRACTED = "SELECT EXISTS (SELECT 1 FROM contract WHERE lot = $1)"
_KPI = "SELECT id FROM kpi WHERE award = latest_award($1) AND number = $2"
_OVERLAPS = """
SELECT EXISTS (SELECT 1 FROM kpi_assessment WHERE kpi = $1 AND period_from <= $3
               AND period_to >= $2)
    OR EXISTS (SELECT 1 FROM kpi_publication WHERE lot = $4 AND through >= $3)
"""
_LACKING = """
SELECT NOT EXISTS (SELECT 1 FROM kpi WHERE award = latest_award($1))
    OR $2 <= coalesce((SELECT max(through) FROM kpi_publication WHERE lot = $1), '-infinity')
    OR EXISTS (SELECT 1 FROM kpi k WHERE k.award = latest_award($1) AND NOT EXISTS (
        SELECT 1 FROM kpi_assessment a WHERE a.kpi = k.id AND a.period_to <= $2
        AND a.period_to > coalesce((SELECT max(through) FROM kpi_publication WHERE lot = $1),
                                   '-infinity')))
"""


class _Set(msgspec.Struct, frozen=True):
    number: int
    set_at: datetime


class _Assessed(msgspec.Struct, frozen=True):
    met: bool
    assessed_at: datetime


class _Run(msgspec.Struct, frozen=True):
    starts: date
    ends: date


def today_of(facts: LotFacts) -> date:
    """The day it is in London for a command."""
    return facts.now.astimezone(LONDON).date()


async def hold_to_manage(actor: Actor, tender_id: UUID, lot_number: int, *, to: str) -> LotFacts:
    """Hold a contracted lot for its contract manager, inside a command.

    Raises:
        NotFound: no such lot, or the actor has no duty in its tender.
        DutyNeeded: the actor is not the contract manager.
        DeclarationMissing: the actor has not declared against every bidder.
        ConflictOfInterest: the actor has an interest in a bidder.
        LotNotThere: not every contract of the lot is made.
    """
    facts = ensure_may(await hold(actor, tender_id, lot_number), Duty.CONTRACT_MANAGER, to=to)
    ensure_stage(facts, LotStage.CONTRACTED, to=to)
    return facts


async def run_of(facts: LotFacts) -> tuple[date, date]:
    """From when to when the contracts of a contracted lot run, inside a transaction."""
    run = await fetch_one(_Run, "SELECT * FROM contracts_run($1)", facts.lot)
    if run is None:
        message = f"The contracted lot {facts.lot} has no contract."
        raise LookupError(message)
    return run.starts, run.ends


@command
async def set_kpi(actor: Actor, tender_id: UUID, lot_number: int, given: SetKpi) -> KpiSet:
    """Set a key performance indicator of an award, as its contract manager, before a contract.

    Under the Procurement Act 2023, section 52, a contract above £5 million has three of them.

    Raises:
        NotFound: no such lot, or the actor has no duty in its tender.
        DutyNeeded: the actor is not the contract manager.
        DeclarationMissing: the actor has not declared against every bidder.
        ConflictOfInterest: the actor has an interest in a bidder.
        LotNotThere: the lot is not awarded, or contracted.
        ContractMadeAlready: a buyer has its contract.
    """
    facts = ensure_may(
        await hold(actor, tender_id, lot_number), Duty.CONTRACT_MANAGER, to="set its indicators"
    )
    ensure_stage(facts, LotStage.AWARDED, LotStage.NOTIFIED, to="get an indicator")
    if await fetch_value(_CONTRACTED, facts.lot):
        raise ContractMadeAlready
    kpi = uuid4()
    row = await fetch_one(
        _Set,
        _SET,
        kpi,
        facts.lot,
        given.title,
        given.measure,
        given.unit,
        given.direction.value,
        decimal_of(given.target),
        None if given.baseline is None else decimal_of(given.baseline),
        actor.person,
    )
    if row is None:
        message = "An insert gave no row back."
        raise LookupError(message)
    await record(
        actor,
        "kpi.set",
        "kpi",
        kpi,
        tender=tender_id,
        after=msgspec.json.encode(given),
        lot=lot_number,
        number=row.number,
    )
    lacking: int = await fetch_value("SELECT kpis_lacking($1)", facts.lot)
    return KpiSet(number=row.number, set_at=row.set_at, lacking=lacking)


@command
async def assess_kpi(
    actor: Actor, tender_id: UUID, lot_number: int, number: int, given: AssessKpi
) -> KpiAssessed:
    """Record what was measured of an indicator in a period that is over.

    Raises:
        NotFound: no such lot or indicator, or the actor has no duty in the tender.
        DutyNeeded: the actor is not the contract manager.
        DeclarationMissing: the actor has not declared against every bidder.
        ConflictOfInterest: the actor has an interest in a bidder.
        LotNotThere: not every contract of the lot is made.
        PeriodNotOver: the period is not over, or not within the contract.
        AssessedAlready: a part of the period is assessed, or published.
    """
    facts = await hold_to_manage(actor, tender_id, lot_number, to="assess its indicators")
    kpi = await fetch_value(_KPI, facts.lot, number)
    if kpi is None:
        raise NotFound
    starts, ends = await run_of(facts)
    if (
        given.period_to >= today_of(facts)
        or not starts <= given.period_from < given.period_to <= ends
    ):
        raise PeriodNotOver
    if await fetch_value(_OVERLAPS, kpi, given.period_from, given.period_to, facts.lot):
        raise AssessedAlready
    assessment = uuid4()
    row = await fetch_one(
        _Assessed,
        _ASSESS,
        assessment,
        kpi,
        given.period_from,
        given.period_to,
        decimal_of(given.value),
        given.evidence,
        actor.person,
    )
    if row is None:
        message = "An insert gave no row back."
        raise LookupError(message)
    await record(
        actor,
        "kpi.assessed",
        "kpi_assessment",
        assessment,
        tender=tender_id,
        after=msgspec.json.encode(given),
        lot=lot_number,
        number=number,
        met=row.met,
    )
    return KpiAssessed(number=number, value=given.value, met=row.met, assessed_at=row.assessed_at)


@command
async def publish_kpis(
    actor: Actor, tender_id: UUID, lot_number: int, given: PublishKpis
) -> KpisPublished:
    """Publish everything measured up to a day, as is done every twelve months at least.

    Source: Procurement Act 2023, section 71; under other law it is the market's habit.

    Raises:
        NotFound: no such lot, or the actor has no duty in its tender.
        DutyNeeded: the actor is not the contract manager.
        DeclarationMissing: the actor has not declared against every bidder.
        ConflictOfInterest: the actor has an interest in a bidder.
        LotNotThere: not every contract of the lot is made.
        PeriodNotOver: the day is not over.
        AssessmentsLacking: an indicator was not assessed since the last publication, or there is
            none.
    """
    facts = await hold_to_manage(actor, tender_id, lot_number, to="publish its indicators")
    if given.through >= today_of(facts):
        raise PeriodNotOver
    if await fetch_value(_LACKING, facts.lot, given.through):
        raise AssessmentsLacking
    publication = uuid4()
    published_at: datetime = await fetch_value(
        _PUBLISH, publication, facts.lot, given.through, actor.person
    )
    await record(
        actor,
        "kpis.published",
        "kpi_publication",
        publication,
        tender=tender_id,
        lot=lot_number,
        through=given.through.isoformat(),
    )
    return KpisPublished(
        through=given.through, published_at=published_at, next_due=a_year_after(given.through)
    )
