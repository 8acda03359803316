"""Scores and their locks, straight at the database as the app role: past every rule in Python."""

from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from evaluation.rules.stages import LOT_TRANSITIONS
from tests.makers.bids import declare
from tests.makers.direct import acting, not_granted, refused
from tests.makers.direct_bids import violates
from tests.makers.evaluation import (
    REASON,
    EvaluatedLot,
    locked_lot,
    lot_to_score,
    moderated_lot,
    scored_lot,
)
from tests.makers.world import Person, World

SCORE = (
    "INSERT INTO score (id, lot, bid, criterion, evaluator, value, reason)"
    " VALUES ($1, $2, $3, $4, $5, $6, $7)"
)
AGREE = SCORE.replace("score (", "agreed_score (", 1).replace("evaluator", "moderator")
DECIDE = (
    "INSERT INTO quality_decision (id, lot, bid, points_numerator, points_denominator, passed,"
    " decided_by, failed_because) VALUES ($1, $2, $3, $4, $5, $6, $7,"
    " CASE WHEN $6 THEN '{}' ELSE '{minimum_quality}'::text[] END)"
)


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


def _as(connection: Any, person: Person) -> Any:
    return acting(connection, person.id, person.organisation)


async def test_the_rules_stages_are_the_database_s(superuser: Any) -> None:
    rows = await superuser.fetch("SELECT earlier, later FROM lot_transition")
    stored = {(row["earlier"], row["later"]) for row in rows}
    assert stored == {
        (current.value, following.value)
        for current, allowed in LOT_TRANSITIONS.items()
        for following in allowed
    }


async def test_a_score_needs_its_evaluator_duty_declaration_scale_criterion_and_reason(
    world: World, app_role: Any, superuser: Any
) -> None:
    lot = await lot_to_score(world)
    one, other = lot.tender.quality_evaluators
    bid, criterion = await _bid(superuser, lot), await _criterion(superuser, lot)

    async def score(person: Person, **changes: Any) -> None:
        row = {
            "lot": lot.id,
            "bid": bid,
            "criterion": criterion,
            "evaluator": person.id,
            "value": 5,
            "reason": REASON,
        } | changes
        async with _as(app_role, person):
            await app_role.execute(SCORE, uuid4(), *row.values())

    async with refused("acts_in_own_name"):
        await score(one, evaluator=other.id)
    async with refused("duty_needed"):
        await score(lot.tender.moderator)
    async with refused("duty_needed"):
        await score(lot.suppliers[0])
    async with refused("scored_on_published_scale"):
        await score(one, value=3)
    async with refused("scored_by_published_criteria"):
        await score(one, criterion=bid)
    async with refused("scored_bid_opened"):
        await score(one, bid=uuid4())
    with pytest.raises(asyncpg.CheckViolationError) as caught:
        await score(one, reason="short")
    assert caught.value.constraint_name == "score_has_reason"
    await score(one)
    await declare(one, lot.tender, "financial", "I hold shares in it.")
    async with refused("conflict_of_interest"):
        await score(one)


async def test_number_and_time_of_a_score_are_the_database_s(
    world: World, app_role: Any, superuser: Any
) -> None:
    lot = await lot_to_score(world)
    one = lot.tender.quality_evaluators[0]
    async with _as(app_role, one):
        await app_role.execute(
            "INSERT INTO score (id, lot, bid, criterion, evaluator, value, reason, number,"
            " scored_at) VALUES ($1, $2, $3, $4, $5, 5, $6, 77, '2001-01-01')",
            uuid4(),
            lot.id,
            await _bid(superuser, lot),
            await _criterion(superuser, lot),
            one.id,
            REASON,
        )
    row = await superuser.fetchrow("SELECT number, scored_at > '2020-01-01' AS recent FROM score")
    assert (row["number"], row["recent"]) == (1, True)


