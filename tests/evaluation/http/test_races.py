"""Two requests at once: what one of them could break, the other finds kept."""

import asyncio
from typing import Any

import httpx

from market.actor import Role
from tests.makers.bids import declare
from tests.makers.evaluation import (
    REASON,
    EvaluatedLot,
    approve,
    contract_body,
    end_standstill,
    locked_lot,
    lot_to_score,
    moderated_lot,
    notified_lot,
    priced_lot,
    ranked_lot,
    recommend,
    recommended_lot,
    scored_lot,
)
from tests.makers.tenders import assign
from tests.makers.world import Person, World


def _codes(answers: list[httpx.Response]) -> list[int]:
    return sorted(answer.status_code for answer in answers)


async def _second(world: World, lot: EvaluatedLot, duty: str) -> Person:
    """Somebody else with the same duty, who has declared no interest."""
    model = lot.tender.moderator
    person = await world.person("Sigrid Second", model.organisation, Role.COMMISSIONER)
    given = await assign(lot.tender.manager, lot.tender.id, person, duty)
    assert given.status_code == 201, given.text
    await declare(person, lot.tender)
    return person


async def test_a_lock_racing_a_score_leaves_no_score_after_the_lock(
    world: World, superuser: Any
) -> None:
    lot = await lot_to_score(world, prices=("1.00",))
    for evaluator in lot.tender.quality_evaluators:
        await lot.score_all(evaluator)
        answers = await asyncio.gather(
            *(lot.score(evaluator, 0, "Q1.1", "2") for _ in range(4)),
            lot.lock(evaluator),
            *(lot.score(evaluator, 0, "Q1.1", "5") for _ in range(4)),
        )
        assert answers[4].status_code == 201
        for answer in answers[:4] + answers[5:]:
            assert answer.status_code in {201, 409}, answer.text
    late = await superuser.fetchval(
        "SELECT count(*) FROM score s JOIN score_lock k ON k.lot = s.lot"
        " AND k.evaluator = s.evaluator WHERE s.scored_at > k.locked_at"
    )
    assert late == 0


async def test_one_evaluator_s_simultaneous_scores_are_numbered_without_gaps(
    world: World, superuser: Any
) -> None:
    lot = await lot_to_score(world, prices=("1.00",))
    evaluator = lot.tender.quality_evaluators[0]
    answers = await asyncio.gather(*(lot.score(evaluator, 0, "Q1.1", "5") for _ in range(6)))
    given = [answer for answer in answers if answer.status_code == 201]
    assert set(_codes(answers)) <= {201, 409}
    rows = await superuser.fetch("SELECT number FROM score ORDER BY number")
    assert [row["number"] for row in rows] == list(range(1, len(given) + 1))


async def test_two_moderators_agreeing_one_score_at_once_are_told_apart(
    world: World, superuser: Any
) -> None:
    lot = await scored_lot(world, prices=("1.00",))
    other = await _second(world, lot, "moderator")
    answers = await asyncio.gather(
        *(
            lot.score(person, 0, "Q1.1", value, kind="agreed-scores")
            for person, value in ((lot.tender.moderator, "5"), (other, "2")) * 3
        )
    )
    assert set(_codes(answers)) <= {201, 409}
    given = sorted(answer.json()["number"] for answer in answers if answer.status_code == 201)
    rows = await superuser.fetch("SELECT number FROM agreed_score ORDER BY number")
    assert [row["number"] for row in rows] == given == list(range(1, len(given) + 1))
    for answer in answers:
        if answer.status_code == 409:
            assert answer.json()["type"] == "/problems/changed-meanwhile"


