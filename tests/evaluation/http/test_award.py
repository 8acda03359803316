from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from market.actor import Role
from tests.makers.bids import declare
from tests.makers.clock import advance_to
from tests.makers.evaluation import (
    AGREED,
    REASON,
    EvaluatedLot,
    approve,
    awarded_lot,
    contract_body,
    contracted_lot,
    end_standstill,
    notified_lot,
    ranked_lot,
    recommend,
    recommended_lot,
)
from tests.makers.tenders import assign
from tests.makers.world import Person, World


async def _notices(lot: EvaluatedLot, person: Person) -> list[dict[str, Any]]:
    answer = await person.get(f"{lot.path}/award-notices")
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


def _type(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["type"].removeprefix("/problems/")


# -- recommendation -------------------------------------------------------------------------------


async def test_only_the_bid_that_ranks_first_can_be_recommended(world: World) -> None:
    lot = await ranked_lot(world)
    for place in (1, 2):
        refused = await recommend(lot, place)
        assert _type(refused) == (409, "not-ranked-first")
        assert lot.pseudonyms[0] in refused.json()["detail"]
    unknown = await lot.tender.moderator.post(
        f"{lot.path}/recommendations", {"pseudonym": "Bidder Z", "reason": REASON}
    )
    assert unknown.status_code == 404
    given = await recommend(lot)
    assert given.status_code == 201, given.text
    assert given.json()["stage"] == "recommended"
    assert _type(await recommend(lot)) == (409, "lot-not-there")


async def test_a_recommendation_needs_the_moderator_and_a_reason(world: World) -> None:
    lot = await ranked_lot(world)
    body = {"pseudonym": lot.pseudonyms[0], "reason": REASON}
    for person in set(lot.tender.everybody()) - {lot.tender.moderator}:
        answer = await person.post(f"{lot.path}/recommendations", body)
        assert answer.status_code == 403, person.name
    short = await lot.tender.moderator.post(
        f"{lot.path}/recommendations", body | {"reason": f"Best.{' ' * 40}"}
    )
    assert short.status_code == 400


async def test_a_tie_that_the_rule_does_not_decide_is_never_recommended(world: World) -> None:
    lot = await ranked_lot(world, prices=("100.00", "100.00"), agreed=(AGREED[0], AGREED[0]))
    for place in (0, 1):
        refused = await recommend(lot, place)
        assert _type(refused) == (409, "first-place-tied")
        assert "Bidder A and Bidder B" in refused.json()["detail"]
    given_up = await lot.act(lot.tender.manager, "/abandonment", {"reason": "An exact tie."})
    assert given_up.status_code == 201


# -- approvals ------------------------------------------------------------------------------------


async def test_the_approval_that_completes_the_quorum_makes_the_award(
    world: World, superuser: Any
) -> None:
    lot = await recommended_lot(world)
    officer, lay = lot.tender.approvers
    first = (await approve(lot, officer)).json()
    assert (first["stage"], first["approved"], first["quorum"]) == ("recommended", 1, 2)
    assert not first["lay"]
    view = await lot.evaluation()
    assert view["recommendation"]["pseudonym"] == lot.pseudonyms[0]
    assert [row["approver"] for row in view["recommendation"]["approvals"]] == [str(officer.id)]
    assert len(view["missing"]) == 2
    second = (await approve(lot, lay)).json()
    assert (second["stage"], second["approved"], second["lay"]) == ("awarded", 2, True)
    assert await superuser.fetchval("SELECT count(*) FROM award") == 1
    actions = await superuser.fetch(
        "SELECT action FROM event WHERE tender = $1 ORDER BY recorded_at DESC LIMIT 4",
        lot.tender.id,
    )
    assert {row["action"] for row in actions} >= {"award.approved", "lot.awarded"}


async def test_only_award_approvers_approve_and_each_once(world: World) -> None:
    lot = await recommended_lot(world)
    for person in set(lot.tender.everybody()) - set(lot.tender.approvers):
        assert (await approve(lot, person)).status_code == 403, person.name
    officer = lot.tender.approvers[0]
    assert (await approve(lot, officer)).status_code == 201
    assert _type(await approve(lot, officer)) == (409, "decided-already")
    blank = await lot.tender.lay_member.post(
        f"{lot.path}/approvals", {"outcome": "approved", "reason": " "}
    )
    assert blank.status_code == 400


async def test_a_quorum_without_a_lay_member_awards_nothing(world: World) -> None:
    lot = await ranked_lot(world)
    officer = await world.person(
        "Agnes Approver", await world.organisation("06F"), Role.COMMISSIONER
    )
    given = await assign(lot.tender.manager, lot.tender.id, officer, "award_approver")
    assert given.status_code == 201, given.text
    await declare(officer, lot.tender)
    await recommend(lot)
    for person in (lot.tender.approvers[0], officer):
        answer = (await approve(lot, person)).json()
        assert answer["stage"] == "recommended"
    assert answer["approved"] == 2
    [missing] = (await lot.evaluation())["missing"]
    assert "lay member" in missing["what"]
    assert (await approve(lot, lot.tender.lay_member)).json()["stage"] == "awarded"


async def test_an_approval_by_somebody_who_comes_to_have_an_interest_does_not_count(
    world: World,
) -> None:
    lot = await recommended_lot(world)
    officer, lay = lot.tender.approvers
    await approve(lot, officer)
    await declare(officer, lot.tender, "non_financial_personal", "The director is a friend.")
    after = (await approve(lot, lay)).json()
    assert (after["stage"], after["approved"]) == ("recommended", 1)
    assert (await lot.act(lot.tender.manager, "/award-notices")).status_code == 409


async def test_a_returned_recommendation_goes_back_to_the_ranking_and_can_come_again(
    world: World,
) -> None:
    lot = await recommended_lot(world)
    officer, lay = lot.tender.approvers
    await approve(lot, officer)
    returned = (await approve(lot, lay, "returned")).json()
    assert (returned["outcome"], returned["stage"]) == ("returned", "ranked")
    assert _type(await approve(lot, officer)) == (409, "lot-not-there")
    again = await recommend(lot)
    assert again.json()["number"] == 2
    for approver in (officer, lay):
        assert (await approve(lot, approver)).status_code == 201
    assert (await lot.evaluation())["stage"] == "awarded"


# -- notices --------------------------------------------------------------------------------------


async def test_every_bidder_gets_its_own_notice_and_no_other(world: World) -> None:
    lot = await notified_lot(world)
    names = ["Supplier 1", "Supplier 2", "Supplier 3"]
    outcomes = ["successful", "unsuccessful", "below_minimum"]
    for place, supplier in enumerate(lot.suppliers):
        [notice] = await _notices(lot, supplier)
        content = notice["content"]
        assert content["recipient"] == notice["recipient_name"] == names[place]
        assert content["outcome"] == outcomes[place]
        assert content["winner"] == "Supplier 1"
        others = set(names) - {"Supplier 1", names[place]}
        assert not any(other in str(notice) for other in others)
    everyone = await _notices(lot, lot.tender.moderator)
    assert sorted(notice["recipient_name"] for notice in everyone) == names
    stranger = await world.person("Sam", await world.organisation("06P"), Role.COMMISSIONER)
    assert await _notices(lot, stranger) == []


async def test_an_unsuccessful_bidder_is_told_what_regulation_86_asks(world: World) -> None:
    lot = await notified_lot(world)
    [notice] = await _notices(lot, lot.suppliers[1])
    content = notice["content"]
    assert [(one["code"], one["title"], one["weight"]) for one in content["criteria"]] == [
        ("Q1.1", "Question Q1.1", "25.5"),
        ("Q1.2", "Question Q1.2", "14.5"),
        ("Q2", "Question Q2", "20"),
    ]
    [group] = content["groups"]
    assert (group["code"], group["criteria"]) == ("Q1", ["Q1.1", "Q1.2"])
    assert (content["quality_weight"], content["price_weight"]) == ("60", "40")
    assert content["decision"] == (
        "Your tender was ranked number 2 with 70.00 of 100 points. The lot is awarded to"
        " Supplier 1, whose tender has 79.11 points."
    )
    own, winning = content["own"], content["winning"]
    assert own["scores"][0]["reason"] == f"{lot.pseudonyms[1]} on Q1.1: {REASON}"
    assert winning["scores"][0]["reason"] == f"{lot.pseudonyms[0]} on Q1.1: {REASON}"
    assert (own["scores"][0]["value"], winning["scores"][0]["value"]) == ("5", "10")
    assert (own["total"]["display"], winning["total"]["display"]) == ("70.00", "79.11")
    assert (own["price"]["amount"], winning["price"]) == ("4325.00", None)
    advantage = content["relative_advantages"][0]
    assert "The successful tender has the advantage" in advantage
    assert "was given 10 and yours 5" in advantage
    assert "Neither tender has the advantage" in content["relative_advantages"][1]
    assert "36.36 and yours 40.00" in content["relative_advantages"][3]
    ends_at = datetime.fromisoformat(content["standstill_ends_at"])
    assert ends_at == lot.standstill_ends_at
    local = ends_at.astimezone(ZoneInfo("Europe/London"))
    assert f"00:00 London time on {local.day} {local:%B %Y}" in content["standstill"]
    assert lot.pseudonyms[2] not in str(content)


async def test_a_bidder_below_the_minimum_is_told_its_scores_and_the_minimum(
    world: World,
) -> None:
    lot = await notified_lot(world)
    [notice] = await _notices(lot, lot.suppliers[2])
    content = notice["content"]
    assert content["minimum_quality"] == "50"
    assert content["own"]["quality_percentage"]["display"] == "20.00"
    assert content["own"]["price"] is content["own"]["total"] is content["own"]["place"] is None
    assert "20.00 per cent" in content["decision"]
    assert "never will be" in content["decision"]
    assert "3892.50" not in str(content)  # its own price, which nobody has read


async def test_the_winner_is_told_its_own_scores_alone(world: World) -> None:
    lot = await notified_lot(world)
    [notice] = await _notices(lot, lot.suppliers[0])
    content = notice["content"]
    assert content["winning"] is None
    assert content["relative_advantages"] == []
    assert content["own"]["place"] == 1
    assert content["own"]["price"]["amount"] == "4757.50"


async def test_notices_need_an_award_the_manager_and_the_present_version(world: World) -> None:
    lot = await recommended_lot(world)
    manager = lot.tender.manager
    assert _type(await lot.act(manager, "/award-notices")) == (409, "lot-not-there")
    for approver in lot.tender.approvers:
        await approve(lot, approver)
    assert await _notices(lot, lot.suppliers[0]) == []
    version = (await lot.evaluation())["version"]
    for person in set(lot.tender.everybody()) - {manager}:
        answer = await person.post(f"{lot.path}/award-notices", version=version)
        assert answer.status_code == 403, person.name
    assert (await manager.post(f"{lot.path}/award-notices")).status_code == 428
    assert (await manager.post(f"{lot.path}/award-notices", version=1)).status_code == 412
    assert (await lot.act(manager, "/award-notices")).status_code == 201
    assert _type(await lot.act(manager, "/award-notices")) == (409, "lot-not-there")


async def test_the_event_of_the_notices_holds_nothing_of_them(world: World, superuser: Any) -> None:
    await notified_lot(world)
    details = await superuser.fetchval("SELECT details FROM event WHERE action = 'notices.sent'")
    assert "Supplier" not in details
    assert REASON not in details


async def test_notices_are_read_in_pages(world: World) -> None:
    lot = await notified_lot(world)
    reader = lot.tender.manager
    seen, cursor = [], None
    for _ in range(3):
        params = {"limit": 1} | ({} if cursor is None else {"cursor": cursor})
        page = (await reader.get(f"{lot.path}/award-notices", params=params)).json()
        seen += [notice["recipient_name"] for notice in page["items"]]
        cursor = page["next"]
    assert sorted(seen) == ["Supplier 1", "Supplier 2", "Supplier 3"]
    assert cursor is None
    strange = await reader.get(f"{lot.path}/award-notices", params={"cursor": "WyJ4Il0"})
    assert strange.status_code == 400


# -- standstill and contract ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rule_set_date", "days"),
    [("2020-09-01", 10), (None, 8)],
)
async def test_the_standstill_is_counted_by_the_tender_s_rule_set(
    world: World, rule_set_date: str | None, days: int
) -> None:
    given: dict[str, Any] = {}
    if rule_set_date is not None:
        given["tender"] = {"demonstration": True, "rule_set_date": rule_set_date}
    lot = await notified_lot(world, **given)
    view = (await lot.evaluation())["standstill"]
    assert lot.standstill_ends_at is not None
    london = ZoneInfo("Europe/London")
    sent = datetime.fromisoformat(view["began_at"]).astimezone(london).date()
    local = lot.standstill_ends_at.astimezone(london)
    assert (local.hour, local.minute, local.second) == (0, 0, 0)
    last = local.date() - timedelta(days=1)
    assert last.weekday() < 5
    assert (last - sent).days >= days
    assert view["rule_set"] == ("procurement_act_2023" if rule_set_date is None else "pcr_2015")


