"""The bid's promises straight at the database: as the app role, and as superuser."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from tests.makers.bids import (
    OpenedTender,
    close_bidding,
    confirm,
    declare,
    opened_tender,
    some_suppliers,
    submit,
)
from tests.makers.direct import acting, not_granted, refused
from tests.makers.tenders import PublishedTender, published_tender
from tests.makers.world import Person, World

_VERSION = (
    "INSERT INTO bid_version (id, bid, number, act, made_by, received_at, quality_commitment,"
    " price_commitment) VALUES ($1, $2, $3, $4, $5, $6, $7, $7)"
)
_RECEIPT = "INSERT INTO bid_receipt (id, bid_version, signed) VALUES (gen_random_uuid(), $1, '{}')"
_MANIFEST = (
    "INSERT INTO manifest_entry (id, tender, lot, bid, bid_version, pseudonym)"
    " VALUES (gen_random_uuid(), $1, $2, $3, $4, $5)"
)
_OPENED = (
    "INSERT INTO opened_envelope (id, envelope, bid, kind, content, opened_by)"
    " VALUES (gen_random_uuid(), $1, $2, $3, '{}', $4)"
)
_CONFIRM = "INSERT INTO opening_confirmation (id, tender, person) VALUES ($1, $2, $3)"


@pytest.fixture
async def tender(world: World) -> PublishedTender:
    return await published_tender(world)


@pytest.fixture
async def bidder(world: World) -> Person:
    return (await some_suppliers(world, 1))[0]


@pytest.fixture
async def opened(world: World, tender: PublishedTender) -> OpenedTender:
    return await opened_tender(world, tender, count=2)


@asynccontextmanager
async def as_person(connection: Any, person: Person) -> AsyncIterator[None]:
    async with acting(connection, person.id, person.organisation):
        yield


@asynccontextmanager
async def violates(constraint: str) -> AsyncIterator[None]:
    with pytest.raises(asyncpg.IntegrityConstraintViolationError) as caught:
        yield
    assert caught.value.constraint_name == constraint


@asynccontextmanager
async def hidden() -> AsyncIterator[None]:
    """Expect row-level security to refuse the row."""
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="row-level security"):
        yield


async def give(  # noqa: PLR0913  # every part of a bid that a test may leave out
    connection: Any,
    tender: PublishedTender,
    person: Person,
    *,
    envelopes: tuple[str, ...] = ("quality", "price"),
    receipt: bool = True,
    received_at: datetime | None = None,
) -> UUID:
    """Write a bid row by row, inside the caller's transaction; give its version."""
    bid, version = uuid4(), uuid4()
    await connection.execute(
        "INSERT INTO bid (id, tender, lot, organisation) VALUES ($1, $2, $3, $4)",
        bid,
        tender.id,
        tender.lots[1],
        person.organisation,
    )
    await connection.execute(
        _VERSION, version, bid, 1, "submitted", person.id, received_at, b"c" * 32
    )
    for kind in envelopes:
        await put_in(connection, version, kind)
    if receipt:
        await connection.execute(_RECEIPT, version)
    return version


async def put_in(connection: Any, version: UUID, kind: str) -> None:
    await connection.execute(
        "INSERT INTO envelope (id, bid_version, kind, sealed) VALUES ($1, $2, $3, $4)",
        uuid4(),
        version,
        kind,
        b"sealed",
    )


async def closed_with_declarations(world: World, tender: PublishedTender, person: Person) -> UUID:
    given = await submit(person, tender, 1)
    await close_bidding(world, tender)
    for opener in tender.openers:
        await declare(opener, tender)
    return UUID(given["bid"])


# -- bidding --------------------------------------------------------------------------------------


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
        await app_role.execute(_VERSION, uuid4(), bid, 2, "submitted", other.id, early, b"c" * 32)
    async with refused("bidding_open"), as_person(app_role, other):
        await app_role.execute(_VERSION, uuid4(), bid, 2, "withdrawn", other.id, early, None)


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
    async with as_person(app_role, bidder):
        version = await give(app_role, tender, bidder)
    async with refused("bid_arrives_whole"), as_person(app_role, bidder):
        await put_in(app_role, version, "quality")
    async with refused("bid_arrives_whole"), as_person(app_role, bidder):
        await app_role.execute(_RECEIPT, version)


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
                _VERSION, uuid4(), bid, number, "submitted", bidder.id, None, b"c" * 32
            )
    withdrawal = uuid4()
    async with as_person(app_role, bidder):
        await app_role.execute(_VERSION, withdrawal, bid, 2, "withdrawn", bidder.id, None, None)
        await app_role.execute(_RECEIPT, withdrawal)
    async with refused("withdraws_what_stands"), as_person(app_role, bidder):
        await app_role.execute(_VERSION, uuid4(), bid, 3, "withdrawn", bidder.id, None, None)


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


