"""The feed at the database: what the app role can be made to show, and what it cannot."""

from typing import Any
from uuid import uuid4

import asyncpg
import pytest

from market.background import Workbench
from market.database import RULE_BROKEN
from market.events.queries import _PUBLIC, _WHOLE
from tests.makers.direct import act_as, acting, refused
from tests.makers.feed import number
from tests.makers.systems import answerable
from tests.makers.world import World

_SCANS = "SELECT relname::text, seq_scan FROM pg_stat_xact_user_tables"
_MINE = "SELECT count(*) FROM event WHERE action = 'test.acted' AND person = $1"


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT action FROM public_action",
        "SELECT details FROM public_action",
        "INSERT INTO public_action VALUES ('bid.submitted', '{version}', false)",
        "UPDATE public_action SET details = '{bids}'",
        "DELETE FROM public_action",
        "TRUNCATE public_action",
        "SELECT action FROM colleague_action",
        "INSERT INTO colleague_action VALUES ('session.started', '{administrator}', false)",
        "UPDATE colleague_action SET roles = '{lay_member}'",
        "DELETE FROM colleague_action",
        "SELECT tender FROM event_position",
        "SELECT salt FROM event_private",
    ],
)
async def test_the_app_role_cannot_widen_what_is_shown(app_role: Any, sql: str) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await app_role.execute(sql)


@pytest.mark.parametrize(
    "sql",
    [
        "ALTER TABLE event DISABLE ROW LEVEL SECURITY",
        "DROP POLICY event_withheld ON event",
        "CREATE OR REPLACE FUNCTION tender_is_public(uuid) RETURNS boolean RETURN true",
    ],
)
async def test_nobody_changes_who_sees_what_outside_a_migration(
    app_role: Any, superuser: Any, sql: str
) -> None:
    for connection in (app_role, superuser):
        with pytest.raises(asyncpg.PostgresError) as caught:
            await connection.execute(sql)
        assert caught.value.sqlstate in {RULE_BROKEN, "42501"}


async def test_the_worker_role_reads_neither_list(superuser: Any) -> None:
    for table in ("public_action", "colleague_action"):
        assert not await superuser.fetchval(
            "SELECT has_table_privilege('market_worker', $1, 'SELECT')", table
        )


async def test_the_lists_are_written_by_migrations_alone(superuser: Any) -> None:
    for statement in (
        "INSERT INTO public_action VALUES ('bid.submitted', '{}', false)",
        "INSERT INTO colleague_action VALUES ('session.started', '{administrator}', false)",
    ):
        async with refused("only_in_migration"):
            await superuser.execute(statement)
    for table in ("public_action", "colleague_action"):
        for statement in (f"DELETE FROM {table}", f"TRUNCATE {table}"):  # noqa: S608  # names of the test's own
            async with refused("append_only"):
                await superuser.execute(statement)
    async with refused("append_only"):
        await superuser.execute("UPDATE public_action SET of_published_tender = false")


async def test_what_is_public_has_no_column_for_who_acted(
    superuser: Any, app_role: Any, bench: Workbench
) -> None:
    await superuser.execute(
        "INSERT INTO event (id, action, subject_kind, subject, request, details)"
        " VALUES (gen_random_uuid(), 'clock.shifted', 'clock', gen_random_uuid(), 'secret',"
        """ '{"forward_to": "2027-01-01", "because": "secret", "credential": "secret"}')"""
    )
    await number(bench)
    rows = await app_role.fetch("SELECT * FROM public_events(0, 1000000)")
    assert [set(row.keys()) for row in rows] == [
        {
            "position",
            "id",
            "action",
            "occurred_at",
            "subject_kind",
            "subject",
            "tender",
            "details",
        }
    ]
    assert rows[0]["details"] == '{"forward_to": "2027-01-01"}'
    assert await app_role.fetchval("SELECT count(*) FROM event") == 0


async def test_no_act_on_a_bid_nor_a_score_is_public(superuser: Any) -> None:
    actions = {row["action"] for row in await superuser.fetch("SELECT action FROM public_action")}
    kinds = {action.partition(".")[0] for action in actions}
    assert not kinds & {
        "bid",
        "score",
        "scores",
        "envelope",
        "opening",
        "conflict",
        "interest",
        "gift",
        "prices",
        "quality",
        "duty",
        "request",
        "session",
        "person",
    }
    details = {
        detail
        for row in await superuser.fetch("SELECT details FROM public_action")
        for detail in row["details"]
    }
    assert not details & {"bids", "notices", "reason", "bidders", "person_exempted", "credential"}


async def test_at_the_database_one_sees_one_s_own_acts_and_a_system_its_own(
    world: World, app_role: Any
) -> None:
    one, other = await answerable(world), await answerable(world, "Other")
    async with acting(app_role, one.id, one.organisation):
        assert await app_role.fetchval(_MINE, one.id) == 1
        await act_as(app_role, other.id, other.organisation, None)
        assert await app_role.fetchval(_MINE, one.id) == 0
        await act_as(app_role, one.id, other.organisation, None)
        assert await app_role.fetchval(_MINE, one.id) == 1
        await app_role.execute("SELECT set_config('market.credential', $1, true)", str(uuid4()))
        assert await app_role.fetchval(_MINE, one.id) == 0


async def test_a_role_that_ended_shows_nothing_of_colleagues_any_more(
    world: World, app_role: Any, superuser: Any
) -> None:
    one, other = await answerable(world), await answerable(world, "Other")
    asked = "SELECT count(*) FROM event WHERE action = 'api_key.revoked'"
    async with acting(app_role, one.id, one.organisation):
        await app_role.execute(
            "INSERT INTO event (id, action, subject_kind, subject, request, details)"
            " VALUES (gen_random_uuid(), 'api_key.revoked', 'key', gen_random_uuid(), '-', '{}')"
        )
    async with acting(app_role, other.id, other.organisation):
        assert await app_role.fetchval(asked) == 1
    memberships = (await one.get(f"/organisations/{one.organisation}/memberships")).json()["items"]
    [ending] = [item["id"] for item in memberships if item["person"] == str(other.id)]
    assert (await one.delete(f"/memberships/{ending}")).status_code == 204
    async with acting(app_role, other.id, other.organisation):
        assert await app_role.fetchval(asked) == 0
    assert await superuser.fetchval(asked) == 1


async def test_a_look_goes_by_position_and_reads_no_table_through(
    world: World, superuser: Any, app_role: Any, bench: Workbench
) -> None:
    one = await answerable(world)
    await superuser.execute(
        "INSERT INTO event (id, action, subject_kind, subject, request, details)"
        " SELECT gen_random_uuid(), 'test.made', 'thing', gen_random_uuid(), 'test', '{}'"
        " FROM generate_series(1, 10000)"
    )
    await number(bench)
    for analysed in (False, True):
        if analysed:
            await superuser.execute("ANALYZE event; ANALYZE event_position")
        for sql in (_WHOLE, _PUBLIC):
            async with acting(app_role, one.id, one.organisation):
                before = await app_role.fetch(_SCANS)
                await app_role.fetch(sql, 5000, 7000, None, [], None, None, 501)
                after = await app_role.fetch(_SCANS)
            by_name = dict(before), dict(after)
            for table in ("event", "event_position"):
                assert by_name[1].get(table, 0) == by_name[0].get(table, 0), (table, analysed, sql)
