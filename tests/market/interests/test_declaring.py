"""Interests are declared, corrected and ended over HTTP; every version stays on record."""

import asyncio
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from market.actor import Role
from market.interests.rules.dates import LONDON
from tests.makers.interests import INTEREST, Body, body_with_registers, declared
from tests.makers.suppliers import admitted_supplier
from tests.makers.world import Person, World

TODAY = datetime.now(LONDON).date()


def _fields(answer: Any) -> list[str]:
    assert answer.status_code == 400, answer.text
    assert answer.headers["Content-Type"].startswith("application/problem+json")
    return [fault["field"] for fault in answer.json()["errors"]]


async def _declare(body: Body, by: Person, **changes: Any) -> Any:
    sent = {key: value for key, value in (INTEREST | changes).items() if value is not None}
    return await by.post(f"{body.path}/interests", sent)


async def test_a_declaration_records_what_the_form_asks_for(world: World) -> None:
    body = await body_with_registers(world)
    view = await declared(
        body.member,
        identifier={"scheme": "GB-COH", "value": "1234567"},
        line_manager=str(body.colleague.id),
    )
    assert view["name"] == "Mia Member"
    assert view["positions"] == ["commissioner"]
    assert (view["scheme"], view["identifier"]) == ("GB-COH", "01234567")
    assert view["share"] == "12.5"
    assert view["entered_by"] == str(body.member.id)
    assert view["declare_by"] == "2019-04-29"
    assert view["late_by_days"] == (TODAY - date(2019, 4, 29)).days
    assert view["publication"] == "published"
    mine = (await body.member.get("/me/interests")).json()["items"]
    assert mine == [view]


@pytest.mark.parametrize(("days", "late"), [(0, 0), (28, 0), (29, 1)])
async def test_a_declaration_is_in_time_for_28_days_and_accepted_when_late(
    world: World, days: int, late: int
) -> None:
    body = await body_with_registers(world)
    aware = (TODAY - timedelta(days=days)).isoformat()
    view = await declared(body.member, aware_on=aware)
    assert view["late_by_days"] == late


async def test_the_same_request_again_declares_once(world: World) -> None:
    body = await body_with_registers(world)
    key = {"Idempotency-Key": "6a4c1d0e-0b56-4a3c-9e5e-3f7b7f8a2c11"}
    answers = [
        await body.member.post(f"{body.path}/interests", INTEREST, headers=key) for _ in range(2)
    ]
    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[0].json() == answers[1].json()
    assert len((await body.member.get("/me/interests")).json()["items"]) == 1


async def test_a_counterparty_the_market_knows_is_linked_by_its_identifier(world: World) -> None:
    body = await body_with_registers(world)
    supplier = await admitted_supplier(world, "Echo Data")
    found = (await world.public(f"/organisations/{supplier.organisation}")).json()
    identifier = found["identifiers"][0]
    view = await declared(
        body.member,
        counterparty="Echo, as we call it",
        identifier={"scheme": identifier["scheme"], "value": identifier["identifier"]},
    )
    assert view["organisation"] == str(supplier.organisation)
    assert view["counterparty"] == "Echo, as we call it"
    named = await declared(body.member, counterparty=None, organisation=str(supplier.organisation))
    assert named["counterparty"] == "Echo Data"


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({"aware_on": "2190-01-01"}, ["aware_on"]),
        ({"aware_on": "1066-10-14"}, ["aware_on"]),
        ({"starts_on": "9999-12-31"}, ["starts_on"]),
        ({"ends_on": "2018-01-01"}, ["ends_on"]),
        ({"kind": "indirect"}, ["associate"]),
        ({"associate": "spouse or partner"}, ["associate"]),
        ({"kind": "indirect", "associate": "   "}, ["associate"]),
        ({"kind": "non_financial_personal"}, ["share"]),
        ({"kind": "non_financial_professional"}, ["share"]),
        ({"share": "0"}, ["share"]),
        ({"share": "-1"}, ["share"]),
        ({"share": "100.000001"}, ["share"]),
        ({"counterparty": None}, ["counterparty"]),
        ({"counterparty": " "}, ["counterparty"]),
        (
            {"organisation": "5f0c2a5e-2b0c-4d7a-9d7e-0d3f4f6b1c11"},
            ["counterparty", "organisation"],
        ),
        (
            {"counterparty": None, "organisation": "5f0c2a5e-2b0c-4d7a-9d7e-0d3f4f6b1c11"},
            ["organisation"],
        ),
        ({"identifier": {"scheme": "GB-COH", "value": "nonsense"}}, ["identifier.value"]),
        ({"consents": False}, ["consent_refused_because"]),
        ({"consent_refused_because": "No."}, ["consent_refused_because"]),
        ({"accurate": False}, ["accurate"]),
        (
            {"share": "0", "accurate": False, "aware_on": "2190-01-01"},
            ["aware_on", "share", "accurate"],
        ),
    ],
)
async def test_everything_wrong_with_a_declaration_is_said_at_once(
    world: World, changes: dict[str, Any], fields: list[str]
) -> None:
    body = await body_with_registers(world)
    assert _fields(await _declare(body, body.member, **changes)) == fields
    assert (await body.member.get("/me/interests")).json()["items"] == []