# -- what is sealed is not seen -------------------------------------------------------------------


async def test_bids_are_invisible_to_everybody_else_before_the_opening(
    world: World, tender: PublishedTender, bidder: Person, app_role: Any
) -> None:
    bid = await closed_with_declarations(world, tender, bidder)
    rival = (await some_suppliers(world, 1))[0]
    for person in (rival, *tender.everybody()):
        async with as_person(app_role, person):
            for table in ("bid_version", "envelope", "bid_receipt", "manifest_entry"):
                count = await app_role.fetchval(f"SELECT count(*) FROM {table}")  # noqa: S608  # named above
                # openers and guardian may know that there is a bid, once the deadline has passed
                knows = table == "bid_version" and person in {*tender.openers, tender.guardian}
                assert count == (1 if knows else 0), (person.name, table)
            sees = await app_role.fetchval("SELECT count(*) FROM bid WHERE id = $1", bid)
            assert sees == (1 if person in {*tender.openers, tender.guardian} else 0), person.name
    async with as_person(app_role, bidder):
        assert await app_role.fetchval("SELECT count(*) FROM bid_receipt") == 1
        # its own ciphertext is not shown to a bidder either: it is of no use
        assert await app_role.fetchval("SELECT count(*) FROM envelope") == 0
    assert await app_role.fetchval("SELECT count(*) FROM bid") == 0


async def test_before_the_deadline_even_openers_see_no_bid(
    tender: PublishedTender, bidder: Person, app_role: Any
) -> None:
    await submit(bidder, tender, 1)
    for person in tender.everybody():
        async with as_person(app_role, person):
            for table in ("bid", "bid_version", "envelope", "bid_receipt"):
                assert await app_role.fetchval(f"SELECT count(*) FROM {table}") == 0  # noqa: S608  # named above
            assert await app_role.fetch("SELECT * FROM bidders_of($1)", tender.id) == []
            assert await app_role.fetchval("SELECT my_conflict($1)", tender.id) is None
            assert await app_role.fetch("SELECT * FROM bids_to_open($1)", tender.id) == []


async def test_functions_that_tell_who_bids_cannot_be_called_by_the_app(
    tender: PublishedTender, app_role: Any
) -> None:
    opener = tender.openers[0]
    for call in (
        "SELECT * FROM standing_bids($1)",
        f"SELECT belongs_to_bidder('{opener.id}', $1)",
        f"SELECT why_not_unconflicted('{opener.id}', $1)",
    ):
        async with not_granted(), as_person(app_role, opener):
            await app_role.fetch(call, tender.id)


async def test_wrapped_keys_can_be_neither_read_nor_changed(
    tender: PublishedTender, app_role: Any
) -> None:
    for statement in (
        "SELECT wrapped_key FROM tender_key",
        "SELECT * FROM tender_key",
        "UPDATE tender_key SET wrapped_key = ''",
        "DELETE FROM tender_key",
    ):
        async with not_granted(), as_person(app_role, tender.manager):
            await app_role.execute(statement)


async def test_a_wrapped_key_is_refused_before_the_opening_and_to_the_wrong_person(
    world: World, tender: PublishedTender, bidder: Person, app_role: Any
) -> None:
    bid = await closed_with_declarations(world, tender, bidder)
    ask = "SELECT wrapped_key_for($1, $2)"
    await confirm(tender.openers[0], tender)
    for person in (*tender.openers, tender.guardian, bidder):
        for kind in ("quality", "price"):
            async with refused("envelope_stays_sealed"), as_person(app_role, person):
                await app_role.fetchval(ask, bid, kind)
    await confirm(tender.openers[1], tender)
    async with as_person(app_role, tender.openers[0]):
        assert len(await app_role.fetchval(ask, bid, "quality")) > 96
    for person in (tender.manager, tender.price_evaluator, tender.quality_evaluators[0], bidder):
        async with refused("envelope_stays_sealed"), as_person(app_role, person):
            await app_role.fetchval(ask, bid, "quality")
    for person in (*tender.openers, tender.price_evaluator):
        async with refused("envelope_stays_sealed"), as_person(app_role, person):
            await app_role.fetchval(ask, bid, "price")
        async with as_person(app_role, person):
            assert await app_role.fetch("SELECT * FROM sealed_envelope($1, 'price')", bid) == []


