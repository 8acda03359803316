"""The written report on a procurement: every item of the law, out of the record alone."""

from typing import Any

from market.actor import Role
from tests.makers.bids import declare
from tests.makers.conflicts import decided
from tests.makers.evaluation import (
    REASON,
    EvaluatedLot,
    awarded_lot,
    contracted_lot,
    locked_lot,
    ranked_lot,
)
from tests.makers.world import Person, World

ITEMS = list("abcdefghi")


async def report_of(lot: EvaluatedLot, reader: Person | None = None) -> dict[str, Any]:
    """The report as somebody, by default the manager, reads it."""
    answer = await (reader or lot.tender.manager).get(f"{lot.tender.path}/procurement-report")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def said(report: dict[str, Any]) -> dict[str, list[str]]:
    """What each item says."""
    return {item["item"]: item["says"] for item in report["items"]}


async def test_every_item_is_answered_from_the_record(world: World) -> None:
    lot = await contracted_lot(world)
    report = await report_of(lot)
    assert [item["item"] for item in report["items"]] == ITEMS
    assert (report["lots"], report["pending"]) == ([1], [])
    says = said(report)
    first, second, failed = (f"({name})" for name in lot.pseudonyms)
    prices = next(one for one in says["a"] if "contract value" in one)
    assert "£" in prices
    selected = [one for one in says["b"] if "was selected" in one]
    assert sorted(first in one or second in one for one in selected) == [True, True]
    (rejected,) = [one for one in says["b"] if "was rejected" in one]
    assert failed in rejected
    assert "does not reach the published minimum of 50 per cent" in rejected
    assert any(first in one and "successful tenderer" in one for one in says["d"])
    assert f"Lot 1: Why it was selected: {REASON}" in says["d"]
    assert "Lot 1: 2 approvers decided so, 1 of them lay members." in says["d"]
    assert "Lot 1: It named no subcontractor." in says["d"]
    assert "all 3 tenders came in electronically" in says["h"][0]
    empty = {item["item"] for item in report["items"] if not item["recorded"]}
    assert empty == {"c", "g", "i"}
    for item in empty:
        assert says[item] == ["The record has nothing for this item."]


async def test_conflicts_and_what_was_done_about_them_are_reported(world: World) -> None:
    lot = await awarded_lot(world)
    await declare(lot.tender.guardian, lot.tender)
    approver = lot.tender.approvers[0]
    await declare(approver, lot.tender, "financial", "I hold shares in it.")
    bidder = lot.suppliers[0].organisation
    await decided(lot.tender.guardian, lot.tender.id, approver, bidder, "must_leave")
    says = said(await report_of(lot))["i"]
    assert any(f"{approver.name} declared an interest (financial)" in one for one in says)
    assert any("must leave" in one for one in says)
    assert not any("shares" in one for one in says)


async def test_why_nothing_was_awarded_is_reported(world: World) -> None:
    lot = await locked_lot(world)
    reason = {"reason": "No money was left for it this year."}
    assert (await lot.act(lot.tender.manager, "/abandonment", reason)).status_code == 201
    says = said(await report_of(lot))
    assert says["g"] == ["Lot 1: Nothing was awarded: No money was left for it this year."]
    assert says["d"] == ["The record has nothing for this item."]
    assert any("nothing is awarded" in one for one in says["a"])


async def test_the_text_says_what_the_report_says(world: World) -> None:
    lot = await awarded_lot(world)
    report = await report_of(lot)
    text = await lot.tender.manager.get(f"{lot.tender.path}/procurement-report/text")
    assert text.status_code == 200
    assert text.headers["content-type"] == "text/markdown; charset=utf-8"
    plain = text.text.replace("\\", "")
    for item in report["items"]:
        assert f"## ({item['item']}) {item['title']}" in plain
        for sentence in item["says"]:
            assert f"- {sentence}" in plain


async def test_the_report_is_read_by_those_who_answer_for_it_after_the_award(
    world: World, superuser: Any
) -> None:
    lot = await ranked_lot(world)
    path = f"{lot.tender.path}/procurement-report"
    auditor = await world.person("Audrey", lot.tender.manager.organisation, Role.AUDITOR)
    for reader in (lot.tender.manager, auditor):
        assert (await reader.get(path)).status_code == 409
    reason = {"reason": "No money was left for it this year."}
    assert (await lot.act(lot.tender.manager, "/abandonment", reason)).status_code == 201
    for reader in (lot.tender.manager, auditor):
        assert (await reader.get(path)).status_code == 200
    assert (await lot.tender.moderator.get(path)).status_code == 403
    assert (await lot.suppliers[0].get(path)).status_code == 404
    read = "SELECT count(*) FROM event WHERE action = 'procurement_report.read'"
    assert await superuser.fetchval(read) == 2
