"""Duties, exemptions and what one declares for them, straight at the database as the app role."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import msgspec
import pytest

from tests.makers.bids import some_suppliers
from tests.makers.conflicts import (
    DUTY,
    Draft,
    colleague,
    draft,
    exempted,
    give,
    joins,
    registered,
    revoke,
)
from tests.makers.direct import acting, not_granted, refused
from tests.makers.tenders import (
    PublishedTender,
    drafted_tender,
    offer,
    published_tender,
    requirement_of,
)
from tests.makers.world import Person, World

EXEMPTION = (
    "INSERT INTO exemption (id, tender, person, one, other, reason, granted_by, granted_at,"
    " expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7, '2001-01-01Z', market_now() + $8::interval)"
)
REVOCATION = (
    "INSERT INTO exemption_revocation (id, exemption, reason, revoked_by, revoked_at)"
    " VALUES ($1, $2, $3, $4, '2001-01-01Z')"
)
DECLARATION = (
    "INSERT INTO duty_declaration (id, tender, person, statement, details, declared_at)"
    " VALUES ($1, $2, $3, $4, '', '2001-01-01Z')"
)
YEAR = timedelta(days=365)


@pytest.fixture
async def tender(world: World) -> Draft:
    return await draft(world)


def by(connection: Any, person: Person) -> Any:
    """A transaction of a person's."""
    return acting(connection, person.id, person.organisation)


async def grant(  # noqa: PLR0913  # the parts of an exemption that a test may forge
    connection: Any,
    tender: Draft,
    person: Person,
    *,
    pair: tuple[str, str] = ("moderator", "reviewer"),
    acts: Person | None = None,
    granted_by: Person | None = None,
    reason: str = "Nobody else.",
    lasts: timedelta = YEAR,
) -> UUID:
    """Write an exemption row; by its guardian unless somebody else is said to act."""
    exemption = uuid4()
    async with by(connection, acts or tender.guardian):
        await connection.execute(
            EXEMPTION,
            exemption,
            tender.id,
            person.id,
            *pair,
            reason,
            (granted_by or acts or tender.guardian).id,
            lasts,
        )
    return exemption


# -- exemptions ------------------------------------------------------------------------------------


async def test_the_guardian_s_exemption_is_taken_with_the_market_s_time(
    world: World, tender: Draft, app_role: Any, superuser: Any
) -> None:
    """The control: what the tests below change is what is refused."""
    exemption = await grant(app_role, tender, await colleague(world))
    granted = await superuser.fetchval("SELECT granted_at FROM exemption WHERE id = $1", exemption)
    assert abs(granted - datetime.now(UTC)) < timedelta(minutes=1)
    async with by(app_role, tender.guardian):
        await app_role.execute(REVOCATION, uuid4(), exemption, "No more.", tender.guardian.id)
    revoked = await superuser.fetchval("SELECT revoked_at FROM exemption_revocation")
    assert abs(revoked - datetime.now(UTC)) < timedelta(minutes=1)


async def test_nobody_exempts_or_revokes_but_the_guardian_in_their_own_name(
    world: World, tender: Draft, app_role: Any
) -> None:
    person, second = await colleague(world), await colleague(world)
    exemption = await grant(app_role, tender, person)
    for who in (tender.manager, person):
        async with refused("duty_needed"):
            await grant(app_role, tender, person, acts=who)
        async with refused("duty_needed"), by(app_role, who):
            await app_role.execute(REVOCATION, uuid4(), exemption, "No.", who.id)
    for forger in (tender.manager, person):
        async with refused("acts_in_own_name"):
            await grant(app_role, tender, person, acts=forger, granted_by=tender.guardian)
        async with refused("acts_in_own_name"), by(app_role, forger):
            await app_role.execute(REVOCATION, uuid4(), exemption, "No.", tender.guardian.id)
    await offer(tender.manager, tender.id, second, "guardian")
    async with refused("duty_taken_up"):
        await grant(app_role, tender, person, acts=second)


