"""Waiting for events: woken soon, at no cost to others, never longer than asked."""

import asyncio
import time
from typing import Any

import pytest

from market.background import Workbench
from market.database import DB
from market.settings import Settings
from tests.makers.feed import (
    asked,
    awaited,
    end_session,
    newest,
    number,
    numbering,
    page,
    types,
    until,
)
from tests.makers.systems import answerable, api_key, keyed
from tests.makers.world import World

AT_ONCE, EACH = 3, 2


@pytest.fixture
def settings() -> Settings:
    """Settings under which few may wait, and one request fills the process."""
    return Settings(
        pool_minimum=1,
        pool_maximum=2,
        requests_per_minute=1_000_000,
        sign_ins_per_minute=100_000,
        requests_at_once=1,
        kept_for_submissions=0,
        feed_waiters=AT_ONCE,
        feed_waiters_each=EACH,
    )


async def test_who_waits_is_answered_within_a_second_of_the_event(
    world: World, bench: Workbench
) -> None:
    boss = await answerable(world)
    after = await newest(bench)
    async with numbering(bench), awaited(boss, f"after={after}&wait=20") as waiting:
        began = time.monotonic()
        await api_key(boss)
        await waiting.begun()
        assert time.monotonic() - began < 1
        found = await waiting.body()
    assert types(found["items"]) == ["api_key.made"]
    assert found["next"] == found["items"][-1]["position"]


async def test_who_waits_in_vain_is_told_so_in_time_and_not_of_what_they_do_not_see(
    world: World, bench: Workbench
) -> None:
    boss, stranger = await answerable(world), world
    after = await newest(bench)
    began = time.monotonic()
    async with numbering(bench), awaited(stranger, f"after={after}&wait=1") as waiting:
        await api_key(boss)  # which a stranger does not see
        await waiting.begun()
        found = await waiting.body()
    assert 1 <= time.monotonic() - began < 2
    assert found == {"items": [], "next": after, "more": False}


async def test_nobody_waits_where_there_is_something_already(
    world: World, bench: Workbench
) -> None:
    boss = await answerable(world)
    await api_key(boss)
    await number(bench)
    began = time.monotonic()
    assert (await page(boss, "wait=20"))["items"]
    assert time.monotonic() - began < 1


async def test_waiting_takes_no_place_and_no_connection_from_others(
    world: World, bench: Workbench
) -> None:
    """One place is all this process has."""
    boss = await answerable(world)
    after = await newest(bench)
    async with (
        awaited(boss, f"after={after}&wait=20"),
        awaited(world, f"after={after}&wait=20") as second,
    ):
        await until(lambda: second.watch.waiting == 2)
        for _ in range(5):
            answer = await world.public("/tenders")
            assert answer.status_code == 200, answer.text
            await asyncio.sleep(0.05)
        pool = DB.pool
        assert pool is not None
        free = 0
        for _ in range(20):  # one look every tenth of a second, of a millisecond or two
            free += pool.get_idle_size() == pool.get_size()
            await asyncio.sleep(0.02)
        assert free >= 15


async def test_the_log_is_looked_at_by_one_task_and_only_while_somebody_waits(
    world: World, bench: Workbench
) -> None:
    after = await newest(bench)
    async with (
        awaited(world, f"after={after}&wait=20") as first,
        awaited(world, f"after={after}&wait=20") as second,
    ):
        await until(lambda: first.watch.waiting == 2)
        assert first.watch is second.watch
        looking = [task for task in asyncio.all_tasks() if task.get_name() == "feed"]
        assert len(looking) == 1
        watch = first.watch
    await until(lambda: not watch.looking)
    assert watch.waiting == 0


async def test_one_reader_waits_in_so_many_requests_and_a_process_holds_so_many(
    world: World, bench: Workbench
) -> None:
    boss, other = await answerable(world), await answerable(world, "Other")
    system = await keyed(other)
    after = await newest(bench)
    query = f"after={after}&wait=20"
    async with awaited(boss, query) as first, awaited(boss, query):
        await until(lambda: first.watch.waiting == EACH)
        for accept in ("application/json", "text/event-stream"):
            more = await asked(boss, query, headers={"Accept": accept})
            assert (more.status_code, more.json()["type"]) == (429, "/problems/waits-elsewhere")
            assert int(more.headers["Retry-After"]) > 0
        assert (await asked(boss, f"after={after}")).status_code == 200
        async with awaited(system, query):
            await until(lambda: first.watch.waiting == AT_ONCE)
            for accept in ("application/json", "text/event-stream"):
                more = await asked(other, query, headers={"Accept": accept})
                assert (more.status_code, more.json()["type"]) == (503, "/problems/no-room-to-wait")
                assert int(more.headers["Retry-After"]) > 0
    await until(lambda: first.watch.waiting == 0)


async def test_a_client_that_goes_away_frees_everything(world: World, bench: Workbench) -> None:
    after = await newest(bench)
    async with awaited(world, f"after={after}&wait=30") as waiting:
        watch = waiting.watch
        began = time.monotonic()
        await waiting.close()
        assert time.monotonic() - began < 1
        assert watch.waiting == 0
        await until(lambda: not watch.looking)
    assert (await world.public("/tenders")).status_code == 200


async def test_a_session_that_ends_while_its_holder_waits_is_told_nothing_more(
    world: World, bench: Workbench, superuser: Any
) -> None:
    boss = await answerable(world)
    after = await newest(bench)
    async with awaited(boss, f"after={after}&wait=20") as waiting:
        await end_session(superuser, boss)
        await number(bench)
        await waiting.begun()
        assert waiting.status == 401
        assert (await waiting.body())["type"] == "/problems/not-signed-in"


async def test_when_the_process_is_asked_to_stop_nobody_waits_any_longer(
    world: World, bench: Workbench
) -> None:
    after = await newest(bench)

    async with awaited(world, f"after={after}&wait=30") as waiting:
        began = time.monotonic()
        waiting.watch.end()
        await waiting.begun()
        assert await waiting.body() == {"items": [], "next": after, "more": False}
        found = await page(world, f"after={after}&wait=30")
        assert time.monotonic() - began < 1
    assert found["next"] == after


async def test_a_database_that_does_not_answer_keeps_who_waits_no_longer_than_they_asked(
    world: World, bench: Workbench, superuser: Any
) -> None:
    after = await newest(bench)
    began = time.monotonic()
    async with awaited(world, f"after={after}&wait=2") as waiting:
        await superuser.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND usename = 'market_app'"
        )
        await waiting.begun()
        assert waiting.status == 200
    assert time.monotonic() - began < 4
