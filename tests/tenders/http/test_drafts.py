"""Drafts of bids over HTTP: saved often, seen by nobody else, and submitted in one act."""

import asyncio
from typing import Any
from uuid import uuid4

import pytest

from market.actor import Role
from tests.makers.amendments import amended_by, reformed
from tests.makers.bids import asked, bid_body, close_bidding, confirm, declare, submit
from tests.makers.participants import consortium_member
from tests.makers.suppliers import admitted_supplier
from tests.makers.tenders import PublishedTender, published_tender
from tests.makers.world import Person, World

MARK = "violet-badger-method"


@pytest.fixture
async def tender(world: World) -> PublishedTender:
    return await published_tender(world)


@pytest.fixture
async def bidder(world: World) -> Person:
    return await admitted_supplier(world, "Greensand Analytics")


def place(tender: PublishedTender) -> str:
    return f"{tender.path}/lots/1/bid-draft"


def whole(tender: PublishedTender, text: str = "We will do it thus.") -> dict[str, Any]:
    """Everything the lot asks for: what could be given as a bid is a draft as it is."""
    return bid_body(asked(tender, 1), quality_text=text)


async def test_a_draft_is_saved_as_often_as_wanted_and_says_everything_it_lacks(
    tender: PublishedTender, bidder: Person
) -> None:
    lot = asked(tender, 1)
    first = await bidder.put(place(tender), {})
    assert first.status_code == 200, first.text
    assert first.headers["ETag"] == '"1"'
    missing = (await bidder.get(f"{place(tender)}/faults")).json()
    wanted = whole(tender)
    answers, prices = wanted["quality"]["answers"], wanted["price"]["prices"]
    assert len(missing["faults"]) == len(answers) + len(prices)
    assert (missing["complete"], missing["may_submit"]) == (False, False)
    for version in range(1, 4):
        body = {"price": {"prices": [{"item": lot.price_items[0].code, "unit_price": "12,50"}]}}
        saved = await bidder.put(place(tender), body, version=version)
        assert saved.json()["version"] == version + 1
    faults = (await bidder.get(f"{place(tender)}/faults")).json()["faults"]
    reasons = {fault["field"]: fault["reason"] for fault in faults}
    assert "no number of the form 1250.50" in reasons["price.prices[0].unit_price"]
    shown = (await bidder.get(place(tender))).json()
    assert shown["draft"]["price"]["prices"][0]["unit_price"] == "12,50"
    assert "that the market keeps" in shown["kept"]
    done = await bidder.put(place(tender), whole(tender), version=4)
    assert done.json()["faults"] == 0
    assert (await bidder.get(f"{place(tender)}/faults")).json()["may_submit"]


async def test_a_draft_is_submitted_in_one_act_and_is_gone(
    world: World, tender: PublishedTender, bidder: Person
) -> None:
    await bidder.put(place(tender), whole(tender))
    key = {"Idempotency-Key": str(uuid4())}
    given = await bidder.post(f"{place(tender)}/submission", version=1, headers=key)
    assert given.status_code == 201, given.text
    assert given.json()["receipt"]["statement"]["kind"] == "bid_receipt"
    assert (await bidder.get(place(tender))).status_code == 404
    # again into the place of the bid, from another draft
    again = await bidder.put(place(tender), whole(tender, "Better still."))
    assert again.headers["ETag"] == '"2"'
    second = await bidder.post(f"{place(tender)}/submission", version=2)
    assert (second.json()["bid"], second.json()["version"]) == (given.json()["bid"], 2)
    await close_bidding(world, tender)
    repeated = await bidder.post(f"{place(tender)}/submission", version=1, headers=key)
    assert repeated.json() == given.json()


async def test_what_is_not_complete_is_not_submitted_and_stays_a_draft(
    tender: PublishedTender, bidder: Person
) -> None:
    await bidder.put(place(tender), {"quality": whole(tender)["quality"]})
    refused = await bidder.post(f"{place(tender)}/submission", version=1)
    assert refused.status_code == 400
    assert refused.json()["type"] == "/problems/bid-incomplete"
    assert len(refused.json()["errors"]) == len(whole(tender)["price"]["prices"])
    assert (await bidder.get(place(tender))).json()["version"] == 1
    assert (await bidder.get("/bids")).json()["items"] == []


