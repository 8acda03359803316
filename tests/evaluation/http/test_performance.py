"""Indicators of a contract and what was measured, over HTTP and at the database."""

from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from tests.makers.clock import advance_to
from tests.makers.direct import acting, refused
from tests.makers.evaluation import EvaluatedLot, contract_body, end_standstill, notified_lot
from tests.makers.joint import LUTON, joint_lot, told
from tests.makers.outcome import BASELINE, KPI, WHY, baseline_body, begins, running_lot
from tests.makers.tenders import market_time
from tests.makers.world import World


def _type(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["type"].removeprefix("/problems/")


async def _later(lot: EvaluatedLot, days: int = 500) -> None:
    await advance_to(lot.world, await market_time(lot.world) + timedelta(days=days))


def _assessment(starts: date, first: int, last: int, value: str = "97") -> dict[str, str]:
    return {
        "period_from": (starts + timedelta(days=first)).isoformat(),
        "period_to": (starts + timedelta(days=last)).isoformat(),
        "value": value,
        "evidence": "Delivery log.",
    }


async def test_indicators_are_the_contract_manager_s_and_come_before_the_contract(
    world: World,
) -> None:
    lot = await notified_lot(world)
    path = f"{lot.path}/kpis"
    for person in (lot.tender.manager, lot.tender.moderator, lot.tender.guardian):
        assert (await person.post(path, KPI)).status_code == 403
    assert (await lot.suppliers[0].post(path, KPI)).status_code == 404
    manager = lot.tender.contract_manager
    for wrong in ({"direction": "about"}, {"target": "1e9"}, {"title": " "}, {"target": 95}):
        assert (await manager.post(path, KPI | wrong)).status_code == 400
    assert (await manager.post(path, KPI)).json()["number"] == 1
    hidden = await world.public(f"{lot.path}/performance")
    assert hidden.status_code == 404
    await end_standstill(lot)
    await lot.done(manager, "/contract", contract_body())
    assert _type(await manager.post(path, KPI)) == (409, "lot-not-there")
    public = (await world.public(f"{lot.path}/performance")).json()
    assert [kpi["title"] for kpi in public["kpis"]["kpis"]] == ["Reports on time"]


@pytest.mark.parametrize(
    ("direction", "value", "met"),
    [
        ("at_least", "95", True),
        ("at_least", "94.999999", False),
        ("at_most", "95", True),
        ("at_most", "95.000001", False),
    ],
)
async def test_whether_a_target_is_met_is_computed(
    world: World, direction: str, value: str, *, met: bool
) -> None:
    lot = await notified_lot(world)
    manager = lot.tender.contract_manager
    assert (await manager.post(f"{lot.path}/kpis", KPI | {"direction": direction})).is_success
    await end_standstill(lot)
    now = (await market_time(world)).date()
    run = {"starts": now.isoformat(), "ends": (now + timedelta(days=900)).isoformat()}
    await lot.done(manager, "/contract", contract_body(**run))
    await _later(lot, 100)
    body = _assessment(now, 0, 90, value)
    given = await manager.post(f"{lot.path}/kpis/1/assessments", body)
    assert given.json()["met"] is met
    typed = await manager.post(f"{lot.path}/kpis/1/assessments", body | {"met": True})
    assert typed.status_code == 400


async def test_a_day_is_assessed_once_after_it_is_over_and_published_whole(world: World) -> None:
    lot = await running_lot(world, kpis=2)
    starts, manager = await begins(lot), lot.tender.contract_manager
    path = f"{lot.path}/kpis/1/assessments"
    assert _type(await manager.post(path, _assessment(starts, 0, 180))) == (409, "period-not-over")
    await _later(lot)
    before = _assessment(starts, -1, 10)
    assert _type(await manager.post(path, before)) == (409, "period-not-over")
    backwards = _assessment(starts, 9, 8)
    assert (await manager.post(path, backwards)).status_code == 400
    assert (await manager.post(path, _assessment(starts, 0, 180))).status_code == 201
    overlap = _assessment(starts, 180, 300)
    assert _type(await manager.post(path, overlap)) == (409, "assessed-already")
    unknown = await manager.post(f"{lot.path}/kpis/9/assessments", _assessment(starts, 0, 9))
    assert unknown.status_code == 404
    through = {"through": (starts + timedelta(days=364)).isoformat()}
    publish = f"{lot.path}/kpi-publications"
    assert _type(await manager.post(publish, through)) == (409, "assessments-lacking")
    second = await manager.post(f"{lot.path}/kpis/2/assessments", _assessment(starts, 0, 364))
    assert second.status_code == 201
    future = {"through": (starts + timedelta(days=1000)).isoformat()}
    assert _type(await manager.post(publish, future)) == (409, "period-not-over")
    assert (await world.public(f"{lot.path}/performance")).json()["kpis"]["kpis"][0][
        "assessments"
    ] == []
    inside = (await lot.tender.moderator.get(f"{lot.path}/kpis")).json()
    assert len(inside["kpis"][0]["assessments"]) == 1
    done = await manager.post(publish, through)
    assert done.status_code == 201, done.text
    assert _type(await manager.post(publish, through)) == (409, "assessments-lacking")
    late = _assessment(starts, 181, 300)
    assert _type(await manager.post(path, late)) == (409, "assessed-already")
    public = (await world.public(f"{lot.path}/performance")).json()["kpis"]
    assert [len(kpi["assessments"]) for kpi in public["kpis"]] == [1, 1]
    assert public["published_through"] == through["through"]


async def test_the_database_keeps_what_follows_a_contract(
    world: World, app_role: Any, superuser: Any
) -> None:
    lot = await notified_lot(world)
    manager = lot.tender.contract_manager

    async def run(statement: str, *values: Any) -> None:
        async with acting(app_role, manager.id, manager.organisation):
            await app_role.execute(statement, uuid4(), *values, manager.id)

    async def kpi() -> None:
        await run(
            "INSERT INTO kpi (id, lot, title, measure, unit, direction, target, set_by)"
            " VALUES ($1, $2, 'T', 'M', 'u', 'at_least', 5, $3)",
            lot.id,
        )

    await kpi()
    one: UUID = await superuser.fetchval("SELECT id FROM kpi")
    await end_standstill(lot)
    today = (await market_time(world)).date()
    body = contract_body(starts=today.isoformat(), ends=(today + timedelta(days=999)).isoformat())
    await lot.done(manager, "/contract", body)
    contract: UUID = await superuser.fetchval("SELECT id FROM contract")
    async with refused("lot_stage"):
        await kpi()

    async def assess(first: int, last: int) -> None:
        await run(
            "INSERT INTO kpi_assessment (id, kpi, period_from, period_to, value, met, evidence,"
            " assessed_by) VALUES ($1, $2, $3, $4, 4, true, 'E', $5)",
            one,
            today + timedelta(days=first),
            today + timedelta(days=last),
        )

    async def publish(last: int) -> None:
        await run(
            "INSERT INTO kpi_publication (id, lot, through, published_by) VALUES ($1, $2, $3, $4)",
            lot.id,
            today + timedelta(days=last),
        )

    async def change(ground: str, value: int | None, ends: int | None = None) -> None:
        await run(
            "INSERT INTO contract_change (id, contract, ground, reason, value, ends, flagged,"
            " recorded_by) VALUES ($1, $2, $3, $4, $5, $6, false, $7)",
            contract,
            ground,
            WHY,
            value,
            None if ends is None else today + timedelta(days=ends),
        )

    async with refused("assessed_after_period"):
        await assess(0, 30)
    await _later(lot, 400)
    await assess(0, 30)
    assert await superuser.fetchval("SELECT met FROM kpi_assessment") is False
    async with refused("assessments_apart"):
        await assess(30, 60)
    async with refused("published_whole"):
        await publish(29)
    await publish(60)
    async with refused("published_assessments_stay"):
        await assess(31, 60)
    async with refused("change_ground_known"):
        await change("review_clause", 5000)
    async with refused("change_changes"):
        await change("urgency", None)
    async with refused("changed_end_after_start"):
        await change("urgency", None, -5)
    async with refused("change_within_limit"):
        await change("small_value", 9000)
    await change("urgency", 90_000)
    assert await superuser.fetchval("SELECT flagged FROM contract_change") is True


async def test_no_indicator_joins_when_one_buyer_has_its_contract(
    world: World, app_role: Any
) -> None:
    joint = await joint_lot(world, codes=(LUTON,))
    await told(joint)
    made = await joint.contract(joint.lead)
    assert made.json()["stage"] == "notified"
    lot, manager = joint.lot, joint.lot.tender.contract_manager
    assert _type(await manager.post(f"{lot.path}/kpis", KPI)) == (409, "contract-made-already")
    async with (
        refused("kpi_before_contract"),
        acting(app_role, manager.id, manager.organisation),
    ):
        await app_role.execute(
            "INSERT INTO kpi (id, lot, title, measure, unit, direction, target, set_by)"
            " VALUES ($1, $2, 'T', 'M', 'u', 'at_least', 5, $3)",
            uuid4(),
            lot.id,
            manager.id,
        )
    body = baseline_body(joint.lead, joint.member(LUTON))
    late = await manager.post(f"{lot.path}/baseline", body)
    assert _type(late) == (409, "contract-made-already")
    async with (
        refused("baseline_before_contract"),
        acting(app_role, manager.id, manager.organisation),
    ):
        await app_role.execute(BASELINE, uuid4(), lot.id, "{}", manager.id)


async def test_a_contract_of_five_million_has_its_indicators_first(
    world: World, app_role: Any, superuser: Any
) -> None:
    joint = await joint_lot(
        world,
        codes=(),
        estimated_annual_value={"amount": "1666666.67", "currency": "GBP"},
    )
    await told(joint)
    lot, manager = joint.lot, joint.lot.tender.contract_manager
    assert _type(await joint.contract(None)) == (409, "kpis-lacking")
    award = await superuser.fetchval("SELECT id FROM award")
    async with (
        refused("contract_has_kpis"),
        acting(app_role, manager.id, manager.organisation),
    ):
        await app_role.execute(
            "INSERT INTO contract (id, lot, award, reference, recorded_by, starts, ends)"
            " VALUES ($1, $2, $3, 'C', $4, '2030-01-01', '2031-01-01')",
            uuid4(),
            lot.id,
            award,
            manager.id,
        )
    for _ in range(3):
        assert (await manager.post(f"{lot.path}/kpis", KPI)).status_code == 201
    assert (await joint.contract(None)).status_code == 201


async def test_nobody_else_reads_what_is_not_published(world: World, app_role: Any) -> None:
    joint = await joint_lot(world, codes=(LUTON,))
    lot, manager = joint.lot, joint.lot.tender.contract_manager
    assert (await joint.decide(LUTON)).status_code == 201
    assert (await manager.post(f"{lot.path}/kpis", KPI)).status_code == 201
    body = baseline_body(joint.lead, joint.member(LUTON))
    assert (await manager.post(f"{lot.path}/baseline", body)).status_code == 201
    tables = ("buyer_decision", "kpi", "outcome_baseline")
    for person, count in ((manager, 1), (lot.suppliers[0], 0), (lot.tender.author, 0)):
        async with acting(app_role, person.id, person.organisation):
            for table in tables:
                rows = await app_role.fetch(f"SELECT id FROM {table}")  # noqa: S608  # above
                assert len(rows) == count, (person.name, table)
    await told(joint)
    for buyer in (joint.lead, joint.member(LUTON)):
        run = {"starts": (await market_time(world)).date().isoformat(), "ends": "2059-01-01"}
        assert (await joint.contract(buyer, **run)).status_code == 201
    starts = await begins(lot)
    await _later(lot, 100)
    given = await manager.post(f"{lot.path}/kpis/1/assessments", _assessment(starts, 0, 50))
    assert given.status_code == 201, given.text
    supplier = lot.suppliers[0]
    for through, count in ((None, 0), (starts + timedelta(days=60), 1)):
        if through is not None:
            body = {"through": through.isoformat()}
            assert (await manager.post(f"{lot.path}/kpi-publications", body)).is_success
        async with acting(app_role, supplier.id, supplier.organisation):
            assert len(await app_role.fetch("SELECT id FROM kpi_assessment")) == count
