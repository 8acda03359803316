"""What the change feed shows of a tender, to whom and from when: no bid before the opening."""

import json
from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest

from market.actor import Role
from market.background import Workbench
from tests.makers.bids import (
    close_bidding,
    confirm,
    declare,
    some_suppliers,
    submit,
)
from tests.makers.feed import feed, number, types
from tests.makers.systems import key_body, keyed
from tests.makers.tenders import (
    PublishedTender,
    created_tender,
    drafted_tender,
    published_tender,
)
from tests.makers.world import Person, World

_OF_BIDS = {"bid.submitted", "bid.replaced", "bid.withdrawn"}


class Stage(msgspec.Struct, frozen=True, kw_only=True):
    """A tender with two bidders, and everybody who might look at it."""

    world: World
    bench: Workbench
    tender: PublishedTender
    bidder: Person
    rival: Person
    bidders_colleague: Person
    auditor: Person
    commissioner: Person

    async def seen_by(self, reader: Person | World) -> list[dict[str, Any]]:
        """What a reader sees of the tender."""
        await number(self.bench)
        return await feed(reader, f"tender={self.tender.id}")


@pytest.fixture
async def stage(world: World, bench: Workbench) -> Stage:
    """A published tender that two suppliers have bid in; one has replaced its bid."""
    tender = await published_tender(world)
    bidder, rival = await some_suppliers(world, 2)
    for supplier in (bidder, rival):
        for lot in (1, 2):
            await submit(supplier, tender, lot)
    return Stage(
        world=world,
        bench=bench,
        tender=tender,
        bidder=bidder,
        rival=rival,
        bidders_colleague=await world.person("Cy", bidder.organisation, Role.ADMINISTRATOR),
        auditor=await world.person("Aud", tender.manager.organisation, Role.AUDITOR),
        commissioner=await world.person("Cora", tender.manager.organisation, Role.COMMISSIONER),
    )


def tells_of(items: list[dict[str, Any]], *people: Person) -> bool:
    """Whether anything in some events names one of these people or their organisation."""
    text = json.dumps(items)
    return any(str(one.id) in text or str(one.organisation) in text for one in people)


async def _until_opened(stage: Stage) -> AsyncIterator[str]:
    """Everything that happens until the bids are opened, step by step."""
    yield "bids are in"
    await close_bidding(stage.world, stage.tender)
    yield "closed"
    one, other = stage.tender.openers
    for opener in (one, other):
        await declare(opener, stage.tender)
    yield "declared"
    assert (await confirm(one, stage.tender)).status_code == 201
    yield "confirmed by one"


async def test_until_the_opening_nobody_learns_of_a_bid_but_its_bidder(stage: Stage) -> None:
    tender = stage.tender
    opened_to_all = types(await stage.seen_by(stage.world))
    assert opened_to_all == ["tender.published"]
    async for moment in _until_opened(stage):
        strangers = (stage.world, stage.bidders_colleague)
        for reader in strangers:
            items = await stage.seen_by(reader)
            assert types(items) == ["tender.published"], moment
            assert not items[0]["whole"]
        mine = await stage.seen_by(stage.rival)
        assert types(mine) == ["tender.published", "bid.submitted", "bid.submitted"], moment
        assert not tells_of(mine, stage.bidder)
        house = (
            tender.manager,
            tender.author,
            tender.guardian,
            stage.auditor,
            stage.commissioner,
            tender.moderator,
            *tender.openers,
            *tender.quality_evaluators,
            tender.price_evaluator,
            *tender.approvers,
        )
        for reader in house:
            items = await stage.seen_by(reader)
            assert not _OF_BIDS & set(types(items)), (moment, reader.name)
            assert not tells_of(items, stage.bidder, stage.rival), (moment, reader.name)
            # how many bidders there are is in what an opener declared themselves, and nowhere else
            counted = [
                one for one in items if "bidders" in one["details"] or "bids" in one["details"]
            ]
            assert {one["person"] for one in counted} <= {
                str(reader.id),
                *(str(one.id) for one in tender.openers if reader is tender.guardian),
            }, (moment, reader.name)
        for reader in (*house, stage.rival, *strangers):
            numbers = {one["tender_number"] for one in await stage.seen_by(reader)}
            assert numbers <= {None}, moment