async def test_what_is_wrong_with_participants_is_listed_with_the_rest(
    tender: PublishedTender, bidder: Person
) -> None:
    beside = [
        {"role": "subcontractor"},
        {"role": "subcontractor", "organisation": str(bidder.organisation)},
        consortium_member(uuid4()),
    ]
    body = {"quality": whole(tender)["quality"], "participants": beside}
    saved = (await bidder.put(place(tender), body)).json()
    missing = (await bidder.get(f"{place(tender)}/faults")).json()
    fields = [fault["field"] for fault in missing["faults"]]
    assert saved["faults"] == len(fields)
    assert fields.count("price.prices") == len(whole(tender)["price"]["prices"])
    assert fields[-7:] == [
        "participants[0]",
        "participants[1].organisation",
        "participants[0].declaration",
        "participants[0].share",
        "participants[1].declaration",
        "participants[1].share",
        "participants[2].organisation",
    ]
    assert not missing["complete"]
    refused = await bidder.post(f"{place(tender)}/submission", version=1)
    assert (refused.status_code, refused.json()["type"]) == (400, "/problems/bid-incomplete")
    assert [fault["field"] for fault in refused.json()["errors"]] == fields


async def test_one_says_which_draft_one_means(tender: PublishedTender, bidder: Person) -> None:
    await bidder.put(place(tender), {})
    assert (await bidder.put(place(tender), {})).status_code == 428
    assert (await bidder.put(place(tender), {}, version=7)).status_code == 412
    assert (await bidder.delete(place(tender), version=2)).status_code == 412
    assert (await bidder.post(f"{place(tender)}/submission", version=2)).status_code == 412
    assert (await bidder.delete(place(tender), version=1)).status_code == 200
    assert (await bidder.put(place(tender), {}, version=1)).status_code == 412
    assert (await bidder.get(place(tender))).status_code == 404


async def test_the_version_of_a_draft_that_is_gone_never_means_another(
    tender: PublishedTender, bidder: Person
) -> None:
    await bidder.put(place(tender), whole(tender, "What was read."))
    await bidder.delete(place(tender), version=1)
    fresh = await bidder.put(place(tender), whole(tender, "A colleague's, not finished."))
    other_lot = place(tender).replace("/lots/1/", "/lots/2/")
    versions = [fresh.json()["version"], (await bidder.put(other_lot, {})).json()["version"]]
    assert versions == [2, 3]
    for late in (
        await bidder.post(f"{place(tender)}/submission", version=1),
        await bidder.put(place(tender), {}, version=1),
        await bidder.delete(place(tender), version=1),
    ):
        assert late.status_code == 412
        assert late.json()["type"] == "/problems/draft-changed"


async def test_of_many_simultaneous_first_saves_one_is_the_draft(
    tender: PublishedTender, bidder: Person, superuser: Any
) -> None:
    texts = [f"Written by number {number}." for number in range(6)]
    answers = await asyncio.gather(
        *(bidder.put(place(tender), whole(tender, text)) for text in texts)
    )
    kept = [text for text, one in zip(texts, answers, strict=True) if one.status_code == 200]
    assert len(kept) == 1
    assert {one.status_code for one in answers} <= {200, 412, 428}
    assert kept[0] in (await bidder.get(place(tender))).text
    assert await superuser.fetchval("SELECT count(*) FROM bid_draft") == 1
    assert await superuser.fetchval("SELECT count(*) FROM draft_key") == 1


async def test_nobody_else_learns_of_a_draft(
    world: World, tender: PublishedTender, bidder: Person
) -> None:
    rival = await admitted_supplier(world, "A Rival")
    before = [(await person.get("/events?after=0")).json() for person in (rival, tender.manager)]
    await bidder.put(place(tender), whole(tender, MARK))
    colleague = await world.person(
        "Colleague", bidder.organisation, Role.ADMINISTRATOR, Role.AUDITOR
    )
    assert (await rival.get(place(tender))).status_code == 404
    for person in (tender.manager, tender.openers[0], colleague):
        assert (await person.get(place(tender))).status_code == 403
    after = [(await person.get("/events?after=0")).json() for person in (rival, tender.manager)]
    assert [page["items"] for page in before] == [page["items"] for page in after]
    assert "draft" not in str(await colleague.get("/events?after=0"))


