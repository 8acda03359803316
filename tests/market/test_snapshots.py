"""What is kept of one test's world is the next one's own, and as if it had been built for it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import timedelta
from typing import Any

import asyncpg
import pytest

from market.actor import Role
from market.embedded import EmbeddedPostgres
from market.settings import Settings
from market.vault import Vault
from tests.conftest import own_databases, own_world
from tests.makers import snapshots
from tests.makers.bids import close_bidding, some_suppliers, submit
from tests.makers.clock import advance_to, registrar
from tests.makers.databases import Databases
from tests.makers.evaluation import locked_lot, lot_to_score
from tests.makers.snapshots import Incomparable, Kept, comparable
from tests.makers.tenders import drafted_tender, market_time, published_tender
from tests.makers.world import World

OF_THE_SERVICE = {"service_beat"}
"""What tells when the market last served, which no clone takes over."""

Fresh = Callable[[], AbstractAsyncContextManager[tuple[World, Databases]]]


@pytest.fixture
async def kept(server: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Kept]:
    """Nothing that other tests left; what is asked for once is kept."""
    of_its_own = Kept()
    monkeypatch.setattr(snapshots, "KEPT", of_its_own)
    monkeypatch.setattr(snapshots, "WORTH_KEEPING", 1)
    yield of_its_own
    await snapshots.forget(server.connection.parameters())


@pytest.fixture
def fresh(server: EmbeddedPostgres, template: str, settings: Settings, vault: Vault) -> Fresh:
    """One test's world after another, as every test is given it."""

    @asynccontextmanager
    async def opened() -> AsyncIterator[tuple[World, Databases]]:
        async with (
            own_databases(server, template) as databases,
            own_world(databases, settings, vault) as world,
        ):
            yield world, databases

    return opened


async def _contents(databases: Databases) -> dict[str, list[str]]:
    connection = await asyncpg.connect(**databases.superuser)
    names = await connection.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    found = {
        name: [
            row["text"]
            for row in await connection.fetch(f'SELECT t::text AS text FROM "{name}" t ORDER BY 1')  # noqa: S608  # the name is the catalogue's own
        ]
        for (name,) in names
        if name not in OF_THE_SERVICE
    }
    await connection.close()
    return found


async def _value(databases: Databases, sql: str) -> Any:
    connection = await databases.connect()
    try:
        return await connection.fetchval(sql)
    finally:
        await connection.close()


async def test_a_clone_is_what_was_built(fresh: Fresh, kept: Kept) -> None:
    async with fresh() as (world, databases):
        lot = await lot_to_score(world)
        seen = [await lot.evaluation(person) for person in lot.tender.everybody()[:1]]
        known = (lot.id, lot.pseudonyms, lot.tender.version, lot.opened.bids.values())
        built = await _contents(databases)
    async with fresh() as (world, databases):
        lot = await lot_to_score(world)
        assert kept.hits == 1
        assert lot.world is world
        assert {person.client for person in lot.tender.everybody()} == {world.client}
        assert [await lot.evaluation(person) for person in lot.tender.everybody()[:1]] == seen
        again = (lot.id, lot.pseudonyms, lot.tender.version, lot.opened.bids.values())
        assert [*map(list, map(str, again))] == [*map(list, map(str, known))]
        assert await _contents(databases) == built


async def test_nobody_sees_what_another_test_changed(fresh: Fresh, kept: Kept) -> None:
    async with fresh() as (world, _):
        lot = await lot_to_score(world)
        await lot.score(lot.tender.quality_evaluators[0], 0, "Q2", "2")
        lot.tender.requirement.clear()  # what the test does to the answer is its own affair, too
        await advance_to(world, lot.tender.deadline + timedelta(days=9))
    for hits in (1, 2):
        async with fresh() as (world, databases):
            lot = await lot_to_score(world)
            assert kept.hits == hits
            assert lot.tender.requirement
            assert await market_time(world) < lot.tender.deadline + timedelta(days=1)
            scored = await lot.score(lot.tender.quality_evaluators[0], 0, "Q2", "5")
            assert scored.status_code == 201, scored.text
            assert await _value(databases, "SELECT count(*) FROM score") == 1


async def test_time_and_the_registrar_come_along(fresh: Fresh, kept: Kept) -> None:
    async with fresh() as (world, _):
        lot = await lot_to_score(world)
        keeper = await registrar(world)
    async with fresh() as (world, _):
        lot = await lot_to_score(world)
        assert await market_time(world) > lot.tender.deadline
        assert (await registrar(world)).token == keeper.token
        assert (await (await registrar(world)).get("/supplier-applications")).status_code == 200
    assert kept.hits == 1


