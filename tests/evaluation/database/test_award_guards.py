"""From the ranking to the contract, straight at the database as the app role."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest

from tests.makers.bids import declare
from tests.makers.direct import act_afresh, acting, not_granted, refused
from tests.makers.direct_bids import violates
from tests.makers.evaluation import (
    REASON,
    EvaluatedLot,
    approve,
    awarded_lot,
    contracted_lot,
    end_standstill,
    notified_lot,
    priced_lot,
    ranked_lot,
    recommend,
    recommended_lot,
)
from tests.makers.world import Person, World

RANKED = (
    "INSERT INTO ranked_bid (id, ranking, bid, place, tied, price, quality_numerator,"
    " quality_denominator, price_numerator, price_denominator, total_numerator,"
    " total_denominator) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)"
)
MOVE = "UPDATE lot SET stage = $2, version = version + 1 WHERE id = $1"


def _as(connection: Any, person: Person) -> Any:
    return acting(connection, person.id, person.organisation)


async def _bid(superuser: Any, lot: EvaluatedLot, place: int = 0) -> UUID:
    found: UUID = await superuser.fetchval(
        "SELECT bid FROM manifest_entry WHERE lot = $1 AND pseudonym = $2",
        lot.id,
        lot.pseudonyms[place],
    )
    return found


async def test_a_ranking_holds_every_bid_that_passed_with_sums_that_add_up_in_order(
    world: World, app_role: Any, superuser: Any
) -> None:
    lot = await priced_lot(world)
    evaluator = lot.tender.price_evaluator
    bids = [await _bid(superuser, lot, place) for place in range(3)]
    right = [
        (bids[0], 1, False, Decimal("4757.50"), 171, 4, 400, 11, 3481, 44),
        (bids[1], 2, False, 4325, 30, 1, 40, 1, 70, 1),
    ]

    async def rank(*rows: tuple[Any, ...], person: Person = evaluator) -> None:
        async with _as(app_role, person):
            ranking = uuid4()
            await app_role.execute(
                "INSERT INTO ranking (id, lot, method, method_version, ranked_by)"
                " VALUES ($1, $2, 'lowest_price_ratio', 1, $3)",
                ranking,
                lot.id,
                person.id,
            )
            for row in rows:
                await app_role.execute(RANKED, uuid4(), ranking, *row)
            await app_role.execute(MOVE, lot.id, "ranked")

    async with refused("duty_needed"):
        await rank(*right, person=lot.tender.moderator)
    async with refused("lot_stage_earned"):
        await rank()
    async with refused("lot_stage_earned"):
        await rank(right[0])  # a bid that passed is left out
    async with refused("ranking_adds_up"):
        await rank((*right[0][:-2], 3482, 44), right[1])
    for price in (4757, 4758, Decimal("4757.500001"), Decimal("NaN")):
        async with refused("ranked_price_adds_up"):
            await rank((bids[0], 1, False, price, *right[0][4:]), right[1])
    for figures in ((0, 0, 0, 0, 0, 0), (171, 4, 400, 11, 0, 0), (171, 4, 400, -11, 281, 44)):
        async with violates("ranked_bid_denominators_positive"):
            await rank((*right[0][:4], *figures), right[1])
    async with violates("ranked_bid_numerators_not_negative"):
        await rank((*right[0][:4], 171, 4, -171, 4, 0, 1), right[1])
    for figure in (Decimal("NaN"), Decimal("Infinity")):
        async with violates("ranked_bid_figures_finite"):
            await rank((*right[0][:4], 171, 4, figure, figure, figure, figure), right[1])
    async with refused("ranked_bid_passed"):
        await rank((bids[0], 1, False, Decimal("4757.5"), 43, 1, 400, 11, 873, 11), right[1])
    async with refused("ranked_bid_passed"):
        await rank(*right, (bids[2], 3, False, 3892, 12, 1, 40, 1, 52, 1))
    for places in ((2, 1), (1, 1), (2, 3)):
        async with refused("lot_stage_earned"):
            await rank(
                *((row[0], place, *row[2:]) for row, place in zip(right, places, strict=True))
            )

    async def begin() -> UUID:
        ranking = uuid4()
        await app_role.execute(
            "INSERT INTO ranking (id, lot, method, method_version, ranked_by)"
            " VALUES ($1, $2, 'lowest_price_ratio', 1, $3)",
            ranking,
            lot.id,
            evaluator.id,
        )
        return ranking

    async with refused("ranking_whole"), _as(app_role, evaluator):
        ranking = await begin()
        for row in right:
            await app_role.execute(RANKED, uuid4(), ranking, *row)
    async with refused("acts_in_own_name"), _as(app_role, evaluator):
        ranking = await begin()
        await act_afresh(app_role, lot.tender.moderator.id, evaluator.organisation)
        await app_role.execute(RANKED, uuid4(), ranking, *right[0])
    async with refused("ranked_by_published_method"), _as(app_role, evaluator):
        await app_role.execute(
            "INSERT INTO ranking (id, lot, method, method_version, ranked_by)"
            " VALUES ($1, $2, 'fixed_price', 1, $3)",
            uuid4(),
            lot.id,
            evaluator.id,
        )
    async with refused("draw_as_committed"), _as(app_role, evaluator):
        await app_role.execute(
            "INSERT INTO ranking (id, lot, method, method_version, ranked_by, draw_seed)"
            " VALUES ($1, $2, 'lowest_price_ratio', 1, $3, $4)",
            uuid4(),
            lot.id,
            evaluator.id,
            bytes(32),
        )
    await rank(*right)
    async with refused("reranked_after_drop_out"):
        await rank(*right, person=lot.tender.manager)


async def test_a_recommendation_is_for_the_bid_that_alone_ranks_first(
    world: World, app_role: Any, superuser: Any
) -> None:
    lot = await ranked_lot(world)
    recommend = (
        "INSERT INTO recommendation (id, lot, bid, reason, recommended_by)"
        " VALUES ($1, $2, $3, $4, $5)"
    )
    moderator, manager = lot.tender.moderator, lot.tender.manager
    for place in (1, 2):
        async with refused("recommended_bid_ranks_first"), _as(app_role, moderator):
            bid = await _bid(superuser, lot, place)
            await app_role.execute(recommend, uuid4(), lot.id, bid, REASON, moderator.id)
    bid = await _bid(superuser, lot)
    async with refused("duty_needed"), _as(app_role, manager):
        await app_role.execute(recommend, uuid4(), lot.id, bid, REASON, manager.id)
    async with refused("acts_in_own_name"), _as(app_role, manager):
        await app_role.execute(recommend, uuid4(), lot.id, bid, REASON, moderator.id)
    async with refused("lot_stage_earned"), _as(app_role, moderator):
        await app_role.execute(MOVE, lot.id, "recommended")


async def test_an_award_needs_its_quorum_and_a_lay_member(
    world: World, app_role: Any, superuser: Any
) -> None:
    lot = await recommended_lot(world)
    officer, lay = lot.tender.approvers
    recommendation = await superuser.fetchval("SELECT id FROM recommendation")
    bid = await _bid(superuser, lot)

    async def answer(person: Person, approver: UUID) -> None:
        async with _as(app_role, person):
            await app_role.execute(
                "INSERT INTO approval (id, recommendation, approver, lay, outcome, reason)"
                " VALUES ($1, $2, $3, true, 'approved', 'Good.')",
                uuid4(),
                recommendation,
                approver,
            )

    async def award(person: Person) -> None:
        async with _as(app_role, person):
            await app_role.execute(
                "INSERT INTO award (id, lot, recommendation, bid) VALUES ($1, $2, $3, $4)",
                uuid4(),
                lot.id,
                recommendation,
                bid,
            )

    async with refused("duty_needed"):
        await answer(lot.tender.moderator, lot.tender.moderator.id)
    async with refused("acts_in_own_name"):
        await answer(officer, lay.id)
    await answer(officer, officer.id)
    assert await superuser.fetchval("SELECT lay FROM approval") is False  # whatever was claimed
    async with refused("award_approved"):
        await award(officer)
    await answer(lay, lay.id)
    await declare(officer, lot.tender, "financial", "I hold shares in it.")
    async with refused("award_approved"):
        await award(lay)


async def test_an_award_is_of_the_recommended_bid(
    world: World, app_role: Any, superuser: Any
) -> None:
    lot = await recommended_lot(world)
    recommendation = await superuser.fetchval("SELECT id FROM recommendation")
    async with refused("award_approved"), _as(app_role, lot.tender.lay_member):
        for approver in lot.tender.approvers:
            await act_afresh(app_role, approver.id, lot.tender.lay_member.organisation)
            await app_role.execute(
                "INSERT INTO approval (id, recommendation, approver, outcome, reason)"
                " VALUES ($1, $2, $3, 'approved', 'Good.')",
                uuid4(),
                recommendation,
                approver.id,
            )
        await app_role.execute(
            "INSERT INTO award (id, lot, recommendation, bid) VALUES ($1, $2, $3, $4)",
            uuid4(),
            lot.id,
            recommendation,
            await _bid(superuser, lot, 1),
        )


async def test_nobody_but_the_panel_sees_an_award_before_the_notices(
    world: World, app_role: Any
) -> None:
    lot = await awarded_lot(world)
    tables = ("award", "approval", "recommendation", "ranked_bid", "quality_decision")
    for person in (*lot.suppliers, lot.tender.author, lot.tender.reviewer):
        async with _as(app_role, person):
            for table in tables:
                found = await app_role.fetchval(f"SELECT count(*) FROM {table}")  # noqa: S608  # from the list above
                assert found == 0, (person.name, table)
            assert await app_role.fetch("SELECT * FROM published_award($1)", lot.id) == []
    async with _as(app_role, lot.tender.manager):
        assert await app_role.fetchval("SELECT count(*) FROM award") == 1


async def test_the_standstill_waits_for_every_notice_and_is_never_too_short(
    world: World, app_role: Any, superuser: Any
) -> None:
    lot = await awarded_lot(world)
    manager = lot.tender.manager
    rule_set = await superuser.fetchval("SELECT rule_set FROM tender WHERE id = $1", lot.tender.id)
    now = await superuser.fetchval("SELECT market_now()")

    async def notify(person: Person, ends_at: datetime, *, law: str, leave_out: int = 0) -> None:
        async with _as(app_role, person):
            for place in range(3 - leave_out):
                await app_role.execute(
                    "INSERT INTO award_notice (id, lot, bid, recipient, content, sent_by)"
                    " VALUES ($1, $2, $3, $4, '{}', $5)",
                    uuid4(),
                    lot.id,
                    await _bid(superuser, lot, place),
                    lot.suppliers[place].organisation,
                    person.id,
                )
            await app_role.execute(
                "INSERT INTO standstill (id, lot, rule_set, ends_at) VALUES ($1, $2, $3, $4)",
                uuid4(),
                lot.id,
                law,
                ends_at,
            )

    enough = now + timedelta(days=15)
    async with refused("duty_needed"):
        await notify(lot.tender.moderator, enough, law=rule_set)
    async with refused("standstill_after_notices"):
        await notify(manager, enough, law=rule_set, leave_out=1)
    async with refused("standstill_by_rule_set"):
        await notify(manager, enough, law="pcr_2015")
    for days in (0, 8, 9):
        async with refused("standstill_long_enough"):
            await notify(manager, now + timedelta(days=days), law=rule_set)
    async with refused("lot_stage_earned"), _as(app_role, manager):
        await app_role.execute(MOVE, lot.id, "notified")
    async with refused("duty_needed"), _as(app_role, lot.tender.lay_member):
        await app_role.execute(
            "INSERT INTO standstill (id, lot, rule_set, ends_at) VALUES ($1, $2, $3, $4)",
            uuid4(),
            lot.id,
            rule_set,
            enough,
        )
    async with refused("notice_to_bidder"), _as(app_role, manager):
        await app_role.execute(
            "INSERT INTO award_notice (id, lot, bid, recipient, content, sent_by)"
            " VALUES ($1, $2, $3, $4, '{}', $5)",
            uuid4(),
            lot.id,
            await _bid(superuser, lot),
            lot.suppliers[1].organisation,
            manager.id,
        )


async def test_a_notice_is_read_by_its_recipient_and_the_panel_alone(
    world: World, app_role: Any
) -> None:
    lot = await notified_lot(world)

    async def recipients(person: Person) -> set[UUID]:
        async with _as(app_role, person):
            rows = await app_role.fetch("SELECT recipient FROM award_notice")
        return {row["recipient"] for row in rows}

    for supplier in lot.suppliers:
        assert await recipients(supplier) == {supplier.organisation}
    assert len(await recipients(lot.tender.manager)) == 3
    assert await recipients(lot.tender.author) == set()
    assert await recipients(lot.tender.guardian) == set()  # who has not declared


async def test_no_contract_before_the_standstill_ends_whatever_time_is_claimed(
    world: World, app_role: Any, superuser: Any
) -> None:
    lot = await notified_lot(world)
    award = await superuser.fetchval("SELECT id FROM award")

    async def contract(person: Person, of: UUID = award) -> None:
        async with _as(app_role, person):
            await app_role.execute(
                "INSERT INTO contract (id, lot, award, reference, recorded_by, made_at, starts,"
                " ends) VALUES ($1, $2, $3, 'C', $4, $5, '2030-01-01', '2031-01-01')",
                uuid4(),
                lot.id,
                of,
                person.id,
                datetime(2099, 1, 1, tzinfo=UTC),
            )
            await app_role.execute(MOVE, lot.id, "contracted")

    manager = lot.tender.contract_manager
    async with refused("no_contract_in_standstill"):
        await contract(manager)
    async with refused("lot_stage_earned"), _as(app_role, manager):
        await app_role.execute(MOVE, lot.id, "contracted")
    await end_standstill(lot)
    async with refused("duty_needed"):
        await contract(lot.tender.manager)
    async with refused("contract_follows_award"):
        await contract(manager, of=uuid4())
    await contract(manager)
    made_at = await superuser.fetchval("SELECT made_at FROM contract")
    assert lot.standstill_ends_at is not None
    assert lot.standstill_ends_at <= made_at < lot.standstill_ends_at + timedelta(hours=1)


async def test_a_returned_recommendation_is_not_awarded(
    world: World, app_role: Any, superuser: Any
) -> None:
    lot = await recommended_lot(world)
    await approve(lot, lot.tender.lay_member, "returned")
    recommendation = await superuser.fetchval("SELECT id FROM recommendation")
    async with refused("lot_stage"), _as(app_role, lot.tender.approvers[0]):
        await app_role.execute(
            "INSERT INTO award (id, lot, recommendation, bid) VALUES ($1, $2, $3, $4)",
            uuid4(),
            lot.id,
            recommendation,
            await _bid(superuser, lot),
        )
    async with refused("lot_stage_earned"), _as(app_role, lot.tender.moderator):
        await app_role.execute(MOVE, lot.id, "recommended")


async def test_what_was_decided_is_never_changed_or_removed(
    world: World, app_role: Any, superuser: Any
) -> None:
    lot = await contracted_lot(world)
    for table in (
        "ranking",
        "ranked_bid",
        "recommendation",
        "approval",
        "award",
        "award_notice",
        "standstill",
        "contract",
    ):
        statements = (
            f"UPDATE {table} SET id = id",  # noqa: S608  # the name is above
            f"DELETE FROM {table}",  # noqa: S608  # the name is above
            f"TRUNCATE {table} CASCADE",
        )
        for statement in statements:
            async with not_granted(), _as(app_role, lot.tender.manager):
                await app_role.execute(statement)
            for role in ("origin", "replica"):
                await superuser.execute(f"SET session_replication_role = {role}")
                async with refused("append_only"):
                    await superuser.execute(statement)


@pytest.mark.parametrize(
    "function",
    [
        "scored_bids('{lot}')",
        "hold_lot_stage('{lot}', 'ranked')",
        "quality_passed('{lot}')",
        "evaluators_of('{lot}')",
        "latest_recommendation('{lot}')",
        "ranking_whole('{lot}')",
    ],
)
async def test_the_app_cannot_call_what_sees_more_than_its_actor(
    app_role: Any, function: str
) -> None:
    statement = f"SELECT {function.format(lot=uuid4())}"
    async with not_granted(), acting(app_role):
        await app_role.execute(statement)


async def test_an_approval_is_of_the_latest_recommendation(
    world: World, app_role: Any, superuser: Any
) -> None:
    lot = await recommended_lot(world)
    first = await superuser.fetchval("SELECT id FROM recommendation")
    officer, lay = lot.tender.approvers
    assert (await approve(lot, officer, "returned")).status_code == 201
    assert (await recommend(lot)).status_code == 201
    async with refused("approves_latest"), _as(app_role, lay):
        await app_role.execute(
            "INSERT INTO approval (id, recommendation, approver, outcome, reason)"
            " VALUES ($1, $2, $3, 'approved', 'The first one was better.')",
            uuid4(),
            first,
            lay.id,
        )