async def test_a_lock_needs_every_score_and_ends_scoring(
    world: World, app_role: Any, superuser: Any
) -> None:
    lot = await lot_to_score(world)
    one, other = lot.tender.quality_evaluators
    lock = "INSERT INTO score_lock (id, lot, evaluator) VALUES ($1, $2, $3)"
    async with refused("locked_scores_complete"), _as(app_role, one):
        await app_role.execute(lock, uuid4(), lot.id, one.id)
    async with refused("acts_in_own_name"), _as(app_role, other):
        await app_role.execute(lock, uuid4(), lot.id, one.id)
    await lot.score_all(one)
    async with _as(app_role, one):
        await app_role.execute(lock, uuid4(), lot.id, one.id)
    async with refused("locked_scores_stay"), _as(app_role, one):
        await app_role.execute(
            SCORE,
            uuid4(),
            lot.id,
            await _bid(superuser, lot),
            await _criterion(superuser, lot),
            one.id,
            2,
            REASON,
        )


async def test_scores_are_invisible_to_others_until_all_have_locked(
    world: World, app_role: Any
) -> None:
    lot = await lot_to_score(world)
    tender = lot.tender
    one, other = tender.quality_evaluators
    await lot.score_all(one)
    await lot.lock(one)
    strangers = (other, tender.moderator, tender.manager, tender.guardian, *lot.suppliers)

    async def seen(person: Person) -> int:
        async with _as(app_role, person):
            number: int = await app_role.fetchval("SELECT count(*) FROM score")
        return number

    assert await seen(one) == 9
    for person in strangers:
        assert await seen(person) == 0, person.name
    await lot.score_all(other)
    await lot.lock(other)
    assert [await seen(person) for person in (one, other, tender.moderator)] == [18, 18, 18]
    assert await seen(tender.guardian) == 0  # who has not declared yet
    for supplier in lot.suppliers:
        assert await seen(supplier) == 0


async def test_scores_are_read_by_the_quality_panel_alone_until_quality_is_locked(
    world: World, app_role: Any
) -> None:
    lot = await moderated_lot(world)
    tender = lot.tender
    await declare(tender.guardian, tender)
    quality = (*tender.quality_evaluators, tender.moderator, tender.guardian)
    others = (tender.manager, tender.price_evaluator, tender.contract_manager, *tender.approvers)

    async def seen(person: Person) -> tuple[int, int]:
        async with _as(app_role, person):
            given: int = await app_role.fetchval("SELECT count(*) FROM score")
            agreed: int = await app_role.fetchval("SELECT count(*) FROM agreed_score")
        return given, agreed

    assert {await seen(person) for person in quality} == {(18, 9)}
    assert {await seen(person) for person in (*others, *tender.openers)} == {(0, 0)}
    await lot.done(tender.moderator, "/evaluation/quality-lock")
    assert {await seen(person) for person in (*quality, *others)} == {(18, 9)}
    assert {await seen(person) for person in tender.openers} == {(0, 0)}


async def test_agreed_scores_wait_for_the_locks_and_need_the_moderator(
    world: World, app_role: Any, superuser: Any
) -> None:
    lot = await lot_to_score(world)
    moderator, evaluator = lot.tender.moderator, lot.tender.quality_evaluators[0]
    bid, criterion = await _bid(superuser, lot), await _criterion(superuser, lot)
    row = (lot.id, bid, criterion)
    async with refused("moderated_after_locking"), _as(app_role, moderator):
        await app_role.execute(AGREE, uuid4(), *row, moderator.id, 5, REASON)
    for person in lot.tender.quality_evaluators:
        await lot.score_all(person)
        await lot.lock(person)
    async with refused("duty_needed"), _as(app_role, evaluator):
        await app_role.execute(AGREE, uuid4(), *row, evaluator.id, 5, REASON)
    async with refused("scored_on_published_scale"), _as(app_role, moderator):
        await app_role.execute(AGREE, uuid4(), *row, moderator.id, 4, REASON)
    async with _as(app_role, moderator):
        await app_role.execute(AGREE, uuid4(), *row, moderator.id, 5, REASON)


