"""Criteria that are passed or failed, minima of criteria, evidence, spread, means and dissent."""

import asyncio
from typing import Any

import pytest

from tests.makers.bids import declare
from tests.makers.evaluation import REASON, EvaluatedLot, lot_to_score, scored_lot
from tests.makers.panels import agree, another_evaluator, minutes
from tests.makers.world import World
from tests.tenders.rules.documents import lot_document

GATE = {
    "code": "G1",
    "title": "Data protection",
    "kind": "quality",
    "weight": "0",
    "question": "Do you hold the certificate?",
    "pass_fail": True,
}


def gated() -> list[dict[str, Any]]:
    """A lot with a criterion that is passed or failed, and a minimum of another."""
    lot = lot_document()
    lot["criteria"].insert(0, GATE)
    lot["criteria"][1]["children"][0]["minimum"] = "5"
    return [lot]


async def _verdict(lot: EvaluatedLot, person: Any, place: int, verdict: str, kind: str) -> None:
    answer = await person.post(
        f"{lot.path}/evaluation/bids/{lot.pseudonyms[place]}/{kind}",
        {"criterion": "G1", "verdict": verdict, "reason": REASON},
    )
    assert answer.status_code == 201, answer.text


async def test_a_bid_fails_by_a_gate_or_a_minimum_whatever_its_points(world: World) -> None:
    lot = await lot_to_score(world, lots=gated())
    values = (
        {"Q1.1": "10", "Q1.2": "10", "Q2": "10"},
        {"Q1.1": "2", "Q1.2": "10", "Q2": "10"},
        {"Q1.1": "5", "Q1.2": "5", "Q2": "2"},
    )
    verdicts = ("fail", "pass", "pass")
    for person in lot.tender.quality_evaluators:
        for place, verdict in enumerate(verdicts):
            await _verdict(lot, person, place, verdict, "scores")
        await lot.score_all(person, values)
        assert (await lot.lock(person)).status_code == 201
    moderator = lot.tender.moderator
    for place, verdict in enumerate(verdicts):
        await _verdict(lot, moderator, place, verdict, "agreed-scores")
    await lot.score_all(moderator, values, kind="agreed-scores")
    decided = await lot.done(moderator, "/evaluation/quality-lock")
    why = {item["pseudonym"]: item["failed_because"] for item in decided["decisions"]}
    assert [why[name] for name in lot.pseudonyms] == [
        ["failed:G1"],
        ["below_minimum:Q1.1"],
        ["minimum_quality"],
    ]
    refused = await lot.act(lot.tender.price_evaluator, "/evaluation/price-opening")
    assert refused.json()["type"] == "/problems/no-bid-passed"
    bids = (await moderator.get(f"{lot.path}/evaluation/bids")).json()["items"]
    assert {bid["pseudonym"]: bid["failed_because"] for bid in bids} == why


async def test_a_gate_takes_a_verdict_and_a_scored_criterion_a_value(world: World) -> None:
    lot = await lot_to_score(world, prices=("1.00",), lots=gated())
    person = lot.tender.quality_evaluators[0]
    path = f"{lot.path}/evaluation/bids/{lot.pseudonyms[0]}/scores"
    for body in (
        {"criterion": "G1", "value": "10"},
        {"criterion": "Q2", "verdict": "pass"},
        {"criterion": "Q2", "value": "7"},
    ):
        refused = await person.post(path, {**body, "reason": REASON})
        assert refused.json()["type"] == "/problems/score-off-scale", body
    for body in (
        {"criterion": "Q2"},
        {"criterion": "G1", "value": "1", "verdict": "pass"},
        {"criterion": "G1", "verdict": "perhaps"},
    ):
        assert (await person.post(path, {**body, "reason": REASON})).status_code == 400, body
    no_reason = await person.post(path, {"criterion": "G1", "verdict": "fail"})
    assert no_reason.status_code == 400


# -- evidence, and what became of drafts ----------------------------------------------------------


