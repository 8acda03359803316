"""Migrations and tables agree; the guards are where they belong, and stay there."""

import asyncio
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from piccolo import columns
from piccolo.apps.migrations.commands.new import AutoMigrationManager
from piccolo.conf.apps import AppConfig, Finder

from market import migrations
from market.database import DB
from tests.conftest import APP_PASSWORD, Databases

REPOSITORY = Path(__file__).parents[2]
GRANTS = Path(__file__).parents[1] / "contract"

_TYPES = {
    "CHARACTER VARYING": "VARCHAR",
    "TIMESTAMP WITH TIME ZONE": "TIMESTAMPTZ",
    "DOUBLE PRECISION": "DOUBLE PRECISION",
    "JSONB": "JSONB",
}

MIGRATE = """
import asyncio, json, sys
from market import migrations
given = json.loads(sys.argv[1])
print(json.dumps(asyncio.run(migrations.migrate(given["parameters"], app_password="x"))))
"""


def apps() -> list[AppConfig]:
    finder = Finder()
    return [finder.get_app_config(name) for name in finder.get_sorted_app_names()]


def type_of(column: columns.Column) -> str:
    said = column.column_type
    return re.sub(r"\s", "", said.upper()).replace("DECIMAL", "NUMERIC")


def catalogue_type(said: str) -> str:
    upper = said.upper()
    for long, short in _TYPES.items():
        upper = upper.replace(long, short)
    return re.sub(r"\s", "", upper)


@pytest.mark.usefixtures("databases")
async def test_nothing_in_the_tables_waits_for_a_migration() -> None:
    manager = AutoMigrationManager(auto_input="y")
    for config in apps():
        waiting = [
            statement
            for alteration in await manager.get_alter_statements(app_config=config)
            for statement in alteration.statements
        ]
        assert waiting == [], config.app_name


async def test_the_database_has_the_columns_of_the_tables_and_no_others(superuser: Any) -> None:
    rows = await superuser.fetch(
        """
        SELECT c.relname, a.attname, a.attnotnull, format_type(a.atttypid, a.atttypmod) AS kind
        FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
        WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r'
        AND a.attnum > 0 AND NOT a.attisdropped AND c.relname <> 'migration'
        AND a.attgenerated = ''  -- what the database computes for its own keys is nobody's to write
        """
    )
    found = {
        (row["relname"], row["attname"]): (catalogue_type(row["kind"]), row["attnotnull"])
        for row in rows
    }
    expected = {
        (table._meta.tablename, column._meta.db_column_name): (  # noqa: SLF001  # Piccolo's own way
            type_of(column),
            not column._meta.null,  # noqa: SLF001
        )
        for config in apps()
        for table in config.table_classes
        for column in table._meta.columns  # noqa: SLF001
    }
    assert found == expected


async def test_every_table_is_named_by_a_feature(superuser: Any) -> None:
    named = {table._meta.tablename for config in apps() for table in config.table_classes}  # noqa: SLF001  # Piccolo's own way
    of_rounds = ("panel", "counted_seat", "score", "score_lock", "agreed_score")
    views = {f"current_{table}" for table in (*of_rounds, "quality_decision", "ranking")}
    assert set(await _tables(superuser)) == named | views


async def _tables(connection: Any) -> list[str]:
    rows = await connection.fetch(
        "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace"
        " AND relkind IN ('r', 'p', 'v', 'm') AND relname <> 'migration'"
    )
    return [row["relname"] for row in rows]


async def test_migrating_twice_changes_nothing(databases: Databases, superuser: Any) -> None:
    async def state() -> list[Any]:
        return list(
            await superuser.fetch(
                "SELECT relname, relacl::text FROM pg_class WHERE relnamespace ="
                " 'public'::regnamespace ORDER BY 1"
            )
        )

    before = await state()
    config = DB.config
    assert await migrations.migrate(databases.superuser) == []
    assert await state() == before
    assert DB.config is config
    assert await migrations.pending(superuser) == []


async def test_of_two_runners_at_once_one_migrates_and_the_other_waits(
    databases: Databases,
) -> None:
    name = f"{databases.superuser['database']}_empty"
    connection = await asyncpg.connect(**databases.superuser)
    await connection.execute(f'CREATE DATABASE "{name}"')
    given = json.dumps({"parameters": databases.superuser | {"database": name}})

    def run() -> list[str]:
        done = subprocess.run(  # noqa: S603  # this interpreter, a constant script
            [sys.executable, "-c", MIGRATE, given],
            cwd=REPOSITORY,
            check=True,
            capture_output=True,
            text=True,
        )
        ran: list[str] = json.loads(done.stdout)
        return ran

    try:
        ran = await asyncio.gather(asyncio.to_thread(run), asyncio.to_thread(run))
        assert sorted(ran, key=len) == [[], list(migrations.expected())]
    finally:
        await connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
        await connection.close()


