"""A price that appears abnormally low is explained and decided about before it can win."""

import asyncio
from datetime import timedelta
from typing import Any

from tests.makers.clock import advance_to
from tests.makers.evaluation import recommend
from tests.makers.low_prices import (
    PUBLISHED,
    WHY,
    ask,
    decide,
    decision,
    explain,
    low_priced_lot,
)
from tests.makers.tenders import market_time
from tests.makers.world import World


async def _shown(lot: Any, person: Any = None) -> Any:
    answer = await (person or lot.tender.moderator).get(f"{lot.path}/price-explanations")
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_a_flagged_winner_is_explained_accepted_and_recommended(world: World) -> None:
    lot = await low_priced_lot(world)
    view = await _shown(lot)
    assert view["published"] == PUBLISHED
    [low] = view["bids"]
    assert (low["pseudonym"], low["blocks_recommendation"]) == (lot.pseudonyms[0], True)
    assert [
        (flag["indicator"], flag["per_cent_below"]["display"], flag["published"])
        for flag in low["flags"]
    ] == [("below_mean", "50.00", "40"), ("below_next", "50.00", "30")]
    ranking = (await lot.tender.moderator.get(f"{lot.path}/evaluation/ranking")).json()
    flagged = {bid["pseudonym"]: bid["abnormally_low"] for bid in ranking["bids"]}
    assert flagged[lot.pseudonyms[0]] == low["flags"]
    assert flagged[lot.pseudonyms[1]] == []
    refused = await recommend(lot)
    assert (refused.status_code, refused.json()["type"]) == (409, "/problems/low-price-undecided")
    early = await decide(lot, "accepted")
    assert early.json()["type"] == "/problems/explanation-awaited"
    asked = await ask(lot)
    assert (asked.status_code, asked.json()["about"]) == (201, "low_price"), asked.text
    early = await decide(lot, "rejected")
    assert early.json()["type"] == "/problems/explanation-awaited"
    assert (await explain(lot)).status_code == 201
    decided = await decide(lot, "accepted")
    assert (decided.status_code, decided.json()["ranking"]) == (201, None), decided.text
    [low] = (await _shown(lot, lot.tender.manager))["bids"]
    assert low["explanations"][0]["answer"] == "We own the machines that the others rent."
    assert (low["decision"]["reason"], low["blocks_recommendation"]) == (WHY, False)
    assert (await decide(lot, "rejected")).json()["type"] == "/problems/low-price-decided-already"
    assert (await ask(lot)).json()["type"] == "/problems/low-price-decided-already"
    assert (await recommend(lot)).status_code == 201


async def test_a_rejected_price_drops_the_bid_out_with_its_reason(world: World) -> None:
    lot = await low_priced_lot(world)
    await ask(lot)
    await explain(lot)
    decided = await decide(lot, "rejected")
    assert (decided.status_code, decided.json()["ranking"]) == (201, 2), decided.text
    ranking = (await lot.tender.moderator.get(f"{lot.path}/evaluation/ranking")).json()
    assert ranking["because"] == WHY
    places = {bid["pseudonym"]: bid["place"] for bid in ranking["bids"]}
    assert [places[name] for name in lot.pseudonyms] == [None, 1, 2]
    assert (await recommend(lot, 1)).status_code == 201


async def test_an_answer_comes_in_time_and_silence_does_not_hold_up_for_ever(
    world: World,
) -> None:
    lot = await low_priced_lot(world)
    await ask(lot, days=1)
    await advance_to(world, await market_time(world) + timedelta(days=2))
    late = await explain(lot)
    assert (late.status_code, late.json()["type"]) == (409, "/problems/answer-too-late")
    assert (await decide(lot, "rejected")).status_code == 201


async def test_who_asks_decides_and_reads(world: World) -> None:
    lot = await low_priced_lot(world)
    tender = lot.tender
    for person in (tender.manager, tender.moderator, tender.approvers[0]):
        assert (await ask(lot, person=person)).json()["type"] == "/problems/duty-needed"
    assert (await ask(lot, days=0)).json()["type"] == "/problems/question-deadline-faulty"
    endless = await ask(lot, answer_by="9999-12-31T23:59:59-12:00")
    assert endless.json()["type"] == "/problems/question-deadline-faulty"
    await ask(lot)
    await explain(lot)
    for person in (tender.price_evaluator, tender.moderator, tender.approvers[0]):
        answer = await decide(lot, "accepted", person=person)
        assert answer.json()["type"] == "/problems/duty-needed"
    evaluator = await tender.quality_evaluators[0].get(f"{lot.path}/price-explanations")
    assert evaluator.json()["type"] == "/problems/duty-needed"
    for supplier in lot.suppliers:
        assert (await supplier.get(f"{lot.path}/price-explanations")).status_code == 404
    stranger = lot.opened.bids[lot.suppliers[0], 1]["bid"]
    assert (await lot.suppliers[1].get(f"/bids/{stranger}/questions")).status_code == 404


async def test_nothing_is_flagged_where_nothing_is_published_but_all_may_be_asked(
    world: World,
) -> None:
    lot = await low_priced_lot(world, abnormally_low=None)
    assert (await _shown(lot))["bids"] == []
    assert (await ask(lot)).status_code == 201
    assert (await recommend(lot)).json()["type"] == "/problems/low-price-undecided"


async def test_a_bid_that_is_out_is_asked_nothing(world: World) -> None:
    lot = await low_priced_lot(world)
    body = {"pseudonym": lot.pseudonyms[0], "reason": "The supplier withdrew by its letter."}
    await lot.done(lot.tender.manager, "/drop-outs", body)
    assert (await _shown(lot))["bids"] == []
    assert (await ask(lot)).json()["type"] == "/problems/not-in-ranking"
    assert (await decide(lot, "accepted")).json()["type"] == "/problems/not-in-ranking"


async def test_of_two_decisions_at_once_one_stands(world: World, superuser: Any) -> None:
    lot = await low_priced_lot(world)
    await ask(lot)
    await explain(lot)
    version = (await lot.evaluation())["version"]
    path = f"{lot.path}/price-explanations/decisions"
    answers = await asyncio.gather(
        *(
            lot.tender.manager.post(path, decision(lot, outcome), version=version)
            for outcome in ("accepted", "rejected", "accepted", "rejected")
        )
    )
    codes = sorted(answer.status_code for answer in answers)
    assert codes[0] == 201
    assert set(codes[1:]) <= {409, 412}
    assert await superuser.fetchval("SELECT count(*) FROM low_price_decision") == 1


async def test_of_a_question_and_a_recommendation_at_once_one_stands(world: World) -> None:
    lot = await low_priced_lot(world, abnormally_low=None)
    asked, recommended = await asyncio.gather(ask(lot), recommend(lot))
    assert sorted((asked.status_code, recommended.status_code)) == [201, 409]
