"""Bids after a material amendment: confirmed, replaced, or lapsed."""

import base64
from datetime import timedelta
from typing import Any
from uuid import uuid4

import msgspec
import pytest

from market.signing import SignedStatement, verify_confirmation
from tests.makers.amendments import (
    amended,
    amended_by,
    confirm_bid,
    later,
    reformed,
    reweighted,
)
from tests.makers.bids import (
    asked,
    bid_body,
    close_bidding,
    confirm,
    declare,
    give_bid,
    open_bids,
    some_suppliers,
    submit,
)
from tests.makers.clock import advance_to
from tests.makers.direct import acting
from tests.makers.tenders import PublishedTender
from tests.makers.world import Person, World


def kind(answer: Any) -> str:
    name: str = answer.json()["type"].rpartition("/")[2]
    return name


async def state(person: Person, bid: str) -> str:
    found: str = (await person.get(f"/bids/{bid}")).json()["state"]
    return found


async def replace(person: Person, tender: PublishedTender, bid: str, version: int) -> Any:
    return await person.put(
        f"/bids/{bid}",
        bid_body(asked(tender, 1)),
        version=version,
        headers={"Idempotency-Key": str(uuid4())},
    )


async def test_a_bid_given_before_a_material_amendment_waits_to_be_confirmed(
    world: World, tender: PublishedTender, bidder: Person
) -> None:
    bid = (await submit(bidder, tender, 1))["bid"]
    assert await state(bidder, bid) == "standing"
    needless = await confirm_bid(bidder, bid, 1, 1)
    assert (needless.status_code, kind(needless)) == (409, "nothing-to-confirm")
    await amended_by(tender, reweighted(tender))
    (listed,) = (await bidder.get("/bids")).json()["items"]
    assert (listed["state"], listed["amendment"], listed["form_changed"]) == (
        "to_confirm",
        1,
        False,
    )
    after = (await submit((await some_suppliers(world, 2))[1], tender, 1))["bid"]
    answer = await confirm_bid(bidder, bid, 1, 1)
    assert answer.status_code == 201, answer.text
    assert await state(bidder, bid) == "standing"
    key = (await world.public("/signing-keys")).json()["keys"][0]["x"]
    receipt = verify_confirmation(
        msgspec.convert(answer.json()["receipt"], SignedStatement),
        base64.urlsafe_b64decode(key + "="),
    )
    assert (str(receipt.bid), receipt.version, receipt.amendment) == (bid, 1, 1)
    shown = (await bidder.get(f"/bids/{bid}")).json()
    assert [one["receipt"] for one in shown["confirmations"]] == [answer.json()["receipt"]]
    again = await confirm_bid(bidder, bid, 1, 1)
    assert (again.status_code, kind(again)) == (409, "nothing-to-confirm")
    assert after != bid


async def test_an_extension_alone_asks_for_nothing(tender: PublishedTender, bidder: Person) -> None:
    bid = (await submit(bidder, tender, 1))["bid"]
    await amended(tender, deadline=later(tender, days=7))
    assert await state(bidder, bid) == "standing"


async def test_a_confirmation_repeated_with_its_key_gets_its_receipt_after_the_deadline_too(
    world: World, tender: PublishedTender, bidder: Person
) -> None:
    bid = (await submit(bidder, tender, 1))["bid"]
    await amended_by(tender, reweighted(tender))
    sent = {"version": 1, "headers": {"Idempotency-Key": str(uuid4())}}
    path, body = f"/bids/{bid}/confirmations", {"amendment": 1}
    first = await bidder.post(path, body, **sent)
    await close_bidding(world, tender)
    again = await bidder.post(path, body, **sent)
    assert (again.status_code, again.content) == (201, first.content)
    assert await state(bidder, bid) == "standing"


async def test_where_the_form_changed_a_bid_is_replaced_and_not_confirmed(
    tender: PublishedTender, bidder: Person
) -> None:
    bid = (await submit(bidder, tender, 1))["bid"]
    other = (await submit(bidder, tender, 2))["bid"]
    await amended_by(tender, reformed(tender))
    refused = await confirm_bid(bidder, bid, 1, 1)
    assert (refused.status_code, kind(refused)) == (409, "must-be-replaced")
    assert (await bidder.get(f"/bids/{bid}")).json()["form_changed"] is True
    assert (await replace(bidder, tender, bid, 1)).status_code == 200
    assert await state(bidder, bid) == "standing"
    # the form of the other lot is as it was
    assert (await confirm_bid(bidder, other, 1, 1)).status_code == 201


async def test_the_confirmation_names_the_latest_material_amendment_and_the_bid_as_read(
    tender: PublishedTender, bidder: Person
) -> None:
    bid = (await submit(bidder, tender, 1))["bid"]
    await amended_by(tender, reweighted(tender))
    await amended(tender, material=True, deadline=later(tender, days=7))
    old = await confirm_bid(bidder, bid, 1, 1)
    assert (old.status_code, kind(old)) == (409, "amended-meanwhile")
    stale = await confirm_bid(bidder, bid, 2, 2)
    assert stale.status_code == 412
    assert (await confirm_bid(bidder, bid, 1, 2)).status_code == 201


