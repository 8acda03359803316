"""Drafting: who begins a tender, what a requirement and a timetable must be, who buys."""

import asyncio
import copy
import hashlib
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest
import rfc8785

from market.actor import Role
from tests.makers.bids import close_bidding
from tests.makers.clock import registrar
from tests.makers.suppliers import application, apply
from tests.makers.tenders import (
    approved_tender,
    assign,
    created_tender,
    drafted_tender,
    market_time,
    publish,
    published_tender,
    requirement_of,
    take_up,
)
from tests.makers.world import Person, World


async def lead_of(world: World, code: str = "06F") -> Person:
    return await world.person(
        "Lena Lead", await world.organisation(code), Role.PROCUREMENT_LEAD, Role.ADMINISTRATOR
    )


def kind(answer: httpx.Response) -> str:
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    return str(answer.json()["type"]).rpartition("/")[2]


def fields(answer: httpx.Response) -> list[str]:
    return [fault["field"] for fault in answer.json()["errors"]]


# -- beginning -------------------------------------------------------------------------------------


async def test_a_procurement_lead_begins_a_tender_and_manages_it(world: World) -> None:
    lead = await lead_of(world)
    answer = await lead.post("/tenders", {"title": "Medicines optimisation"})
    assert answer.status_code == 201, answer.text
    view = answer.json()
    assert answer.headers["etag"] == '"1"'
    assert re.fullmatch(r"CSM-20\d\d-[2-9A-HJKMNP-TV-Z]{6}", view["reference"])
    assert (view["status"], view["version"]) == ("draft", 1)
    assert (view["my_duties"], view["duties_to_take_up"]) == ([], ["tender_manager"])
    assert (await take_up(lead, view["id"])).status_code == 201
    taken = (await lead.get(f"/tenders/{view['id']}")).json()
    assert (taken["my_duties"], taken["duties_to_take_up"]) == (["tender_manager"], [])
    assert view["buyer"] == str(lead.organisation)
    assert [buyer["share"] for buyer in view["buyers"]] == ["100.00"]


async def test_the_same_key_begins_one_tender(world: World) -> None:
    lead = await lead_of(world)
    headers = {"Idempotency-Key": str(uuid4())}
    first = await lead.post("/tenders", {"title": "One"}, headers=headers)
    again = await lead.post("/tenders", {"title": "One"}, headers=headers)
    other = await lead.post("/tenders", {"title": "Two"}, headers=headers)
    assert (first.status_code, again.status_code, other.status_code) == (201, 201, 422)
    assert first.json() == again.json()
    assert again.headers["etag"] == '"1"'


@pytest.mark.parametrize(
    ("code", "role"),
    [
        ("06F", Role.COMMISSIONER),
        ("06F", Role.ADMINISTRATOR),
        ("06F", Role.AUDITOR),
        # a unit's own lead: a unit helps groups to buy, and does not buy itself
        ("0AD", Role.PROCUREMENT_LEAD),
    ],
)
async def test_nobody_else_begins_a_tender(world: World, code: str, role: Role) -> None:
    person = await world.person("Nora Nobody", await world.organisation(code), role)
    answer = await person.post("/tenders", {"title": "Mine"})
    assert (answer.status_code, kind(answer)) == (403, "forbidden")
    assert (await world.client.post("/api/v1/tenders", json={"title": "X"})).status_code == 401


async def test_somebody_who_acts_for_nobody_begins_no_tender(world: World) -> None:
    applied = await apply(world, body := application("A firm that is not admitted yet"))
    assert applied.status_code == 201, applied.text
    credentials = {field: body["applicant"][field] for field in ("email", "password")}
    session = (await world.client.post("/api/v1/sessions", json=credentials)).json()
    assert session["organisation"] is None
    headers = {"Authorization": f"Bearer {session['token']}", "Idempotency-Key": str(uuid4())}
    answer = await world.client.post("/api/v1/tenders", json={"title": "Mine"}, headers=headers)
    assert (answer.status_code, kind(answer)) == (403, "forbidden")
    mine = await world.client.get("/api/v1/tenders/mine", headers=headers)
    assert mine.json()["items"] == []


async def test_a_buyer_has_a_known_population_by_which_costs_are_shared(world: World) -> None:
    operator = await registrar(world)
    lead = await world.person("Lena", operator.organisation, Role.PROCUREMENT_LEAD)
    answer = await lead.post("/tenders", {"title": "Mine"})
    assert (answer.status_code, kind(answer)) == (403, "forbidden")
    assert "population" in answer.json()["detail"]


