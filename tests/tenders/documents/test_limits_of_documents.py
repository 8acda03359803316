"""Documents are bounded, in number and size together, and scanned where a scanner is set."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from market.settings import Settings
from tests.makers.bids import open_bids, submit
from tests.makers.documents import (
    PDF,
    announced,
    begin,
    begun,
    bid_with,
    complete,
    path_of,
    sealed_document,
    send,
    uploaded,
)
from tests.makers.scanner import clamd
from tests.makers.suppliers import admitted_supplier
from tests.makers.tenders import PublishedTender, published_tender
from tests.makers.world import Person, World

MEBIBYTE = 1024 * 1024
WORST = b"an entirely made-up signature"
Scanned = tuple[str, list[bytes]]


@pytest.fixture
async def scanned(tmp_path: Path) -> AsyncIterator[Scanned]:
    async with clamd(tmp_path, WORST) as listening:
        yield listening


@pytest.fixture
def settings(documents_folder: str, scanned: Scanned) -> Settings:
    return Settings(
        pool_minimum=1,
        pool_maximum=12,
        requests_per_minute=1_000_000,
        sign_ins_per_minute=100_000,
        documents_folder=documents_folder,
        document_sending_limit=MEBIBYTE // 2,
        document_limit=MEBIBYTE,
        bid_documents_limit=2 * MEBIBYTE,
        tender_documents_limit=3 * MEBIBYTE,
        scanner_address=scanned[0],
    )


@pytest.fixture
async def tender(world: World) -> PublishedTender:
    return await published_tender(world, lots=2)


@pytest.fixture
async def bidder(world: World) -> Person:
    return await admitted_supplier(world, "Kingfisher Analytics")


async def test_the_documents_of_an_organisation_are_bounded_however_many_begin_at_once(
    world: World, bidder: Person, tender: PublishedTender
) -> None:
    body = announced() | {"size": MEBIBYTE}
    answers = await asyncio.gather(*(begin(bidder, tender, body) for _ in range(5)))
    assert sorted(answer.status_code for answer in answers) == [201, 201, 409, 409, 409]
    elsewhere = await asyncio.gather(*(begin(bidder, tender, body, 2) for _ in range(3)))
    assert sorted(answer.status_code for answer in elsewhere) == [201, 409, 409]
    full = next(answer for answer in elsewhere if answer.status_code == 409)
    assert full.json()["type"] == "/problems/documents-full"
    other = await admitted_supplier(world, "Somebody Else")
    assert (await begin(other, tender, body)).status_code == 201
    first = next(answer.json()["id"] for answer in answers if answer.status_code == 201)
    assert (await bidder.delete(f"/bid-documents/{first}")).status_code == 200
    assert (await begin(bidder, tender, body)).status_code == 201
    larger = await begin(bidder, tender, announced() | {"size": MEBIBYTE + 1})
    assert larger.json()["type"] == "/problems/document-faulty"


async def test_a_bid_with_as_many_documents_as_it_may_have_can_be_replaced(
    bidder: Person, tender: PublishedTender
) -> None:
    """What a bid lists does not count for its lot, and for the tender until it can be removed."""
    content = PDF.ljust(MEBIBYTE // 2)
    first, *_ = listed = [await uploaded(bidder, tender, content) for _ in range(4)]
    body = announced() | {"size": MEBIBYTE}
    assert (await begin(bidder, tender, body)).status_code == 409
    await submit(bidder, tender, 1, bid_with(tender, listed))
    assert (await begin(bidder, tender, body)).status_code == 201
    full = await begin(bidder, tender, body)
    assert "for one tender" in full.json()["detail"]
    held = await bidder.delete(f"/bid-documents/{first['id']}")
    assert held.json()["type"] == "/problems/document-listed"


async def test_a_request_sends_as_much_as_is_set(bidder: Person, tender: PublishedTender) -> None:
    content = b"a" * (MEBIBYTE // 2 + 1)
    path = await begun(bidder, tender, announced(content, name="a.txt", media_type="text/plain"))
    assert (await send(bidder, path, 0, content)).status_code == 413
    assert (await send(bidder, path, 0, content[:-1])).status_code == 200


async def test_malware_is_refused_and_nothing_of_it_is_kept(
    bidder: Person, tender: PublishedTender, scanned: Scanned, documents_folder: str
) -> None:
    content = PDF + WORST
    path = await begun(bidder, tender, announced(content))
    await send(bidder, path, 0, content)
    answer = await complete(bidder, path)
    assert (answer.status_code, scanned[1]) == (422, [content])
    assert answer.json()["type"] == "/problems/document-infected"
    assert "Made.Up-1" in answer.json()["detail"]
    assert (await bidder.get(path)).json()["offset"] == 0
    assert list((Path(documents_folder) / path.rpartition("/")[2]).iterdir()) == []


async def test_what_came_sealed_is_scanned_after_the_opening(
    world: World, bidder: Person, tender: PublishedTender, scanned: Scanned
) -> None:
    one, key = await sealed_document(bidder, tender, PDF + WORST)
    assert scanned[1] == []
    await submit(bidder, tender, 1, bid_with(tender, [one], keys=[key]))
    await open_bids(world, tender)
    read = await tender.openers[0].get(f"{path_of(tender)}/{one['id']}")
    assert (read.status_code, scanned[1]) == (409, [PDF + WORST])
    assert "malware in the document: Made.Up-1" in read.json()["detail"]


async def test_nothing_is_taken_unscanned(
    bidder: Person, tender: PublishedTender, scanned: Scanned, tmp_path: Path
) -> None:
    Path(scanned[0].removeprefix("unix:")).unlink()
    path = await begun(bidder, tender, announced())
    await send(bidder, path, 0, PDF)
    answer = await complete(bidder, path)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "10")
    assert (await bidder.get(path)).json()["state"] == "uploading"
    async with clamd(tmp_path, WORST) as (address, _):
        Path(address.removeprefix("unix:")).rename(scanned[0].removeprefix("unix:"))
        assert (await complete(bidder, path)).status_code == 201
    assert (await bidder.get(path)).json()["state"] == "complete"