async def test_whose_bid_is_whose_is_hidden_from_those_who_score(
    opened: OpenedTender, app_role: Any
) -> None:
    tender = opened.tender
    scoring = (*tender.quality_evaluators, tender.moderator, tender.price_evaluator)
    for person in scoring:
        await declare(person, tender)
        async with as_person(app_role, person):
            assert await app_role.fetchval("SELECT count(*) FROM manifest_entry") == 4
            assert await app_role.fetchval("SELECT count(*) FROM bid") == 0
            assert await app_role.fetchval("SELECT count(*) FROM bid_version") == 0
            whose = await app_role.fetch("SELECT supplier FROM opening_record($1)", tender.id)
            assert {row["supplier"] for row in whose} == {None}
            assert await app_role.fetch("SELECT * FROM bids_to_open($1)", tender.id) == []


async def test_opened_contents_are_read_by_those_alone_whose_duty_it_is(
    opened: OpenedTender, app_role: Any
) -> None:
    tender = opened.tender
    reads = "SELECT count(*) FROM opened_envelope"
    evaluator = tender.quality_evaluators[0]
    async with as_person(app_role, evaluator):
        assert await app_role.fetchval(reads) == 0  # has not declared
    await declare(evaluator, tender)
    async with as_person(app_role, evaluator):
        assert await app_role.fetchval(reads) == 4
    for person in (tender.author, tender.reviewer, tender.manager, tender.price_evaluator):
        async with as_person(app_role, person):
            assert await app_role.fetchval(reads) == 0, person.name
    for person in opened.suppliers:
        async with as_person(app_role, person):
            assert await app_role.fetchval(reads) == 2
    await declare(evaluator, tender, "financial", "Shares.")
    async with as_person(app_role, evaluator):
        assert await app_role.fetchval(reads) == 0


# -- declarations and confirmation ----------------------------------------------------------------


async def test_declarations_are_one_s_own_about_bidders_and_after_the_deadline(
    world: World, tender: PublishedTender, bidder: Person, app_role: Any
) -> None:
    one, other = tender.openers
    insert = (
        "INSERT INTO declaration (id, tender, person, bidder, interest, details)"
        " VALUES ($1, $2, $3, $4, $5, $6)"
    )
    await submit(bidder, tender, 1)

    async def say(
        by: Person, about: UUID, person: Person, interest: str = "none", details: str = " "
    ) -> None:
        values = uuid4(), tender.id, person.id, about, interest, details
        async with as_person(app_role, by):
            await app_role.execute(insert, *values)

    async with refused("declaration_when_known"):
        await say(one, bidder.organisation, one)
    await close_bidding(world, tender)
    async with refused("acts_in_own_name"):
        await say(one, bidder.organisation, other)
    async with refused("declaration_about_bidder"):
        await say(one, tender.manager.organisation, one)
    async with violates("declaration_interest_described"):
        await say(one, bidder.organisation, one, "financial")
    async with violates("declaration_interest_known"):
        await say(one, bidder.organisation, one, "friendship", "We are close.")


async def test_a_confirmation_needs_deadline_duty_declaration_and_no_interest(
    world: World, tender: PublishedTender, bidder: Person, app_role: Any
) -> None:
    one, other = tender.openers
    await submit(bidder, tender, 1)

    async def say(by: Person, person: Person) -> None:
        async with as_person(app_role, by):
            await app_role.execute(_CONFIRM, uuid4(), tender.id, person.id)

    async with refused("opening_after_deadline"):
        await say(one, one)
    await close_bidding(world, tender)
    async with refused("declaration_missing"):
        await say(one, one)
    async with refused("acts_in_own_name"):
        await say(one, other)
    for person in (tender.author, tender.manager, tender.guardian, bidder):
        async with refused("duty_needed"):
            await say(person, person)
    await declare(one, tender)
    await say(one, one)
    async with violates("opening_confirmation_once"):
        await say(one, one)
    await declare(other, tender, "indirect", "A cousin works there.")
    async with refused("conflict_of_interest"):
        await say(other, other)


async def test_a_member_of_a_bidder_does_not_confirm(
    world: World, tender: PublishedTender, bidder: Person, app_role: Any, superuser: Any
) -> None:
    """Who joined a bidder after the duty was given is out too, and so is who has left it again."""
    await closed_with_declarations(world, tender, bidder)
    opener = tender.openers[0]
    joined = uuid4()
    async with acting(superuser, opener.id, opener.organisation):
        await superuser.execute(
            "INSERT INTO membership (id, person, organisation, role) VALUES ($1, $2, $3, $4)",
            joined,
            opener.id,
            bidder.organisation,
            "bid_manager",
        )
    for _ in range(2):
        async with refused("conflict_of_interest"), as_person(app_role, opener):
            await app_role.execute(_CONFIRM, uuid4(), tender.id, opener.id)
        async with acting(superuser, opener.id, opener.organisation):
            await superuser.execute(
                "UPDATE membership SET ended_at = now() WHERE id = $1 AND ended_at IS NULL", joined
            )