@pytest.mark.parametrize(
    "pair",
    [("author", "opener"), ("contract_manager", "guardian"), ("moderator", "opener"), ("a", "b")],
)
async def test_only_pairs_of_the_default_are_exempted(
    world: World, tender: Draft, app_role: Any, pair: tuple[str, str]
) -> None:
    person = await colleague(world)
    async with refused("exemption_of_default"):
        await grant(app_role, tender, person, pair=(min(pair), max(pair)))


async def test_an_exemption_is_whole(world: World, tender: Draft, app_role: Any) -> None:
    person = await colleague(world)
    async with refused("exemption_expires_later"):
        await grant(app_role, tender, person, lasts=-timedelta(seconds=1))
    for changes, constraint in (
        ({"reason": " \n"}, "exemption_has_reason"),
        ({"pair": ("reviewer", "moderator")}, "exemption_pair_in_order"),
    ):
        with pytest.raises(asyncpg.CheckViolationError) as violated:
            await grant(app_role, tender, person, **changes)
        assert violated.value.constraint_name == constraint


async def test_an_exemption_ends_once_and_not_after_it_expired(
    world: World, tender: Draft, app_role: Any, superuser: Any
) -> None:
    person, guardian = await colleague(world), tender.guardian
    exemption = await grant(app_role, tender, person)
    short = await grant(app_role, tender, person, lasts=timedelta(hours=1))
    async with by(app_role, guardian):
        await app_role.execute(REVOCATION, uuid4(), exemption, "No more.", guardian.id)
    with pytest.raises(asyncpg.UniqueViolationError) as violated:
        async with by(app_role, guardian):
            await app_role.execute(REVOCATION, uuid4(), exemption, "Nor now.", guardian.id)
    assert violated.value.constraint_name == "exemption_revocation_once"
    async with acting(superuser):
        await superuser.execute("UPDATE market_clock SET shift = shift + interval '2 hours'")
    async with refused("exemption_in_force"), by(app_role, guardian):
        await app_role.execute(REVOCATION, uuid4(), short, "Late.", guardian.id)


async def test_what_keeps_duties_apart_is_never_changed_or_removed(
    world: World, tender: Draft, app_role: Any, superuser: Any
) -> None:
    person = await colleague(world)
    exemption = await exempted(world, tender.guardian, tender.id, person, "moderator", "reviewer")
    await revoke(tender.guardian, tender.id, exemption)
    tables = (
        "exemption",
        "exemption_revocation",
        "duty_declaration",
        "conflict_decision",
        "award_delegation",
        "award_delegation_ending",
        "duty_floor",
        "duty_default",
    )
    for table in tables:
        for statement in (
            f"UPDATE {table} SET id = id",  # noqa: S608  # named above
            f"DELETE FROM {table}",  # noqa: S608  # named above
            f"TRUNCATE {table} CASCADE",
        ):
            async with not_granted(), by(app_role, tender.guardian):
                await app_role.execute(statement)
            async with refused("append_only"), acting(superuser):
                await superuser.execute(statement)
    async with refused("never_deleted"), acting(superuser):
        await superuser.execute("DELETE FROM duty")
    for table in ("duty_floor", "duty_default"):
        row = f"INSERT INTO {table} VALUES (gen_random_uuid(), 'opener', 'moderator')"  # noqa: S608  # named above
        async with not_granted(), by(app_role, tender.guardian):
            await app_role.execute(row)
        async with refused("only_in_migration"), acting(superuser):
            await superuser.execute(row)


# -- duties ----------------------------------------------------------------------------------------


async def test_a_default_pair_is_refused_and_lawful_under_an_exemption_in_force_alone(
    world: World, tender: Draft, app_role: Any, superuser: Any
) -> None:
    person = await colleague(world)

    async def insert(duty: str) -> None:
        async with by(app_role, tender.manager):
            await app_role.execute(
                DUTY, uuid4(), tender.id, person.id, person.organisation, duty, tender.manager.id
            )

    await insert("reviewer")
    async with refused("duty_default"):
        await insert("moderator")
    exemption = await grant(app_role, tender, person)
    async with by(app_role, tender.guardian):
        await app_role.execute(REVOCATION, uuid4(), exemption, "No.", tender.guardian.id)
    async with refused("duty_default"):
        await insert("moderator")
    await grant(app_role, tender, person, lasts=timedelta(hours=1))
    async with acting(superuser):
        await superuser.execute("UPDATE market_clock SET shift = shift + interval '2 hours'")
    async with refused("duty_default"):
        await insert("moderator")
    await grant(app_role, tender, person)
    await insert("moderator")


