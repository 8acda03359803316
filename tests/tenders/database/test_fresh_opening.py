"""The opening takes a fresh sign-in: over HTTP, at the database, and while a session is ended."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from market.actor import Role
from tests.conftest import Databases
from tests.makers.bids import close_bidding, confirm, declare, open_bids, some_suppliers, submit
from tests.makers.direct import SESSION, acting, refused
from tests.makers.direct_bids import CONFIRM
from tests.makers.sign_in import let_sessions_age, problem
from tests.makers.tenders import PublishedTender, published_tender
from tests.makers.world import Person, World


@pytest.fixture
async def tender(world: World) -> PublishedTender:
    """A tender past its deadline, whose openers have declared."""
    made = await published_tender(world)
    (supplier,) = await some_suppliers(world, 1)
    await submit(supplier, made, 1)
    await close_bidding(world, made)
    for opener in made.openers:
        await declare(opener, made)
    return made


async def test_an_opening_is_confirmed_only_by_who_has_just_signed_in(
    tender: PublishedTender, superuser: Any
) -> None:
    opener = tender.openers[0]
    await let_sessions_age(superuser, opener.id)
    told = problem(await confirm(opener, tender), 403, "fresh-sign-in-needed")
    assert "/sessions/current/confirmation" in told["detail"]
    refusals = "SELECT details->>'refusal' FROM event WHERE action = 'request.refused'"
    assert await superuser.fetchval(refusals) == "fresh-sign-in-needed"
    assert await superuser.fetchval("SELECT count(*) FROM opening_confirmation") == 0


async def test_a_stranger_learns_no_more_from_that_than_a_stranger_does(
    world: World, superuser: Any
) -> None:
    stranger = await world.person("Stan Ger", await world.organisation("06P"), Role.AUDITOR)
    await let_sessions_age(superuser, stranger.id)
    answer = await stranger.post(f"/tenders/{uuid4()}/opening-confirmations")
    problem(answer, 403, "fresh-sign-in-needed")


async def test_an_opening_is_resumed_only_by_who_has_just_signed_in(
    world: World, superuser: Any
) -> None:
    made = await published_tender(world)
    await open_bids(world, made)
    opener = made.openers[0]
    await let_sessions_age(superuser, opener.id)
    problem(await opener.post(f"{made.path}/opening"), 403, "fresh-sign-in-needed")


@pytest.fixture
async def session(app_role: Any, tender: PublishedTender) -> UUID:
    """A session of the first opener that began just now."""
    made = uuid4()
    async with acting(app_role, tender.openers[0].id):
        await app_role.execute(SESSION, made, made.bytes, tender.openers[0].id)
    return made


@asynccontextmanager
async def _in(connection: Any, person: Person, session: UUID) -> AsyncIterator[None]:
    async with acting(connection, person.id, person.organisation, session):
        yield


async def test_the_database_asks_for_a_session_that_works_is_one_s_own_and_fresh(
    tender: PublishedTender, session: UUID, app_role: Any, superuser: Any
) -> None:
    opener, other = tender.openers[:2]
    async with acting(app_role, other.id):
        foreign = uuid4()
        await app_role.execute(SESSION, foreign, foreign.bytes, other.id)
    for connection in (app_role, superuser):
        for unfit in (uuid4(), foreign):
            async with refused("fresh_sign_in"), _in(connection, opener, unfit):
                await connection.execute(CONFIRM, uuid4(), tender.id, opener.id)
    for spoilt in (
        "confirmed_at = now() - interval '15 minutes'",
        "expires_at = now()",
        "revoked_at = now()",
    ):
        undone = superuser.transaction()
        await undone.start()
        async with _in(superuser, opener, session):
            await superuser.execute(f"UPDATE session SET {spoilt} WHERE id = $1", session)  # noqa: S608  # three constants
            async with refused("fresh_sign_in"), superuser.transaction():
                await superuser.execute(CONFIRM, uuid4(), tender.id, opener.id)
        await undone.rollback()
    async with _in(app_role, opener, session):
        await app_role.execute(CONFIRM, uuid4(), tender.id, opener.id)


async def test_a_session_that_is_being_ended_confirms_nothing(
    tender: PublishedTender, session: UUID, databases: Databases, app_role: Any
) -> None:
    """The second waits for the first, and then sees what it did."""
    opener = tender.openers[0]
    second = await asyncpg.connect(**databases.app)
    try:
        async with refused("fresh_sign_in"), _in(second, opener, session):
            async with _in(app_role, opener, session):
                await app_role.execute(
                    "UPDATE session SET revoked_at = now() WHERE id = $1", session
                )
                acts = asyncio.create_task(second.execute(CONFIRM, uuid4(), tender.id, opener.id))
                await asyncio.sleep(0.2)
                assert not acts.done()
            await acts
    finally:
        await second.close()


async def test_a_session_ended_at_the_same_time_confirms_before_its_end_or_not_at_all(
    tender: PublishedTender, superuser: Any
) -> None:
    opener = tender.openers[0]
    (current,) = (await opener.get("/sessions")).json()
    confirmed, ended = await asyncio.gather(
        confirm(opener, tender), opener.delete(f"/sessions/{current['id']}")
    )
    assert ended.status_code == 204
    assert confirmed.status_code in {201, 401, 403}
    late = await superuser.fetchval(
        "SELECT count(*) FROM opening_confirmation c JOIN session s ON s.person = c.person"
        " JOIN event e ON e.action = 'opening.confirmed' AND e.person = c.person"
        " WHERE s.id = $1 AND e.recorded_at > s.revoked_at + interval '1 second'",
        UUID(current["id"]),
    )
    assert late == 0
    assert (await confirm(opener, tender)).status_code == 401
