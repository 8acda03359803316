"""The database's own promises about suppliers: held against the app role and the superuser."""

from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from market.actor import Role
from tests.makers.clock import registrar
from tests.makers.direct import acting, not_granted, refused
from tests.makers.suppliers import application, apply
from tests.makers.world import World

_APPLY = (
    "INSERT INTO supplier_application (id, organisation, applicant, statement, applied_at)"
    " VALUES ($1, $2, $3, 'Please.', '2001-01-01Z')"
)
_DECIDE = (
    "INSERT INTO supplier_decision (id, application, outcome, reason, decided_by, decided_at)"
    " VALUES (gen_random_uuid(), $1, $2, $3, $4, '2001-01-01Z')"
)


async def _applied(world: World) -> tuple[UUID, UUID, UUID]:
    """A pending application: its id, the organisation, the applicant."""
    view = (await apply(world, application("Fenland Data"))).json()
    return UUID(view["id"]), UUID(view["organisation"]["id"]), UUID(view["applicant"]["id"])


async def test_an_organisation_has_one_application_at_a_time(world: World, app_role: Any) -> None:
    _, organisation, applicant = await _applied(world)
    async with refused("supplier_applies_once"), acting(app_role, applicant):
        await app_role.execute(_APPLY, uuid4(), organisation, applicant)


async def test_an_admitted_supplier_cannot_apply_and_a_refused_one_can(
    world: World, app_role: Any
) -> None:
    keeper = await registrar(world)
    pending, organisation, applicant = await _applied(world)
    async with acting(app_role, keeper.id, keeper.organisation):
        await app_role.execute(_DECIDE, pending, "refused", "Not yet.", keeper.id)
    again = uuid4()
    async with acting(app_role, applicant):
        await app_role.execute(_APPLY, again, organisation, applicant)
    assert not await app_role.fetchval("SELECT is_admitted_supplier($1)", organisation)
    async with acting(app_role, keeper.id, keeper.organisation):
        await app_role.execute(_DECIDE, again, "admitted", "Now.", keeper.id)
    assert await app_role.fetchval("SELECT is_admitted_supplier($1)", organisation)
    async with refused("supplier_applies_once"), acting(app_role, applicant):
        await app_role.execute(_APPLY, uuid4(), organisation, applicant)


async def test_groups_do_not_become_suppliers(world: World, app_role: Any) -> None:
    group = await world.organisation("06F")
    member = await world.person("Ann Lead", group, Role.ADMINISTRATOR)
    async with refused("supplier_kind"), acting(app_role, member.id, group):
        await app_role.execute(_APPLY, uuid4(), group, member.id)


async def test_nobody_applies_in_another_s_name(world: World, app_role: Any) -> None:
    unit = await world.organisation("0AD")
    one = await world.person("Ann One", unit, Role.ADMINISTRATOR)
    other = await world.person("Ot Her", unit, Role.ADMINISTRATOR)
    async with refused("acts_in_own_name"), acting(app_role, one.id, unit):
        await app_role.execute(_APPLY, uuid4(), unit, other.id)


async def test_the_market_s_clock_says_when_somebody_applied_and_was_decided(
    world: World, app_role: Any
) -> None:
    keeper = await registrar(world)
    unit = await world.organisation("0AD")
    one = await world.person("Ann One", unit, Role.ADMINISTRATOR)
    application_id = uuid4()
    async with acting(app_role, one.id, unit):
        await app_role.execute(_APPLY, application_id, unit, one.id)
    async with acting(app_role, keeper.id, keeper.organisation):
        await app_role.execute(_DECIDE, application_id, "admitted", "Good.", keeper.id)
    young = await app_role.fetchval(
        "SELECT a.applied_at > now() - interval '1 minute' AND d.decided_at >= a.applied_at"
        " FROM supplier_application a JOIN supplier_decision d ON d.application = a.id"
    )
    assert young is True


