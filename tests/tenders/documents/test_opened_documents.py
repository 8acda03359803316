"""Documents of opened bids: read with the envelope that lists them, by those who read that."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from market.documents.parts import PART_BYTES
from tests.makers.bids import declare, give_bid, open_bids, submit
from tests.makers.documents import (
    PDF,
    announced,
    begin,
    bid_with,
    path_of,
    sealed_document,
    uploaded,
)
from tests.makers.suppliers import admitted_supplier
from tests.makers.tenders import PublishedTender, published_tender
from tests.makers.world import Person, World

PRICES = b"item,price\nA,100.00\n" * 500


@pytest.fixture
async def tender(world: World) -> PublishedTender:
    return await published_tender(world)


@pytest.fixture
async def bidder(world: World) -> Person:
    return await admitted_supplier(world, "Kingfisher Analytics")


async def bid_listing(
    bidder: Person,
    tender: PublishedTender,
    quality: Sequence[dict[str, Any]],
    price: Sequence[dict[str, Any]] = (),
) -> None:
    await submit(bidder, tender, 1, bid_with(tender, quality, price))


async def test_whoever_reads_the_opened_envelope_reads_its_documents(
    world: World, tender: PublishedTender, bidder: Person
) -> None:
    one = await uploaded(bidder, tender)
    csv = {"name": "Prices.csv", "media_type": "text/csv", "envelope": "price"}
    prices = await uploaded(bidder, tender, PRICES, **csv)
    await bid_listing(bidder, tender, [one], [prices])
    evaluator, path = tender.quality_evaluators[0], path_of(tender)
    before = await evaluator.get(f"{path}/{one['id']}")
    assert before.status_code in {403, 404, 409}
    await open_bids(world, tender)
    undeclared = await evaluator.get(path)
    assert undeclared.json()["type"] == "/problems/declaration-missing"
    await declare(evaluator, tender)
    found = (await evaluator.get(path)).json()
    assert [(item["id"], item["checked"], item["failure"]) for item in found] == [
        (one["id"], False, None)
    ]
    read = await evaluator.get(f"{path}/{one['id']}")
    assert (read.status_code, read.content) == (200, PDF)
    assert read.headers["content-type"] == "application/pdf"
    assert read.headers["content-disposition"].startswith("attachment; filename*=UTF-8''How%20we")
    assert read.headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in read.headers["content-security-policy"]
    assert (await evaluator.get(path)).json()[0]["checked"]
    for price in (f"{path}/{prices['id']}", f"{path}/{uuid4()}"):
        assert (await evaluator.get(price)).status_code == 404
    stranger = await admitted_supplier(world, "Somebody Else")
    assert (await stranger.get(path)).status_code == 403
    own = await bidder.get(f"{path}/{one['id']}")
    assert (own.status_code, own.content) == (200, PDF)


async def test_each_reading_is_recorded(
    world: World, tender: PublishedTender, bidder: Person, superuser: Any
) -> None:
    one = await uploaded(bidder, tender)
    await bid_listing(bidder, tender, [one])
    await open_bids(world, tender)
    opener = tender.openers[0]
    for _ in range(2):
        read = await opener.get(f"{path_of(tender)}/{one['id']}")
        assert read.status_code == 200, read.text
    actions = await superuser.fetch(
        "SELECT action, count(*) FROM event WHERE subject::text = $1 AND tender = $2"
        " AND person = $3 GROUP BY 1 ORDER BY 1",
        one["id"],
        tender.id,
        opener.id,
    )
    assert [tuple(row) for row in actions] == [
        ("bid_document.checked", 1),
        ("bid_document.read", 2),
    ]


async def test_a_document_whose_stored_bytes_were_changed_is_a_recorded_failure(
    world: World, tender: PublishedTender, bidder: Person, superuser: Any, documents_folder: str
) -> None:
    one = await uploaded(bidder, tender)
    await bid_listing(bidder, tender, [one])
    await open_bids(world, tender)
    name = await superuser.fetchval(
        "SELECT object FROM bid_document_part WHERE document::text = $1", one["id"]
    )
    stored = Path(documents_folder) / name
    sealed = stored.read_bytes()
    stored.write_bytes(sealed[:500] + b"\x00\x01\x02\x03" + sealed[504:])
    opener, path = tender.openers[0], path_of(tender)
    for _ in range(2):
        read = await opener.get(f"{path}/{one['id']}")
        assert read.status_code == 409
        assert read.json()["detail"] == "A part of the document does not open with its key."
    assert "does not open" in (await opener.get(path)).json()[0]["failure"]


# ------------------------------------------------------------------------- sealed by their supplier


async def test_a_document_that_its_supplier_sealed_is_stored_unread_and_opened_with_the_bid(
    world: World, tender: PublishedTender, bidder: Person
) -> None:
    content = PDF * 20
    assert len(content) > 2 * PART_BYTES
    one, key = await sealed_document(bidder, tender, content)
    await submit(bidder, tender, 1, bid_with(tender, [one], keys=[key]))
    await open_bids(world, tender)
    read = await tender.openers[0].get(f"{path_of(tender)}/{one['id']}")
    assert (read.status_code, read.content) == (200, content)


@pytest.mark.parametrize(
    ("options", "failure"),
    [
        ({"claimed": PDF + b"more"}, "size or digest"),
        ({"media_type": "image/png", "name": "How.png"}, "media type"),
    ],
)
async def test_what_a_supplier_sealed_wrongly_is_told_after_the_opening(
    world: World, tender: PublishedTender, bidder: Person, options: dict[str, Any], failure: str
) -> None:
    one, key = await sealed_document(bidder, tender, PDF, **options)
    await submit(bidder, tender, 1, bid_with(tender, [one], keys=[key]))
    await open_bids(world, tender)
    opener, path = tender.openers[0], path_of(tender)
    read = await opener.get(f"{path}/{one['id']}")
    assert read.status_code == 409, read.text
    assert failure in read.json()["detail"]
    assert failure in (await opener.get(path)).json()[0]["failure"]


async def test_an_id_that_is_taken_is_refused(
    world: World, tender: PublishedTender, bidder: Person
) -> None:
    one, _ = await sealed_document(bidder, tender, PDF)
    other = await admitted_supplier(world, "Somebody Else")
    answer = await begin(other, tender, announced() | {"id": one["id"]})
    assert (answer.status_code, answer.json()["type"]) == (409, "/problems/document-id-taken")


async def test_another_key_than_the_document_was_sealed_with_is_told_after_the_opening(
    world: World, tender: PublishedTender, bidder: Person
) -> None:
    one, key = await sealed_document(bidder, tender, PDF)
    wrong = key | {"key": "0" * 64}
    await submit(bidder, tender, 1, bid_with(tender, [one], keys=[wrong]))
    await open_bids(world, tender)
    read = await tender.openers[0].get(f"{path_of(tender)}/{one['id']}")
    assert read.status_code == 409, read.text
    assert read.json()["detail"] == "A part of the document does not open with its key."


async def test_keys_are_given_of_the_documents_that_their_supplier_sealed_and_of_no_other(
    tender: PublishedTender, bidder: Person
) -> None:
    sealed, key = await sealed_document(bidder, tender, PDF)
    plain = await uploaded(bidder, tender)
    missing = await give_bid(bidder, tender, 1, bid_with(tender, [sealed]))
    assert [fault["field"] for fault in missing.json()["errors"]] == ["document_keys"]
    for_plain = {"id": plain["id"], "key": "0" * 64}
    keys = [key, key, for_plain]
    faulty = await give_bid(bidder, tender, 1, bid_with(tender, [sealed, plain], keys=keys))
    assert [fault["field"] for fault in faulty.json()["errors"]] == [
        f"document_keys[{index}].id" for index in range(3)
    ]
