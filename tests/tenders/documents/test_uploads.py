"""Documents are uploaded in parts, looked through, sealed, and seen by their bidder alone."""

import asyncio
from typing import Any

import httpx
import pytest

from market.actor import Role
from tests.makers.bids import close_bidding, give_bid, some_suppliers, submit
from tests.makers.documents import (
    BYTES,
    PDF,
    announced,
    begin,
    begun,
    bid_with,
    complete,
    send,
    uploaded,
)
from tests.makers.suppliers import admitted_supplier
from tests.makers.tenders import PublishedTender, published_tender
from tests.makers.world import Person, World


@pytest.fixture
async def tender(world: World) -> PublishedTender:
    return await published_tender(world)


@pytest.fixture
async def bidder(world: World) -> Person:
    return await admitted_supplier(world, "Kingfisher Analytics")


def problem(answer: httpx.Response) -> str:
    kind: str = answer.json()["type"]
    return f"{answer.status_code} {kind.rpartition('/')[2]}"


async def test_a_document_is_sent_in_parts_and_listed_in_a_bid(
    bidder: Person, tender: PublishedTender
) -> None:
    body = announced()
    path = await begun(bidder, tender, body)
    for start in range(0, len(PDF), 50_000):
        sent = await send(bidder, path, start, PDF[start : start + 50_000])
        assert sent.status_code == 200, sent.text
        assert int(sent.headers["upload-offset"]) == min(start + 50_000, len(PDF))
    asked = await bidder.request("HEAD", path)
    assert asked.headers["upload-offset"] == asked.headers["upload-length"] == str(len(PDF))
    completed = await complete(bidder, path)
    assert completed.status_code == 201, completed.text
    again = await complete(bidder, path)
    assert again.json() == completed.json()
    view = (await bidder.get(path)).json()
    assert view | body == view
    assert (view["state"], view["listed"]) == ("complete", False)
    one = {key: view[key] for key in ("id", "name", "media_type", "size", "sha256")}
    await submit(bidder, tender, 1, bid_with(tender, [one]))
    page = (await bidder.get(f"{tender.path}/lots/1/documents")).json()["items"]
    assert [(item["id"], item["listed"]) for item in page] == [(view["id"], True)]
    removed = await bidder.delete(path)
    assert problem(removed) == "409 document-listed"


async def test_what_is_wrong_with_a_document_is_said_at_once(
    bidder: Person, tender: PublishedTender
) -> None:
    body = announced(name="../etc/passwd") | {"size": 2**31}
    answer = await begin(bidder, tender, body)
    assert problem(answer) == "400 document-faulty"
    assert {fault["field"] for fault in answer.json()["errors"]} == {"name", "size"}
    for faulty in (announced(media_type="text/html"), announced() | {"sha256": "ab"}):
        assert problem(await begin(bidder, tender, faulty)) == "400 malformed"


async def test_a_part_that_begins_elsewhere_is_told_where_the_upload_stands(
    bidder: Person, tender: PublishedTender
) -> None:
    path = await begun(bidder, tender, announced())
    await send(bidder, path, 0, PDF[:1000])
    for offset in (0, 999, 1001):
        answer = await send(bidder, path, offset, PDF[1000:2000])
        assert problem(answer) == "409 upload-offset-wrong"
        assert "stands at 1000 of" in answer.json()["detail"]
    unfinished = await complete(bidder, path)
    assert problem(unfinished) == "409 upload-unfinished"
    too_much = await send(bidder, path, 1000, PDF)
    assert problem(too_much) == "413 too-large"
    assert (await bidder.get(path)).json()["offset"] == 1000


async def test_a_request_sends_eight_mebibytes_at_most(
    bidder: Person, tender: PublishedTender
) -> None:
    content = b"a" * (8 * 1024 * 1024 + 1)
    path = await begun(bidder, tender, announced(content, name="Long.txt", media_type="text/plain"))
    assert problem(await send(bidder, path, 0, content)) == "413 too-large"
    sent = await send(bidder, path, 0, content[:-1])
    assert sent.json()["offset"] == len(content) - 1
    await send(bidder, path, len(content) - 1, content[-1:])
    assert (await complete(bidder, path)).status_code == 201


