"""Whom the notices about a published tender reach: those who look, who bid, and its manager."""

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from market.actor import Role
from tests.makers.bids import (
    asked,
    bid_body,
    close_bidding,
    declare,
    open_bids,
    opened_tender,
    some_suppliers,
    submit,
)
from tests.makers.clock import advance_to
from tests.makers.noticing import Noticing, each, told
from tests.makers.recusals import register_interest
from tests.makers.searches import saved
from tests.makers.suppliers import admitted_supplier
from tests.makers.tenders import (
    PublishedTender,
    approved_tender,
    drafted_tender,
    publish,
    published_tender,
)
from tests.makers.world import Person, World

MATCHING: dict[str, Any] = {"service_lines": ["bi-decision-support"]}


async def _before_the_deadline(world: World, tender: PublishedTender, **left: int) -> None:
    await advance_to(world, tender.deadline - timedelta(**left))


async def _withdraw(supplier: Person, bid: dict[str, Any]) -> None:
    answer = await supplier.delete(
        f"/bids/{bid['bid']}",
        version=bid["version"],
        headers={"Idempotency-Key": str(uuid4())},
    )
    assert answer.status_code == 200, answer.text


async def test_a_new_opportunity_is_told_to_each_person_who_looks_for_it_once(
    world: World, notices: Noticing
) -> None:
    looking, twice, elsewhere, ended, gone = [
        await admitted_supplier(world, name) for name in ("A", "B", "C", "D", "E")
    ]
    tender = await approved_tender(world)
    await saved(looking)
    await saved(twice, "By line", **MATCHING)
    await saved(twice, "By value", minimum_value="250000")
    await saved(twice, "Neither", maximum_value="1")
    await saved(elsewhere, service_lines=["end-to-end"])
    await ended.delete(f"/saved-searches/{(await saved(ended))['id']}")
    colleague = await world.person("Cy Colleague", gone.organisation, Role.BID_MANAGER)
    await saved(colleague)
    left = await gone.delete(f"/organisations/{gone.organisation}/members/{colleague.id}")
    assert left.status_code == 204
    await saved(tender.manager)
    stranger = await world.person("Sue", await world.organisation("04F"), Role.COMMISSIONER)
    await saved(stranger)
    await notices.catch_up()
    await publish(tender)
    late = await admitted_supplier(world, "F")
    await saved(late)
    fresh = await notices.catch_up()
    assert told(fresh, "opportunity-matching") == each(
        "opportunity-matching", looking, twice, stranger
    )
    searches = {one.person: one.facts.get("searches") for one in fresh}
    assert searches[twice.id] == ["By line", "By value"]


async def test_nearness_is_told_a_week_and_a_day_before_to_those_whom_it_concerned_then(
    world: World, notices: Noticing
) -> None:
    tender = await published_tender(world)
    bidding, looking, later, withdrawn = await some_suppliers(world, 4)
    colleague = await world.person("Cy Colleague", bidding.organisation, Role.BID_MANAGER)
    await world.person("Al Administrator", bidding.organisation, Role.ADMINISTRATOR)
    await submit(bidding, tender, 1)
    await submit(bidding, tender, 2)
    await _withdraw(withdrawn, await submit(withdrawn, tender, 1))
    await saved(looking, **MATCHING)
    await saved(bidding)
    await saved(withdrawn, service_lines=["end-to-end"])
    await _before_the_deadline(world, tender, days=7, minutes=1)
    assert told(await notices.catch_up(), "deadline-near") == []
    await _before_the_deadline(world, tender, days=6, hours=23)
    near = each("deadline-near", tender.manager, bidding, colleague, looking)
    week = await notices.catch_up()
    assert told(week, "deadline-near") == near
    assert {one.facts["hours"] for one in week if one.kind == "deadline-near"} == {168}
    await saved(later, **MATCHING)
    await _before_the_deadline(world, tender, days=2)
    assert told(await notices.catch_up(), "deadline-near") == []
    await _before_the_deadline(world, tender, hours=23)
    day = await notices.catch_up()
    assert told(day, "deadline-near") == sorted([*near, *each("deadline-near", later)])
    assert {one.facts["hours"] for one in day if one.kind == "deadline-near"} == {24}
    await close_bidding(world, tender)
    assert told(await notices.catch_up(), "deadline-near") == []


async def test_who_bids_and_who_only_looks_are_told_of_the_deadline_in_the_same_words(
    world: World, notices: Noticing
) -> None:
    tender = await published_tender(world)
    bidding, looking = await some_suppliers(world, 2)
    await submit(bidding, tender, 1)
    await saved(looking)
    await _before_the_deadline(world, tender, hours=20)
    letters = {one.person: (one.letter, one.facts, one.key) for one in await notices.catch_up()}
    assert letters[bidding.id] == letters[looking.id]
    assert letters[bidding.id] != letters[tender.manager.id]


