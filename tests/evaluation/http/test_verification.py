"""What the winner declared is verified before the contract."""

import asyncio
from typing import Any

from tests.makers.clock import advance_to
from tests.makers.evaluation import (
    EvaluatedLot,
    approve,
    awarded_lot,
    check_body,
    contract_body,
    end_standstill,
    notified_lot,
    ranked_lot,
    recommend,
)
from tests.makers.world import Person, World


async def _checks(lot: EvaluatedLot, person: Person | None = None) -> dict[str, Any]:
    shown = await (person or lot.tender.manager).get(f"{lot.path}/award-checks")
    assert shown.status_code == 200, shown.text
    view: dict[str, Any] = shown.json()
    return view


async def _find(
    lot: EvaluatedLot, check: dict[str, Any], outcome: str, person: Person | None = None
) -> Any:
    body = check_body(check, outcome)
    return await (person or lot.tender.manager).post(f"{lot.path}/award-checks", body)


async def _contract(lot: EvaluatedLot) -> Any:
    return await lot.act(lot.tender.contract_manager, "/contract", contract_body())


async def test_no_contract_before_every_check_is_verified_or_waived(world: World) -> None:
    lot = await notified_lot(world)
    assert lot.standstill_ends_at is not None
    view = await _checks(lot)
    assert view["verified"] is False
    checks = view["checks"]
    assert [check["check"] for check in checks] == [
        "exclusion_grounds",
        "financial_standing",
        "insurance",
    ]
    assert {check["name"] for check in checks} == {"Supplier 1"}
    await advance_to(world, lot.standstill_ends_at)
    refused = await _contract(lot)
    assert (refused.status_code, refused.json()["type"]) == (409, "/problems/winner-unverified")
    await _find(lot, checks[0], "verified")
    await _find(lot, checks[1], "not_met")
    last = await _find(lot, checks[2], "waived")
    assert (last.json()["number"], last.json()["verified"]) == (3, False)
    assert (await _contract(lot)).json()["type"] == "/problems/winner-unverified"
    resolved = await _find(lot, checks[1], "verified")
    assert resolved.json()["verified"] is True
    found = {check["check"]: check["outcome"] for check in (await _checks(lot))["checks"]}
    assert found["financial_standing"] == "verified"
    assert (await _contract(lot)).status_code == 201
    late = await _find(lot, checks[0], "not_met")
    assert late.json()["type"] == "/problems/lot-not-there"


async def test_a_winner_that_fails_drops_out_and_the_next_is_checked_anew(world: World) -> None:
    lot = await notified_lot(world)
    for check in (await _checks(lot))["checks"]:
        await _find(lot, check, "not_met" if check["check"] == "insurance" else "verified")
    out = {"pseudonym": lot.pseudonyms[0], "reason": "It has no insurance and cannot get any."}
    await lot.done(lot.tender.manager, "/drop-outs", out)
    assert (await lot.tender.manager.get(f"{lot.path}/award-checks")).status_code == 404
    assert (await recommend(lot, 1)).status_code == 201
    for approver in lot.tender.approvers:
        assert (await approve(lot, approver)).status_code == 201
    view = await _checks(lot)
    assert {(one["name"], one["outcome"]) for one in view["checks"]} == {("Supplier 2", None)}


async def test_who_records_and_reads_what_when(world: World) -> None:
    early = await ranked_lot(world)
    check = {"check": "insurance", "participant": None}
    answer = await _find(early, check, "verified")
    assert answer.json()["type"] == "/problems/lot-not-there"


async def test_checks_are_the_manager_s_and_say_why(world: World) -> None:
    lot = await awarded_lot(world)
    tender = lot.tender
    [check, *_] = (await _checks(lot, tender.approvers[0]))["checks"]
    for person in (tender.moderator, tender.contract_manager, tender.approvers[0]):
        answer = await _find(lot, check, "verified", person)
        assert answer.json()["type"] == "/problems/duty-needed", person.name
    for person in (tender.moderator, tender.price_evaluator):
        shown = await person.get(f"{lot.path}/award-checks")
        assert shown.json()["type"] == "/problems/duty-needed", person.name
    for supplier in lot.suppliers:
        assert (await supplier.get(f"{lot.path}/award-checks")).status_code == 404
    unknown = {"check": "insurance", "participant": str(lot.tender.manager.id)}
    assert (await _find(lot, unknown, "verified")).json()["type"] == "/problems/no-such-check"
    for wrong in ({"reason": " " * 30}, {"evidence": " "}, {"outcome": "fine"}):
        body = {**check_body(check), **wrong}
        answer = await tender.manager.post(f"{lot.path}/award-checks", body)
        assert answer.status_code == 400, wrong


async def test_a_contract_and_a_failing_check_at_once_are_in_order(world: World) -> None:
    lot = await notified_lot(world)
    await end_standstill(lot)
    check = {"check": "insurance", "participant": None}
    made, found = await asyncio.gather(_contract(lot), _find(lot, check, "not_met"))
    assert sorted((made.status_code, found.status_code)) == [201, 409]
