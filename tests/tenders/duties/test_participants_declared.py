"""What the lead of a bid declares for those who take part in it: held together, and kept apart."""

from typing import Any
from uuid import UUID

import pytest

from tests.makers.bids import open_bids, some_suppliers
from tests.makers.conflicts import problem
from tests.makers.participants import DECLARED
from tests.makers.participants import bid_with as bid
from tests.makers.participants import consortium_member as member
from tests.makers.participants import subcontractor as named
from tests.makers.tenders import PublishedTender, published_tender
from tests.makers.world import Person, World


@pytest.fixture
async def tender(world: World) -> PublishedTender:
    return await published_tender(world, lots=1)


@pytest.fixture
async def suppliers(world: World) -> tuple[Person, ...]:
    return await some_suppliers(world, 1)


@pytest.mark.parametrize(
    ("participant", "field"),
    [
        (named("A", share=None), "participants[0].share"),
        (named("A", share="0"), "participants[0].share"),
        (named("A", share="100.01"), "participants[0].share"),
        (named("A", share="12.345"), "participants[0].share"),
        (member(UUID(int=7)) | {"share": "10"}, "participants[0].share"),
        (
            named("A", declaration={**DECLARED, "consents": False}),
            "participants[0].declaration.consents",
        ),
        (
            named("A", declaration={**DECLARED, "exclusion_grounds": "grounds_disclosed"}),
            "participants[0].declaration.details",
        ),
        (
            named("A", declaration={**DECLARED, "details": "Nothing much."}),
            "participants[0].declaration.details",
        ),
    ],
)
async def test_a_declaration_that_does_not_hold_together_is_refused_with_its_place(
    tender: PublishedTender, suppliers: tuple[Person, ...], participant: Any, field: str
) -> None:
    answer = await bid(suppliers[0], tender, participant)
    assert problem(answer) == (400, "participants-faulty")
    assert field in [fault["field"] for fault in answer.json()["errors"]]


async def test_shares_are_parts_of_a_hundred_per_cent_and_a_declaration_is_needed(
    tender: PublishedTender, suppliers: tuple[Person, ...]
) -> None:
    lead = suppliers[0]
    answer = await bid(lead, tender, named("A", share="60.5"), named("B", share="39.51"))
    assert "add up to 100.01 per cent" in answer.text
    undeclared = named("A")
    del undeclared["declaration"]
    answer = await bid(lead, tender, undeclared)
    assert (answer.status_code, "declaration" in answer.text) == (400, True)
    answer = await bid(lead, tender, named("A", share="60.5"), named("B", share="39.50"))
    assert answer.status_code == 201, answer.text


async def test_what_is_declared_is_shown_to_those_who_may_know_whose_bid_is_whose(
    world: World, tender: PublishedTender, suppliers: tuple[Person, ...]
) -> None:
    details = "A fine of 2019; the directors responsible have left."
    disclosed = {**DECLARED, "exclusion_grounds": "grounds_disclosed", "details": details}
    await bid(suppliers[0], tender, named("Small Ltd", share="12.50", declaration=disclosed))
    await open_bids(world, tender)
    path = f"{tender.path}/bidders"
    for person in (tender.guardian, tender.openers[0]):
        (bidder,) = (await person.get(path)).json()
        assert bidder["participants"] == [
            {
                "role": "subcontractor",
                "name": "Small Ltd",
                "declared": [
                    {
                        "lot_number": 1,
                        "variant": 0,
                        "share": "12.5",
                        "exclusion_grounds": "grounds_disclosed",
                        "details": details,
                    }
                ],
            }
        ]
    for person in (tender.quality_evaluators[0], tender.moderator, tender.price_evaluator):
        (bidder,) = (await person.get(path)).json()
        assert bidder["participants"] == [
            {"role": "subcontractor", "name": "Small Ltd", "declared": []}
        ]
