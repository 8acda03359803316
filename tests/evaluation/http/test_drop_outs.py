"""Bids that drop out after the ranking: frozen or rescored, before and after the award."""

import asyncio
from datetime import datetime
from fractions import Fraction
from typing import Any

import httpx
import pytest

from tests.makers.evaluation import (
    EvaluatedLot,
    approve,
    awarded_lot,
    contract_body,
    contracted_lot,
    end_standstill,
    notified_lot,
    priced_lot,
    ranked_lot,
    recommend,
    recommended_lot,
)
from tests.makers.world import Person, World

PASSING: Any = (
    {"Q1.1": "10", "Q1.2": "10", "Q2": "10"},
    {"Q1.1": "10", "Q1.2": "10", "Q2": "5"},
    {"Q1.1": "5", "Q1.2": "5", "Q2": "5"},
)
WHY = "The supplier withdrew by its letter of 3 March."


async def gone(
    lot: EvaluatedLot, place: int, person: Person | None = None, reason: str = WHY
) -> httpx.Response:
    """Record that a supplier's bid dropped out, whatever the answer."""
    body = {"pseudonym": lot.pseudonyms[place], "reason": reason}
    return await lot.act(person or lot.tender.manager, "/drop-outs", body)


async def _ranking(lot: EvaluatedLot, number: int | None = None) -> dict[str, Any]:
    params = {} if number is None else {"number": number}
    answer = await lot.tender.moderator.get(f"{lot.path}/evaluation/ranking", params=params)
    assert answer.status_code == 200, answer.text
    view: dict[str, Any] = answer.json()
    return view


def _totals(lot: EvaluatedLot, view: dict[str, Any]) -> list[Fraction | None]:
    bids = {bid["pseudonym"]: bid["total"] for bid in view["bids"]}
    found = [bids[name] for name in lot.pseudonyms]
    return [
        None if one is None else Fraction(int(one["numerator"]), int(one["denominator"]))
        for one in found
    ]


@pytest.mark.parametrize(
    ("rule", "after"),
    [
        # price points were 40 x 90/110, 36 and 40; without the lowest price, of 100/110 and 1
        ("freeze", [Fraction(60) + Fraction(360, 11), Fraction(86), None]),
        ("rescore", [Fraction(60) + Fraction(400, 11), Fraction(90), None]),
    ],
)
async def test_figures_are_frozen_or_computed_again_as_published(
    world: World, rule: str, after: list[Fraction | None]
) -> None:
    lot = await ranked_lot(
        world,
        agreed=PASSING,
        award_method={
            "name": "lowest_price_ratio",
            "tie_rule": "higher_quality",
            "when_a_bid_drops_out": rule,
        },
    )
    before = await _ranking(lot)
    answer = await gone(lot, 2)
    assert answer.status_code == 201, answer.text
    assert (answer.json()["ranking"], answer.json()["stage"]) == (2, "ranked")
    now = await _ranking(lot)
    assert _totals(lot, now) == after
    assert (now["number"], now["latest"], now["because"]) == (2, 2, WHY)
    places = {bid["pseudonym"]: bid["place"] for bid in now["bids"]}
    assert [places[name] for name in lot.pseudonyms] == [1, 2, None]
    earlier = await _ranking(lot, 1)
    assert (earlier["because"], earlier["latest"]) == (None, 2)
    assert _totals(lot, earlier) == _totals(lot, before)
    assert (await recommend(lot)).status_code == 201


async def test_the_winner_withdraws_in_standstill_and_the_next_is_awarded(world: World) -> None:
    lot = await notified_lot(world)
    assert (await gone(lot, 0)).status_code == 201
    assert (await lot.evaluation())["stage"] == "ranked"
    public = await world.public(f"{lot.path}/award")
    assert public.status_code == 404
    assert (await recommend(lot, 0)).status_code == 409
    assert (await recommend(lot, 1)).status_code == 201
    early = await lot.act(lot.tender.contract_manager, "/contract", contract_body())
    assert early.status_code == 409
    for approver in lot.tender.approvers:
        assert (await approve(lot, approver)).status_code == 201
    early = await lot.act(lot.tender.contract_manager, "/contract", contract_body())
    assert early.status_code == 409
    sent = await lot.done(lot.tender.manager, "/award-notices")
    assert sent["notices"] == 3
    early = await lot.act(lot.tender.contract_manager, "/contract", contract_body())
    assert early.json()["type"] == "/problems/standstill-running"
    assert (await world.public(f"{lot.path}/award")).json()["supplier"] == "Supplier 2"
    own = (await lot.suppliers[1].get(f"{lot.path}/award-notices")).json()["items"]
    assert [notice["content"]["outcome"] for notice in own] == ["successful"]
    lot.standstill_ends_at = datetime.fromisoformat(sent["standstill_ends_at"])
    await end_standstill(lot)
    await lot.done(lot.tender.contract_manager, "/contract", contract_body())
    assert (await gone(lot, 1)).json()["type"] == "/problems/lot-not-there"


