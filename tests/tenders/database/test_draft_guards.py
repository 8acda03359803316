"""Drafts straight at the database: encrypted, their organisation's bid managers', in time."""

from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from market.actor import Role
from tenders.rules.bids import Answer
from tenders.rules.drafts import (
    BidDraft,
    DraftLost,
    DraftQuality,
    draft_address,
    opened_draft,
    sealed_draft,
)
from tests.conftest import Databases
from tests.makers.bids import close_bidding, submit
from tests.makers.clock import registrar
from tests.makers.direct import act_as, acting, not_granted, refused
from tests.makers.suppliers import admitted_supplier
from tests.makers.tenders import PublishedTender, published_tender
from tests.makers.world import Person, World

MARK = "violet-badger-method"
_SAVE = (
    "INSERT INTO bid_draft (id, lot, organisation, version, sealed, saved_by)"
    " VALUES ($1, $2, $3, $4, 'x', $5)"
)
_KEY = "INSERT INTO draft_key (id, organisation, wrapped) VALUES ($1, $2, $3)"
_COUNT = "UPDATE draft_key SET saves = saves + $1"


@pytest.fixture
async def tender(world: World) -> PublishedTender:
    return await published_tender(world)


@pytest.fixture
async def bidder(world: World, tender: PublishedTender) -> Person:
    person = await admitted_supplier(world, "Greensand Analytics")
    answers = {"quality": {"answers": [{"criterion": "Q1.1", "text": MARK}]}}
    saved = await person.put(f"{tender.path}/lots/1/bid-draft", answers)
    assert saved.status_code == 200, saved.text
    return person


async def test_nothing_of_a_draft_is_readable_in_the_database(
    superuser: Any, bidder: Person
) -> None:
    row = await superuser.fetchrow("SELECT * FROM bid_draft")
    assert MARK.encode() not in row["sealed"]
    key = await superuser.fetchrow("SELECT * FROM draft_key")
    assert key["organisation"] == bidder.organisation
    assert await superuser.fetchval("SELECT count(*) FROM event WHERE action = 'draft.saved'") == 1
    assert await superuser.fetchval("SELECT tender FROM event WHERE action = 'draft.saved'") is None


async def test_only_bid_managers_of_the_organisation_see_that_there_is_one(
    app_role: Any, superuser: Any, world: World, tender: PublishedTender, bidder: Person
) -> None:
    given = await submit(bidder, tender, 1)
    colleague = await world.person("Colleague", bidder.organisation, Role.ADMINISTRATOR)
    former = await world.person("Former", bidder.organisation, Role.BID_MANAGER)
    async with acting(superuser, colleague.id, bidder.organisation):
        ended = "UPDATE membership SET ended_at = market_now() WHERE person = $1"
        await superuser.execute(ended, former.id)
    people = {
        "own": bidder,
        "rival": await admitted_supplier(world, "A Rival"),
        "colleague": colleague,
        "former": former,
        "manager": tender.manager,
        "opener": tender.openers[0],
        "operator": await registrar(world),
    }
    seen = {}
    for name, person in people.items():
        async with acting(app_role, person.id, person.organisation):
            seen[name] = (
                await app_role.fetchval("SELECT count(*) FROM bid_draft"),
                await app_role.fetchval("SELECT count(*) FROM draft_key"),
                len(await app_role.fetch("SELECT * FROM my_sealed_digests($1, 1)", given["bid"])),
                await app_role.fetchval(
                    "SELECT count(*) FROM event WHERE action LIKE 'draft.%' AND person <> $1",
                    person.id,
                ),
            )
    assert seen.pop("own") == (1, 1, 2, 0)
    assert set(seen.values()) == {(0, 0, 0, 0)}


async def test_nobody_else_changes_or_removes_one(
    app_role: Any, superuser: Any, world: World, tender: PublishedTender, bidder: Person
) -> None:
    rival = await admitted_supplier(world, "A Rival")
    colleague = await world.person("Colleague", bidder.organisation, Role.ADMINISTRATOR)
    for person in (rival, colleague, tender.manager, await registrar(world)):
        async with acting(app_role, person.id, person.organisation):
            assert await app_role.execute("DELETE FROM bid_draft") == "DELETE 0"
            assert await app_role.execute("UPDATE bid_draft SET sealed = ''") == "UPDATE 0"
            assert await app_role.execute(_COUNT, 1) == "UPDATE 0"
    async with refused("event_recorded"), app_role.transaction():
        await act_as(app_role, bidder.id, bidder.organisation, None)
        assert await app_role.execute("DELETE FROM bid_draft") == "DELETE 1"
        await app_role.execute("SET CONSTRAINTS ALL IMMEDIATE")
    async with acting(app_role, bidder.id, bidder.organisation):
        assert await app_role.execute("DELETE FROM bid_draft") == "DELETE 1"
    assert await superuser.fetchval("SELECT count(*) FROM bid_draft") == 0


