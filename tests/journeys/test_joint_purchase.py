"""Three groups buy together, one refuses; what becomes of the two contracts is there for all."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from tests.makers.clock import advance_to
from tests.makers.joint import LUTON, MILTON_KEYNES, JointLot, joint_lot, told
from tests.makers.outcome import KPI, WHY, baseline_body, dated, reviewer_of
from tests.makers.tenders import market_time
from tests.makers.world import Person, World


async def _good(person: Person, path: str, body: Any) -> dict[str, Any]:
    answer = await person.post(path, body)
    assert answer.status_code == 201, answer.text
    given: dict[str, Any] = answer.json()
    return given


async def test_three_groups_buy_one_refuses_and_the_outcome_is_told(world: World) -> None:
    # £6 million over three years: the Procurement Act asks for three indicators
    joint = await joint_lot(
        world, estimated_annual_value={"amount": "2000000.00", "currency": "GBP"}
    )
    lot, manager = joint.lot, joint.lot.tender.contract_manager
    assert (await joint.decide(LUTON)).status_code == 201
    assert (await joint.decide(MILTON_KEYNES, takes_part=False)).status_code == 201
    buyers = (joint.lead, joint.member(LUTON), joint.member(MILTON_KEYNES))
    await _good(manager, f"{lot.path}/baseline", baseline_body(*buyers, cost="1000.00"))
    await told(joint)
    await _indicators_come_first(joint)
    run = await dated(world)
    for buyer in buyers[:2]:
        made = await joint.contract(buyer, reference=f"C-{str(buyer)[:6]}", **run)
        assert made.status_code == 201, made.text
    assert made.json()["stage"] == "contracted"
    await _a_year_passes(joint, date.fromisoformat(run["starts"]))
    await _the_record_tells(joint)


async def _indicators_come_first(joint: JointLot) -> None:
    lot, manager = joint.lot, joint.lot.tender.contract_manager
    early = await joint.contract(joint.lead)
    assert (early.status_code, early.json()["type"]) == (409, "/problems/kpis-lacking")
    missing = [item["what"] for item in (await lot.evaluation())["missing"]]
    assert "Set three more key performance indicators." in missing
    for lacking in (2, 1, 0):
        given = await _good(manager, f"{lot.path}/kpis", KPI | {"title": f"Measure {lacking}"})
        assert given["lacking"] == lacking


async def _a_year_passes(joint: JointLot, starts: date) -> None:
    lot, manager = joint.lot, joint.lot.tender.contract_manager
    luton = str(joint.member(LUTON))
    year = starts + timedelta(days=364)
    await _good(
        manager,
        f"{lot.path}/milestones",
        {"buyer": luton, "title": "Dashboards in use", "due": year.isoformat()},
    )
    await advance_to(joint.lot.world, await market_time(lot.world) + timedelta(days=400))
    period = {"period_from": starts.isoformat(), "period_to": year.isoformat()}
    for number, value in ((1, "97.5"), (2, "95"), (3, "94.999")):
        body = period | {"value": value, "evidence": "Delivery log."}
        given = await _good(manager, f"{lot.path}/kpis/{number}/assessments", body)
        assert given["met"] is (number < 3)
    hidden = (await lot.world.public(f"{lot.path}/performance")).json()
    assert all(kpi["assessments"] == [] for kpi in hidden["kpis"]["kpis"])
    await _good(manager, f"{lot.path}/kpi-publications", {"through": year.isoformat()})
    met = {"buyer": luton, "met_on": year.isoformat(), "evidence": "Acceptance note."}
    assert (await _good(manager, f"{lot.path}/milestones/1/completion", met))["late"] is False
    change = {"buyer": luton, "ground": "additional_services", "reason": WHY}
    [worth] = [
        Decimal(one["value"]["amount"]) for one in hidden["contracts"] if one["buyer"] == luton
    ]
    half = {"amount": str((worth * Decimal("1.4")).quantize(Decimal("0.01")))}
    changed = await _good(manager, f"{lot.path}/contract-changes", change | {"value": half})
    assert changed["flagged"] is True
    assert changed["source"] == "Procurement Act 2023, Schedule 8"
    twice = {"amount": str(worth * 3)}
    refused = await manager.post(f"{lot.path}/contract-changes", change | {"value": twice})
    assert (refused.status_code, refused.json()["type"]) == (409, "/problems/change-too-great")
    review = {
        "kind": "yearly",
        "through": year.isoformat(),
        "yearly_cost": {"amount": "1999.99", "currency": "GBP"},
        "access_value": "21",
        "narrative": "A penny cheaper for the two groups; answers take as long as before.",
    }
    reviewer = await reviewer_of(lot.world, lot)
    told_of = await _good(reviewer, f"{lot.path}/outcome-reviews", review)
    # the group that refused is no part of what is compared
    assert told_of["cost_before"] == {"amount": "2000.00", "currency": "GBP"}
    assert (told_of["cost_lowered"], told_of["access_improved"]) == (True, False)


async def _the_record_tells(joint: JointLot) -> None:
    lot = joint.lot
    winner = lot.suppliers[0].organisation
    answer = await lot.world.public(f"/suppliers/{winner}/track-record")
    [item] = answer.json()["items"]
    assert len(item["contracts"]) == 2
    assert (item["assessments"], item["assessments_met"]) == (3, 2)
    assert [len(one["changes"]) for one in item["contracts"]] in ([0, 1], [1, 0])
    assert [one["kind"] for one in item["reviews"]] == ["yearly"]
    for source in item["sources"].values():
        found = await lot.world.public(source.removeprefix("/api/v1"))
        assert found.status_code == 200, source
    assert "Supplier 2" not in answer.text
    for loser in lot.suppliers[1:]:
        nothing = await lot.world.public(f"/suppliers/{loser.organisation}/track-record")
        assert nothing.json()["items"] == []
    report = (await lot.world.public(f"{lot.tender.path}/assurance-report")).json()
    assert report["statement"]["findings"] == []
    acts = {act["act"] for act in report["acts"]}
    assert {"decided_for_buyer", "published_kpis", "changed_contract", "reviewed_outcome"} <= acts