async def test_evidence_is_found_in_the_bid(world: World) -> None:
    lot = await lot_to_score(world, prices=("1.00",))
    person = lot.tender.quality_evaluators[0]
    path = f"{lot.path}/evaluation/bids/{lot.pseudonyms[0]}/scores"
    score = {"criterion": "Q1.1", "value": "5", "reason": REASON}
    good = [{"criterion": "Q1.1", "quotation": "Answer of\n supplier"}, {"page": 4}]
    assert (await person.post(path, {**score, "evidence": good})).status_code == 201
    for evidence in (
        [{"criterion": "Q9"}],
        [{"quotation": "Words that nobody wrote."}],
    ):
        refused = await person.post(path, {**score, "evidence": evidence})
        assert refused.json()["type"] == "/problems/evidence-not-in-bid", evidence
    faulty: tuple[list[dict[str, int]], ...] = ([{}], [{"page": 0}], [{"page": 1}] * 21)
    for places in faulty:
        assert (await person.post(path, {**score, "evidence": places})).status_code == 400
    await person.post(path, {**score, "value": "2"})
    rows = (await person.get(f"{lot.path}/evaluation/scores")).json()["items"]
    assert [(row["number"], row["value"], row["current"], row["counts"]) for row in rows] == [
        (1, "5", False, False),
        (2, "2", True, True),
    ]
    assert [place["page"] for place in rows[0]["evidence"]] == [None, 4]


# -- spread, consensus and dissent ----------------------------------------------------------------


async def _apart(world: World, **given: Any) -> EvaluatedLot:
    """A lot of one bid, on whose first criterion the evaluators are five apart."""
    lot = await lot_to_score(world, prices=("1.00",), **given)
    for person, value in zip(lot.tender.quality_evaluators, ("10", "5"), strict=True):
        await lot.score_all(person, [{"Q1.1": value, "Q1.2": "5", "Q2": "5"}])
        assert (await lot.lock(person)).status_code == 201
    return lot


async def test_scores_beyond_the_published_spread_are_flagged_and_need_their_discussion(
    world: World,
) -> None:
    lot = await _apart(world, spread_tolerance="3")
    flags = {one["criterion"]: one["flagged"] for one in (await minutes(lot))["items"]}
    assert flags == {"Q1.1": True, "Q1.2": False, "Q2": False}
    silent = await agree(lot, 0, "Q1.1", value="10")
    assert (silent.status_code, silent.json()["type"]) == (409, "/problems/spread-not-discussed")
    assert (await agree(lot, 0, "Q1.1", value="10", discussion="Short.")).status_code == 400
    discussion = "One had overlooked the second appendix; both now agree."
    assert (await agree(lot, 0, "Q1.1", value="10", discussion=discussion)).status_code == 201
    assert (await agree(lot, 0, "Q2", value="5")).status_code == 201
    [item] = [one for one in (await minutes(lot))["items"] if one["criterion"] == "Q1.1"]
    assert (item["spread"], item["agreed"]["discussion"]) == ("5", discussion)
    deltas = {one["name"]: one["delta"]["numerator"] for one in item["originals"]}
    assert deltas == {"Eve Evaluator": "0", "Emil Evaluator": "5"}


@pytest.mark.parametrize("tolerance", ["5", None])
async def test_scores_within_the_tolerance_or_without_one_are_not_flagged(
    world: World, tolerance: str | None
) -> None:
    lot = await _apart(world, spread_tolerance=tolerance)
    assert not any(one["flagged"] for one in (await minutes(lot))["items"])
    assert (await agree(lot, 0, "Q1.1", value="10")).status_code == 201


async def test_a_published_mean_is_computed_exactly_and_typed_by_nobody(world: World) -> None:
    lot = await lot_to_score(world, prices=("1.00",), consensus="mean", minimum_quality="40")
    elsa = await another_evaluator(lot)
    people = (*lot.tender.quality_evaluators, elsa)
    for person, value in zip(people, ("10", "5", "5"), strict=True):
        await lot.score_all(person, [{"Q1.1": value, "Q1.2": "5", "Q2": "5"}])
        assert (await lot.lock(person)).status_code == 201
    typed = await agree(lot, 0, "Q1.1", value="5")
    assert (typed.status_code, typed.json()["type"]) == (400, "/problems/mean-is-computed")
    for code in ("Q1.1", "Q1.2", "Q2"):
        assert (await agree(lot, 0, code)).status_code == 201
    [item] = [one for one in (await minutes(lot))["items"] if one["criterion"] == "Q1.1"]
    exact = item["agreed"]["exact"]
    assert (exact["numerator"], exact["denominator"]) == ("20", "3")
    decided = await lot.done(lot.tender.moderator, "/evaluation/quality-lock")
    # 25.5 x 2/3 + 14.5 x 1/2 + 20 x 1/2
    points = decided["decisions"][0]["quality_points"]
    assert (points["numerator"], points["denominator"]) == ("137", "4")


