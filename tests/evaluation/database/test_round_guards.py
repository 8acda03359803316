"""Later rounds, straight at the database as the app role."""

from typing import Any
from uuid import UUID, uuid4

from tests.makers.challenges import challenge, decide
from tests.makers.direct import acting, refused
from tests.makers.evaluation import REASON, EvaluatedLot, notified_lot
from tests.makers.rounds import decided_anew, fresh_panel, newcomer, reopened
from tests.makers.world import Person, World

SCORE = (
    "INSERT INTO score (id, lot, bid, criterion, evaluator, value, reason)"
    " SELECT $1, $2, $3, c.id, $4, 5, $5 FROM criterion c WHERE c.lot = $2 AND c.code = 'Q1.1'"
)
AGREE = (
    "INSERT INTO agreed_score (id, lot, bid, criterion, moderator, value, reason)"
    " SELECT $1, $2, $3, c.id, $4, 5, $5 FROM criterion c WHERE c.lot = $2 AND c.code = 'Q1.1'"
)
LOCK = "INSERT INTO score_lock (id, lot, evaluator) VALUES ($1, $2, $3)"
FIRST_ROUND = (
    "SELECT * FROM score WHERE lot = $1 AND round = 1 ORDER BY id",
    "SELECT * FROM score_lock WHERE lot = $1 AND round = 1 ORDER BY id",
    "SELECT * FROM agreed_score WHERE lot = $1 AND round = 1 ORDER BY id",
    "SELECT * FROM quality_decision WHERE lot = $1 AND round = 1 ORDER BY id",
    "SELECT * FROM counted_seat WHERE lot = $1 AND round = 1 ORDER BY id",
    "SELECT * FROM ranking WHERE lot = $1 AND round = 1 ORDER BY id",
)
ROUND = "INSERT INTO lot_round (id, lot, challenge, begun_by) VALUES ($1, $2, $3, $4)"


def _as(connection: Any, person: Person) -> Any:
    return acting(connection, person.id, person.organisation)


async def _bid(superuser: Any, lot: EvaluatedLot, place: int) -> UUID:
    found: UUID = await superuser.fetchval(
        "SELECT bid FROM manifest_entry WHERE lot = $1 AND pseudonym = $2",
        lot.id,
        lot.pseudonyms[place],
    )
    return found


async def test_whoever_scored_or_saw_a_price_scores_nothing_in_a_later_round(
    world: World, app_role: Any, superuser: Any
) -> None:
    lot = await notified_lot(world)
    reader = await newcomer(lot, "Rita Reader", "quality_evaluator")
    seen = await reader.get(f"{lot.path}/evaluation/ranking")
    assert seen.status_code == 200
    await reopened(lot)
    bid = await _bid(superuser, lot, 2)
    for person in (*lot.tender.quality_evaluators, reader):
        async with refused("fresh_panel"), _as(app_role, person):
            await app_role.execute(SCORE, uuid4(), lot.id, bid, person.id, REASON)
        async with refused("fresh_panel"), _as(app_role, person):
            await app_role.execute(LOCK, uuid4(), lot.id, person.id)
    moderator = lot.tender.moderator
    async with refused("fresh_panel"), _as(app_role, moderator):
        await app_role.execute(AGREE, uuid4(), lot.id, bid, moderator.id, REASON)


async def test_a_round_begins_only_as_a_challenge_was_decided(
    world: World, app_role: Any, superuser: Any
) -> None:
    lot = await notified_lot(world)
    await challenge(lot)
    asked = await superuser.fetchval("SELECT id FROM lot_challenge WHERE lot = $1", lot.id)
    assert (await decide(lot)).status_code == 201
    guardian = lot.tender.guardian
    async with refused("round_as_decided"), _as(app_role, guardian):
        await app_role.execute(ROUND, uuid4(), lot.id, asked, guardian.id)
    async with refused("lot_stage_earned"), _as(app_role, guardian):
        await app_role.execute(
            "UPDATE lot SET stage = 'quality_scoring', version = version + 1 WHERE id = $1", lot.id
        )


async def test_rows_of_the_first_round_stay_beside_those_of_the_second(
    world: World, superuser: Any
) -> None:
    lot = await notified_lot(world)
    before = {query: await superuser.fetch(query, lot.id) for query in FIRST_ROUND}
    await reopened(lot)
    await decided_anew(lot, await fresh_panel(lot))
    for query, rows in before.items():
        assert rows, query
        assert await superuser.fetch(query, lot.id) == rows, query
    passed = "SELECT round, passed FROM quality_decision WHERE bid = $1 ORDER BY round"
    found = await superuser.fetch(passed, await _bid(superuser, lot, 2))
    assert [tuple(row) for row in found] == [(1, False), (2, True)]