async def test_no_contract_in_the_standstill_and_one_after_it(world: World) -> None:
    lot = await notified_lot(world)
    manager = lot.tender.contract_manager
    early = await lot.act(manager, "/contract", contract_body())
    assert _type(early) == (409, "standstill-running")
    assert lot.standstill_ends_at is not None
    assert lot.standstill_ends_at.strftime("%Y-%m-%dT%H:%M:%SZ") in early.json()["detail"]
    await advance_to(world, lot.standstill_ends_at - timedelta(seconds=30))
    assert _type(await lot.act(manager, "/contract", contract_body())) == (
        409,
        "standstill-running",
    )
    assert (await lot.evaluation())["stage"] == "standstill"
    await end_standstill(lot)
    assert (await lot.evaluation())["stage"] == "standstill_over"
    made = await lot.done(manager, "/contract", contract_body())
    assert made["stage"] == "contracted"
    assert made["contract"]["reference"] == "BLMK-17"
    assert datetime.fromisoformat(made["contract"]["made_at"]) >= lot.standstill_ends_at


async def test_a_contract_needs_the_contract_manager_notices_and_sound_dates(
    world: World,
) -> None:
    lot = await awarded_lot(world)
    manager = lot.tender.contract_manager
    assert _type(await lot.act(manager, "/contract", contract_body())) == (409, "lot-not-there")
    sent = await lot.done(lot.tender.manager, "/award-notices")
    lot.standstill_ends_at = datetime.fromisoformat(sent["standstill_ends_at"])
    await end_standstill(lot)
    for person in set(lot.tender.everybody()) - {manager}:
        answer = await person.post(f"{lot.path}/contract", contract_body(), version=sent["version"])
        assert answer.status_code == 403, person.name
    for faulty in (
        contract_body(ends="2030-07-01"),
        contract_body(reference=""),
        contract_body(reference="x" * 61),
        contract_body(starts="soon"),
        contract_body(value="1"),
    ):
        assert (await lot.act(manager, "/contract", faulty)).status_code == 400
    assert (await lot.act(manager, "/contract", contract_body())).status_code == 201


