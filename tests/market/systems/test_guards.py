"""The database's own promises about systems: held against the app role and the superuser."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from market.actor import Role
from tests.makers.clock import registrar
from tests.makers.direct import acting, not_granted, refused
from tests.makers.systems import answerable, api_key, client_of, keyed
from tests.makers.world import Person, World

_MAKE = (
    "INSERT INTO api_key (id, organisation, person, membership, name, scopes, addresses,"
    " secret_code, predecessor, expires_at) SELECT $1, $2, $3, m.id, 'Made', '{bids:read}', '{}',"
    " '\\x00', $4, clock_timestamp() + make_interval(days => $5)"
    " FROM membership m WHERE m.person = $3"
)
_REGISTER = (
    "INSERT INTO oauth_client (id, organisation, person, membership, name, scopes, keys)"
    " SELECT $1, $2, $3, m.id, 'Made', '{bids:read}', '[]' FROM membership m WHERE m.person = $3"
)
_ISSUE = (
    "INSERT INTO client_token (id, client, token_digest, assertion_digest, scopes, expires_at)"
    " VALUES (gen_random_uuid(), $1, $2, $3, $4::varchar[],"
    " clock_timestamp() + make_interval(secs => $5))"
)


@asynccontextmanager
async def by_system(connection: Any, person: Person, credential: UUID) -> AsyncIterator[None]:
    """A transaction in a person's name by a credential of theirs."""
    async with acting(connection, person.id, person.organisation):
        await connection.execute(
            "SELECT set_config('market.credential', $1, true)", str(credential)
        )
        yield


BY_PEOPLE = (
    "opening_confirmation",
    "opened_envelope",
    "extension_decision",
    "approval",
    "recommendation",
    "award",
    "award_notice",
    "contract",
    "buyer_decision",
    "kpi",
    "kpi_assessment",
    "kpi_publication",
    "contract_change",
    "milestone",
    "milestone_met",
    "outcome_baseline",
    "outcome_review",
    "score",
    "score_lock",
    "agreed_score",
    "quality_decision",
    "ranking",
    "duty",
    "declaration",
    "tender",
    "requirement_version",
    "amendment",
    "review",
    "supplier_application",
    "supplier_decision",
    "person",
    "membership",
    "invitation",
    "session",
    "organisation",
    "api_key",
    "oauth_client",
)


async def test_no_system_writes_what_people_alone_do(
    world: World, app_role: Any, superuser: Any
) -> None:
    person = await answerable(world)
    for connection in (app_role, superuser):
        for table in BY_PEOPLE:
            async with refused("person_acts"), by_system(connection, person, uuid4()):
                await connection.execute(f"INSERT INTO {table} (id) VALUES (gen_random_uuid())")  # noqa: S608  # names of the test's own
    for table in ("tender", "lot", "duty", "person", "membership", "session", "market_clock"):
        async with refused("person_acts"), by_system(superuser, person, uuid4()):
            await superuser.execute(f"UPDATE {table} SET id = id")  # noqa: S608  # names of the test's own


async def test_a_system_s_acts_say_by_which_credential_whatever_the_programme_says(
    world: World, app_role: Any
) -> None:
    person, credential, event = await answerable(world), uuid4(), uuid4()
    async with by_system(app_role, person, credential):
        await app_role.execute(
            "INSERT INTO event (id, action, subject_kind, subject, request, details)"
            " VALUES ($1, 'test.acted', 'person', $1, 'test', $2)",
            event,
            '{"credential": "none"}',
        )
        said = await app_role.fetchval(
            "SELECT details ->> 'credential' FROM event WHERE id = $1", event
        )
    assert said == str(credential)


async def test_a_credential_is_made_for_oneself_by_those_who_answer_for_it(
    world: World, app_role: Any
) -> None:
    boss, other = await answerable(world), await answerable(world, "Other")
    commissioner = await answerable(world, "Cora", Role.COMMISSIONER)
    for maker, owner in ((boss, other), (commissioner, commissioner)):
        for statement, more in ((_MAKE, (None, 30)), (_REGISTER, ())):
            async with (
                refused("system_for_own_organisation"),
                acting(app_role, maker.id, maker.organisation),
            ):
                await app_role.execute(statement, uuid4(), owner.organisation, owner.id, *more)
    elsewhere = await world.organisation("06P")
    async with refused("system_for_own_organisation"), acting(app_role, boss.id, elsewhere):
        await app_role.execute(_MAKE, uuid4(), boss.organisation, boss.id, None, 30)
    async with acting(app_role, boss.id, boss.organisation):
        await app_role.execute(_MAKE, uuid4(), boss.organisation, boss.id, None, 30)


