"""One command, one transaction: rerun when PostgreSQL asks, never twice, and never half."""

import asyncio
import contextlib
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest
from asyncpg.exceptions import ReadOnlySQLTransactionError, SerializationError

from market import command as command_module
from market.actor import Actor, Role
from market.command import Unrecorded, command
from market.database import (
    DB,
    NoTransaction,
    current,
    execute,
    fetch_value,
    reading,
    unit_of_work,
    wait_until_kept,
)
from market.errors import Busy, OutcomeUnknown, Refused
from market.events.commands import record
from tests.conftest import Databases
from tests.makers.world import World

ACTOR = Actor(request="a test")
SUBJECT = uuid4()


def ensure_clean() -> None:
    """Every connection is back in the pool, and no transaction is left in this context."""
    assert DB.current_transaction.get() is None
    assert DB.pool is not None
    assert DB.pool.get_idle_size() == DB.pool.get_size()


async def somebody(world: World, name: str = "Ann") -> UUID:
    person = await world.person(name, await world.organisation("06F"), Role.COMMISSIONER)
    return person.id


async def name_of(connection: Any, person: UUID) -> str:
    return str(await connection.fetchval("SELECT name FROM person WHERE id = $1", person))


@command
async def rename(actor: Actor, person: UUID, name: str) -> None:
    await execute("UPDATE person SET name = $2 WHERE id = $1", person, name)
    await record(actor, "person.renamed", "person", person)


async def rename_elsewhere(connection: Any, person: UUID, name: str) -> None:
    async with connection.transaction():
        await connection.execute(
            "INSERT INTO event (action, subject_kind, subject, request, details)"
            " VALUES ('person.renamed', 'person', $1, 'elsewhere', '{}')",
            person,
        )
        await connection.execute("UPDATE person SET name = $2 WHERE id = $1", person, name)


async def test_a_command_is_rerun_whole_when_another_was_faster(
    world: World, superuser: Any
) -> None:
    person = await somebody(world)
    seen: list[str] = []

    @command
    async def extend(actor: Actor) -> str:
        await execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        name = str(await fetch_value("SELECT name FROM person WHERE id = $1", person))
        seen.append(name)
        if len(seen) == 1:
            await rename_elsewhere(superuser, person, "Beth")
        await execute("UPDATE person SET name = $2 WHERE id = $1", person, f"{name} Lead")
        await record(actor, "person.renamed", "person", person)
        return name

    assert await extend(ACTOR) == "Beth"
    assert seen == ["Ann", "Beth"]
    assert await name_of(superuser, person) == "Beth Lead"
    events = "SELECT count(*) FROM event WHERE subject = $1 AND action = 'person.renamed'"
    assert await superuser.fetchval(events, person) == 2
    ensure_clean()


async def test_of_two_commands_in_a_deadlock_both_are_carried_out(
    world: World, superuser: Any
) -> None:
    ann, beth = await somebody(world, "Ann"), await somebody(world, "Beth")
    both_hold_one = asyncio.Barrier(2)
    attempts = 0

    @command
    async def rename_both(actor: Actor, first: UUID, second: UUID, name: str) -> None:
        nonlocal attempts
        attempts += 1
        await execute("UPDATE person SET name = $2 WHERE id = $1", first, name)
        if attempts <= 2:
            await both_hold_one.wait()
        await execute("UPDATE person SET name = $2 WHERE id = $1", second, name)
        await record(actor, "person.renamed", "person", first)

    await asyncio.gather(rename_both(ACTOR, ann, beth, "One"), rename_both(ACTOR, beth, ann, "Two"))
    assert attempts == 3
    assert await name_of(superuser, ann) == await name_of(superuser, beth)
    ensure_clean()


async def test_a_command_that_is_never_faster_gives_up_as_busy(world: World) -> None:
    attempts = 0

    @command
    async def unlucky(actor: Actor) -> None:
        nonlocal attempts
        attempts += 1
        await record(actor, "person.renamed", "person", uuid4())
        raise SerializationError

    with pytest.raises(Busy):
        await unlucky(ACTOR)
    assert attempts == command_module.ATTEMPTS
    ensure_clean()
    await rename(ACTOR, await somebody(world), "Cara")


async def test_a_command_inside_a_command_is_a_fault(world: World, superuser: Any) -> None:
    person = await somebody(world)

    @command
    async def nested(actor: Actor) -> None:
        await execute("UPDATE person SET name = 'Outer' WHERE id = $1", person)
        await rename(actor, person, "Inner")

    with pytest.raises(NoTransaction, match="must not call a command"):
        await nested(ACTOR)
    assert await name_of(superuser, person) == "Ann"
    ensure_clean()


