"""The clock of a sandbox: read by everybody, moved forward by a registrar."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from market.actor import Role
from tests.makers.clock import advance_to, registrar
from tests.makers.direct import acting, not_granted, refused
from tests.makers.world import World


async def _now(world: World) -> datetime:
    return datetime.fromisoformat((await world.public("/clock")).json()["now"])


async def test_everybody_reads_the_clock(world: World) -> None:
    answer = await world.public("/clock")
    assert answer.status_code == 200
    clock = answer.json()
    assert clock["environment"] == "sandbox"
    assert clock["shift_seconds"] == 0
    ahead = datetime.fromisoformat(clock["now"]) - datetime.now(UTC)
    assert abs(ahead) < timedelta(seconds=30)


async def test_a_registrar_moves_a_sandbox_forward_and_it_goes_on_from_there(
    world: World, superuser: Any
) -> None:
    keeper = await registrar(world)
    # over a change to summer time, in which a day of the calendar has another length
    later = datetime(2031, 7, 1, 12, 0, 0, 250_000, tzinfo=UTC)
    answer = await keeper.post("/clock/shifts", {"forward_to": "2031-07-01T13:00:00.25+01:00"})
    assert answer.status_code == 201, answer.text
    assert timedelta(0) <= datetime.fromisoformat(answer.json()["now"]) - later
    assert answer.json()["shift_seconds"] > 0
    assert timedelta(0) <= await _now(world) - later < timedelta(seconds=30)
    await superuser.execute("SET timezone = 'Europe/London'")
    assert await superuser.fetchval("SELECT market_now() - $1 < interval '30 s'", later)
    event = await superuser.fetchrow("SELECT * FROM event WHERE action = 'clock.shifted'")
    assert event["person"] == keeper.id
    assert event["occurred_at"] >= later > event["recorded_at"]
    # whoever is signed in stays so: sessions keep to the real clock
    assert (await keeper.get("/me")).status_code == 200


async def test_the_clock_never_goes_back(world: World) -> None:
    later = datetime.now(UTC) + timedelta(days=10)
    await advance_to(world, later)
    keeper = await registrar(world)
    for earlier in (later, later - timedelta(days=5), datetime.now(UTC)):
        answer = await keeper.post("/clock/shifts", {"forward_to": earlier.isoformat()})
        assert answer.status_code == 409
        assert answer.json()["type"] == "/problems/clock-goes-forward"
    assert await _now(world) >= later


async def test_the_clock_reaches_fifty_years_and_no_further(world: World) -> None:
    keeper = await registrar(world)
    far = datetime.now(UTC) + timedelta(days=51 * 365.25)
    answer = await keeper.post("/clock/shifts", {"forward_to": far.isoformat()})
    assert answer.status_code == 409
    assert answer.json()["type"] == "/problems/clock-out-of-reach"
    near = datetime.now(UTC) + timedelta(days=49 * 365.25)
    assert (await keeper.post("/clock/shifts", {"forward_to": near.isoformat()})).status_code == 201


@pytest.mark.parametrize(
    "instant",
    [
        "2031-07-01T12:00:00",
        "tomorrow",
        "",
        None,
        "9999-12-31T23:59:59-14:00",
        "0001-01-01T00:00:00+14:00",
    ],
)
async def test_an_instant_without_a_zone_or_sense_is_refused(world: World, instant: object) -> None:
    keeper = await registrar(world)
    answer = await keeper.post("/clock/shifts", {"forward_to": instant})
    assert answer.status_code == 400, answer.text


async def test_only_a_registrar_moves_the_clock(world: World) -> None:
    body = {"forward_to": "2031-07-01T12:00:00Z"}
    lead = await world.person("Ann Lead", await world.organisation("06F"), Role.ADMINISTRATOR)
    refusal = await lead.post("/clock/shifts", body)
    assert refusal.status_code == 403
    assert "registrar" in refusal.json()["detail"]
    headers = {"Idempotency-Key": str(uuid4())}
    unknown = await world.client.post("/api/v1/clock/shifts", json=body, headers=headers)
    assert unknown.status_code == 401


async def test_shifts_at_once_leave_the_clock_at_the_latest(world: World) -> None:
    keeper = await registrar(world)
    start = datetime.now(UTC)
    instants = [start + timedelta(days=days) for days in (30, 10, 20)]
    answers = await asyncio.gather(
        *(keeper.post("/clock/shifts", {"forward_to": one.isoformat()}) for one in instants)
    )
    assert {answer.status_code for answer in answers} <= {201, 409}
    assert answers[0].status_code == 201
    assert timedelta(0) <= await _now(world) - instants[0] < timedelta(seconds=30)


async def test_a_shift_waits_for_whoever_holds_the_clock(world: World, superuser: Any) -> None:
    keeper = await registrar(world)
    later = (datetime.now(UTC) + timedelta(days=10)).isoformat()
    async with superuser.transaction():
        await superuser.execute("SELECT hold_clock()")
        shifting = asyncio.create_task(keeper.post("/clock/shifts", {"forward_to": later}))
        await asyncio.sleep(0.2)
        assert not shifting.done()
        assert await superuser.fetchval("SELECT shift = interval '0' FROM market_clock")
    assert (await shifting).status_code == 201


async def test_the_database_keeps_the_clock_by_itself(app_role: Any, superuser: Any) -> None:
    async with acting(app_role):
        await app_role.execute("UPDATE market_clock SET shift = interval '10 days'")
    async with refused("clock_goes_forward"), acting(app_role):
        await app_role.execute("UPDATE market_clock SET shift = interval '9 days'")
    async with refused("clock_within_reach"), acting(app_role):
        await app_role.execute("UPDATE market_clock SET shift = interval '51 years'")
    with pytest.raises(Exception, match="was not recorded"):
        await app_role.execute("UPDATE market_clock SET shift = interval '11 days'")
    for statement in ("DELETE FROM market_clock", "TRUNCATE market_clock"):
        async with not_granted():
            await app_role.execute(statement)
        async with refused("clock_stays"):
            await superuser.execute(statement)
    assert await app_role.fetchval("SELECT shift = interval '10 days' FROM market_clock")
