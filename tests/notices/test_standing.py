"""Notices about standing in the market: applications to supply, and the registers of interests."""

from datetime import timedelta

import pytest

from market.interests.rules.dates import DAYS_TO_DECLARE, london_date
from tests.makers.clock import advance_to, registrar
from tests.makers.interests import REFUSED, body_with_registers, declared, offered
from tests.makers.noticing import Noticing, each, told
from tests.makers.suppliers import admitted_supplier, application, apply, decide
from tests.makers.tenders import market_time
from tests.makers.world import World

CONFIRMED = {"nothing_to_declare": True, "accurate": True}


async def _days(world: World, days: int) -> None:
    await advance_to(world, await market_time(world) + timedelta(days=days))


@pytest.mark.parametrize("outcome", ["admitted", "refused"])
async def test_an_application_waits_for_the_registrar_and_its_decision_for_the_applicant(
    world: World, notices: Noticing, outcome: str
) -> None:
    keeper = await registrar(world)
    applied = (await apply(world, application("Newcomer Analytics"))).json()
    waiting = await notices.catch_up()
    assert told(waiting) == each("application-waiting", keeper)
    await decide(keeper, applied["id"], outcome, "A telling reason.")
    fresh = await notices.catch_up()
    assert [(one.kind, str(one.person)) for one in fresh] == [
        ("application-decided", applied["applicant"]["id"])
    ]
    assert fresh[0].facts["admitted"] is (outcome == "admitted")
    assert str(fresh[0].organisation) == applied["organisation"]["id"]
    assert "telling" not in str(fresh)


async def test_an_application_that_was_decided_meanwhile_waits_for_nobody(
    world: World, notices: Noticing
) -> None:
    await admitted_supplier(world, "Newcomer Analytics")
    assert [one.kind for one in await notices.catch_up()] == ["application-decided"]


async def test_members_are_told_before_their_confirmation_is_due_and_once_when_it_is_late(
    world: World, notices: Noticing
) -> None:
    body = await body_with_registers(world)
    everybody = (
        body.member,
        body.colleague,
        body.guardian,
        body.auditor,
        body.lay_member,
        body.administrator,
    )
    kind = "confirmation-of-interests-due"
    await _days(world, 12)
    assert told(await notices.catch_up(), kind) == []
    await _days(world, 3)
    soon = await notices.catch_up()
    mine = {person.id for person in everybody}
    assert {one.person for one in soon if one.kind == kind} >= mine
    assert [one for one in soon if one.facts["late"]] == []
    assert told(await notices.catch_up()) == []
    confirmed = await body.member.post("/me/interest-confirmations", CONFIRMED)
    assert confirmed.status_code == 201, confirmed.text
    await _days(world, 12)
    assert told(await notices.catch_up(), kind) == []
    await _days(world, 4)
    late = {one.person for one in await notices.catch_up() if one.kind == kind}
    assert late & mine == mine - {body.member.id}
    await _days(world, 5)
    assert told(await notices.catch_up(), kind) == []


async def test_a_confirmation_is_due_again_after_a_year(world: World, notices: Noticing) -> None:
    body = await body_with_registers(world)
    await body.member.post("/me/interest-confirmations", CONFIRMED)
    kind = "confirmation-of-interests-due"
    for days, due in ((345, False), (10, True), (5, False)):
        await _days(world, days)
        told_now = {one.person for one in await notices.catch_up() if one.kind == kind}
        assert (body.member.id in told_now) is due, days


async def test_no_register_no_confirmation(world: World, notices: Noticing) -> None:
    supplier = await admitted_supplier(world, "Fenland Data")
    for _ in range(4):
        await _days(world, 10)
        fresh = await notices.catch_up()
        assert supplier.id not in {
            one.person for one in fresh if one.kind == "confirmation-of-interests-due"
        }


async def test_the_guardian_is_told_each_month_how_many_are_late_and_not_who(
    world: World, notices: Noticing
) -> None:
    body = await body_with_registers(world)
    await notices.catch_up()
    counted, months = [], set()
    for step in range(1, 13):
        await _days(world, 10)
        if step * 10 > DAYS_TO_DECLARE:
            months.add(f"{london_date(await market_time(world)):%Y-%m}")
        counted += [
            (one.person, one.facts["late"], one.key.partition("/")[2])
            for one in await notices.catch_up()
            if one.kind == "confirmations-overdue"
        ]
    assert counted == [(body.guardian.id, 6, month) for month in sorted(months)]
    due = await body.guardian.get(f"{body.path}/interest-confirmations-due")
    late = [item for item in due.json()["items"] if item["late_by_days"] > 0]
    assert len(late) == 6


async def test_a_refusal_to_publish_waits_for_a_guardian_who_is_told_no_more_than_that(
    world: World, notices: Noticing
) -> None:
    body = await body_with_registers(world)
    await declared(body.member)
    await offered(body.member)
    assert told(await notices.catch_up(), "consent-to-decide") == []
    await declared(body.member, **REFUSED)
    await offered(body.member, **REFUSED)
    fresh = await notices.catch_up()
    assert told(fresh) == [*each("consent-to-decide", body.guardian)] * 2
    assert [one.facts["gift"] for one in fresh] == [False, True]
    assert not [word for word in ("Delta", "Mia", "somebody find us") if word in str(fresh)]
    await declared(body.guardian, **REFUSED)
    assert await notices.catch_up() == []
