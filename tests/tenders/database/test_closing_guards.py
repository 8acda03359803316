"""What stands at the deadline is fixed whole, once, and by nobody's hand; as the app role."""

import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID, uuid4

import msgspec

from tests.makers.bids import close_bidding, some_suppliers, submit
from tests.makers.direct import act_as, not_granted, refused
from tests.makers.direct_bids import FIX, MANIFEST, as_person
from tests.makers.tenders import PublishedTender
from tests.makers.world import Person, World


@asynccontextmanager
async def nobody(superuser: Any) -> AsyncIterator[None]:
    """A transaction of the superuser's, in nobody's name, past every grant."""
    async with superuser.transaction():
        await act_as(superuser, None, None, None)
        yield


async def test_nothing_is_fixed_before_the_deadline(tender: PublishedTender, app_role: Any) -> None:
    async with refused("manifest_after_deadline"), as_person(app_role, tender.openers[0]):
        await app_role.execute(FIX, tender.id)


async def test_the_app_writes_no_manifest_by_hand(
    world: World, tender: PublishedTender, bidder: Person, app_role: Any
) -> None:
    given = await submit(bidder, tender, 1)
    await close_bidding(world, tender)
    opener = tender.openers[0]
    async with not_granted(), as_person(app_role, opener):
        await app_role.execute(
            "INSERT INTO manifest (id, tender) VALUES (gen_random_uuid(), $1)", tender.id
        )
    async with not_granted(), as_person(app_role, opener):
        await app_role.execute(
            MANIFEST, tender.id, tender.lots[1], UUID(given["bid"]), uuid4(), "Bidder A"
        )


async def test_the_manifest_is_fixed_once_and_whole_with_what_the_receipts_say(
    world: World, tender: PublishedTender, superuser: Any, app_role: Any
) -> None:
    first, second, third = await some_suppliers(world, 3)
    given = [await submit(person, tender, 1) for person in (first, second)]
    gone = await submit(third, tender, 1)
    headers = {"Idempotency-Key": str(uuid4())}
    left = await third.delete(f"/bids/{gone['bid']}", version=1, headers=headers)
    assert left.status_code == 200
    await close_bidding(world, tender)
    async with as_person(app_role, tender.openers[0]):
        assert await app_role.fetchval(FIX, tender.id) is True
        assert await app_role.fetchval(FIX, tender.id) is False
    async with as_person(app_role, tender.openers[1]):
        assert await app_role.fetchval(FIX, tender.id) is False
    fixed = await superuser.fetchrow("SELECT salt, digest FROM manifest")
    lines = sorted(
        " ".join(
            str(receipt[name])
            for name in (
                "lot",
                "quality_sealed_digest",
                "price_sealed_digest",
            )
        )
        for receipt in (one["receipt"]["statement"] for one in given)
    )
    text = "".join(f"{line}\n" for line in (fixed["salt"].hex(), *lines))
    assert hashlib.sha256(text.encode()).digest() == fixed["digest"]
    assert await superuser.fetchval("SELECT count(*) FROM manifest_entry") == 2


async def test_an_event_tells_that_it_was_fixed_and_not_how_many_bids(
    world: World, tender: PublishedTender, bidder: Person, superuser: Any, app_role: Any
) -> None:
    await submit(bidder, tender, 1)
    await close_bidding(world, tender)
    async with as_person(app_role, tender.openers[0]):
        await app_role.execute(FIX, tender.id)
    row = await superuser.fetchrow(
        "SELECT e.person, e.organisation, e.details, m.digest FROM event e"
        " JOIN manifest m ON m.tender = e.tender WHERE e.action = 'manifest.fixed'"
    )
    assert msgspec.json.decode(row["details"]) == {"digest": row["digest"].hex()}
    # whoever's confirmation it was, nobody did it
    assert (row["person"], row["organisation"]) == (None, tender.manager.organisation)


async def test_nothing_is_added_to_a_fixed_manifest(
    world: World, tender: PublishedTender, bidder: Person, superuser: Any, app_role: Any
) -> None:
    await submit(bidder, tender, 1)
    await close_bidding(world, tender)
    entry = await superuser.fetchrow(
        "SELECT lot, bid, bid_version FROM standing_bids($1)", tender.id
    )
    values = tender.id, entry["lot"], entry["bid"], entry["bid_version"], "Bidder A"
    async with refused("manifest_fixed_whole"), nobody(superuser):
        await superuser.execute(MANIFEST, *values)
    # a manifest without what stands is found when it is to be stored
    async with refused("manifest_complete"), nobody(superuser):
        await superuser.execute(
            "INSERT INTO event (id, action, subject_kind, subject, request, details)"
            " VALUES (gen_random_uuid(), 'test.acted', 'person', gen_random_uuid(), 'test', '{}')"
        )
        await superuser.execute(
            "INSERT INTO manifest (id, tender) VALUES (gen_random_uuid(), $1)", tender.id
        )
    async with as_person(app_role, tender.openers[0]):
        await app_role.execute(FIX, tender.id)
    async with refused("manifest_fixed_whole"), nobody(superuser):
        await superuser.execute(MANIFEST, *values)
    for statement in (
        "UPDATE manifest SET digest = salt",
        "DELETE FROM manifest",
        "DELETE FROM manifest_entry",
    ):
        async with refused("append_only"), nobody(superuser):
            await superuser.execute(statement)
