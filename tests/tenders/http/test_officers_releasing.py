"""What officers release is what is due, by two, and told in their words; nothing else."""

import asyncio
import base64
from typing import Any
from uuid import uuid4

import httpx
import pytest

from market.actor import Role
from market.cli.officer_desk import OfficerDesk
from market.runtime import CannotStart
from market.sealing import (
    new_key_pair,
)
from tests.makers.bids import OpenedTender, asked, bid_body, some_suppliers, submit
from tests.makers.evaluation import PRICES, with_panel
from tests.makers.officers import (
    Officer,
    agreed,
    bid_on,
    confirmed,
    publish_with_officers,
    released,
    resumed,
    tender_of_officers,
    tender_with_three_openers,
    with_key,
)
from tests.makers.recusals import register_interest
from tests.makers.tenders import assign, requirement_of
from tests.makers.world import World

Three = tuple[Officer, Officer, Officer]


def problem(answer: httpx.Response, status: int, kind: str) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    found: dict[str, Any] = answer.json()
    assert found["type"] == f"/problems/{kind}", found
    return found


# -- what is due, and no more ---------------------------------------------------------------------


async def test_nothing_is_due_before_the_opening_nor_for_a_price(world: World) -> None:
    tender, officers = await tender_of_officers(world, lots=1)
    await bid_on(world, tender, 1)
    assert await officers[0].desk.release(tender.id, agreed) == ["Nothing is due."]
    view = (await officers[0].person.get(f"{tender.path}/key-shares")).json()
    assert [share["of"]["envelope"] for share in view["to_pass"]] == [None, None]
    await confirmed(world, tender, officers)
    view = (await officers[0].person.get(f"{tender.path}/key-shares")).json()
    assert {share["of"]["envelope"] for share in view["to_pass"]} == {None, "quality"}
    due = (await officers[0].person.get(f"{tender.path}/key-releases")).json()["due"]
    assert [(head["kind"], len(base64.b64decode(head["head"]))) for head in due] == [
        ("quality", 1201)
    ]


async def test_who_refuses_at_the_question_passes_on_and_releases_nothing(world: World) -> None:
    tender, officers = await tender_of_officers(world, lots=1)
    first, second, _ = officers
    await bid_on(world, tender, 1)
    await confirmed(world, tender, officers)
    asked: list[str] = []

    def declined(question: str) -> bool:
        asked.append(question)
        return False

    assert await first.desk.release(tender.id, declined) == ["Nothing more was passed on."]
    await first.desk.release(tender.id, agreed)
    assert await second.desk.release(tender.id, declined) == ["Nothing more was released."]
    assert asked == [
        "Pass on your shares of lot 1, quality: 1?",
        "Release the content keys of lot 1, quality: 1?",
    ]
    problem(await resumed(first.person, tender), 409, "keys-awaited")


async def test_a_false_key_or_share_is_refused_with_its_place(world: World) -> None:
    tender, officers = await tender_of_officers(world, lots=1)
    first, second, _ = officers
    await bid_on(world, tender, 1)
    await confirmed(world, tender, officers)
    await first.desk.release(tender.id, agreed)
    due = (await second.person.get(f"{tender.path}/key-releases")).json()["due"]
    envelope, key = due[0]["envelope"], base64.b64encode(bytes(32)).decode()
    for body, place in (
        ([{"envelope": envelope, "content_key": key}], "keys[0].content_key"),
        ([{"envelope": str(uuid4()), "content_key": key}], "keys[0].envelope"),
        ([{"envelope": envelope, "content_key": None}] * 2, "keys[1].envelope"),
    ):
        answer = await second.person.post(f"{tender.path}/key-releases", {"keys": body})
        found = problem(answer, 400, "content-keys-faulty")
        assert found["errors"][0]["field"] == place
    share = (await second.person.get(f"{tender.path}/key-shares")).json()["to_pass"][-1]["share"]
    for body, place in (
        ([{"share": share, "sealed": "QQ=="}], "shares[0]"),
        ([{"share": str(uuid4()), "sealed": "QQ=="}], "shares[0]"),
    ):
        answer = await second.person.post(f"{tender.path}/key-shares", {"shares": body})
        assert problem(answer, 400, "share-unknown")["errors"][0]["field"] == place
    passed = [{"share": share, "sealed": base64.b64encode(bytes(1232)).decode()}]
    answer = await second.person.post(f"{tender.path}/key-shares", {"shares": passed})
    assert answer.status_code == 201, answer.text
    answer = await second.person.post(f"{tender.path}/key-shares", {"shares": passed})
    problem(answer, 409, "share-passed")


