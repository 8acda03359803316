from typing import Any
from uuid import uuid4

import pytest

from market.actor import Role
from tests.makers.bids import declare, opened_tender
from tests.makers.evaluation import (
    AGREED,
    REASON,
    EvaluatedLot,
    lot_to_score,
    scored_lot,
)
from tests.makers.tenders import PublishedTender, published_tender
from tests.makers.world import World


async def _scores(lot: EvaluatedLot, person: Any, **query: Any) -> list[dict[str, Any]]:
    answer = await person.get(f"{lot.path}/evaluation/scores", params={"limit": 200, **query})
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


# -- reading bids ---------------------------------------------------------------------------------


async def test_evaluators_read_opened_bids_under_pseudonyms_without_price_or_name(
    world: World,
) -> None:
    lot = await lot_to_score(world)
    answer = await lot.tender.quality_evaluators[0].get(f"{lot.path}/evaluation/bids")
    assert answer.status_code == 200, answer.text
    bids = answer.json()["items"]
    assert [bid["pseudonym"] for bid in bids] == ["Bidder A", "Bidder B", "Bidder C"]
    for bid in bids:
        assert bid["opened"]
        assert bid["failure"] is bid["supplier"] is bid["quality_points"] is bid["passed"] is None
        assert [item["criterion"] for item in bid["answers"]] == ["Q1.1", "Q1.2", "Q2"]
        assert bid["answers"][0]["question"] == "How will you do it?"
    for hidden in ("Supplier 1", "Supplier 2", "110.00", "90.00", "price"):
        assert hidden not in answer.text
    for given in lot.opened.bids.values():
        assert given["bid"] not in answer.text


async def test_bids_come_in_pages(world: World) -> None:
    lot = await lot_to_score(world)
    seen, cursor = [], None
    for _ in range(3):
        params = {"limit": 1} | ({} if cursor is None else {"cursor": cursor})
        page = await lot.tender.moderator.get(f"{lot.path}/evaluation/bids", params=params)
        seen += [bid["pseudonym"] for bid in page.json()["items"]]
        cursor = page.json()["next"]
    assert seen == ["Bidder A", "Bidder B", "Bidder C"]
    assert cursor is None


async def test_nobody_reads_bids_before_declaring_against_every_bidder(world: World) -> None:
    opened = await opened_tender(world, await published_tender(world, lots=1), count=2)
    tender = opened.tender
    evaluator = tender.quality_evaluators[0]
    path = f"{tender.path}/lots/1/evaluation"
    refused = await evaluator.get(f"{path}/bids")
    assert refused.status_code == 403
    assert refused.json()["type"] == "/problems/declaration-missing"
    first = (await evaluator.get(f"{tender.path}/bidders")).json()[0]["organisation"]
    await evaluator.post(
        f"{tender.path}/declarations", {"declarations": [{"bidder": first, "interest": "none"}]}
    )
    assert (await evaluator.get(f"{path}/bids")).status_code == 403
    view = (await evaluator.get(path)).json()
    assert view["bids"] is None
    assert view["evaluators"] == []
    assert view["missing"][0]["who"] == "you"
    await declare(evaluator, tender)
    assert (await evaluator.get(f"{path}/bids")).status_code == 200
    assert (await evaluator.get(path)).json()["bids"] == 2


async def test_an_interest_in_a_bidder_closes_the_evaluation_and_is_recorded(
    world: World, superuser: Any
) -> None:
    lot = await lot_to_score(world)
    evaluator = lot.tender.quality_evaluators[0]
    assert (await lot.score(evaluator, 0, "Q1.1", "5")).status_code == 201
    await declare(evaluator, lot.tender, "financial", "I hold shares in it.")
    for answer in (
        await evaluator.get(f"{lot.path}/evaluation/bids"),
        await lot.score(evaluator, 0, "Q1.2", "5"),
        await evaluator.get(f"{lot.path}/evaluation/scores"),
        await lot.lock(evaluator),
    ):
        assert answer.status_code == 403
        assert answer.json()["type"] == "/problems/conflict-of-interest"
    refusals = await superuser.fetch(
        "SELECT details FROM event WHERE action = 'request.refused' AND person = $1", evaluator.id
    )
    assert sum("conflict-of-interest" in row["details"] for row in refusals) >= 2
    view = await lot.evaluation(evaluator)
    assert view["bids"] is None
    assert (await lot.evaluation())["missing"][-1]["what"].startswith("Find 1 more")


async def test_an_evaluation_is_hidden_from_strangers_and_suppliers(world: World) -> None:
    lot = await lot_to_score(world)
    stranger = await world.person(
        "Sam Stranger", await world.organisation("06P"), Role.COMMISSIONER
    )
    for person in (stranger, *lot.suppliers):
        for path in ("", "/bids", "/scores", "/ranking"):
            answer = await person.get(f"{lot.path}/evaluation{path}")
            assert answer.status_code == 404, (path, answer.text)
        assert (await lot.score(person, 0, "Q1.1", "5")).status_code == 404
    for path in ("", "/bids", "/scores", "/ranking"):
        assert (await world.public(f"{lot.path}/evaluation{path}")).status_code == 401


