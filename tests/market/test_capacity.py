"""What is kept for bids before a deadline: with everything else taken, a bid is still accepted."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import httpx
import pytest

from market.door.capacity import Capacity, NoRoom
from market.errors import Busy
from market.settings import Settings
from tests.makers.bids import asked, bid_body, give_bid
from tests.makers.clock import advance_to
from tests.makers.suppliers import admitted_supplier
from tests.makers.tenders import PublishedTender, published_tender
from tests.makers.world import World

PLACES, KEPT = 4, 2


@pytest.fixture
def settings() -> Settings:
    """Settings under which a few requests fill a process."""
    return Settings(
        pool_minimum=1,
        pool_maximum=12,
        requests_per_minute=1_000_000,
        sign_ins_per_minute=100_000,
        requests_at_once=PLACES,
        kept_for_submissions=KEPT,
    )


@asynccontextmanager
async def blocked(world: World, superuser: Any, count: int) -> AsyncIterator[list[Any]]:
    """So many requests that are being worked on and do not come to an end."""
    async with superuser.transaction():
        await superuser.execute("LOCK TABLE service_line IN ACCESS EXCLUSIVE MODE")
        waiting = [asyncio.create_task(world.public("/service-lines")) for _ in range(count)]
        for _ in range(200):
            held = await superuser.fetchval(
                "SELECT count(*) FROM pg_locks WHERE relation = 'service_line'::regclass"
                " AND NOT granted"
            )
            if held >= count or any(task.done() for task in waiting):
                break
            await asyncio.sleep(0.01)
        yield waiting
    for task in waiting:
        answer: httpx.Response = await task
        assert answer.status_code in {200, 503}


async def _in_the_last_minutes(world: World) -> PublishedTender:
    tender = await published_tender(world)
    await advance_to(world, tender.deadline - timedelta(minutes=10))
    return tender


async def test_in_the_last_minutes_a_bid_is_accepted_when_all_other_places_are_taken(
    world: World, superuser: Any
) -> None:
    supplier = await admitted_supplier(world, "Fenland Data")
    tender = await _in_the_last_minutes(world)
    body = bid_body(asked(tender, 1))
    async with blocked(world, superuser, PLACES - KEPT):
        refused = await world.public("/tenders")
        assert (refused.status_code, refused.json()["type"]) == (503, "/problems/no-room")
        assert int(refused.headers["Retry-After"]) > 0
        assert (await world.client.get("/health")).status_code == 200
        given = await give_bid(supplier, tender, 1, body)
        assert given.status_code == 201, given.text
        assert (await supplier.get("/bids")).status_code == 200
        path = f"/bids/{given.json()['bid']}"
        headers = {"Idempotency-Key": "3b1f8a6e-3f0f-4a3c-9d7a-2f6f4f0c9a11"}
        withdrawn = await supplier.delete(path, version=1, headers=headers)
        assert withdrawn.status_code == 200, withdrawn.text
    assert (await world.public("/tenders")).status_code == 200


async def test_before_the_last_minutes_all_places_serve_all(world: World, superuser: Any) -> None:
    await published_tender(world)
    async with blocked(world, superuser, PLACES - 1) as waiting:
        assert (await world.public("/tenders")).status_code == 200
        assert not any(task.done() for task in waiting)


async def test_after_the_deadline_nothing_is_kept(world: World, superuser: Any) -> None:
    tender = await published_tender(world)
    await advance_to(world, tender.deadline + timedelta(seconds=1))
    async with blocked(world, superuser, PLACES - 1):
        assert (await world.public("/tenders")).status_code == 200


# --------------------------------------------------------------------------- the places themselves


def places(
    *, near: bool | Exception, at_once: int = PLACES, kept: int = KEPT, patience: float = 10
) -> Capacity:
    """Places whose deadline is near, far, or unknown."""

    async def closing_soon() -> bool:
        await asyncio.sleep(0)
        asked_for.append(None)
        if isinstance(near, Exception):
            raise near
        return near

    asked_for.clear()
    return Capacity(at_once, kept, closing_soon, patience=patience)


asked_for: list[None] = []
"""How often the database was asked."""


async def test_the_database_is_asked_by_one_request_and_only_when_places_get_short() -> None:
    capacity = places(near=False)
    for _ in range(PLACES - KEPT):
        await capacity.enter(submission=False)
    assert asked_for == []
    await asyncio.gather(*[capacity.enter(submission=False) for _ in range(KEPT)])
    assert (len(asked_for), capacity.taken) == (1, PLACES)


async def test_where_the_database_does_not_say_the_places_are_kept() -> None:
    capacity = places(near=Busy())
    for _ in range(PLACES - KEPT):
        await capacity.enter(submission=False)
    with pytest.raises(NoRoom):
        await capacity.enter(submission=False)
    await capacity.enter(submission=True)


async def test_who_finds_no_place_waits_in_line_and_bids_go_first() -> None:
    capacity = places(near=False, at_once=1, kept=0)
    await capacity.enter(submission=False)
    came: list[str] = []

    async def wait(name: str, *, submission: bool) -> None:
        await capacity.enter(submission=submission)
        came.append(name)
        capacity.leave(submission=submission)

    async with asyncio.TaskGroup() as group:
        group.create_task(wait("first", submission=False))
        group.create_task(wait("second", submission=False))
        await asyncio.sleep(0.01)
        group.create_task(wait("bid", submission=True))
        await asyncio.sleep(0.01)
        capacity.leave(submission=False)
    assert came == ["bid", "first", "second"]
    assert capacity.taken == 0


async def test_who_waits_too_long_is_refused_and_who_gives_up_leaves_the_line() -> None:
    capacity = places(near=False, at_once=1, kept=0, patience=0.05)
    await capacity.enter(submission=True)
    with pytest.raises(Busy):
        await capacity.enter(submission=True)
    patient = asyncio.create_task(capacity.enter(submission=False))
    await asyncio.sleep(0.01)
    patient.cancel()
    await asyncio.gather(patient, return_exceptions=True)
    capacity.leave(submission=True)
    assert capacity.taken == 0
    await capacity.enter(submission=False)
    assert capacity.taken == 1


async def test_places_are_never_lost_or_made_whatever_becomes_of_requests() -> None:
    capacity = places(near=True, at_once=5, kept=2)
    seen: list[int] = []

    async def visit(number: int) -> None:
        submission = number % 3 == 0
        try:
            await capacity.enter(submission=submission)
        except NoRoom:
            return
        seen.append(capacity.taken)
        try:
            await asyncio.sleep(0.001 * (number % 4))
        finally:
            capacity.leave(submission=submission)

    tasks = [asyncio.create_task(visit(number)) for number in range(200)]
    await asyncio.sleep(0.005)
    for task in tasks[::7]:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert capacity.taken == 0
    assert max(seen) == 5


async def test_whoever_sends_or_reads_slowly_holds_no_place() -> None:
    capacity = places(near=False)
    arrived, read = asyncio.Event(), asyncio.Event()
    taken: dict[str, int] = {}

    class _Handler:
        opt = {"submission": True}  # noqa: RUF012  # as a route's handler has it

    async def app(_: Any, receive: Any, send: Any) -> None:
        taken["before"] = capacity.taken
        await receive()
        taken["after the body"] = capacity.taken
        await send({"type": "http.response.start", "status": 200, "headers": []})
        taken["answering"] = capacity.taken

    async def receive() -> Any:
        taken["waiting"] = capacity.taken
        arrived.set()
        await read.wait()
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(_: Any) -> None:
        return

    scope: Any = {"type": "http", "route_handler": _Handler}
    visit = asyncio.ensure_future(capacity.middleware(app)(scope, receive, send))
    await arrived.wait()
    assert capacity.taken == 0
    read.set()
    await visit
    assert taken == {"before": 1, "waiting": 0, "after the body": 1, "answering": 0}
    assert capacity.taken == 0