@pytest.mark.parametrize("role", ["app", "worker"])
async def test_a_role_may_do_what_is_listed_and_no_more(superuser: Any, role: str) -> None:
    """To accept a change, put what was found into `tests/contract/ROLE_grants.txt`."""
    rows = await superuser.fetch(
        """
        SELECT c.relname, coalesce(string_agg(DISTINCT g.privilege_type, ', ')
            FILTER (WHERE g.privilege_type <> 'UPDATE'), '') AS whole,
            bool_or(g.privilege_type = 'UPDATE') AS updates_all,
            ARRAY(SELECT p.column_name::text FROM information_schema.column_privileges p
                WHERE p.grantee = $1 AND p.table_name = c.relname
                AND p.privilege_type = 'UPDATE' ORDER BY 1) AS updates,
            ARRAY(SELECT p.column_name::text FROM information_schema.column_privileges p
                WHERE p.grantee = $1 AND p.table_name = c.relname
                AND p.privilege_type = 'SELECT' ORDER BY 1) AS reads
        FROM pg_class c LEFT JOIN information_schema.role_table_grants g
            ON g.table_name = c.relname AND g.grantee IN ($1, 'PUBLIC')
        WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'v')
        GROUP BY c.relname ORDER BY c.relname
        """,
        f"market_{role}",
    )
    found = []
    for row in rows:
        assert not row["updates_all"], f"UPDATE of all of {row['relname']}"
        rights = [row["whole"]] if row["whole"] else []
        if row["reads"] and "SELECT" not in row["whole"]:
            rights.append(f"SELECT ({', '.join(row['reads'])})")
        if row["updates"]:
            rights.append(f"UPDATE ({', '.join(row['updates'])})")
        if rights or role == "app":
            found.append(f"{row['relname']}: {', '.join(rights)}".rstrip())
    assert "\n".join(found) + "\n" == (GRANTS / f"{role}_grants.txt").read_text()
    for right in ("DELETE", "TRUNCATE", "TRIGGER", "REFERENCES", "MAINTAIN"):
        having = [line.partition(":")[0] for line in found if right in line]
        # what was in a draft is gone when its bidder says so
        assert having == (["bid_draft"] if (role, right) == ("app", "DELETE") else [])