async def test_only_a_registrar_in_office_decides_and_in_their_own_name(
    world: World, app_role: Any
) -> None:
    keeper = await registrar(world)
    pending, organisation, applicant = await _applied(world)
    unit = await world.organisation("0AD")
    other = await world.person("Ot Her", unit, Role.ADMINISTRATOR)
    async with refused("acts_in_own_name"), acting(app_role, other.id, unit):
        await app_role.execute(_DECIDE, pending, "admitted", "Good.", keeper.id)
    async with refused("registrar_decides"), acting(app_role, other.id, unit):
        await app_role.execute(_DECIDE, pending, "admitted", "Good.", other.id)
    async with refused("registrar_decides"), acting(app_role, applicant, organisation):
        await app_role.execute(_DECIDE, pending, "admitted", "Good.", applicant)
    # a registrar who acts for another organisation, or for none, is not in office
    for acting_for in (unit, None):
        async with refused("registrar_decides"), acting(app_role, keeper.id, acting_for):
            await app_role.execute(_DECIDE, pending, "admitted", "Good.", keeper.id)
    async with acting(app_role, keeper.id, keeper.organisation):
        await app_role.execute(
            "UPDATE membership SET ended_at = now() WHERE person = $1", keeper.id
        )
    async with refused("registrar_decides"), acting(app_role, keeper.id, keeper.organisation):
        await app_role.execute(_DECIDE, pending, "admitted", "Good.", keeper.id)


async def test_no_registrar_decides_their_own_application(world: World, app_role: Any) -> None:
    keeper = await registrar(world)
    unit = await world.organisation("0AD")
    own = uuid4()
    async with acting(app_role, keeper.id, keeper.organisation):
        await app_role.execute(_APPLY, own, unit, keeper.id)
    async with (
        refused("registrar_is_not_applicant"),
        acting(app_role, keeper.id, keeper.organisation),
    ):
        await app_role.execute(_DECIDE, own, "admitted", "Good.", keeper.id)


@pytest.mark.parametrize(
    ("outcome", "reason", "promise"),
    [
        ("postponed", "Later.", "supplier_decision_outcome_known"),
        ("admitted", " \n\t", "supplier_decision_has_reason"),
    ],
)
async def test_a_decision_is_one_of_two_and_has_a_reason(
    world: World, app_role: Any, outcome: str, reason: str, promise: str
) -> None:
    keeper = await registrar(world)
    pending, _, _ = await _applied(world)
    with pytest.raises(asyncpg.CheckViolationError) as caught:
        async with acting(app_role, keeper.id, keeper.organisation):
            await app_role.execute(_DECIDE, pending, outcome, reason, keeper.id)
    assert caught.value.constraint_name == promise


async def test_an_application_is_decided_once(world: World, app_role: Any) -> None:
    keeper = await registrar(world)
    pending, _, _ = await _applied(world)
    async with acting(app_role, keeper.id, keeper.organisation):
        await app_role.execute(_DECIDE, pending, "refused", "Not yet.", keeper.id)
    with pytest.raises(asyncpg.UniqueViolationError) as caught:
        async with acting(app_role, keeper.id, keeper.organisation):
            await app_role.execute(_DECIDE, pending, "admitted", "After all.", keeper.id)
    assert caught.value.constraint_name == "supplier_decision_once"


@pytest.mark.parametrize(
    "table",
    ["supplier_application", "supplier_application_service_line", "supplier_decision"],
)
async def test_applications_and_decisions_are_never_rewritten(
    world: World, app_role: Any, superuser: Any, table: str
) -> None:
    await _applied(world)
    for statement in (f"UPDATE {table} SET id = id", f"DELETE FROM {table}", f"TRUNCATE {table}"):  # noqa: S608  # constants
        async with not_granted():
            await app_role.execute(statement)
        with pytest.raises(asyncpg.PostgresError) as caught:
            await superuser.execute(statement)
        # PostgreSQL itself refuses to truncate what is referred to
        assert caught.value.constraint_name == "append_only" or "TRUNCATE" in statement
