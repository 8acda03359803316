"""What the database promises about documents, straight at it as the app role and the worker."""

import os
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from market.actor import Role
from market.background import Workbench
from tenders.keeping import UnusedDocuments
from tests.makers.bids import close_bidding, open_bids, submit
from tests.makers.clock import advance_to
from tests.makers.direct import acting, not_granted, refused
from tests.makers.direct_bids import (
    BID_RECEIPT,
    BID_VERSION,
    as_person,
    give,
    put_in,
    violates,
)
from tests.makers.documents import PDF, announced, begin, begun, bid_with, send, uploaded
from tests.makers.suppliers import admitted_supplier
from tests.makers.tenders import PublishedTender, market_time, published_tender
from tests.makers.world import Person, World

BEGIN = (
    "INSERT INTO bid_document"
    " (id, tender, lot, organisation, kind, sealed_by, size, kept, begun_by)"
    " VALUES ($1, $2, $3, $4, 'quality', 'market', 100, 'kept', $5)"
)
PART = (
    "INSERT INTO bid_document_part (id, document, number, starts_at, length, object)"
    " VALUES (gen_random_uuid(), $1, $2, $3, $4, gen_random_uuid()::text)"
)
COMPLETE = "UPDATE bid_document SET completed_at = now() WHERE id = $1"
KEY = "INSERT INTO document_key (id, document, wrapped) VALUES (gen_random_uuid(), $1, 'key')"
CHANGE = "UPDATE bid_document SET {} WHERE id = $1"
REMOVE = CHANGE.format("removed_at = now()")
LIST = "INSERT INTO listed_document (id, bid_version, document) VALUES (gen_random_uuid(), $1, $2)"
OPEN = (
    "INSERT INTO opened_document (id, document, bid, kind, kept_key)"
    " VALUES (gen_random_uuid(), $1, $2, $3, 'key')"
)


@pytest.fixture
async def tender(world: World) -> PublishedTender:
    return await published_tender(world)


@pytest.fixture
async def bidder(world: World) -> Person:
    return await admitted_supplier(world, "Kingfisher Analytics")


@pytest.fixture
async def document(app_role: Any, bidder: Person, tender: PublishedTender) -> UUID:
    """A document of a hundred bytes that was begun and not sent."""
    return await began(app_role, bidder, tender)


async def began(
    connection: Any, person: Person, tender: PublishedTender, lot: UUID | None = None
) -> UUID:
    document = uuid4()
    async with as_person(connection, person):
        await connection.execute(
            BEGIN, document, tender.id, lot or tender.lots[1], person.organisation, person.id
        )
        await connection.execute(KEY, document)
    return document


async def test_a_document_is_begun_by_a_bid_manager_for_a_lot_of_the_tender(
    world: World, app_role: Any, tender: PublishedTender, bidder: Person
) -> None:
    other = await published_tender(world)
    async with refused("bid_for_own_lot"):
        await began(app_role, bidder, tender, other.lots[1])
    colleague = await world.person("Colin Ward", bidder.organisation, Role.ADMINISTRATOR)
    async with refused("bid_manager_needed"):
        await began(app_role, colleague, tender)
    async with refused("bidder_admitted"):
        manager = await world.person("Unadmitted", tender.manager.organisation, Role.BID_MANAGER)
        await began(app_role, manager, tender)
    async with refused("acts_in_own_name"), as_person(app_role, bidder):
        await app_role.execute(
            BEGIN, uuid4(), tender.id, tender.lots[1], bidder.organisation, colleague.id
        )
    await close_bidding(world, tender)
    async with refused("bidding_open"):
        await began(app_role, bidder, tender)


async def test_an_organisation_has_two_hundred_documents_for_a_tender_at_most(
    app_role: Any, bidder: Person, tender: PublishedTender
) -> None:
    async with as_person(app_role, bidder):
        for _ in range(200):
            await app_role.execute(
                BEGIN, uuid4(), tender.id, tender.lots[1], bidder.organisation, bidder.id
            )
    answer = await begin(bidder, tender, announced())
    assert answer.json()["type"] == "/problems/documents-full"


