"""Opening documents with the envelope that lists them, looking them through, reading them."""

import hashlib
from collections.abc import AsyncIterator
from datetime import datetime
from uuid import UUID

import msgspec

from market.actor import Actor
from market.command import command, confidential_reading
from market.database import execute, fetch, fetch_value, reading
from market.documents.handling import Documents
from market.documents.kinds import FIRST_BYTES, looks_like
from market.documents.parts import (
    OVERHEAD_BYTES,
    PART_BYTES,
    CannotOpenPart,
    opened_stream,
    recut,
)
from market.errors import NotFound
from market.events.commands import record
from market.sealing import CannotUnwrap, Custodian, EnvelopeKind
from market.vault import Vault
from tenders.errors import KeysUnavailable
from tenders.errors.documents import DocumentUnusable
from tenders.queries.documents import (
    Opened,
    OpenedPart,
    documents_in,
    opened_documents,
    opened_parts,
)
from tenders.rules.documents import (
    INFECTED,
    NO_KEY,
    NOT_AS_LISTED,
    NOT_OF_ITS_KIND,
    NOT_STORED,
    NOT_WHOLE,
    ListedDocument,
    opened_purpose,
)
from tenders.rules.envelopes import Found
from tenders.schemas.documents import OpenedDocumentView, Sealer

_TO_OPEN = "SELECT document FROM documents_to_open($1, $2)"

_OPENED = """
INSERT INTO opened_document (id, document, bid, kind, kept_key, failure)
VALUES (gen_random_uuid(), $1, $2, $3, $4, $5)
"""

_CHECKED = """
UPDATE opened_document SET checked_at = market_now(), failure = $2
WHERE document = $1 AND checked_at IS NULL AND failure IS NULL RETURNING checked_at
"""


class _ToOpen(msgspec.Struct, frozen=True):
    document: UUID


class Readable(msgspec.Struct, frozen=True, kw_only=True):
    """A document of an opened bid that may be given to its reader, part by part."""

    listed: ListedDocument
    key: bytes
    parts: list[OpenedPart]


# ------------------------------------------------------------------------------------------ opening


async def open_listed(vault: Vault, bid_id: UUID, kind: EnvelopeKind, found: Found) -> None:
    """Open the documents that an envelope lists, in the transaction that opens it.

    Their keys came out of the envelope, and are kept by the custodian from then on. A document
    whose key the envelope lacks is kept as a failure.
    """
    listed = {one.id for one in documents_in(found.content or "", kind)}
    for row in await fetch(_ToOpen, _TO_OPEN, bid_id, kind.value):
        if row.document not in listed:
            continue
        key = found.keys.get(row.document)
        kept = None
        if key is not None:
            kept = vault.custodian.keep(key, opened_purpose(row.document))
        failure = NO_KEY if key is None else None
        await execute(_OPENED, row.document, bid_id, kind.value, kept, failure)


# ------------------------------------------------------------------------------------------ reading


class At(msgspec.Struct, frozen=True, kw_only=True):
    """Which document of which opened bid, in a tender."""

    lot_number: int
    pseudonym: str
    document: UUID


@confidential_reading
async def list_opened(
    actor: Actor, tender_id: UUID, lot_number: int, pseudonym: str
) -> list[OpenedDocumentView]:
    """List the documents of an opened bid, for those who read the envelopes that list them.

    Raises:
        NotFound: no such tender or bid, or none of its envelopes is open to the actor.
        DutyNeeded: it is not the actor's duty.
        BiddersNotKnown: the bids have not been opened.
        DeclarationMissing: the actor has not declared against every bidder.
        ConflictOfInterest: the actor has an interest in a bidder.
    """
    found = await opened_documents(actor, tender_id, lot_number, pseudonym)
    await record(
        actor, "bid_documents.read", "tender", tender_id, tender=tender_id, documents=len(found)
    )
    return [one.view() for one in found]


