"""Bad input to an evaluation: one problem each, that says what is wrong, where, and what to do."""

from collections.abc import Mapping
from typing import Any

import httpx

from tests.makers.evaluation import AGREED, REASON, EvaluatedLot, lot_to_score, recommend
from tests.makers.low_prices import low_priced_lot
from tests.makers.tenders import requirement_of
from tests.makers.world import World


def _problem(answer: httpx.Response, status: int, kind: str) -> dict[str, Any]:
    assert answer.headers["content-type"].startswith("application/problem+json"), answer.text
    problem: dict[str, Any] = answer.json()
    assert (answer.status_code, problem["type"]) == (status, f"/problems/{kind}"), answer.text
    assert problem["title"]
    assert problem["status"] == status
    return problem


async def _score(lot: EvaluatedLot, body: Mapping[str, Any]) -> httpx.Response:
    path = f"{lot.path}/evaluation/bids/{lot.pseudonyms[0]}/scores"
    return await lot.tender.quality_evaluators[0].post(path, dict(body))


async def test_scores_are_of_the_scale_with_a_reason_and_decimal_text(world: World) -> None:
    lot = await lot_to_score(world, prices=("1.00",))
    good = {"criterion": "Q1.1", "value": "5", "reason": REASON}
    off = _problem(await _score(lot, {**good, "value": "7"}), 400, "score-off-scale")
    assert "scale" in off["title"]
    for wrong in (
        {"value": 5},
        {"value": "5,0"},
        {"value": "1e1"},
        {"value": "NaN"},
        {"reason": ""},
        {"reason": " " * 30},
    ):
        answer = await _score(lot, {**good, **wrong})
        assert answer.status_code == 400, wrong
        assert answer.headers["content-type"].startswith("application/problem+json")
        [name] = wrong
        assert name in answer.text, answer.text
    missing = await _score(lot, {"criterion": "Q1.1", "value": "5"})
    assert missing.status_code == 400
    assert "reason" in missing.text
    unknown = await _score(lot, {**good, "criterion": "Q9"})
    _problem(unknown, 400, "no-such-criterion")


async def test_nothing_is_scored_after_the_lock(world: World) -> None:
    lot = await lot_to_score(world, prices=("1.00",))
    evaluator = lot.tender.quality_evaluators[0]
    await lot.score_all(evaluator, AGREED[:1])
    assert (await lot.lock(evaluator)).status_code == 201
    again = await _score(lot, {"criterion": "Q1.1", "value": "5", "reason": REASON})
    _problem(again, 409, "scores-locked")


async def test_a_price_evaluator_sees_neither_contents_nor_scores_before_the_lock(
    world: World,
) -> None:
    lot = await lot_to_score(world, prices=("1.00",))
    evaluator = lot.tender.price_evaluator
    for path in ("evaluation/bids", "evaluation/scores"):
        _problem(await evaluator.get(f"{lot.path}/{path}"), 403, "duty-needed")
    early = await lot.act(evaluator, "/evaluation/price-opening")
    problem = _problem(early, 409, "lot-not-there")
    assert "quality" in problem["detail"]
    for path in ("evaluation/ranking", "price-explanations"):
        assert (await evaluator.get(f"{lot.path}/{path}")).status_code == 404, path


async def test_weights_are_not_edited_after_publication(world: World) -> None:
    lot = await lot_to_score(world, prices=("1.00",))
    changed = requirement_of(1)
    [quality, *_] = changed["lots"][0]["criteria"]
    quality["weight"] = "50"
    author = lot.tender.author
    path = f"{lot.tender.path}/requirement"
    version = int((await author.get(path)).headers["ETag"].strip('"'))
    answer = await author.put(path, changed, version=version)
    _problem(answer, 409, "requirement-settled")


async def test_a_flagged_bid_is_not_recommended_and_the_answer_says_what_to_do(
    world: World,
) -> None:
    problem = _problem(await recommend(await low_priced_lot(world)), 409, "low-price-undecided")
    assert "explained" in problem["title"]
