"""Keys that officers keep, straight at the database as the app role: never early, never by one."""

import secrets
from typing import Any
from uuid import UUID

import pytest

from market.sealing import PUBLIC_KEY_BYTES
from tests.makers.bids import some_suppliers, submit
from tests.makers.direct import not_granted, refused
from tests.makers.direct_bids import as_person, violates
from tests.makers.officers import Officer, agreed, confirmed, tender_of_officers
from tests.makers.tenders import PublishedTender, approved_tender
from tests.makers.world import Person, World

Three = tuple[Officer, Officer, Officer]

KEY = "INSERT INTO officer_key (id, person, public_key) VALUES (gen_random_uuid(), $1, $2)"
HAND_ON = (
    "INSERT INTO passed_share (id, share, sealed, passed_by) VALUES (gen_random_uuid(), $1, $2, $3)"
)
RELEASE = (
    "INSERT INTO released_key (id, envelope, wrapped_key, released_by)"
    " VALUES (gen_random_uuid(), $1, $2, $3)"
)
REHEARSE = (
    "INSERT INTO key_rehearsal (id, tender, opened_by, canary)"
    " VALUES (gen_random_uuid(), $1, $2, $3)"
)
CANARY = (
    "INSERT INTO officer_canary (id, tender, public_key, canary, canary_digest)"
    " VALUES (gen_random_uuid(), $1, '', '', '')"
)
SHARE = (
    "INSERT INTO officer_share (id, tender, tender_key, outer_key, inner_key, sealed)"
    " VALUES (gen_random_uuid(), $1, $2, $3, $4, $5)"
)


@pytest.fixture
async def kept(world: World) -> tuple[PublishedTender, Three, Person]:
    """A tender of officers with one bid, before its deadline."""
    tender, officers = await tender_of_officers(world, lots=1)
    supplier = (await some_suppliers(world, 1))[0]
    await submit(supplier, tender, 1)
    return tender, officers, supplier


async def share_of(superuser: Any, outer: Officer, inner: Officer, kind: str | None) -> UUID:
    found: UUID = await superuser.fetchval(
        "SELECT s.id FROM officer_share s LEFT JOIN tender_key k ON k.id = s.tender_key"
        " JOIN officer_key o ON o.id = s.outer_key JOIN officer_key i ON i.id = s.inner_key"
        " WHERE o.person = $1 AND i.person = $2 AND k.envelope IS NOT DISTINCT FROM $3",
        outer.person.id,
        inner.person.id,
        kind,
    )
    return found


async def envelope_of(superuser: Any, kind: str) -> UUID:
    found: UUID = await superuser.fetchval("SELECT id FROM envelope WHERE kind = $1", kind)
    return found


async def test_nobody_registers_a_key_for_another_nor_without_bound(
    app_role: Any, kept: tuple[PublishedTender, Three, Person]
) -> None:
    _, (first, second, _), _ = kept
    async with refused("acts_in_own_name"), as_person(app_role, first.person):
        await app_role.execute(KEY, second.person.id, secrets.token_bytes(PUBLIC_KEY_BYTES))
    async with violates("officer_key_length"), as_person(app_role, first.person):
        await app_role.execute(KEY, first.person.id, b"short")
    async with violates("officer_key_once"), as_person(app_role, first.person):
        await app_role.execute(KEY, first.person.id, second.pair.public)
    async with refused("officer_keys_bounded"), as_person(app_role, first.person):
        for _ in range(50):
            await app_role.execute(KEY, first.person.id, secrets.token_bytes(PUBLIC_KEY_BYTES))


async def test_keys_and_shares_are_not_read_nor_changed_by_the_app(
    app_role: Any, kept: tuple[PublishedTender, Three, Person]
) -> None:
    _, (first, _, _), _ = kept
    for statement in (
        "SELECT * FROM officer_share",
        "SELECT * FROM passed_share",
        "SELECT * FROM released_key",
        "SELECT canary_digest FROM officer_canary",
        "SELECT * FROM envelopes_due(gen_random_uuid(), NULL)",
        "SELECT passer_of(gen_random_uuid(), NULL)",
        "SELECT is_released(gen_random_uuid())",
        "DELETE FROM officer_share",
        "UPDATE officer_key SET public_key = ''",
        "UPDATE released_key SET wrapped_key = NULL",
    ):
        async with not_granted(), as_person(app_role, first.person):
            await app_role.execute(statement)


async def test_no_share_is_passed_on_before_the_opening_nor_by_another(
    world: World, superuser: Any, app_role: Any, kept: tuple[PublishedTender, Three, Person]
) -> None:
    tender, officers, _ = kept
    first, second, _ = officers
    for kind in ("quality", "price"):
        share = await share_of(superuser, first, second, kind)
        # what stands between the officer and the bids is asked first: nobody has declared yet
        async with refused("declaration_missing"), as_person(app_role, first.person):
            await app_role.execute(HAND_ON, share, bytes(1232), first.person.id)
    await confirmed(world, tender, officers)
    quality, price = [
        await share_of(superuser, first, second, kind) for kind in ("quality", "price")
    ]
    async with refused("key_released_when_due"), as_person(app_role, first.person):
        await app_role.execute(HAND_ON, price, bytes(1232), first.person.id)
    for person, by in ((second.person, second.person), (second.person, first.person)):
        async with refused("acts_in_own_name"), as_person(app_role, person):
            await app_role.execute(HAND_ON, quality, bytes(1232), by.id)
    async with violates("passed_share_length"), as_person(app_role, first.person):
        await app_role.execute(HAND_ON, quality, bytes(1231), first.person.id)
    async with as_person(app_role, first.person):
        await app_role.execute(HAND_ON, quality, bytes(1232), first.person.id)
    async with violates("passed_share_once"), as_person(app_role, first.person):
        await app_role.execute(HAND_ON, quality, bytes(1232), first.person.id)


