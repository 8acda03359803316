"""Whom the notices about duties, reviews and interests reach, and that nobody who is out of it."""

from datetime import timedelta

from market.actor import Role
from tests.makers.bids import close_bidding, confirm, declare, open_bids, some_suppliers, submit
from tests.makers.clock import advance_to
from tests.makers.evaluation import lot_to_score
from tests.makers.noticing import Noticing, each, told
from tests.makers.recusals import decide_conflict, register_interest
from tests.makers.tenders import (
    created_tender,
    drafted_tender,
    offer,
    published_tender,
    take_up,
)
from tests.makers.world import World


async def test_a_duty_is_told_to_whom_it_is_given_until_they_have_taken_it_up(
    world: World, notices: Noticing
) -> None:
    group = await world.organisation("06F")
    manager = await world.person("Mary Manager", group, Role.PROCUREMENT_LEAD)
    author = await world.person("Arthur Author", group, Role.COMMISSIONER)
    tender = (await created_tender(manager))["id"]
    assert await notices.catch_up() == []
    assert (await offer(manager, tender, author, "author")).status_code == 201
    fresh = await notices.catch_up()
    assert told(fresh) == each("duty-offered", author)
    assert fresh[0].facts["duty"] == "author"
    # what was taken up, or released, before anybody could be told, is not told
    reviewer = await world.person("Ruth Reviewer", group, Role.COMMISSIONER)
    await offer(manager, tender, reviewer, "reviewer")
    await take_up(reviewer, tender)
    opener = await world.person("Olive Opener", group, Role.COMMISSIONER)
    given = await offer(manager, tender, opener, "opener")
    released = await manager.delete(f"/tenders/{tender}/duties/{given.json()['id']}")
    assert released.status_code in {200, 204}, released.text
    # nor what somebody gives themselves
    await offer(manager, tender, manager, "opener")
    assert await notices.catch_up() == []


async def test_a_review_is_asked_of_reviewers_and_its_answer_told_to_authors_and_manager(
    world: World, notices: Noticing
) -> None:
    tender = await drafted_tender(world)
    other = await world.person("Rolf", tender.manager.organisation, Role.COMMISSIONER)
    assert (await offer(tender.manager, tender.id, other, "reviewer")).status_code == 201
    await notices.catch_up()
    for outcome, action in (("returned", False), ("approved", True)):
        await tender.act(tender.manager, "/review-requests")
        assert told(await notices.catch_up()) == each("review-requested", tender.reviewer)
        comments = f"It is {outcome} with this telling remark."
        await tender.act(tender.reviewer, "/reviews", {"outcome": outcome, "comments": comments})
        fresh = await notices.catch_up()
        assert told(fresh) == each("requirement-reviewed", tender.manager, tender.author)
        assert {one.facts["approved"] for one in fresh} == {action}
        assert "telling" not in str(fresh)


async def test_declarations_are_due_of_openers_and_guardian_first_and_then_of_the_panel(
    world: World, notices: Noticing
) -> None:
    tender = await published_tender(world)
    (supplier,) = await some_suppliers(world, 1)
    await submit(supplier, tender, 1)
    await notices.catch_up()
    await close_bidding(world, tender)
    first = each("declaration-due", *tender.openers, tender.guardian)
    assert told(await notices.catch_up(), "declaration-due") == first
    await declare(tender.guardian, tender)
    for opener in tender.openers:
        await declare(opener, tender)
        await confirm(opener, tender)
    panel = each(
        "declaration-due",
        tender.manager,
        *tender.quality_evaluators,
        tender.moderator,
        tender.price_evaluator,
        *tender.approvers,
        tender.contract_manager,
    )
    assert told(await notices.catch_up(), "declaration-due") == panel
    assert told(await notices.catch_up(), "declaration-due") == []


async def test_without_a_bid_nothing_is_to_be_declared(world: World, notices: Noticing) -> None:
    tender = await published_tender(world)
    await close_bidding(world, tender)
    assert told(await notices.catch_up(), "declaration-due") == []


