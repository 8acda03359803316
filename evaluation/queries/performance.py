"""How contracts run: what everybody may know, what those with a duty know, a supplier's record."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

import msgspec

from evaluation.permissions import READS_EVALUATION, ensure_reads
from evaluation.queries.award import contracts_of
from evaluation.queries.facts import facts_of
from evaluation.rules.contract_rules import CONTRACT_RULES, ChangeGround
from evaluation.rules.contracts import a_year_after, percent_of
from evaluation.rules.exact import pounds
from evaluation.schemas.performance import (
    AccessBetter,
    AssessmentView,
    BaselineView,
    ChangeView,
    Direction,
    KpisView,
    KpiView,
    MilestoneView,
    OutcomeReviewView,
    PerformanceView,
    ReviewKind,
    RunningContract,
    YearlyCost,
)
from market.actor import Actor
from market.database import fetch, reading
from market.errors import NotFound
from market.money import Money, plain_text
from tenders.rules.rule_sets import RuleSetName

_CHANGES = """
SELECT c.lot, c.buyer, t.rule_set, c.value AS awarded, c.starts, c.ends AS awarded_ends, h.number,
    h.ground, h.reason, h.value, h.ends, h.scope, h.flagged, h.recorded_at
FROM contract_change h JOIN contract c ON c.id = h.contract JOIN lot l ON l.id = c.lot
JOIN tender t ON t.id = l.tender WHERE c.lot = ANY ($1::uuid[]) ORDER BY h.number
"""
_MILESTONES = """
SELECT c.lot, c.buyer, m.number, m.title, m.due, d.met_on, d.evidence,
    coalesce(d.met_on, (market_now() AT TIME ZONE 'Europe/London')::date) > m.due AS late
FROM milestone m JOIN contract c ON c.id = m.contract
LEFT JOIN milestone_met d ON d.milestone = m.id
WHERE c.lot = ANY ($1::uuid[]) ORDER BY m.number
"""
_KPIS = """
SELECT k.lot, k.number, k.title, k.measure, k.unit, k.direction, k.target, k.baseline
FROM kpi k WHERE k.lot = ANY ($1::uuid[]) AND k.award = latest_award(k.lot) ORDER BY k.number
"""
_ASSESSMENTS = """
SELECT k.lot, k.number, a.period_from, a.period_to, a.value, a.met, a.evidence
FROM kpi_assessment a JOIN kpi k ON k.id = a.kpi
WHERE k.lot = ANY ($1::uuid[]) AND (NOT $2 OR EXISTS (
    SELECT 1 FROM kpi_publication p WHERE p.lot = k.lot AND p.through >= a.period_to))
ORDER BY a.period_from
"""
_PUBLISHED = """
SELECT l.id AS lot, kpis_lacking(l.id) AS lacking,
    (SELECT max(p.through) FROM kpi_publication p WHERE p.lot = l.id) AS through,
    (SELECT min(c.starts) FROM contract c WHERE c.lot = l.id) AS starts
FROM lot l WHERE l.id = ANY ($1::uuid[])
"""
_BASELINES = """
SELECT b.lot, b.costs, b.access_measure, b.access_unit, b.access_better, b.access_value,
    b.recorded_at
FROM outcome_baseline b WHERE b.lot = ANY ($1::uuid[]) AND b.award = latest_award(b.lot)
"""
_REVIEWS = """
SELECT r.lot, r.number, r.kind, r.through, r.yearly_cost, r.cost_before, r.cost_lowered,
    r.access_value, r.access_improved, r.narrative, p.name AS reviewer, r.reviewed_at
