"""Writers that commit out of order, crash and hang, workers that are killed: nothing is lost.

`LOG_STORM_SECONDS` says how long each round writes (8), `LOG_STORM_ROUNDS` how many rounds (2).
"""

import asyncio
import contextlib
import os
import random
import signal
import statistics
import sys
import time
from collections import defaultdict
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest
from msgspec import Struct, field

from market.actor import Role
from tests.conftest import Databases
from tests.faults.processes import Process, environment, running
from tests.makers.world import Person, World

SECONDS = float(os.environ.get("LOG_STORM_SECONDS", "8"))
ROUNDS = int(os.environ.get("LOG_STORM_ROUNDS", "2"))
WRITERS = 24
SUBJECTS = 40
_EVENT = """
INSERT INTO event (id, action, subject_kind, subject, tender, request, details)
VALUES ($1, 'test.made', 'thing', $2, $3, 'storm', jsonb_build_object('number', $4::int))
"""
_HOLD = "UPDATE storm_thing SET number = number + 1 WHERE id = $1 RETURNING number"
_AFTER = """
SELECT position, event FROM event_position WHERE position > $1 ORDER BY position LIMIT 500
"""


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")


class Written(Struct):
    """What the writers know: what was acknowledged, and what has an outcome nobody knows."""

    acknowledged: dict[UUID, float] = field(default_factory=dict)
    unknown: set[UUID] = field(default_factory=set)
    undone: int = 0


class Reader(Struct):
    """Somebody who follows positions, and when they saw each."""

    seen: list[tuple[int, UUID]] = field(default_factory=list)
    when: dict[UUID, float] = field(default_factory=dict)


async def _write(
    databases: Databases, writer: Person, things: list[UUID], until: float, found: Written
) -> None:
    """One writer after another in one place: each commits late, undoes, or dies."""
    chance = random.Random()  # noqa: S311  # no secret
    named = {"market.person": str(writer.id), "market.organisation": str(writer.organisation)}
    while time.monotonic() < until:
        connection = await asyncpg.connect(**databases.superuser, server_settings=named)
        try:
            while time.monotonic() < until:
                if not await _one(connection, things, chance, found):
                    break
        finally:
            connection.terminate()


async def _one(connection: Any, things: list[UUID], chance: random.Random, found: Written) -> bool:
    """One transaction of one to three events; False where the connection was lost with it."""
    fate = chance.random()
    events = [uuid4() for _ in range(chance.randint(1, 3))]
    await connection.execute("BEGIN")
    for event, thing in zip(
        events, sorted(chance.sample(things, len(events))), strict=True
    ):  # in one order, so that none waits for another in a ring
        number = await connection.fetchval(_HOLD, thing)
        tender = thing if thing.int % 3 else None
        await connection.execute(_EVENT, event, thing, tender, number)
    await asyncio.sleep(chance.expovariate(200))
    if fate < 0.03:  # dies before it commits
        found.undone += 1
        return False
    if fate < 0.06:
        await connection.execute("ROLLBACK")
        found.undone += 1
        return True
    if fate < 0.09:  # dies while it commits: nobody knows
        found.unknown.update(events)
        commit = asyncio.create_task(connection.execute("COMMIT"))
        await asyncio.sleep(chance.random() * 0.002)
        connection.terminate()
        with contextlib.suppress(Exception):
            await commit
        return False
    await connection.execute("COMMIT")
    now = time.monotonic()
    found.acknowledged.update(dict.fromkeys(events, now))
    return True


async def _follow(databases: Databases, reader: Reader, stop: asyncio.Event) -> None:
    connection = await asyncpg.connect(**databases.app)
    after = reader.seen[-1][0] if reader.seen else 0
    while True:
        ending = stop.is_set()
        rows = await connection.fetch(_AFTER, after)
        now = time.monotonic()
        for row in rows:
            reader.seen.append((row["position"], row["event"]))
            reader.when.setdefault(row["event"], now)
        if rows:
            after = rows[-1]["position"]
        elif ending:
            break
        await asyncio.sleep(0.01)
    await connection.close()


