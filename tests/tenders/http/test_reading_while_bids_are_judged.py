"""What the record and the minutes give away before the opening and while bids are scored."""

from typing import Any

import pytest

from market.actor import Role
from tests.makers.bids import (
    asked,
    bid_body,
    close_bidding,
    confirm,
    declare,
    give_bid,
    open_bids,
    opened_tender,
    some_suppliers,
    submit,
)
from tests.makers.evaluation import moderated_lot
from tests.makers.tenders import (
    PublishedTender,
    approve,
    assign,
    drafted_tender,
    publish,
    published_tender,
)
from tests.makers.world import Person, World


async def auditors(world: World, tender: PublishedTender) -> tuple[Person, Person]:
    """An auditor of the buyer, and another who also scores."""
    organisation = tender.manager.organisation
    scoring = await world.person("Ada", organisation, Role.AUDITOR)
    given = await assign(tender.manager, tender.id, scoring, "quality_evaluator")
    assert given.status_code == 201, given.text
    return await world.person("Audrey", organisation, Role.AUDITOR), scoring


async def events(reader: Person, tender: PublishedTender) -> list[dict[str, Any]]:
    answer = await reader.get(f"{tender.path}/record?limit=200")
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


async def actions(reader: Person, tender: PublishedTender) -> set[str]:
    return {event["action"] for event in await events(reader, tender)}


async def acts_of(
    organisation: object, reader: Person, tender: PublishedTender
) -> list[dict[str, Any]]:
    found = await events(reader, tender)
    return [event for event in found if event["organisation"] == str(organisation)]


# -- declarations and refusals ---------------------------------------------------------------------


async def test_before_the_opening_the_guardian_alone_sees_declarations_and_late_refusals(
    world: World,
) -> None:
    tender = await published_tender(world, lots=1)
    auditor, scoring = await auditors(world, tender)
    for supplier in await some_suppliers(world, 2):
        await submit(supplier, tender, 1)
    await close_bidding(world, tender)
    opener = tender.openers[0]
    assert (await confirm(opener, tender)).status_code == 403  # has not declared: so somebody bids
    await declare(opener, tender, "financial", "I hold shares in them.")
    assert (await confirm(opener, tender)).status_code == 403
    telling = {"interest.declared", "request.refused"}
    for reader in (tender.manager, auditor, scoring):
        assert not await actions(reader, tender) & telling, reader.name
    assert telling <= await actions(tender.guardian, tender)


async def test_one_s_own_late_refusal_stays_to_be_read(world: World) -> None:
    tender = await published_tender(world, lots=1)
    await close_bidding(world, tender)
    assert (await confirm(tender.manager, tender)).status_code == 403
    own = (await events(tender.manager, tender))[-1]
    assert (own["action"], own["person"]) == ("request.refused", str(tender.manager.id))
    auditor = await world.person("Audrey", tender.manager.organisation, Role.AUDITOR)
    assert "request.refused" not in await actions(auditor, tender)


async def test_a_refusal_before_the_deadline_is_no_secret(world: World) -> None:
    tender = await published_tender(world, lots=1)
    assert (await confirm(tender.author, tender)).status_code == 403
    auditor = await world.person("Audrey", tender.manager.organisation, Role.AUDITOR)
    for reader in (tender.manager, tender.guardian, auditor):
        assert "request.refused" in await actions(reader, tender)


async def test_from_the_opening_on_declarations_are_in_the_record(world: World) -> None:
    tender = (await opened_tender(world, await published_tender(world, lots=1), count=1)).tender
    auditor = await world.person("Audrey", tender.manager.organisation, Role.AUDITOR)
    for reader in (tender.manager, tender.guardian, auditor):
        assert "interest.declared" in await actions(reader, tender)


async def test_the_manager_reads_no_declaration_before_the_opening(world: World) -> None:
    tender = await published_tender(world, lots=1)
    await submit((await some_suppliers(world, 1))[0], tender, 1)
    await close_bidding(world, tender)
    await declare(tender.openers[0], tender)
    refused = await tender.manager.get(f"{tender.path}/declarations")
    assert (refused.status_code, refused.json()["type"]) == (409, "/problems/bidders-not-known")
    assert (await tender.guardian.get(f"{tender.path}/declarations")).json()["declarations"] == []


# -- what bidders did ------------------------------------------------------------------------------


async def test_bids_come_into_the_record_at_the_opening_for_those_who_never_score(
    world: World,
) -> None:
    tender = await published_tender(world, lots=1)
    auditor, scoring = await auditors(world, tender)
    (supplier,) = await some_suppliers(world, 1)
    await submit(supplier, tender, 1, bid_body(asked(tender, 1)))
    for reader in (tender.manager, tender.guardian, auditor, scoring):
        assert await acts_of(supplier.organisation, reader, tender) == []
    await open_bids(world, tender)
    # the manager is told once they have declared against those who bid, without an interest
    assert await acts_of(supplier.organisation, tender.manager, tender) == []
    await declare(tender.manager, tender)
    for reader in (tender.manager, tender.guardian):
        (given,) = await acts_of(supplier.organisation, reader, tender)
        assert given["action"] == "bid.submitted"
    # one who audits may be asked to score, so is told no sooner than those who do
    for reader in (auditor, scoring):
        assert await acts_of(supplier.organisation, reader, tender) == []


