"""Evaluators assigned to criteria, recused midway, and replaced."""

import asyncio
from typing import Any

from tests.makers.bids import declare
from tests.makers.evaluation import lot_to_score, scored_lot
from tests.makers.panels import (
    WHOLE,
    agree,
    another_evaluator,
    minutes,
    panel,
    score_assigned,
    set_panel,
)
from tests.makers.world import World


async def test_without_an_assignment_everybody_scores_everything(world: World) -> None:
    lot = await lot_to_score(world, prices=("1.00",))
    view = await panel(lot)
    assert (view["version"], view["assigned"]) == (1, False)
    assert [(seat["criteria"], seat["needed"]) for seat in view["evaluators"]] == [
        (list(WHOLE), 3),
        (list(WHOLE), 3),
    ]
    assert {item["able"] for item in view["criteria"]} == {2}


async def test_evaluators_score_what_they_are_assigned_to_and_nothing_else(world: World) -> None:
    lot = await lot_to_score(world, prices=("1.00",))
    eve, emil = lot.tender.quality_evaluators
    elsa = await another_evaluator(lot)
    seats = {eve: WHOLE, emil: ("Q1.1", "Q1.2"), elsa: ("Q2",)}
    answer = await set_panel(lot, seats, None)
    assert answer.status_code == 200, answer.text
    assert answer.json()["version"] == 2
    refused = await lot.score(emil, 0, "Q2", "5")
    assert (refused.status_code, refused.json()["type"]) == (403, "/problems/not-assigned")
    assert (await lot.score(elsa, 0, "Q2", "5")).status_code == 201
    needed = {seat["name"]: seat["needed"] for seat in (await panel(lot))["evaluators"]}
    assert needed == {"Eve Evaluator": 3, "Emil Evaluator": 2, "Elsa Evaluator": 1}
    missing = [item["what"] for item in (await lot.evaluation())["missing"]]
    assert "Give 2 of 2 scores, and lock." in missing
    await score_assigned(lot, seats)
    assert (await agree(lot, 0, "Q2", value="5")).status_code == 201
    [item] = [one for one in (await minutes(lot))["items"] if one["criterion"] == "Q2"]
    assert [one["name"] for one in item["originals"]] == ["Elsa Evaluator", "Eve Evaluator"]


async def test_who_is_assigned_to_no_criterion_has_nothing_to_lock(world: World) -> None:
    lot = await lot_to_score(world, prices=("1.00",))
    elsa = await another_evaluator(lot)
    await set_panel(lot, dict.fromkeys(lot.tender.quality_evaluators, WHOLE))
    refused = await lot.lock(elsa)
    assert (refused.status_code, refused.json()["type"]) == (403, "/problems/not-assigned")


async def test_a_faulty_panel_is_refused_with_every_fault(world: World) -> None:
    lot = await lot_to_score(world, prices=("1.00",))
    eve, emil = lot.tender.quality_evaluators
    refused = await set_panel(
        lot, {eve: (*WHOLE, "Q9"), emil: ("Q1.1", "Q1.1"), lot.tender.moderator: WHOLE}
    )
    assert (refused.status_code, refused.json()["type"]) == (400, "/problems/panel-faulty")
    assert [fault["field"] for fault in refused.json()["errors"]] == [
        "evaluators[0].criteria[3]",
        "evaluators[1].criteria[1]",
        "evaluators[2].person",
        "evaluators",
        "evaluators",
    ]
    assert "the published minimum is 2" in refused.text


async def test_the_panel_is_the_tender_manager_s_and_needs_its_present_version(
    world: World,
) -> None:
    lot = await lot_to_score(world, prices=("1.00",))
    seats = dict.fromkeys(lot.tender.quality_evaluators, WHOLE)
    for person in set(lot.tender.everybody()) - {lot.tender.manager}:
        assert (await set_panel(lot, seats, by=person, version=1)).status_code == 403, person.name
    assert (await set_panel(lot, seats, by=lot.suppliers[0], version=1)).status_code == 404
    assert (await set_panel(lot, seats)).status_code == 200
    assert (await set_panel(lot, seats, version=1)).status_code == 412


async def test_a_panel_can_be_set_while_bids_come_in(world: World) -> None:
    async def before(tender: Any, _: Any) -> None:
        body = {
            "evaluators": [
                {"person": str(person.id), "criteria": list(WHOLE)}
                for person in tender.quality_evaluators
            ]
        }
        answer = await tender.manager.put(f"{tender.path}/lots/1/panel", body, version=1)
        assert answer.status_code == 200, answer.text
        assert {seat["able"] for seat in answer.json()["evaluators"]} == {None}

    lot = await lot_to_score(world, prices=("1.00",), before_opening=before)
    assert (await panel(lot))["assigned"]