@pytest.mark.parametrize(
    "changes",
    [
        {"nature": "x" * 4001},
        {"nature": ""},
        {"nature": "a\x00b"},
        {"nature": "a\u202eb"},
        {"counterparty": "a\nb"},
        {"counterparty": "a\x1bb"},
        {"counterparty": "x" * 301},
        {"business": "\u2028"},
        {"share": 12.5},
        {"share": "12.5e1"},
        {"share": "1" * 400},
        {"kind": "friendly"},
        {"relationship": ""},
        {"aware_on": "yesterday"},
        {"aware_on": "2019-02-30"},
        {"aware_on": 1554076800},
        {"consents": "true"},
        {"organisation": "somebody"},
        {"surprise": True},
        {"identifier": {"scheme": "GB-XYZ", "value": "1"}},
    ],
)
async def test_what_is_not_of_the_form_is_refused_with_its_place(
    world: World, changes: dict[str, Any]
) -> None:
    body = await body_with_registers(world)
    assert len(_fields(await _declare(body, body.member, **changes))) == 1


async def test_nobody_declares_for_another_but_the_guardian(world: World) -> None:
    body = await body_with_registers(world)
    refused = await _declare(body, body.colleague, person=str(body.member.id))
    assert refused.status_code == 403
    assert "guardian" in refused.json()["detail"]
    entered = await _declare(body, body.guardian, person=str(body.member.id))
    assert entered.status_code == 201
    assert entered.json()["entered_by"] == str(body.guardian.id)
    assert entered.json()["person"] == str(body.member.id)
    stranger = await world.person("Sue Other", await world.organisation("06P"), Role.COMMISSIONER)
    for person, about in ((stranger, None), (body.guardian, str(stranger.id))):
        answer = await _declare(body, person, person=about)
        assert answer.status_code == (403 if about is None else 409), answer.text


async def test_a_register_is_kept_by_those_who_buy_or_help_to(world: World) -> None:
    supplier = await admitted_supplier(world, "Echo Data")
    path = f"/organisations/{supplier.organisation}"
    assert (await supplier.post(f"{path}/interests", INTEREST)).status_code == 404
    assert (await world.public(f"{path}/register-of-interests")).status_code == 404
    nowhere = "/organisations/00000000-0000-4000-8000-000000000000/register-of-interests"
    assert (await world.public(nowhere)).status_code == 404


async def test_the_line_manager_is_another_member(world: World) -> None:
    body = await body_with_registers(world)
    stranger = await world.person("Sue Other", await world.organisation("06P"), Role.COMMISSIONER)
    for manager in (body.member.id, stranger.id, "00000000-0000-4000-8000-000000000000"):
        answer = await _declare(body, body.member, line_manager=str(manager))
        assert answer.status_code == 409, answer.text


async def test_a_correction_supersedes_and_keeps_what_it_corrects(world: World) -> None:
    body = await body_with_registers(world)
    first = await declared(body.member)
    path = f"/interests/{first['id']}/corrections"
    corrected = await body.member.post(path, INTEREST | {"share": "15"})
    assert corrected.status_code == 201, corrected.text
    second = corrected.json()
    assert (second["supersedes"], second["share"]) == (first["id"], "15")
    again = await body.member.post(path, INTEREST | {"share": "16"})
    assert (again.status_code, again.json()["type"]) == (409, "/problems/corrected-already")
    history = (await body.member.get(f"/interests/{second['id']}")).json()["versions"]
    assert [one["share"] for one in history] == ["12.5", "15"]
    assert history[0]["superseded_by"] == second["id"]
    register = (await world.public(f"{body.path}/register-of-interests")).json()["items"]
    assert [one["share"] for one in register] == ["15"]


async def test_of_two_corrections_at_once_one_stands(world: World) -> None:
    body = await body_with_registers(world)
    first = await declared(body.member)
    path = f"/interests/{first['id']}/corrections"
    answers = await asyncio.gather(
        *(body.member.post(path, INTEREST | {"share": str(share)}) for share in range(1, 5))
    )
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409]
    assert {a.json()["type"] for a in answers if a.status_code == 409} == {
        "/problems/corrected-already"
    }
    register = (await world.public(f"{body.path}/register-of-interests")).json()["items"]
    assert len(register) == 1


