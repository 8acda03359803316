"""Gifts and hospitality: declared, measured by the edition of the day, reviewed, published."""

import asyncio
from datetime import datetime, timedelta
from typing import Any

import pytest

from market.interests.rules.dates import LONDON, months_after
from tests.makers.clock import advance_to
from tests.makers.interests import GIFT, REFUSED, Body, body_with_registers, offered
from tests.makers.world import Person, World

APPROVED = {"approves": True, "comment": "In order."}


async def _register(world: World, body: Body) -> list[dict[str, Any]]:
    answer = await world.public(f"{body.path}/register-of-gifts")
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


async def _recent(person: Person, **changes: Any) -> dict[str, Any]:
    today = datetime.now(LONDON).date().isoformat()
    return await offered(person, **({"offered_on": today, "received_on": today} | changes))


async def test_an_offer_is_declared_and_measured_by_the_edition_of_its_day(world: World) -> None:
    body = await body_with_registers(world)
    view = await offered(body.member)
    assert (view["edition"], view["expectation"]) == ("2017", "accept_and_declare")
    assert view["value"] == {"amount": "32.50", "currency": "GBP"}
    assert view["departure"] is None
    earlier = await offered(body.member, offered_on="2016-07-01", received_on=None)
    assert (earlier["edition"], earlier["departure"]) == ("2016", "without_senior_approval")
    before = await offered(body.member, offered_on="2015-07-01", received_on=None)
    assert (before["edition"], before["expectation"]) == (None, "none_in_force")
    mine = (await body.member.get("/me/gifts")).json()["items"]
    assert [one["id"] for one in mine] == [before["id"], earlier["id"], view["id"]]


async def test_what_departs_from_the_guidance_is_entered_and_marked(world: World) -> None:
    body = await body_with_registers(world)
    marked: dict[str, dict[str, Any]] = {
        "should_have_been_declined": {"kind": "gift"},
        "accepted_personally": {"kind": "gift", "source": "other", "value": {"amount": "50.01"}},
        "without_senior_approval": {"value": {"amount": "75.01"}},
    }
    for departure, changes in marked.items():
        view = await offered(body.member, **changes)
        assert view["departure"] == departure
        declined = await offered(body.member, **changes, accepted=False, received_on=None)
        assert declined["departure"] is None
    ours = await offered(
        body.member, **marked["accepted_personally"], on_behalf_of_organisation=True
    )
    assert ours["departure"] is None


async def test_senior_approval_is_given_by_another_person(world: World) -> None:
    body = await body_with_registers(world)
    view = await offered(body.member, value={"amount": "80"})
    path = f"/gifts/{view['id']}/review"
    assert (await body.member.post(path, APPROVED)).status_code == 403
    assert (await body.auditor.post(path, APPROVED)).status_code == 403
    assert (await body.colleague.post(path, APPROVED)).status_code == 404
    assert (await body.guardian.post(path, APPROVED | {"comment": " "})).status_code == 400
    answers = await asyncio.gather(
        body.lay_member.post(path, APPROVED), body.guardian.post(path, APPROVED)
    )
    assert sorted(answer.status_code for answer in answers) == [201, 409]
    approved = (await body.lay_member.get(f"/gifts/{view['id']}")).json()
    assert (approved["departure"], approved["review"]["approves"]) == (None, True)
    own = await offered(body.lay_member, value={"amount": "80"})
    assert (await body.lay_member.post(f"/gifts/{own['id']}/review", APPROVED)).status_code == 403
    entered = await offered(body.guardian, person=str(body.member.id), value={"amount": "80"})
    by_enterer = await body.guardian.post(f"/gifts/{entered['id']}/review", APPROVED)
    assert by_enterer.json()["type"] == "/problems/not-yours-to-review"
    refusal = await body.lay_member.post(
        f"/gifts/{entered['id']}/review", {"approves": False, "comment": "Too much."}
    )
    assert refusal.json()["departure"] == "without_senior_approval"


async def test_a_correction_supersedes_and_is_reviewed_again(world: World) -> None:
    body = await body_with_registers(world)
    view = await _recent(body.member, value={"amount": "80"})
    await body.lay_member.post(f"/gifts/{view['id']}/review", APPROVED)
    path = f"/gifts/{view['id']}/corrections"
    assert (await body.lay_member.post(path, GIFT)).status_code == 403
    corrected = await body.member.post(path, GIFT | {"value": {"amount": "90"}})
    assert corrected.status_code == 201, corrected.text
    assert corrected.json()["departure"] == "without_senior_approval"
    for again in (
        await body.member.post(path, GIFT),
        await body.guardian.post(f"/gifts/{view['id']}/review", APPROVED),
    ):
        assert again.json()["type"] == "/problems/corrected-already"
    assert [one["id"] for one in await _register(world, body)] == [corrected.json()["id"]]