async def test_once_scoring_has_begun_a_change_needs_a_reason_and_takes_nobody_s_scores(
    world: World,
) -> None:
    lot = await lot_to_score(world, prices=("1.00",))
    eve, emil = lot.tender.quality_evaluators
    elsa = await another_evaluator(lot)
    assert (await lot.score(eve, 0, "Q2", "0")).status_code == 201
    seats = {eve: WHOLE, emil: WHOLE, elsa: WHOLE}
    silent = await set_panel(lot, seats, None)
    assert silent.json()["type"] == "/problems/replacement-without-reason"
    unwanted = await set_panel(lot, {emil: WHOLE, elsa: WHOLE})
    assert (unwanted.status_code, unwanted.json()["type"]) == (409, "/problems/scored-seats-stay")
    first = {eve: ("Q2",), emil: WHOLE, elsa: WHOLE}
    assert (await set_panel(lot, first)).status_code == 200
    await score_assigned(lot, {eve: ("Q2",)})
    more = await set_panel(lot, seats)
    assert more.json()["type"] == "/problems/scored-seats-stay"


async def test_an_evaluator_recused_midway_leaves_scores_that_no_longer_count(
    world: World,
) -> None:
    lot = await scored_lot(world, prices=("1.00",))
    eve, emil = lot.tender.quality_evaluators
    await lot.score_all(lot.tender.moderator, kind="agreed-scores")
    await declare(emil, lot.tender, "financial", "I hold shares in it.")
    early = await lot.act(lot.tender.moderator, "/evaluation/quality-lock")
    assert early.json()["type"] == "/problems/moderation-too-early"
    elsa = await another_evaluator(lot)
    replaced = await set_panel(lot, {eve: WHOLE, elsa: WHOLE}, "Emil Evaluator is recused.")
    assert replaced.status_code == 200, replaced.text
    await score_assigned(lot, {elsa: WHOLE}, "5")
    given = (await lot.tender.moderator.get(f"{lot.path}/evaluation/scores")).json()["items"]
    counts = {row["person_name"]: row["counts"] for row in given if not row["agreed"]}
    assert counts == {"Eve Evaluator": True, "Emil Evaluator": False, "Elsa Evaluator": True}
    # what was agreed on his scores is agreed anew
    stale = await lot.act(lot.tender.moderator, "/evaluation/quality-lock")
    assert (stale.status_code, stale.json()["type"]) == (409, "/problems/panel-changed")
    await lot.score_all(lot.tender.moderator, kind="agreed-scores")
    await lot.done(lot.tender.moderator, "/evaluation/quality-lock")
    present = {one["name"]: one["counts"] for one in (await minutes(lot))["present"]}
    assert present == {
        "Eve Evaluator": True,
        "Emil Evaluator": False,
        "Elsa Evaluator": True,
        "Mona Moderator": False,
    }


async def test_how_far_others_are_is_shown_to_moderator_manager_and_guardian(
    world: World,
) -> None:
    lot = await lot_to_score(world, prices=("1.00",))
    tender = lot.tender
    eve, emil = tender.quality_evaluators
    await lot.score(eve, 0, "Q2", "5")
    for person in (tender.moderator, tender.manager):
        seen = {seat["name"]: seat["given"] for seat in (await panel(lot, person))["evaluators"]}
        assert seen == {"Eve Evaluator": 1, "Emil Evaluator": 0}, person.name
    own = {seat["name"]: seat["given"] for seat in (await panel(lot, emil))["evaluators"]}
    assert own == {"Eve Evaluator": None, "Emil Evaluator": 0}


async def test_assigning_while_scoring_leaves_no_score_without_a_seat(
    world: World, superuser: Any
) -> None:
    lot = await lot_to_score(world, prices=("1.00",))
    eve, emil = lot.tender.quality_evaluators
    elsa = await another_evaluator(lot)
    answers = await asyncio.gather(
        *(lot.score(emil, 0, "Q2", "5") for _ in range(3)),
        set_panel(lot, {eve: WHOLE, emil: ("Q1.1", "Q1.2"), elsa: ("Q2",)}),
        *(lot.score(emil, 0, "Q2", "2") for _ in range(3)),
    )
    assert answers[3].status_code in {200, 409}, answers[3].text
    scored = await superuser.fetchval("SELECT count(*) FROM score WHERE lot = $1", lot.id)
    # either the panel came first, and none of the scores, or a score, and not the panel
    assert (answers[3].status_code == 200) == (scored == 0)
    for answer in answers[:3] + answers[4:]:
        assert answer.status_code in {201, 403, 409}, answer.text


async def test_two_panels_at_once_become_one(world: World) -> None:
    lot = await lot_to_score(world, prices=("1.00",))
    seats = dict.fromkeys(lot.tender.quality_evaluators, WHOLE)
    answers = await asyncio.gather(*(set_panel(lot, seats, version=1) for _ in range(4)))
    assert sorted(answer.status_code for answer in answers) == [200, 412, 412, 412]
