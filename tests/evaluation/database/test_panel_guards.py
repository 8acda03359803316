"""Panels, dissent, minima and questions, straight at the database as the app role."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from tests.makers.bids import declare
from tests.makers.clock import advance_to
from tests.makers.direct import acting, not_granted, refused
from tests.makers.direct_bids import violates
from tests.makers.evaluation import REASON, EvaluatedLot, lot_to_score, moderated_lot, scored_lot
from tests.makers.panels import WHOLE, another_evaluator, set_panel
from tests.makers.world import Person, World

PANEL = "INSERT INTO panel (id, lot, because, set_by) VALUES ($1, $2, $3, $4)"
SEAT = "INSERT INTO panel_seat (id, panel, evaluator, criterion) VALUES ($1, $2, $3, $4)"
SCORE = (
    "INSERT INTO score (id, lot, bid, criterion, evaluator, value, reason)"
    " VALUES ($1, $2, $3, $4, $5, $6, $7)"
)
AGREE = (
    "INSERT INTO agreed_score (id, lot, bid, criterion, moderator, value, reason, discussion)"
    " VALUES ($1, $2, $3, $4, $5, $6, $7, $8)"
)
DECIDE = (
    "INSERT INTO quality_decision (id, lot, bid, points_numerator, points_denominator, passed,"
    " failed_because, decided_by) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)"
)
DISSENT = "INSERT INTO dissent (id, agreed_score, evaluator, reason) VALUES ($1, $2, $3, $4)"
ASK = (
    "INSERT INTO bid_question (id, lot, bid, about, question, asked_by, answer_by)"
    " VALUES ($1, $2, $3, $4, $5, $6, $7)"
)
ANSWER = "INSERT INTO bid_answer (id, question, answer, answered_by) VALUES ($1, $2, $3, $4)"


def _as(connection: Any, person: Person) -> Any:
    return acting(connection, person.id, person.organisation)


async def _bid(superuser: Any, lot: EvaluatedLot, place: int = 0) -> UUID:
    found: UUID = await superuser.fetchval(
        "SELECT bid FROM manifest_entry WHERE lot = $1 AND pseudonym = $2",
        lot.id,
        lot.pseudonyms[place],
    )
    return found


async def _criterion(superuser: Any, lot: EvaluatedLot, code: str = "Q1.1") -> UUID:
    found: UUID = await superuser.fetchval(
        "SELECT id FROM criterion WHERE lot = $1 AND code = $2", lot.id, code
    )
    return found


async def _set(
    role: Any, lot: EvaluatedLot, by: Person, seats: Any, because: str | None = None
) -> UUID:
    panel = uuid4()
    async with _as(role, by):
        await role.execute(PANEL, panel, lot.id, because, by.id)
        for person, codes in seats.items():
            for code in codes:
                await role.execute(SEAT, uuid4(), panel, person.id, code)
    return panel


async def test_a_panel_is_the_manager_s_large_enough_whole_and_of_evaluators(
    world: World, app_role: Any
) -> None:
    lot = await lot_to_score(world, prices=("1.00",))
    manager = lot.tender.manager
    eve, emil = lot.tender.quality_evaluators
    both = {eve: WHOLE, emil: WHOLE}
    async with refused("duty_needed"):
        await _set(app_role, lot, lot.tender.moderator, both)
    async with refused("panel_large_enough"):
        await _set(app_role, lot, manager, {eve: WHOLE, emil: ("Q1.1", "Q2")})
    async with refused("seat_of_evaluator"):
        await _set(app_role, lot, manager, {**both, lot.tender.moderator: ("Q2",)})
    async with refused("seat_of_published_criterion"):
        await _set(app_role, lot, manager, {**both, eve: (*WHOLE, "P")})
    panel = await _set(app_role, lot, manager, both)
    async with refused("panel_set_whole"), _as(app_role, manager):
        await app_role.execute(SEAT, uuid4(), panel, eve.id, "Q1")
    async with not_granted(), _as(app_role, manager):
        await app_role.execute("DELETE FROM panel_seat WHERE panel = $1", panel)
    await declare(emil, lot.tender, "financial", "I hold shares in it.")
    async with refused("panel_large_enough"):
        await _set(app_role, lot, manager, both)


async def test_who_is_not_assigned_to_a_criterion_cannot_score_it(
    world: World, app_role: Any, superuser: Any
) -> None:
    lot = await lot_to_score(world, prices=("1.00",))
    eve, emil = lot.tender.quality_evaluators
    elsa = await another_evaluator(lot)
    await set_panel(lot, {eve: WHOLE, emil: ("Q1.1", "Q1.2"), elsa: ("Q2",)})
    row = (lot.id, await _bid(superuser, lot), await _criterion(superuser, lot, "Q2"))
    async with refused("scored_as_assigned"), _as(app_role, emil):
        await app_role.execute(SCORE, uuid4(), *row, emil.id, 5, REASON)
    async with _as(app_role, elsa):
        await app_role.execute(SCORE, uuid4(), *row, elsa.id, 5, REASON)
    manager = lot.tender.manager
    async with refused("replacement_has_reason"):
        await _set(app_role, lot, manager, {eve: WHOLE, emil: WHOLE})
    async with refused("scored_seats_stay"):
        await _set(app_role, lot, manager, {eve: WHOLE, emil: WHOLE}, "Elsa is too strict.")


async def test_who_has_locked_is_given_nothing_more(world: World, app_role: Any) -> None:
    lot = await lot_to_score(world, prices=("1.00",))
    eve, emil = lot.tender.quality_evaluators
    elsa = await another_evaluator(lot)
    await set_panel(lot, {eve: WHOLE, emil: WHOLE, elsa: ("Q2",)})
    await lot.score(elsa, 0, "Q2", "5")
    await lot.lock(elsa)
    async with refused("locked_seats_stay"):
        await _set(
            app_role, lot, lot.tender.manager, dict.fromkeys((eve, emil, elsa), WHOLE), "More."
        )


async def test_a_flagged_score_is_not_agreed_without_its_discussion(
    world: World, app_role: Any, superuser: Any
) -> None:
    lot = await lot_to_score(world, prices=("1.00",), spread_tolerance="3")
    for person, value in zip(lot.tender.quality_evaluators, ("10", "2"), strict=True):
        await lot.score_all(person, [{"Q1.1": value, "Q1.2": "5", "Q2": "5"}])
        await lot.lock(person)
    moderator = lot.tender.moderator
    row = (lot.id, await _bid(superuser, lot), await _criterion(superuser, lot), moderator.id, 5)
    async with refused("spread_discussed"), _as(app_role, moderator):
        await app_role.execute(AGREE, uuid4(), *row, REASON, None)
    async with violates("agreed_score_discussion_says"), _as(app_role, moderator):
        await app_role.execute(AGREE, uuid4(), *row, REASON, "Short.")
    async with _as(app_role, moderator):
        await app_role.execute(AGREE, uuid4(), *row, REASON, REASON)


async def test_a_mean_is_the_database_s(world: World, app_role: Any, superuser: Any) -> None:
    lot = await scored_lot(world, prices=("1.00",), consensus="mean")
    moderator = lot.tender.moderator
    row = (lot.id, await _bid(superuser, lot), await _criterion(superuser, lot), moderator.id)
    async with refused("mean_is_computed"), _as(app_role, moderator):
        await app_role.execute(AGREE, uuid4(), *row, 2, REASON, None)
    async with _as(app_role, moderator):
        await app_role.execute(AGREE, uuid4(), *row, None, REASON, None)
    stored = await superuser.fetchrow("SELECT value, divisor FROM agreed_score")
    assert (stored["value"], stored["divisor"]) == (20, 2)


async def test_why_a_bid_fails_is_computed_again(
    world: World, app_role: Any, superuser: Any
) -> None:
    lot = await moderated_lot(world)
    moderator = lot.tender.moderator
    failing = await _bid(superuser, lot, 2)

    async def decide(why: list[str], *, passed: bool) -> None:
        async with _as(app_role, moderator):
            await app_role.execute(
                DECIDE, uuid4(), lot.id, failing, 12, 1, passed, why, moderator.id
            )

    for why in (["below_minimum:Q1.1"], ["minimum_quality", "failed:Q2"], ["not_opened"]):
        async with refused("quality_adds_up"):
            await decide(why, passed=False)
    async with refused("quality_adds_up"):
        await decide([], passed=True)
    await decide(["minimum_quality"], passed=False)


async def test_dissent_is_of_a_counting_evaluator_from_what_stands(
    world: World, app_role: Any, superuser: Any
) -> None:
    lot = await moderated_lot(world, prices=("1.00",))
    eve, emil = lot.tender.quality_evaluators
    agreed = await superuser.fetchval(
        "SELECT id FROM agreed_score WHERE criterion = $1", await _criterion(superuser, lot)
    )
    async with refused("acts_in_own_name"), _as(app_role, emil):
        await app_role.execute(DISSENT, uuid4(), agreed, eve.id, REASON)
    async with refused("dissent_from_agreed"), _as(app_role, eve):
        await app_role.execute(DISSENT, uuid4(), uuid4(), eve.id, REASON)
    await lot.score(lot.tender.moderator, 0, "Q1.1", "2", kind="agreed-scores")
    async with refused("dissent_from_agreed"), _as(app_role, eve):
        await app_role.execute(DISSENT, uuid4(), agreed, eve.id, REASON)


async def test_questions_and_answers_have_their_point_of_contact_stage_owner_and_time(
    world: World, app_role: Any, superuser: Any
) -> None:
    lot = await lot_to_score(world)
    manager, (bidder, other, *_) = lot.tender.manager, lot.suppliers
    bid = await _bid(superuser, lot)
    now: datetime = await superuser.fetchval("SELECT market_now()")

    async def ask(person: Person, about: str = "quality", days: int = 5, **of: UUID) -> UUID:
        question = uuid4()
        async with _as(app_role, person):
            await app_role.execute(
                ASK,
                question,
                lot.id,
                of.get("bid", bid),
                about,
                REASON,
                person.id,
                now + timedelta(days=days),
            )
        return question

    async with refused("duty_needed"):
        await ask(lot.tender.moderator)
    async with refused("lot_stage"):
        await ask(lot.tender.price_evaluator, "price")
    async with refused("question_has_deadline"):
        await ask(manager, days=0)
    async with refused("questioned_bid_opened"):
        await ask(manager, bid=uuid4())
    question = await ask(manager)
    async with refused("acts_in_own_name"), _as(app_role, other):
        await app_role.execute(ANSWER, uuid4(), question, "Ours.", other.id)
    async with _as(app_role, lot.tender.quality_evaluators[0]):
        assert await app_role.fetchval("SELECT count(*) FROM bid_question") == 0
    async with _as(app_role, bidder):
        await app_role.execute(ANSWER, uuid4(), question, "The larger one.", bidder.id)
    async with violates("bid_answer_question_key"), _as(app_role, bidder):
        await app_role.execute(ANSWER, uuid4(), question, "The smaller one.", bidder.id)


async def test_an_answer_is_given_in_time(world: World, app_role: Any, superuser: Any) -> None:
    lot = await lot_to_score(world, prices=("1.00",))
    manager, bidder = lot.tender.manager, lot.suppliers[0]
    question, now = uuid4(), await superuser.fetchval("SELECT market_now()")
    until = now + timedelta(hours=1)
    bid = await _bid(superuser, lot)
    async with _as(app_role, manager):
        await app_role.execute(ASK, question, lot.id, bid, "quality", REASON, manager.id, until)
    await advance_to(world, until + timedelta(seconds=1))
    async with refused("answered_in_time"), _as(app_role, bidder):
        await app_role.execute(ANSWER, uuid4(), question, "The larger one.", bidder.id)


async def test_a_score_agreed_by_another_panel_is_agreed_anew(
    world: World, app_role: Any, superuser: Any
) -> None:
    lot = await lot_to_score(world, prices=("1.00",))
    elsa = await another_evaluator(lot)
    for person in (*lot.tender.quality_evaluators, elsa):
        await lot.score_all(person)
        await lot.lock(person)
    moderator = lot.tender.moderator
    await lot.score_all(moderator, kind="agreed-scores")
    await declare(elsa, lot.tender, "financial", "I hold shares in it.")
    bid, nothing = await _bid(superuser, lot), list[str]()
    row = (uuid4(), lot.id, bid, 171, 4, True, nothing, moderator.id)
    async with refused("moderated_on_counting_scores"), _as(app_role, moderator):
        await app_role.execute(DECIDE, *row)
    await lot.score_all(moderator, kind="agreed-scores")
    async with _as(app_role, moderator):
        await app_role.execute(DECIDE, *row)