async def test_no_silence_of_the_service_is_noticed_in_a_clone(fresh: Fresh, kept: Kept) -> None:
    for _ in range(2):
        async with fresh() as (world, databases):
            await published_tender(world)
            await world.public("/clock")
            assert await _value(databases, "SELECT count(*) FROM interruption") == 0
            assert await _value(databases, "SELECT beaten_at IS NOT NULL FROM service_beat")
    assert kept.hits == 1


async def test_further_steps_are_known_by_those_before_them(fresh: Fresh, kept: Kept) -> None:
    for hits in (0, 2):
        async with fresh() as (world, _):
            tender = await published_tender(world)
            (first, second) = await some_suppliers(world, 2)
            assert kept.hits == hits
            assert (await submit(first, tender, 1))["bid"]
    async with fresh() as (world, _):
        # the same suppliers after other steps are others
        await drafted_tender(world)
        others = await some_suppliers(world, 2)
        assert kept.hits == 2
        assert {person.id for person in others}.isdisjoint({first.id, second.id})


async def test_what_comes_later_begins_from_what_comes_earlier(fresh: Fresh, kept: Kept) -> None:
    async with fresh() as (world, _):
        scored = await lot_to_score(world)
    async with fresh() as (world, _):
        locked = await locked_lot(world)
        assert kept.hits == 1
        assert locked.id == scored.id
        assert (await locked.evaluation())["stage"] == "quality_locked"


async def test_another_argument_builds_anew(fresh: Fresh, kept: Kept) -> None:
    found = []
    for given in ({"lots": 1}, {"lots": 2}, {"lots": 2, "deadline": timedelta(days=50)}):
        async with fresh() as (world, _):
            found.append(await published_tender(world, **given))
    assert kept.hits == 0
    assert len({tender.id for tender in found}) == 3
    async with fresh() as (world, _):
        assert (await published_tender(world, lots=2)).id == found[1].id


async def test_arguments_by_default_are_arguments(fresh: Fresh, kept: Kept) -> None:
    async with fresh() as (world, _):
        await lot_to_score(world)
    async with fresh() as (world, _):
        await lot_to_score(world, minimum_quality="50")
    assert kept.hits == 1


@pytest.mark.parametrize("way", ["person", "request", "connection", "parameters"])
async def test_a_world_in_which_anything_was_done_is_built(
    fresh: Fresh, kept: Kept, way: str
) -> None:
    async with fresh() as (world, _):
        await published_tender(world)
    async with fresh() as (world, databases):
        if way == "person":
            buyer = await world.organisation("06F")
            await world.person("Ann", buyer, Role.COMMISSIONER)
        elif way == "request":
            await world.public("/clock")
        elif way == "connection":
            await (await databases.connect()).close()
        else:
            assert databases.worker
        await published_tender(world)
    assert kept.hits == 0


async def test_makers_that_work_beside_one_another_keep_nothing(fresh: Fresh, kept: Kept) -> None:
    async with fresh() as (world, _):
        await asyncio.gather(published_tender(world), some_suppliers(world, 1))
    assert kept.forget() == []


async def test_what_cannot_be_compared_is_built(fresh: Fresh, kept: Kept) -> None:
    happened = []

    async def note(*_: Any) -> None:
        happened.append(kept.hits)

    for times in (1, 2):
        async with fresh() as (world, _databases):
            lot = await lot_to_score(world, before_opening=note)
            assert len(happened) == times
            assert (await lot.evaluation())["lot"] == 1


async def test_what_is_too_old_is_built_again(
    fresh: Fresh, kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with fresh() as (world, _):
        await published_tender(world)
    with monkeypatch.context() as later:
        later.setattr(snapshots, "OLDEST", -1.0)
        async with fresh() as (world, _):
            await published_tender(world)
    assert kept.hits == 0


async def test_few_are_kept_and_the_databases_of_the_others_removed(
    fresh: Fresh, kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(snapshots, "MOST", 1)
    async with fresh() as (world, databases):
        await drafted_tender(world)
    async with fresh() as (world, databases):
        await published_tender(world)
        there = await _value(databases, "SELECT array_agg(datname::text) FROM pg_database")
    async with fresh() as (world, _):
        await drafted_tender(world)
    assert kept.hits == 1  # by the second, of the first's
    names = kept.forget()
    assert len(names) == 1
    assert names[0] not in there


def test_what_is_equal_is_comparable_and_nothing_else_is() -> None:
    assert comparable({"a": [1, "x"]}) == comparable({"a": [1, "x"]})
    assert comparable({"a": 1}) != comparable({"a": True})
    assert comparable([1]) != comparable((1,))
    assert comparable({"a", "b"}) == comparable({"b", "a"})
    assert comparable(close_bidding) == comparable(close_bidding)
    for other in (object(), [object()], {"a": Kept()}):
        with pytest.raises(Incomparable):
            comparable(other)