async def test_the_date_of_the_law_is_fixed_for_demonstrations_only(world: World) -> None:
    lead = await lead_of(world)
    body = {"title": "A rehearsal", "rule_set_date": "2020-09-01"}
    answer = await lead.post("/tenders", body)
    assert (answer.status_code, kind(answer)) == (409, "rule-set-date-refused")
    answer = await lead.post("/tenders", body | {"demonstration": True})
    assert (answer.status_code, answer.json()["rule_set_date"]) == (201, "2020-09-01")
    answer = await lead.post(
        "/tenders", body | {"demonstration": True, "rule_set_date": "2014-12-31"}
    )
    assert (answer.status_code, fields(answer)) == (400, ["rule_set_date"])


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"title": ""},
        {"title": " \t "},
        {"title": "a\x00b"},
        {"title": "x" * 201},
        {"title": 7},
        {"title": "Fine", "stage": "published"},
        {"title": "Fine", "demonstration": "yes"},
        {"title": "Fine", "rule_set_date": "2020-13-01"},
    ],
)
async def test_a_malformed_beginning_is_refused(world: World, body: dict[str, Any]) -> None:
    lead = await lead_of(world)
    answer = await lead.post("/tenders", body)
    assert (answer.status_code, kind(answer)) == (400, "malformed"), answer.text


# -- the requirement -------------------------------------------------------------------------------


async def drafted(world: World) -> tuple[Person, str, int]:
    lead = await lead_of(world)
    view = await created_tender(lead)
    return lead, f"/tenders/{view['id']}", view["version"]


async def test_whoever_edits_becomes_an_author(world: World) -> None:
    lead, path, version = await drafted(world)
    answer = await lead.put(f"{path}/requirement", requirement_of(1), version=version)
    assert answer.status_code == 200, answer.text
    assert answer.headers["etag"] == f'"{version + 1}"'
    view = (await lead.get(path)).json()
    assert view["my_duties"] == ["author", "tender_manager"]
    assert view["title"] == requirement_of(1)["title"]
    assert view["requirement"] == 1


async def test_the_digest_can_be_recomputed_by_anybody(world: World) -> None:
    tender = await published_tender(world)
    answer = (await world.public(f"{tender.path}/requirement")).json()
    assert answer["digest"] == hashlib.sha256(rfc8785.dumps(answer["content"])).hexdigest()
    versions = (await tender.manager.get(f"{tender.path}/requirement/versions")).json()
    assert [version["digest"] for version in versions] == [answer["digest"]]


async def test_every_version_is_kept_with_who_wrote_it(world: World) -> None:
    tender = await drafted_tender(world)
    changed = tender.requirement | {"description": "What we need, said better."}
    answer = await tender.author.put(f"{tender.path}/requirement", changed, version=tender.version)
    assert answer.json()["number"] == 2
    versions = (await tender.reviewer.get(f"{tender.path}/requirement/versions")).json()
    assert [version["number"] for version in versions] == [1, 2]
    assert {version["editor_name"] for version in versions} == {"Arthur Author"}
    first = await tender.reviewer.get(f"{tender.path}/requirement/versions/1")
    assert first.json()["content"]["description"] == tender.requirement["description"]
    assert (await tender.reviewer.get(f"{tender.path}/requirement/versions/3")).status_code == 404


Change = Callable[[dict[str, Any]], object]


def _first_lot(body: dict[str, Any]) -> dict[str, Any]:
    lot: dict[str, Any] = body["lots"][0]
    return lot


@pytest.mark.parametrize(
    ("change", "problem", "field"),
    [
        (
            lambda body: _first_lot(body)["criteria"][1].update(weight="19.99"),
            "requirement-faulty",
            "lots[0].criteria",
        ),
        (
            lambda body: _first_lot(body)["criteria"][1].update(weight=20),
            "malformed",
            "lots[0].criteria[1].weight",
        ),
        (
            lambda body: _first_lot(body)["criteria"][1].update(weight="2e1"),
            "malformed",
            "lots[0].criteria[1].weight",
        ),
        (
            lambda body: _first_lot(body)["price_items"][0].update(quantity="0"),
            "requirement-faulty",
            "lots[0].price_items[0].quantity",
        ),
        (
            lambda body: _first_lot(body).update(service_lines=["window-cleaning"]),
            "requirement-faulty",
            "lots[0].service_lines[0]",
        ),
        (lambda body: body.update(titel="x"), "malformed", None),
        (lambda body: _first_lot(body).update(numbre=1), "malformed", "lots[0].numbre"),
        (lambda body: body.update(title="a\x00b"), "malformed", "title"),
        (lambda body: body.update(lots=[]), "requirement-faulty", "lots"),
        (lambda body: body.update(scale=[]), "requirement-faulty", "scale"),
        (lambda body: body.update(approval_quorum=0), "malformed", "approval_quorum"),
        (
            lambda body: body["award_method"].update(name="cheapest"),
            "malformed",
            "award_method.name",
        ),
        (
            lambda body: _first_lot(body)["estimated_annual_value"].update(amount=250000.0),
            "malformed",
            "lots[0].estimated_annual_value.amount",
        ),
    ],
)
async def test_a_faulty_requirement_is_refused_with_the_place_of_the_fault(
    world: World, change: Change, problem: str, field: str | None
) -> None:
    lead, path, version = await drafted(world)
    body = copy.deepcopy(requirement_of(1))
    change(body)
    answer = await lead.put(f"{path}/requirement", body, version=version)
    assert (answer.status_code, kind(answer)) == (400, problem), answer.text
    assert field is None or field in fields(answer), answer.text
    assert (await lead.get(f"{path}/requirement")).status_code == 404
    assert (await lead.get(path)).json()["my_duties"] == ["tender_manager"]