async def test_after_the_opening_the_record_s_readers_see_it_whole_and_others_that_it_was(
    stage: Stage,
) -> None:
    tender = stage.tender
    async for _ in _until_opened(stage):
        pass
    assert (await confirm(tender.openers[1], tender)).status_code == 201
    before = await stage.seen_by(tender.manager)
    assert not _OF_BIDS & set(types(before))  # the manager has not declared against the bidders
    await declare(tender.manager, tender)
    whole = await stage.seen_by(tender.manager)
    assert types(whole).count("bid.submitted") == 4
    assert {one["tender_number"] for one in whole} <= set(range(1, len(whole) + 50))
    assert None not in {one["tender_number"] for one in whole}
    positions = [one["position"] for one in whole]
    assert positions == sorted(positions)
    [opened] = [one for one in whole if one["type"] == "tender.opened"]
    assert (opened["whole"], opened["details"]) == (True, {"bids": 4})
    # what became visible keeps the place that it had: before the opening
    bids = [one["position"] for one in whole if one["type"] == "bid.submitted"]
    assert max(bids) < opened["position"]
    for reader in (stage.world, stage.commissioner, stage.bidders_colleague):
        public = [one for one in await stage.seen_by(reader) if one["type"] == "tender.opened"]
        assert [(one["whole"], one["details"], one["tender_number"]) for one in public] == [
            (False, {}, None)
        ]
    # who scores blind learns nothing about whose bid is whose, the auditor neither
    for reader in (*tender.quality_evaluators, tender.moderator, stage.auditor):
        items = await stage.seen_by(reader)
        assert not _OF_BIDS & set(types(items))
        assert not tells_of(items, stage.bidder, stage.rival)
    mine = [one for one in await stage.seen_by(stage.rival) if one["type"] == "bid.submitted"]
    assert len(mine) == 2
    assert not tells_of(mine, stage.bidder)


async def test_bids_are_the_bid_managers_alone_in_their_own_organisation(stage: Stage) -> None:
    """Staff of a support unit who help a group to buy are to know nothing of what it bids."""
    second = await stage.world.person("Bo", stage.bidder.organisation, Role.BID_MANAGER)
    assert types(await stage.seen_by(second)) == ["tender.published"] + ["bid.submitted"] * 2
    for role in (Role.ADMINISTRATOR, Role.COMMISSIONER, Role.PROCUREMENT_LEAD, Role.AUDITOR):
        other = await stage.world.person("Otto", stage.bidder.organisation, role)
        assert types(await stage.seen_by(other)) == ["tender.published"], role


async def test_a_bidder_s_system_sees_its_bids_and_no_other(stage: Stage) -> None:
    system = await keyed(stage.bidder, **key_body(scopes=["events:read", "bids:write"]))
    assert types(await stage.seen_by(system)) == ["tender.published"] + ["bid.submitted"] * 2
    elsewhere = await keyed(stage.rival, **key_body(scopes=["events:read"]))
    items = await stage.seen_by(elsewhere)
    assert not tells_of(items, stage.bidder)


async def test_a_draft_is_seen_by_those_who_work_on_it_and_those_who_read_the_buyer_s_drafts(
    world: World, bench: Workbench
) -> None:
    tender = await drafted_tender(world)
    buyer = tender.manager.organisation
    query = f"tender={tender.id}"
    await number(bench)
    everything = await feed(tender.manager, query)
    assert {"tender.created", "duty.assigned", "requirement.edited"} <= set(types(everything))
    for role, sees in (
        (Role.PROCUREMENT_LEAD, True),
        (Role.COMMISSIONER, True),
        (Role.ADMINISTRATOR, False),
        (Role.LAY_MEMBER, False),
    ):
        reader = await world.person(f"Reader {role}", buyer, role)
        seen = set(types(await feed(reader, query)))
        assert ("requirement.edited" in seen) == sees, role
        assert "duty.assigned" not in seen
    auditor = await world.person("Aud", buyer, Role.AUDITOR)
    assert await feed(auditor, query) == everything
    supplier = (await some_suppliers(world, 1))[0]
    for stranger in (world, supplier):
        assert await feed(stranger, query) == []


async def test_a_tender_that_was_never_published_is_abandoned_without_a_word(
    world: World, bench: Workbench
) -> None:
    lead = await world.person("Lee", await world.organisation("06F"), Role.PROCUREMENT_LEAD)
    draft = await created_tender(lead)
    path = f"/tenders/{draft['id']}/abandonment"
    version = (await lead.get(f"/tenders/{draft['id']}")).json()["version"]
    answer = await lead.post(path, {"reason": "Nobody needs it."}, version=version)
    assert answer.status_code == 200, answer.text
    tender = await published_tender(world)
    await tender.act(tender.manager, "/abandonment", {"reason": "The money is gone."})
    await number(bench)
    public = await feed(world, "type=tender.*")
    assert types(public) == ["tender.published", "tender.abandoned"]
    assert {one["tender"] for one in public} == {str(tender.id)}
    assert public[1]["details"] == {}
    published = public[0]["details"]
    assert set(published) == {"reference", "requirement", "digest", "rule_set", "deadline", "draw"}
    shown = (await world.public(tender.path)).json()
    assert published["reference"] == shown["reference"]
    assert await feed(world, f"subject={draft['id']}") == []
