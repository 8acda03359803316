"""What is still known of bids once their tender is given up, and what is not added any more."""

from tests.makers.bids import close_bidding, declare, opened_tender, some_suppliers, submit
from tests.makers.sign_in import problem
from tests.makers.tenders import published_tender
from tests.makers.world import World

REASON = {"reason": "The groups will provide the service together."}


async def test_who_opened_the_bids_still_reads_names_and_minutes(world: World) -> None:
    opened = await opened_tender(world, count=2)
    tender = opened.tender
    await declare(tender.manager, tender)
    await tender.act(tender.manager, "/abandonment", REASON)
    opener = tender.openers[0]
    names = [bidder["name"] for bidder in (await opener.get(f"{tender.path}/bidders")).json()]
    assert names == ["Supplier 1", "Supplier 2"]
    minutes = await opener.get(f"{tender.path}/opening")
    assert minutes.status_code == 200, minutes.text
    assert minutes.json()["status"] == "abandoned"
    mine = await opener.get(f"{tender.path}/declarations")
    assert len(mine.json()["declarations"]) == 2
    declaration = {"bidder": str(opened.suppliers[0].organisation), "interest": "none"}
    again = await opener.post(f"{tender.path}/declarations", {"declarations": [declaration]})
    problem(again, 409, "bidders-not-known")


async def test_bids_that_were_never_opened_stay_unknown(world: World) -> None:
    tender = await published_tender(world, lots=1)
    (supplier,) = await some_suppliers(world, 1)
    await submit(supplier, tender, 1)
    await close_bidding(world, tender)
    await tender.act(tender.manager, "/abandonment", REASON)
    for person in (tender.openers[0], tender.guardian, tender.manager):
        refused = problem(await person.get(f"{tender.path}/bidders"), 409, "bidders-not-known")
        assert refused["detail"].startswith("The tender was abandoned before its bids were opened")