async def test_the_app_role_owns_nothing_and_makes_nothing(superuser: Any, app_role: Any) -> None:
    for question in (
        "SELECT count(*) FROM pg_class WHERE relowner = 'market_app'::regrole",
        "SELECT count(*) FROM pg_proc WHERE proowner = 'market_app'::regrole",
        "SELECT count(*) FROM pg_auth_members WHERE member = 'market_app'::regrole",
        """
        SELECT count(*) FROM pg_roles WHERE rolname IN ('market_app', 'market_owner')
        AND (rolsuper OR rolbypassrls OR rolcreaterole OR rolcreatedb OR rolreplication)
        """,
    ):
        assert await superuser.fetchval(question) == 0, question
    await app_role.execute("SET market.migrating = 'on'")  # anybody may say so; it gives no right
    for statement in (
        "CREATE TABLE mine (id int)",
        "CREATE FUNCTION mine() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "CREATE SCHEMA mine",
        "SET session_replication_role = 'replica'",
        "SET ROLE market_owner",
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await app_role.execute(statement)


async def test_the_owner_and_the_guard_cannot_log_in(superuser: Any) -> None:
    assert await superuser.fetch(
        "SELECT rolname, rolcanlogin, rolsuper FROM pg_roles"
        " WHERE rolname IN ('market_owner', 'market_guard') ORDER BY 1"
    ) == [("market_guard", False, False), ("market_owner", False, False)]
    owners = await superuser.fetch(
        "SELECT DISTINCT pg_get_userbyid(relowner) AS owner FROM pg_class"
        " WHERE relnamespace = 'public'::regnamespace"
    )
    assert [row["owner"] for row in owners] == ["market_owner"]


async def test_every_trigger_is_always_on(superuser: Any) -> None:
    rows = await superuser.fetch(
        "SELECT t.tgname, t.tgenabled::text AS enabled FROM pg_trigger t"
        " JOIN pg_class c ON c.oid = t.tgrelid"
        " WHERE c.relnamespace = 'public'::regnamespace AND NOT t.tgisinternal"
    )
    assert len(rows) > 50
    assert [row["tgname"] for row in rows if row["enabled"] != "A"] == []


async def test_guard_functions_run_as_the_guard_on_a_pinned_search_path(superuser: Any) -> None:
    rows = await superuser.fetch(
        "SELECT p.proname, pg_get_userbyid(p.proowner) AS owner, p.proconfig AS config"
        " FROM pg_proc p WHERE p.pronamespace = 'public'::regnamespace AND p.prosecdef"
    )
    assert len(rows) > 10
    for row in rows:
        # which empties what nobody else may, and which the owner alone may execute
        owner = "market_owner" if row["proname"] == "erase_person" else "market_guard"
        assert row["owner"] == owner, row["proname"]
        assert "search_path=public, pg_temp" in row["config"], row["proname"]
    assert not await superuser.fetchval(
        "SELECT has_schema_privilege('market_guard', 'public', 'CREATE')"
    )


@pytest.mark.parametrize(
    "statement",
    [
        "ALTER TABLE event DISABLE TRIGGER ALL",
        "ALTER TABLE event DISABLE TRIGGER append_only_event",
        "ALTER TABLE event ADD COLUMN more int",
        "ALTER TABLE bid DISABLE ROW LEVEL SECURITY",
        "DROP TRIGGER append_only_event ON event",
        "DROP TABLE event_private",
        "CREATE OR REPLACE FUNCTION append_only() RETURNS trigger LANGUAGE sql AS ''",
        "DROP FUNCTION append_only() CASCADE",
        "ALTER FUNCTION append_only() RENAME TO gone",
        "GRANT DELETE ON event TO market_app",
        "CREATE RULE quiet AS ON UPDATE TO event DO INSTEAD NOTHING",
        "DROP SCHEMA public CASCADE",
        "DROP OWNED BY market_owner",
        "REVOKE SELECT ON event FROM market_app",
        "ALTER ROUTINE append_only() RENAME TO gone",
        "DROP ROUTINE append_only() CASCADE",
        "CREATE PROCEDURE mine() LANGUAGE sql AS ''",
        "DROP INDEX membership_once",
        "ALTER INDEX membership_once RENAME TO gone",
        "ALTER SCHEMA public RENAME TO gone",
        "ALTER DEFAULT PRIVILEGES GRANT DELETE ON TABLES TO market_app",
    ],
)
async def test_not_even_a_superuser_takes_a_guard_away_by_mistake(
    superuser: Any, statement: str
) -> None:
    with pytest.raises(asyncpg.PostgresError) as refused:
        await superuser.execute(statement)
    assert refused.value.sqlstate == "MK001"
    assert getattr(refused.value, "constraint_name", None) == "guards_stay"


async def test_a_migration_replaces_an_event_trigger_that_is_out_of_date(
    databases: Databases, superuser: Any
) -> None:
    tags = "SELECT evttags FROM pg_event_trigger WHERE evtname = 'guards_stay'"
    complete = await superuser.fetchval(tags)
    statement = "DROP INDEX membership_once"
    for change in (
        (
            "DROP EVENT TRIGGER guards_stay; CREATE EVENT TRIGGER guards_stay ON ddl_command_start"
            " WHEN TAG IN ('DROP TABLE') EXECUTE FUNCTION guards_stay()"
        ),
        "ALTER EVENT TRIGGER guards_stay DISABLE",
        "DROP EVENT TRIGGER guards_stay",
    ):
        await superuser.execute(change)
        await migrations.migrate(databases.superuser)
        assert await superuser.fetchval(tags) == complete
        with pytest.raises(asyncpg.PostgresError) as refused:
            await superuser.execute(statement)
        assert refused.value.sqlstate == "MK001", change


async def test_a_current_event_trigger_is_left_alone(databases: Databases, superuser: Any) -> None:
    query = "SELECT oid FROM pg_event_trigger WHERE evtname = 'guards_stay'"
    before = await superuser.fetchval(query)
    await migrations.migrate(databases.superuser)
    assert await superuser.fetchval(query) == before


async def test_rows_kept_to_migrations_are_written_by_nothing_else(superuser: Any) -> None:
    await superuser.execute("CREATE TABLE matrix (id int); SET market.migrating = 'on'")
    await superuser.execute("SELECT keep_to_migrations('matrix'); INSERT INTO matrix VALUES (1)")
    await superuser.execute("RESET market.migrating")
    with pytest.raises(asyncpg.PostgresError) as refused:
        await superuser.execute("INSERT INTO matrix VALUES (2)")
    assert getattr(refused.value, "constraint_name", None) == "only_in_migration"
    assert await superuser.fetchval("SELECT count(*) FROM matrix") == 1


@pytest.mark.parametrize("given_to", [None, migrations.OWNER])
async def test_the_app_role_connects_and_makes_no_temporary_tables(
    databases: Databases, superuser: Any, given_to: str | None
) -> None:
    if given_to is not None:  # by whoever keeps the server, before the first migration
        name = databases.superuser["database"]
        await superuser.execute(f'ALTER DATABASE "{name}" OWNER TO {given_to}')
    await migrations.migrate(databases.superuser)
    rights = await superuser.fetchrow(
        "SELECT has_database_privilege('public', current_database(), 'TEMP') AS anybody_makes,"
        " has_database_privilege('public', current_database(), 'CONNECT') AS anybody_connects,"
        " has_database_privilege('market_app', current_database(), 'TEMP') AS makes,"
        " has_database_privilege('market_app', current_database(), 'CONNECT') AS connects"
    )
    assert tuple(rights) == (False, False, False, True)
    app_role = await asyncpg.connect(**databases.app)
    try:
        for statement in (
            "CREATE TEMP TABLE market_clock (shift interval)",
            "CREATE TEMP VIEW v AS SELECT 1",
        ):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await app_role.execute(statement)
    finally:
        await app_role.close()


async def test_a_temporary_table_does_not_tell_the_time(superuser: Any) -> None:
    await superuser.execute(
        "CREATE TEMP TABLE market_clock AS SELECT 1 AS id, interval '20 years' AS shift"
    )
    assert await superuser.fetchval("SELECT abs(extract(epoch FROM market_now() - now())) < 60")
    young = await superuser.fetchval(
        "INSERT INTO event (id, action, subject_kind, subject, request, details)"
        " VALUES (gen_random_uuid(), 'test.acted', 'person', gen_random_uuid(), 'test', '{}')"
        " RETURNING occurred_at < now() + interval '1 minute'"
    )
    assert young


async def test_no_function_of_the_market_looks_among_temporary_tables_first(superuser: Any) -> None:
    rows = await superuser.fetch(
        "SELECT p.proname FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang"
        " WHERE p.pronamespace = 'public'::regnamespace AND l.lanname = 'plpgsql'"
        " AND p.prorettype <> 'event_trigger'::regtype AND p.proconfig IS NULL"
    )
    assert [row["proname"] for row in rows] == []


@pytest.mark.parametrize("role", ["origin", "replica", "local"])
async def test_no_session_role_silences_the_guards(superuser: Any, role: str) -> None:
    await superuser.execute(f"SET session_replication_role = '{role}'")
    for statement in (
        "UPDATE event SET request = 'changed'",
        "DELETE FROM event",
        "TRUNCATE event CASCADE",
        "DELETE FROM person",
    ):
        with pytest.raises(asyncpg.PostgresError) as refused:
            await superuser.execute(statement)
        assert refused.value.sqlstate == "MK001", statement
    with pytest.raises(asyncpg.PostgresError) as refused:
        await superuser.execute("UPDATE organisation SET population = 1")
    assert getattr(refused.value, "constraint_name", None) == "event_recorded"


async def test_the_app_role_can_tell_that_its_database_is_behind(
    superuser: Any, app_role: Any
) -> None:
    assert await migrations.pending(app_role) == []
    last = migrations.expected()[-1]
    app, _, name = last.partition("/")
    await superuser.execute("DELETE FROM migration WHERE app_name = $1 AND name = $2", app, name)
    assert await migrations.pending(app_role) == [last]


async def test_a_first_migration_without_a_password_for_the_app_role_says_so() -> None:
    class Nobody:
        async def fetch(self, _: str, __: list[str]) -> list[dict[str, str]]:
            return []

    with pytest.raises(migrations.MigrationError, match="no password for it is known"):
        await migrations.ensure_roles(Nobody(), None)


def test_the_password_of_tests_is_in_no_file_of_the_programme() -> None:
    for path in (REPOSITORY / "market").rglob("*.py"):
        assert APP_PASSWORD not in path.read_text()