# -- the manifest and the envelopes ---------------------------------------------------------------


async def test_a_tender_is_opened_by_two_with_a_manifest_of_exactly_what_stands(
    world: World, tender: PublishedTender, app_role: Any, superuser: Any
) -> None:
    first, second, third = await some_suppliers(world, 3)
    bids = [UUID((await submit(person, tender, 1))["bid"]) for person in (first, second)]
    gone = UUID((await submit(third, tender, 1))["bid"])
    headers = {"Idempotency-Key": str(uuid4())}
    assert (await third.delete(f"/bids/{gone}", version=1, headers=headers)).status_code == 200
    versions = {
        row["bid"]: row["id"]
        for row in await superuser.fetch("SELECT id, bid FROM bid_version WHERE number = 1")
    }
    await close_bidding(world, tender)
    for opener in tender.openers:
        await declare(opener, tender)
    opener, other = tender.openers
    await confirm(opener, tender)

    async def enter(bid: UUID, name: str) -> None:
        await app_role.execute(
            _MANIFEST, tender.id, tender.lots[1], bid, versions[bid], f"Bidder {name}"
        )

    async def move() -> None:
        await app_role.execute(
            "UPDATE tender SET stage = 'opened', version = version + 1 WHERE id = $1", tender.id
        )

    async with refused("opening_by_two"), as_person(app_role, opener):
        await enter(bids[0], "A")
    async with refused("opening_by_two"), as_person(app_role, opener):
        await move()
    async with refused("manifest_complete"), as_person(app_role, other):
        await app_role.execute(_CONFIRM, uuid4(), tender.id, other.id)
        await enter(bids[0], "A")
        await move()
    async with refused("manifest_complete"), as_person(app_role, other):
        await app_role.execute(_CONFIRM, uuid4(), tender.id, other.id)
        await enter(gone, "A")
    async with violates("manifest_entry_pseudonym_once"), as_person(app_role, other):
        await app_role.execute(_CONFIRM, uuid4(), tender.id, other.id)
        await enter(bids[0], "A")
        await enter(bids[1], "A")
    async with as_person(app_role, other):
        await app_role.execute(_CONFIRM, uuid4(), tender.id, other.id)
        await enter(bids[0], "A")
        await enter(bids[1], "B")
        await move()
    async with refused("opening_by_two"), as_person(app_role, other):
        await enter(gone, "C")


async def test_a_price_is_not_opened_before_quality_is_locked(
    opened: OpenedTender, app_role: Any, superuser: Any
) -> None:
    tender = opened.tender
    evaluator = tender.price_evaluator
    await declare(evaluator, tender)
    row = await superuser.fetchrow(
        "SELECT e.id, v.bid FROM envelope e JOIN bid_version v ON v.id = e.bid_version"
        " WHERE e.kind = 'price' LIMIT 1"
    )
    async with refused("envelope_stays_sealed"), as_person(app_role, evaluator):
        await app_role.execute(_OPENED, row["id"], row["bid"], "price", evaluator.id)
    async with refused("duty_needed"), as_person(app_role, tender.openers[0]):
        await app_role.execute(_OPENED, row["id"], row["bid"], "price", tender.openers[0].id)
    # nor under the name of the other kind
    async with refused("opened_as_in_manifest"), as_person(app_role, tender.openers[0]):
        await app_role.execute(_OPENED, row["id"], row["bid"], "quality", tender.openers[0].id)


async def test_an_envelope_is_opened_once_and_in_one_s_own_name(
    opened: OpenedTender, app_role: Any, superuser: Any
) -> None:
    one, other = opened.tender.openers
    row = await superuser.fetchrow("SELECT envelope, bid FROM opened_envelope LIMIT 1")
    async with refused("acts_in_own_name"), as_person(app_role, one):
        await app_role.execute(_OPENED, row["envelope"], row["bid"], "quality", other.id)
    with pytest.raises(asyncpg.UniqueViolationError):
        async with as_person(app_role, one):
            await app_role.execute(_OPENED, row["envelope"], row["bid"], "quality", one.id)


# -- append-only ----------------------------------------------------------------------------------


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
