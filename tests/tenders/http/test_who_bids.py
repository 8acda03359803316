"""Who may not bid, and for what: holders of a duty, and lots that were abandoned."""

from typing import Any
from uuid import uuid4

import msgspec
import pytest

from market.actor import Actor
from market.pages import encode_cursor
from market.people.commands import begin_session
from tests.makers.bids import asked, bid_body, give_bid, some_suppliers
from tests.makers.direct import acting
from tests.makers.tenders import PublishedTender, published_tender
from tests.makers.world import Person, World


async def _joins(superuser: Any, person: Person, supplier: Person) -> Person:
    """The person as a bid manager of the supplier, signed in for it."""
    async with acting(superuser, person.id, person.organisation):
        await superuser.execute(
            "INSERT INTO membership (id, person, organisation, role) VALUES ($1, $2, $3, $4)",
            uuid4(),
            person.id,
            supplier.organisation,
            "bid_manager",
        )
    session = await begin_session(Actor(person=person.id), person.id, supplier.organisation, 3600)
    return msgspec.structs.replace(person, organisation=supplier.organisation, token=session.token)


async def test_whoever_holds_a_duty_gives_no_bid(world: World, superuser: Any) -> None:
    tender = await published_tender(world)
    supplier, other = await some_suppliers(world, 2)
    opener = await _joins(superuser, tender.openers[0], supplier)
    answer = await give_bid(opener, tender, 1)
    assert (answer.status_code, answer.json()["type"]) == (403, "/problems/helper-may-not-bid")
    # nor in a colleague's bid, and the colleagues are free to give one
    given = await give_bid(supplier, tender, 1)
    assert given.status_code == 201
    replaced = await opener.put(
        f"/bids/{given.json()['bid']}",
        bid_body(asked(tender, 1)),
        version=1,
        headers={"Idempotency-Key": str(uuid4())},
    )
    assert replaced.status_code == 403, replaced.text
    assert (await give_bid(other, tender, 1)).status_code == 201
    assert await superuser.fetchval("SELECT count(*) FROM bid_version") == 2


async def test_an_abandoned_lot_takes_no_bids_and_its_neighbour_does(world: World) -> None:
    tender: PublishedTender = await published_tender(world)
    supplier, other = await some_suppliers(world, 2)
    assert (await give_bid(supplier, tender, 1)).status_code == 201
    reason = {"reason": "The need for this lot has gone."}
    abandoned = await tender.manager.post(
        f"/tenders/{tender.id}/lots/1/abandonment", reason, version=1
    )
    assert abandoned.status_code in {200, 201}, abandoned.text
    late = await give_bid(other, tender, 1)
    assert (late.status_code, late.json()["type"]) == (409, "/problems/bidding-closed")
    assert (await give_bid(other, tender, 2)).status_code == 201


@pytest.mark.parametrize("instant", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
async def test_a_cursor_at_the_ends_of_time_is_no_accident(world: World, instant: str) -> None:
    (supplier,) = await some_suppliers(world, 1)
    cursor = encode_cursor(instant, str(uuid4()))
    answer = await supplier.get("/bids", params={"cursor": cursor})
    assert (answer.status_code, answer.json()["items"]) == (200, [])