async def test_a_quality_decision_must_follow_from_the_agreed_scores_to_the_last_digit(
    world: World, app_role: Any, superuser: Any
) -> None:
    lot = await moderated_lot(world)
    moderator = lot.tender.moderator
    bids = [await _bid(superuser, lot, place) for place in range(3)]

    async def decide(place: int, numerator: int, denominator: int, *, passed: bool) -> None:
        async with _as(app_role, moderator):
            await app_role.execute(
                DECIDE,
                uuid4(),
                lot.id,
                bids[place],
                numerator,
                denominator,
                passed,
                moderator.id,
            )

    for wrong in ((43, 1, True), (171, 4, False), (171_000_001, 4_000_000, True)):
        async with refused("quality_adds_up"):
            await decide(0, wrong[0], wrong[1], passed=wrong[2])
    async with refused("quality_adds_up"):
        await decide(2, 12, 1, passed=True)
    async with refused("lot_stage_earned"), _as(app_role, moderator):
        await app_role.execute(
            "UPDATE lot SET stage = 'quality_locked', version = version + 1 WHERE id = $1",
            lot.id,
        )
    await decide(0, 342, 8, passed=True)
    await decide(1, 30, 1, passed=True)
    await decide(2, 12, 1, passed=False)
    async with refused("locked_scores_stay"), _as(app_role, moderator):
        await app_role.execute(
            AGREE,
            uuid4(),
            lot.id,
            bids[0],
            await _criterion(superuser, lot),
            moderator.id,
            2,
            REASON,
        )


async def test_a_decision_needs_every_criterion_agreed(
    world: World, app_role: Any, superuser: Any
) -> None:
    lot = await scored_lot(world)
    moderator = lot.tender.moderator
    await lot.score(moderator, 0, "Q1.1", "10", kind="agreed-scores")
    row = (uuid4(), lot.id, await _bid(superuser, lot), 255, 10, True, moderator.id)
    async with refused("quality_fully_moderated"), _as(app_role, moderator):
        await app_role.execute(DECIDE, *row)


async def test_a_price_stays_sealed_before_the_lock_and_for_ever_below_the_minimum(
    world: World, app_role: Any, superuser: Any
) -> None:
    lot = await moderated_lot(world)
    evaluator = lot.tender.price_evaluator
    bids = [await _bid(superuser, lot, place) for place in range(3)]

    async def open_directly(person: Person, bid: UUID) -> None:
        envelope = await superuser.fetchval(
            "SELECT e.id FROM envelope e JOIN manifest_entry m ON m.bid_version = e.bid_version"
            " WHERE m.bid = $1 AND e.kind = 'price'",
            bid,
        )
        async with _as(app_role, person):
            await app_role.execute(
                "INSERT INTO opened_envelope (id, envelope, bid, kind, content, opened_by)"
                " VALUES ($1, $2, $3, 'price', '{}', $4)",
                uuid4(),
                envelope,
                bid,
                person.id,
            )

    async def ask_for_key(person: Person, bid: UUID) -> None:
        async with _as(app_role, person):
            await app_role.fetchval("SELECT wrapped_key_for($1, 'price')", bid)

    for bid in bids:
        async with refused("envelope_stays_sealed"):
            await open_directly(evaluator, bid)
        async with refused("envelope_stays_sealed"):
            await ask_for_key(evaluator, bid)
    await lot.done(lot.tender.moderator, "/evaluation/quality-lock")
    for person in (lot.tender.moderator, lot.tender.manager, lot.tender.openers[0]):
        async with refused("envelope_stays_sealed"):
            await ask_for_key(person, bids[0])
    async with refused("envelope_stays_sealed"):
        await ask_for_key(evaluator, bids[2])
    await lot.done(evaluator, "/evaluation/price-opening")
    async with refused("envelope_stays_sealed"):
        await open_directly(evaluator, bids[2])
    await lot.done(evaluator, "/evaluation/ranking")
    async with refused("envelope_stays_sealed"):
        await open_directly(evaluator, bids[2])
    async with refused("envelope_stays_sealed"):
        await ask_for_key(evaluator, bids[2])
    async with _as(app_role, evaluator):
        sealed = await app_role.fetch("SELECT id FROM envelope")
    assert sealed == []


