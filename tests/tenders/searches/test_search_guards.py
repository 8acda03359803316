"""The database's own promises about saved searches, held against the app role and the superuser."""

from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from tests.makers.direct import acting, not_granted, refused
from tests.makers.searches import saved
from tests.makers.suppliers import admitted_supplier
from tests.makers.world import Person, World

_SAVE = (
    "INSERT INTO saved_search (id, person, organisation, name, service_lines)"
    " VALUES ($1, $2, $3, 'Ours', '{}')"
)
_BOUNDS = (
    "INSERT INTO saved_search (id, person, organisation, name, service_lines, minimum_value,"
    " maximum_value) VALUES (gen_random_uuid(), $1, $2, 'Ours', '{}', $3, $4)"
)


async def _save(connection: Any, actor: Person, owner: UUID, organisation: UUID) -> None:
    async with acting(connection, actor.id, actor.organisation):
        await connection.execute(_SAVE, uuid4(), owner, organisation)


async def test_a_search_is_saved_in_one_s_own_name_as_a_member(
    world: World, app_role: Any, superuser: Any
) -> None:
    supplier, other = [await admitted_supplier(world, name) for name in ("One", "Other")]
    for connection in (app_role, superuser):
        for owner, organisation in (
            (other.id, supplier.organisation),
            (supplier.id, other.organisation),
        ):
            async with refused("saved_search_own"):
                await _save(connection, supplier, owner, organisation)
    stranger = await world.organisation("06F")
    async with refused("saved_search_own"), acting(app_role, supplier.id, stranger):
        await app_role.execute(_SAVE, uuid4(), supplier.id, stranger)
    await _save(app_role, supplier, supplier.id, supplier.organisation)


async def test_twenty_are_in_force_at_most_whoever_writes(
    world: World, app_role: Any, superuser: Any
) -> None:
    supplier = await admitted_supplier(world, "One")
    for _ in range(20):
        await _save(app_role, supplier, supplier.id, supplier.organisation)
    for connection in (app_role, superuser):
        async with refused("saved_searches_bounded"):
            await _save(connection, supplier, supplier.id, supplier.organisation)
    async with acting(app_role, supplier.id, supplier.organisation):
        await app_role.execute("UPDATE saved_search SET ended_at = now()")
    await _save(app_role, supplier, supplier.id, supplier.organisation)


async def test_a_search_only_ends_by_its_owner_once_and_at_the_market_s_time(
    world: World, app_role: Any, superuser: Any
) -> None:
    supplier, other = [await admitted_supplier(world, name) for name in ("One", "Other")]
    await saved(supplier)
    for change in ("name = 'Theirs'", "minimum_value = 1", "text = 'x'", "made_at = now()"):
        async with (
            refused("saved_search_only_ends"),
            acting(superuser, supplier.id, supplier.organisation),
        ):
            await superuser.execute(f"UPDATE saved_search SET {change}, ended_at = now()")  # noqa: S608  # constants
        async with not_granted(), acting(app_role, supplier.id, supplier.organisation):
            await app_role.execute(f"UPDATE saved_search SET {change}")  # noqa: S608  # constants
    async with refused("saved_search_only_ends"), acting(superuser, other.id, other.organisation):
        await superuser.execute("UPDATE saved_search SET ended_at = now()")
    async with acting(app_role, other.id, other.organisation):
        assert await app_role.execute("UPDATE saved_search SET ended_at = now()") == "UPDATE 0"
    async with acting(app_role, supplier.id, supplier.organisation):
        await app_role.execute("UPDATE saved_search SET ended_at = '2001-01-01Z'")
    assert await superuser.fetchval("SELECT bool_and(ended_at > made_at) FROM saved_search")
    async with (
        refused("saved_search_only_ends"),
        acting(app_role, supplier.id, supplier.organisation),
    ):
        await app_role.execute("UPDATE saved_search SET ended_at = NULL")


async def test_a_search_is_seen_by_its_owner_alone_and_never_removed(
    world: World, app_role: Any, superuser: Any
) -> None:
    supplier, other = [await admitted_supplier(world, name) for name in ("One", "Other")]
    await saved(supplier)
    for person, organisation, count in (
        (supplier.id, supplier.organisation, 1),
        (supplier.id, other.organisation, 0),
        (other.id, supplier.organisation, 0),
        (None, None, 0),
    ):
        async with acting(app_role, person, organisation):
            assert await app_role.fetchval("SELECT count(*) FROM saved_search") == count
    async with not_granted(), acting(app_role, supplier.id, supplier.organisation):
        await app_role.execute("DELETE FROM saved_search")
    async with refused("never_deleted"), acting(superuser, supplier.id, supplier.organisation):
        await superuser.execute("DELETE FROM saved_search")


async def test_no_system_saves_or_ends_a_search(world: World, superuser: Any) -> None:
    supplier = await admitted_supplier(world, "One")
    await saved(supplier)
    for statement in (
        "INSERT INTO saved_search (id) VALUES (gen_random_uuid())",
        "UPDATE saved_search SET ended_at = now()",
    ):
        async with (
            refused("person_acts"),
            acting(superuser, supplier.id, supplier.organisation),
        ):
            await superuser.execute(
                "SELECT set_config('market.credential', $1, true)", str(uuid4())
            )
            await superuser.execute(statement)


async def test_no_search_is_kept_without_an_event(world: World, app_role: Any) -> None:
    supplier = await admitted_supplier(world, "One")
    async with refused("event_recorded"), app_role.transaction():
        await app_role.execute(
            "SELECT set_config('market.person', $1, true),"
            " set_config('market.organisation', $2, true)",
            str(supplier.id),
            str(supplier.organisation),
        )
        await app_role.execute(_SAVE, uuid4(), supplier.id, supplier.organisation)


@pytest.mark.parametrize(
    ("lowest", "highest"),
    [("2", "1"), ("-1", None), (None, "-1"), ("NaN", None), (None, "Infinity")],
)
async def test_bounds_are_numbers_in_order(
    world: World, app_role: Any, lowest: str | None, highest: str | None
) -> None:
    supplier = await admitted_supplier(world, "One")
    statement = _BOUNDS.replace("$3", "$3::text::numeric").replace("$4", "$4::text::numeric")
    with pytest.raises(asyncpg.CheckViolationError):
        async with acting(app_role, supplier.id, supplier.organisation):
            await app_role.execute(statement, supplier.id, supplier.organisation, lowest, highest)