async def test_an_agreed_score_racing_the_quality_lock_is_in_it_or_refused(
    world: World, superuser: Any
) -> None:
    lot = await moderated_lot(world)
    moderator = lot.tender.moderator
    other = await _second(world, lot, "moderator")
    version = (await lot.evaluation())["version"]
    answers = await asyncio.gather(
        *(lot.score(other, 0, code, "2", kind="agreed-scores") for code in ("Q1.1", "Q1.2")),
        moderator.post(f"{lot.path}/evaluation/quality-lock", version=version),
        *(lot.score(other, 0, "Q2", value, kind="agreed-scores") for value in ("0", "2")),
    )
    assert answers[2].status_code == 201, answers[2].text
    points = {item["pseudonym"]: item for item in answers[2].json()["decisions"]}
    stored = await superuser.fetchval(
        "SELECT sum(c.weight * a.value) / 10 FROM criterion c JOIN LATERAL ("
        " SELECT s.value FROM agreed_score s JOIN manifest_entry m ON m.bid = s.bid"
        " WHERE s.criterion = c.id AND m.pseudonym = $1 ORDER BY s.number DESC LIMIT 1) a ON true",
        lot.pseudonyms[0],
    )
    decided = points[lot.pseudonyms[0]]["quality_points"]
    assert stored * int(decided["denominator"]) == int(decided["numerator"])


async def test_two_quality_locks_at_once_decide_once(world: World, superuser: Any) -> None:
    lot = await moderated_lot(world)
    version = (await lot.evaluation())["version"]
    answers = await asyncio.gather(
        *(
            lot.tender.moderator.post(f"{lot.path}/evaluation/quality-lock", version=version)
            for _ in range(4)
        )
    )
    assert _codes(answers) == [201, 412, 412, 412]
    assert await superuser.fetchval("SELECT count(*) FROM quality_decision") == 3


async def test_prices_asked_for_while_quality_is_being_locked_stay_sealed_until_it_is(
    world: World, superuser: Any
) -> None:
    lot = await moderated_lot(world)
    version = (await lot.evaluation())["version"]
    prices = f"{lot.path}/evaluation/price-opening"
    evaluator = lot.tender.price_evaluator
    answers = await asyncio.gather(
        *(evaluator.post(prices, version=version + step) for step in (0, 1, 0, 1)),
        lot.tender.moderator.post(f"{lot.path}/evaluation/quality-lock", version=version),
        *(evaluator.post(prices, version=version + step) for step in (0, 1)),
    )
    assert answers[4].status_code == 201
    early = await superuser.fetchval(
        "SELECT count(*) FROM opened_envelope o LEFT JOIN quality_decision q ON q.bid = o.bid"
        " WHERE o.kind = 'price' AND (q.bid IS NULL OR NOT q.passed OR o.opened_at < q.decided_at)"
    )
    assert early == 0
    assert all(answer.status_code in {201, 409, 412} for answer in answers)


async def test_two_price_evaluators_open_every_price_once(world: World, superuser: Any) -> None:
    lot = await locked_lot(world)
    other = await _second(world, lot, "price_evaluator")
    version = (await lot.evaluation())["version"]
    answers = await asyncio.gather(
        *(
            person.post(f"{lot.path}/evaluation/price-opening", version=version)
            for person in (lot.tender.price_evaluator, other) * 2
        )
    )
    assert _codes(answers)[0] == 201
    assert set(_codes(answers)[1:]) <= {409, 412}
    opened = await superuser.fetchval("SELECT count(*) FROM opened_envelope WHERE kind = 'price'")
    assert opened == 2
    assert (await lot.evaluation())["stage"] == "price_opened"


async def test_two_rankings_at_once_rank_once(world: World, superuser: Any) -> None:
    lot = await priced_lot(world)
    other = await _second(world, lot, "price_evaluator")
    version = (await lot.evaluation())["version"]
    answers = await asyncio.gather(
        *(
            person.post(f"{lot.path}/evaluation/ranking", version=version)
            for person in (lot.tender.price_evaluator, other) * 2
        )
    )
    assert _codes(answers) == [201, 412, 412, 412]
    assert await superuser.fetchval("SELECT count(*) FROM ranking") == 1
    assert await superuser.fetchval("SELECT count(*) FROM ranked_bid") == 2


