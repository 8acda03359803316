"""The database's own promises about notices: held against the app role and the worker's."""

from typing import Any
from uuid import uuid4

import asyncpg
import pytest

from market.background import Workbench
from tests.conftest import Databases
from tests.makers.direct import acting, not_granted, refused
from tests.makers.notices import happen, notice, post
from tests.makers.systems import answerable, api_key
from tests.makers.world import Person, World
from tests.market.mail.conftest import KINDS

_STATE = "INSERT INTO notice_preferences (person, choices) VALUES ($1, $2)"


async def test_preferences_are_one_s_own_to_see_and_to_state(
    ann: Person, bob: Person, app_role: Any
) -> None:
    async with acting(app_role, ann.id, ann.organisation):
        await app_role.execute(_STATE, ann.id, '{"news": "off"}')
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with acting(app_role, bob.id, bob.organisation):
            await app_role.execute(_STATE, ann.id, "{}")
    async with acting(app_role, bob.id, bob.organisation):
        assert await app_role.fetch("SELECT * FROM notice_preferences") == []
        changed = await app_role.execute("UPDATE notice_preferences SET choices = '{}'")
        assert changed == "UPDATE 0"


async def test_preferences_count_their_versions_themselves(ann: Person, app_role: Any) -> None:
    async with acting(app_role, ann.id, ann.organisation):
        await app_role.execute(
            "INSERT INTO notice_preferences (person, choices, version, changed_at)"
            " VALUES ($1, '{}', 77, '2001-01-01Z')",
            ann.id,
        )
        await app_role.execute("UPDATE notice_preferences SET version = 1, choices = '{}'")
        row = await app_role.fetchrow("SELECT version, changed_at FROM notice_preferences")
    assert row["version"] == 3
    assert row["changed_at"].year > 2001


@pytest.mark.parametrize(
    "choices",
    [
        "[]",
        '"off"',
        "null",
        '{"news": "never"}',
        '{"news": 1}',
        '{"news": {"a": "off"}}',
        '{"news": ["off"]}',
    ],
)
async def test_preferences_are_kinds_with_one_of_three_words(
    ann: Person, app_role: Any, choices: str
) -> None:
    with pytest.raises(asyncpg.CheckViolationError):
        async with acting(app_role, ann.id, ann.organisation):
            await app_role.execute(_STATE, ann.id, choices)


async def test_preferences_do_not_change_without_an_event_and_do_not_go(
    ann: Person, superuser: Any
) -> None:
    async with refused("event_recorded"):
        await superuser.execute(_STATE, ann.id, "{}")
    async with superuser.transaction():
        await happen(superuser, "test.changed")
        await superuser.execute(_STATE, ann.id, "{}")
    async with refused("never_deleted"):
        await superuser.execute("DELETE FROM notice_preferences")


async def test_no_system_states_preferences(world: World, app_role: Any) -> None:
    manager = await answerable(world)
    key = await api_key(manager)
    async with refused("person_acts"), acting(app_role, manager.id, manager.organisation):
        await app_role.execute("SELECT set_config('market.credential', $1, true)", str(key["id"]))
        await app_role.execute(_STATE, manager.id, "{}")


async def test_the_app_role_sees_its_actor_s_notices_and_writes_none(
    ann: Person, bob: Person, superuser: Any, app_role: Any, bench: Workbench
) -> None:
    await happen(superuser, "test.greeted", ann)
    await notice(bench, KINDS)
    seen = "SELECT person FROM notice"
    async with acting(app_role, ann.id, ann.organisation):
        assert [row["person"] for row in await app_role.fetch(seen)] == [ann.id]
    for person, organisation in (
        (bob.id, bob.organisation),
        (ann.id, uuid4()),
        (None, None),
    ):
        async with acting(app_role, person, organisation):
            assert await app_role.fetch(seen) == []
    for statement in (
        "UPDATE notice SET state = 'sent'",
        "DELETE FROM notice",
        "INSERT INTO notice (id) VALUES (gen_random_uuid())",
        "SELECT claimed_until FROM notice",
        "SELECT * FROM notice_fault",
        "SELECT * FROM noticing",
    ):
        async with not_granted():
            await app_role.execute(statement)


async def test_what_became_of_a_notice_stays(ann: Person, superuser: Any, bench: Workbench) -> None:
    await happen(superuser, "test.greeted", ann)
    await happen(superuser, "test.told", ann)
    await notice(bench, KINDS)
    await post(bench, KINDS)
    for change in (
        "state = 'waiting', sent_at = NULL",
        "state = 'failed', sent_at = NULL, last_error = 'x'",
        "mailing = gen_random_uuid()",
        "sent_at = clock_timestamp()",
        "last_error = 'x'",
    ):
        async with refused("notice_settled"):
            await superuser.execute(f"UPDATE notice SET {change} WHERE state = 'sent'")  # noqa: S608  # constants
    await superuser.execute("UPDATE notice SET mailing = id WHERE state = 'waiting'")
    async with refused("notice_settled"):
        await superuser.execute("UPDATE notice SET mailing = NULL WHERE state = 'waiting'")
    # what it said may be erased by law
    await superuser.execute("UPDATE notice SET facts = '{}'")


async def test_the_worker_makes_and_keeps_notices_and_cannot_rewrite_what_they_say(
    ann: Person, superuser: Any, databases: Databases, bench: Workbench
) -> None:
    await happen(superuser, "test.greeted", ann)
    await notice(bench, KINDS)
    worker = await asyncpg.connect(**databases.worker)
    try:
        for statement in (
            "UPDATE notice SET facts = '{}'",
            "UPDATE notice SET person = organisation",
            "DELETE FROM notice",
            "UPDATE notice_preferences SET choices = '{}'",
            "SELECT password_hash FROM person",
            "SELECT * FROM session",
            "SELECT * FROM event_private",
            "INSERT INTO noticing VALUES (1, 0, now())",
        ):
            async with not_granted():
                await worker.execute(statement)
        for fault in (
            "last_error = 'x', id = id",
            "state = 'skipped'",
            "state = 'lost'",
        ):
            with pytest.raises((asyncpg.CheckViolationError, asyncpg.InsufficientPrivilegeError)):
                await worker.execute(f"UPDATE notice SET {fault}")  # noqa: S608  # constants
    finally:
        await worker.close()


async def test_the_row_of_the_noticing_stays(superuser: Any) -> None:
    async with refused("never_deleted"):
        await superuser.execute("DELETE FROM noticing")
    with pytest.raises(asyncpg.CheckViolationError):
        await superuser.execute("INSERT INTO noticing VALUES (3, 0, now())")


async def test_the_status_page_says_whether_mail_gets_out(
    ann: Person, world: World, superuser: Any, bench: Workbench
) -> None:
    async def line() -> dict[str, str]:
        lines = (await world.client.get("/status")).json()["lines"]
        [found] = [one for one in lines if one["name"] == "E-mail notices"]
        return dict(found)

    await happen(superuser, "test.greeted", ann)
    await notice(bench, KINDS)
    before = await line()
    # what has just been made is not told of: it could be that a bid has arrived
    assert before["mark"] == "good"
    assert before["found"].startswith("on; waiting for over fifteen minutes: none;")
    await superuser.execute("UPDATE notice SET made_at = made_at - interval '16 minutes'")
    after = await line()
    assert after["mark"] == "missing"
    assert "minutes: under ten;" in after["found"]
    await superuser.execute("UPDATE notice SET state = 'failed', last_error = 'x'")
    assert "failed within a week: under ten" in (await line())["found"]
    assert (await line())["mark"] == "good"