async def test_a_command_that_records_nothing_changes_nothing(world: World, superuser: Any) -> None:
    person = await somebody(world)

    @command
    async def secret(actor: Actor) -> None:
        assert actor is ACTOR
        await execute("UPDATE person SET name = 'Changed' WHERE id = $1", person)

    with pytest.raises(Unrecorded, match="recorded no event"):
        await secret(ACTOR)
    assert await name_of(superuser, person) == "Ann"
    ensure_clean()


async def test_the_database_refuses_a_change_without_an_event_at_commit_and_all_stays_clean(
    world: World, superuser: Any
) -> None:
    person = await somebody(world)

    @command
    async def lying(actor: Actor) -> None:
        assert actor is ACTOR
        await execute("UPDATE person SET name = 'Changed' WHERE id = $1", person)
        current().recorded += 1

    for _ in range(5):
        with pytest.raises(Refused, match="was not recorded in the event log"):
            await lying(ACTOR)
        ensure_clean()
    assert await name_of(superuser, person) == "Ann"
    await rename(ACTOR, person, "Beth")


async def test_an_event_is_recorded_in_a_command_or_not_at_all(world: World) -> None:
    person = await somebody(world)
    with pytest.raises(NoTransaction):
        await record(ACTOR, "person.renamed", "person", person)
    with pytest.raises(NoTransaction):
        await execute("SELECT 1")
    async with reading(ACTOR):
        with pytest.raises(NoTransaction, match="only be recorded by a command"):
            await record(ACTOR, "person.renamed", "person", person)
    ensure_clean()


async def test_a_query_changes_nothing_and_sees_one_moment(world: World, superuser: Any) -> None:
    person = await somebody(world)
    with pytest.raises(ReadOnlySQLTransactionError):
        async with reading(ACTOR):
            await execute("UPDATE person SET name = 'Changed' WHERE id = $1", person)
    ensure_clean()
    async with reading(ACTOR):
        before = await fetch_value("SELECT name FROM person WHERE id = $1", person)
        await rename_elsewhere(superuser, person, "Beth")
        assert await fetch_value("SELECT name FROM person WHERE id = $1", person) == before
    assert await name_of(superuser, person) == "Beth"


async def test_an_error_that_was_swallowed_does_not_look_like_success(
    world: World, superuser: Any
) -> None:
    person = await somebody(world)

    @command
    async def careless(actor: Actor) -> None:
        await execute("UPDATE person SET name = 'Changed' WHERE id = $1", person)
        await record(actor, "person.renamed", "person", person)
        with contextlib.suppress(asyncpg.DivisionByZeroError):
            await execute("SELECT 1 / 0")

    with pytest.raises(NoTransaction, match="swallowed"):
        await careless(ACTOR)
    assert await name_of(superuser, person) == "Ann"
    ensure_clean()


async def test_a_request_that_is_given_up_gives_its_connection_back(
    world: World, superuser: Any
) -> None:
    person = await somebody(world)
    begun = asyncio.Event()

    @command
    async def slow(actor: Actor) -> None:
        await execute("UPDATE person SET name = 'Changed' WHERE id = $1", person)
        await record(actor, "person.renamed", "person", person)
        begun.set()
        await execute("SELECT pg_sleep(30)")

    for _ in range(3):
        begun.clear()
        task = asyncio.ensure_future(slow(ACTOR))
        await begun.wait()
        await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    ensure_clean()
    assert await name_of(superuser, person) == "Ann"
    await rename(ACTOR, person, "Beth")  # its lock is free again


AT_COMMIT = """
CREATE FUNCTION at_commit() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN {} RETURN NULL; END $$;
CREATE CONSTRAINT TRIGGER at_commit AFTER UPDATE ON person
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION at_commit();
"""


async def test_a_connection_lost_at_commit_leaves_the_outcome_unknown_and_nothing_is_rerun(
    world: World, superuser: Any
) -> None:
    person = await somebody(world)
    attempts = 0

    @command
    async def doomed(actor: Actor) -> None:
        nonlocal attempts
        attempts += 1
        await execute("UPDATE person SET name = 'Changed' WHERE id = $1", person)
        await record(actor, "person.renamed", "person", person)

    await superuser.execute("SET market.migrating = 'on'")
    await superuser.execute(
        AT_COMMIT.format("PERFORM pg_terminate_backend(pg_backend_pid()); PERFORM pg_sleep(1);")
    )
    with pytest.raises(OutcomeUnknown, match="Repeat the request with the same Idempotency-Key"):
        await doomed(ACTOR)
    assert attempts == 1
    ensure_clean()
    await superuser.execute("DROP TRIGGER at_commit ON person")
    await rename(ACTOR, person, "Beth")


