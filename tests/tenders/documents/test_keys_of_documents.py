"""A document's key travels in the envelope that lists it: whoever keeps the lot's key."""

import asyncio
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from tenders.rules.documents import NO_KEY, NOT_STORED
from tests.makers.bids import give_bid, open_bids, submit
from tests.makers.documents import (
    PDF,
    announced,
    begun,
    bid_with,
    path_of,
    sealed_document,
    uploaded,
)
from tests.makers.officers import confirmed, released, resumed, tender_of_officers
from tests.makers.sealed import sealed_body, send_sealed
from tests.makers.suppliers import admitted_supplier
from tests.makers.tenders import PublishedTender, published_tender
from tests.makers.world import Person, World

PRICES = b"item,price\nA,100.00\n" * 500
CSV = {"name": "Prices.csv", "media_type": "text/csv", "envelope": "price"}
KEYS = "SELECT document::text FROM document_key"


@pytest.fixture
async def tender(world: World) -> PublishedTender:
    return await published_tender(world)


@pytest.fixture
async def bidder(world: World) -> Person:
    return await admitted_supplier(world, "Kingfisher Analytics")


async def kept_keys(superuser: Any) -> list[str]:
    """Of which documents the market has a key."""
    return [row[0] for row in await superuser.fetch(KEYS)]


async def test_the_market_erases_its_copy_of_a_key_when_a_bid_lists_the_document(
    bidder: Person, tender: PublishedTender, superuser: Any
) -> None:
    listed, other = await uploaded(bidder, tender), await uploaded(bidder, tender)
    assert sorted(await kept_keys(superuser)) == sorted([listed["id"], other["id"]])
    refused = await give_bid(bidder, tender, 1, bid_with(tender, [listed, listed]))
    assert refused.status_code == 400
    assert len(await kept_keys(superuser)) == 2
    await submit(bidder, tender, 1, bid_with(tender, [listed]))
    assert await kept_keys(superuser) == [other["id"]]


async def test_a_replaced_bid_lists_documents_uploaded_anew_and_those_before_may_go(
    world: World, bidder: Person, tender: PublishedTender
) -> None:
    before = await uploaded(bidder, tender)
    sealed, key = await sealed_document(bidder, tender, PDF * 2)
    given = await submit(bidder, tender, 1, bid_with(tender, [before, sealed], keys=[key]))
    path = f"/bids/{given['bid']}"
    body = bid_with(tender, [before, sealed], keys=[key])
    refused = await _put(bidder, path, body)
    assert [fault["field"] for fault in refused.json()["errors"]] == ["quality.documents[0].id"]
    assert "upload it anew" in refused.json()["errors"][0]["reason"]
    assert (await bidder.delete(f"/bid-documents/{before['id']}")).status_code == 409
    after = await uploaded(bidder, tender)
    replaced = await _put(bidder, path, bid_with(tender, [after, sealed], keys=[key]))
    assert replaced.status_code == 200, replaced.text
    assert (await bidder.delete(f"/bid-documents/{before['id']}")).status_code == 200
    await open_bids(world, tender)
    opener = tender.openers[0]
    for one, content in ((after, PDF), (sealed, PDF * 2)):
        read = await opener.get(f"{path_of(tender)}/{one['id']}")
        assert (read.status_code, read.content) == (200, content)
    assert (await opener.get(f"{path_of(tender)}/{before['id']}")).status_code == 404


async def _put(bidder: Person, path: str, body: dict[str, Any]) -> httpx.Response:
    """Put another bid in the place of a first version, whatever the answer."""
    return await bidder.put(path, body, version=1, headers={"Idempotency-Key": str(uuid4())})


async def test_of_bids_given_at_once_one_has_the_document_and_its_key(
    world: World, bidder: Person, tender: PublishedTender
) -> None:
    one = await uploaded(bidder, tender)
    answers = await asyncio.gather(
        *(give_bid(bidder, tender, 1, bid_with(tender, [one])) for _ in range(5))
    )
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409, 409]
    await open_bids(world, tender)
    read = await tender.openers[0].get(f"{path_of(tender)}/{one['id']}")
    assert (read.status_code, read.content) == (200, PDF)


