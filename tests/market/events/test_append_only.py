"""The log cannot be rewritten: every way that PostgreSQL has, tried as the roles there are."""

import uuid
from typing import Any

import asyncpg
import pytest

from market.background import Workbench
from tests.conftest import Databases
from tests.makers.direct import refused
from tests.makers.log import keep_and_sign, record_straight

LOG = ("event", "event_position", "event_leaf", "merkle_node", "checkpoint")
_WAYS = [
    "UPDATE {table} SET {column} = {column}",
    "UPDATE ONLY {table} SET {column} = {column} WHERE false",
    "DELETE FROM {table}",
    "DELETE FROM ONLY {table} WHERE true",
    "TRUNCATE {table}",
    "TRUNCATE {table} RESTART IDENTITY CASCADE",
    "WITH gone AS (DELETE FROM {table} RETURNING *) SELECT count(*) FROM gone",
    "MERGE INTO {table} t USING (SELECT 1) s ON true WHEN MATCHED THEN DELETE",
    "MERGE INTO {table} t USING (SELECT 1) s ON true WHEN MATCHED THEN UPDATE SET {column} = NULL",
    "INSERT INTO {table} TABLE {table} ON CONFLICT ({column}) DO UPDATE SET {column} = NULL",
    "DO $$ BEGIN DELETE FROM {table}; END $$",
    (
        "DO $$ DECLARE c CURSOR FOR SELECT * FROM {table} FOR UPDATE; BEGIN OPEN c; MOVE c;"
        " DELETE FROM {table} WHERE CURRENT OF c; END $$"
    ),
    "SELECT * FROM {table} FOR UPDATE",
    "LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE",
    "COPY {table} FROM PROGRAM 'true'",
    "ALTER TABLE {table} DISABLE TRIGGER ALL",
    "ALTER TABLE {table} DISABLE TRIGGER append_only_{table}",
    "ALTER TABLE {table} ENABLE REPLICA TRIGGER append_only_{table}",
    "DROP TRIGGER append_only_{table} ON {table}",
    (
        "CREATE OR REPLACE TRIGGER append_only_{table} BEFORE UPDATE ON {table} FOR EACH STATEMENT"
        " EXECUTE FUNCTION suppress_redundant_updates_trigger()"
    ),
    "CREATE RULE no AS ON INSERT TO {table} DO INSTEAD NOTHING",
    "ALTER TABLE {table} DISABLE ROW LEVEL SECURITY",
    "ALTER TABLE {table} RENAME TO elsewhere",
    "ALTER TABLE {table} DROP COLUMN {column}",
    "ALTER TABLE {table} OWNER TO CURRENT_USER",
    "ALTER TABLE {table} INHERIT event",
    "DROP TABLE {table}",
    "DROP TABLE {table} CASCADE",
    "DROP OWNED BY market_owner",
    "REASSIGN OWNED BY market_owner TO CURRENT_USER",
    "DROP SCHEMA public CASCADE",
    "ALTER SCHEMA public RENAME TO elsewhere",
    (
        "CREATE OR REPLACE FUNCTION append_only() RETURNS trigger LANGUAGE plpgsql AS"
        " 'BEGIN RETURN NULL; END'"
    ),
    "ALTER FUNCTION append_only() RENAME TO elsewhere",
    "DROP FUNCTION append_only() CASCADE",
    "DROP EVENT TRIGGER guards_stay",
    "ALTER EVENT TRIGGER guards_stay DISABLE",
    "SET session_replication_role = replica",
    "SET ROLE market_owner",
    "SET SESSION AUTHORIZATION market_owner",
    "SET ROLE market_guard",
    "GRANT market_owner TO CURRENT_USER",
    "ALTER ROLE CURRENT_USER SUPERUSER",
    "ALTER ROLE CURRENT_USER BYPASSRLS",
    "CREATE ROLE mighty SUPERUSER",
    "GRANT ALL ON {table} TO CURRENT_USER; DELETE FROM {table}",
    "ALTER SYSTEM SET session_replication_role = replica",
    "SELECT pg_read_file('/etc/passwd')",
    "SELECT lo_export(1, '/tmp/x')",
    "LOAD 'anything'",
    "CREATE EXTENSION pageinspect",
    "UPDATE pg_trigger SET tgenabled = 'D'",
    "UPDATE pg_class SET relhastriggers = false",
    "UPDATE pg_authid SET rolsuper = true",
    "CREATE SUBSCRIPTION s CONNECTION 'dbname=x' PUBLICATION p",
    "SELECT number_events(-1)",
]
_COLUMN = {
    "event": "id",
    "event_position": "position",
    "event_leaf": "position",
    "merkle_node": "place",
    "checkpoint": "size",
}
_OF_THE_WORKER = {"SELECT number_events(-1)"}


