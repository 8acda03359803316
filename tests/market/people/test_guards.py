"""The database's own promises about people: held against the app role and the superuser."""

from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from market.actor import Role
from market.people.rules import OPERATOR
from tests.makers.clock import registrar
from tests.makers.direct import acting, not_granted, refused
from tests.makers.world import Person, World

_GRANT = (
    "INSERT INTO membership (id, person, organisation, role) VALUES (gen_random_uuid(), $1, $2, $3)"
)


async def _member(world: World) -> Person:
    return await world.person("Ann Lead", await world.organisation("06F"), Role.COMMISSIONER)


async def test_the_database_and_the_rules_mean_the_same_operator(app_role: Any) -> None:
    assert await app_role.fetchval("SELECT operator_organisation()") == OPERATOR


async def test_a_role_is_held_once_at_a_time(world: World, app_role: Any) -> None:
    member = await _member(world)
    with pytest.raises(asyncpg.UniqueViolationError) as caught:
        async with acting(app_role, member.id):
            await app_role.execute(_GRANT, member.id, member.organisation, "commissioner")
    assert caught.value.constraint_name == "membership_once"


async def test_a_membership_begins_and_ends_by_the_market_s_clock(
    world: World, app_role: Any
) -> None:
    member = await _member(world)
    async with acting(app_role, member.id):
        await app_role.execute(
            "INSERT INTO membership (id, person, organisation, role, started_at, ended_at) VALUES"
            " (gen_random_uuid(), $1, $2, 'procurement_lead', '2001-01-01Z', '2002-01-01Z')",
            member.id,
            member.organisation,
        )
        row = await app_role.fetchrow(
            "SELECT market_now() - started_at < interval '1 minute' AS young, ended_at"
            " FROM membership WHERE role = 'procurement_lead'"
        )
    assert (row["young"], row["ended_at"]) == (True, None)
    async with acting(app_role, member.id):
        await app_role.execute("UPDATE membership SET ended_at = '2999-01-01Z'")
        assert await app_role.fetchval("SELECT bool_and(ended_at <= market_now()) FROM membership")


async def test_an_ended_membership_stays_ended(world: World, app_role: Any) -> None:
    member = await _member(world)
    async with acting(app_role, member.id):
        await app_role.execute("UPDATE membership SET ended_at = market_now()")
    for change in ("ended_at = NULL", "ended_at = market_now()"):
        async with refused("membership_only_ends"), acting(app_role, member.id):
            await app_role.execute(f"UPDATE membership SET {change}")  # noqa: S608  # two constants


async def test_a_membership_is_never_made_another_one(
    world: World, app_role: Any, superuser: Any
) -> None:
    member = await _member(world)
    async with not_granted(), acting(app_role, member.id):
        await app_role.execute("UPDATE membership SET role = 'administrator'")
    async with refused("membership_only_ends"), acting(superuser, member.id):
        await superuser.execute("UPDATE membership SET role = 'administrator'")


@pytest.mark.parametrize("table", ["person", "membership", "invitation", "session", "organisation"])
async def test_nobody_is_removed(world: World, app_role: Any, superuser: Any, table: str) -> None:
    await _member(world)
    async with not_granted():
        await app_role.execute(f"DELETE FROM {table}")  # noqa: S608  # names of the test's own
    for statement in (f"DELETE FROM {table}", f"TRUNCATE {table} CASCADE"):  # noqa: S608  # the same
        with pytest.raises(asyncpg.PostgresError) as caught:
            await superuser.execute(statement)
        assert caught.value.constraint_name in {"never_deleted", "append_only"}


async def test_a_registrar_is_of_the_operator_and_of_nobody_else(
    world: World, app_role: Any
) -> None:
    member = await _member(world)
    async with refused("registrar_of_operator"), acting(app_role, member.id):
        await app_role.execute(_GRANT, member.id, member.organisation, "registrar")
    async with refused("registrar_of_operator"), acting(app_role, member.id):
        await app_role.execute(
            "INSERT INTO invitation (id, organisation, email, roles, secret_digest, invited_at,"
            " expires_at) VALUES (gen_random_uuid(), $1, 'x@y.example', '{auditor,registrar}',"
            " '\\x01', now(), now())",
            member.organisation,
        )


async def test_an_invitation_is_accepted_once_and_stays_accepted(
    world: World, app_role: Any
) -> None:
    keeper = await registrar(world)
    for change in ("accepted_at = NULL", "accepted_at = now(), accepted_by = gen_random_uuid()"):
        async with refused("invitation_once"), acting(app_role, keeper.id):
            await app_role.execute(f"UPDATE invitation SET {change}")  # noqa: S608  # two constants


_INVITE = (
    "INSERT INTO invitation (id, organisation, email, roles, secret_digest, invited_by, invited_at,"
    " expires_at) VALUES ($1, $2, 'x@y.example', '{commissioner}', '\\x02', $3, now(),"
    " now() + interval '1 day')"
)


