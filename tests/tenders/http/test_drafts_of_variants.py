"""A draft has the form of a bid: it may say which variant it is, and participants are declared."""

import asyncio
from typing import Any

import pytest

from tests.makers.bids import asked, bid_body
from tests.makers.conflicts import problem
from tests.makers.participants import subcontractor
from tests.makers.suppliers import admitted_supplier
from tests.makers.tenders import PublishedTender, published_tender, requirement_of
from tests.makers.world import Person, World
from tests.tenders.rules.documents import lot_document

REFUSED = (409, "variant-refused")
RULES = {"most": 2, "minimum_requirements": "Reports by the fifth working day."}


@pytest.fixture
async def tender(world: World) -> PublishedTender:
    """Lot 1 takes two variants of each bidder, lot 2 none."""
    lots = [{**lot_document(1), "variants": RULES}, lot_document(2)]
    return await published_tender(world, requirement=requirement_of(2, lots=lots))


@pytest.fixture
async def bidder(world: World) -> Person:
    return await admitted_supplier(world, "Greensand Analytics")


def draft_of(tender: PublishedTender, variant: int | None, lot: int = 1, act: str = "") -> str:
    which = "" if variant is None else f"?variant={variant}"
    return f"{tender.path}/lots/{lot}/bid-draft{act}{which}"


def whole(tender: PublishedTender, text: str = "Thus.", **more: Any) -> dict[str, Any]:
    return {**bid_body(asked(tender, 1), quality_text=text), **more}


async def test_a_draft_of_a_variant_that_is_not_taken_is_refused(
    tender: PublishedTender, bidder: Person
) -> None:
    assert problem(await bidder.put(draft_of(tender, 3), {})) == REFUSED
    assert problem(await bidder.put(draft_of(tender, 1, lot=2), {})) == REFUSED
    # the place says which variant; what the body says must agree
    assert problem(await bidder.put(draft_of(tender, 1), {"variant": 2})) == REFUSED
    assert problem(await bidder.put(draft_of(tender, None), {"variant": 1})) == REFUSED
    for number in (-1, 21):
        assert (await bidder.put(draft_of(tender, number), {})).status_code == 400
    assert (await bidder.put(draft_of(tender, 1), {"variant": 1})).status_code == 200


async def test_of_many_first_saves_of_one_variant_one_is_the_draft(
    tender: PublishedTender, bidder: Person, superuser: Any
) -> None:
    answers = await asyncio.gather(*[bidder.put(draft_of(tender, 1), {}) for _ in range(4)])
    assert [answer.status_code for answer in answers].count(200) == 1
    assert await superuser.fetchval("SELECT count(*) FROM bid_draft") == 1


async def test_a_participant_of_a_draft_is_declared_before_it_is_a_bid(
    tender: PublishedTender, bidder: Person
) -> None:
    undeclared = subcontractor("Small Ltd") | {"declaration": None}
    body = whole(tender, participants=[undeclared])
    assert (await bidder.put(draft_of(tender, None), body)).json()["faults"] == 1
    faults = (await bidder.get(draft_of(tender, None, act="/faults"))).json()["faults"]
    assert [fault["field"] for fault in faults] == ["participants[0].declaration"]
    refusal = await bidder.post(draft_of(tender, None, act="/submission"), version=1)
    assert problem(refusal) == (400, "bid-incomplete")
    body = whole(tender, participants=[subcontractor("Small Ltd", share="12.50")])
    assert (await bidder.put(draft_of(tender, None), body, version=1)).json()["faults"] == 0
    given = await bidder.post(draft_of(tender, None, act="/submission"), version=2)
    assert given.status_code == 201, given.text
    (version,) = (await bidder.get(f"/bids/{given.json()['bid']}")).json()["versions"]
    assert [(one["name"], one["share"]) for one in version["participants"]] == [
        ("Small Ltd", "12.5")
    ]