async def test_a_bidder_s_refused_act_is_withheld_as_its_bid_is(world: World) -> None:
    tender = await published_tender(world, lots=1)
    auditor, _ = await auditors(world, tender)
    (supplier,) = await some_suppliers(world, 1)
    assert (await assign(supplier, tender.id, supplier, "opener")).status_code == 403
    await open_bids(world, tender)
    assert await acts_of(supplier.organisation, auditor, tender) == []
    (refused,) = await acts_of(supplier.organisation, tender.manager, tender)
    assert refused["action"] == "request.refused"


async def test_whoever_was_released_from_scoring_stays_blind_until_quality_is_locked(
    world: World,
) -> None:
    lot = await moderated_lot(world, prices=("1.00",))
    tender = lot.tender
    organisation = tender.manager.organisation
    auditor = await world.person("Audrey", organisation, Role.AUDITOR)
    released = await world.person("Ada", organisation, Role.AUDITOR)
    given = await assign(tender.manager, tender.id, released, "price_evaluator")
    assert given.status_code == 201, given.text
    gone = await tender.manager.delete(f"{tender.path}/duties/{given.json()['id']}")
    assert gone.status_code == 200, gone.text
    bidder = lot.suppliers[0].organisation
    for reader in (auditor, released):
        assert await acts_of(bidder, reader, tender) == []
    await lot.done(tender.moderator, "/evaluation/quality-lock")
    for reader in (auditor, released, tender.manager, tender.guardian):
        assert await acts_of(bidder, reader, tender), reader.name


async def test_one_lot_that_is_still_scored_withholds_the_bids_of_all(world: World) -> None:
    opened = await opened_tender(world, await published_tender(world, lots=2), count=1)
    tender = opened.tender
    auditor = await world.person("Audrey", tender.manager.organisation, Role.AUDITOR)
    await declare(tender.manager, tender)
    bidder = opened.suppliers[0].organisation
    for number, seen in ((1, 0), (2, 2)):
        lot = f"{tender.path}/lots/{number}"
        version = (await tender.manager.get(f"{lot}/evaluation")).json()["version"]
        reason = {"reason": "The need has gone."}
        left = await tender.manager.post(f"{lot}/abandonment", reason, version=version)
        assert left.status_code == 201, left.text
        assert len(await acts_of(bidder, auditor, tender)) == seen


# -- the minutes -----------------------------------------------------------------------------------


async def named(reader: Person, tender: PublishedTender) -> set[bool]:
    """Whether the minutes name suppliers, for each bid."""
    answer = await reader.get(f"{tender.path}/opening")
    assert answer.status_code == 200, answer.text
    bids = [bid for lot in answer.json()["lots"] for bid in lot["bids"]]
    assert bids
    return {bid["supplier"] is not None and bid["received_at"] is not None for bid in bids}


async def test_until_quality_is_locked_the_minutes_name_suppliers_to_openers_and_guardian(
    world: World,
) -> None:
    lot = await moderated_lot(world, prices=("1.00", "2.00"))
    tender = lot.tender
    await declare(tender.guardian, tender)
    others = (
        tender.manager,
        tender.contract_manager,
        tender.moderator,
        tender.price_evaluator,
        *tender.quality_evaluators,
        *tender.approvers,
    )
    for reader in (*tender.openers, tender.guardian):
        assert await named(reader, tender) == {True}, reader.name
    for reader in others:
        assert await named(reader, tender) == {False}, reader.name
    await lot.done(tender.moderator, "/evaluation/quality-lock")
    for reader in (*tender.openers, tender.guardian, *others):
        assert await named(reader, tender) == {True}, reader.name


@pytest.mark.parametrize("duty", ["quality_evaluator", "moderator", "price_evaluator"])
async def test_an_opener_who_scores_or_did_learns_no_name_before_quality_is_locked(
    world: World, duty: str
) -> None:
    tender = await drafted_tender(world, lots=1)
    opener = tender.openers[0]
    given = await assign(tender.manager, tender.id, opener, duty)
    assert given.status_code == 201, given.text
    gone = await tender.manager.delete(f"{tender.path}/duties/{given.json()['id']}")
    assert gone.status_code == 200, gone.text
    await approve(tender)
    await publish(tender)
    assert (await give_bid((await some_suppliers(world, 1))[0], tender, 1)).status_code == 201
    await open_bids(world, tender)
    assert await named(opener, tender) == {False}
    assert await named(tender.openers[1], tender) == {True}