async def test_whoever_has_a_duty_but_not_declared_does_nothing_with_it(
    world: World, tender: Draft, app_role: Any
) -> None:
    second, author = await colleague(world), await colleague(world)
    await offer(tender.manager, tender.id, second, "tender_manager")
    await offer(tender.manager, tender.id, author, "author")
    async with refused("duty_taken_up"), by(app_role, second):
        await app_role.execute(
            DUTY, uuid4(), tender.id, author.id, author.organisation, "reviewer", second.id
        )
    async with refused("duty_taken_up"), by(app_role, author):
        await app_role.execute(
            "INSERT INTO requirement_version (id, tender, content, digest, edited_by,"
            " organisation) VALUES ($1, $2, $3, $4, $5, $6)",
            uuid4(),
            tender.id,
            msgspec.json.encode(requirement_of(1)).decode(),
            b"d" * 32,
            author.id,
            author.organisation,
        )
    async with refused("duty_taken_up"), by(app_role, second):
        await app_role.execute(
            "UPDATE tender SET stage = 'abandoned', abandoned_because = 'x',"
            " version = version + 1 WHERE id = $1",
            tender.id,
        )


async def test_nobody_but_who_begins_a_tender_makes_themselves_its_manager(
    world: World, app_role: Any
) -> None:
    """Not even an author in the transaction of an edit, whose row of the tender is new too."""
    tender = await drafted_tender(world, lots=1)
    for person in (tender.author, tender.guardian, await colleague(world)):
        async with refused("duty_needed"), by(app_role, person):
            if person is tender.author:
                await app_role.execute(
                    "UPDATE tender SET title = 'Mine', version = version + 1 WHERE id = $1",
                    tender.id,
                )
            await app_role.execute(
                DUTY,
                uuid4(),
                tender.id,
                person.id,
                person.organisation,
                "tender_manager",
                person.id,
            )


async def test_a_duty_is_given_in_one_s_own_name_for_a_member_s_own_organisation(
    world: World, tender: Draft, app_role: Any
) -> None:
    person, luton = await colleague(world), await world.organisation("06P")
    for organisation, assigned_by, promise in (
        (person.organisation, person, "acts_in_own_name"),
        (luton, tender.manager, "duty_for_own_organisation"),
    ):
        async with refused(promise), by(app_role, tender.manager):
            await app_role.execute(
                DUTY, uuid4(), tender.id, person.id, organisation, "opener", assigned_by.id
            )


async def test_a_duty_that_was_released_stays_so_and_keeps_its_person(
    world: World, tender: Draft, app_role: Any
) -> None:
    person, other = await colleague(world), await colleague(world)
    given = (await give(tender.manager, tender.id, person, "opener")).json()["id"]
    for change in ("person", "duty", "tender", "organisation", "assigned_by", "assigned_at"):
        async with not_granted(), by(app_role, tender.manager):
            await app_role.execute(f"UPDATE duty SET {change} = {change}")  # noqa: S608  # named above
    async with refused("duty_needed"), by(app_role, other):
        await app_role.execute("UPDATE duty SET released_at = now() WHERE id = $1", given)
    async with by(app_role, tender.manager):
        await app_role.execute("UPDATE duty SET released_at = '2001-01-01Z' WHERE id = $1", given)
    async with refused("duty_only_ends"), by(app_role, tender.manager):
        await app_role.execute("UPDATE duty SET released_at = NULL WHERE id = $1", given)