async def test_a_later_material_amendment_asks_again(
    tender: PublishedTender, bidder: Person
) -> None:
    bid = (await submit(bidder, tender, 1))["bid"]
    await amended_by(tender, reweighted(tender))
    assert (await confirm_bid(bidder, bid, 1, 1)).status_code == 201
    await amended(tender, deadline=later(tender, days=7))
    assert await state(bidder, bid) == "standing"
    await amended(tender, material=True, deadline=later(tender, days=7))
    assert await state(bidder, bid) == "to_confirm"
    assert (await confirm_bid(bidder, bid, 1, 3)).status_code == 201


async def test_what_is_not_confirmed_lapses_with_a_record_and_is_not_opened(
    world: World, tender: PublishedTender, superuser: Any
) -> None:
    silent, faithful = await some_suppliers(world, 2)
    lapsed = (await submit(silent, tender, 1))["bid"]
    kept = (await submit(faithful, tender, 1))["bid"]
    await amended_by(tender, reweighted(tender))
    assert (await confirm_bid(faithful, kept, 1, 1)).status_code == 201
    await close_bidding(world, tender)
    assert await state(silent, lapsed) == "lapsed"
    late = await confirm_bid(silent, lapsed, 1, 1)
    assert (late.status_code, kind(late)) == (409, "bidding-closed")
    bidders = (await tender.openers[0].get(f"{tender.path}/bidders")).json()
    assert [one["organisation"] for one in bidders] == [str(faithful.organisation)]
    for opener in tender.openers:
        await declare(opener, tender)
        assert (await confirm(opener, tender)).status_code == 201
    manifest = await superuser.fetch("SELECT bid FROM manifest_entry")
    assert [str(row["bid"]) for row in manifest] == [kept]
    (event,) = await superuser.fetch("SELECT * FROM event WHERE action = 'bid.lapsed'")
    assert (str(event["subject"]), event["person"]) == (lapsed, None)
    assert event["organisation"] == silent.organisation
    assert await state(silent, lapsed) == "lapsed"


async def test_a_withdrawn_bid_is_neither_confirmed_nor_lapses(
    world: World, tender: PublishedTender, bidder: Person, superuser: Any
) -> None:
    bid = (await submit(bidder, tender, 1))["bid"]
    await amended_by(tender, reweighted(tender))
    withdrawn = await bidder.delete(
        f"/bids/{bid}", version=1, headers={"Idempotency-Key": str(uuid4())}
    )
    assert withdrawn.status_code == 200, withdrawn.text
    refused = await confirm_bid(bidder, bid, 2, 1)
    assert (refused.status_code, kind(refused)) == (409, "nothing-to-confirm")
    await open_bids(world, tender)
    assert await superuser.fetchval("SELECT count(*) FROM event WHERE action = 'bid.lapsed'") == 0


async def test_nobody_but_the_bidder_learns_of_a_confirmation_or_a_lapse(
    world: World, tender: PublishedTender, superuser: Any, app_role: Any
) -> None:
    bidder, rival = await some_suppliers(world, 2)
    bid, other = (await submit(bidder, tender, 1))["bid"], (await submit(rival, tender, 1))["bid"]
    before = [
        (await world.public(path)).content
        for path in (tender.path, f"{tender.path}/requirement", "/tenders")
    ]
    await amended_by(tender, reweighted(tender))
    amended_view = (await world.public(tender.path)).content
    assert (await confirm_bid(bidder, bid, 1, 1)).status_code == 201
    assert (await world.public(tender.path)).content == amended_view
    assert amended_view != before[0]
    strange = await confirm_bid(rival, bid, 1, 1)
    assert strange.status_code == 404
    await close_bidding(world, tender)
    for opener in tender.openers:
        await declare(opener, tender)
        assert (await confirm(opener, tender)).status_code == 201
    for person in (tender.manager, tender.author, tender.openers[0], bidder):
        async with acting(app_role, person.id, person.organisation):
            seen = await app_role.fetch("SELECT subject FROM event WHERE action = 'bid.lapsed'")
        assert seen == [], person.name
    async with acting(app_role, rival.id, rival.organisation):
        seen = await app_role.fetch("SELECT subject FROM event WHERE action = 'bid.lapsed'")
    assert [str(row["subject"]) for row in seen] == [other]
    async with acting(app_role, rival.id, rival.organisation):
        assert await app_role.fetchval("SELECT count(*) FROM bid_confirmation") == 0
        assert await app_role.fetchval("SELECT count(*) FROM confirmation_receipt") == 0
    assert await superuser.fetchval("SELECT count(*) FROM bid_confirmation") == 1


async def test_what_came_after_the_amendment_counts_as_it_came(
    world: World, tender: PublishedTender, bidder: Person
) -> None:
    await amended_by(tender, reweighted(tender))
    bid = (await submit(bidder, tender, 1))["bid"]
    await advance_to(world, tender.deadline - timedelta(minutes=1))
    assert await state(bidder, bid) == "standing"
    await close_bidding(world, tender)
    assert await state(bidder, bid) == "standing"
    assert (await give_bid(bidder, tender, 1)).status_code == 409


@pytest.mark.parametrize("given", [{}, {"amendment": 0}, {"amendment": "1"}, {"amendment": 2**70}])
async def test_a_confirmation_names_an_amendment(
    tender: PublishedTender, bidder: Person, given: dict[str, Any]
) -> None:
    bid = (await submit(bidder, tender, 1))["bid"]
    answer = await bidder.post(
        f"/bids/{bid}/confirmations",
        given,
        version=1,
        headers={"Idempotency-Key": str(uuid4())},
    )
    assert (answer.status_code, kind(answer)) == (400, "malformed")