async def test_no_key_is_released_early_by_one_alone_or_by_a_stranger(
    world: World, superuser: Any, app_role: Any, kept: tuple[PublishedTender, Three, Person]
) -> None:
    tender, officers, supplier = kept
    first, second, _ = officers
    quality, price = [await envelope_of(superuser, kind) for kind in ("quality", "price")]
    async with refused("opened_as_in_manifest"), as_person(app_role, second.person):
        await app_role.execute(RELEASE, quality, None, second.person.id)
    await confirmed(world, tender, officers)
    async with refused("key_released_by_two"), as_person(app_role, second.person):
        await app_role.execute(RELEASE, quality, None, second.person.id)
    await first.desk.release(tender.id, agreed)
    async with refused("key_released_by_two"), as_person(app_role, first.person):
        await app_role.execute(RELEASE, quality, None, first.person.id)
    async with refused("key_released_when_due"), as_person(app_role, second.person):
        await app_role.execute(RELEASE, price, None, second.person.id)
    async with refused("acts_in_own_name"), as_person(app_role, second.person):
        await app_role.execute(RELEASE, quality, None, first.person.id)
    for person in (tender.manager, tender.price_evaluator, supplier):
        async with refused("duty_needed"), as_person(app_role, person):
            await app_role.execute(RELEASE, quality, None, person.id)
    async with as_person(app_role, second.person):
        await app_role.execute(RELEASE, quality, None, second.person.id)
    async with violates("released_key_once"), as_person(app_role, second.person):
        await app_role.execute(RELEASE, quality, None, second.person.id)


async def test_what_is_released_is_read_by_who_may_open_it_alone(
    world: World, superuser: Any, app_role: Any, kept: tuple[PublishedTender, Three, Person]
) -> None:
    tender, officers, _ = kept
    first, second, _ = officers
    await confirmed(world, tender, officers)
    await first.desk.release(tender.id, agreed)
    await second.desk.release(tender.id, agreed)
    bid = await superuser.fetchval("SELECT id FROM bid")
    ask = "SELECT wrapped, unopenable FROM released_key_for($1, 'quality')"
    async with as_person(app_role, first.person):
        (row,) = await app_role.fetch(ask, bid)
        assert len(row["wrapped"]) > 32
        assert await app_role.fetchval("SELECT wrapped_key_for($1, 'quality')", bid) is None
    for person in (tender.manager, tender.price_evaluator, tender.quality_evaluators[0]):
        async with as_person(app_role, person):
            assert await app_role.fetch(ask, bid) == []
            assert await app_role.fetch("SELECT * FROM heads_due($1, 10)", tender.id) == []
            assert await app_role.fetch("SELECT * FROM my_shares($1)", tender.id) == []
            assert await app_role.fetch("SELECT * FROM shares_passed_to_me($1)", tender.id) == []


async def test_a_rehearsal_takes_two_and_the_canary_itself(
    superuser: Any, app_role: Any, kept: tuple[PublishedTender, Three, Person]
) -> None:
    tender, (first, second, _), _ = kept
    async with refused("key_released_by_two"), as_person(app_role, second.person):
        await app_role.execute(REHEARSE, tender.id, second.person.id, b"canary")
    await first.desk.rehearse(tender.id)
    async with refused("canary_opened"), as_person(app_role, second.person):
        await app_role.execute(REHEARSE, tender.id, second.person.id, b"canary")
    async with refused("acts_in_own_name"), as_person(app_role, second.person):
        await app_role.execute(REHEARSE, tender.id, first.person.id, b"canary")
    async with refused("duty_needed"), as_person(app_role, tender.manager):
        await app_role.execute(REHEARSE, tender.id, tender.manager.id, b"canary")
    assert await superuser.fetchval("SELECT count(*) FROM passed_share") == 2


async def test_shares_are_made_at_publication_for_openers_and_for_every_two(
    world: World, superuser: Any, app_role: Any, kept: tuple[PublishedTender, Three, Person]
) -> None:
    tender, _, _ = kept
    keys = [row[0] for row in await superuser.fetch("SELECT id FROM officer_key ORDER BY id")]
    tender_key = await superuser.fetchval("SELECT id FROM tender_key LIMIT 1")
    for of_key in (None, tender_key):
        async with refused("share_made_at_publication"), as_person(app_role, tender.manager):
            await app_role.execute(SHARE, tender.id, of_key, keys[0], keys[1], bytes(2368))
    late = await approved_tender(world, lots=1)
    async with refused("three_officers"), as_person(app_role, late.manager):
        await app_role.execute(CANARY, late.id)
    async with refused("share_for_two_openers"), as_person(app_role, late.manager):
        await app_role.execute(CANARY, late.id)
        await app_role.execute(SHARE, late.id, None, keys[0], keys[1], bytes(2368))
