"""Documents of bids in tests: uploaded through HTTP, and listed in bids."""

import hashlib
from collections.abc import Sequence
from typing import Any
from uuid import uuid4

import httpx

from market.documents.parts import PART_BYTES, new_document_key, seal_part
from tests.makers.bids import asked, bid_body
from tests.makers.tenders import PublishedTender
from tests.makers.world import Person

PDF = b"%PDF-1.7\n" + b"How we would begin, on forty pages.\n" * 4000
BYTES = {"Content-Type": "application/offset+octet-stream"}


def announced(
    content: bytes = PDF,
    *,
    name: str = "How we would begin.pdf",
    media_type: str = "application/pdf",
    envelope: str = "quality",
) -> dict[str, Any]:
    """What an upload of these bytes begins with."""
    return {
        "name": name,
        "media_type": media_type,
        "size": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
        "envelope": envelope,
    }


async def begin(
    person: Person, tender: PublishedTender, body: dict[str, Any], lot_number: int = 1
) -> httpx.Response:
    """Begin an upload, whatever the answer."""
    return await person.post(f"{tender.path}/lots/{lot_number}/documents", body)


async def begun(person: Person, tender: PublishedTender, body: dict[str, Any]) -> str:
    """Begin an upload that must be accepted, and give the document's path."""
    answer = await begin(person, tender, body)
    assert answer.status_code == 201, answer.text
    return f"/bid-documents/{answer.json()['id']}"


async def send(person: Person, path: str, offset: int, content: bytes) -> httpx.Response:
    """Send bytes of a document, whatever the answer."""
    headers = {**BYTES, "Upload-Offset": str(offset)}
    return await person.request("PATCH", path, content=content, headers=headers)


async def complete(person: Person, path: str) -> httpx.Response:
    """Complete a document, whatever the answer."""
    return await person.post(f"{path}/completion")


async def uploaded(
    person: Person, tender: PublishedTender, content: bytes = PDF, **options: Any
) -> dict[str, Any]:
    """Upload a whole document, and give it as a bid lists it."""
    body = announced(content, **options)
    path = await begun(person, tender, body)
    sent = await send(person, path, 0, content)
    assert sent.status_code == 200, sent.text
    completed = await complete(person, path)
    assert completed.status_code == 201, completed.text
    return listed(body, path)


def listed(body: dict[str, Any], path: str) -> dict[str, Any]:
    """A document as a bid lists it."""
    described = {key: body[key] for key in ("name", "media_type", "size", "sha256")}
    return {"id": path.rpartition("/")[2], **described}


def bid_with(
    tender: PublishedTender,
    quality: Sequence[dict[str, Any]] = (),
    price: Sequence[dict[str, Any]] = (),
    *,
    keys: Sequence[dict[str, str]] = (),
) -> dict[str, Any]:
    """A complete bid for the first lot that lists documents, with the keys of sealed ones."""
    body = bid_body(asked(tender, 1))
    body["quality"]["documents"] = list(quality)
    body["price"]["documents"] = list(price)
    body["document_keys"] = list(keys)
    return body


def path_of(tender: PublishedTender, pseudonym: str = "Bidder A") -> str:
    """Where the documents of an opened bid for the first lot are."""
    return f"{tender.path}/lots/1/bids/{pseudonym}/documents"


async def sealed_document(  # noqa: PLR0913  # everything a supplier may get wrong
    bidder: Person,
    tender: PublishedTender,
    content: bytes,
    *,
    claimed: bytes | None = None,
    media_type: str = "application/pdf",
    name: str = "How.pdf",
) -> tuple[dict[str, Any], dict[str, str]]:
    """Upload a document that its supplier sealed; give it as a bid lists it, and its key."""
    document, key = uuid4(), new_document_key()
    pieces = [content[at : at + PART_BYTES] for at in range(0, len(content), PART_BYTES)]
    stream = b"".join(seal_part(key, document, at, piece) for at, piece in enumerate(pieces))
    body = announced(stream, name=name, media_type=media_type) | {"id": str(document)}
    path = await begun(bidder, tender, body)
    for at in range(0, len(stream), 700_000):
        sent = await send(bidder, path, at, stream[at : at + 700_000])
        assert sent.status_code == 200, sent.text
    completed = await complete(bidder, path)
    assert completed.status_code == 201, completed.text
    of = content if claimed is None else claimed
    described = announced(of, name=name, media_type=media_type)
    return listed(described, path), {"id": str(document), "key": key.hex()}