async def _follow_feed(person: Person, reader: Reader, stop: asyncio.Event) -> None:
    """Somebody who follows the API's feed as its documentation says, for as long as it goes on."""
    after = 0
    while True:
        ending = stop.is_set()
        answer = await person.get(f"/events?after={after}&limit=500&wait=1")
        assert answer.status_code == 200, answer.text
        page = answer.json()
        now = time.monotonic()
        for item in page["items"]:
            reader.seen.append((item["position"], UUID(item["id"])))
            reader.when.setdefault(UUID(item["id"]), now)
        after = page["next"]
        if ending and not page["items"] and not page["more"]:
            break


async def _kill_now_and_then(workers: list[Process], until: float) -> int:
    kills = 0
    while time.monotonic() < until:
        await asyncio.sleep(random.uniform(0.4, 1.2))  # noqa: S311
        victim = random.choice(workers)  # noqa: S311
        if victim.alive:
            how = random.choice((signal.SIGKILL, signal.SIGKILL, signal.SIGSTOP))  # noqa: S311
            victim.kill(how)
            kills += 1
            await asyncio.sleep(0.2)
        if how is signal.SIGSTOP:
            await asyncio.sleep(0.5)
            victim.kill()
        victim.start()
    return kills


async def _all_numbered(superuser: Any, within: float) -> None:
    end = time.monotonic() + within
    while time.monotonic() < end:
        if not await superuser.fetchval(
            "SELECT EXISTS (SELECT 1 FROM event e WHERE NOT EXISTS ("
            "SELECT 1 FROM event_position p WHERE p.event = e.id))"
        ):
            return
        await asyncio.sleep(0.05)
    pytest.fail(f"After {within} seconds there are committed events without a position.")


@pytest.fixture
async def things(superuser: Any) -> list[UUID]:
    made = [uuid4() for _ in range(SUBJECTS)]
    await superuser.execute("CREATE TABLE storm_thing (id uuid PRIMARY KEY, number int NOT NULL)")
    await superuser.executemany("INSERT INTO storm_thing VALUES ($1, 0)", [(one,) for one in made])
    return made


async def _ensure_whole(
    superuser: Any, found: Written, reader: Reader, of_feed: Reader, writer: Person
) -> None:
    """Every committed event exactly once, no gap, nothing skipped, subjects in their order."""
    committed = {row["id"] for row in await superuser.fetch("SELECT id FROM event")}
    assert set(found.acknowledged) <= committed
    rows = await superuser.fetch(
        "SELECT p.position, p.event, p.tender, p.tender_number, e.subject, e.details, e.request,"
        " e.person"
        " FROM event_position p JOIN event e ON e.id = p.event ORDER BY p.position"
    )
    assert [row["position"] for row in rows] == list(range(1, len(rows) + 1))
    assert {row["event"] for row in rows} == committed
    assert reader.seen == [(row["position"], row["event"]) for row in rows]
    own = [(row["position"], row["event"]) for row in rows if row["person"] == writer.id]
    known = set(own)
    assert [one for one in of_feed.seen if one in known] == own
    assert len({position for position, _ in of_feed.seen}) == len(of_feed.seen)
    assert of_feed.seen == sorted(of_feed.seen)
    numbers = defaultdict(list)
    order = defaultdict(list)
    for row in rows:
        if row["tender"] is not None:
            numbers[row["tender"]].append(row["tender_number"])
        if row["request"] == "storm":
            order[row["subject"]].append(int(row["details"].split(":")[1].strip(" }")))
    assert all(given == list(range(1, len(given) + 1)) for given in numbers.values())
    assert all(kept == sorted(kept) for kept in order.values())


