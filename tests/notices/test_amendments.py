"""Whom the notices about amendments reach: everybody concerned, each of their own part."""

from datetime import timedelta

from tests.makers.amendments import (
    amended,
    amended_by,
    approve_change,
    confirm_bid,
    later,
    reformed,
    reweighted,
    reworded,
)
from tests.makers.bids import close_bidding, confirm, declare, some_suppliers, submit
from tests.makers.clock import advance_to
from tests.makers.noticing import Noticing, each, told
from tests.makers.searches import saved
from tests.makers.tenders import published_tender
from tests.makers.world import World


async def test_an_amendment_is_told_to_the_house_to_who_bids_and_to_who_looks(
    world: World, notices: Noticing
) -> None:
    tender = await published_tender(world)
    bidding, looking, _ = await some_suppliers(world, 3)
    await submit(bidding, tender, 1)
    await saved(looking)
    await saved(bidding)
    await notices.catch_up()
    await amended(tender, deadline=later(tender, days=7))
    fresh = await notices.catch_up()
    house = {person.id: person for person in tender.everybody() if person is not tender.manager}
    assert told(fresh, "tender-amended") == each(
        "tender-amended", bidding, looking, *house.values()
    )
    readers = {one.person: one.facts["reader"] for one in fresh if one.kind == "tender-amended"}
    assert readers[bidding.id] == "bidder"
    assert readers[looking.id] == "looking"
    assert readers[tender.author.id] == "house"


async def test_a_changed_requirement_waits_for_its_reviewer_and_then_for_the_manager(
    world: World, notices: Noticing
) -> None:
    tender = await published_tender(world)
    await notices.catch_up()
    await approve_change(tender, reworded(tender))
    fresh = await notices.catch_up()
    reviewed = [one for one in fresh if one.kind == "requirement-reviewed"]
    assert {one.person for one in reviewed} == {tender.manager.id, tender.author.id}
    assert all(one.facts["amends"] for one in reviewed)


async def test_a_bid_that_waits_is_told_three_days_and_one_day_before_the_deadline(
    world: World, notices: Noticing
) -> None:
    tender = await published_tender(world)
    waiting, confirmed = await some_suppliers(world, 2)
    await submit(waiting, tender, 1)
    bid = (await submit(confirmed, tender, 1))["bid"]
    await amended_by(tender, reweighted(tender))
    assert (await confirm_bid(confirmed, bid, 1, 1)).status_code == 201
    assert told(await notices.catch_up(), "bid-to-confirm") == []
    for hours in (70, 20):
        await advance_to(world, tender.deadline - timedelta(hours=hours))
        fresh = await notices.catch_up()
        assert told(fresh, "bid-to-confirm") == each("bid-to-confirm", waiting)
    assert told(await notices.catch_up(), "bid-to-confirm") == []


async def test_a_bid_that_lapsed_is_told_to_its_bid_managers_alone(
    world: World, notices: Noticing
) -> None:
    tender = await published_tender(world)
    silent, replacing = await some_suppliers(world, 2)
    await submit(silent, tender, 1)
    await amended_by(tender, reformed(tender))
    await submit(replacing, tender, 1)
    await close_bidding(world, tender)
    for opener in tender.openers:
        await declare(opener, tender)
        assert (await confirm(opener, tender)).status_code == 201
    fresh = await notices.catch_up()
    assert told(fresh, "bid-lapsed") == each("bid-lapsed", silent)
    assert told(fresh, "bids-opened") == each(
        "bids-opened", replacing, tender.manager, tender.guardian, *tender.openers
    )
