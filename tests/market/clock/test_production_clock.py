"""The clock of a production market is the real one, whoever asks."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest

from market import migrations
from market.embedded import EmbeddedPostgres
from market.settings import Environment
from tests.makers.clock import registrar
from tests.makers.direct import acting, refused
from tests.makers.suppliers import application, apply
from tests.makers.world import World


async def _build(server: EmbeddedPostgres, sandbox: str, name: str) -> None:
    connection = await asyncpg.connect(**server.connection.parameters())
    await connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
    await connection.execute(f'CREATE DATABASE "{name}"')
    await connection.execute("SELECT pg_advisory_lock(1)")  # roles belong to the whole server
    parameters: dict[str, Any] = {**server.connection.parameters(), "database": name}
    await migrations.migrate(parameters)
    kind = await migrations.initialise(
        parameters, environment=Environment.PRODUCTION, name="production.example"
    )
    assert kind is Environment.PRODUCTION
    await connection.close()
    assert sandbox != name


@pytest.fixture(scope="module")
def template(server: EmbeddedPostgres, template: str) -> str:
    """A production market, from which each test's database is cloned."""
    name = f"{template}_production"
    asyncio.run(_build(server, template, name))
    return name


async def test_a_production_market_refuses_any_shift(world: World) -> None:
    clock = (await world.public("/clock")).json()
    assert (clock["environment"], clock["shift_seconds"]) == ("production", 0)
    keeper = await registrar(world)
    later = datetime.now(UTC) + timedelta(days=1)
    answer = await keeper.post("/clock/shifts", {"forward_to": later.isoformat()})
    assert answer.status_code == 409
    assert answer.json()["type"] == "/problems/clock-is-real"


async def test_the_database_refuses_any_shift_in_production(app_role: Any, superuser: Any) -> None:
    for connection in (app_role, superuser):
        async with refused("clock_real_in_production"), acting(connection):
            await connection.execute("UPDATE market_clock SET shift = interval '1 second'")


async def test_production_is_never_made_a_sandbox(databases: Any, superuser: Any) -> None:
    async with refused("append_only"):
        await superuser.execute("UPDATE installation SET kind = 'sandbox'")
    kind = await migrations.initialise(
        databases.superuser, environment=Environment.SANDBOX, name="sandbox.example"
    )
    assert kind is Environment.PRODUCTION


async def test_production_has_no_organisations_for_demonstration(world: World) -> None:
    answer = await apply(world, application("Fenland Data", demonstration=True))
    assert answer.status_code == 400
    assert "demonstration" in {fault["field"] for fault in answer.json()["errors"]}
