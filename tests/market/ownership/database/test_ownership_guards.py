"""The database's own promises about ownership: held against the app role and the superuser."""

from datetime import date
from typing import Any
from uuid import uuid4

import asyncpg
import pytest

from market.actor import Actor, Role
from market.ownership.commands import import_statements
from tests.makers.clock import registrar
from tests.makers.direct import acting, not_granted, refused
from tests.makers.ownership import entity, lines, owns, person
from tests.makers.world import World

pytestmark = pytest.mark.usefixtures("world")

_IMPORT = (
    "INSERT INTO ownership_import (id, source, content_digest, statements, added, parties, links,"
    " silent, unresolved, imported_at, transaction)"
    " VALUES ($1, 'x', '', 0, 0, 0, 0, 0, 0, '2001-01-01Z', 7)"
)
_LINK = (
    "INSERT INTO ownership_link (id, holder, subject, kind, share_minimum, share_maximum, majority,"
    " indirect, summary, starts_on, ends_on, source, stated_by, recorded_at, superseded_at)"
    " SELECT gen_random_uuid(), a.id, b.id, 'directorship', $2, $3, false, false, false, $4, $5,"
    " 'x', $1, '2001-01-01Z', '2001-01-01Z' FROM ownership_party a, ownership_party b"
    " WHERE a.name = 'Company 2 Ltd' AND b.name = 'Company 1 Ltd'"
)
_STATEMENT = (
    "INSERT INTO ownership_statement (id, imported_in, statement, version, kind, scope, record,"
    " digest, content) SELECT gen_random_uuid(), id, 'more', '0.2', 'entity', 's', 'r', '', '{}'"
    " FROM ownership_import"
)
_MATCH = (
    "INSERT INTO ownership_person (id, person, party, reason, stated_by, stated_at)"
    " SELECT gen_random_uuid(), $1, id, 'x', $1, now() FROM ownership_party WHERE name = $2"
)


@pytest.fixture(autouse=True)
async def imported(world: World) -> None:  # noqa: ARG001  # whose pool the import uses
    """Two companies and a person who owns one of them."""
    content = lines([entity(1), entity(2), person(1), owns("x", "person-1", "entity-1", 60)])
    await import_statements(Actor(), content, "tests", most_bytes=10**6)


async def test_only_registrar_and_guardians_import_by_the_market_s_clock(
    world: World, app_role: Any
) -> None:
    group = await world.organisation("06F")
    member = await world.person("Ann", group, Role.ADMINISTRATOR)
    async with refused("ownership_stated_by_right"), acting(app_role, member.id):
        await app_role.execute(_IMPORT, uuid4())
    guardian = await world.person("Gil", group, Role.CONFLICTS_GUARDIAN)
    made = uuid4()
    async with acting(app_role, guardian.id):
        await app_role.execute(_IMPORT, made)
    row = await app_role.fetchrow(
        "SELECT imported_by, imported_at > now() - interval '1 minute' AS young, transaction"
        " FROM ownership_import WHERE id = $1",
        made,
    )
    assert (row["imported_by"], row["young"]) == (guardian.id, True)
    assert row["transaction"] != 7


async def test_nothing_is_added_to_an_import_afterwards(app_role: Any, superuser: Any) -> None:
    async with refused("ownership_import_whole"), acting(app_role):
        await app_role.execute(_STATEMENT)
    async with refused("ownership_import_whole"), acting(app_role):
        await app_role.execute(
            "INSERT INTO ownership_link (id, holder, subject, kind, majority, indirect, summary,"
            " statement, recorded_at) SELECT gen_random_uuid(), subject, holder, 'nominee', false,"
            " false, false, statement, now() FROM ownership_link"
        )
    for table in ("ownership_import", "ownership_statement", "ownership_replacement"):
        for statement in (f"UPDATE {table} SET id = id", f"DELETE FROM {table}"):  # noqa: S608  # names of the test's own
            async with not_granted(), acting(app_role):
                await app_role.execute(statement)
            async with refused("append_only"), acting(superuser):
                await superuser.execute(statement)