async def test_parts_follow_one_another(app_role: Any, bidder: Person, document: UUID) -> None:
    for number, start, length in ((1, 0, 10), (0, 1, 10), (0, 0, 101)):
        async with refused("document_part_follows"), as_person(app_role, bidder):
            await app_role.execute(PART, document, number, start, length)
    async with as_person(app_role, bidder):
        await app_role.execute(PART, document, 0, 0, 60)
        await app_role.execute(PART, document, 1, 60, 30)
        held = await app_role.fetchrow(
            "SELECT received, parts FROM bid_document WHERE id = $1", document
        )
    assert tuple(held) == (90, 2)
    async with refused("document_complete_whole"), as_person(app_role, bidder):
        await app_role.execute(COMPLETE, document)


async def completed(connection: Any, person: Person, document: UUID) -> None:
    async with as_person(connection, person):
        await connection.execute(PART, document, 0, 0, 100)
        await connection.execute(COMPLETE, document)


async def test_a_complete_document_does_not_change(
    app_role: Any, bidder: Person, document: UUID
) -> None:
    await completed(app_role, bidder, document)
    for change in ("attempt = attempt + 1", "completed_at = NULL"):
        async with refused("document_stays_as_completed"), as_person(app_role, bidder):
            await app_role.execute(CHANGE.format(change), document)
    async with refused("document_stays_as_completed"), as_person(app_role, bidder):
        await app_role.execute(PART, document, 1, 100, 1)


async def test_a_document_keeps_the_key_it_began_with_and_one_alone(
    app_role: Any, bidder: Person, tender: PublishedTender, document: UUID
) -> None:
    other_key = "UPDATE document_key SET wrapped = 'other' WHERE document = $1"
    async with as_person(app_role, bidder):
        assert await app_role.execute(other_key, document) == "UPDATE 1"
    async with violates("document_key_document_key"), as_person(app_role, bidder):
        await app_role.execute(KEY, document)
    for statement in ("DELETE FROM document_key", "UPDATE document_key SET document = id"):
        async with not_granted(), as_person(app_role, bidder):
            await app_role.execute(statement)
    async with as_person(app_role, bidder):
        await app_role.execute(PART, document, 0, 0, 60)
    async with refused("document_key_at_its_beginning"), as_person(app_role, bidder):
        await app_role.execute(other_key, document)
    sealed = uuid4()
    by_supplier = BEGIN.replace("'market'", "'supplier'")
    place = (tender.id, tender.lots[1], bidder.organisation, bidder.id)
    async with refused("document_key_at_its_beginning"), as_person(app_role, bidder):
        await app_role.execute(by_supplier, sealed, *place)
        await app_role.execute(KEY, sealed)


async def test_what_a_document_is_to_be_does_not_change(
    superuser: Any, app_role: Any, bidder: Person, document: UUID
) -> None:
    for change in ("size = 200", "organisation = gen_random_uuid()", "kind = 'price'"):
        async with not_granted(), as_person(app_role, bidder):
            await app_role.execute(CHANGE.format(change), document)
        async with refused("document_stays_as_begun"), acting(superuser):
            await superuser.execute(CHANGE.format(change), document)
    async with refused("never_deleted"), acting(superuser):
        await superuser.execute("DELETE FROM bid_document WHERE id = $1", document)


async def test_a_removed_document_is_gone_with_its_key_and_stays_so(
    app_role: Any, bidder: Person, document: UUID
) -> None:
    await completed(app_role, bidder, document)
    async with as_person(app_role, bidder):
        await app_role.execute(REMOVE, document)
        left = await app_role.fetchrow(
            "SELECT kept, (SELECT count(*) FROM document_key WHERE document = d.id),"
            " (SELECT count(*) FROM bid_document_part WHERE document = d.id)"
            " FROM bid_document d WHERE id = $1",
            document,
        )
    assert tuple(left) == (None, 0, 0)
    for statement in (COMPLETE, CHANGE.format("removed_at = NULL")):
        async with refused("document_stays_removed"), as_person(app_role, bidder):
            await app_role.execute(statement, document)
    async with refused("document_stays_removed"), as_person(app_role, bidder):
        await app_role.execute(PART, document, 0, 0, 1)