async def test_a_correction_and_an_ending_at_once_never_end_what_was_corrected(
    world: World, superuser: Any
) -> None:
    body = await body_with_registers(world)
    for _ in range(6):
        first = await declared(body.member)
        ending, correction = await asyncio.gather(
            body.member.post(f"/interests/{first['id']}/ending", {"ended_on": "2020-01-01"}),
            body.member.post(f"/interests/{first['id']}/corrections", INTEREST),
        )
        assert correction.status_code == 201
        assert ending.status_code in {201, 409}
        order = await superuser.fetchrow(
            "SELECT e.recorded_at, i.declared_at FROM interest i LEFT JOIN interest_ending e"
            " ON e.interest = i.supersedes WHERE i.supersedes = $1",
            first["id"],
        )
        ended_first = order["recorded_at"] is not None
        assert ended_first == (ending.status_code == 201)
        assert not ended_first or order["recorded_at"] <= order["declared_at"]


async def test_an_interest_ends_once_on_a_day_from_its_start_to_today(world: World) -> None:
    body = await body_with_registers(world)
    view = await declared(body.member)
    path = f"/interests/{view['id']}/ending"
    tomorrow = (TODAY + timedelta(days=1)).isoformat()
    for day in ("2019-03-31", tomorrow, "0001-01-01"):
        assert "ended_on" in _fields(await body.member.post(path, {"ended_on": day}))
    answers = await asyncio.gather(
        *(body.member.post(path, {"ended_on": "2019-04-01"}) for _ in range(3))
    )
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409]
    assert (await body.member.get("/me/interests")).json()["items"][0]["ended_on"] == "2019-04-01"


async def test_what_the_guardian_entered_is_corrected_and_ended_by_a_guardian(
    world: World,
) -> None:
    body = await body_with_registers(world)
    entered = (await _declare(body, body.guardian, person=str(body.member.id))).json()
    path = f"/interests/{entered['id']}"
    for act, sent in (("corrections", INTEREST), ("ending", {"ended_on": "2020-01-01"})):
        refused = await body.member.post(f"{path}/{act}", sent)
        assert (refused.status_code, refused.json()["type"]) == (403, "/problems/guardians-entry")
    corrected = await body.guardian.post(f"{path}/corrections", INTEREST)
    assert corrected.status_code == 201
    ended = await body.guardian.post(
        f"/interests/{corrected.json()['id']}/ending", {"ended_on": "2020-01-01"}
    )
    assert ended.status_code == 201


async def test_nobody_else_knows_of_an_interest_by_its_id(world: World) -> None:
    body = await body_with_registers(world)
    view = await declared(body.member)
    path = f"/interests/{view['id']}"
    for other in (body.colleague, body.lay_member, body.administrator):
        assert (await other.get(path)).status_code == 404
        assert (await other.post(f"{path}/corrections", INTEREST)).status_code == 404
        assert (await other.post(f"{path}/ending", {"ended_on": "2020-01-01"})).status_code == 404
    assert (await body.auditor.get(path)).status_code == 200
    refused = await body.auditor.post(f"{path}/ending", {"ended_on": "2020-01-01"})
    assert refused.status_code == 403


async def test_what_is_done_is_recorded_by_guardian_or_line_manager_never_by_the_holder(
    world: World,
) -> None:
    body = await body_with_registers(world)
    view = await declared(body.member, line_manager=str(body.colleague.id))
    path = f"/interests/{view['id']}/mitigations"
    what = {"what": "Leaves for items about informatics.", "agreed_with": str(body.colleague.id)}
    own = await body.member.post(path, what)
    assert (own.status_code, own.json()["type"]) == (403, "/problems/not-yours-to-mitigate")
    assert (await body.auditor.post(path, what)).status_code == 403
    assert (await body.lay_member.post(path, what)).status_code == 404
    with_holder = await body.guardian.post(path, what | {"agreed_with": str(body.member.id)})
    assert with_holder.json()["type"] == "/problems/not-agreed-with-another"
    assert "what" in _fields(await body.guardian.post(path, what | {"what": "  "}))
    assert (await body.colleague.post(path, what)).status_code == 201
    corrected = (await body.member.post(f"/interests/{view['id']}/corrections", INTEREST)).json()
    # the correction no longer names a line manager, and what was agreed goes on
    assert [one["what"] for one in corrected["mitigations"]] == [what["what"]]
    later = f"/interests/{corrected['id']}/mitigations"
    assert (await body.colleague.post(later, what)).status_code == 404
    assert (await body.guardian.post(later, what | {"what": "And the next."})).status_code == 201
    register = (await world.public(f"{body.path}/register-of-interests")).json()["items"]
    assert register[0]["actions"] == [what["what"], "And the next."]


async def test_one_s_own_list_comes_in_pages_the_latest_first(world: World) -> None:
    body = await body_with_registers(world)
    for number in range(5):
        await declared(body.member, nature=f"Number {number}")
    first = (await body.member.get("/me/interests?limit=3")).json()
    rest = (await body.member.get(f"/me/interests?limit=3&cursor={first['next']}")).json()
    seen = [one["nature"] for one in first["items"] + rest["items"]]
    assert seen == [f"Number {number}" for number in reversed(range(5))]
    assert rest["next"] is None
    assert (await body.member.get("/me/interests?cursor=!")).status_code == 400