async def test_an_agreed_score_is_never_a_mean_that_was_not_published(world: World) -> None:
    lot = await _apart(world)
    assert (await agree(lot, 0, "Q1.1")).json()["type"] == "/problems/score-off-scale"


async def test_dissent_from_an_agreed_score_is_recorded_until_quality_is_locked(
    world: World,
) -> None:
    lot = await scored_lot(world, prices=("1.00",))
    eve, emil = lot.tender.quality_evaluators
    path = f"{lot.path}/evaluation/bids/{lot.pseudonyms[0]}/dissents"
    body = {"criterion": "Q1.1", "reason": "I still find no evidence for this in the answer."}
    nothing = await eve.post(path, body)
    assert nothing.json()["type"] == "/problems/nothing-to-dissent-from"
    await lot.score_all(lot.tender.moderator, kind="agreed-scores")
    given = await eve.post(path, body)
    assert (given.status_code, given.json()["agreed_number"]) == (201, 1)
    assert (await eve.post(path, body)).json()["type"] == "/problems/dissented-already"
    assert (await lot.tender.moderator.post(path, body)).status_code == 403
    assert (await emil.post(path, {**body, "reason": "No."})).status_code == 400
    await lot.done(lot.tender.moderator, "/evaluation/quality-lock")
    assert (await emil.post(path, body)).json()["type"] == "/problems/lot-not-there"
    view = await minutes(lot, eve)
    assert view["closed"]
    [dissent] = [one["dissent"] for one in view["items"] if one["criterion"] == "Q1.1"]
    assert [(one["name"], one["reason"]) for one in dissent] == [(eve.name, body["reason"])]


async def test_minutes_wait_for_all_locks_and_are_the_panel_s(world: World, superuser: Any) -> None:
    lot = await lot_to_score(world, prices=("1.00",))
    moderator = lot.tender.moderator
    early = await moderator.get(f"{lot.path}/moderation-minutes")
    assert early.json()["type"] == "/problems/moderation-too-early"
    for person in lot.tender.quality_evaluators:
        await lot.score_all(person, [{"Q1.1": "5", "Q1.2": "5", "Q2": "5"}])
        await lot.lock(person)
    for person in (lot.tender.manager, lot.tender.price_evaluator):
        assert (await person.get(f"{lot.path}/moderation-minutes")).status_code == 403
    await minutes(lot)
    read = await superuser.fetchval("SELECT count(*) FROM event WHERE action = 'moderation.read'")
    assert read == 1


async def test_dissent_racing_the_quality_lock_is_in_time_or_refused(
    world: World, superuser: Any
) -> None:
    lot = await scored_lot(world, prices=("1.00",))
    await lot.score_all(lot.tender.moderator, kind="agreed-scores")
    path = f"{lot.path}/evaluation/bids/{lot.pseudonyms[0]}/dissents"
    body = {"criterion": "Q1.1", "reason": "I still find no evidence for this in the answer."}
    *dissents, locked = await asyncio.gather(
        *(person.post(path, body) for person in lot.tender.quality_evaluators),
        lot.act(lot.tender.moderator, "/evaluation/quality-lock"),
    )
    assert locked.status_code == 201
    late = await superuser.fetchval(
        "SELECT count(*) FROM dissent d, quality_decision q WHERE d.dissented_at > q.decided_at"
    )
    assert late == 0
    assert {answer.status_code for answer in dissents} <= {201, 409}


async def test_who_was_recused_cannot_dissent(world: World) -> None:
    lot = await lot_to_score(world, prices=("1.00",))
    elsa = await another_evaluator(lot)
    for person in (*lot.tender.quality_evaluators, elsa):
        await lot.score_all(person)
        await lot.lock(person)
    await lot.score_all(lot.tender.moderator, kind="agreed-scores")
    eve = lot.tender.quality_evaluators[0]
    await declare(eve, lot.tender, "financial", "I hold shares in it.")
    path = f"{lot.path}/evaluation/bids/{lot.pseudonyms[0]}/dissents"
    body = {"criterion": "Q1.1", "reason": "I still find no evidence for this in the answer."}
    assert (await eve.post(path, body)).status_code == 403
