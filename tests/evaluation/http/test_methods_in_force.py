"""Every award method from its publication to the ranking, and every tie rule."""

import hashlib
from decimal import Decimal
from fractions import Fraction
from typing import Any

import msgspec
import pytest

from evaluation.rules.methods import Parameters, method_of
from evaluation.rules.ranking import Offer
from tenders.rules.award_methods import AwardMethod, MethodName
from tests.makers.bids import asked, bid_body, give_bid, some_suppliers, submit
from tests.makers.evaluation import EvaluatedLot, ranked_lot, recommend
from tests.makers.tenders import drafted_tender, published_tender, requirement_of
from tests.makers.world import World
from tests.tenders.rules.documents import lot_document

FIGURES: dict[MethodName, dict[str, Any]] = {
    MethodName.LINEAR_BETWEEN_BOUNDS: {"floor": "4000", "ceiling": "6000"},
    MethodName.LOGARITHMIC: {"base": "1.5"},
    MethodName.BANDED_INCREASE: {
        "bands": [{"up_to": "5", "share": "80"}, {"up_to": "50", "share": "60"}],
        "beyond": "20",
    },
    MethodName.FIXED_PRICE: {"price": "4325"},
    MethodName.MONETISED_QUALITY: {"quality_value": "9000"},
    MethodName.COEFFICIENT_NORMALISED_PRICE: {"largest_coefficient": "0.3"},
}
EQUAL = ({"Q1.1": "10", "Q1.2": "5", "Q2": "5"},) * 2


def method(name: MethodName, **changes: Any) -> dict[str, Any]:
    """A method with its figures, as an author publishes it."""
    return {
        "name": name.value,
        "tie_rule": "higher_quality",
        "parameters": FIGURES.get(name, {}),
        **changes,
    }


def without_price() -> dict[str, Any]:
    """A lot whose quality alone decides."""
    lot = lot_document(1)
    lot["criteria"] = [{**lot["criteria"][1], "weight": "60"}, lot["criteria"][0]]
    return lot


async def ranking_of(lot: EvaluatedLot, number: int | None = None) -> dict[str, Any]:
    """What the price evaluator reads of the ranking."""
    params = {} if number is None else {"number": number}
    answer = await lot.tender.price_evaluator.get(f"{lot.path}/evaluation/ranking", params=params)
    assert answer.status_code == 200, answer.text
    view: dict[str, Any] = answer.json()
    return view


def by_supplier(lot: EvaluatedLot, view: dict[str, Any]) -> list[dict[str, Any]]:
    """The bids of a ranking in the order of their suppliers."""
    bids = {bid["pseudonym"]: bid for bid in view["bids"]}
    return [bids[name] for name in lot.pseudonyms]


def exact(figure: dict[str, str]) -> Fraction:
    """A figure as it is."""
    return Fraction(int(figure["numerator"]), int(figure["denominator"]))


@pytest.mark.parametrize("taken", ["as_scored", "relative_to_best"])
@pytest.mark.parametrize("name", MethodName)
async def test_every_method_is_published_and_ranks_as_its_definition_says(
    world: World, name: MethodName, taken: str
) -> None:
    fixed = name is MethodName.FIXED_PRICE
    chosen = method(name, quality=taken)
    lot = await ranked_lot(
        world,
        prices=("100.00",) * 3 if fixed else ("110.00", "100.00", "90.00"),
        award_method=chosen,
        **({"lots": [without_price()]} if fixed else {}),
    )
    view = await ranking_of(lot)
    ranked = [bid for bid in view["bids"] if bid["passed"]]
    assert len(ranked) == 2
    offers = [
        Offer(
            key=bid["pseudonym"],
            quality_points=exact(bid["quality_points"]),
            price=Decimal(bid["price"]["amount"]),
        )
        for bid in ranked
    ]
    weight = Fraction(0 if fixed else 40)
    published = Parameters.published(msgspec.convert(chosen, AwardMethod), weight)
    defined = method_of(name, 1).rank(offers, published)
    assert view["award_method"]["name"] == name.value
    for row, bid in zip(defined.rows, ranked, strict=True):
        assert (row.key, row.rank, row.tied) == (bid["pseudonym"], bid["place"], bid["tied"])
        assert exact(bid["total"]) == row.total
        if view["index"]:
            assert bid["price_points"] is None
        else:
            assert exact(bid["price_points"]) == row.price_points


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"award_method": method(MethodName.FIXED_PRICE)}, "lots[0].criteria"),
        (
            {"award_method": method(MethodName.VALUE_INDEX, tie_rule="named_criterion")},
            "award_method.tie_criterion",
        ),
        (
            {
                "award_method": method(
                    MethodName.VALUE_INDEX, tie_rule="named_criterion", tie_criterion="Q1"
                )
            },
            "award_method.tie_criterion",
        ),
        (
            {
                "award_method": method(MethodName.PRICE_PER_QUALITY_POINT),
                "lots": [{**lot_document(1), "minimum_quality": "0"}],
            },
            "award_method.name",
        ),
        (
            {
                "award_method": method(
                    MethodName.LOWEST_PRICE_RATIO, when_a_bid_drops_out="absolute"
                )
            },
            "award_method.when_a_bid_drops_out",
        ),
        ({"lot_limit": {"lots": 1, "rule": "best_ranks"}}, "lot_limit.lots"),
    ],
)
async def test_a_method_that_does_not_fit_its_lots_is_not_published(
    world: World, changes: dict[str, Any], field: str
) -> None:
    fresh = await drafted_tender(world)
    view = (await fresh.author.get(fresh.path)).json()
    answer = await fresh.author.put(
        f"{fresh.path}/requirement", requirement_of(1, **changes), version=view["version"]
    )
    assert answer.status_code == 400, answer.text
    assert field in {fault["field"] for fault in answer.json()["errors"]}


