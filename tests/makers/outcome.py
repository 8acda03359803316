"""Indicators, a baseline, contracts that run, and somebody to review them, through HTTP."""

from datetime import date, timedelta
from typing import Any
from uuid import UUID

from market.actor import Role
from tests.makers.bids import declare
from tests.makers.evaluation import EvaluatedLot, contract_body, end_standstill, notified_lot
from tests.makers.tenders import assign, market_time
from tests.makers.world import Person, World

KPI = {
    "title": "Reports on time",
    "measure": "Share of monthly reports delivered by the tenth working day.",
    "unit": "per cent",
    "direction": "at_least",
    "target": "95",
    "baseline": "81.5",
}
WHY = "The service grows with the second group's practices."
BASELINE = (
    "INSERT INTO outcome_baseline (id, lot, costs, access_measure, access_unit, access_better,"
    " access_value, recorded_by) VALUES ($1, $2, $3, 'M', 'u', 'lower', 1, $4)"
)


def baseline_body(*buyers: UUID, cost: str = "100000.00") -> dict[str, Any]:
    """A baseline that costs each buyer the same."""
    return {
        "yearly_costs": [
            {"buyer": str(buyer), "cost": {"amount": cost, "currency": "GBP"}} for buyer in buyers
        ],
        "access_measure": "Median days from a practice's question to the answer.",
        "access_unit": "days",
        "access_better": "lower",
        "access_value": "21",
    }


async def dated(world: World) -> dict[str, Any]:
    """Dates of a contract of three years that begins in ten days."""
    starts = (await market_time(world)).date() + timedelta(days=10)
    return {
        "starts": starts.isoformat(),
        "ends": (starts + timedelta(days=3 * 365 - 1)).isoformat(),
    }


async def reviewer_of(world: World, lot: EvaluatedLot) -> Person:
    """Somebody who is given the duty of outcome reviewer, and declares no interest."""
    tender = lot.tender
    person = await world.person("Otto Outcome", tender.manager.organisation, Role.COMMISSIONER)
    given = await assign(tender.manager, tender.id, person, "outcome_reviewer")
    assert given.status_code == 201, given.text
    await declare(person, tender)
    return person


async def running_lot(world: World, *, baseline: bool = True, kpis: int = 1) -> EvaluatedLot:
    """A contracted lot of one buyer, with a baseline and indicators."""
    lot = await notified_lot(world)
    manager = lot.tender.contract_manager
    for _ in range(kpis):
        given = await manager.post(f"{lot.path}/kpis", KPI)
        assert given.status_code == 201, given.text
    if baseline:
        body = baseline_body(lot.tender.manager.organisation)
        given = await manager.post(f"{lot.path}/baseline", body)
        assert given.status_code == 201, given.text
    await end_standstill(lot)
    await lot.done(manager, "/contract", contract_body(**await dated(world)))
    return lot


async def begins(lot: EvaluatedLot) -> date:
    """When the lot's contract begins."""
    view = (await lot.world.public(f"{lot.path}/performance")).json()
    return date.fromisoformat(view["contracts"][0]["starts"])
