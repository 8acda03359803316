"""The public notice of an award, and the rule sets it follows."""

import pytest

from tests.makers.evaluation import awarded_lot, notified_lot
from tests.makers.world import World


async def test_everybody_reads_the_notice_once_the_bidders_are_told(
    world: World,
) -> None:
    lot = await awarded_lot(world)
    path = f"{lot.path}/contract-award-notice"
    assert (await world.public(path)).status_code == 404
    assert (await lot.tender.manager.get(path)).status_code == 404
    await lot.done(lot.tender.manager, "/award-notices")
    answer = await world.public(path)
    assert answer.status_code == 200, answer.text
    notice = answer.json()
    award = (await world.public(f"{lot.path}/award")).json()
    assert notice["supplier"] == award["supplier"]
    assert notice["contract_value"] == award["contract_value"]
    assert notice["tenders_received"] == award["bids"] == 3
    assert notice["standstill_ends_at"] == award["standstill_ends_at"]
    assert notice["summaries_sent_at"] == award["notified_at"]
    for place in (1, 2):
        assert f"Supplier {place + 1}" not in answer.text
    (own,) = (await lot.suppliers[1].get(f"{lot.path}/award-notices")).json()["items"]
    for shared in ("criteria", "groups", "scale", "quality_weight", "method", "rule_set", "buyers"):
        assert own["content"][shared] == notice[shared], shared


@pytest.mark.parametrize(
    ("day", "rule_set", "notice", "letter"),
    [
        ("2024-06-01", "pcr_2015", "regulation 50", "Notice of the decision to award a contract"),
        (None, "procurement_act_2023", "section 50", "Assessment summary"),
    ],
)
async def test_the_frozen_rule_set_gives_notice_and_letter_their_form(
    world: World, day: str | None, rule_set: str, notice: str, letter: str
) -> None:
    tender = {"demonstration": True, "rule_set_date": day} if day else {}
    lot = await notified_lot(world, tender=tender)
    shown = (await lot.tender.manager.get(f"{lot.path}/contract-award-notice")).json()
    assert shown["rule_set"] == rule_set
    assert notice in shown["notice"]
    (own,) = (await lot.suppliers[1].get(f"{lot.path}/award-notices")).json()["items"]
    page = await lot.suppliers[1].get(f"{lot.path}/award-notices/{own['id']}/page")
    assert letter in page.text
    assert ("relative advantages" in page.text) == (rule_set == "pcr_2015")


async def test_rule_sets_are_listed_for_everybody(world: World) -> None:
    answer = await world.public("/rule-sets")
    assert answer.status_code == 200, answer.text
    found = {one["name"]: one for one in answer.json()}
    assert {name: one["governs_tenders"] for name, one in found.items()} == {
        "pcr_2015": True,
        "procurement_act_2023": True,
        "provider_selection_regime_2023": False,
    }
    assert found["pcr_2015"]["effective_to"] == "2025-02-23"
    assert found["procurement_act_2023"]["standstill"]["days"] == 8
    assert found["procurement_act_2023"]["bank_holidays_of"] == ["ENG", "WLS", "SCT", "NIR"]
    assert found["pcr_2015"]["telling"]["compares"]
    assert "never commissioning support" in found["provider_selection_regime_2023"]["governs"]