async def test_a_connection_lost_before_the_commit_is_busy_and_nothing_remains(
    world: World, superuser: Any
) -> None:
    person = await somebody(world)

    @command
    async def cut_off(actor: Actor, *, goes_on: bool) -> None:
        await execute("UPDATE person SET name = 'Changed' WHERE id = $1", person)
        await record(actor, "person.renamed", "person", person)
        process = await fetch_value("SELECT pg_backend_pid()")
        assert await superuser.fetchval("SELECT pg_terminate_backend($1, 2000)", process)
        if goes_on:
            await execute("SELECT 1")

    for goes_on in (True, False):
        with pytest.raises((Busy, OutcomeUnknown)):
            await cut_off(ACTOR, goes_on=goes_on)
        ensure_clean()
    assert await name_of(superuser, person) == "Ann"
    await rename(ACTOR, person, "Beth")


async def test_a_commit_that_no_standby_confirmed_leaves_the_outcome_unknown(
    world: World, superuser: Any
) -> None:
    """PostgreSQL tells a cancelled wait for the standby by a WARNING (01000) and says COMMIT."""
    person = await somebody(world)
    await superuser.execute("SET market.migrating = 'on'")
    await superuser.execute(
        AT_COMMIT.format("RAISE WARNING 'canceling wait for synchronous replication';")
    )
    with pytest.raises(OutcomeUnknown):
        await rename(ACTOR, person, "Beth")
    assert await name_of(superuser, person) == "Beth"
    ensure_clean()


async def test_when_every_connection_is_in_use_the_answer_is_busy(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = await somebody(world)
    assert DB.pool is not None
    held = [await DB.pool.acquire() for _ in range(DB.pool.get_max_size())]
    monkeypatch.setitem(DB.config, "acquire_timeout", 0.05)
    with pytest.raises(Busy):
        await rename(ACTOR, person, "Beth")
    for connection in held:
        await DB.pool.release(connection)
    await rename(ACTOR, person, "Beth")
    ensure_clean()


async def test_where_no_server_is_the_primary_the_answer_is_busy(
    world: World, databases: Databases
) -> None:
    person = await somebody(world)
    assert DB.pool is not None
    DB.pool.set_connect_args(**databases.app | {"target_session_attrs": "standby"})
    await DB.pool.expire_connections()
    with pytest.raises(Busy):
        await rename(ACTOR, person, "Beth")
    DB.pool.set_connect_args(**databases.app | {"target_session_attrs": "read-write"})
    await rename(ACTOR, person, "Beth")
    ensure_clean()


@pytest.mark.usefixtures("world")
async def test_what_acknowledges_what_it_only_found_waits_at_its_commit() -> None:
    """A transaction that writes nothing has no number, and its commit waits for no standby."""
    async with unit_of_work(ACTOR, writes=False):
        assert await fetch_value("SELECT pg_current_xact_id_if_assigned()") is None
        await wait_until_kept()
        assert await fetch_value("SELECT pg_current_xact_id_if_assigned()") is not None
    ensure_clean()


async def test_a_lock_that_is_held_too_long_is_busy(
    world: World, databases: Databases, superuser: Any
) -> None:
    person = await somebody(world)

    @command
    async def impatient(actor: Actor) -> None:
        await execute("SET LOCAL lock_timeout = '50ms'")
        await execute("UPDATE person SET name = 'Beth' WHERE id = $1", person)
        await record(actor, "person.renamed", "person", person)

    other = await asyncpg.connect(**databases.superuser)
    async with other.transaction():
        await other.execute("SELECT FROM person WHERE id = $1 FOR UPDATE", person)
        with pytest.raises(Busy):
            await impatient(ACTOR)
    await other.close()
    ensure_clean()
    assert await name_of(superuser, person) == "Ann"


async def test_a_connection_carries_nothing_from_one_actor_to_the_next(world: World) -> None:
    person = await somebody(world)
    await rename(Actor(person=person, request="a test"), person, "Beth")
    assert DB.pool is not None
    held = [await DB.pool.acquire() for _ in range(DB.pool.get_size())]
    for connection in held:
        assert connection.get_reset_query() == ""
        assert not await connection.fetchval("SELECT current_setting('market.person', true)")
        changed = await connection.fetchval(
            "SELECT array_agg(name::text) FROM pg_settings WHERE source = 'session'"
        )
        assert changed is None
        await DB.pool.release(connection)
    ensure_clean()


@pytest.mark.usefixtures("world")
async def test_events_of_one_transaction_keep_the_order_in_which_they_were_recorded(
    superuser: Any,
) -> None:
    @command
    async def busy(actor: Actor) -> int:
        for number in range(7):
            private = {"reason": "Because."} if number % 2 else None
            await record(actor, "test.made", "thing", SUBJECT, private=private, number=number)
        return 7

    assert await busy(ACTOR) == 7
    rows = await superuser.fetch(
        "SELECT (details ->> 'number')::integer AS number FROM event WHERE subject = $1"
        " ORDER BY serial",
        SUBJECT,
    )
    assert [row["number"] for row in rows] == list(range(7))
