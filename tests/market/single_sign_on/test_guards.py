"""The promises of single sign-on, straight at the database, past every rule in Python."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from market.actor import Role
from tests.makers.direct import acting, not_granted, refused
from tests.makers.identity_provider import Provider, answer_of, finish, invited
from tests.makers.world import Person, World

_LINK = (
    "INSERT INTO identity_link (id, person, issuer, subject, linked_at)"
    " VALUES (gen_random_uuid(), $1, 'https://idp.example', $2, '2001-01-01Z')"
)
_ASK = (
    "INSERT INTO single_sign_on_request (id, state_digest, binding_digest, person, fresh, asked_at,"
    " expires_at, used_at) VALUES (gen_random_uuid(), $1, '\\x00', $2, false, '2001-01-01Z',"
    " '2999-01-01Z', '2001-01-01Z')"
)


async def _lead(world: World, name: str = "Ann Lead") -> Person:
    return await world.person(name, await world.organisation("06F"), Role.ADMINISTRATOR)


async def _ruth(world: World, provider: Provider) -> UUID:
    """Somebody whose only way in is the provider."""
    secret = await invited(await _lead(world))
    session = await finish(world, await answer_of(world, provider, invitation=secret))
    return UUID(session.json()["person"])


async def test_a_sign_in_lasts_ten_minutes_of_real_time_whatever_is_said(
    world: World, app_role: Any
) -> None:
    await _lead(world)
    async with acting(app_role):
        await app_role.execute(_ASK, b"1", None)
        row = await app_role.fetchrow(
            "SELECT used_at, expires_at - asked_at AS lasts,"
            " asked_at > clock_timestamp() - interval '1 minute' AS young"
            " FROM single_sign_on_request"
        )
    assert (row["used_at"], row["young"]) == (None, True)
    assert 599 < row["lasts"].total_seconds() < 601


async def test_a_sign_in_is_answered_once_and_does_not_change(
    world: World, app_role: Any, superuser: Any
) -> None:
    await _lead(world)
    async with acting(app_role):
        await app_role.execute(_ASK, b"1", None)
        await app_role.execute("UPDATE single_sign_on_request SET used_at = '2001-01-01Z'")
        assert await app_role.fetchval(
            "SELECT used_at > clock_timestamp() - interval '1 minute' FROM single_sign_on_request"
        )
    for value in ("now()", "NULL"):
        async with refused("single_sign_on_once"), acting(app_role):
            await app_role.execute(f"UPDATE single_sign_on_request SET used_at = {value}")  # noqa: S608  # constants
    async with acting(app_role):
        await app_role.execute(_ASK, b"2", None)
    for change in ("fresh = true", "expires_at = '2999-01-01Z'", "binding_digest = '\\x01'"):
        async with not_granted(), acting(app_role):
            await app_role.execute(f"UPDATE single_sign_on_request SET {change}")  # noqa: S608  # constants
        async with refused("single_sign_on_once"), acting(superuser):
            await superuser.execute(f"UPDATE single_sign_on_request SET {change}")  # noqa: S608  # constants


async def test_nobody_begins_or_links_in_another_s_name(world: World, app_role: Any) -> None:
    ann, bea = await _lead(world), await _lead(world, "Bea Second")
    for actor in (bea.id, None):
        async with refused("acts_in_own_name"), acting(app_role, actor):
            await app_role.execute(_ASK, b"1", ann.id)
        async with refused("acts_in_own_name"), acting(app_role, actor):
            await app_role.execute(_LINK, ann.id, "subject")
    async with acting(app_role, ann.id):
        await app_role.execute(_LINK, ann.id, "subject")
    async with refused("acts_in_own_name"), acting(app_role, bea.id):
        await app_role.execute("UPDATE identity_link SET removed_at = now()")


async def test_an_identity_is_linked_once_at_a_time(world: World, app_role: Any) -> None:
    ann, bea = await _lead(world), await _lead(world, "Bea Second")
    async with acting(app_role, ann.id):
        await app_role.execute(_LINK, ann.id, "subject")
    for person in (ann, bea):
        with pytest.raises(asyncpg.UniqueViolationError) as caught:
            async with acting(app_role, person.id):
                await app_role.execute(_LINK, person.id, "subject")
        assert caught.value.constraint_name == "identity_once"
    async with acting(app_role, ann.id):
        await app_role.execute("UPDATE identity_link SET removed_at = now()")
    async with acting(app_role, bea.id):
        await app_role.execute(_LINK, bea.id, "subject")


@pytest.mark.parametrize(
    "change",
    [
        "confirmed_at = clock_timestamp() - interval '16 minutes'",
        "confirmed_at = NULL",
        "revoked_at = clock_timestamp()",
        "expires_at = clock_timestamp()",
        None,
    ],
)
async def test_a_link_is_made_from_within_a_fresh_session_that_works(
    world: World, app_role: Any, superuser: Any, change: str | None
) -> None:
    ann = await _lead(world)
    session = await superuser.fetchval("SELECT id FROM session WHERE person = $1", ann.id)
    async with acting(app_role, ann.id, session=session):
        await app_role.execute(_LINK, ann.id, "first")
    if change is not None:
        async with acting(superuser):
            await superuser.execute(f"UPDATE session SET {change} WHERE id = $1", session)  # noqa: S608  # constants
    else:  # nobody's session, while one of theirs is fresh
        session = uuid4()
    async with refused("fresh_sign_in"), acting(app_role, ann.id, session=session):
        await app_role.execute(_LINK, ann.id, "second")


async def test_a_link_is_not_made_from_within_another_s_session(
    world: World, app_role: Any, superuser: Any
) -> None:
    ann, bea = await _lead(world), await _lead(world, "Bea Second")
    foreign = await superuser.fetchval("SELECT id FROM session WHERE person = $1", bea.id)
    async with refused("fresh_sign_in"), acting(app_role, ann.id, session=foreign):
        await app_role.execute(_LINK, ann.id, "subject")


async def test_an_invitation_links_nothing_to_whoever_has_another_way_in(
    world: World, app_role: Any
) -> None:
    ann, bea = await _lead(world), await _lead(world, "Bea Second")
    await invited(ann, bea.email)
    async with refused("fresh_sign_in"), acting(app_role, bea.id, session=uuid4()):
        await app_role.execute(
            "UPDATE invitation SET accepted_at = now(), accepted_by = $1", bea.id
        )
        await app_role.execute(_LINK, bea.id, "subject")


async def test_an_invitation_links_no_second_identity_to_whoever_has_one(
    world: World, provider: Provider, app_role: Any
) -> None:
    ruth = await _ruth(world, provider)
    other = await world.person("Sue", await world.organisation("06P"), Role.ADMINISTRATOR)
    await invited(other)
    async with refused("fresh_sign_in"), acting(app_role, ruth, session=uuid4()):
        await app_role.execute(
            "UPDATE invitation SET accepted_at = now(), accepted_by = $1 WHERE accepted_at IS NULL",
            ruth,
        )
        await app_role.execute(_LINK, ruth, "subject")


_SESSION = (
    "INSERT INTO session (id, token_digest, person, method, started_at, confirmed_at, expires_at,"
    " switched_from) VALUES ($1, $2, $3, $4, now(), $5, now() + interval '1 hour', $6)"
    " RETURNING confirmed_at, confirmed_at - started_at AS after"
)


async def test_a_single_sign_on_is_never_fresher_than_the_provider_says(
    world: World, app_role: Any
) -> None:
    ann = await _lead(world)

    async def begin(method: str, said: datetime | None, source: UUID | None = None) -> Any:
        session = uuid4()
        row = await app_role.fetchrow(
            _SESSION, session, session.bytes, ann.id, method, said, source
        )
        return session, row["confirmed_at"], row["after"]

    now = datetime.now(UTC)
    earlier = now - timedelta(minutes=20)
    async with acting(app_role, ann.id):
        assert (await begin("single_sign_on", earlier))[1] == earlier
        assert (await begin("single_sign_on", now + timedelta(days=9)))[2] == timedelta(0)
        assert (await begin("password", earlier))[2] == timedelta(0)
        silent, confirmed_at, _ = await begin("single_sign_on", None)
        assert confirmed_at is None
    async with acting(app_role, ann.id, session=silent):
        assert (await begin("password", now, silent))[1] is None  # nor by being switched
    async with refused("session_confirmed_by_itself"), acting(app_role, ann.id):
        await app_role.execute("UPDATE session SET confirmed_at = now() WHERE id = $1", silent)
    async with acting(app_role, ann.id, session=silent):
        await app_role.execute("UPDATE session SET confirmed_at = now() WHERE id = $1", silent)


async def test_a_link_is_only_removed_and_stays_so(
    world: World, app_role: Any, superuser: Any
) -> None:
    ann = await _lead(world)
    async with acting(app_role, ann.id):
        await app_role.execute(_LINK, ann.id, "subject")
    for change in ("subject = 'other'", "issuer = 'other'", "linked_at = now()"):
        async with not_granted(), acting(app_role, ann.id):
            await app_role.execute(f"UPDATE identity_link SET {change}")  # noqa: S608  # constants
        async with refused("identity_only_removed"), acting(superuser, ann.id):
            await superuser.execute(f"UPDATE identity_link SET {change}")  # noqa: S608  # constants
    async with acting(app_role, ann.id):
        await app_role.execute("UPDATE identity_link SET removed_at = '2001-01-01Z'")
        assert await app_role.fetchval("SELECT removed_at >= linked_at FROM identity_link")
    for change in ("removed_at = NULL", "removed_at = now()"):
        async with refused("identity_only_removed"), acting(app_role, ann.id):
            await app_role.execute(f"UPDATE identity_link SET {change}")  # noqa: S608  # constants


async def test_everybody_keeps_a_way_in(
    world: World, provider: Provider, app_role: Any, superuser: Any
) -> None:
    ruth, ann = await _ruth(world, provider), await _lead(world, "Bea Second")
    async with refused("last_way_in"), acting(app_role, ruth):
        await app_role.execute("UPDATE identity_link SET removed_at = now()")
    for connection in (app_role, superuser):
        async with refused("last_way_in"), acting(connection, ann.id):
            await connection.execute("UPDATE person SET password_hash = NULL WHERE id = $1", ann.id)
        async with refused("last_way_in"), acting(connection):
            await connection.execute(
                "INSERT INTO person (id, email, name, registered_at)"
                " VALUES ($1, 'x@y.example', 'X', now())",
                uuid4(),
            )
    async with acting(app_role, ruth):  # a password makes the identity removable
        await app_role.execute("UPDATE person SET password_hash = 'x' WHERE id = $1", ruth)
        await app_role.execute("UPDATE identity_link SET removed_at = now()")


@pytest.mark.parametrize("table", ["single_sign_on_request", "identity_link"])
async def test_nothing_is_removed_or_goes_unrecorded(
    world: World, app_role: Any, superuser: Any, table: str
) -> None:
    ann = await _lead(world)
    async with acting(app_role, ann.id):
        await app_role.execute(_ASK, b"1", ann.id)
        await app_role.execute(_LINK, ann.id, "subject")
    async with not_granted():
        await app_role.execute(f"DELETE FROM {table}")  # noqa: S608  # names of the test's own
    async with refused("never_deleted"):
        await superuser.execute(f"DELETE FROM {table}")  # noqa: S608  # the same
    async with refused("event_recorded"), app_role.transaction():
        await app_role.execute("SELECT set_config('market.person', $1, true)", str(ann.id))
        if table == "identity_link":
            await app_role.execute("UPDATE identity_link SET removed_at = now()")
        else:
            await app_role.execute(_ASK, b"2", ann.id)