async def test_all_faults_of_a_requirement_are_told_at_once(world: World) -> None:
    lead, path, version = await drafted(world)
    body = requirement_of(2, title=" ")
    body["lots"][0]["minimum_quality"] = "100.01"
    body["lots"][1]["price_items"] = []
    answer = await lead.put(f"{path}/requirement", body, version=version)
    assert fields(answer) == ["title", "lots[0].minimum_quality", "lots[1].price_items"]


async def test_an_edit_needs_the_version_that_was_read(world: World) -> None:
    lead, path, version = await drafted(world)
    body = requirement_of(1)
    without = await lead.put(f"{path}/requirement", body)
    assert (without.status_code, kind(without)) == (428, "precondition-missing")
    for wrong in ("7", "*", 'W/"1"', '"one"'):
        answer = await lead.put(f"{path}/requirement", body, headers={"If-Match": wrong})
        assert answer.status_code == 400, (wrong, answer.text)
    stale = await lead.put(f"{path}/requirement", body, version=version + 1)
    assert (stale.status_code, kind(stale)) == (412, "stale")


async def test_two_edits_of_one_version_do_not_both_succeed(world: World) -> None:
    lead, path, version = await drafted(world)
    bodies = [requirement_of(1, description=f"Version of writer {number}.") for number in range(4)]
    answers = await asyncio.gather(
        *(lead.put(f"{path}/requirement", body, version=version) for body in bodies)
    )
    assert sorted(answer.status_code for answer in answers) == [200, 412, 412, 412]
    assert len((await lead.get(f"{path}/requirement/versions")).json()) == 1


async def test_what_is_approved_or_closed_is_not_edited(world: World) -> None:
    tender = await approved_tender(world)
    answer = await tender.author.put(
        f"{tender.path}/requirement", tender.requirement, version=tender.version
    )
    assert (answer.status_code, kind(answer)) == (409, "requirement-settled")
    await publish(tender)
    await close_bidding(world, tender)
    answer = await tender.author.put(
        f"{tender.path}/requirement", tender.requirement, version=tender.version
    )
    assert (answer.status_code, kind(answer)) == (409, "requirement-settled")


async def test_a_reviewer_does_not_edit(world: World) -> None:
    tender = await drafted_tender(world)
    answer = await tender.reviewer.put(
        f"{tender.path}/requirement", tender.requirement, version=tender.version
    )
    assert (answer.status_code, kind(answer)) == (403, "duty-needed")


async def test_a_released_author_edits_no_more(world: World) -> None:
    tender = await drafted_tender(world)
    duties = (await tender.manager.get(f"{tender.path}/duties")).json()
    (held,) = [duty for duty in duties if duty["duty"] == "author"]
    released = await tender.manager.delete(f"{tender.path}/duties/{held['id']}")
    assert released.status_code == 200, released.text
    answer = await tender.author.put(
        f"{tender.path}/requirement", tender.requirement, version=tender.version
    )
    assert (answer.status_code, kind(answer)) == (403, "duty-needed")


# -- the timetable ---------------------------------------------------------------------------------


async def timetable_of(world: World, **changes: Any) -> dict[str, Any]:
    now = await market_time(world)
    return {
        "clarifications_until": (now + timedelta(days=30)).isoformat(),
        "deadline": (now + timedelta(days=40)).isoformat(),
        "contract_starts": (now + timedelta(days=120)).date().isoformat(),
    } | changes


async def test_a_timetable_can_change_until_publication(world: World) -> None:
    tender = await published_tender(world)
    body = await timetable_of(world)
    answer = await tender.manager.put(f"{tender.path}/timetable", body, version=tender.version)
    assert (answer.status_code, kind(answer)) == (409, "transition-refused")
    assert "published" in answer.json()["detail"]


async def test_only_the_manager_sets_the_timetable(world: World) -> None:
    tender = await drafted_tender(world)
    body = await timetable_of(world)
    answer = await tender.author.put(f"{tender.path}/timetable", body, version=tender.version)
    assert (answer.status_code, kind(answer)) == (403, "duty-needed")