async def test_what_came_before_a_connection_broke_counts(
    world: World, bidder: Person, tender: PublishedTender
) -> None:
    content = b"b" * 3_000_000
    path = await begun(bidder, tender, announced(content, name="Long.txt", media_type="text/plain"))
    await _broken_off(world, bidder, path, [content[:1_500_000], content[1_500_000:2_000_000]])
    asked = await bidder.request("HEAD", path)
    assert asked.headers["upload-offset"] == "2000000"
    await send(bidder, path, 2_000_000, content[2_000_000:])
    completed = await complete(bidder, path)
    assert completed.status_code == 201, completed.text


async def _broken_off(world: World, person: Person, path: str, chunks: list[bytes]) -> None:
    """Send some of a body and go away, as a client does whose line breaks."""
    transport: Any = world.client._transport  # noqa: SLF001  # httpx cannot break off a request
    headers = {
        **BYTES,
        "Authorization": f"Bearer {person.token}",
        "Upload-Offset": "0",
        "Content-Length": "3000000",
    }
    scope: dict[str, Any] = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": "PATCH",
        "scheme": "http",
        "path": f"/api/v1{path}",
        "raw_path": f"/api/v1{path}".encode(),
        "root_path": "",
        "query_string": b"",
        "headers": [(key.lower().encode(), value.encode()) for key, value in headers.items()],
        "client": ("127.0.0.1", 1),
        "server": ("market", 80),
        "state": {},
    }
    messages: list[dict[str, Any]] = [
        {"type": "http.request", "body": chunk, "more_body": True} for chunk in chunks
    ]

    async def receive() -> dict[str, Any]:
        return messages.pop(0) if messages else {"type": "http.disconnect"}

    async def send_on(_: Any) -> None:
        """There is nobody who would read an answer."""

    await transport.app(scope, receive, send_on)


async def test_of_two_parts_that_begin_at_one_place_one_is_taken(
    bidder: Person, tender: PublishedTender
) -> None:
    path = await begun(bidder, tender, announced())
    half = len(PDF) // 2
    answers = await asyncio.gather(*(send(bidder, path, 0, PDF[:half]) for _ in range(6)))
    assert sorted(answer.status_code for answer in answers) == [200, *[409] * 5]
    await send(bidder, path, half, PDF[half:])
    assert (await complete(bidder, path)).status_code == 201


async def test_a_wrong_digest_is_told_and_the_upload_begins_anew(
    bidder: Person, tender: PublishedTender
) -> None:
    path = await begun(bidder, tender, announced())
    await send(bidder, path, 0, b"%PDF-" + b"x" * (len(PDF) - 5))
    assert problem(await complete(bidder, path)) == "422 document-digest-wrong"
    assert (await bidder.get(path)).json()["offset"] == 0
    await send(bidder, path, 0, PDF)
    assert (await complete(bidder, path)).status_code == 201


async def test_a_document_of_another_kind_than_announced_is_refused(
    bidder: Person, tender: PublishedTender
) -> None:
    content = b"MZ" + bytes(5000)
    path = await begun(bidder, tender, announced(content))
    await send(bidder, path, 0, content)
    assert problem(await complete(bidder, path)) == "422 document-kind-wrong"


async def test_completing_and_sending_at_once_ends_well(
    bidder: Person, tender: PublishedTender
) -> None:
    path = await begun(bidder, tender, announced())
    await send(bidder, path, 0, PDF[:-1])
    answers = await asyncio.gather(
        complete(bidder, path),
        send(bidder, path, len(PDF) - 1, PDF[-1:]),
        complete(bidder, path),
        send(bidder, path, len(PDF) - 1, PDF[-1:]),
    )
    assert {answer.status_code for answer in answers} <= {200, 201, 409}
    assert (await complete(bidder, path)).status_code == 201