async def test_a_lot_moves_only_along_its_stages_and_when_they_are_earned(
    world: World, app_role: Any
) -> None:
    lot = await moderated_lot(world)
    move = "UPDATE lot SET stage = $2, version = version + 1 WHERE id = $1"
    for person in (lot.tender.manager, lot.tender.moderator, lot.suppliers[0]):
        for stage in ("price_opened", "ranked", "awarded", "notified", "contracted", "bidding"):
            async with refused("lot_transition"), _as(app_role, person):
                await app_role.execute(move, lot.id, stage)
        async with refused("lot_stage_earned"), _as(app_role, person):
            await app_role.execute(move, lot.id, "quality_locked")
    async with refused("lot_version_counts"), _as(app_role, lot.tender.manager):
        await app_role.execute(
            "UPDATE lot SET stage = 'abandoned', abandoned_because = 'x', version = 99"
            " WHERE id = $1",
            lot.id,
        )
    async with not_granted(), _as(app_role, lot.tender.manager):
        await app_role.execute("UPDATE lot SET minimum_quality = 0 WHERE id = $1", lot.id)


async def test_only_the_tender_manager_abandons_a_lot(world: World, app_role: Any) -> None:
    lot = await locked_lot(world)
    abandon = (
        "UPDATE lot SET stage = 'abandoned', abandoned_because = 'x', version = version + 1"
        " WHERE id = $1"
    )
    for person in (lot.tender.moderator, lot.tender.openers[0], lot.suppliers[0]):
        async with refused("duty_needed"), _as(app_role, person):
            await app_role.execute(abandon, lot.id)
    async with _as(app_role, lot.tender.manager):
        await app_role.execute(abandon, lot.id)


@pytest.mark.parametrize("table", ["score", "score_lock", "agreed_score", "quality_decision"])
async def test_what_was_scored_is_never_changed_or_removed(
    world: World, app_role: Any, superuser: Any, table: str
) -> None:
    lot = await locked_lot(world)
    column = "lot"
    statements = (
        f"UPDATE {table} SET {column} = {column}",  # noqa: S608  # the names are above
        f"DELETE FROM {table}",  # noqa: S608  # the name is above
        f"TRUNCATE {table} CASCADE",
    )
    for statement in statements:
        async with refused("append_only"):
            await superuser.execute(statement)
        async with not_granted(), _as(app_role, lot.tender.moderator):
            await app_role.execute(statement)
    await superuser.execute("SET session_replication_role = replica")
    for statement in statements:
        async with refused("append_only"):
            await superuser.execute(statement)


async def test_whoever_left_the_organisation_is_no_evaluator_for_it_any_more(
    world: World, superuser: Any
) -> None:
    lot = await lot_to_score(world)
    one, other = lot.tender.quality_evaluators

    async def evaluators() -> set[UUID]:
        rows = await superuser.fetch("SELECT * FROM evaluators_of($1)", lot.tender.id)
        return {row["evaluators_of"] for row in rows}

    assert await evaluators() == {one.id, other.id}
    async with _as(superuser, lot.tender.manager):
        await superuser.execute(
            "UPDATE membership SET ended_at = market_now() WHERE person = $1", one.id
        )
    assert await evaluators() == {other.id}


@pytest.mark.parametrize("figure", ["NaN", "Infinity"])
async def test_quality_points_are_finite(
    world: World, app_role: Any, superuser: Any, figure: str
) -> None:
    lot = await moderated_lot(world)
    bid = await _bid(superuser, lot)
    async with violates("quality_decision_figures_finite"), _as(app_role, lot.tender.moderator):
        row = (lot.id, bid, Decimal(figure), Decimal(figure), True, lot.tender.moderator.id)
        await app_role.execute(DECIDE, uuid4(), *row)
