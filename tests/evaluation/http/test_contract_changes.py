"""Changes and milestones of a contract, over HTTP and at the database."""

import asyncio
from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

from evaluation.rules.contract_rules import CONTRACT_RULES
from market.money import exact_text
from tests.makers.direct import acting, refused
from tests.makers.joint import joint_lot, told
from tests.makers.outcome import WHY, running_lot
from tests.makers.tenders import market_time
from tests.makers.world import World


def _type(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["type"].removeprefix("/problems/")


async def test_changes_keep_within_the_limits_of_their_ground(world: World) -> None:
    lot = await running_lot(world)
    manager, path = lot.tender.contract_manager, f"{lot.path}/contract-changes"
    view = (await world.public(f"{lot.path}/performance")).json()["contracts"][0]
    assert view["value"]["amount"] == "4757.50"

    async def change(ground: str, **what: Any) -> Any:
        return await manager.post(path, {"ground": ground, "reason": WHY, **what})

    def pounds(amount: str) -> dict[str, str]:
        return {"amount": amount, "currency": "GBP"}

    assert _type(await change("review_clause", scope="More.")) == (400, "no-such-ground")
    assert _type(await change("provided_for")) == (400, "nothing-changed")
    assert _type(await change("provided_for", value=pounds("0"))) == (400, "nothing-changed")
    assert (await change("provided_for", scope="More.", reason="x")).status_code == 400
    exactly = await change("small_value", value=pounds("5233.25"))
    assert exactly.status_code == 201, exactly.text
    assert exactly.json()["value_changed_percent"] == "10.00"
    assert exactly.json()["flagged"] is True
    over = await change("small_value", value=pounds("5709.01"))
    assert _type(over) == (409, "change-too-great")
    half = await change("unforeseen", value=pounds("7612.00"))  # 5233.25 + half of 4757.50
    assert half.status_code == 201, half.text
    too_much = await change("known_risk", value=pounds("9990.76"))
    assert _type(too_much) == (409, "change-too-great")
    ends = date.fromisoformat(view["ends"])
    longer = await change("not_substantial", ends=(ends + timedelta(days=110)).isoformat())
    assert _type(longer) == (409, "change-too-great")
    tenth = await change("not_substantial", ends=(ends + timedelta(days=109)).isoformat())
    assert tenth.status_code == 201, tenth.text
    # another contractor, and nothing else
    dearer = await change("new_contractor", value=pounds("7612.01"))
    assert _type(dearer) == (409, "change-too-great")
    longer = await change("new_contractor", ends=(ends + timedelta(days=110)).isoformat())
    assert _type(longer) == (409, "change-too-great")
    assert (await change("new_contractor", scope="The group's new company.")).status_code == 201
    early = await change("provided_for", ends="2020-01-01")
    assert _type(early) == (400, "changed-end-faulty")
    shown = (await world.public(f"{lot.path}/performance")).json()["contracts"][0]["changes"]
    assert [one["number"] for one in shown] == [1, 2, 3, 4]


async def test_two_changes_at_once_are_counted_one_after_the_other(world: World) -> None:
    lot = await running_lot(world)
    body = {"ground": "small_value", "reason": WHY, "value": {"amount": "5200.00"}}
    manager = lot.tender.contract_manager
    answers = await asyncio.gather(
        *(manager.post(f"{lot.path}/contract-changes", body) for _ in range(2))
    )
    # the second finds the value changed already
    assert sorted(answer.status_code for answer in answers) == [201, 400]


async def test_a_milestone_is_met_once_on_a_day_that_has_come(world: World) -> None:
    lot = await running_lot(world)
    manager = lot.tender.contract_manager
    today = (await market_time(world)).date()
    body = {"title": "Dashboards in use", "due": (today - timedelta(days=1)).isoformat()}
    made = await manager.post(f"{lot.path}/milestones", body)
    assert (made.json()["number"], made.json()["late"]) == (1, True)
    path = f"{lot.path}/milestones/1/completion"
    met = {"met_on": (today + timedelta(days=2)).isoformat(), "evidence": "Note."}
    assert _type(await manager.post(path, met)) == (400, "milestone-in-future")
    met["met_on"] = (today - timedelta(days=1)).isoformat()
    answers = await asyncio.gather(*(manager.post(path, met) for _ in range(2)))
    assert sorted(answer.status_code for answer in answers) == [201, 409]
    assert _type(await manager.post(path, met)) == (409, "milestone-met-already")
    gone = await manager.post(f"{lot.path}/milestones/2/completion", met)
    assert gone.status_code == 404


async def test_the_database_keeps_milestones_and_every_row(
    world: World, app_role: Any, superuser: Any
) -> None:
    lot = await running_lot(world)
    manager = lot.tender.contract_manager
    contract: UUID = await superuser.fetchval("SELECT id FROM contract")

    async def run(statement: str, *values: Any) -> None:
        async with acting(app_role, manager.id, manager.organisation):
            await app_role.execute(statement, uuid4(), *values, manager.id)

    await run(
        "INSERT INTO milestone (id, contract, title, due, set_by)"
        " VALUES ($1, $2, 'M', '2030-01-01', $3)",
        contract,
    )
    milestone: UUID = await superuser.fetchval("SELECT id FROM milestone")
    async with refused("milestone_met_by_now"):
        await run(
            "INSERT INTO milestone_met (id, milestone, met_on, evidence, recorded_by)"
            " VALUES ($1, $2, '2090-01-01', 'E', $3)",
            milestone,
        )
    boss = lot.tender.manager
    async with refused("duty_needed"), acting(app_role, boss.id, boss.organisation):
        await app_role.execute(
            "INSERT INTO milestone (id, contract, title, due, set_by)"
            " VALUES ($1, $2, 'M', '2030-01-01', $3)",
            uuid4(),
            contract,
            boss.id,
        )
    for table in ("kpi", "kpi_assessment", "kpi_publication", "contract_change", "milestone"):
        async with refused("append_only"):
            await superuser.execute(f"UPDATE {table} SET id = id")  # noqa: S608  # named above


async def test_the_regulations_of_2015_ask_for_no_indicators_and_count_small_changes_together(
    world: World,
) -> None:
    joint = await joint_lot(
        world,
        codes=(),
        tender={"demonstration": True, "rule_set_date": "2016-01-04"},
        estimated_annual_value={"amount": "9000000.00", "currency": "GBP"},
    )
    await told(joint)
    made = await joint.contract(None)
    assert made.status_code == 201, made.text
    manager, path = joint.lot.tender.contract_manager, f"{joint.lot.path}/contract-changes"

    async def change(amount: str, ground: str = "small_value") -> Any:
        body = {"ground": ground, "reason": WHY, "value": {"amount": amount}}
        return await manager.post(path, body)

    # regulation 72(5): below ten per cent of 4,757.50, all small changes together
    assert _type(await change("5233.25")) == (409, "change-too-great")
    assert (await change("5000")).json()["flagged"] is False
    assert _type(await change("5233.25")) == (409, "change-too-great")
    assert (await change("5233.24")).status_code == 201
    assert _type(await change("9000", "known_risk")) == (400, "no-such-ground")
    assert (await change("7611.99", "additional_services")).status_code == 201


async def test_the_database_holds_the_same_rules_of_contracts(superuser: Any) -> None:
    rows = await superuser.fetch("SELECT * FROM change_rule")
    assert {
        (
            row["rule_set"],
            row["ground"],
            row["value_percent"],
            row["increases_only"],
            row["strictly_below"],
            row["cumulative"],
            row["term_percent"],
        )
        for row in rows
    } == {
        (
            name.value,
            ground.value,
            limit.value_percent,
            limit.increases_only,
            limit.strictly_below,
            limit.cumulative,
            limit.term_percent,
        )
        for name, rules in CONTRACT_RULES.items()
        for ground, limit in rules.changes.items()
    }
    kpis = await superuser.fetch("SELECT rule_set, above, minimum FROM kpi_rule")
    assert [(row["rule_set"], exact_text(row["above"]), row["minimum"]) for row in kpis] == [
        (name.value, exact_text(rules.kpis.above), rules.kpis.minimum)
        for name, rules in CONTRACT_RULES.items()
        if rules.kpis is not None
    ]
