"""The register of procurement decisions: public, a page at a time."""

from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

import msgspec

from evaluation.rules.exact import pounds
from evaluation.rules.stages import LotStage, shown_stage
from evaluation.schemas.award import ContractDates
from evaluation.schemas.decisions import (
    ApproverName,
    BuyerValue,
    Buying,
    ConflictsManaged,
    ConflictsNoted,
    DecisionProcess,
    ExemptionPublished,
    Noted,
    OutcomeCount,
    ProcurementDecision,
)
from market.actor import Actor
from market.database import fetch, fetch_value, reading
from market.errors import NotFound
from market.money import apportioned
from market.pages import Page
from tenders.queries.keysets import cursor_at, read_cursor

_BUYER = "SELECT id FROM organisation WHERE id = $1 AND NOT proposed"

_DECISIONS = """
SELECT d.*, market_now() AS now, lot_on_hold(d.lot) AS on_hold
FROM procurement_decisions($1, $2, $3, $4) d
ORDER BY d.notified_at DESC, d.lot DESC
"""


class _Buyer(msgspec.Struct, frozen=True):
    organisation: UUID
    name: str
    population: int


class _Conflicts(msgspec.Struct, frozen=True):
    kind: str
    found: Noted
    times: int


class _Decision(msgspec.Struct, frozen=True):
    lot: UUID
    tender: UUID
    reference: str
    title: str
    lot_number: int
    lot_title: str
    description: str
    stage: LotStage
    abandoned_because: str | None
    lead: UUID
    lead_name: str
    buyers: str
    managers: list[str]
    contract_managers: list[str]
    method: str
    method_version: int
    quorum: int
    approvers: str
    conflicts: str
    outcomes: str
    mitigations: list[str]
    exemptions: str
    supplier: UUID
    supplier_name: str
    supplier_address: str | None
    price: Decimal
    awarded_at: datetime
    notified_at: datetime
    standstill_ends_at: datetime
    contract_reference: str | None
    contract_starts: date | None
    contract_ends: date | None
    contract_made_at: datetime | None
    now: datetime
    on_hold: bool


async def procurement_decisions(
    actor: Actor, organisation_id: UUID, *, limit: int, cursor: str | None
) -> Page[ProcurementDecision]:
    """List the lots in which an organisation buys and whose bidders have been told, latest first.

    Raises:
        NotFound: there is no such organisation.
        Malformed: a cursor that is none of the market's.
    """
    moment, item = read_cursor(cursor)
    async with reading(actor):
        if await fetch_value(_BUYER, organisation_id) is None:
            raise NotFound
        rows = await fetch(_Decision, _DECISIONS, organisation_id, moment, item, limit + 1)
    shown = rows[:limit]
    return Page(
        items=[_view(organisation_id, row) for row in shown],
        next=cursor_at(shown[-1].notified_at, shown[-1].lot) if len(rows) > limit else None,
    )


def _view(organisation: UUID, row: _Decision) -> ProcurementDecision:
    buyers = msgspec.json.decode(row.buyers, type=list[_Buyer])
    parts = apportioned(row.price, {buyer.organisation: buyer.population for buyer in buyers})
    return ProcurementDecision(
        tender=row.tender,
        reference=row.reference,
        title=row.title,
        lot=row.lot_number,
        lot_title=row.lot_title,
        description=row.description,
        stage=shown_stage(
            row.stage, standstill_end=row.standstill_ends_at, now=row.now, on_hold=row.on_hold
        ).value,
        abandoned_because=row.abandoned_because,
        buying=Buying.OWN if len(buyers) == 1 else Buying.COLLABORATIVE,
        lead=row.lead,
        lead_name=row.lead_name,
        tender_managers=row.managers,
        contract_managers=row.contract_managers,
        process=DecisionProcess(
            method=row.method,
            method_version=row.method_version,
            quorum=row.quorum,
            approvers=msgspec.json.decode(row.approvers, type=list[ApproverName]),
            decided_at=row.awarded_at,
        ),
        conflicts=_conflicts(row),
        supplier=row.supplier,
        supplier_name=row.supplier_name,
        supplier_address=row.supplier_address,
        total_value=pounds(row.price),
        value_to_us=pounds(parts[organisation]),
        buyers=[
            BuyerValue(
                organisation=buyer.organisation,
                name=buyer.name,
                population=buyer.population,
                value=pounds(parts[buyer.organisation]),
            )
            for buyer in buyers
        ],
        notified_at=row.notified_at,
        standstill_ends_at=row.standstill_ends_at,
        contract=_contract(row),
    )


def _conflicts(row: _Decision) -> ConflictsManaged:
    return ConflictsManaged(
        noted=[
            ConflictsNoted(kind=found.kind, noted=found.found, times=found.times)
            for found in msgspec.json.decode(row.conflicts, type=list[_Conflicts])
        ],
        outcomes=msgspec.json.decode(row.outcomes, type=list[OutcomeCount]),
        mitigations=row.mitigations,
        exemptions=msgspec.json.decode(row.exemptions, type=list[ExemptionPublished]),
    )


def _contract(row: _Decision) -> ContractDates | None:
    if (
        row.contract_reference is None
        or row.contract_starts is None
        or row.contract_ends is None
        or row.contract_made_at is None
    ):
        return None
    return ContractDates(
        reference=row.contract_reference,
        starts=row.contract_starts,
        ends=row.contract_ends,
        made_at=row.contract_made_at,
    )