async def test_what_followed_from_the_ranking_falls_with_it(world: World) -> None:
    lot = await recommended_lot(world)
    assert (await gone(lot, 1)).status_code == 201
    answer = await approve(lot, lot.tender.approvers[0])
    assert answer.json()["type"] == "/problems/lot-not-there"
    assert (await recommend(lot)).status_code == 201
    for approver in lot.tender.approvers:
        assert (await approve(lot, approver)).status_code == 201
    assert (await lot.evaluation())["stage"] == "awarded"


async def test_when_nobody_is_left_the_lot_can_only_be_abandoned(world: World) -> None:
    lot = await awarded_lot(world)
    for place in (0, 1):
        assert (await gone(lot, place)).status_code == 201
    assert all(bid["place"] is None for bid in (await _ranking(lot))["bids"])
    assert (await recommend(lot)).status_code == 409
    await lot.done(lot.tender.manager, "/abandonment", {"reason": "Both suppliers withdrew."})


async def test_who_may_say_so_of_which_bid_and_when(world: World) -> None:
    lot = await priced_lot(world)
    early = await gone(lot, 0)
    assert early.json()["type"] == "/problems/lot-not-there"
    await lot.done(lot.tender.price_evaluator, "/evaluation/ranking")
    for person in (lot.tender.moderator, lot.tender.price_evaluator, lot.tender.approvers[0]):
        assert (await gone(lot, 0, person)).json()["type"] == "/problems/duty-needed"
    unranked = await gone(lot, 2)
    assert (unranked.status_code, unranked.json()["type"]) == (409, "/problems/not-in-ranking")
    assert (await gone(lot, 0, reason=" " * 30)).status_code == 400
    assert (await gone(lot, 0)).status_code == 201
    twice = await gone(lot, 0)
    assert twice.json()["type"] == "/problems/not-in-ranking"


async def test_a_contracted_lot_loses_no_bid(world: World) -> None:
    lot = await contracted_lot(world)
    assert (await gone(lot, 0)).json()["type"] == "/problems/lot-not-there"


async def test_of_two_at_once_one_is_told_to_read_again(world: World, superuser: Any) -> None:
    lot = await ranked_lot(world, agreed=PASSING)
    version = (await lot.evaluation())["version"]
    answers = await asyncio.gather(
        *(
            lot.tender.manager.post(
                f"{lot.path}/drop-outs",
                {"pseudonym": lot.pseudonyms[place], "reason": WHY},
                version=version,
            )
            for place in (0, 1, 2, 0)
        )
    )
    assert sorted(answer.status_code for answer in answers) == [201, 412, 412, 412]
    assert await superuser.fetchval("SELECT count(*) FROM drop_out") == 1
    assert await superuser.fetchval("SELECT max(number) FROM ranking") == 2


async def test_a_recommendation_and_a_drop_out_at_once_are_in_order(
    world: World,
) -> None:
    lot = await ranked_lot(world)
    body = {"pseudonym": lot.pseudonyms[0], "reason": WHY}
    version = (await lot.evaluation())["version"]
    recommended, left = await asyncio.gather(
        recommend(lot), lot.tender.manager.post(f"{lot.path}/drop-outs", body, version=version)
    )
    assert recommended.status_code in {201, 409}
    assert left.status_code in {201, 412}
    assert {recommended.status_code, left.status_code} != {409, 412}
    stage = (await lot.evaluation())["stage"]
    assert stage == ("ranked" if left.status_code == 201 else "recommended")