async def test_a_bid_lists_complete_documents_of_its_own_when_it_is_given(
    world: World, app_role: Any, tender: PublishedTender, bidder: Person, document: UUID
) -> None:
    async with refused("listed_document_complete"), as_person(app_role, bidder):
        version = await give(app_role, tender, bidder)
        await app_role.execute(LIST, version, document)
    await completed(app_role, bidder, document)
    other = await admitted_supplier(world, "Somebody Else")
    async with refused("listed_document_complete"), as_person(app_role, other):
        version = await give(app_role, tender, other)
        await app_role.execute(LIST, version, document)
    async with as_person(app_role, bidder):
        version = await give(app_role, tender, bidder)
        await app_role.execute(LIST, version, document)
    async with as_person(app_role, bidder):
        kept = await app_role.fetchval("SELECT count(*) FROM document_key")
    assert kept == 0
    again = await began(app_role, bidder, tender)
    await completed(app_role, bidder, again)
    async with refused("bid_arrives_whole"), as_person(app_role, bidder):
        await app_role.execute(LIST, version, again)
    async with refused("document_stays_listed"), as_person(app_role, bidder):
        await app_role.execute(REMOVE, document)
    async with as_person(app_role, other):
        seen = await app_role.fetchval("SELECT count(*) FROM listed_document")
    assert seen == 0


async def test_a_document_is_listed_once_and_goes_when_its_bid_was_replaced(
    app_role: Any, tender: PublishedTender, bidder: Person, document: UUID
) -> None:
    await completed(app_role, bidder, document)
    async with as_person(app_role, bidder):
        version = await give(app_role, tender, bidder)
        await app_role.execute(LIST, version, document)
        bid = await app_role.fetchval("SELECT bid FROM bid_version WHERE id = $1", version)
    async with refused("document_listed_once"), as_person(app_role, bidder):
        await app_role.execute(LIST, await _replaced(app_role, bidder, bid), document)
    async with as_person(app_role, bidder):
        await _replaced(app_role, bidder, bid)
    async with as_person(app_role, bidder):
        assert await app_role.execute(REMOVE, document) == "UPDATE 1"


async def _replaced(connection: Any, bidder: Person, bid: UUID) -> UUID:
    version = uuid4()
    await connection.execute(BID_VERSION, version, bid, 2, "submitted", bidder.id, None, b"c" * 32)
    for kind in ("quality", "price"):
        await put_in(connection, version, kind)
    await connection.execute(BID_RECEIPT, version)
    return version


async def test_nobody_else_sees_or_touches_a_document(
    world: World, app_role: Any, tender: PublishedTender, bidder: Person, document: UUID
) -> None:
    colleague = await world.person("Colin Ward", bidder.organisation, Role.ADMINISTRATOR)
    other = await admitted_supplier(world, "Somebody Else")
    for person in (colleague, other, tender.manager, tender.openers[0], tender.guardian):
        async with as_person(app_role, person):
            for table in ("bid_document", "bid_document_part", "document_key"):
                assert await app_role.fetchval(f"SELECT count(*) FROM {table}") == 0  # noqa: S608  # two names
            changed = await app_role.execute(REMOVE, document)
            assert changed == "UPDATE 0"
        with pytest.raises(asyncpg.PostgresError):
            async with as_person(app_role, person):
                await app_role.execute(PART, document, 0, 0, 1)
        async with as_person(app_role, person):
            assert await app_role.fetch("SELECT * FROM opened_document_parts($1)", document) == []
            assert (
                await app_role.fetch("SELECT * FROM documents_to_open($1, 'quality')", document)
                == []
            )


