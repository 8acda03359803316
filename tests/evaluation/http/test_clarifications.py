"""A bidder is asked about its bid by one point of contact, and answers in time."""

import asyncio
from datetime import timedelta
from typing import Any

import httpx

from tests.makers.bids import declare
from tests.makers.clock import advance_to
from tests.makers.evaluation import EvaluatedLot, locked_lot, lot_to_score, priced_lot
from tests.makers.tenders import market_time
from tests.makers.world import Person, World

QUESTION = "Which of the two groups do you mean in the second paragraph?"


async def _ask(
    lot: EvaluatedLot, person: Person, place: int = 0, days: int = 5, **given: Any
) -> httpx.Response:
    until = await market_time(lot.world) + timedelta(days=days)
    body = {"question": QUESTION, "answer_by": until.isoformat(), **given}
    path = f"{lot.path}/evaluation/bids/{lot.pseudonyms[place]}/questions"
    return await person.post(path, body)


def _mine(lot: EvaluatedLot, place: int = 0) -> str:
    return f"/bids/{lot.opened.bids[lot.suppliers[place], 1]['bid']}/questions"


async def _answer(lot: EvaluatedLot, text: str = "The larger one.", place: int = 0) -> Any:
    return await lot.suppliers[place].post(f"{_mine(lot, place)}/1/answer", {"answer": text})


async def test_an_answer_is_shown_with_the_bid_under_its_pseudonym(world: World) -> None:
    lot = await lot_to_score(world)
    manager, evaluator = lot.tender.manager, lot.tender.quality_evaluators[0]
    asked = await _ask(lot, manager)
    assert (asked.status_code, asked.json()["number"]) == (201, 1)
    [mine] = (await lot.suppliers[0].get(_mine(lot))).json()
    assert (mine["question"], mine["answer"]) == (QUESTION, None)
    given = await _answer(lot)
    assert given.status_code == 201, given.text
    bids = (await evaluator.get(f"{lot.path}/evaluation/bids")).json()["items"]
    shown = {bid["pseudonym"]: bid["clarifications"] for bid in bids}
    assert shown[lot.pseudonyms[0]] == [{"number": 1, "answer": "The larger one."}]
    assert shown[lot.pseudonyms[1]] == []
    assert QUESTION not in str(bids)


async def test_questions_are_counted_for_every_bidder_and_their_words_kept(
    world: World,
) -> None:
    lot = await lot_to_score(world)
    tender = lot.tender
    await _ask(lot, tender.manager)
    await _ask(lot, tender.manager, 1)
    await _answer(lot)
    view = (await tender.moderator.get(f"{lot.path}/bid-questions")).json()
    counts = {one["pseudonym"]: (one["asked"], one["answered"]) for one in view["bidders"]}
    assert [counts[name] for name in lot.pseudonyms] == [(1, 1), (1, 0), (0, 0)]
    assert {one["question"] for one in view["questions"]} == {None}
    own = (await tender.manager.get(f"{lot.path}/bid-questions")).json()["questions"]
    assert {one["question"] for one in own} == {QUESTION}
    assert [one["answer"] for one in own if one["answered"]] == ["The larger one."]
    for person in (*tender.quality_evaluators, *tender.approvers, lot.suppliers[0]):
        refused = await person.get(f"{lot.path}/bid-questions")
        assert refused.status_code == 404, person.name


async def test_only_the_point_of_contact_asks_and_only_while_quality_is_open(
    world: World,
) -> None:
    lot = await lot_to_score(world, prices=("1.00",))
    for person in set(lot.tender.everybody()) - {lot.tender.manager}:
        assert (await _ask(lot, person)).status_code == 403, person.name
    assert (await _ask(lot, lot.suppliers[0])).status_code == 404
    for days in (0, -1, 61):
        refused = await _ask(lot, lot.tender.manager, days=days)
        assert refused.json()["type"] == "/problems/question-deadline-faulty", days
    assert (await _ask(lot, lot.tender.manager, question="Why?")).status_code == 400
    early = await _ask(lot, lot.tender.price_evaluator, about="price")
    assert early.json()["type"] == "/problems/lot-not-there"
    await declare(lot.tender.manager, lot.tender, "financial", "I hold shares in it.")
    assert (await _ask(lot, lot.tender.manager)).status_code == 403


async def test_after_the_quality_lock_nobody_asks_and_nobody_answers(world: World) -> None:
    lot = await locked_lot(world)
    late = await _ask(lot, lot.tender.manager)
    assert late.json()["type"] == "/problems/lot-not-there"


async def test_prices_are_asked_about_by_their_evaluator_once_they_are_open(
    world: World,
) -> None:
    lot = await priced_lot(world)
    assert (await _ask(lot, lot.tender.manager, about="price")).status_code == 403
    asked = await _ask(lot, lot.tender.price_evaluator, about="price")
    assert asked.status_code == 201, asked.text
    sealed = await _ask(lot, lot.tender.price_evaluator, 2, about="price")
    assert sealed.json()["type"] == "/problems/bid-not-opened"
    assert (await _answer(lot, "For each month.")).status_code == 201
    bids = (await lot.tender.moderator.get(f"{lot.path}/evaluation/bids")).text
    assert "For each month." not in bids


async def test_an_answer_is_its_bidder_s_once_and_in_time(world: World, superuser: Any) -> None:
    lot = await lot_to_score(world)
    await _ask(lot, lot.tender.manager)
    stranger = await lot.suppliers[1].post(f"{_mine(lot)}/1/answer", {"answer": "Ours."})
    assert stranger.status_code == 404
    assert (await lot.suppliers[1].get(_mine(lot))).status_code == 404
    before = await superuser.fetch("SELECT * FROM bid_version ORDER BY id")
    answers = await asyncio.gather(*(_answer(lot) for _ in range(4)))
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409]
    assert await superuser.fetch("SELECT * FROM bid_version ORDER BY id") == before
    await _ask(lot, lot.tender.manager, 1, days=1)
    await advance_to(world, await market_time(world) + timedelta(days=2))
    late = await _answer(lot, place=1)
    assert (late.status_code, late.json()["type"]) == (409, "/problems/answer-too-late")


async def test_the_log_of_the_tender_does_not_tell_whose_answer_it_is(
    world: World, superuser: Any
) -> None:
    lot = await lot_to_score(world)
    await _ask(lot, lot.tender.manager)
    await _answer(lot)
    events = await superuser.fetch(
        "SELECT action, tender, details::text FROM event"
        " WHERE action IN ('bid.questioned', 'question.answered') ORDER BY serial"
    )
    assert [(row["action"], row["tender"] is None) for row in events] == [
        ("bid.questioned", False),
        ("question.answered", True),
    ]
    assert QUESTION not in str(events)
    assert lot.pseudonyms[0] not in events[1]["details"]
