"""Whoever follows the feed misses nothing and gets nothing twice, whoever writes meanwhile."""

import asyncio
import random
from typing import Any
from uuid import UUID, uuid4

import asyncpg

from market.background import Workbench
from tests.conftest import Databases
from tests.makers.feed import feed, followed, numbering, page
from tests.makers.systems import answerable
from tests.makers.world import Person, World

WRITERS, ACTS = 20, 25
_ACT = """
INSERT INTO event (id, action, subject_kind, subject, request, details)
VALUES ($1, 'test.made', 'thing', $2, 'test', $3)
"""


async def _write(databases: Databases, person: Person, seed: int) -> list[UUID]:
    """Commit acts after pauses of any length, on the way undoing some, and say which were kept."""
    chance = random.Random(seed)  # noqa: S311  # no secret
    connection = await asyncpg.connect(**databases.superuser)
    await connection.execute("SELECT set_config('market.person', $1, false)", str(person.id))
    kept = []
    subject = uuid4()
    for number in range(ACTS):
        transaction = connection.transaction()
        await transaction.start()
        event = uuid4()
        await connection.execute(_ACT, event, subject, f'{{"number": {number}}}')
        await asyncio.sleep(chance.choice((0, 0, 0.005, 0.05)))
        if chance.random() < 0.1:
            await transaction.rollback()
        else:
            await transaction.commit()
            kept.append(event)
    await connection.close()
    return kept


async def _follow(reader: Person, last: UUID, limit: int) -> list[dict[str, Any]]:
    seen: list[dict[str, Any]] = []
    after = 0
    while not seen or seen[-1]["id"] != str(last):
        found = await page(reader, f"after={after}&limit={limit}&wait=5&type=test.*")
        seen += found["items"]
        after = found["next"]
    return seen


async def _stream(reader: Person, last: UUID) -> list[dict[str, Any]]:
    """Follow by streams that break off after every hundred events."""
    seen: list[dict[str, Any]] = []
    position = "0"
    while not seen or seen[-1]["id"] != str(last):
        async with followed(reader, "type=test.*", last_event_id=position) as stream:
            for _ in range(100):
                said = await stream.said()
                assert said is not None
                position = said.id
                if said.event != "next":
                    seen.append(said.data)
                    if said.data["id"] == str(last):
                        break
    return seen


async def test_followers_of_twenty_writers_who_commit_out_of_order_miss_nothing(
    world: World, databases: Databases, bench: Workbench, superuser: Any
) -> None:
    boss = await answerable(world)
    last = uuid4()
    async with numbering(bench):
        followers = [
            asyncio.create_task(_follow(boss, last, 7)),
            asyncio.create_task(_follow(boss, last, 500)),
            asyncio.create_task(_stream(boss, last)),
        ]
        kept = await asyncio.gather(*(_write(databases, boss, n) for n in range(WRITERS)))
        await superuser.execute("SELECT set_config('market.person', $1, false)", str(boss.id))
        await superuser.execute(_ACT, last, uuid4(), '{"number": 0}')
        async with asyncio.timeout(30):
            seen = await asyncio.gather(*followers)
    committed = {str(event) for events in kept for event in events} | {str(last)}
    for items in seen:
        assert len(items) == len(committed)
        assert {item["id"] for item in items} == committed
        positions = [item["position"] for item in items]
        assert positions == sorted(set(positions))
        for subject in {item["subject"] for item in items}:
            numbers = [one["details"]["number"] for one in items if one["subject"] == subject]
            assert numbers == sorted(numbers)
    assert seen[0] == seen[1] == seen[2]


async def test_reading_from_the_beginning_again_gives_the_same(
    world: World, databases: Databases, bench: Workbench
) -> None:
    boss = await answerable(world)
    async with numbering(bench):
        await asyncio.gather(*(_write(databases, boss, n) for n in range(3)))
        await asyncio.sleep(0.3)
    first = await feed(boss)
    assert len(first) > ACTS
    assert await feed(boss) == first
    middle = first[len(first) // 2]["position"]
    assert await feed(boss, after=middle) == [one for one in first if one["position"] > middle]
