"""Trying an award method over HTTP: the whole working, warnings, and clear refusals."""

import copy
from typing import Any

import pytest

from evaluation.schemas.trial import TryMethod
from tenders.rules.award_methods import MethodName
from tests.makers.world import World

PATH = "/api/v1/award-methods/trial"
FIGURES = {
    "linear_between_bounds": {"floor": "90000", "ceiling": "150000"},
    "logarithmic": {"base": "2"},
    "banded_increase": {
        "bands": [{"up_to": "25", "share": "80"}, {"up_to": "50", "share": "60"}],
        "beyond": "20",
    },
    "monetised_quality": {"quality_value": "200000"},
    "coefficient_normalised_price": {"largest_coefficient": "0.3"},
}


def asked(**changes: Any) -> dict[str, Any]:
    return copy.deepcopy(TryMethod.example) | changes


async def send(world: World, body: dict[str, Any]) -> Any:
    return await world.client.post(PATH, json=body)


async def test_the_working_is_shown_whole_to_anybody(world: World) -> None:
    answer = await send(world, asked())
    assert answer.status_code == 200, answer.text
    found = answer.json()
    good, cheap = found["bids"]
    assert (good["key"], good["rank"], good["total"]["display"]) == ("dear and good", 1, "89.33")
    assert [one["points"]["display"] for one in good["points"]] == ["40.00", "16.00"]
    assert good["price_points"] == {"display": "33.33", "numerator": "100", "denominator": "3"}
    assert (cheap["quality_percentage"]["display"], cheap["total"]["display"]) == ("60.00", "76.00")
    ranges = found["winners_by_price_weight"]
    assert [one["winners"] for one in ranges] == [["dear and good"], ["cheap"]]
    # 14/15 (100 - w) + 5/6 w and 3/5 (100 - w) + w are level where 1/2 w is 100/3
    assert ranges[0]["highest"]["display"] == "66.67"


async def test_one_more_point_is_worth_what_the_method_says(world: World) -> None:
    body = asked(
        award_method={
            "name": "monetised_quality",
            "tie_rule": "higher_quality",
            "parameters": {"quality_value": "200000"},
        }
    )
    found = (await send(world, body)).json()
    # a point is a sixtieth of full quality, at every price
    assert {bid["point_worth"]["display"] for bid in found["bids"]} == {"3333.33"}


@pytest.mark.parametrize("name", [name for name in MethodName if name != "fixed_price"])
async def test_every_method_can_be_tried(world: World, name: MethodName) -> None:
    method: dict[str, Any] = {"name": name.value, "tie_rule": "lower_price"}
    if name in FIGURES:
        method["parameters"] = FIGURES[name]
    answer = await send(world, asked(award_method=method))
    assert answer.status_code == 200, answer.text
    found = answer.json()
    assert sorted(bid["rank"] for bid in found["bids"]) == [1, 2]
    assert found["method"] == name


async def test_a_bid_below_the_minimum_is_shown_and_not_ranked(world: World) -> None:
    found = (await send(world, asked(minimum_quality="61"))).json()
    last = found["bids"][-1]
    assert (last["key"], last["passed"], last["rank"], last["price_points"]) == (
        "cheap",
        False,
        None,
        None,
    )


async def test_it_says_when_a_losing_bid_decides(world: World) -> None:
    def bid(key: str, quality: str, price: str) -> dict[str, Any]:
        return {"key": key, "values": [{"criterion": "Q", "value": quality}], "price": price}

    body = asked(
        award_method={"name": "two_sided_interpolation", "tie_rule": "higher_quality"},
        criteria=[{"code": "Q", "weight": "60"}],
        highest_value="100",
        minimum_quality="0",
        bids=[bid("a", "90", "110"), bid("b", "70", "100"), bid("dear", "1", "300")],
    )
    warnings = (await send(world, body)).json()["warnings"]
    assert "winner_depends_on_a_loser" in {warning["name"] for warning in warnings}
    texts = " ".join(warning["text"] for warning in warnings)
    assert "Without dear, which cannot win, b would win" in texts


async def test_an_index_that_pays_for_gold_plating_says_so(world: World) -> None:
    body = asked(award_method={"name": "value_index", "tie_rule": "lower_price"})
    warnings = (await send(world, body)).json()["warnings"]
    assert [warning["name"] for warning in warnings] == ["index_rewards_gold_plating"]
    assert "20.00 more points of quality for 20000.00 pounds more" in warnings[0]["text"]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"price_weight": "41"}, "price_weight"),
        ({"highest_value": "0"}, "highest_value"),
        ({"minimum_quality": "101"}, "minimum_quality"),
        (
            {"award_method": {"name": "logarithmic", "tie_rule": "lower_price"}},
            "award_method.parameters.base",
        ),
        (
            {
                "award_method": {
                    "name": "value_index",
                    "tie_rule": "named_criterion",
                    "tie_criterion": "Q9",
                }
            },
            "award_method.tie_criterion",
        ),
    ],
)
async def test_what_cannot_be_tried_is_said_with_its_place(
    world: World, changes: dict[str, Any], field: str
) -> None:
    answer = await send(world, asked(**changes))
    assert answer.status_code == 400
    assert answer.json()["type"] == "/problems/trial-faulty"
    assert field in {fault["field"] for fault in answer.json()["errors"]}


async def test_bids_need_every_value_once_within_the_scale_and_a_price(world: World) -> None:
    body = asked()
    body["bids"][0]["values"][0]["value"] = "6"
    body["bids"][1]["values"].pop()
    body["bids"][1]["price"] = "-1"
    fields = {fault["field"] for fault in (await send(world, body)).json()["errors"]}
    assert fields == {"bids[0].values[0].value", "bids[1].values", "bids[1].price"}


async def test_a_price_outside_the_domain_of_the_method_is_refused(world: World) -> None:
    body = asked()
    body["bids"][0]["price"] = "0"
    answer = await send(world, body)
    assert answer.status_code == 400
    assert "every price to be above zero" in answer.json()["detail"]