async def _content(connection: Any) -> dict[str, str]:
    return {
        table: await connection.fetchval(
            f"SELECT md5(string_agg(t::text, ',' ORDER BY t::text)) FROM {table} t"  # noqa: S608  # a name from above
        )
        for table in LOG
    }


async def _works(connection: Any, sql: str) -> bool:
    """Whether PostgreSQL carries it out, in a transaction that is undone."""
    transaction = connection.transaction()
    await transaction.start()
    try:
        await connection.execute(sql)
    except asyncpg.PostgresError:
        return False
    finally:
        await transaction.rollback()
    return True


@pytest.mark.parametrize("role", ["app", "worker"])
async def test_neither_process_s_role_changes_or_removes_anything_in_the_log_by_any_way(
    databases: Databases, superuser: Any, bench: Workbench, role: str
) -> None:
    await record_straight(superuser, tender=uuid.uuid4())
    await keep_and_sign(bench, superuser)
    before = await _content(superuser)
    connection = await asyncpg.connect(**(databases.app if role == "app" else databases.worker))
    ways = [
        f"{migrating}{way.format(table=table, column=_COLUMN[table])}"
        for migrating in ("", "SET LOCAL market.migrating = 'on'; ")  # which gives no right
        for way in _WAYS
        if role == "app" or way not in _OF_THE_WORKER
        for table in (LOG if "{table}" in way else LOG[:1])
    ]
    assert [way for way in ways if await _works(connection, way)] == []
    await connection.close()
    assert await _content(superuser) == before


async def test_a_temporary_table_with_the_log_s_name_stands_in_for_nothing(
    databases: Databases, superuser: Any
) -> None:
    event = await record_straight(superuser)
    connection = await asyncpg.connect(**databases.worker)
    for table in ("event", "event_position", "sequencer", "tender_head"):
        await connection.execute(f"CREATE TEMP TABLE {table} (LIKE public.{table})")
    assert await connection.fetchval("SELECT number_events(100)") > 0
    await connection.close()
    assert await superuser.fetchval("SELECT count(*) FROM event_position WHERE event = $1", event)


@pytest.mark.parametrize("table", [*LOG, "event_blinding", "event_private", "checkpoint_stamp"])
@pytest.mark.parametrize("act", ["UPDATE {} SET {} = {}", "DELETE FROM {}", "TRUNCATE {} CASCADE"])
async def test_a_superuser_does_it_by_no_mistake_either(
    superuser: Any, bench: Workbench, table: str, act: str
) -> None:
    await keep_and_sign(bench, superuser)
    column = _COLUMN.get(table, "size" if table == "checkpoint_stamp" else "event")
    async with refused("append_only"):
        await superuser.execute(act.format(table, column, column))
    async with refused("guards_stay"):
        await superuser.execute(f"ALTER TABLE {table} DISABLE TRIGGER ALL")
    await superuser.execute("SET session_replication_role = replica")
    async with refused("append_only"):  # ENABLE ALWAYS: a replica's mode does not switch it off
        await superuser.execute(act.format(table, column, column))