async def test_writers_crash_workers_are_killed_and_every_committed_event_appears_once(
    world: World, databases: Databases, superuser: Any, things: list[UUID], tmp_path: Path
) -> None:
    found, reader, of_feed, kills = Written(), Reader(), Reader(), 0
    writer = await world.person("Ines Weather", await world.organisation("06F"), Role.COMMISSIONER)
    over = asyncio.Event()
    feeding = asyncio.create_task(_follow_feed(writer, of_feed, over))
    variables = environment(databases, tmp_path)
    workers = [Process(["worker"], variables) for _ in range(2)]
    with running(*workers):
        for _ in range(ROUNDS):
            stop = asyncio.Event()
            following = asyncio.create_task(_follow(databases, reader, stop))
            hanging = await asyncpg.connect(**databases.superuser)
            await hanging.execute("BEGIN")
            late = uuid4()
            await hanging.execute(_EVENT, late, uuid4(), None, 0)
            until = time.monotonic() + SECONDS
            killing = asyncio.create_task(_kill_now_and_then(workers, until))
            await asyncio.gather(
                *(_write(databases, writer, things, until, found) for _ in range(WRITERS))
            )
            kills += await killing
            numbered = await superuser.fetchval("SELECT count(*) FROM event_position")
            assert numbered > len(found.acknowledged) // 2, "a hung transaction held up others"
            await hanging.execute("COMMIT")
            found.acknowledged[late] = time.monotonic()
            await hanging.close()
            await _all_numbered(superuser, within=15)
            stop.set()
            await following
        over.set()
        await feeding
    await _ensure_whole(superuser, found, reader, of_feed, writer)
    transactions = len(found.acknowledged) // 2
    assert kills >= ROUNDS
    _say(
        f"\n{len(found.acknowledged)} acknowledged events of about {transactions} transactions,"
        f" {len(found.unknown)} of unknown outcome, {found.undone} transactions undone,"
        f" {kills} workers killed or halted: all of {len(reader.seen)} committed events once,"
        f" and the feed gave {len(of_feed.seen)} of them to their writer, each once and in order"
    )


def _distribution(name: str, waits: list[float]) -> str:
    waits = sorted(waits)
    at = {part: waits[int(len(waits) * part)] * 1000 for part in (0.5, 0.9, 0.99, 0.999)}
    told = ", ".join(f"p{part * 100:g} {value:.0f} ms" for part, value in at.items())
    return f"{name}: {told}, most {waits[-1] * 1000:.0f} ms, of {len(waits)}"


async def _write_steadily(databases: Databases, each: float, until: float, found: Written) -> None:
    connection = await asyncpg.connect(**databases.superuser)
    due = time.monotonic() + random.uniform(0, each)  # noqa: S311
    while due < until:
        await asyncio.sleep(max(0.0, due - time.monotonic()))
        event = uuid4()
        await connection.execute(_EVENT, event, uuid4(), uuid4(), 1)
        found.acknowledged[event] = time.monotonic()
        due += each
    await connection.close()


@pytest.mark.parametrize("hung", [False, True])
async def test_at_five_hundred_events_a_second_a_position_comes_within_a_quarter_of_a_second(
    databases: Databases, superuser: Any, tmp_path: Path, *, hung: bool
) -> None:
    """The worker does everything it does: numbers, hashes, signs."""
    found, reader, stop = Written(), Reader(), asyncio.Event()
    with running(Process(["worker"], environment(databases, tmp_path))):
        await superuser.execute(_EVENT, uuid4(), uuid4(), None, 0)
        await _all_numbered(superuser, within=15)
        hanging = await asyncpg.connect(**databases.superuser)
        if hung:
            await hanging.execute("BEGIN")
            await hanging.execute(_EVENT, uuid4(), uuid4(), None, 0)
        following = asyncio.create_task(_follow(databases, reader, stop))
        until = time.monotonic() + SECONDS
        await asyncio.gather(
            *(_write_steadily(databases, 10 / 500, until, found) for _ in range(10))
        )
        await asyncio.sleep(1)
        stop.set()
        await following
        await hanging.close()
    waits = [reader.when[event] - moment for event, moment in found.acknowledged.items()]
    rate = len(waits) / SECONDS
    _say("\n" + _distribution(f"commit to position at {rate:.0f} events/s, {hung=}", waits))
    assert rate > 450
    assert statistics.quantiles(waits, n=100)[98] < 0.25


async def test_when_the_holder_dies_another_takes_over_within_seconds(
    databases: Databases, superuser: Any, tmp_path: Path
) -> None:
    variables = environment(databases, tmp_path)
    first, second = Process(["worker"], variables), Process(["worker"], variables)
    waits = []
    with running(first, second):
        await asyncio.sleep(3)
        for victim in (first, second, first, second):
            victim.kill()
            event, died = uuid4(), time.monotonic()
            await superuser.execute(_EVENT, event, uuid4(), None, 0)
            while not await superuser.fetchval(
                "SELECT EXISTS (SELECT 1 FROM event_position WHERE event = $1)", event
            ):
                assert time.monotonic() - died < 5
                await asyncio.sleep(0.01)
            waits.append(time.monotonic() - died)
            victim.start()
            await asyncio.sleep(2.5)
    _say(f"\ntaken over after {', '.join(f'{wait * 1000:.0f} ms' for wait in waits)}")