FROM outcome_review r JOIN person p ON p.id = r.reviewed_by
WHERE r.lot = ANY ($1::uuid[]) ORDER BY r.number
"""


class _Change(msgspec.Struct, frozen=True):
    lot: UUID
    buyer: UUID
    rule_set: str
    awarded: Decimal
    starts: date
    awarded_ends: date
    number: int
    ground: ChangeGround
    reason: str
    value: Decimal
    ends: date
    scope: str | None
    flagged: bool
    recorded_at: datetime


class _Milestone(msgspec.Struct, frozen=True):
    lot: UUID
    buyer: UUID
    number: int
    title: str
    due: date
    met_on: date | None
    evidence: str | None
    late: bool


class _Kpi(msgspec.Struct, frozen=True):
    lot: UUID
    number: int
    title: str
    measure: str
    unit: str
    direction: Direction
    target: Decimal
    baseline: Decimal | None


class _Assessment(msgspec.Struct, frozen=True):
    lot: UUID
    number: int
    period_from: date
    period_to: date
    value: Decimal
    met: bool
    evidence: str


class _Published(msgspec.Struct, frozen=True):
    lot: UUID
    lacking: int
    through: date | None
    starts: date | None


class _Baseline(msgspec.Struct, frozen=True):
    lot: UUID
    costs: str
    access_measure: str
    access_unit: str
    access_better: AccessBetter
    access_value: Decimal
    recorded_at: datetime


class _Review(msgspec.Struct, frozen=True):
    lot: UUID
    number: int
    kind: ReviewKind
    through: date
    yearly_cost: Decimal
    cost_before: Decimal | None
    cost_lowered: bool | None
    access_value: Decimal | None
    access_improved: bool | None
    narrative: str
    reviewer: str
    reviewed_at: datetime


def _text(value: Decimal | None) -> str | None:
    return None if value is None else plain_text(value)


async def running_contracts(lots: Sequence[UUID]) -> dict[UUID, list[RunningContract]]:
    """The contracts of lots with their changes and milestones, inside a transaction."""
    changes: dict[tuple[UUID, UUID], list[ChangeView]] = defaultdict(list)
    milestones: dict[tuple[UUID, UUID], list[MilestoneView]] = defaultdict(list)
    for row in await fetch(_Change, _CHANGES, list(lots)):
        changes[row.lot, row.buyer].append(_change(row))
    for met in await fetch(_Milestone, _MILESTONES, list(lots)):
        milestones[met.lot, met.buyer].append(
            MilestoneView(
                number=met.number,
                title=met.title,
                due=met.due,
                met_on=met.met_on,
                evidence=met.evidence,
                late=met.late,
            )
        )
    return {
        lot: [
            RunningContract(
                **msgspec.structs.asdict(contract),
                changes=changes[lot, contract.buyer],
                milestones=milestones[lot, contract.buyer],
            )
            for contract in await contracts_of(lot)
        ]
        for lot in lots
    }


def _change(row: _Change) -> ChangeView:
    rules = CONTRACT_RULES[RuleSetName(row.rule_set)].changes
    term = (row.awarded_ends - row.starts).days + 1
    return ChangeView(
        number=row.number,
        ground=row.ground,
        source=rules[row.ground].source,
        reason=row.reason,
        value=pounds(row.value),
        value_changed_percent=percent_of(row.value - row.awarded, row.awarded),
        ends=row.ends,
        term_changed_percent=percent_of((row.ends - row.awarded_ends).days, term),
        scope=row.scope,
        flagged=row.flagged,
        recorded_at=row.recorded_at,
    )


async def kpis_of(lots: Sequence[UUID], *, published_alone: bool) -> dict[UUID, KpisView]:
    """The indicators of lots and what was measured of them, inside a transaction."""
    measured: dict[tuple[UUID, int], list[AssessmentView]] = defaultdict(list)
    for row in await fetch(_Assessment, _ASSESSMENTS, list(lots), published_alone):
        measured[row.lot, row.number].append(
            AssessmentView(
                period_from=row.period_from,
                period_to=row.period_to,
                value=plain_text(row.value),
                met=row.met,
                evidence=row.evidence,
            )
        )
    kpis: dict[UUID, list[KpiView]] = defaultdict(list)
    for kpi in await fetch(_Kpi, _KPIS, list(lots)):
        kpis[kpi.lot].append(
            KpiView(
                number=kpi.number,
                title=kpi.title,
                measure=kpi.measure,
                unit=kpi.unit,
                direction=kpi.direction,
                target=plain_text(kpi.target),
                baseline=_text(kpi.baseline),
                assessments=measured[kpi.lot, kpi.number],
            )
        )
    return {
        row.lot: KpisView(
            lacking=row.lacking,
            published_through=row.through,
            next_due=_next_due(row) if kpis[row.lot] else None,
            kpis=kpis[row.lot],
        )
        for row in await fetch(_Published, _PUBLISHED, list(lots))
    }


def _next_due(row: _Published) -> date | None:
    since = row.through or row.starts
    return None if since is None else a_year_after(since)


async def baselines_of(lots: Sequence[UUID]) -> dict[UUID, BaselineView]:
    """The baselines of those lots that have one, inside a transaction."""
    return {
        row.lot: BaselineView(
            yearly_costs=[
                YearlyCost(buyer=buyer, cost=Money(amount=amount))
                for buyer, amount in msgspec.json.decode(row.costs, type=dict[UUID, str]).items()
            ],
            access_measure=row.access_measure,
            access_unit=row.access_unit,
            access_better=row.access_better,
            access_value=plain_text(row.access_value),
            recorded_at=row.recorded_at,
        )
        for row in await fetch(_Baseline, _BASELINES, list(lots))
    }


async def reviews_of(lots: Sequence[UUID]) -> dict[UUID, list[OutcomeReviewView]]:
    """The outcome reviews of lots in their order, inside a transaction."""
    found: dict[UUID, list[OutcomeReviewView]] = defaultdict(list)
    for row in await fetch(_Review, _REVIEWS, list(lots)):
        found[row.lot].append(
            OutcomeReviewView(
                number=row.number,
                kind=row.kind,
                through=row.through,
                yearly_cost=pounds(row.yearly_cost),
                cost_before=None if row.cost_before is None else pounds(row.cost_before),
                cost_lowered=row.cost_lowered,
                access_value=_text(row.access_value),
                access_improved=row.access_improved,
                narrative=row.narrative,
                reviewer=row.reviewer,
                reviewed_at=row.reviewed_at,
            )
        )
    return found


async def lot_kpis(actor: Actor, tender_id: UUID, lot_number: int) -> KpisView:
    """Show the indicators of a lot and all that was measured, published or not.

    Raises:
        NotFound: no such lot, or the actor has no duty in its tender.
        DutyNeeded: the actor has a duty that does not read the evaluation.
        DeclarationMissing: the actor has not declared against every bidder.
        ConflictOfInterest: the actor has an interest in a bidder.
    """
    async with reading(actor):
        facts = ensure_reads(
            await facts_of(actor, tender_id, lot_number), *READS_EVALUATION, what="its indicators"
        )
        return (await kpis_of([facts.lot], published_alone=False))[facts.lot]


async def performance(actor: Actor, tender_id: UUID, lot_number: int) -> PerformanceView:
    """Show everybody how the contracts of a lot run, from the first contract on.

    Raises:
        NotFound: no such lot, or it has no contract yet.
    """
    async with reading(actor):
        facts = await facts_of(actor, tender_id, lot_number)
        if facts is None:
            raise NotFound
        contracts = (await running_contracts([facts.lot]))[facts.lot]
        if not contracts:
            raise NotFound
        return PerformanceView(
            tender=facts.tender,
            reference=facts.reference,
            lot=facts.number,
            title=facts.title,
            contracts=contracts,
            kpis=(await kpis_of([facts.lot], published_alone=True))[facts.lot],
            baseline=(await baselines_of([facts.lot])).get(facts.lot),
            reviews=(await reviews_of([facts.lot])).get(facts.lot, []),
        )