async def test_who_joins_after_the_opening_is_asked_to_declare_too(
    world: World, notices: Noticing
) -> None:
    lot = await lot_to_score(world)
    late = await world.person("Lee Late", lot.tender.manager.organisation, Role.COMMISSIONER)
    await notices.catch_up()
    await advance_to(world, lot.tender.deadline + timedelta(days=30))
    given = await offer(lot.tender.manager, lot.tender.id, late, "contract_manager")
    assert given.status_code == 201, given.text
    assert told(await notices.catch_up(), "duty-offered", "declaration-due") == each(
        "duty-offered", late
    )
    await take_up(late, lot.tender.id)
    assert told(await notices.catch_up(), "declaration-due") == each("declaration-due", late)


async def test_an_interest_waits_for_the_guardian_who_is_told_neither_whose_nor_in_whom(
    world: World, notices: Noticing
) -> None:
    tender = await published_tender(world)
    (supplier,) = await some_suppliers(world, 1)
    await submit(supplier, tender, 1)
    await open_bids(world, tender)
    evaluator = tender.quality_evaluators[0]
    await notices.catch_up()
    await declare(evaluator, tender, "financial", "Shares, held for long.")
    fresh = await notices.catch_up()
    assert told(fresh) == each("conflict-to-decide", tender.guardian)
    assert fresh[0].facts["declared"] is False
    assert not [word for word in ("Shares", evaluator.name, "Supplier 1") if word in str(fresh)]
    assert str(supplier.organisation) not in str(fresh)
    # the same again is not told again, and something new after the decision is
    await declare(evaluator, tender, "financial", "Shares.")
    assert await notices.catch_up() == []
    await declare(tender.guardian, tender)
    decided = await decide_conflict(tender.guardian, tender, evaluator, supplier, "no_action")
    assert decided.status_code == 201, decided.text
    await notices.catch_up()
    await register_interest(world, evaluator, organisation=str(supplier.organisation))
    fresh = await notices.catch_up()
    assert told(fresh) == each("conflict-to-decide", tender.guardian)
    assert fresh[0].facts["declared"] is True


async def test_an_interest_that_the_market_finds_waits_too_though_none_was_declared(
    world: World, notices: Noticing
) -> None:
    tender = await published_tender(world)
    (supplier,) = await some_suppliers(world, 1)
    await submit(supplier, tender, 1)
    approver = tender.approvers[0]
    await register_interest(world, approver, organisation=str(supplier.organisation))
    assert told(await notices.catch_up(), "conflict-to-decide") == []
    await open_bids(world, tender)
    assert told(await notices.catch_up(), "conflict-to-decide") == []
    await declare(approver, tender)
    assert told(await notices.catch_up()) == each("conflict-to-decide", tender.guardian)


async def test_a_guardian_is_not_asked_about_their_own_interest(
    world: World, notices: Noticing
) -> None:
    tender = await published_tender(world)
    (supplier,) = await some_suppliers(world, 1)
    await submit(supplier, tender, 1)
    await open_bids(world, tender)
    await notices.catch_up()
    await declare(tender.guardian, tender, "financial", "Shares.")
    assert await notices.catch_up() == []
    await declare(tender.moderator, tender, "financial", "Shares.")
    assert told(await notices.catch_up(), "conflict-to-decide") == []


async def test_who_is_out_of_the_tender_is_told_nothing_more_of_it(
    world: World, notices: Noticing
) -> None:
    tender = await published_tender(world)
    (supplier,) = await some_suppliers(world, 1)
    await submit(supplier, tender, 1)
    await open_bids(world, tender)
    for person in (tender.manager, tender.guardian):
        await declare(person, tender)
    out, stays = tender.quality_evaluators
    removed = await decide_conflict(tender.guardian, tender, out, supplier, "removed")
    assert removed.status_code == 201, removed.text
    held = (await tender.manager.get(f"{tender.path}/duties")).json()
    of_moderator = next(d["id"] for d in held if d["person"] == str(tender.moderator.id))
    await tender.manager.delete(f"{tender.path}/duties/{of_moderator}")
    fresh = await notices.catch_up()
    due = {person for _, person in told(fresh, "declaration-due", "scores-due")}
    assert out.id not in due
    assert tender.moderator.id not in due
    assert stays.id in due
    await declare(stays, tender)
    assert told(await notices.catch_up()) == each("scores-due", stays)