@pytest.mark.parametrize("number", ["2", "0", "1001", "99999999999999999999"])
async def test_a_lot_that_is_not_there_has_no_evaluation(world: World, number: str) -> None:
    tender = await published_tender(world, lots=1)
    path = f"{tender.path}/lots/{number}"
    assert (await tender.manager.get(f"{path}/evaluation")).status_code == 404
    assert (await world.public(f"{path}/award")).status_code == 404
    assert (await tender.manager.get(f"{path}/award-notices")).status_code == 404
    given_up = await tender.manager.post(f"{path}/abandonment", {"reason": "x"}, version=1)
    assert given_up.status_code == 404


async def test_before_the_opening_an_evaluation_tells_nothing(world: World) -> None:
    tender = await published_tender(world, lots=1)
    before = await _everybody_s_view(tender)
    opened = await opened_tender(world, tender, count=0, bodies={})
    assert not opened.bids
    for view in before:
        assert view["stage"] == "bidding"
        assert view["bids"] is None
        assert view["evaluators"] == []
        assert [item["who"] for item in view["missing"]] == ["openers"]


async def _everybody_s_view(tender: PublishedTender) -> list[dict[str, Any]]:
    return [
        (await person.get(f"{tender.path}/lots/1/evaluation")).json()
        for person in tender.everybody()
    ]


async def test_scores_before_the_opening_are_refused(world: World) -> None:
    tender = await published_tender(world, lots=1)
    answer = await tender.quality_evaluators[0].post(
        f"{tender.path}/lots/1/evaluation/bids/Bidder A/scores",
        {"criterion": "Q1.1", "value": "5", "reason": REASON},
    )
    assert answer.status_code == 409
    assert answer.json()["type"] == "/problems/lot-not-there"


# -- scoring --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "reason", ["", "Good.", "Nineteen characters", " " * 30, f"short{' ' * 30}"]
)
async def test_no_score_without_a_reason_that_says_something(world: World, reason: str) -> None:
    lot = await lot_to_score(world, prices=("1.00",))
    evaluator = lot.tender.quality_evaluators[0]
    answer = await lot.score(evaluator, 0, "Q1.1", "5", reason)
    assert answer.status_code == 400, answer.text
    assert "reason" in answer.text.lower()
    assert await _scores(lot, evaluator) == []


@pytest.mark.parametrize("value", ["1", "3", "5.5", "-2", "10.000001", "11"])
async def test_a_score_off_the_scale_is_refused_with_the_values_that_can_be_given(
    world: World, value: str
) -> None:
    lot = await lot_to_score(world, prices=("1.00",))
    answer = await lot.score(lot.tender.quality_evaluators[0], 0, "Q1.1", value)
    assert answer.status_code == 400, answer.text
    problem = answer.json()
    assert problem["type"] == "/problems/score-off-scale"
    assert "0, 2, 5, 10" in problem["detail"]
    assert problem["errors"][0]["field"] == "value"


@pytest.mark.parametrize("value", [5, 5.0, None, "five", "5e0", "NaN", " 5"])
async def test_a_score_travels_as_decimal_text_alone(world: World, value: Any) -> None:
    lot = await lot_to_score(world, prices=("1.00",))
    assert (await lot.score(lot.tender.quality_evaluators[0], 0, "Q1.1", value)).status_code == 400


async def test_only_criteria_that_are_scored_and_bids_of_the_lot_can_be_scored(
    world: World,
) -> None:
    lot = await lot_to_score(world, prices=("1.00",))
    evaluator = lot.tender.quality_evaluators[0]
    for criterion in ("Q9", "Q1", "P", "q1.1"):  # unknown, a parent, the price, another case
        answer = await lot.score(evaluator, 0, criterion, "5")
        assert answer.status_code == 400, criterion
        assert answer.json()["type"] == "/problems/no-such-criterion"
    unknown = await evaluator.post(
        f"{lot.path}/evaluation/bids/Bidder Z/scores",
        {"criterion": "Q1.1", "value": "5", "reason": REASON},
    )
    assert unknown.status_code == 404
    extra = await evaluator.post(
        f"{lot.path}/evaluation/bids/Bidder A/scores",
        {"criterion": "Q1.1", "value": "5", "reason": REASON, "weight": "9"},
    )
    assert extra.status_code == 400


async def test_a_correction_is_added_and_both_stay(world: World) -> None:
    lot = await lot_to_score(world, prices=("1.00",))
    evaluator = lot.tender.quality_evaluators[0]
    assert (await lot.score(evaluator, 0, "Q1.1", "5")).json()["number"] == 1
    assert (await lot.score(evaluator, 0, "Q1.1", "2.0")).json()["number"] == 2
    found = await _scores(lot, evaluator)
    assert [(row["number"], row["value"], row["current"]) for row in found] == [
        (1, "5", False),
        (2, "2.0", True),
    ]
    assert all(row["reason"] == REASON and row["person"] == str(evaluator.id) for row in found)


