"""The robustness report of a ranking: exact where it can be, and altering nothing."""

import itertools
from fractions import Fraction
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from evaluation.rules.robustness.charts import CHARTS, NoSuchChart, chart
from tests.makers.evaluation import EvaluatedLot, priced_lot, ranked_lot
from tests.makers.world import World

ALL_PASS: Any = (
    {"Q1.1": "10", "Q1.2": "5", "Q2": "5"},
    {"Q1.1": "5", "Q1.2": "10", "Q2": "10"},
    {"Q1.1": "5", "Q1.2": "5", "Q2": "5"},
)


async def report_of(lot: EvaluatedLot, seed: int | None = None) -> dict[str, Any]:
    """What the moderator reads."""
    params = {} if seed is None else {"seed": seed}
    answer = await lot.tender.moderator.get(f"{lot.path}/robustness", params=params)
    assert answer.status_code == 200, answer.text
    view: dict[str, Any] = answer.json()
    return view


def exact(figure: dict[str, str]) -> Fraction:
    """A figure as it is."""
    return Fraction(int(figure["numerator"]), int(figure["denominator"]))


async def test_the_report_says_how_firmly_the_ranking_stands(world: World, superuser: Any) -> None:
    lot = await ranked_lot(world, agreed=ALL_PASS)
    before = await superuser.fetch("SELECT * FROM ranked_bid ORDER BY id")
    view = await report_of(lot)
    ranking = (await lot.tender.moderator.get(f"{lot.path}/evaluation/ranking")).json()
    totals = [exact(bid["total"]) for bid in ranking["bids"]]
    names = [bid["pseudonym"] for bid in ranking["bids"]]
    assert exact(view["margin"]) == totals[0] - totals[1]
    assert (view["ranking"], view["variation"]["seed"], view["variation"]["draws"]) == (
        1,
        0,
        100_000,
    )
    assert {one["without"] for one in view["without_one"]} == set(names)
    ranges = view["winners_by_price_weight"]
    assert exact(ranges[0]["lowest"]) == 0
    assert exact(ranges[-1]["highest"]) == 100
    assert all(one["highest"] == other["lowest"] for one, other in itertools.pairwise(ranges))
    at_forty = next(one for one in ranges if exact(one["lowest"]) <= 40 < exact(one["highest"]))
    assert at_forty["winners"] == [names[0]]
    assert sum(one["wins"] for one in view["win_frequencies"]) == pytest.approx(1)
    # all marks were alike, so there is nothing to disagree about and nobody is harsher
    assert exact(view["agreement"]["alpha"]) == 1
    assert [exact(one["leniency"]) for one in view["markers"]] == [0, 0]
    assert {one["name"] for one in view["markers"]} == {"Eve Evaluator", "Emil Evaluator"}
    assert await superuser.fetch("SELECT * FROM ranked_bid ORDER BY id") == before
    assert (await lot.evaluation())["stage"] == "ranked"


async def test_the_same_seed_gives_the_same_report_and_another_another(world: World) -> None:
    lot = await ranked_lot(world, agreed=ALL_PASS)
    assert await report_of(lot, 7) == await report_of(lot, 7)
    one, other = await report_of(lot, 7), await report_of(lot, 8)
    assert one["win_frequencies"] != other["win_frequencies"]
    assert one["without_one"] == other["without_one"]


async def test_each_mark_that_is_said_to_flip_the_ranking_does(world: World) -> None:
    """Every single step is tried anew, from what the API shows."""
    lot = await ranked_lot(world, agreed=ALL_PASS)
    view = await report_of(lot)
    weights = {"Q1.1": Fraction("25.5"), "Q1.2": Fraction("14.5"), "Q2": Fraction(20)}
    prices = {"0": Fraction("4757.5"), "1": Fraction(4325), "2": Fraction("3892.5")}
    by_name = {name: str(place) for place, name in enumerate(lot.pseudonyms)}
    scale = [Fraction(value) for value in (0, 2, 5, 10)]

    def first(marks: list[dict[str, Fraction]]) -> str:
        totals = {}
        for place, values in enumerate(marks):
            quality = sum(weights[code] * values[code] / 10 for code in weights)
            if quality >= 30:
                totals[str(place)] = quality
        cheapest = min(prices[key] for key in totals)
        return max(totals, key=lambda key: totals[key] + 40 * cheapest / prices[key])

    marks = [{code: Fraction(value) for code, value in row.items()} for row in ALL_PASS]
    winner = first(marks)
    expected = set()
    for place, row in enumerate(marks):
        for code, value in row.items():
            at = scale.index(value) + (-1 if str(place) == winner else 1)
            if 0 <= at < len(scale):
                changed = [dict(one) for one in marks]
                changed[place][code] = scale[at]
                if first(changed) != winner:
                    expected.add((str(place), code, scale[at]))
    found = {
        (by_name[one["pseudonym"]], one["criterion"], exact(one["instead"]))
        for one in view["marks_that_flip"]
    }
    assert found == expected
    assert expected


async def test_charts_are_svg_of_plain_shapes(world: World) -> None:
    lot = await ranked_lot(world, agreed=ALL_PASS)
    view = await report_of(lot)
    assert len(view["charts"]) == len(CHARTS)
    for path in view["charts"]:
        answer = await lot.tender.moderator.get(path.removeprefix("/api/v1"))
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-type"].startswith("image/svg+xml")
        tags = {part.tag.rpartition("}")[2] for part in ET.fromstring(answer.text).iter()}  # noqa: S314  # our own
        assert tags <= {"svg", "title", "desc", "rect", "text"}
    for name in ("totals", "nothing.svg"):
        answer = await lot.tender.moderator.get(f"{lot.path}/robustness/charts/{name}")
        assert answer.status_code == 404


async def test_those_who_read_the_evaluation_read_it_once_there_is_a_ranking(
    world: World, superuser: Any
) -> None:
    lot = await priced_lot(world)
    early = await lot.tender.moderator.get(f"{lot.path}/robustness")
    assert early.status_code == 404
    await lot.done(lot.tender.price_evaluator, "/evaluation/ranking")
    for person in (lot.tender.author, lot.suppliers[0]):
        answer = await person.get(f"{lot.path}/robustness")
        assert answer.status_code in {403, 404}
    await report_of(lot)
    read = await superuser.fetchval(
        "SELECT count(*) FROM event WHERE action = 'robustness.read' AND person = $1",
        lot.tender.moderator.id,
    )
    assert read == 1


def test_there_is_no_chart_of_another_name() -> None:
    with pytest.raises(NoSuchChart):
        chart("pie", None)  # type: ignore[arg-type]  # it is not looked at


async def test_the_ranking_shows_what_single_mark_would_flip_it(world: World) -> None:
    lot = await ranked_lot(world, agreed=ALL_PASS)
    ranking = (await lot.tender.moderator.get(f"{lot.path}/evaluation/ranking")).json()
    assert ranking["marks_that_flip"] == (await report_of(lot))["marks_that_flip"]
    out = {"pseudonym": lot.pseudonyms[2], "reason": "The supplier withdrew by its letter."}
    await lot.done(lot.tender.manager, "/drop-outs", out)
    frozen = (await lot.tender.moderator.get(f"{lot.path}/evaluation/ranking")).json()
    assert frozen["marks_that_flip"] is None
