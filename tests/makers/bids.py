"""Bids in tests: complete ones, given through HTTP, and tenders whose bids are opened."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

import httpx
import msgspec

from tenders.rules.requirement import Lot, leaves
from tests.makers.clock import advance_to
from tests.makers.snapshots import remembered
from tests.makers.suppliers import admitted_supplier
from tests.makers.tenders import PublishedTender, published_tender
from tests.makers.world import Person, World


class OpenedTender(msgspec.Struct, kw_only=True):
    """A tender whose quality envelopes are open, who bid in it, and what they were told."""

    tender: PublishedTender
    suppliers: tuple[Person, ...]
    bids: dict[tuple[Person, int], dict[str, Any]]
    """The answer to each submission, by bid manager and lot."""


def asked(tender: PublishedTender, lot_number: int) -> Lot:
    """What a lot of the tender asks for."""
    lots = [lot for lot in tender.requirement["lots"] if lot["number"] == lot_number]
    return msgspec.convert(lots[0], Lot)


def bid_body(
    lot: Lot,
    *,
    unit_prices: Mapping[str, str] | str = "100.00",
    quality_text: Mapping[str, str] | str = "We will do it thus.",
) -> dict[str, Any]:
    """A complete bid for a lot: one text and one price for everything, or by code."""
    texts, prices = quality_text, unit_prices
    return {
        "quality": {
            "answers": [
                {
                    "criterion": leaf.code,
                    "text": texts if isinstance(texts, str) else texts[leaf.code],
                }
                for leaf in leaves(lot)
            ]
        },
        "price": {
            "prices": [
                {
                    "item": item.code,
                    "unit_price": prices if isinstance(prices, str) else prices[item.code],
                }
                for item in lot.price_items
            ]
        },
    }


async def give_bid(
    person: Person,
    tender: PublishedTender,
    lot_number: int,
    body: dict[str, Any] | None = None,
    **options: Any,
) -> httpx.Response:
    """Send a bid, whatever the answer; complete unless a body says otherwise."""
    given = bid_body(asked(tender, lot_number)) if body is None else body
    return await person.post(f"{tender.path}/lots/{lot_number}/bids", given, **options)


async def submit(
    person: Person, tender: PublishedTender, lot_number: int, body: dict[str, Any] | None = None
) -> dict[str, Any]:
    """Give a bid that must be accepted, and return the answer."""
    answer = await give_bid(person, tender, lot_number, body)
    assert answer.status_code == 201, answer.text
    given: dict[str, Any] = answer.json()
    return given


@remembered
async def some_suppliers(world: World, count: int) -> tuple[Person, ...]:
    """The bid managers of so many admitted suppliers."""
    return tuple([await admitted_supplier(world, f"Supplier {n}") for n in range(1, count + 1)])


async def close_bidding(world: World, tender: PublishedTender) -> None:
    """Let the deadline pass."""
    await advance_to(world, tender.deadline + timedelta(minutes=1))


async def declare(
    person: Person, tender: PublishedTender, interest: str = "none", details: str = ""
) -> httpx.Response:
    """Declare the same about every bidder; the answer must be good."""
    bidders = await person.get(f"{tender.path}/bidders")
    assert bidders.status_code == 200, bidders.text
    declarations = [
        {"bidder": bidder["organisation"], "interest": interest, "details": details}
        for bidder in bidders.json()
    ]
    if not declarations:
        return bidders
    answer = await person.post(f"{tender.path}/declarations", {"declarations": declarations})
    assert answer.status_code == 201, answer.text
    return answer


async def confirm(person: Person, tender: PublishedTender, **options: Any) -> httpx.Response:
    """Confirm the opening, whatever the answer."""
    return await person.post(f"{tender.path}/opening-confirmations", **options)


async def open_bids(world: World, tender: PublishedTender) -> None:
    """Let the deadline pass, and both openers declare and confirm."""
    await close_bidding(world, tender)
    for opener in tender.openers:
        await declare(opener, tender)
        answer = await confirm(opener, tender)
        assert answer.status_code == 201, answer.text
    view = await tender.manager.get(tender.path)
    tender.version = view.json()["version"]


@remembered
async def opened_tender(
    world: World,
    tender: PublishedTender | None = None,
    suppliers: Sequence[Person] | None = None,
    *,
    bodies: Mapping[tuple[int, int], dict[str, Any]] | None = None,
    count: int = 3,
) -> OpenedTender:
    """A tender in which every supplier bid for every lot, and whose quality envelopes are open.

    `bodies` gives bids by the supplier's place in the sequence (from 0) and the lot's number; with
    it, only those bids are given.
    """
    tender = await published_tender(world) if tender is None else tender
    people = tuple(suppliers) if suppliers is not None else await some_suppliers(world, count)
    if bodies is None:
        lots = [lot["number"] for lot in tender.requirement["lots"]]
        bodies = {
            (place, lot): bid_body(
                asked(tender, lot),
                unit_prices=f"{100 + 10 * place}.00",
                quality_text=f"Answer number {place} for lot {lot}.",
            )
            for place in range(len(people))
            for lot in lots
        }
    bids = {}
    for (place, lot), body in bodies.items():
        bids[people[place], lot] = await submit(people[place], tender, lot, body)
    await open_bids(world, tender)
    return OpenedTender(tender=tender, suppliers=people, bids=bids)