async def test_after_the_deadline_a_draft_is_read_and_discarded_and_not_saved(
    world: World, tender: PublishedTender, bidder: Person
) -> None:
    await bidder.put(place(tender), whole(tender))
    await close_bidding(world, tender)
    late = await bidder.put(place(tender), whole(tender), version=1)
    assert late.status_code == 409
    assert late.json()["type"] == "/problems/bidding-closed"
    assert (await bidder.post(f"{place(tender)}/submission", version=1)).status_code == 409
    missing = (await bidder.get(f"{place(tender)}/faults")).json()
    assert (missing["complete"], missing["may_submit"]) == (True, False)
    assert "was over" in missing["closed_because"]
    assert (await bidder.get(place(tender))).status_code == 200
    assert (await bidder.delete(place(tender), version=1)).status_code == 200


async def test_a_draft_saved_too_late_is_no_late_attempt_to_bid(
    world: World, tender: PublishedTender, bidder: Person, superuser: Any
) -> None:
    rival = await admitted_supplier(world, "A Rival")
    await submit(rival, tender, 1)
    await bidder.put(place(tender), {})
    helper = await world.person("Helper", tender.manager.organisation, Role.BID_MANAGER)
    assert (await helper.put(place(tender), {})).status_code == 403
    assert (await tender.manager.delete(place(tender), version=1)).status_code == 403
    await close_bidding(world, tender)
    assert (await bidder.put(place(tender), {}, version=1)).status_code == 409
    told = "SELECT tender FROM event WHERE action = 'request.refused'"
    assert [row["tender"] for row in await superuser.fetch(told)] == [None, None, None]
    # but whoever submits one tries to bid
    assert (await bidder.post(f"{place(tender)}/submission", version=1)).status_code == 409
    for opener in tender.openers:
        await declare(opener, tender)
        assert (await confirm(opener, tender)).status_code == 201
    minutes = (await tender.openers[0].get(f"{tender.path}/opening")).json()
    assert [one["attempted"] for one in minutes["late_attempts"]] == ["tenders._submit_draft"]


async def test_of_two_submissions_of_a_draft_one_gets_the_receipt(
    tender: PublishedTender, bidder: Person
) -> None:
    await bidder.put(place(tender), whole(tender))
    answers = await asyncio.gather(
        *(bidder.post(f"{place(tender)}/submission", version=1) for _ in range(6))
    )
    rest = {(answer.status_code, answer.json().get("type")) for answer in answers}
    assert rest <= {
        (201, None),
        (404, "/problems/not-found"),
        (412, "/problems/draft-changed"),
        (412, "/problems/bid-changed"),
        (409, "/problems/already-bid"),
    }
    assert [answer.status_code for answer in answers].count(201) == 1


async def test_a_save_that_races_the_submission_is_lost_or_first_and_never_both(
    tender: PublishedTender, bidder: Person
) -> None:
    await bidder.put(place(tender), whole(tender))
    saved, given = await asyncio.gather(
        bidder.put(place(tender), whole(tender, "Later."), version=1),
        bidder.post(f"{place(tender)}/submission", version=1),
    )
    assert {saved.status_code, given.status_code} in ({200, 412}, {412, 201})