async def test_removing_and_listing_at_once_leaves_no_bid_without_its_document(
    bidder: Person, tender: PublishedTender
) -> None:
    one = await uploaded(bidder, tender)
    removed, given = await asyncio.gather(
        bidder.delete(f"/bid-documents/{one['id']}"),
        give_bid(bidder, tender, 1, bid_with(tender, [one])),
    )
    assert (removed.status_code, given.status_code) in {(200, 400), (200, 409), (409, 201)}
    if given.status_code == 201:
        assert (await bidder.get(f"/bid-documents/{one['id']}")).json()["listed"]


async def test_a_removed_document_is_gone_for_its_bidder(
    bidder: Person, tender: PublishedTender
) -> None:
    path = await begun(bidder, tender, announced())
    await send(bidder, path, 0, PDF)
    assert (await bidder.delete(path)).status_code == 200
    for answer in (
        await bidder.get(path),
        await send(bidder, path, 0, PDF),
        await complete(bidder, path),
    ):
        assert problem(answer) == "404 not-found"


async def test_everything_wrong_with_a_list_of_documents_is_said_at_once(
    world: World, bidder: Person, tender: PublishedTender
) -> None:
    one = await uploaded(bidder, tender)
    path = await begun(bidder, tender, announced())
    other = (await some_suppliers(world, 1))[0]
    theirs = await uploaded(other, tender)
    unfinished = one | {"id": path.rpartition("/")[2]}
    wrong = one | {"size": 1, "sha256": "0" * 64, "name": "Other.pdf", "media_type": "text/csv"}
    answer = await give_bid(bidder, tender, 1, bid_with(tender, [wrong, theirs], [one, unfinished]))
    assert problem(answer) == "400 bid-incomplete"
    found = {fault["field"] for fault in answer.json()["errors"]}
    assert found == {
        *(
            f"quality.documents[0].{name}"
            for name in ("id", "size", "sha256", "name", "media_type")
        ),
        "quality.documents[1].id",
        "price.documents[0].id",
        "price.documents[1].id",
    }


async def test_nobody_but_bid_managers_of_the_organisation_knows_of_a_document(
    world: World, bidder: Person, tender: PublishedTender
) -> None:
    one = await uploaded(bidder, tender)
    path = f"/bid-documents/{one['id']}"
    colleague = await world.person("Colin Ward", bidder.organisation, Role.ADMINISTRATOR)
    other = (await some_suppliers(world, 1))[0]
    for person in (colleague, other, tender.manager, tender.openers[0], tender.guardian):
        for answer in (
            await person.get(path),
            await send(person, path, 0, PDF),
            await complete(person, path),
            await person.delete(path),
        ):
            assert problem(answer) == "404 not-found"
        events = (await person.get("/events?limit=200")).text
        assert one["id"] not in events
    assert (await other.get(f"{tender.path}/lots/1/documents")).json()["items"] == []
    assert problem(await begin(colleague, tender, announced())) == "403 forbidden"


async def test_no_measure_tells_of_documents(
    world: World, bidder: Person, tender: PublishedTender
) -> None:
    before = await _measured(world)
    one = await uploaded(bidder, tender)
    await bidder.request("HEAD", f"/bid-documents/{one['id']}")
    await bidder.get(f"{tender.path}/lots/1/documents")
    assert await _measured(world) == before


async def _measured(world: World) -> list[str]:
    """What is measured of requests, but for the reading of the measures."""
    text = (await world.client.get("/metrics")).text
    return [
        line
        for line in text.splitlines()
        if line.startswith("market_request") and "/metrics" not in line
    ]


async def test_nothing_is_uploaded_after_the_deadline(
    world: World, bidder: Person, tender: PublishedTender
) -> None:
    path = await begun(bidder, tender, announced())
    await send(bidder, path, 0, PDF)
    begun_only = await begun(bidder, tender, announced())
    await close_bidding(world, tender)
    for answer in (
        await begin(bidder, tender, announced()),
        await send(bidder, begun_only, 0, PDF),
        await complete(bidder, path),
        await bidder.delete(path),
    ):
        assert problem(answer) == "409 bidding-closed"