async def test_a_worker_that_wakes_late_tells_what_is_near_now_and_not_what_was(
    world: World, notices: Noticing
) -> None:
    tender = await published_tender(world)
    await _before_the_deadline(world, tender, hours=3)
    fresh = [one for one in await notices.catch_up() if one.kind == "deadline-near"]
    assert [(one.person, one.facts["hours"]) for one in fresh] == [(tender.manager.id, 24)]


async def test_whose_bid_it_is_are_told_of_each_version_and_nobody_else(
    world: World, notices: Noticing
) -> None:
    tender = await published_tender(world)
    bidding, other = await some_suppliers(world, 2)
    colleague = await world.person("Cy Colleague", bidding.organisation, Role.BID_MANAGER)
    await world.person("Al Auditor", bidding.organisation, Role.AUDITOR)
    await submit(other, tender, 1)
    await notices.catch_up()
    bid = await submit(bidding, tender, 1)
    first = await notices.catch_up()
    assert told(first) == each("bid-received", bidding, colleague)
    path = f"/bids/{bid['bid']}"
    again = (await bidding.get(path)).json()
    replaced = await bidding.put(
        path,
        bid_body(asked(tender, 1)),
        version=again["version"],
        headers={"Idempotency-Key": str(uuid4())},
    )
    assert replaced.status_code == 200, replaced.text
    second = await notices.catch_up()
    await _withdraw(bidding, replaced.json())
    third = await notices.catch_up()
    for fresh, act, version in ((second, "bid.replaced", 2), (third, "bid.withdrawn", 3)):
        assert told(fresh) == each("bid-received", bidding, colleague)
        assert {(one.facts["act"], one.facts["version"]) for one in fresh} == {(act, version)}


async def test_the_opening_is_told_to_the_house_and_to_each_bidder_with_its_own_lots(
    world: World, notices: Noticing
) -> None:
    tender = await published_tender(world)
    one, both = await some_suppliers(world, 2)
    withdrawn = (await some_suppliers(world, 1))[0]
    await _withdraw(withdrawn, await submit(withdrawn, tender, 1))
    await submit(both, tender, 2)
    await submit(both, tender, 1)
    await opened_tender(world, tender, [one], bodies={(0, 2): bid_body(asked(tender, 2))})
    fresh = await notices.catch_up()
    assert told(fresh, "bids-opened") == each(
        "bids-opened", tender.manager, tender.guardian, *tender.openers, one, both
    )
    lots = {each.person: each.facts.get("lots") for each in fresh if each.kind == "bids-opened"}
    assert (lots[one.id], lots[both.id], lots[tender.manager.id]) == ([2], [1, 2], None)


async def test_an_interest_stays_silent_until_the_names_are_known(
    world: World, notices: Noticing
) -> None:
    """Had the manager not been told of the deadline, that would have said who bids."""
    tender = await published_tender(world)
    (supplier,) = await some_suppliers(world, 1)
    await submit(supplier, tender, 1)
    await register_interest(world, tender.manager, organisation=str(supplier.organisation))
    await _before_the_deadline(world, tender, hours=20)
    assert told(await notices.catch_up(), "deadline-near") == each(
        "deadline-near", tender.manager, supplier
    )
    await open_bids(world, tender)
    assert told(await notices.catch_up(), "bids-opened") == each(
        "bids-opened", tender.guardian, *tender.openers, supplier
    )


async def test_a_tender_that_is_abandoned_is_told_to_those_who_bid(
    world: World, notices: Noticing
) -> None:
    tender = await published_tender(world)
    bidding, withdrawn, looking = await some_suppliers(world, 3)
    boss = await world.person("Al Administrator", bidding.organisation, Role.ADMINISTRATOR)
    await submit(bidding, tender, 1)
    await submit(bidding, tender, 2)
    await _withdraw(withdrawn, await submit(withdrawn, tender, 1))
    await saved(looking)
    await notices.catch_up()
    reason = "We do without it."
    await tender.act(tender.manager, "/abandonment", {"reason": reason})
    fresh = await notices.catch_up()
    assert told(fresh) == each("tender-abandoned", bidding, boss)
    assert [one.facts["opened"] for one in fresh] == [False, False]
    assert reason not in str(fresh)


async def test_a_draft_that_is_abandoned_is_told_to_nobody(world: World, notices: Noticing) -> None:
    tender = await drafted_tender(world)
    await notices.catch_up()
    await tender.act(tender.manager, "/abandonment", {"reason": "We do without it."})
    assert await notices.catch_up() == []


async def test_an_opened_tender_that_is_abandoned_says_so(world: World, notices: Noticing) -> None:
    opened = await opened_tender(world, count=1)
    await declare(opened.tender.manager, opened.tender)
    await notices.catch_up()
    await opened.tender.act(opened.tender.manager, "/abandonment", {"reason": "We do without."})
    fresh = await notices.catch_up()
    assert told(fresh) == each("tender-abandoned", *opened.suppliers)
    assert fresh[0].facts["opened"] is True
    assert UUID(fresh[0].facts["tender"]) == opened.tender.id