async def test_a_document_is_opened_with_the_envelope_that_lists_it_and_not_alone(
    world: World, app_role: Any, tender: PublishedTender, bidder: Person
) -> None:
    one = await uploaded(bidder, tender)
    prices = await uploaded(bidder, tender, envelope="price")
    given = await submit(bidder, tender, 1, bid_with(tender, [one], [prices]))
    bid, opener = UUID(given["bid"]), tender.openers[0]
    for kind, document in (("quality", one["id"]), ("price", prices["id"])):
        async with refused("document_opens_with_envelope"), as_person(app_role, opener):
            await app_role.execute(OPEN, UUID(document), bid, kind)
    await open_bids(world, tender)
    async with refused("document_opens_with_envelope"), as_person(app_role, opener):
        await app_role.execute(OPEN, UUID(prices["id"]), bid, "price")
    async with as_person(app_role, opener):
        rows = await app_role.fetch("SELECT document FROM opened_document")
        sealed = await app_role.fetch("SELECT * FROM documents_to_open($1, 'price')", bid)
    assert ([str(row["document"]) for row in rows], sealed) == ([one["id"]], [])


async def test_what_a_document_proved_is_written_down_once(
    world: World, app_role: Any, tender: PublishedTender, bidder: Person
) -> None:
    one = await uploaded(bidder, tender)
    await submit(bidder, tender, 1, bid_with(tender, [one]))
    await open_bids(world, tender)
    opener = tender.openers[0]
    check = "UPDATE opened_document SET checked_at = now(), failure = $1"
    async with as_person(app_role, opener):
        assert await app_role.execute(check, None) == "UPDATE 1"
    for failure in ("It was none.", None):
        async with refused("document_checked_once"), as_person(app_role, opener):
            await app_role.execute(
                "UPDATE opened_document SET checked_at = NULL, failure = $1", failure
            )
    stranger = await admitted_supplier(world, "Somebody Else")
    async with as_person(app_role, stranger):
        assert await app_role.execute(check, "It was none.") == "UPDATE 0"


# ------------------------------------------------------------------------------------------ worker


def left_for(bench: Workbench) -> timedelta:
    """How long what nobody uses is left, and a little."""
    return timedelta(days=bench.settings.unused_documents_days, minutes=1)


async def test_the_worker_removes_what_nobody_uses_and_the_bytes_of_it(
    world: World, bench: Workbench, superuser: Any, tender: PublishedTender, bidder: Person
) -> None:
    unfinished = await begun(bidder, tender, announced())
    await send(bidder, unfinished, 0, PDF[:1000])
    unused, kept = await uploaded(bidder, tender), await uploaded(bidder, tender)
    await submit(bidder, tender, 1, bid_with(tender, [kept]))
    task = UnusedDocuments(bench)
    assert await task.run() > 0
    assert (await bidder.get(unfinished)).status_code == 200
    await advance_to(world, await market_time(world) + left_for(bench))
    await task.run()
    removed = "SELECT id::text FROM bid_document WHERE removed_at IS NOT NULL ORDER BY begun_at"
    assert [row[0] for row in await superuser.fetch(removed)] == [unfinished.rpartition("/")[2]]
    await advance_to(world, tender.deadline + left_for(bench))
    await task.run()
    assert unused["id"] in [row[0] for row in await superuser.fetch(removed)]
    assert kept["id"] not in [row[0] for row in await superuser.fetch(removed)]
    told = await superuser.fetchval(
        "SELECT count(*) FROM event WHERE action = 'bid_document.removed'"
    )
    assert told == 2


async def test_bytes_that_no_document_names_are_removed_after_a_day(
    bench: Workbench, documents_folder: str, tender: PublishedTender, bidder: Person
) -> None:
    one = await uploaded(bidder, tender)
    folder = Path(documents_folder) / one["id"]
    named = next(folder.iterdir())
    second, fresh = folder / str(uuid4()), folder / str(uuid4())
    for file in (second, fresh):
        file.write_bytes(b"left by what broke off")
    of_another_market = Path(documents_folder) / str(uuid4()) / str(uuid4())
    of_another_market.parent.mkdir()
    of_another_market.write_bytes(b"of a market that shares the folder by mistake")
    for file in (named, second, of_another_market):
        os.utime(file, (1_700_000_000, 1_700_000_000))
    await UnusedDocuments(bench).run()
    assert (named.exists(), second.exists(), fresh.exists()) == (True, False, True)
    assert of_another_market.exists()