async def test_a_bid_at_another_price_than_the_fixed_one_is_refused(world: World) -> None:
    tender = await published_tender(
        world,
        requirement=requirement_of(
            1, award_method=method(MethodName.FIXED_PRICE), lots=[without_price()]
        ),
    )
    (supplier,) = await some_suppliers(world, 1)
    other = bid_body(asked(tender, 1), unit_prices="100.01")
    refused = await give_bid(supplier, tender, 1, other)
    assert refused.status_code == 400
    assert "is fixed, at 4325 pounds" in refused.text
    await submit(supplier, tender, 1, bid_body(asked(tender, 1), unit_prices="100.00"))


# -- ties -----------------------------------------------------------------------------------------


async def test_a_named_criterion_decides_a_tie(world: World) -> None:
    # quality 60 and 50 of 60; price points 30 and 40 of 40
    lot = await ranked_lot(
        world,
        prices=("40.00", "30.00"),
        agreed=(
            {"Q1.1": "10", "Q1.2": "10", "Q2": "10"},
            {"Q1.1": "10", "Q1.2": "10", "Q2": "5"},
        ),
        award_method=method(
            MethodName.LOWEST_PRICE_RATIO, tie_rule="named_criterion", tie_criterion="Q2"
        ),
    )
    found = by_supplier(lot, await ranking_of(lot))
    assert [exact(bid["total"]) for bid in found] == [90, 90]
    assert [(bid["place"], bid["tied"]) for bid in found] == [(1, False), (2, False)]


async def test_a_tie_that_no_rule_breaks_stays_one_and_cannot_be_recommended(world: World) -> None:
    lot = await ranked_lot(
        world,
        prices=("40.00", "40.00"),
        agreed=EQUAL,
        award_method=method(MethodName.VALUE_INDEX, tie_rule="named_criterion", tie_criterion="Q2"),
    )
    found = by_supplier(lot, await ranking_of(lot))
    assert [(bid["place"], bid["tied"]) for bid in found] == [(1, True), (1, True)]
    refused = await recommend(lot)
    assert (refused.status_code, refused.json()["type"]) == (409, "/problems/first-place-tied")


async def test_the_earliest_submission_decides_a_tie(world: World) -> None:
    lot = await ranked_lot(
        world,
        prices=("40.00", "40.00"),
        agreed=EQUAL,
        award_method=method(MethodName.LOWEST_PRICE_RATIO, tie_rule="earliest_submission"),
    )
    found = by_supplier(lot, await ranking_of(lot))
    assert [(bid["place"], bid["tied"]) for bid in found] == [(1, False), (2, False)]


async def test_a_draw_is_from_the_seed_committed_to_at_publication(world: World) -> None:
    """Anybody can do it again: digest, order and places, with hashlib alone."""
    lot = await ranked_lot(
        world,
        prices=("40.00",) * 3,
        agreed=(EQUAL[0],) * 3,
        award_method=method(MethodName.LOWEST_PRICE_RATIO, tie_rule="committed_draw"),
    )
    view = await ranking_of(lot)
    public = (await world.public(lot.tender.path)).json()["draw_commitment"]
    start = b"commissioning-support-market/draw/v1\x00" + bytes.fromhex(view["draw_seed"])
    assert hashlib.sha256(start).hexdigest() == public == view["draw_commitment"]
    tickets = {
        name: hashlib.sha256(start + f"1/{name}".encode()).digest() for name in lot.pseudonyms
    }
    drawn = sorted(tickets, key=lambda name: tickets[name])
    assert [bid["pseudonym"] for bid in view["bids"]] == drawn
    assert [(bid["place"], bid["tied"]) for bid in view["bids"]] == [
        (1, False),
        (2, False),
        (3, False),
    ]


async def test_no_seed_is_shown_where_no_draw_is_published(world: World) -> None:
    lot = await ranked_lot(world)
    view = await ranking_of(lot)
    assert view["draw_seed"] is None
    assert len(view["draw_commitment"]) == 64