async def test_my_bid_says_whether_it_is_complete_and_stored(
    tender: PublishedTender, bidder: Person
) -> None:
    where = f"{tender.path}/lots/1/my-bid"
    nothing = (await bidder.get(where)).json()
    assert (nothing["stored"], nothing["stands"], nothing["draft"]) == (None, False, None)
    await bidder.put(place(tender), {})
    given = await submit(bidder, tender, 1)
    stored = (await bidder.get(where)).json()
    assert stored["stored"]["stored_whole"]
    assert stored["stored"]["receipt"] == given["receipt"]
    assert stored["stands"]
    assert stored["draft"]["faults"] > 0
    await bidder.delete(
        f"/bids/{given['bid']}", version=1, headers={"Idempotency-Key": str(uuid4())}
    )
    withdrawn = (await bidder.get(where)).json()
    assert (withdrawn["stands"], withdrawn["stored"]["state"]) == (False, "withdrawn")
    assert withdrawn["stored"]["stored_whole"]
    assert (await tender.manager.get(where)).status_code == 403


async def test_my_bid_finds_an_envelope_that_was_changed_in_the_database(
    tender: PublishedTender, bidder: Person, superuser: Any
) -> None:
    await submit(bidder, tender, 1)
    await superuser.execute("SET session_replication_role = replica")
    await superuser.execute("SET market.migrating = 'on'")
    await superuser.execute("ALTER TABLE envelope DISABLE TRIGGER ALL")
    await superuser.execute("UPDATE envelope SET sealed = sealed || '\\x00' WHERE kind = 'price'")
    shown = (await bidder.get(f"{tender.path}/lots/1/my-bid")).json()
    assert not shown["stored"]["stored_whole"]


async def test_after_an_amendment_my_bid_and_the_faults_say_what_is_to_do(
    world: World, tender: PublishedTender, bidder: Person
) -> None:
    where = f"{tender.path}/lots/1/my-bid"

    async def standing() -> tuple[str, bool, bool, int]:
        shown = (await bidder.get(where)).json()
        state = shown["stored"]["state"]
        return state, shown["stands"], shown["needs_confirmation"], shown["draft"]["faults"]

    await submit(bidder, tender, 1)
    await bidder.put(place(tender), whole(tender))
    assert await standing() == ("standing", True, False, 0)
    await amended_by(tender, reformed(tender))
    state, stands, waits, faults = await standing()
    assert (state, stands, waits) == ("to_confirm", False, True)
    missing = (await bidder.get(f"{place(tender)}/faults")).json()
    assert (len(missing["faults"]), missing["may_submit"]) == (faults, False)
    assert faults > 0
    await close_bidding(world, tender)
    assert await standing() == ("lapsed", False, False, faults)


async def test_my_bid_answers_also_where_the_draft_cannot_be_read(
    tender: PublishedTender, bidder: Person, superuser: Any
) -> None:
    await submit(bidder, tender, 1)
    await bidder.put(place(tender), {})
    await superuser.execute("SET session_replication_role = replica")
    await superuser.execute("SET market.migrating = 'on'")
    await superuser.execute("ALTER TABLE bid_draft DISABLE TRIGGER ALL")
    await superuser.execute("UPDATE bid_draft SET sealed = sealed || '\\x00'")
    for asked_for in (place(tender), f"{place(tender)}/faults"):
        unreadable = await bidder.get(asked_for)
        assert unreadable.status_code == 503
        assert unreadable.json()["type"] == "/problems/draft-unreadable"
    shown = await bidder.get(f"{tender.path}/lots/1/my-bid")
    assert shown.status_code == 200, shown.text
    assert shown.json()["stands"]
    assert shown.json()["stored"]["stored_whole"]
    assert shown.json()["draft"]["faults"] is None
    # it can be written anew: a save asks for the version alone
    assert (await bidder.put(place(tender), {}, version=1)).status_code == 200


@pytest.mark.parametrize(
    "body",
    [
        {"price": {"prices": [{"item": "A", "unit_price": 5}]}},
        {"price": {"prices": [{"item": "A", "unit_price": "x" * 41}]}},
        {"quality": {"answers": [{"criterion": "Q1", "text": "x" * 20_001}]}},
        {"quality": {"answers": "none"}},
        {"participants": [{"role": "subcontractor"}] * 51},
        {"anything": 1},
    ],
)
async def test_a_draft_keeps_to_its_limits(
    tender: PublishedTender, bidder: Person, body: dict[str, Any]
) -> None:
    refused = await bidder.put(place(tender), body)
    assert refused.status_code == 400
    assert refused.json()["errors"]