async def test_an_envelope_that_two_officers_cannot_open_is_recorded_as_one(world: World) -> None:
    tender, officers = await tender_of_officers(world, lots=1)
    await bid_on(world, tender, 1)
    await confirmed(world, tender, officers)
    for officer in officers[:2]:
        await officer.desk.release(tender.id, lambda question: "Pass on" in question)
        shares = (await officer.person.get(f"{tender.path}/key-shares")).json()["to_pass"]
        body = {
            "shares": [
                {"share": one["share"], "sealed": base64.b64encode(bytes(1232)).decode()}
                for one in shares
                if one["of"]["envelope"] == "quality" and not one["passed"]
            ]
        }
        if body["shares"]:
            answer = await officer.person.post(f"{tender.path}/key-shares", body)
            assert answer.status_code == 201, answer.text
    due = (await officers[0].person.get(f"{tender.path}/key-releases")).json()["due"]
    body = {"keys": [{"envelope": due[0]["envelope"], "content_key": None}]}
    given = await officers[0].person.post(f"{tender.path}/key-releases", body)
    assert given.json() == {"released": 0, "unopenable": 1}
    assert (await officers[0].person.get(f"{tender.path}/key-releases")).json()["due"] == []
    problem(await resumed(officers[0].person, tender), 409, "keys-awaited")
    given = await officers[1].person.post(f"{tender.path}/key-releases", body)
    assert given.status_code == 201, given.text
    answer = await resumed(officers[0].person, tender)
    assert answer.json() == {"opened": 0, "failed": 1, "remaining": 0, "manifest_faults": 0}


async def test_a_key_that_one_gave_up_another_still_releases(world: World) -> None:
    tender, officers = await tender_of_officers(world, lots=1)
    first, second, third = officers
    await bid_on(world, tender, 1)
    await confirmed(world, tender, officers)
    await first.desk.release(tender.id, agreed)
    due = (await second.person.get(f"{tender.path}/key-releases")).json()["due"]
    body = {"keys": [{"envelope": due[0]["envelope"], "content_key": None}]}
    assert (await second.person.post(f"{tender.path}/key-releases", body)).status_code == 201
    assert "Released 1" in (await third.desk.release(tender.id, agreed))[0]
    assert (await resumed(first.person, tender)).json()["opened"] == 1
    minutes = (await first.person.get(f"{tender.path}/opening")).json()
    quality, price = minutes["lots"][0]["bids"][0]["envelopes"]
    assert quality["released_by"] == sorted([first.person.name, third.person.name])
    assert price["released_by"] == []


async def test_two_who_release_at_once_release_each_key_once(world: World, superuser: Any) -> None:
    tender, officers = await tender_of_officers(world, lots=1)
    first, second, third = officers
    await bid_on(world, tender, 2)
    await confirmed(world, tender, officers)
    await first.desk.release(tender.id, agreed)
    said = await asyncio.gather(
        second.desk.release(tender.id, agreed),
        third.desk.release(tender.id, agreed),
        return_exceptions=True,
    )
    assert any(isinstance(one, list) for one in said)
    assert all(isinstance(one, list | CannotStart) for one in said), said
    assert await superuser.fetchval("SELECT count(*) FROM released_key") == 2
    assert (await resumed(first.person, tender)).json()["opened"] == 2