async def test_a_key_lives_within_a_year_and_a_token_ten_minutes(
    world: World, app_role: Any
) -> None:
    boss = await answerable(world)
    for days in (-1, 0, 400):
        async with refused("credential_lifetime"), acting(app_role, boss.id, boss.organisation):
            await app_role.execute(_MAKE, uuid4(), boss.organisation, boss.id, None, days)
    client = await client_of(world, boss)
    async with refused("credential_lifetime"), by_system(app_role, boss, client.id):
        await app_role.execute(_ISSUE, client.id, b"1", b"1", ["bids:read"], 700)


async def test_a_person_has_twenty_credentials_in_force(world: World, app_role: Any) -> None:
    boss = await answerable(world)
    async with acting(app_role, boss.id, boss.organisation):
        for _ in range(10):
            await app_role.execute(_MAKE, uuid4(), boss.organisation, boss.id, None, 30)
            await app_role.execute(_REGISTER, uuid4(), boss.organisation, boss.id)
    for statement, more in ((_MAKE, (None, 30)), (_REGISTER, ())):
        async with refused("systems_bounded"), acting(app_role, boss.id, boss.organisation):
            await app_role.execute(statement, uuid4(), boss.organisation, boss.id, *more)
    async with acting(app_role, boss.id, boss.organisation):
        await app_role.execute("UPDATE api_key SET revoked_at = now()")
        await app_role.execute(_MAKE, uuid4(), boss.organisation, boss.id, None, 30)


async def test_a_credential_only_ends_and_stays_ended(
    world: World, app_role: Any, superuser: Any
) -> None:
    boss = await answerable(world)
    await keyed(boss)
    client = await client_of(world, boss)
    async with (
        refused("credential_only_ends"),
        acting(app_role, boss.id, boss.organisation),
    ):
        await app_role.execute("UPDATE api_key SET expires_at = expires_at + interval '1 second'")
    async with not_granted(), acting(app_role, boss.id, boss.organisation):
        await app_role.execute("UPDATE api_key SET scopes = '{bids:write}'")
    for change in ("scopes = '{bids:write}'", "secret_code = '\\x01'", "name = 'Another'"):
        async with refused("credential_only_ends"), acting(superuser, boss.id, boss.organisation):
            await superuser.execute(f"UPDATE api_key SET {change}")  # noqa: S608  # constants
    for change in ("scopes = '{bids:write}'", "version = version + 1", "keys = '[]'"):
        async with refused("credential_only_ends"), acting(superuser, boss.id, boss.organisation):
            await superuser.execute(f"UPDATE oauth_client SET {change}")  # noqa: S608  # constants
    async with acting(app_role, boss.id, boss.organisation):
        await app_role.execute("UPDATE api_key SET revoked_at = '2001-01-01Z'")
        await app_role.execute("UPDATE oauth_client SET revoked_at = '2001-01-01Z'")
    assert await superuser.fetchval(
        "SELECT bool_and(revoked_at > made_at AND revoked_by = $1) FROM api_key", boss.id
    )
    for table in ("api_key", "oauth_client"):
        async with refused("credential_only_ends"), acting(app_role, boss.id, boss.organisation):
            await app_role.execute(f"UPDATE {table} SET revoked_at = NULL")  # noqa: S608  # two constants
        async with not_granted():
            await app_role.execute(f"DELETE FROM {table}")  # noqa: S608  # two constants
    async with refused("client_in_force"), by_system(app_role, boss, client.id):
        await app_role.execute(_ISSUE, client.id, b"1", b"1", ["bids:read"], 60)


async def test_a_credential_is_ended_by_its_maker_an_administrator_or_a_registrar(
    world: World, app_role: Any, superuser: Any
) -> None:
    maker = await answerable(world, "Bea", Role.BID_MANAGER)
    peer = await answerable(world, "Ben", Role.BID_MANAGER)
    boss = await answerable(world)
    keeper = await registrar(world)
    client = await client_of(world, maker)
    for ender in (maker, boss, keeper):
        await keyed(maker)
        async with refused("system_of_another"), acting(app_role, peer.id, peer.organisation):
            await app_role.execute("UPDATE api_key SET revoked_at = now() WHERE revoked_at IS NULL")
        async with acting(app_role, ender.id, ender.organisation):
            await app_role.execute("UPDATE api_key SET revoked_at = now() WHERE revoked_at IS NULL")
    async with refused("system_of_another"), acting(superuser, boss.id, boss.organisation):
        await superuser.execute(
            "UPDATE oauth_client SET keys = '[]', version = version + 1 WHERE id = $1", client.id
        )


