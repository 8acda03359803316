"""Did it lower cost, did it improve access: computed, reviewed by somebody apart, published."""

import asyncio
from datetime import date, timedelta
from typing import Any
from uuid import uuid4

import pytest

from tests.makers.clock import advance_to
from tests.makers.direct import acting, refused
from tests.makers.evaluation import EvaluatedLot, awarded_lot
from tests.makers.outcome import BASELINE, baseline_body, begins, reviewer_of, running_lot
from tests.makers.tenders import assign, market_time
from tests.makers.world import Person, World

NARRATIVE = "Cheaper by the shared team; questions are answered in half the time."


def _type(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["type"].removeprefix("/problems/")


def _review(day: date, cost: str = "90000", access: str | None = "9", **more: str) -> Any:
    return {
        "kind": "yearly",
        "through": day.isoformat(),
        "yearly_cost": {"amount": cost, "currency": "GBP"},
        "access_value": access,
        "narrative": NARRATIVE,
        **more,
    }


async def _later(lot: EvaluatedLot, days: int) -> None:
    await advance_to(lot.world, await market_time(lot.world) + timedelta(days=days))


async def test_the_baseline_is_of_every_buyer_and_recorded_once(world: World) -> None:
    lot = await awarded_lot(world)
    manager, path = lot.tender.contract_manager, f"{lot.path}/baseline"
    lead = lot.tender.manager.organisation
    for faulty in (
        baseline_body(uuid4()),
        baseline_body(lead, lead),
        baseline_body(lead, uuid4()),
        baseline_body(lead, cost="-1"),
    ):
        assert _type(await manager.post(path, faulty)) == (400, "baseline-faulty")
    assert (await lot.tender.manager.post(path, baseline_body(lead))).status_code == 403
    answers = await asyncio.gather(*(manager.post(path, baseline_body(lead)) for _ in range(2)))
    assert sorted(answer.status_code for answer in answers) == [201, 409]
    assert _type(await manager.post(path, baseline_body(lead))) == (409, "baseline-recorded")


@pytest.mark.parametrize(
    ("cost", "access", "lowered", "improved"),
    [
        ("99999.99", "20.9", True, True),
        ("100000", "21", False, False),
        ("100000.01", "22", False, False),
    ],
)
async def test_what_came_of_it_is_computed_from_figures(  # one case
    world: World, cost: str, access: str, *, lowered: bool, improved: bool
) -> None:
    lot = await running_lot(world)
    reviewer = await reviewer_of(world, lot)
    await _later(lot, 400)
    day = await begins(lot) + timedelta(days=364)
    given = await reviewer.post(f"{lot.path}/outcome-reviews", _review(day, cost, access))
    assert given.status_code == 201, given.text
    assert (given.json()["cost_lowered"], given.json()["access_improved"]) == (lowered, improved)
    public = (await world.public(f"{lot.path}/performance")).json()
    assert public["reviews"] == [given.json()]


async def test_without_a_baseline_nothing_is_claimed(world: World) -> None:
    lot = await running_lot(world, baseline=False)
    reviewer = await reviewer_of(world, lot)
    await _later(lot, 400)
    day = await begins(lot) + timedelta(days=364)
    path = f"{lot.path}/outcome-reviews"
    assert _type(await reviewer.post(path, _review(day))) == (400, "access-misfigured")
    given = (await reviewer.post(path, _review(day, access=None))).json()
    assert (given["cost_before"], given["cost_lowered"], given["access_improved"]) == (
        None,
        None,
        None,
    )


async def test_reviews_come_in_their_order_and_the_final_one_is_last(world: World) -> None:
    lot = await running_lot(world)
    reviewer = await reviewer_of(world, lot)
    path, starts = f"{lot.path}/outcome-reviews", await begins(lot)
    year, end = starts + timedelta(days=364), starts + timedelta(days=3 * 365 - 1)
    assert _type(await reviewer.post(path, _review(year))) == (409, "review-not-due")
    await _later(lot, 400)
    assert _type(await reviewer.post(path, _review(year, access=None))) == (
        400,
        "access-misfigured",
    )
    early = await reviewer.post(path, _review(year, kind="final"))
    assert _type(early) == (409, "review-not-due")
    answers = await asyncio.gather(*(reviewer.post(path, _review(year)) for _ in range(2)))
    assert sorted(answer.status_code for answer in answers) == [201, 409]
    assert _type(await reviewer.post(path, _review(year))) == (409, "outcome-reviewed-already")
    await _later(lot, 900)
    final = await reviewer.post(path, _review(end, kind="final"))
    assert final.status_code == 201, final.text
    after = _review(end + timedelta(days=9), kind="final")
    assert _type(await reviewer.post(path, after)) == (409, "outcome-reviewed-already")


async def test_whoever_wrote_approved_or_manages_reviews_nothing(world: World) -> None:
    lot = await running_lot(world)
    tender = lot.tender
    for person in (tender.author, *tender.approvers, tender.contract_manager, tender.guardian):
        given = await assign(tender.manager, tender.id, person, "outcome_reviewer")
        assert _type(given) == (403, "duty-clash"), person.name
        tried = await person.post(f"{lot.path}/outcome-reviews", _review(date(2030, 1, 1)))
        assert tried.status_code == 403


async def test_the_database_keeps_reviews_and_the_baseline(
    world: World, app_role: Any, superuser: Any
) -> None:
    early = await awarded_lot(world)
    manager = early.tender.contract_manager
    async with (
        refused("baseline_of_every_buyer"),
        acting(app_role, manager.id, manager.organisation),
    ):
        await app_role.execute(BASELINE, uuid4(), early.id, "{}", manager.id)
    lot = await running_lot(world)
    reviewer = await reviewer_of(world, lot)
    starts = await begins(lot)

    async def review(
        person: Person, day: int, kind: str = "yearly", access: int | None = 9
    ) -> None:
        async with acting(app_role, person.id, person.organisation):
            await app_role.execute(
                "INSERT INTO outcome_review (id, lot, kind, through, yearly_cost, access_value,"
                " narrative, reviewed_by, cost_lowered, cost_before)"
                " VALUES ($1, $2, $3, $4, 5000000, $5, $6, $7, true, 9000000)",
                uuid4(),
                lot.id,
                kind,
                starts + timedelta(days=day),
                access,
                NARRATIVE,
                person.id,
            )

    async with refused("reviewed_when_due"):
        await review(reviewer, 364)
    await _later(lot, 400)
    async with refused("duty_needed"):
        await review(lot.tender.contract_manager, 364)
    async with refused("review_measures_access"):
        await review(reviewer, 364, access=None)
    await review(reviewer, 364)
    assert await superuser.fetchval("SELECT cost_lowered FROM outcome_review") is False
    async with refused("reviews_go_on"):
        await review(reviewer, 300)
    for table in ("outcome_baseline", "outcome_review"):
        async with refused("append_only"):
            await superuser.execute(f"DELETE FROM {table}")  # noqa: S608  # named above


async def test_an_unknown_supplier_has_no_record_and_one_without_contracts_an_empty_one(
    world: World,
) -> None:
    assert (await world.public(f"/suppliers/{uuid4()}/track-record")).status_code == 404
    lot = await running_lot(world)
    for supplier in lot.suppliers[1:]:
        answer = await world.public(f"/suppliers/{supplier.organisation}/track-record")
        assert answer.json() == {"items": [], "next": None}
    won = await world.public(f"/suppliers/{lot.suppliers[0].organisation}/track-record?limit=1")
    [item] = won.json()["items"]
    assert item["contracts"][0]["reference"] == "BLMK-17"
    for secret in ("Supplier 2", "Bidder", "pseudonym", "100.00"):
        assert secret not in won.text