async def test_a_desk_with_another_key_has_nothing_to_do(world: World) -> None:
    tender, (first, _, _) = await tender_of_officers(world, lots=1)
    person = first.person
    other = OfficerDesk(person.client, person.token, new_key_pair().private)
    assert await other.overview(tender.id) == ["Nothing is there for this officer's key to do."]
    with pytest.raises(CannotStart, match="The market refused: Sign in"):
        await OfficerDesk(person.client, "none", first.pair.private).overview(tender.id)


async def test_an_opener_who_came_later_keeps_no_key(world: World) -> None:
    tender, _ = await tender_of_officers(world, lots=1)
    late = await world.person("Omar Opener", await world.organisation("06F"), Role.COMMISSIONER)
    assert (await assign(tender.manager, tender.id, late, "opener")).status_code == 201
    officer = await with_key(late)
    assert await officer.desk.overview(tender.id) == [
        "Nothing is there for this officer's key to do."
    ]


async def test_an_officer_with_an_interest_is_not_one_of_the_two(world: World) -> None:
    tender, officers = await tender_of_officers(world, lots=1)
    first, second, third = officers
    supplier = (await bid_on(world, tender, 1))[0]
    await confirmed(world, tender, officers)
    await first.desk.release(tender.id, agreed)
    await register_interest(world, first.person, organisation=str(supplier.organisation))
    with pytest.raises(CannotStart, match="you must leave this tender"):
        await first.desk.release(tender.id, agreed)
    assert "Released 1" in (await released(tender, third, second))[-1]
    assert (await resumed(second.person, tender)).json()["opened"] == 1


async def test_prices_are_released_for_bids_that_passed_alone(world: World) -> None:
    requirement = requirement_of(1)
    requirement["lots"][0]["minimum_quality"] = "50"
    tender, officers = await tender_of_officers(world, requirement=requirement)
    first, second, third = officers
    suppliers = await some_suppliers(world, len(PRICES))
    bids = {}
    for place, price in enumerate(PRICES):
        text = f"Answer of supplier {place}."
        body = bid_body(asked(tender, 1), unit_prices=price, quality_text=text)
        bids[suppliers[place], 1] = await submit(suppliers[place], tender, 1, body)
    await confirmed(world, tender, officers)
    await released(tender, first, second)
    assert (await resumed(first.person, tender)).json()["remaining"] == 0
    opened = OpenedTender(tender=tender, suppliers=suppliers, bids=bids)
    lot = await with_panel(world, opened, len(PRICES))
    for evaluator in tender.quality_evaluators:
        await lot.score_all(evaluator)
        assert (await lot.lock(evaluator)).status_code == 201
    await lot.score_all(tender.moderator, kind="agreed-scores")
    assert await first.desk.release(tender.id, agreed) == ["Nothing is due."]
    await lot.done(tender.moderator, "/evaluation/quality-lock")
    opener = tender.price_evaluator
    problem(await lot.act(opener, "/evaluation/price-opening"), 409, "keys-awaited")
    told = await released(tender, third, first)
    assert told[-1] == "Released 2 content keys of lot 1, price: 2."  # the third did not pass
    await lot.done(opener, "/evaluation/price-opening")


async def test_more_than_seven_officers_keep_no_keys(world: World) -> None:
    tender, openers = await tender_with_three_openers(world, lots=1)
    more = [
        await world.person(f"Opener {number}", await world.organisation("06F"), Role.COMMISSIONER)
        for number in range(5)
    ]
    for person in more:
        assert (await assign(tender.manager, tender.id, person, "opener")).status_code == 201
    for person in (*openers, *more[:4]):
        await with_key(person)
    await with_key(more[4])
    found = problem(await publish_with_officers(tender), 409, "officers-needed")
    assert found["detail"].startswith("At most 7 openers keep keys")