async def test_an_award_duty_is_held_for_a_buyer_or_under_a_delegation(
    world: World, tender: Draft, app_role: Any
) -> None:
    outsider = await colleague(world, "Fay Federation", "04F")
    for duty in ("quality_evaluator", "price_evaluator", "moderator", "award_approver"):
        async with refused("award_duty_delegated"), by(app_role, tender.manager):
            await app_role.execute(
                DUTY,
                uuid4(),
                tender.id,
                outsider.id,
                outsider.organisation,
                duty,
                tender.manager.id,
            )
    async with by(app_role, tender.manager):
        await app_role.execute(
            DUTY,
            uuid4(),
            tender.id,
            outsider.id,
            outsider.organisation,
            "reviewer",
            tender.manager.id,
        )


async def test_from_publication_to_the_opening_no_supplier_s_member_gets_a_duty(
    world: World, app_role: Any, superuser: Any
) -> None:
    (supplier,) = await some_suppliers(world, 1)
    tender = await published_tender(world)
    person = await colleague(world)
    await joins(superuser, person, supplier.organisation)
    async with refused("duty_not_for_suppliers"), by(app_role, tender.manager):
        await app_role.execute(
            DUTY,
            uuid4(),
            tender.id,
            person.id,
            person.organisation,
            "contract_manager",
            tender.manager.id,
        )


# -- declaring on a duty ---------------------------------------------------------------------------


async def test_one_declares_in_one_s_own_name_for_a_duty_one_has_and_as_the_register_says(
    world: World, tender: Draft, app_role: Any, superuser: Any
) -> None:
    person, stranger = await colleague(world), await colleague(world)
    await offer(tender.manager, tender.id, person, "opener")

    async def say(acts: Person, about: Person, statement: str) -> None:
        async with by(app_role, acts):
            await app_role.execute(DECLARATION, uuid4(), tender.id, about.id, statement)

    async with refused("acts_in_own_name"):
        await say(stranger, person, "nothing_to_declare")
    async with refused("declaration_for_duty"):
        await say(stranger, stranger, "nothing_to_declare")
    async with refused("declaration_as_registered"):
        await say(person, person, "as_registered")
    with pytest.raises(asyncpg.CheckViolationError) as violated:
        await say(person, person, "no_comment")
    assert violated.value.constraint_name == "duty_declaration_statement_known"
    await registered(superuser, person)
    async with refused("declaration_as_registered"):
        await say(person, person, "nothing_to_declare")
    await say(person, person, "as_registered")
    made = await superuser.fetchval(
        "SELECT declared_at FROM duty_declaration WHERE person = $1", person.id
    )
    assert abs(made - datetime.now(UTC)) < timedelta(minutes=1)


async def test_what_one_declared_is_hidden_from_colleagues_in_the_database_too(
    world: World, app_role: Any
) -> None:
    tender: PublishedTender = await drafted_tender(world, lots=1)

    async def seen_by(person: Person) -> set[UUID]:
        async with by(app_role, person):
            rows = await app_role.fetch("SELECT DISTINCT person FROM duty_declaration")
        return {row["person"] for row in rows}

    everybody = {person.id for person in tender.everybody()}
    assert await seen_by(tender.guardian) == everybody
    for person in (tender.manager, tender.author, tender.moderator):
        assert await seen_by(person) == {person.id}
    assert await seen_by(await colleague(world)) == set()


async def test_the_app_is_not_told_who_bids_by_the_guards_own_functions(
    world: World, app_role: Any
) -> None:
    tender = await draft(world)
    for call in (
        "standing_bids($1)",
        "conflicts_of($2, $1)",
        "why_not_unconflicted($2, $1)",
        "belongs_to_bidder($2, $1)",
        "may_read_bids($2, $1)",
        "helps_to_run(ARRAY[$2::uuid], $1)",
        "bidder_parties($1, $2, true)",
        "links_to_bidder($2, $1, $2)",
        "interests_counted($2, $1)",
    ):
        async with not_granted(), by(app_role, tender.manager):
            await app_role.execute(
                f"SELECT {call} FROM (SELECT $1::uuid, $2::uuid) given",  # noqa: S608  # named above
                tender.id,
                tender.manager.id,
            )