async def test_only_who_may_invite_invites_and_in_their_own_name(
    world: World, app_role: Any
) -> None:
    group = await world.organisation("06F")
    member = await _member(world)
    administrator = await world.person("Ada First", group, Role.ADMINISTRATOR)
    for inviter in (administrator.id, None):
        async with refused("invited_by_administrator"), acting(app_role, member.id):
            await app_role.execute(_INVITE, uuid4(), group, inviter)
    async with acting(app_role, administrator.id):
        await app_role.execute(_INVITE, uuid4(), group, member.id)
    assert await app_role.fetchval("SELECT invited_by FROM invitation") == administrator.id


async def test_an_invitation_is_not_accepted_once_its_maker_could_not_make_it(
    world: World, app_role: Any
) -> None:
    group = await world.organisation("06F")
    administrator = await world.person("Ada First", group, Role.ADMINISTRATOR)
    async with acting(app_role, administrator.id):
        await app_role.execute(_INVITE, uuid4(), group, administrator.id)
    await world.person("Bea Second", group, Role.ADMINISTRATOR)
    async with acting(app_role, administrator.id):
        await app_role.execute(
            "UPDATE membership SET ended_at = market_now() WHERE person = $1", administrator.id
        )
    async with refused("invited_by_administrator"), acting(app_role):
        await app_role.execute("UPDATE invitation SET accepted_at = now(), accepted_by = id")


async def test_a_session_acts_only_for_an_organisation_of_one_s_own(
    world: World, app_role: Any
) -> None:
    member = await _member(world)
    foreign = await world.organisation("06P")
    async with refused("session_for_own_organisation"), acting(app_role, member.id):
        await app_role.execute(
            "INSERT INTO session (id, token_digest, person, organisation, started_at, expires_at)"
            " VALUES (gen_random_uuid(), '\\x01', $1, $2, now(), now())",
            member.id,
            foreign,
        )


async def test_an_ended_session_is_not_revived(world: World, app_role: Any) -> None:
    member = await _member(world)
    async with acting(app_role, member.id):
        await app_role.execute("UPDATE session SET revoked_at = now()")
    async with refused("session_stays_ended"), acting(app_role, member.id):
        await app_role.execute("UPDATE session SET revoked_at = NULL")
    async with not_granted(), acting(app_role, member.id):
        await app_role.execute("UPDATE session SET expires_at = now() + interval '9 years'")


async def test_no_change_of_people_goes_unrecorded(world: World, app_role: Any) -> None:
    member = await _member(world)
    with pytest.raises(asyncpg.PostgresError) as caught:
        async with app_role.transaction():
            await app_role.execute(_GRANT, member.id, member.organisation, "procurement_lead")
    assert caught.value.constraint_name == "event_recorded"


async def test_an_event_s_times_and_names_are_set_by_the_database(
    world: World, app_role: Any
) -> None:
    member = await _member(world)
    event = uuid4()
    async with acting(app_role, member.id, member.organisation):
        await app_role.execute(
            "INSERT INTO event (id, action, subject_kind, subject, request, details, person,"
            " organisation, occurred_at, recorded_at, transaction)"
            " VALUES ($1, 'test.forged', 'person', $1, 'test', '{}', $1, $1, '2001-01-01Z',"
            " '2001-01-01Z', 1)",
            event,
        )
        row = await app_role.fetchrow(
            "SELECT person, organisation, recorded_at > now() - interval '1 minute' AS young,"
            " transaction = pg_current_xact_id()::text::bigint AS own FROM event WHERE id = $1",
            event,
        )
    assert (row["person"], row["organisation"]) == (member.id, member.organisation)
    assert (row["young"], row["own"]) == (True, True)


async def test_what_the_database_is_for_never_changes(app_role: Any, superuser: Any) -> None:
    async with not_granted():
        await app_role.execute("UPDATE installation SET kind = 'production'")
    for statement in (
        "UPDATE installation SET kind = 'production'",
        "UPDATE installation SET name = 'another.example'",
        "DELETE FROM installation",
        "TRUNCATE installation",
    ):
        async with refused("append_only"):
            await superuser.execute(statement)
    with pytest.raises(asyncpg.PostgresError):
        await superuser.execute(
            "INSERT INTO installation (id, kind, name, initialised_at)"
            " VALUES (2, 'production', 'x', now())"
        )
    assert await superuser.fetchval("SELECT kind FROM installation") == "sandbox"


async def test_a_confirmed_organisation_keeps_its_name_and_kind(
    world: World, app_role: Any
) -> None:
    group: UUID = await world.organisation("06F")
    for change in ("name = 'X'", "kind = 'commercial'", "proposed = true", "demonstration = true"):
        async with refused("organisation_confirmed"), acting(app_role):
            await app_role.execute(f"UPDATE organisation SET {change} WHERE id = $1", group)  # noqa: S608  # constants
