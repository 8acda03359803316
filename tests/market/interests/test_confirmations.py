"""Everybody confirms their interests: after joining, then every year; who owes one is listed."""

import asyncio
from datetime import datetime, timedelta
from typing import Any

from market.actor import Role
from market.interests.rules.dates import LONDON, months_after
from tests.makers.clock import advance_to
from tests.makers.interests import INTEREST, Body, body_with_registers, declared
from tests.makers.suppliers import admitted_supplier
from tests.makers.world import Person, World

NIL = {"nothing_to_declare": True, "accurate": True}
SOME = {"nothing_to_declare": False, "accurate": True}


async def _confirm(person: Person, sent: dict[str, Any]) -> Any:
    return await person.post("/me/interest-confirmations", sent)


async def _due(body: Body, reader: Person, query: str = "") -> list[dict[str, Any]]:
    answer = await reader.get(f"{body.path}/interest-confirmations-due{query}")
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


async def test_a_new_member_confirms_within_28_days_then_every_year(world: World) -> None:
    body = await body_with_registers(world)
    today = datetime.now(LONDON).date()
    state = (await body.member.get("/me/interest-confirmation")).json()
    assert state == {
        "person": str(body.member.id),
        "organisation": str(body.id),
        "joined_on": today.isoformat(),
        "confirmed_at": None,
        "nothing_to_declare": None,
        "due_on": (today + timedelta(days=28)).isoformat(),
        "late_by_days": 0,
    }
    confirmed = await _confirm(body.member, NIL)
    assert confirmed.status_code == 201, confirmed.text
    assert confirmed.json()["due_on"] == months_after(today, 12).isoformat()
    assert (await body.member.get("/me/interest-confirmation")).json() == confirmed.json()


async def test_who_owes_a_confirmation_is_listed_with_since_when_and_how_late(
    world: World,
) -> None:
    body = await body_with_registers(world)
    today = datetime.now(LONDON).date()
    assert await _due(body, body.guardian) == []
    assert len(await _due(body, body.guardian, "?within_days=28")) == 6
    assert await _due(body, body.guardian, "?within_days=27") == []
    await _confirm(body.member, NIL)
    late = today + timedelta(days=30)
    await advance_to(world, datetime(late.year, late.month, late.day, 12, tzinfo=LONDON))
    for reader in (body.guardian, body.administrator, body.auditor):
        owing = await _due(body, reader)
        names = ["Ada Admin", "Aud Auditor", "Cy Colleague", "Gil Guardian", "Lou Lay"]
        assert [one["name"] for one in owing] == names
    assert owing[0] == {
        "person": str(body.administrator.id),
        "name": "Ada Admin",
        "joined_on": today.isoformat(),
        "confirmed_on": None,
        "due_on": (today + timedelta(days=28)).isoformat(),
        "late_by_days": 2,
    }
    first = (await body.guardian.get(f"{body.path}/interest-confirmations-due?limit=3")).json()
    rest = await _due(body, body.guardian, f"?limit=3&cursor={first['next']}")
    assert [one["name"] for one in first["items"] + rest] == names
    for person in (body.member, body.lay_member):
        answer = await person.get(f"{body.path}/interest-confirmations-due")
        assert answer.status_code == 403


async def test_nothing_to_declare_is_said_only_by_who_has_nothing_on_the_register(
    world: World,
) -> None:
    body = await body_with_registers(world)
    refused = await _confirm(body.member, SOME)
    assert refused.json()["type"] == "/problems/confirmation-contradicted"
    view = await declared(body.member)
    refused = await _confirm(body.member, NIL)
    assert (refused.status_code, refused.json()["type"]) == (
        409,
        "/problems/confirmation-contradicted",
    )
    assert (await _confirm(body.member, SOME)).status_code == 201
    today = datetime.now(LONDON).date().isoformat()
    await body.member.post(f"/interests/{view['id']}/ending", {"ended_on": today})
    assert (await _confirm(body.member, SOME)).status_code == 409
    assert (await _confirm(body.member, NIL)).status_code == 201


async def test_a_nil_confirmation_racing_a_declaration_is_true_when_it_is_made(
    world: World, superuser: Any
) -> None:
    body = await body_with_registers(world)
    for number in range(8):
        person = await world.person(f"Racer {number}", body.id, Role.COMMISSIONER)
        confirmation, declaration = await asyncio.gather(
            _confirm(person, NIL), person.post(f"{body.path}/interests", INTEREST)
        )
        assert declaration.status_code == 201
        assert confirmation.status_code in {201, 409}
        if confirmation.status_code == 201:
            assert await superuser.fetchval(
                "SELECT c.confirmed_at < i.declared_at FROM interest_confirmation c"
                " JOIN interest i ON i.person = c.person WHERE c.person = $1",
                person.id,
            )


async def test_a_confirmation_says_that_it_is_accurate_and_is_made_where_there_is_a_register(
    world: World,
) -> None:
    body = await body_with_registers(world)
    refused = await _confirm(body.member, NIL | {"accurate": False})
    assert refused.status_code == 400
    assert refused.json()["errors"][0]["field"] == "accurate"
    supplier = await admitted_supplier(world, "Echo Data")
    assert (await _confirm(supplier, NIL)).status_code == 404
    assert (await supplier.get("/me/interest-confirmation")).status_code == 404
