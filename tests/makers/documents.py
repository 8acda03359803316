"""Documents of bids in tests: uploaded through HTTP, and listed in bids."""

import hashlib
from collections.abc import Sequence
from typing import Any

import httpx

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
) -> dict[str, Any]:
    """A complete bid for the first lot that lists documents."""
    body = bid_body(asked(tender, 1))
    body["quality"]["documents"] = list(quality)
    body["price"]["documents"] = list(price)
    return body