@pytest.mark.usefixtures("bidder")
async def test_the_worker_sees_no_drafts(databases: Databases) -> None:
    worker = await asyncpg.connect(**databases.worker)
    try:
        for table in ("bid_draft", "draft_key"):
            async with not_granted():
                await worker.fetch(f"SELECT * FROM {table}")  # noqa: S608  # one of two names
    finally:
        await worker.close()


async def test_nobody_saves_in_another_s_name_or_late_or_out_of_turn(
    app_role: Any, world: World, tender: PublishedTender, bidder: Person
) -> None:
    rival = await admitted_supplier(world, "A Rival")
    colleague = await world.person("Colleague", rival.organisation, Role.ADMINISTRATOR)
    lot = tender.lots[1]

    async def save(person: Person, organisation: UUID, by: UUID, version: int = 1) -> None:
        async with acting(app_role, person.id, person.organisation):
            await app_role.execute(_SAVE, uuid4(), lot, organisation, version, by)

    async with refused("acts_in_own_name"):
        await save(rival, bidder.organisation, rival.id)
    async with refused("acts_in_own_name"):
        await save(rival, rival.organisation, bidder.id)
    async with refused("bid_manager_needed"):
        await save(colleague, rival.organisation, colleague.id)
    async with refused("bid_draft_counts"):  # none of theirs was counted
        await save(rival, rival.organisation, rival.id, 1)
    for version in (1, 5):  # as it is, and one that was not counted
        async with refused("bid_draft_counts"), acting(app_role, bidder.id, bidder.organisation):
            await app_role.execute("UPDATE bid_draft SET version = $1", version)
    await close_bidding(world, tender)
    async with refused("bidding_open"):
        await save(rival, rival.organisation, rival.id)


async def test_saves_are_counted_one_by_one_and_the_key_stays(
    app_role: Any, superuser: Any, bidder: Person
) -> None:
    wrapped = await superuser.fetchval("SELECT wrapped FROM draft_key")
    for by in (-1, 0, 2):
        async with refused("draft_saves_counted"), acting(app_role, bidder.id, bidder.organisation):
            await app_role.execute(_COUNT, by)
    async with refused("draft_saves_counted"), superuser.transaction():
        await superuser.execute("UPDATE draft_key SET wrapped = wrapped || '\\x00'")
    async with refused("never_deleted"), superuser.transaction():
        await superuser.execute("DELETE FROM draft_key")
    async with acting(app_role, bidder.id, bidder.organisation):
        assert await app_role.execute(_COUNT, 1) == "UPDATE 1"
    assert await superuser.fetchrow("SELECT saves, wrapped FROM draft_key") == (2, wrapped)


def test_how_long_a_draft_is_tells_as_little_as_of_an_envelope() -> None:
    key, organisation, lot = bytes(32), uuid4(), uuid4()
    lengths = []
    for text in ("", "a page of text " * 100, "more than fits the smallest class " * 200):
        answers = (Answer(criterion="Q1", text=text),)
        draft = BidDraft(quality=DraftQuality(answers=answers))
        place = draft_address(organisation, lot, 0, 1)
        sealed = sealed_draft(key, draft, place)
        assert opened_draft(key, sealed, place) == draft
        lengths.append(len(sealed))
    assert lengths[0] == lengths[1] < lengths[2]


def test_a_draft_opens_with_its_key_at_its_place_alone() -> None:
    key, organisation, lot = bytes(32), uuid4(), uuid4()
    draft = BidDraft()
    place = draft_address(organisation, lot, 2, 3)
    sealed = sealed_draft(key, draft, place)
    assert opened_draft(key, sealed, place) == draft
    assert sealed != sealed_draft(key, draft, place)
    for wrong in (
        (bytes(31) + b"\x01", sealed, place),
        (key, sealed, draft_address(uuid4(), lot, 2, 3)),
        (key, sealed, draft_address(organisation, uuid4(), 2, 3)),
        (key, sealed, draft_address(organisation, lot, 1, 3)),
        (key, sealed, draft_address(organisation, lot, 2, 4)),
        (key, sealed[:-1] + bytes([sealed[-1] ^ 1]), place),
        (key, b"", place),
    ):
        with pytest.raises(DraftLost):
            opened_draft(*wrong)
