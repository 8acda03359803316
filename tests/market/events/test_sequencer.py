"""The sequencer: every committed event has one position, in an order that nobody can break."""

import asyncio
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from market.background import Workbench
from market.events.sequencing import Sequencer
from tests.conftest import Databases

_EVENT = """
INSERT INTO event (id, action, subject_kind, subject, tender, request, details)
VALUES ($1, 'test.made', 'thing', $2, $3, 'test', '{}')
"""
_LOG = "SELECT event, position, tender, tender_number FROM event_position ORDER BY position"


async def _record(connection: Any, subject: UUID | None = None, tender: UUID | None = None) -> UUID:
    event = uuid4()
    await connection.execute(_EVENT, event, subject or uuid4(), tender)
    return event


async def _number(bench: Workbench) -> None:
    while await Sequencer(bench).run() == 0:
        pass


async def _order(connection: Any) -> list[UUID]:
    return [row["event"] for row in await connection.fetch(_LOG)]


async def test_positions_and_numbers_in_a_tender_have_no_gap(
    superuser: Any, bench: Workbench
) -> None:
    one, other = uuid4(), uuid4()
    for number in range(30):
        await _record(superuser, tender=(one, other, None)[number % 3])
        if number % 7 == 0:
            await _number(bench)
    await _number(bench)
    rows = await superuser.fetch(_LOG)
    assert [row["position"] for row in rows] == list(range(1, len(rows) + 1))
    for tender in (one, other):
        numbers = [row["tender_number"] for row in rows if row["tender"] == tender]
        assert numbers == list(range(1, 11))
    assert {row["event"] for row in rows} == {
        row["id"] for row in await superuser.fetch("SELECT id FROM event")
    }


async def test_an_event_in_flight_holds_up_no_other_and_is_numbered_when_it_commits(
    superuser: Any, databases: Databases, bench: Workbench
) -> None:
    hanging = await asyncpg.connect(**databases.superuser)
    transaction = hanging.transaction()
    await transaction.start()
    late = await _record(hanging)
    early = [await _record(superuser) for _ in range(3)]
    await _number(bench)
    order = await _order(superuser)
    assert late not in order
    assert order[-3:] == early
    for _ in range(3):
        early.append(await _record(superuser))
        await _number(bench)
    assert (await _order(superuser))[-6:] == early
    await transaction.commit()
    await _number(bench)
    assert (await _order(superuser))[-7:] == [*early, late]
    await hanging.close()


async def test_what_is_rolled_back_never_gets_a_position(superuser: Any, bench: Workbench) -> None:
    await _number(bench)
    before = len(await _order(superuser))
    transaction = superuser.transaction()
    await transaction.start()
    undone = await _record(superuser)
    await _number(bench)
    await transaction.rollback()
    kept = await _record(superuser)
    await _number(bench)
    order = await _order(superuser)
    assert order[before:] == [kept]
    assert undone not in order


async def test_two_acts_on_one_subject_keep_their_order_whoever_began_first(
    superuser: Any, databases: Databases, bench: Workbench
) -> None:
    """The later act's transaction is the older one: it waited for the subject."""
    first = await asyncpg.connect(**databases.superuser)
    await superuser.execute("CREATE TEMP TABLE unrelated (id int)")
    subject = uuid4()
    earlier = superuser.transaction()
    await earlier.start()
    await superuser.execute("INSERT INTO unrelated VALUES (1)")  # it has the lower number now
    async with first.transaction():
        made_first = await _record(first, subject)
    made_second = await _record(superuser, subject)
    await earlier.commit()
    await _number(bench)
    order = await _order(superuser)
    assert order.index(made_first) < order.index(made_second)
    await first.close()


async def test_of_many_sequencers_at_once_none_numbers_twice(
    superuser: Any, bench: Workbench
) -> None:
    made = [await _record(superuser) for _ in range(50)]
    await asyncio.gather(*(_number(bench) for _ in range(8)))
    order = await _order(superuser)
    assert sorted(order[-50:]) == sorted(made)
    assert len(order) == len(set(order)) == await superuser.fetchval("SELECT count(*) FROM event")


