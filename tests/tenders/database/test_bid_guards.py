"""The promises of bidding straight at the database: as the app role, and as superuser."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from tests.makers.bids import (
    OpenedTender,
    close_bidding,
    some_suppliers,
    submit,
)
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
from tests.makers.tenders import PublishedTender, published_tender
from tests.makers.world import Person, World


async def test_a_whole_bid_in_one_s_own_name_is_taken(
    tender: PublishedTender, bidder: Person, app_role: Any, superuser: Any
) -> None:
    """The control: what the tests below leave out is what is refused."""
    async with as_person(app_role, bidder):
        await give(app_role, tender, bidder)
    assert await superuser.fetchval("SELECT count(*) FROM envelope") == 2


async def test_nobody_bids_in_another_organisation_s_name(
    world: World, tender: PublishedTender, app_role: Any
) -> None:
    one, other = await some_suppliers(world, 2)
    async with refused("acts_in_own_name"), as_person(app_role, one):
        await give(app_role, tender, other)
    # not even a person of the organisation in a colleague's
    async with refused("acts_in_own_name"), acting(app_role, other.id, one.organisation):
        await give(app_role, tender, one)


async def test_a_back_dated_time_of_receipt_is_overwritten(
    tender: PublishedTender, bidder: Person, app_role: Any, superuser: Any
) -> None:
    long_ago = datetime(2012, 1, 1, tzinfo=UTC)
    async with as_person(app_role, bidder):
        version = await give(app_role, tender, bidder, received_at=long_ago)
    stored = await superuser.fetchval("SELECT received_at FROM bid_version WHERE id = $1", version)
    assert abs(stored - datetime.now(UTC)) < timedelta(minutes=1)


async def test_a_late_bid_is_refused_whatever_time_it_claims(
    world: World, tender: PublishedTender, bidder: Person, app_role: Any
) -> None:
    other = (await some_suppliers(world, 1))[0]
    bid = UUID((await submit(other, tender, 1))["bid"])
    await close_bidding(world, tender)
    early = tender.deadline - timedelta(days=1)
    async with refused("bidding_open"), as_person(app_role, bidder):
        await give(app_role, tender, bidder, received_at=early)
    async with refused("bidding_open"), as_person(app_role, other):
        await app_role.execute(
            BID_VERSION, uuid4(), bid, 2, "submitted", other.id, early, b"c" * 32
        )
    async with refused("bidding_open"), as_person(app_role, other):
        await app_role.execute(BID_VERSION, uuid4(), bid, 2, "withdrawn", other.id, early, None)


async def test_a_bid_begun_in_time_whose_content_comes_late_is_refused(
    world: World, tender: PublishedTender, bidder: Person, app_role: Any
) -> None:
    await advance_to(world, tender.deadline - timedelta(seconds=2))
    async with refused("bidding_open"), as_person(app_role, bidder):
        bid = uuid4()
        await app_role.execute(
            "INSERT INTO bid (id, tender, lot, organisation) VALUES ($1, $2, $3, $4)",
            bid,
            tender.id,
            tender.lots[1],
            bidder.organisation,
        )
        await app_role.execute("SELECT pg_sleep(2.1)")
        await app_role.execute(
            BID_VERSION, uuid4(), bid, 1, "submitted", bidder.id, None, b"c" * 32
        )


@pytest.mark.parametrize(
    "lacking",
    [
        {"envelopes": ()},
        {"envelopes": ("quality",)},
        {"envelopes": ("price",)},
        {"receipt": False},
    ],
)
async def test_a_bid_that_is_not_whole_is_refused_at_commit(
    tender: PublishedTender, bidder: Person, app_role: Any, lacking: dict[str, Any]
) -> None:
    async with refused("bid_arrives_whole"), as_person(app_role, bidder):
        await give(app_role, tender, bidder, **lacking)


async def test_nothing_is_added_to_a_bid_later(
    tender: PublishedTender, bidder: Person, app_role: Any
) -> None:
    withdrawal = uuid4()
    async with as_person(app_role, bidder):
        version = await give(app_role, tender, bidder)
        await app_role.execute(
            "INSERT INTO bid_version (id, bid, number, act, made_by)"
            " SELECT $1, bid, 2, 'withdrawn', $3 FROM bid_version WHERE id = $2",
            withdrawal,
            version,
            bidder.id,
        )
        await app_role.execute(BID_RECEIPT, withdrawal)
    async with refused("bid_arrives_whole"), as_person(app_role, bidder):
        await put_in(app_role, withdrawal, "quality")
    async with violates("envelope_once"), as_person(app_role, bidder):
        await put_in(app_role, version, "quality")
    async with violates("bid_receipt_bid_version_key"), as_person(app_role, bidder):
        await app_role.execute(BID_RECEIPT, version)


async def test_only_admitted_suppliers_that_do_not_help_bid(
    tender: PublishedTender, app_role: Any
) -> None:
    async with refused("bidder_admitted"), as_person(app_role, tender.manager):
        await give(app_role, tender, tender.manager)


async def test_a_bid_is_for_a_lot_of_its_own_tender(
    world: World, tender: PublishedTender, bidder: Person, app_role: Any
) -> None:
    other = await published_tender(world)
    other.lots = tender.lots
    async with refused("bid_for_own_lot"), as_person(app_role, bidder):
        await give(app_role, other, bidder)


async def test_an_organisation_has_one_bid_for_a_lot(
    tender: PublishedTender, bidder: Person, app_role: Any
) -> None:
    await submit(bidder, tender, 1)
    async with violates("bid_one_per_lot"), as_person(app_role, bidder):
        await give(app_role, tender, bidder)


async def test_versions_of_a_bid_count_without_gaps_and_only_what_stands_is_withdrawn(
    tender: PublishedTender, bidder: Person, app_role: Any
) -> None:
    bid = UUID((await submit(bidder, tender, 1))["bid"])
    for number in (1, 3):
        async with refused("bid_version_counts"), as_person(app_role, bidder):
            await app_role.execute(
                BID_VERSION, uuid4(), bid, number, "submitted", bidder.id, None, b"c" * 32
            )
    withdrawal = uuid4()
    async with as_person(app_role, bidder):
        await app_role.execute(BID_VERSION, withdrawal, bid, 2, "withdrawn", bidder.id, None, None)
        await app_role.execute(BID_RECEIPT, withdrawal)
    async with refused("withdraws_what_stands"), as_person(app_role, bidder):
        await app_role.execute(BID_VERSION, uuid4(), bid, 3, "withdrawn", bidder.id, None, None)


async def test_a_change_of_bids_needs_an_event(
    tender: PublishedTender, bidder: Person, app_role: Any
) -> None:
    async with refused("event_recorded"), app_role.transaction():
        await app_role.execute(
            "SELECT set_config('market.person', $1, true),"
            " set_config('market.organisation', $2, true)",
            str(bidder.id),
            str(bidder.organisation),
        )
        await give(app_role, tender, bidder)


APPEND_ONLY = (
    "bid",
    "bid_version",
    "envelope",
    "bid_receipt",
    "manifest_entry",
    "declaration",
    "opening_confirmation",
    "opened_envelope",
)


async def test_what_happened_to_bids_is_never_changed_or_removed(
    opened: OpenedTender, app_role: Any, superuser: Any
) -> None:
    assert opened.bids
    statements = [
        statement
        for table in APPEND_ONLY
        for statement in (
            f"UPDATE {table} SET id = id",  # noqa: S608  # named above
            f"DELETE FROM {table}",  # noqa: S608  # named above
            f"TRUNCATE {table} CASCADE",
        )
    ]
    for statement in statements:
        async with not_granted(), as_person(app_role, opened.suppliers[0]):
            await app_role.execute(statement)
    for role in ("origin", "replica"):
        await superuser.execute(f"SET session_replication_role = {role}")
        for statement in statements:
            async with refused("append_only"), acting(superuser):
                await superuser.execute(statement)
    await superuser.execute("SET session_replication_role = origin")
    for table in APPEND_ONLY:
        assert await superuser.fetchval(f"SELECT count(*) FROM {table}") > 0  # noqa: S608  # named above


async def test_guards_hold_for_the_superuser_too(
    world: World, tender: PublishedTender, bidder: Person, superuser: Any
) -> None:
    await close_bidding(world, tender)
    for role in ("origin", "replica"):
        await superuser.execute(f"SET session_replication_role = {role}")
        async with refused("bidding_open"), as_person(superuser, bidder):
            await give(superuser, tender, bidder)
    with pytest.raises(asyncpg.PostgresError):
        await superuser.execute("ALTER TABLE bid DISABLE TRIGGER guard_bid")


async def test_idempotent_answers_are_read_by_their_own_person_alone(
    tender: PublishedTender, bidder: Person, app_role: Any
) -> None:
    await submit(bidder, tender, 1)
    async with as_person(app_role, bidder):
        assert await app_role.fetchval("SELECT count(*) FROM idempotency_key") >= 1
    async with as_person(app_role, tender.openers[0]):
        assert (
            await app_role.fetchval(
                "SELECT count(*) FROM idempotency_key WHERE person = $1", bidder.id
            )
            == 0
        )