async def test_nothing_is_written_without_an_event(app_role: Any) -> None:
    statement = (
        "INSERT INTO ownership_party (id, kind, name, recorded_at)"
        " VALUES (gen_random_uuid(), 'entity', 'Secret Ltd', now())"
    )
    async with refused("event_recorded"):
        await app_role.execute(statement)
    async with acting(app_role):
        await app_role.execute(statement)


async def test_a_link_is_stated_by_the_registrar_alone_now_and_in_their_own_name(
    world: World, app_role: Any
) -> None:
    keeper = await registrar(world)
    guardian = await world.person("Gil", await world.organisation("06F"), Role.CONFLICTS_GUARDIAN)
    for who in (guardian.id, None):
        async with refused("ownership_stated_by_right"), acting(app_role, who):
            await app_role.execute(_LINK, keeper.id, None, None, None, None)
    async with acting(app_role, keeper.id):
        await app_role.execute(_LINK, guardian.id, None, None, None, None)
    row = await app_role.fetchrow(
        "SELECT stated_by, superseded_at, recorded_at > now() - interval '1 minute' AS young"
        " FROM ownership_link WHERE statement IS NULL"
    )
    assert (row["stated_by"], row["superseded_at"], row["young"]) == (keeper.id, None, True)
    with pytest.raises(asyncpg.UniqueViolationError) as caught:
        async with acting(app_role, keeper.id):
            await app_role.execute(_LINK, keeper.id, None, None, None, None)
    assert caught.value.constraint_name == "ownership_link_stated_once"


@pytest.mark.parametrize(
    ("low", "high", "starts", "ends", "constraint"),
    [
        (-1, 5, None, None, "ownership_link_share_possible"),
        (6, 5, None, None, "ownership_link_share_possible"),
        (5, 101, None, None, "ownership_link_share_possible"),
        (5, None, None, None, "ownership_link_share_possible"),
        (None, None, "2025-01-02", "2025-01-01", "ownership_link_ends_after_start"),
    ],
)
async def test_an_impossible_link_is_none(  # noqa: PLR0913, PLR0917  # the columns of a row
    world: World,
    app_role: Any,
    low: int | None,
    high: int | None,
    starts: str | None,
    ends: str | None,
    constraint: str,
) -> None:
    keeper = await registrar(world)
    days = [None if day is None else date.fromisoformat(day) for day in (starts, ends)]
    with pytest.raises(asyncpg.CheckViolationError) as caught:
        async with acting(app_role, keeper.id):
            await app_role.execute(_LINK, keeper.id, low, high, *days)
    assert caught.value.constraint_name == constraint


async def test_nobody_is_linked_to_themselves(world: World, app_role: Any) -> None:
    keeper = await registrar(world)
    statement = _LINK.replace("'Company 2 Ltd'", "'Company 1 Ltd'")
    with pytest.raises(asyncpg.CheckViolationError) as caught:
        async with acting(app_role, keeper.id):
            await app_role.execute(statement, keeper.id, None, None, None, None)
    assert caught.value.constraint_name == "ownership_link_not_of_itself"


async def test_a_link_only_ends(world: World, app_role: Any, superuser: Any) -> None:
    keeper = await registrar(world)
    async with acting(app_role, keeper.id):
        await app_role.execute(_LINK, keeper.id, None, None, None, None)
    for change in ("kind = 'nominee'", "holder = subject", "share_minimum = 1", "majority = true"):
        statement = f"UPDATE ownership_link SET {change}"  # noqa: S608  # constants
        async with not_granted(), acting(app_role, keeper.id):
            await app_role.execute(statement)
        async with refused("ownership_link_only_ends"), acting(superuser, keeper.id):
            await superuser.execute(statement)
    async with refused("ownership_link_only_ends"), acting(app_role, keeper.id):
        await app_role.execute(
            "UPDATE ownership_link SET ends_on = '2026-01-01' WHERE statement IS NOT NULL"
        )
    async with refused("ownership_stated_by_right"), acting(app_role):
        await app_role.execute(
            "UPDATE ownership_link SET ends_on = '2026-01-01' WHERE statement IS NULL"
        )
    async with acting(app_role, keeper.id):
        await app_role.execute(
            "UPDATE ownership_link SET ends_on = '2026-01-01' WHERE statement IS NULL"
        )
    for end in ("NULL", "'2027-01-01'"):
        async with refused("ownership_link_only_ends"), acting(app_role, keeper.id):
            await app_role.execute(
                f"UPDATE ownership_link SET ends_on = {end} WHERE statement IS NULL"  # noqa: S608  # constants
            )