async def test_a_successor_is_one_and_may_do_what_the_former_might(
    world: World, app_role: Any
) -> None:
    boss, other = await answerable(world), await answerable(world, "Other")
    former = uuid4()
    async with acting(app_role, boss.id, boss.organisation):
        await app_role.execute(_MAKE, former, boss.organisation, boss.id, None, 30)
    wider = _MAKE.replace("{bids:read}", "{bids:read,bids:write}")
    async with refused("successor_as_before"), acting(app_role, boss.id, boss.organisation):
        await app_role.execute(wider, uuid4(), boss.organisation, boss.id, former, 30)
    async with refused("successor_as_before"), acting(app_role, other.id, other.organisation):
        await app_role.execute(_MAKE, uuid4(), other.organisation, other.id, former, 30)
    async with acting(app_role, boss.id, boss.organisation):
        await app_role.execute(_MAKE, uuid4(), boss.organisation, boss.id, former, 30)
    async with refused("successor_as_before"), acting(app_role, boss.id, boss.organisation):
        await app_role.execute(_MAKE, uuid4(), boss.organisation, boss.id, former, 30)
    async with acting(app_role, boss.id, boss.organisation):
        await app_role.execute("UPDATE api_key SET revoked_at = now() WHERE id = $1", former)
    async with refused("credential_only_ends"), acting(app_role, boss.id, boss.organisation):
        await app_role.execute(_MAKE, uuid4(), boss.organisation, boss.id, former, 30)


async def test_a_token_is_its_client_s_own_within_its_scopes_for_one_assertion(
    world: World, app_role: Any
) -> None:
    boss = await answerable(world)
    client = await client_of(world, boss, scopes=["bids:read"])
    async with refused("token_within_scopes"), by_system(app_role, boss, client.id):
        await app_role.execute(_ISSUE, client.id, b"1", b"1", ["bids:write"], 60)
    async with refused("acts_in_own_name"), acting(app_role, boss.id, boss.organisation):
        await app_role.execute(_ISSUE, client.id, b"1", b"1", ["bids:read"], 60)
    async with by_system(app_role, boss, client.id):
        await app_role.execute(_ISSUE, client.id, b"1", b"1", ["bids:read"], 60)
    with pytest.raises(asyncpg.UniqueViolationError) as caught:
        async with by_system(app_role, boss, client.id):
            await app_role.execute(_ISSUE, client.id, b"2", b"1", ["bids:read"], 60)
    assert caught.value.constraint_name == "client_token_assertion_once"
    async with not_granted():
        await app_role.execute("UPDATE client_token SET expires_at = now()")


async def test_a_scope_that_does_not_exist_is_in_no_table(world: World, app_role: Any) -> None:
    boss = await answerable(world)
    for scopes in ("{award:write}", "{}"):
        with pytest.raises(asyncpg.CheckViolationError) as caught:
            async with acting(app_role, boss.id, boss.organisation):
                await app_role.execute(
                    _MAKE.replace("{bids:read}", scopes),
                    uuid4(),
                    boss.organisation,
                    boss.id,
                    None,
                    30,
                )
        assert caught.value.constraint_name == "api_key_scopes_known"


async def test_no_change_of_a_credential_goes_unrecorded_but_its_use_does(
    world: World, app_role: Any
) -> None:
    boss = await answerable(world)
    key = await api_key(boss)
    async with refused("event_recorded"), app_role.transaction():
        await app_role.execute(
            "SELECT set_config('market.person', $1, true),"
            " set_config('market.organisation', $2, true)",
            str(boss.id),
            str(boss.organisation),
        )
        await app_role.execute("UPDATE api_key SET revoked_at = now()")
    await app_role.execute(
        "INSERT INTO credential_use VALUES ($1, '2001-01-01Z', '192.0.2.1')", key["id"]
    )
    assert await app_role.fetchval(
        "SELECT last_used_at > now() - interval '1 minute' FROM credential_use"
    )