async def test_two_recommendations_at_once_make_one(world: World, superuser: Any) -> None:
    lot = await ranked_lot(world)
    answers = await asyncio.gather(*(recommend(lot) for _ in range(4)))
    assert _codes(answers) == [201, 409, 409, 409]
    assert await superuser.fetchval("SELECT count(*) FROM recommendation") == 1


async def test_two_approvals_at_once_complete_the_quorum_and_award_once(
    world: World, superuser: Any
) -> None:
    lot = await recommended_lot(world)
    answers = await asyncio.gather(*(approve(lot, person) for person in lot.tender.approvers))
    assert _codes(answers) == [201, 201]
    assert sorted(answer.json()["stage"] for answer in answers) == ["awarded", "recommended"]
    assert await superuser.fetchval("SELECT count(*) FROM award") == 1


async def test_an_approval_racing_a_return_never_awards_what_was_returned(
    world: World, superuser: Any
) -> None:
    lot = await recommended_lot(world)
    officer, lay = lot.tender.approvers
    answers = await asyncio.gather(
        approve(lot, officer), approve(lot, lay, "returned"), approve(lot, officer)
    )
    assert answers[1].status_code == 201
    assert (await lot.evaluation())["stage"] == "ranked"
    assert await superuser.fetchval("SELECT count(*) FROM award") == 0


async def test_notices_sent_twice_at_once_go_out_once(world: World, superuser: Any) -> None:
    lot = await recommended_lot(world)
    for approver in lot.tender.approvers:
        await approve(lot, approver)
    version = (await lot.evaluation())["version"]
    answers = await asyncio.gather(
        *(lot.tender.manager.post(f"{lot.path}/award-notices", version=version) for _ in range(4))
    )
    assert _codes(answers) == [201, 412, 412, 412]
    assert await superuser.fetchval("SELECT count(*) FROM award_notice") == 3
    assert await superuser.fetchval("SELECT count(*) FROM standstill") == 1


async def test_two_contracts_at_once_make_one(world: World, superuser: Any) -> None:
    lot = await notified_lot(world)
    await end_standstill(lot)
    version = (await lot.evaluation())["version"]
    answers = await asyncio.gather(
        *(
            lot.tender.contract_manager.post(
                f"{lot.path}/contract", contract_body(reference=f"C-{number}"), version=version
            )
            for number in range(4)
        )
    )
    assert _codes(answers) == [201, 412, 412, 412]
    assert await superuser.fetchval("SELECT count(*) FROM contract") == 1


async def test_a_contract_racing_the_abandonment_of_its_lot_is_either(
    world: World, superuser: Any
) -> None:
    lot = await notified_lot(world)
    await end_standstill(lot)
    version = (await lot.evaluation())["version"]
    answers = await asyncio.gather(
        lot.tender.contract_manager.post(f"{lot.path}/contract", contract_body(), version=version),
        lot.tender.manager.post(
            f"{lot.path}/abandonment", {"reason": "The need is gone."}, version=version
        ),
    )
    assert _codes(list(answers)) == [201, 412]
    made = await superuser.fetchval("SELECT count(*) FROM contract")
    stage = (await lot.evaluation())["stage"]
    assert (made, stage) in {(1, "contracted"), (0, "abandoned")}


async def test_an_interest_declared_while_scoring_stops_every_later_score(world: World) -> None:
    lot = await lot_to_score(world, prices=("1.00",))
    evaluator = lot.tender.quality_evaluators[0]
    answers = await asyncio.gather(
        *(lot.score(evaluator, 0, code, "5") for code in ("Q1.1", "Q1.2")),
        declare(evaluator, lot.tender, "financial", "I hold shares in it."),
        lot.score(evaluator, 0, "Q2", "5"),
    )
    for answer in answers:
        assert answer.status_code in {201, 403}, answer.text
    late = await lot.score(evaluator, 0, "Q2", "5", REASON)
    assert late.status_code == 403