async def test_a_statement_is_superseded_by_one_of_the_same_transaction(
    world: World, app_role: Any
) -> None:
    keeper = await registrar(world)
    async with refused("ownership_import_whole"), acting(app_role, keeper.id):
        await app_role.execute(
            "UPDATE ownership_link SET superseded_at = now(), superseded_by = statement"
        )
    async with refused("ownership_import_whole"), acting(app_role, keeper.id):
        await app_role.execute("UPDATE ownership_link SET superseded_at = now()")


async def test_a_party_stays_what_it_is(app_role: Any, superuser: Any) -> None:
    async with refused("ownership_party_stays"), acting(app_role):
        await app_role.execute("UPDATE ownership_party SET kind = 'unknown'")
    async with not_granted(), acting(app_role):
        await app_role.execute("UPDATE ownership_party SET merged_into = id")
    async with refused("ownership_party_stays"), acting(superuser):
        await superuser.execute("UPDATE ownership_party SET merged_into = id")


async def test_parties_are_merged_by_an_import_alone(app_role: Any) -> None:
    ids = [row["id"] for row in await app_role.fetch("SELECT id FROM ownership_party")]
    async with refused("ownership_import_whole"), acting(app_role):
        await app_role.execute("SELECT merge_ownership_parties($1, $2)", ids[0], ids[1])


async def test_nothing_about_ownership_is_removed(app_role: Any, superuser: Any) -> None:
    for table in ("party", "identifier", "reference", "link", "person"):
        statement = f"DELETE FROM ownership_{table}"  # noqa: S608  # names of the test's own
        async with not_granted(), acting(app_role):
            await app_role.execute(statement)
        async with refused("never_deleted"), acting(superuser):
            await superuser.execute(statement)


async def test_who_is_who_is_said_by_those_who_may_and_only_ends(
    world: World, app_role: Any, superuser: Any
) -> None:
    group = await world.organisation("06F")
    member = await world.person("Dr A", group, Role.COMMISSIONER)
    other = await world.person("Dr B", group, Role.COMMISSIONER)
    guardian = await world.person("Gil", group, Role.CONFLICTS_GUARDIAN)
    for who in (other.id, None):
        async with refused("ownership_stated_by_right"), acting(app_role, who):
            await app_role.execute(_MATCH, member.id, "Person 1")
    async with refused("ownership_person_is_a_person"), acting(app_role, member.id):
        await app_role.execute(_MATCH, member.id, "Company 1 Ltd")
    async with acting(app_role, member.id):
        await app_role.execute(_MATCH, member.id, "Person 1")
    with pytest.raises(asyncpg.UniqueViolationError) as caught:
        async with acting(app_role, guardian.id):
            await app_role.execute(_MATCH, member.id, "Person 1")
    assert caught.value.constraint_name == "ownership_person_once"
    end = "UPDATE ownership_person SET ended_at = now()"
    async with refused("ownership_stated_by_right"), acting(app_role, member.id):
        await app_role.execute(end)
    async with acting(app_role, guardian.id):
        await app_role.execute(end)
    for change in ("ended_at = NULL", "reason = 'y'", "person = stated_by, reason = 'z'"):
        async with refused("ownership_person_only_ends"), acting(superuser, guardian.id):
            await superuser.execute(f"UPDATE ownership_person SET {change}")  # noqa: S608  # constants


async def test_statements_are_kept_whole_and_not_read_by_the_api(
    app_role: Any, superuser: Any
) -> None:
    async with not_granted():
        await app_role.fetch("SELECT content FROM ownership_statement")
    name = await superuser.fetchval(
        "SELECT content->>'name' FROM ownership_statement WHERE statement = 'entity-1'"
    )
    assert name == "Company 1 Ltd"


async def test_the_turn_is_one_row_of_the_migration(superuser: Any) -> None:
    assert await superuser.fetchval("SELECT count(*) FROM ownership_turn") == 1
    async with refused("only_in_migration"):
        await superuser.execute("INSERT INTO ownership_turn (id) VALUES (1)")
