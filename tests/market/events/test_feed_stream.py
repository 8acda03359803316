"""The feed as Server-Sent Events: as they come, gone on with after a break, ended in order."""

import asyncio
import time
from typing import Any

import pytest

from market.background import Workbench
from market.database import DB
from market.settings import Settings
from tests.makers.feed import (
    Stream,
    end_session,
    feed,
    followed,
    newest,
    number,
    numbering,
    sign,
    until,
)
from tests.makers.systems import answerable, api_key
from tests.makers.world import World

HEARTBEAT, LIFETIME, CHECK = 0.3, 2.0, 0.4


@pytest.fixture
def settings() -> Settings:
    """Settings under which a stream lives through in two seconds what takes ten minutes."""
    return Settings(
        pool_minimum=1,
        pool_maximum=12,
        requests_per_minute=1_000_000,
        sign_ins_per_minute=100_000,
        requests_at_once=1,
        kept_for_submissions=0,
        feed_heartbeat=HEARTBEAT,
        feed_stream_lifetime=LIFETIME,
        feed_session_check=CHECK,
    )


async def rest_of(stream: Stream) -> list[str]:
    """What a stream says until it ends, block by block."""
    blocks = []
    while (block := await stream.block()) is not None:
        blocks.append(block)
    return blocks


async def test_a_stream_says_what_there_is_and_then_what_comes(
    world: World, bench: Workbench
) -> None:
    boss = await answerable(world)
    await api_key(boss)
    await number(bench)
    before = await feed(boss)
    async with numbering(bench), followed(boss) as stream:
        assert stream.status == 200
        assert stream.headers["content-type"].startswith("text/event-stream")
        assert stream.headers["cache-control"] == "no-store"
        assert stream.headers["vary"] == "Accept"
        assert await stream.block() == "retry: 3000"
        said = [await stream.said() for _ in before]
        assert [one.data for one in said if one] == before
        assert [(one.id, one.event) for one in said if one] == [
            (str(item["position"]), item["type"]) for item in before
        ]
        began = time.monotonic()
        await api_key(boss)
        while (one := await stream.said()) is not None and one.event == "next":
            pass
        assert time.monotonic() - began < 1
    assert one is not None
    assert one.event == "api_key.made"


async def test_whoever_comes_again_goes_on_after_the_last_id_whatever_else_they_ask(
    world: World, bench: Workbench
) -> None:
    boss = await answerable(world)
    for _ in range(4):
        await api_key(boss)
    await number(bench)
    async with followed(boss, "after=0&type=api_key.*&limit=1") as stream:
        first = [await stream.said() for _ in range(2)]
    assert first[1] is not None
    async with followed(boss, "after=0&type=api_key.*", last_event_id=first[1].id) as stream:
        second = [await stream.said() for _ in range(2)]
    ids = [one.id for one in first + second if one]
    assert ids == [str(item["position"]) for item in await feed(boss, "type=api_key.*")]


async def test_whoever_sees_nothing_is_told_from_where_to_go_on_as_far_as_is_signed(
    world: World, bench: Workbench
) -> None:
    boss = await answerable(world)
    signed = await sign(bench)
    await api_key(boss)
    await number(bench)
    async with followed(world, "after=0") as stream:
        assert await stream.block() == "retry: 3000"
        one = await stream.said()
        assert one is not None
        assert (one.event, one.id, one.data) == ("next", str(signed), {"next": signed})
        assert await stream.block() == ":"
        await api_key(boss)  # not seen, and so not told of
        await number(bench)
        assert await stream.block() == ":"
        assert await stream.block() == ":"
        further = await sign(bench)
        await api_key(boss)
        await number(bench)
        two = await stream.said()
        assert two is not None
        assert (two.event, two.id) == ("next", str(further))


async def test_a_stream_on_which_nothing_happens_gives_signs_of_life(
    world: World, bench: Workbench
) -> None:
    after = await newest(bench)
    async with followed(world, f"after={after}") as stream:
        assert await stream.block() == "retry: 3000"
        for _ in range(3):
            began = time.monotonic()
            assert await stream.block() == ":"
            assert time.monotonic() - began < 3 * HEARTBEAT


async def test_a_stream_ends_by_itself_and_says_how_far_it_was(
    world: World, bench: Workbench
) -> None:
    boss = await answerable(world)
    after = await newest(bench)
    began = time.monotonic()
    async with followed(world, f"after={after}") as stream:
        await asyncio.sleep(LIFETIME - 0.6)
        await api_key(boss)
        signed = await sign(bench)
        await api_key(boss)
        await number(bench)
        blocks = await rest_of(stream)
        watch = stream.watch
    assert LIFETIME <= time.monotonic() - began < LIFETIME + 1
    positions = [block.splitlines()[0] for block in blocks if "event: next" in block]
    assert positions[-1] == f"id: {signed}"
    assert watch.waiting == 0


async def test_a_stream_ends_when_its_reader_s_session_does(
    world: World, bench: Workbench, superuser: Any
) -> None:
    boss = await answerable(world)
    after = await newest(bench)
    async with followed(boss, f"after={after}") as stream:
        await end_session(superuser, boss)
        began = time.monotonic()
        await rest_of(stream)
        assert time.monotonic() - began < CHECK + 1


async def test_a_stream_ends_when_its_reader_leaves_the_organisation(
    world: World, bench: Workbench
) -> None:
    boss, other = await answerable(world), await answerable(world, "Other")
    memberships = await other.get(f"/organisations/{boss.organisation}/memberships")
    [membership] = [one for one in memberships.json()["items"] if one["person"] == str(boss.id)]
    after = await newest(bench)
    async with followed(boss, f"after={after}") as stream:
        assert (await other.delete(f"/memberships/{membership['id']}")).status_code == 204
        began = time.monotonic()
        await rest_of(stream)
        assert time.monotonic() - began < CHECK + 1


async def test_who_follows_holds_neither_a_place_nor_a_connection(
    world: World, bench: Workbench
) -> None:
    """One place is all this process has."""
    after = await newest(bench)
    async with followed(world, f"after={after}") as one, followed(world, f"after={after}"):
        assert one.watch.waiting == 2
        for _ in range(5):
            assert (await world.public("/tenders")).status_code == 200
        pool = DB.pool
        assert pool is not None
        assert pool.get_idle_size() >= pool.get_size() - 1  # the look at the log, at the most


async def test_a_client_that_goes_away_frees_everything(world: World, bench: Workbench) -> None:
    after = await newest(bench)
    async with followed(world, f"after={after}") as stream:
        watch = stream.watch
        await stream.block()
        began = time.monotonic()
        await stream.close()
        assert time.monotonic() - began < 1
        assert watch.waiting == 0
        await until(lambda: not watch.looking)


async def test_a_client_that_does_not_read_is_let_go_of(
    world: World, bench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("market.events.streams._SLOW", -LIFETIME + 0.5)
    async with followed(world, f"after={await newest(bench)}") as stream:
        stream.take_no_more()
        began = time.monotonic()
        await until(lambda: stream.watch.waiting == 0)
        assert time.monotonic() - began < 1


async def test_when_the_process_is_asked_to_stop_streams_end_at_once(
    world: World, bench: Workbench
) -> None:
    after = await newest(bench)
    async with followed(world, f"after={after}") as stream:
        await stream.block()
        began = time.monotonic()
        stream.watch.end()
        await rest_of(stream)
        assert time.monotonic() - began < HEARTBEAT