@pytest.mark.parametrize(
    ("changes", "problem", "field"),
    [
        ({"deadline": "2030-01-01T12:00:00"}, "malformed", "deadline"),
        ({"deadline": "tomorrow"}, "malformed", "deadline"),
        ({"deadline": "2020-01-01T12:00:00Z"}, "timetable-faulty", "deadline"),
        ({"deadline": "0001-01-01T00:00:00+23:59"}, "timetable-faulty", "deadline"),
        ({"deadline": "9999-12-31T23:59:59-23:59"}, "timetable-faulty", "deadline"),
        (
            {"clarifications_until": "2020-01-01T12:00:00Z"},
            "timetable-faulty",
            "clarifications_until",
        ),
        (
            {"clarifications_until": "9999-12-31T23:59:59-23:59"},
            "timetable-faulty",
            "clarifications_until",
        ),
        ({"contract_starts": "2020-01-01"}, "timetable-faulty", "contract_starts"),
        ({"contract_starts": "9999-12-31"}, "timetable-faulty", "contract_starts"),
        ({"contract_starts": "2030-02-30"}, "malformed", "contract_starts"),
        ({"opened": True}, "malformed", None),
    ],
)
async def test_a_faulty_timetable_is_refused(
    world: World, changes: dict[str, Any], problem: str, field: str | None
) -> None:
    lead, path, version = await drafted(world)
    body = await timetable_of(world, **changes)
    answer = await lead.put(f"{path}/timetable", body, version=version)
    assert (answer.status_code, kind(answer)) == (400, problem), answer.text
    assert field is None or field in fields(answer), answer.text


# -- joint buying ----------------------------------------------------------------------------------


async def test_costs_are_shared_by_population_and_add_up_to_a_hundred(world: World) -> None:
    lead, path, version = await drafted(world)
    for number, code in enumerate(("06P", "04F")):
        body = {"organisation": str(await world.organisation(code))}
        answer = await lead.post(f"{path}/buyers", body, version=version + number)
        assert answer.status_code == 200, answer.text
    buyers = answer.json()["buyers"]
    assert len(buyers) == 3
    assert sum(round(float(buyer["share"]) * 100) for buyer in buyers) == 10_000
    largest = max(buyers, key=lambda buyer: buyer["population"])
    assert largest["share"] == max((buyer["share"] for buyer in buyers), key=float)


async def test_only_organisations_that_buy_join_and_each_once(world: World) -> None:
    lead, path, version = await drafted(world)

    async def join(organisation: object) -> httpx.Response:
        body = {"organisation": str(organisation)}
        return await lead.post(f"{path}/buyers", body, version=version)

    unit = await join(await world.organisation("0AD"))
    assert (unit.status_code, kind(unit)) == (409, "cannot-buy")
    twice = await join(lead.organisation)
    assert (twice.status_code, kind(twice)) == (409, "buys-already")
    unknown = await join(uuid4())
    assert unknown.status_code == 404


async def test_buyers_join_drafts_only(world: World) -> None:
    tender = await published_tender(world)
    body = {"organisation": str(await world.organisation("04F"))}
    answer = await tender.manager.post(f"{tender.path}/buyers", body, version=tender.version)
    assert (answer.status_code, kind(answer)) == (409, "buyers-settled")


async def test_a_joint_buyer_s_people_see_the_draft(world: World) -> None:
    lead, path, version = await drafted(world)
    luton = await world.organisation("06P")
    other = await world.person("Cora Colleague", luton, Role.COMMISSIONER)
    assert (await other.get(path)).status_code == 404
    await lead.post(f"{path}/buyers", {"organisation": str(luton)}, version=version)
    assert (await other.get(path)).status_code == 200


# -- an edit against an assignment -----------------------------------------------------------------


async def test_an_edit_racing_a_duty_that_no_author_may_hold_is_decided_once(
    world: World,
) -> None:
    bedfordshire = await world.organisation("06F")
    for number in range(20):
        editor = await world.person(f"Ed {number}", bedfordshire, Role.PROCUREMENT_LEAD)
        path = f"/tenders/{(await created_tender(editor))['id']}"
        acts = [
            editor.put(f"{path}/requirement", requirement_of(1), version=1),
            assign(editor, path.rpartition("/")[2], editor, "opener"),
        ]
        if number % 2:
            acts.reverse()
        answers = await asyncio.gather(*acts)
        assert sorted(answer.status_code for answer in answers) in ([200, 403], [201, 403])
        (refused,) = [answer for answer in answers if answer.status_code == 403]
        assert kind(refused) == "duty-clash"
        held = set((await editor.get(path)).json()["my_duties"])
        assert held in ({"tender_manager", "author"}, {"tender_manager", "opener"})
