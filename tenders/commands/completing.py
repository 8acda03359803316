"""Completing documents for bids: looked through as they are stored."""

import hashlib
from collections.abc import AsyncIterator
from datetime import datetime
from uuid import UUID

import msgspec

from market.actor import Actor
from market.command import command
from market.database import execute, fetch_value
from market.documents.handling import Documents
from market.documents.kinds import FIRST_BYTES, looks_like
from market.documents.parts import CannotOpenPart, open_part
from market.documents.store import StoreUnavailable
from market.errors import MarketError
from market.events.commands import record
from market.sealing import Custodian
from tenders.commands.documents import discard, wrapped_key
from tenders.errors.documents import (
    DocumentDigestWrong,
    DocumentInfected,
    DocumentKindWrong,
    UploadChanged,
    UploadUnfinished,
)
from tenders.queries.documents import Part, Upload, upload_and_parts
from tenders.rules.documents import KeptDocument
from tenders.schemas.documents import DocumentCompleted, DocumentProgress, Sealer

_AGAIN = """
UPDATE bid_document SET attempt = attempt + 1
WHERE id = $1 AND attempt = $2 AND completed_at IS NULL AND removed_at IS NULL
"""

_OTHER_KEY = "UPDATE document_key SET wrapped = $2 WHERE document = $1"

_COMPLETE = """
UPDATE bid_document SET completed_at = market_now()
WHERE id = $1 AND attempt = $2 AND completed_at IS NULL AND removed_at IS NULL
RETURNING completed_at
"""


class _LookedThrough(msgspec.Struct, frozen=True, kw_only=True):
    """What a whole document proved to be, as it was stored."""

    digest: str
    first: bytes
    finding: str | None


async def complete_document(
    actor: Actor, documents: Documents, document_id: UUID
) -> DocumentCompleted:
    """Look through a document that has come whole; completed twice, it is so once.

    It is read back from the store: what is checked is what is kept. What fails is not kept,
    and the upload begins anew. A document that its supplier sealed is checked by its digest alone.

    Raises:
        NotFound: there is no such document, or the actor does not deal with it.
        BiddingClosed: the deadline has passed.
        UploadUnfinished: not all of it has come.
        DocumentDigestWrong, DocumentKindWrong, DocumentInfected: it begins anew.
        UploadChanged: it began anew or was removed meanwhile.
        StoreUnavailable, ScannerUnavailable: nothing is decided; try again.
        KeysUnavailable: the custodian cannot read what it keeps.
    """
    upload, parts = await upload_and_parts(actor, document_id)
    if upload.completed_at is not None:
        return DocumentCompleted(id=upload.id, completed_at=upload.completed_at)
    if upload.received != upload.size:
        message = f"{upload.received} of {upload.size} bytes have come."
        raise UploadUnfinished(message)
    described = upload.described(documents.custodian)
    found = await _look_through(documents, upload, parts)
    refusal = _refusal(upload, described, found)
    if refusal is not None:
        await _begin_anew(actor.continued(), documents.custodian, upload, refusal)
        await discard(documents, [part.object for part in parts])
        raise refusal
    try:
        return await _complete(actor, upload)
    except UploadChanged:
        now, _ = await upload_and_parts(actor, document_id)
        if now.completed_at is None:
            raise
        return DocumentCompleted(id=now.id, completed_at=now.completed_at)


def _refusal(upload: Upload, described: KeptDocument, found: _LookedThrough) -> MarketError | None:
    if found.digest != described.sha256:
        return DocumentDigestWrong()
    if upload.sealed_by is Sealer.SUPPLIER:
        return None
    if not looks_like(described.media_type, found.first):
        message = f"The document does not look like {described.media_type.value}."
        return DocumentKindWrong(message)
    if found.finding is not None:
        message = f"The scanner found {found.finding}. Nothing of the document is kept."
        return DocumentInfected(message)
    return None


async def _look_through(documents: Documents, upload: Upload, parts: list[Part]) -> _LookedThrough:
    """Read a document back once, part by part: its digest, its first bytes, what the scanner finds.

    Raises:
        StoreUnavailable, ScannerUnavailable: nothing is decided.
        KeysUnavailable: the custodian cannot read what it keeps.
    """
    key = upload.key(documents.custodian)
    digest, first = hashlib.sha256(), bytearray()

    async def content() -> AsyncIterator[bytes]:
        for part in parts:
            stored = await documents.store.get(part.object)
            if key is not None:
                stored = open_part(key, upload.id, part.number, stored)
            digest.update(stored)
            first.extend(stored[: FIRST_BYTES - len(first)])
            yield stored

    finding = None
    try:
        if documents.scanner is not None and upload.sealed_by is Sealer.MARKET:
            finding = await documents.scanner.finding(content())
        else:
            async for _ in content():
                pass
    except CannotOpenPart as error:  # what the store gave back is not what was put there
        raise StoreUnavailable from error
    return _LookedThrough(digest=digest.hexdigest(), first=bytes(first), finding=finding)


@command
async def _begin_anew(
    actor: Actor, custodian: Custodian, upload: Upload, refusal: MarketError
) -> DocumentProgress:
    if not await execute(_AGAIN, upload.id, upload.attempt):
        raise UploadChanged
    if upload.sealed_by is Sealer.MARKET:
        await execute(_OTHER_KEY, upload.id, wrapped_key(custodian, upload.id))
    await record(actor, "bid_document.refused", "bid_document", upload.id, because=refusal.slug())
    return DocumentProgress(id=upload.id, offset=0, size=upload.size)


@command
async def _complete(actor: Actor, upload: Upload) -> DocumentCompleted:
    completed_at: datetime | None = await fetch_value(_COMPLETE, upload.id, upload.attempt)
    if completed_at is None:
        raise UploadChanged
    await record(actor, "bid_document.completed", "bid_document", upload.id)
    return DocumentCompleted(id=upload.id, completed_at=completed_at)
