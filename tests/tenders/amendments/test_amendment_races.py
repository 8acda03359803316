"""Amendments and bids at the same moment: each bid is before an amendment or after it."""

import asyncio
from collections import Counter
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from tests.makers.amendments import (
    amend,
    amended_by,
    approve_change,
    confirm_bid,
    later,
    reweighted,
    version_of,
)
from tests.makers.bids import asked, bid_body, give_bid, some_suppliers, submit
from tests.makers.clock import advance_to
from tests.makers.tenders import PublishedTender, market_time
from tests.makers.world import Person, World


def kind(answer: Any) -> str:
    name: str = answer.json()["type"].rpartition("/")[2]
    return name


async def test_of_two_amendments_at_once_one_is_published(
    tender: PublishedTender, superuser: Any
) -> None:
    version = await version_of(tender)
    answers = await asyncio.gather(
        *[amend(tender, version=version, deadline=later(tender, days=n)) for n in (5, 6, 7, 8)]
    )
    assert Counter(answer.status_code for answer in answers) == {201: 1, 412: 3}
    assert await superuser.fetchval("SELECT count(*) FROM amendment") == 1
    count = "SELECT count(*) FROM event WHERE action = 'tender.amended'"
    assert await superuser.fetchval(count) == 1


async def test_every_bid_in_flight_is_before_a_material_amendment_or_after_it(
    world: World, tender: PublishedTender, superuser: Any
) -> None:
    suppliers = await some_suppliers(world, 6)
    await approve_change(tender, reweighted(tender))
    version = await version_of(tender)
    *answers, amendment = await asyncio.gather(
        *[give_bid(person, tender, lot) for person in suppliers for lot in (1, 2)],
        amend(
            tender,
            version=version,
            material=True,
            takes_requirement=True,
            deadline=later(tender, days=7),
        ),
    )
    assert amendment.status_code == 201, amendment.text
    published_at = datetime.fromisoformat(amendment.json()["published_at"])
    taken = [answer.json() for answer in answers if answer.status_code == 201]
    assert {kind(one) for one in answers if one.status_code != 201} <= {"amended-meanwhile"}
    assert len(taken) + sum(one.status_code == 409 for one in answers) == 12
    mine = {
        bid["id"]: bid["state"]
        for person in suppliers
        for bid in (await person.get("/bids")).json()["items"]
    }
    for given in taken:
        early = datetime.fromisoformat(given["received_at"]) < published_at
        assert mine[given["bid"]] == ("to_confirm" if early else "standing")
    rows = await superuser.fetch("SELECT requirement, amendment FROM bid_version")
    assert {tuple(row) for row in rows} <= {(1, 0), (2, 1)}


async def test_a_bid_that_holds_its_share_is_waited_for(
    tender: PublishedTender, bidder: Person, superuser: Any
) -> None:
    bid = (await submit(bidder, tender, 1))["bid"]
    await superuser.execute("BEGIN")
    await superuser.execute("SELECT 1 FROM tender WHERE id = $1 FOR SHARE", tender.id)
    version = await version_of(tender)
    amending = asyncio.create_task(
        amend(tender, version=version, material=True, deadline=later(tender, days=7))
    )
    await asyncio.sleep(0.2)
    assert not amending.done()
    await superuser.execute("COMMIT")
    assert (await amending).status_code == 201
    assert (await bidder.get(f"/bids/{bid}")).json()["state"] == "to_confirm"


async def test_of_many_confirmations_at_once_one_is_kept(
    tender: PublishedTender, bidder: Person, superuser: Any
) -> None:
    bid = (await submit(bidder, tender, 1))["bid"]
    await amended_by(tender, reweighted(tender))
    answers = await asyncio.gather(*[confirm_bid(bidder, bid, 1, 1) for _ in range(6)])
    assert Counter(answer.status_code for answer in answers) == {201: 1, 409: 5}
    assert {kind(one) for one in answers if one.status_code == 409} == {"nothing-to-confirm"}
    assert await superuser.fetchval("SELECT count(*) FROM bid_confirmation") == 1


async def test_a_confirmation_and_a_replacement_do_not_confirm_what_is_gone(
    tender: PublishedTender, bidder: Person, superuser: Any
) -> None:
    bid = (await submit(bidder, tender, 1))["bid"]
    await amended_by(tender, reweighted(tender))
    confirmed, replaced = await asyncio.gather(
        confirm_bid(bidder, bid, 1, 1),
        bidder.put(
            f"/bids/{bid}",
            bid_body(asked(tender, 1)),
            version=1,
            headers={"Idempotency-Key": str(uuid4())},
        ),
    )
    assert replaced.status_code == 200, replaced.text
    assert confirmed.status_code in {201, 409, 412}, confirmed.text
    assert (await bidder.get(f"/bids/{bid}")).json()["state"] == "standing"
    kept = await superuser.fetchval("SELECT count(*) FROM bid_confirmation")
    assert kept == (1 if confirmed.status_code == 201 else 0)


async def test_an_extension_that_races_a_late_bid_is_before_it_or_it_is_refused(
    world: World, tender: PublishedTender
) -> None:
    suppliers = await some_suppliers(world, 4)
    version, extended = await version_of(tender), later(tender, days=3)
    first = tender.deadline
    await advance_to(world, tender.deadline - timedelta(milliseconds=300))
    pause = (first - await market_time(world)).total_seconds()

    async def late(person: Person) -> Any:
        await asyncio.sleep(max(0, pause))
        return await give_bid(person, tender, 1)

    async def extend() -> Any:
        await asyncio.sleep(max(0, pause - 0.02))
        return await amend(tender, version=version, deadline=extended)

    extension, *answers = await asyncio.gather(extend(), *[late(one) for one in suppliers])
    if extension.status_code == 201:
        published_at = datetime.fromisoformat(extension.json()["published_at"])
        assert published_at < first
    else:
        assert kind(extension) == "amendment-too-late"
    for answer in answers:
        if answer.status_code == 201:
            received_at = datetime.fromisoformat(answer.json()["received_at"])
            assert received_at < first or extension.status_code == 201
        else:
            assert kind(answer) == "bidding-closed"