async def test_a_draft_lists_documents_says_what_is_wrong_with_them_and_becomes_the_bid(
    world: World, bidder: Person, tender: PublishedTender, superuser: Any
) -> None:
    unfinished = await begun(bidder, tender, announced())
    one, prices = await uploaded(bidder, tender), await uploaded(bidder, tender, PRICES, **CSV)
    sealed, key = await sealed_document(bidder, tender, PDF)
    path = f"{tender.path}/lots/1/bid-draft"
    body = bid_with(tender, [one, one | {"id": unfinished.rpartition("/")[2]}, sealed], [prices])
    saved = await bidder.put(path, body)
    assert (saved.status_code, saved.json()["faults"]) == (200, 2), saved.text
    faults = (await bidder.get(f"{path}/faults")).json()["faults"]
    assert {fault["field"] for fault in faults} == {"quality.documents[1].id", "document_keys"}
    assert one["id"] in await kept_keys(superuser)
    body = bid_with(tender, [one, sealed], [prices], keys=[key])
    saved = await bidder.put(path, body, version=saved.json()["version"])
    given = await bidder.post(f"{path}/submission", version=saved.json()["version"])
    assert given.status_code == 201, given.text
    assert await kept_keys(superuser) == [unfinished.rpartition("/")[2]]
    await open_bids(world, tender)
    for of in (one, sealed):
        read = await tender.openers[0].get(f"{path_of(tender)}/{of['id']}")
        assert (read.status_code, read.content) == (200, PDF)


async def test_what_officers_release_opens_the_documents_of_its_envelope_and_of_no_other(
    world: World, bidder: Person, superuser: Any
) -> None:
    tender, officers = await tender_of_officers(world, lots=1)
    first, second, _ = officers
    quality, price = await uploaded(bidder, tender), await uploaded(bidder, tender, PRICES, **CSV)
    given = await submit(bidder, tender, 1, bid_with(tender, [quality], [price]))
    await confirmed(world, tender, officers)
    path = f"{path_of(tender)}/{quality['id']}"
    assert (await first.person.get(path)).status_code == 404
    assert await kept_keys(superuser) == []
    await released(tender, first, second)
    opened = await resumed(first.person, tender)
    assert (opened.status_code, opened.json()["opened"]) == (201, 1), opened.text
    read = await first.person.get(path)
    assert (read.status_code, read.content) == (200, PDF)
    assert (await first.person.get(f"{path_of(tender)}/{price['id']}")).status_code == 404
    rows = await superuser.fetch("SELECT document, bid FROM opened_document")
    assert [tuple(row) for row in rows] == [(UUID(quality["id"]), UUID(given["bid"]))]


async def test_a_bid_sealed_before_sending_brings_the_keys_of_the_documents_it_names(
    world: World, bidder: Person, tender: PublishedTender
) -> None:
    """What it lists without a key, or without naming it, is told after the opening."""
    good, key = await sealed_document(bidder, tender, PDF)
    keyless, _ = await sealed_document(bidder, tender, PDF)
    unnamed, other = await sealed_document(bidder, tender, PDF)
    body = bid_with(tender, [good, keyless, unnamed])
    sealed = await sealed_body(bidder, tender, body, keys=[key, other])
    given = await send_sealed(bidder, tender, sealed | {"documents": [good["id"], keyless["id"]]})
    assert given.status_code == 201, given.text
    assert (await bidder.delete(f"/bid-documents/{good['id']}")).status_code == 409
    await open_bids(world, tender)
    opener, path = tender.openers[0], path_of(tender)
    read = await opener.get(f"{path}/{good['id']}")
    assert (read.status_code, read.content) == (200, PDF)
    found = (await opener.get(path)).json()
    assert [(one["id"], one["failure"]) for one in found] == [
        (good["id"], None),
        (keyless["id"], NO_KEY),
        (unnamed["id"], NOT_STORED),
    ]


async def test_a_sealed_bid_names_complete_documents_that_were_sealed_as_well(
    bidder: Person, tender: PublishedTender
) -> None:
    sealed, key = await sealed_document(bidder, tender, PDF)
    plain, unknown = await uploaded(bidder, tender), str(uuid4())
    body = await sealed_body(bidder, tender, bid_with(tender, [sealed]), keys=[key])
    wanted = [sealed["id"], sealed["id"], plain["id"], unknown]
    refused = await send_sealed(bidder, tender, body | {"documents": wanted})
    assert (refused.status_code, refused.json()["type"]) == (
        400,
        "/problems/sealed-documents-faulty",
    )
    assert [fault["field"] for fault in refused.json()["errors"]] == [
        f"documents[{index}]" for index in range(4)
    ]
    assert "market sealed" in refused.json()["errors"][2]["reason"]


async def test_no_answer_holds_a_key(
    world: World, bidder: Person, tender: PublishedTender, superuser: Any
) -> None:
    sealed, key = await sealed_document(bidder, tender, PDF)
    given = await submit(bidder, tender, 1, bid_with(tender, [sealed], keys=[key]))
    await open_bids(world, tender)
    opener = tender.openers[0]
    answers = [
        await bidder.get(f"/bids/{given['bid']}"),
        await bidder.get(f"/bid-documents/{sealed['id']}"),
        await opener.get(path_of(tender)),
    ]
    assert [answer.status_code for answer in answers] == [200] * 3
    told = [answer.text for answer in answers]
    for told_by in ("SELECT content FROM opened_envelope", "SELECT e::text FROM event e"):
        told += [row[0] for row in await superuser.fetch(told_by)]
    assert not [text for text in told if key["key"] in text]