async def test_a_repeated_request_scores_once(world: World) -> None:
    lot = await lot_to_score(world, prices=("1.00",))
    evaluator = lot.tender.quality_evaluators[0]
    key = {"Idempotency-Key": str(uuid4())}
    answers = [await lot.score(evaluator, 0, "Q1.1", "5", headers=key) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [201] * 3
    assert len({answer.content for answer in answers}) == 1
    assert len(await _scores(lot, evaluator)) == 1
    other = await lot.score(evaluator, 0, "Q1.1", "2", headers=key)
    assert other.status_code == 422


async def test_only_evaluators_score(world: World) -> None:
    lot = await lot_to_score(world, prices=("1.00",))
    evaluators = set(lot.tender.quality_evaluators)
    for person in set(lot.tender.everybody()) - evaluators:
        answer = await lot.score(person, 0, "Q1.1", "5")
        assert answer.status_code == 403, person.name
        assert answer.json()["type"] == "/problems/duty-needed"


async def test_evaluators_are_blind_to_each_other_until_all_have_locked(world: World) -> None:
    lot = await lot_to_score(world)
    tender = lot.tender
    one, other = tender.quality_evaluators
    await lot.score_all(one)
    assert (await lot.lock(one)).status_code == 201
    await lot.score_all(other, [dict.fromkeys(values, "2") for values in AGREED])
    await declare(tender.guardian, tender)
    assert {row["person"] for row in await _scores(lot, one)} == {str(one.id)}
    assert {row["person"] for row in await _scores(lot, other)} == {str(other.id)}
    for person in (tender.moderator, tender.guardian):
        assert await _scores(lot, person) == []
    assert (await lot.lock(other)).status_code == 201
    for person in (one, other, tender.moderator, tender.guardian):
        assert {row["person"] for row in await _scores(lot, person)} == {str(one.id), str(other.id)}
    only = await _scores(lot, one, pseudonym=lot.pseudonyms[0])
    assert {row["pseudonym"] for row in only} == {lot.pseudonyms[0]}


async def test_scores_come_in_pages_and_a_strange_cursor_is_refused(world: World) -> None:
    lot = await scored_lot(world, prices=("1.00", "2.00"))
    reader = lot.tender.moderator
    whole = await _scores(lot, reader)
    assert len(whole) == 12
    seen: list[dict[str, Any]] = []
    cursor = None
    for _ in range(6):
        params = {"limit": 5} | ({} if cursor is None else {"cursor": cursor})
        page = (await reader.get(f"{lot.path}/evaluation/scores", params=params)).json()
        seen += page["items"]
        if (cursor := page["next"]) is None:
            break
    assert seen == whole
    for strange in ("x", "WyJhIl0", "WyJhIiwiYiIsImMiLCJkIiwiZSJd"):
        answer = await reader.get(f"{lot.path}/evaluation/scores", params={"cursor": strange})
        assert answer.status_code == 400


async def test_locking_needs_every_score_and_is_for_good(world: World) -> None:
    lot = await lot_to_score(world)
    evaluator = lot.tender.quality_evaluators[0]
    refused = await lot.lock(evaluator)
    assert refused.status_code == 409
    assert refused.json()["type"] == "/problems/scores-incomplete"
    assert "Bidder A Q1.1" in refused.json()["detail"]
    await lot.score_all(evaluator)
    locked = await lot.lock(evaluator)
    assert locked.status_code == 201
    assert locked.json()["scores"] == 9
    late = await lot.score(evaluator, 0, "Q1.1", "2")
    assert (late.status_code, late.json()["type"]) == (409, "/problems/scores-locked")
    again = await lot.lock(evaluator)
    assert (again.status_code, again.json()["type"]) == (409, "/problems/locked-already")


async def test_progress_says_what_is_missing_and_from_whom_and_no_score(world: World) -> None:
    lot = await lot_to_score(world)
    one, other = lot.tender.quality_evaluators
    await lot.score(one, 0, "Q1.1", "10")
    for person in (other, lot.tender.manager, lot.tender.moderator):
        answer = await person.get(f"{lot.path}/evaluation")
        view = answer.json()
        assert answer.headers["ETag"] == f'"{view["version"]}"'
        assert view["stage"] == "quality_scoring"
        assert {item["name"]: item["given"] for item in view["evaluators"]} == {
            one.name: 1,
            other.name: 0,
        }
        assert [item["who"] for item in view["missing"]] == [other.name, one.name]
        assert "Give 8 of 9 scores" in view["missing"][1]["what"]
        assert REASON not in answer.text
        assert '"10"' not in answer.text
    await lot.score_all(one)
    view = await lot.evaluation()
    assert view["missing"][1] == {"who": one.name, "what": "Lock the scores."}