async def test_earlier_offers_of_the_same_offeror_are_counted_by_the_market(world: World) -> None:
    body = await body_with_registers(world)
    first = await _recent(body.member, offered_on="2018-03-14", received_on="2018-03-14")
    second = await _recent(body.member, offeror=" delta data LIMITED")
    await _recent(body.member, offeror="Somebody else")
    await _recent(body.colleague)
    third = await _recent(body.member)
    assert [one["previous_offers"] for one in (first, second, third)] == [0, 1, 2]
    corrected = await body.member.post(f"/gifts/{second['id']}/corrections", GIFT)
    assert corrected.json()["previous_offers"] == 1
    again = (await body.member.get(f"/gifts/{third['id']}")).json()
    assert again["previous_offers"] == 2
    shown = {one["id"]: one["previous_offers"] for one in await _register(world, body)}
    assert shown[third["id"]] == 2


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({"offered_on": "2190-01-01", "received_on": None}, ["offered_on"]),
        ({"received_on": "2190-01-01"}, ["received_on"]),
        ({"received_on": "2018-03-13"}, ["received_on"]),
        ({"accepted": False}, ["received_on"]),
        (
            {"accepted": False, "received_on": None, "on_behalf_of_organisation": True},
            ["on_behalf_of_organisation"],
        ),
        ({"offeror": None}, ["offeror"]),
        ({"organisation": "5f0c2a5e-2b0c-4d7a-9d7e-0d3f4f6b1c11"}, ["offeror", "organisation"]),
        ({"value": {"amount": "-1"}}, ["value.amount"]),
        ({"value": {"amount": "1000000.01"}}, ["value.amount"]),
        ({"value": {"amount": "1.005"}}, ["value.amount"]),
        ({"detail": "  "}, ["detail"]),
        ({"consents": False}, ["consent_refused_because"]),
        ({"accurate": False}, ["accurate"]),
        ({"offered_on": "1066-10-14", "received_on": None}, ["offered_on"]),
    ],
)
async def test_everything_wrong_with_an_offer_is_said_at_once(
    world: World, changes: dict[str, Any], fields: list[str]
) -> None:
    body = await body_with_registers(world)
    sent = {key: value for key, value in (GIFT | changes).items() if value is not None}
    answer = await body.member.post(f"{body.path}/gifts", sent)
    assert answer.status_code == 400, answer.text
    assert [fault["field"] for fault in answer.json()["errors"]] == fields


@pytest.mark.parametrize(
    "changes",
    [
        {"value": {"amount": 32.5}},
        {"value": {"amount": "32.50", "currency": "EUR"}},
        {"kind": "bribe"},
        {"reason": "a\x00"},
        {"detail": "x" * 4001},
        {"reviewer": "me"},
    ],
)
async def test_what_is_not_of_the_form_is_refused(world: World, changes: dict[str, Any]) -> None:
    body = await body_with_registers(world)
    answer = await body.member.post(f"{body.path}/gifts", GIFT | changes)
    assert answer.status_code == 400, answer.text
    assert len(answer.json()["errors"]) == 1


async def test_offers_are_public_for_six_months_and_withheld_by_the_same_rule(
    world: World,
) -> None:
    body = await body_with_registers(world)
    shown = await _recent(body.member)
    hidden = await _recent(body.administrator, **REFUSED)
    await _recent(body.auditor)
    withheld, open_one = await _register(world, body)
    assert (withheld.pop("name"), withheld.pop("publication")) == ("Ada Admin", "withheld")
    assert (withheld.pop("id"), withheld.pop("positions")) == (hidden["id"], ["administrator"])
    assert set(withheld.values()) == {None}
    assert (open_one["id"], open_one["value"]["amount"]) == (shown["id"], "32.50")
    decision = f"/gifts/{hidden['id']}/consent-decision"
    decided = {"withhold": False, "reason": "A public matter."}
    assert (await body.administrator.post(decision, decided)).status_code == 403
    assert (await body.guardian.post(decision, decided)).status_code == 201
    assert (await body.guardian.post(decision, decided)).status_code == 409
    given = await body.guardian.post(f"/gifts/{shown['id']}/consent-decision", decided)
    assert given.json()["type"] == "/problems/consent-given"
    assert [one["publication"] for one in await _register(world, body)] == ["published"] * 2
    table = await world.client.get(
        f"/api/v1{body.path}/register-of-gifts", headers={"Accept": "text/csv"}
    )
    assert table.headers["Content-Disposition"].endswith('"register-of-gifts.csv"')
    assert table.content.count(b"\r\n") == 3
    last = months_after(datetime.now(LONDON).date(), 6)
    for day, listed in ((last, 2), (last + timedelta(days=1), 0)):
        await advance_to(world, datetime(day.year, day.month, day.day, 0, 30, tzinfo=LONDON))
        assert len(await _register(world, body)) == listed


async def test_the_whole_register_of_gifts_is_for_those_who_keep_and_review_it(
    world: World, superuser: Any
) -> None:
    body = await body_with_registers(world)
    await offered(body.member)
    path = f"{body.path}/register-of-gifts/private"
    for reader in (body.guardian, body.auditor, body.lay_member):
        assert len((await reader.get(path)).json()["items"]) == 1
    for person in (body.member, body.administrator):
        assert (await person.get(path)).status_code == 403
    assert await superuser.fetchval("SELECT count(*) FROM event WHERE action = 'gifts.read'") == 3


async def test_the_thresholds_of_every_edition_are_public(world: World) -> None:
    editions = (await world.public("/gift-thresholds")).json()
    assert [one["starts_on"] for one in editions] == ["2016-06-28", "2017-06-16"]
    meals = next(
        one["bands"]
        for one in editions[1]["thresholds"]
        if (one["kind"], one["source"]) == ("meal", "supplier")
    )
    assert [(band["up_to"] and band["up_to"]["amount"], band["including"]) for band in meals] == [
        ("25", False),
        ("75", True),
        (None, False),
    ]