# -- what is published ----------------------------------------------------------------------------


async def test_the_award_is_published_with_the_notices_and_without_losers_prices(
    world: World,
) -> None:
    lot = await awarded_lot(world)
    assert (await world.public(f"{lot.path}/award")).status_code == 404
    await lot.done(lot.tender.manager, "/award-notices")
    answer = await world.public(f"{lot.path}/award")
    assert answer.status_code == 200, answer.text
    award = answer.json()
    assert award["supplier"] == "Supplier 1"
    assert award["contract_value"] == {"amount": "4757.50", "currency": "GBP"}
    assert award["bids"] == 3
    assert award["stage"] == "standstill"
    assert award["contracts"] == []
    assert (award["method"], award["method_version"]) == ("lowest_price_ratio", 1)
    assert datetime.fromisoformat(award["standstill_ends_at"]) > datetime.now(UTC)
    for hidden in ("Supplier 2", "Supplier 3", "4325", "3892", "70.00", "pseudonym", "Bidder"):
        assert hidden not in answer.text


async def test_the_contract_is_published_with_the_award(world: World) -> None:
    lot = await contracted_lot(world)
    award = (await world.public(f"{lot.path}/award")).json()
    assert award["stage"] == "contracted"
    assert [one["reference"] for one in award["contracts"]] == ["BLMK-17"]