async def test_while_one_holds_the_numbering_another_waits_for_nothing(
    superuser: Any, bench: Workbench
) -> None:
    transaction = superuser.transaction()
    await transaction.start()
    await superuser.execute("SELECT 1 FROM sequencer FOR UPDATE")
    async with bench.database.transaction() as connection:
        assert await connection.fetchval("SELECT number_events(10)") is None
    await transaction.rollback()


async def test_a_backlog_is_numbered_in_batches_and_in_order(
    superuser: Any, bench: Workbench
) -> None:
    await _number(bench)
    made = [await _record(superuser) for _ in range(25)]
    counts = []
    for _ in range(4):
        async with bench.database.transaction() as connection:
            counts.append(await connection.fetchval("SELECT number_events(10)"))
    assert counts == [10, 10, 5, 0]
    assert (await _order(superuser))[-25:] == made


async def test_after_a_restore_into_a_younger_server_nothing_is_skipped(
    superuser: Any, bench: Workbench
) -> None:
    """A dump brings the snapshot of another server, whose transactions had higher numbers."""
    await _number(bench)
    await superuser.execute(
        "UPDATE sequencer SET snapshot = '9000000000000:9000000000005:9000000000001'"
    )
    made = [await _record(superuser) for _ in range(3)]
    await _number(bench)
    assert (await _order(superuser))[-3:] == made


@pytest.mark.parametrize(
    "sql",
    [
        "INSERT INTO event_position VALUES (100000, gen_random_uuid(), NULL, NULL, now())",
        "INSERT INTO event_position VALUES (0, gen_random_uuid(), NULL, NULL, now())",
        "INSERT INTO event_position VALUES (1, gen_random_uuid(), NULL, NULL, now())",
    ],
)
async def test_the_database_itself_takes_no_position_after_a_gap_before_one_or_twice(
    superuser: Any, bench: Workbench, sql: str
) -> None:
    await _record(superuser)
    await _number(bench)
    with pytest.raises(asyncpg.IntegrityConstraintViolationError):
        await superuser.execute(sql)


async def test_numbers_in_a_tender_have_no_gap_at_the_database_either(
    superuser: Any, bench: Workbench
) -> None:
    tender = uuid4()
    await _record(superuser, tender=tender)
    await _number(bench)
    place = await superuser.fetchval("SELECT max(position) + 1 FROM event_position")
    with pytest.raises(asyncpg.ForeignKeyViolationError):
        await superuser.execute(
            "INSERT INTO event_position VALUES ($1, gen_random_uuid(), $2, 3, now())", place, tender
        )


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT number_events(10)",
        "INSERT INTO event_position VALUES (1, gen_random_uuid(), NULL, NULL, now())",
        "UPDATE event_position SET event = gen_random_uuid()",
        "DELETE FROM event_position",
        "TRUNCATE event_position",
        "UPDATE sequencer SET position = 0",
        "INSERT INTO event_leaf (position) VALUES (1)",
        "DELETE FROM event_leaf",
        "DELETE FROM checkpoint",
        "UPDATE checkpoint SET note = ''",
        "SELECT salt, details FROM event_private",
        "SELECT * FROM tender_head",
        "SELECT tender FROM event_position",
    ],
)
async def test_the_app_role_neither_numbers_nor_rewrites(app_role: Any, sql: str) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await app_role.execute(sql)


@pytest.mark.parametrize(
    "sql",
    [
        "INSERT INTO event_position VALUES (1, gen_random_uuid(), NULL, NULL, now())",
        "UPDATE event SET details = '{}'",
        "DELETE FROM event",
        "DELETE FROM event_position",
        "UPDATE event_leaf SET hash = decode(repeat('00', 32), 'hex')",
        "DELETE FROM merkle_node",
        "DELETE FROM checkpoint",
        "UPDATE sequencer SET position = 0",
        "SELECT password_hash FROM person",
        "SELECT * FROM envelope",
    ],
)
async def test_the_worker_role_numbers_and_hashes_but_rewrites_nothing(
    databases: Databases, sql: str
) -> None:
    worker = await asyncpg.connect(**databases.worker)
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await worker.execute(sql)
    await worker.close()