async def read_document(actor: Actor, documents: Documents, tender_id: UUID, at: At) -> Readable:
    """Find a document of an opened bid for somebody who reads it; that they do is recorded.

    Its first reader has it looked through: its parts, size, digest and kind, and for malware where
    a scanner is set. What fails is written down, and told to whoever asks for it from then on.

    Raises:
        NotFound: no such tender, bid or document, or its envelope is not open to the actor.
        DutyNeeded: it is not the actor's duty.
        BiddersNotKnown: the bids have not been opened.
        DeclarationMissing: the actor has not declared against every bidder.
        ConflictOfInterest: the actor has an interest in a bidder.
        DocumentUnusable: what was uploaded is not what the bid lists; the detail says why.
        StoreUnavailable, ScannerUnavailable: nothing is decided; try again.
        KeysUnavailable: the custodian cannot read the key that it keeps.
    """
    async with reading(actor):
        opened, parts = await _found(actor, tender_id, at)
    if not opened.checked and opened.failure is None:
        readable = _readable(documents.custodian, opened, parts)
        failure = await _failure_of(documents, readable)
        await _note_checked(actor, tender_id, at.document, failure)
    return await _read(actor, documents.custodian, tender_id, at)


async def _found(actor: Actor, tender_id: UUID, at: At) -> tuple[Opened, list[OpenedPart]]:
    for one in await opened_documents(actor, tender_id, at.lot_number, at.pseudonym):
        if one.listed.id == at.document:
            return one, await opened_parts(at.document)
    raise NotFound


@confidential_reading
async def _read(actor: Actor, custodian: Custodian, tender_id: UUID, at: At) -> Readable:
    opened, parts = await _found(actor, tender_id, at)
    if opened.failure is not None:
        raise DocumentUnusable(opened.failure)
    readable = _readable(custodian, opened, parts)
    await record(actor, "bid_document.read", "bid_document", at.document, tender=tender_id)
    return readable


def _readable(custodian: Custodian, opened: Opened, parts: list[OpenedPart]) -> Readable:
    if opened.kept_key is None:
        raise DocumentUnusable(NOT_STORED)
    try:
        kept = custodian.recall(opened.kept_key, opened_purpose(opened.listed.id))
    except CannotUnwrap as error:
        raise KeysUnavailable from error
    return Readable(listed=opened.listed, key=kept, parts=parts)


async def contents(documents: Documents, readable: Readable) -> AsyncIterator[bytes]:
    """Give a document opened, never more than a part at a time.

    Raises:
        StoreUnavailable: the store does not answer.
        CannotOpenPart: a part does not open.
    """

    async def stored() -> AsyncIterator[bytes]:
        for part in readable.parts:
            yield await documents.store.get(part.object)

    parts = stored()
    if readable.parts and readable.parts[0].sealed_by is Sealer.SUPPLIER:
        parts = recut(parts, PART_BYTES + OVERHEAD_BYTES)
    async for plain in opened_stream(readable.key, readable.listed.id, parts):
        yield plain


async def _failure_of(documents: Documents, readable: Readable) -> str | None:
    """Look a document through, and say why it cannot be used, or None.

    Raises:
        StoreUnavailable, ScannerUnavailable: nothing is decided.
    """
    digest, first, size = hashlib.sha256(), bytearray(), 0

    async def noted() -> AsyncIterator[bytes]:
        nonlocal size
        async for plain in contents(documents, readable):
            digest.update(plain)
            first.extend(plain[: FIRST_BYTES - len(first)])
            size += len(plain)
            yield plain

    finding = None
    try:
        if documents.scanner is not None:
            finding = await documents.scanner.finding(noted())
        else:
            async for _ in noted():
                pass
    except CannotOpenPart:
        return NOT_WHOLE
    if (size, digest.hexdigest()) != (readable.listed.size, readable.listed.sha256):
        return NOT_AS_LISTED
    if not looks_like(readable.listed.media_type, bytes(first)):
        return NOT_OF_ITS_KIND
    return None if finding is None else f"{INFECTED}{finding}."


@command
async def _note_checked(
    actor: Actor, tender_id: UUID, document_id: UUID, failure: str | None
) -> bool:
    checked_at: datetime | None = await fetch_value(_CHECKED, document_id, failure)
    await record(
        actor,
        "bid_document.checked",
        "bid_document",
        document_id,
        tender=tender_id,
        private=None if failure is None else {"failure": failure},
        failed=failure is not None,
    )
    return checked_at is not None
