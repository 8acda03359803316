"""The database's own promises about signing in: held against the app role and the superuser."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from market.actor import Role
from market.people.rules import AttemptKind, lock_for
from tests.makers.direct import acting, not_granted, refused
from tests.makers.sign_in import let_attempts_age
from tests.makers.world import Person, World

_COUNT = "UPDATE sign_in_attempt SET failures = failures + 1"
_NEW_COUNT = (
    "INSERT INTO sign_in_attempt (id, kind, key_digest, failures, counted_at)"
    " VALUES (gen_random_uuid(), $1, $2, $3, '2001-01-01Z')"
)
_AUTHENTICATOR = (
    "INSERT INTO one_time_password (id, person, wrapped_secret, enrolled_at, confirmed_at)"
    " VALUES ($1, $2, '\\x01', '2001-01-01Z', '2001-01-01Z')"
)
_RESET = (
    "INSERT INTO password_reset (id, person, organisation, secret_digest, made_by, made_at,"
    " expires_at) VALUES ($1, $2, $3, $4, $2, '2001-01-01Z', '2999-01-01Z')"
)


@pytest.fixture
async def member(world: World) -> Person:
    return await world.person("Ruth Penhale", await world.organisation("06F"), Role.COMMISSIONER)


@pytest.fixture
async def administrator(world: World, member: Person) -> Person:
    return await world.person("Ada First", member.organisation, Role.ADMINISTRATOR)


async def _session_of(superuser: Any, person: Person) -> UUID:
    found: UUID = await superuser.fetchval("SELECT id FROM session WHERE person = $1", person.id)
    return found


# -- sessions -------------------------------------------------------------------------------------


async def test_a_session_s_times_are_the_database_s(member: Person, app_role: Any) -> None:
    session = uuid4()
    async with acting(app_role, member.id):
        await app_role.execute(
            "INSERT INTO session (id, token_digest, person, method, started_at, confirmed_at,"
            " expires_at, revoked_at) VALUES ($1, '\\x77', $2, 'password', '2999-01-01Z',"
            " '2999-01-01Z', now() + interval '1 hour', now())",
            session,
            member.id,
        )
        row = await app_role.fetchrow(
            "SELECT clock_timestamp() - confirmed_at < interval '1 minute' AS young,"
            " confirmed_at = started_at AS alike, revoked_at FROM session WHERE id = $1",
            session,
        )
    assert (row["young"], row["alike"], row["revoked_at"]) == (True, True, None)


async def test_a_session_is_confirmed_in_itself_alone_and_while_it_works(
    world: World, member: Person, app_role: Any, superuser: Any
) -> None:
    session = await _session_of(superuser, member)
    other = await world.person("Ann Lead", member.organisation, Role.COMMISSIONER)
    confirm = "UPDATE session SET confirmed_at = '2999-01-01Z' WHERE id = $1"
    async with refused("session_confirmed_by_itself"), acting(app_role, member.id):
        await app_role.execute(confirm, session)  # in another session of the same person
    async with refused("session_confirmed_by_itself"), acting(app_role, other.id, None, session):
        await app_role.execute(confirm, session)
    async with refused("session_confirmed_by_itself"), acting(superuser):
        await superuser.execute(confirm, session)
    async with acting(app_role, member.id, None, session):
        await app_role.execute(confirm, session)
        assert await app_role.fetchval(
            "SELECT confirmed_at <= clock_timestamp() FROM session WHERE id = $1", session
        )
    async with acting(superuser):
        await superuser.execute("UPDATE session SET expires_at = clock_timestamp()")
    async with refused("session_confirmed_by_itself"), acting(app_role, member.id, None, session):
        await app_role.execute(confirm, session)


_SWITCH = (
    "INSERT INTO session (id, token_digest, person, method, started_at, confirmed_at, expires_at,"
    " switched_from) VALUES ($1, $2, $3, 'recovery_code', now(), now(), '2999-01-01Z', $4)"
)


async def test_a_session_switched_into_takes_everything_from_the_one_it_came_from(
    member: Person, app_role: Any, superuser: Any
) -> None:
    source, made = await _session_of(superuser, member), uuid4()
    async with acting(app_role, member.id, None, source):
        await app_role.execute(_SWITCH, made, made.bytes, member.id, source)
    times = "SELECT method, confirmed_at, expires_at FROM session WHERE id = $1"
    assert await superuser.fetchrow(times, made) == await superuser.fetchrow(times, source)


async def test_only_one_s_own_session_that_works_is_switched(
    world: World, member: Person, app_role: Any, superuser: Any
) -> None:
    other = await world.person("Ann Lead", member.organisation, Role.COMMISSIONER)
    source, foreign = [await _session_of(superuser, one) for one in (member, other)]
    switch = uuid4()
    for acting_in, of, origin in (
        (source, member, foreign),
        (foreign, member, foreign),
        (source, other, source),
        (source, member, uuid4()),
    ):
        async with (
            refused("session_switched_from_own"),
            acting(app_role, member.id, None, acting_in),
        ):
            await app_role.execute(_SWITCH, switch, switch.bytes, of.id, origin)
    async with acting(app_role, member.id):
        await app_role.execute("UPDATE session SET revoked_at = now() WHERE id = $1", source)
    async with refused("session_switched_from_own"), acting(app_role, member.id, None, source):
        await app_role.execute(_SWITCH, switch, switch.bytes, member.id, source)


# -- the lock-out ---------------------------------------------------------------------------------


async def test_the_database_and_the_rules_mean_the_same_lock(app_role: Any) -> None:
    for kind in AttemptKind:
        for failures in range(1, 80):
            lock = await app_role.fetchval(
                "SELECT sign_in_lock($1, $2)", kind.value, failures
            ) or timedelta(0)
            assert lock.total_seconds() == lock_for(kind, failures)


async def test_attempts_are_counted_by_the_database_and_never_during_a_lock(
    app_role: Any, superuser: Any
) -> None:
    await app_role.execute(_NEW_COUNT, "account", b"a", -3)
    for expected in (2, 3, 4, 5):
        await app_role.execute("UPDATE sign_in_attempt SET failures = 70")
        assert await app_role.fetchval("SELECT failures FROM sign_in_attempt") == expected
    for connection in (app_role, superuser):
        async with refused("sign_in_locked"):
            await connection.execute(_COUNT)
    await let_attempts_age(superuser, seconds=31)
    await app_role.execute(_COUNT)
    wait = "SELECT locked_until - clock_timestamp() > interval '55 s' FROM sign_in_attempt"
    assert await app_role.fetchval(wait)


async def test_a_lock_is_not_moved_and_what_is_cleared_was_counted(app_role: Any) -> None:
    await app_role.execute(_NEW_COUNT, "account", b"a", 1)
    for _ in range(4):
        await app_role.execute(_COUNT)
    until = await app_role.fetchval("SELECT locked_until FROM sign_in_attempt")
    await app_role.execute(
        "UPDATE sign_in_attempt SET failures = failures - 1, locked_until = '2001-01-01Z'"
    )
    assert await app_role.fetchval("SELECT locked_until FROM sign_in_attempt") == until
    await app_role.execute("UPDATE sign_in_attempt SET failures = 0, locked_until = NULL")
    with pytest.raises(asyncpg.CheckViolationError) as caught:
        await app_role.execute("UPDATE sign_in_attempt SET failures = -1")
    assert caught.value.constraint_name == "sign_in_attempt_not_negative"


async def test_what_is_counted_is_another_s_only_once_it_is_forgotten(
    app_role: Any, superuser: Any
) -> None:
    await app_role.execute(_NEW_COUNT, "account", b"a", 1)
    take = "UPDATE sign_in_attempt SET key_digest = 'b'::bytea"
    for connection in (app_role, superuser):
        async with refused("attempts_not_forgotten"):
            await connection.execute(take)
    await let_attempts_age(superuser, seconds=901)
    await app_role.execute(take)
    assert await app_role.fetchval("SELECT failures FROM sign_in_attempt") == 1


async def test_nobody_deletes_or_backdates_what_is_counted(app_role: Any, superuser: Any) -> None:
    await app_role.execute(_NEW_COUNT, "account", b"a", 1)
    counted = await app_role.fetchval("SELECT counted_at FROM sign_in_attempt")
    assert datetime.now(UTC) - counted < timedelta(minutes=1)
    async with not_granted():
        await app_role.execute("UPDATE sign_in_attempt SET counted_at = '2001-01-01Z'")
    async with not_granted():
        await app_role.execute("DELETE FROM sign_in_attempt")
    async with refused("never_deleted"):
        await superuser.execute("DELETE FROM sign_in_attempt")


# -- what people prove themselves by --------------------------------------------------------------


async def test_nobody_sets_another_s_password(
    member: Person, administrator: Person, app_role: Any, superuser: Any
) -> None:
    change = "UPDATE person SET password_hash = 'x' WHERE id = $1"
    for connection in (app_role, superuser):
        async with refused("own_password_only"), acting(connection, administrator.id):
            await connection.execute(change, member.id)
        async with refused("own_password_only"), acting(connection):
            await connection.execute(change, member.id)
    async with acting(app_role, member.id):
        await app_role.execute(change, member.id)


async def test_one_authenticator_at_a_time_that_a_code_confirms(
    member: Person, app_role: Any
) -> None:
    async with acting(app_role, member.id):
        await app_role.execute(_AUTHENTICATOR, uuid4(), member.id)
        row = await app_role.fetchrow("SELECT confirmed_at, enrolled_at FROM one_time_password")
        assert row["confirmed_at"] is None
        assert datetime.now(UTC) - row["enrolled_at"] < timedelta(minutes=1)
    with pytest.raises(asyncpg.UniqueViolationError) as caught:
        async with acting(app_role, member.id):
            await app_role.execute(_AUTHENTICATOR, uuid4(), member.id)
    assert caught.value.constraint_name == "one_time_password_once"


async def test_an_authenticator_is_seen_and_made_by_its_person_alone(
    member: Person, administrator: Person, app_role: Any
) -> None:
    async with acting(app_role, member.id):
        await app_role.execute(_AUTHENTICATOR, uuid4(), member.id)
    async with acting(app_role, administrator.id):
        assert await app_role.fetchval("SELECT count(*) FROM one_time_password") == 0
        removed = "UPDATE one_time_password SET removed_at = now()"
        assert await app_role.execute(removed) == "UPDATE 0"
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="row-level security"):
        async with acting(app_role, administrator.id):
            await app_role.execute(_AUTHENTICATOR, uuid4(), member.id)


async def test_a_code_is_accepted_once_and_none_older(
    member: Person, app_role: Any, superuser: Any
) -> None:
    async with acting(app_role, member.id):
        await app_role.execute(_AUTHENTICATOR, uuid4(), member.id)
        await app_role.execute("UPDATE one_time_password SET last_step = 50")
    for step in ("50", "49", "NULL"):
        for connection in (app_role, superuser):
            async with refused("one_time_code_once"), acting(connection, member.id):
                await connection.execute(f"UPDATE one_time_password SET last_step = {step}")  # noqa: S608  # three constants


async def test_what_was_removed_stays_so_and_its_secret_is_gone(
    member: Person, app_role: Any
) -> None:
    async with acting(app_role, member.id):
        await app_role.execute(_AUTHENTICATOR, uuid4(), member.id)
        await app_role.execute("UPDATE one_time_password SET removed_at = '2001-01-01Z'")
        row = await app_role.fetchrow("SELECT wrapped_secret, removed_at FROM one_time_password")
        assert row["wrapped_secret"] is None
        assert datetime.now(UTC) - row["removed_at"] < timedelta(minutes=1)
    for change in ("removed_at = NULL", "wrapped_secret = '\\x01'", "last_step = 99"):
        async with refused("one_time_password_stays_removed"), acting(app_role, member.id):
            await app_role.execute(f"UPDATE one_time_password SET {change}")  # noqa: S608  # three constants


async def test_a_recovery_code_is_used_once(member: Person, app_role: Any) -> None:
    authenticator = uuid4()
    async with acting(app_role, member.id):
        await app_role.execute(_AUTHENTICATOR, authenticator, member.id)
        await app_role.execute(
            "INSERT INTO recovery_code (id, one_time_password, person, code_digest, used_at)"
            " VALUES (gen_random_uuid(), $1, $2, '\\x01', now())",
            authenticator,
            member.id,
        )
        assert await app_role.fetchval("SELECT used_at FROM recovery_code") is None
        await app_role.execute("UPDATE recovery_code SET used_at = now()")
    for change in ("used_at = NULL", "used_at = now()"):
        async with refused("recovery_code_once"), acting(app_role, member.id):
            await app_role.execute(f"UPDATE recovery_code SET {change}")  # noqa: S608  # two constants


async def test_a_reset_is_given_in_one_s_own_name_by_who_may(
    world: World, member: Person, administrator: Person, app_role: Any
) -> None:
    stranger = await world.person("Stan Ger", await world.organisation("06P"), Role.ADMINISTRATOR)
    for maker, of in (
        (member, administrator),
        (stranger, member),
        (administrator, administrator),
        (None, member),
    ):
        async with (
            refused("reset_by_administrator"),
            acting(app_role, None if maker is None else maker.id),
        ):
            await app_role.execute(_RESET, uuid4(), of.id, of.organisation, b"1")
    reset = uuid4()
    async with acting(app_role, administrator.id):
        await app_role.execute(_RESET, reset, member.id, member.organisation, b"1")
        row = await app_role.fetchrow(
            "SELECT made_by, expires_at < now() + interval '25 hours' AS soon FROM password_reset"
        )
    assert (row["made_by"], row["soon"]) == (administrator.id, True)


async def test_a_reset_is_used_once_and_not_once_its_maker_has_gone(
    world: World, member: Person, administrator: Person, app_role: Any
) -> None:
    await world.person("Ada Another", administrator.organisation, Role.ADMINISTRATOR)
    async with acting(app_role, administrator.id):
        for digest in (b"1", b"2", b"3"):
            await app_role.execute(_RESET, uuid4(), member.id, member.organisation, digest)
    use = "UPDATE password_reset SET used_at = '2001-01-01Z' WHERE secret_digest = $1"
    async with acting(app_role, member.id):
        await app_role.execute(use, b"1")
        await app_role.execute(
            "UPDATE password_reset SET ended_at = now() WHERE secret_digest = $1", b"2"
        )
    for digest in (b"1", b"2"):
        async with refused("password_reset_once"), acting(app_role, member.id):
            await app_role.execute(use, digest)
    async with acting(app_role, administrator.id):
        await app_role.execute(
            "UPDATE membership SET ended_at = now() WHERE person = $1", administrator.id
        )
    async with refused("reset_by_administrator"), acting(app_role, member.id):
        await app_role.execute(use, b"3")


async def test_what_people_prove_themselves_by_changes_only_on_record(
    member: Person, app_role: Any
) -> None:
    async with refused("event_recorded"), app_role.transaction():
        await app_role.execute("SELECT set_config('market.person', $1, true)", str(member.id))
        await app_role.execute(_AUTHENTICATOR, uuid4(), member.id)
