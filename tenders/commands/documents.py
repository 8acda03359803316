"""Uploading documents for bids: begun, sent in parts, removed; completing has its own module."""

from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import datetime
from uuid import UUID, uuid4

import msgspec

from market.actor import Actor
from market.command import command
from market.database import execute, fetch_one, fetch_value
from market.documents.handling import Documents
from market.documents.kinds import name_fault
from market.documents.parts import (
    PART_BYTES,
    new_document_key,
    recut,
    seal_part,
)
from market.documents.store import StoreUnavailable
from market.errors import Fault, MarketError, NotFound, OutcomeUnknown, TooLarge
from market.events.commands import record
from market.sealing import Custodian
from tenders.errors.documents import (
    DocumentComplete,
    DocumentFaulty,
    DocumentsFull,
    UploadChanged,
    UploadOffsetWrong,
)
from tenders.permissions.bids import ensure_may_bid
from tenders.queries.bids import bidding_in
from tenders.queries.documents import upload_and_parts, upload_of
from tenders.rules.documents import MOST_UPLOADED, KeptDocument, document_key_purpose, kept_purpose
from tenders.schemas.documents import (
    BeginDocument,
    DocumentBegun,
    DocumentGone,
    DocumentProgress,
    Sealer,
)

_BEGIN = """
INSERT INTO bid_document (id, tender, lot, organisation, kind, sealed_by, size, kept, begun_by)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
"""

_KEY = "INSERT INTO document_key (id, document, wrapped) VALUES ($1, $2, $3)"

# The guard lets one begin after another, so that the sum is right. For a lot it is what the next
# version of a bid may list, so that a bid of any size can be replaced.
_HELD = """
SELECT count(*) AS documents, coalesce(sum(size), 0)::bigint AS bytes,
    coalesce(sum(size) FILTER (WHERE lot = $3 AND NOT EXISTS (
        SELECT 1 FROM listed_document l WHERE l.document = bid_document.id)), 0
    )::bigint AS bytes_of_lot
FROM bid_document WHERE organisation = $1 AND tender = $2 AND removed_at IS NULL
"""

_HOLD = "SELECT 1 FROM bid_document WHERE id = $1 FOR NO KEY UPDATE"

_PARTS = """
INSERT INTO bid_document_part (id, document, number, starts_at, length, object)
SELECT gen_random_uuid(), $1, * FROM unnest($2::int[], $3::bigint[], $4::int[], $5::text[])
"""

_REMOVE = """
UPDATE bid_document SET removed_at = market_now() WHERE id = $1 AND removed_at IS NULL
RETURNING removed_at
"""


class _Held(msgspec.Struct, frozen=True):
    documents: int
    bytes: int
    bytes_of_lot: int


class _Sent(msgspec.Struct, frozen=True):
    """A part that is stored and not yet recorded."""

    starts_at: int
    length: int
    object: str


@command
async def begin_document(
    actor: Actor, documents: Documents, tender_id: UUID, lot_number: int, given: BeginDocument
) -> DocumentBegun:
    """Begin to upload a document for an envelope of the organisation's bid for a lot.

    Raises:
        NotFound: no such published tender or lot.
        Forbidden: the actor is no bid manager.
        NotAdmitted: the organisation is no admitted supplier.
        HelperMayNotBid: the organisation helps to run this tender, or buys in it.
        BiddingClosed: the deadline has passed, by the database's clock.
        DocumentFaulty: with every fault.
        DocumentsFull: the organisation's documents would be too many or too large.
        DocumentIdTaken: a supplier's own id is another document's.
    """
    bidding = await bidding_in(actor, tender_id, lot_number)
    ensure_may_bid(bidding.facts())
    _check(given, documents.document_limit)
    document = given.id or uuid4()
    kept = KeptDocument(name=given.name, media_type=given.media_type, sha256=given.sha256)
    await execute(
        _BEGIN,
        document,
        bidding.tender,
        bidding.lot,
        bidding.supplier,
        given.envelope.value,
        (Sealer.MARKET if given.id is None else Sealer.SUPPLIER).value,
        given.size,
        documents.custodian.keep(msgspec.json.encode(kept), kept_purpose(document)),
        actor.person,
    )
    if given.id is None:
        await execute(_KEY, uuid4(), document, wrapped_key(documents.custodian, document))
    held = await fetch_one(_Held, _HELD, bidding.supplier, bidding.tender, bidding.lot)
    if held is not None:
        _ensure_room(held, documents)
    await record(actor, "bid_document.begun", "bid_document", document)
    return DocumentBegun(id=document)


def _check(given: BeginDocument, most_bytes: int) -> None:
    """Check what a document is announced as.

    Raises:
        DocumentFaulty: with every fault.
    """
    found = []
    if (reason := name_fault(given.name, given.media_type)) is not None:
        found.append(Fault(field="name", reason=reason))
    if given.size > most_bytes:
        reason = f"A document has at most {most_bytes} bytes."
        found.append(Fault(field="size", reason=reason))
    if found:
        raise DocumentFaulty(found[0].reason, faults=found)


def _ensure_room(held: _Held, documents: Documents) -> None:
    """Bound what an organisation's documents for a tender are together, this one included.

    Raises:
        DocumentsFull: with the limit that is exceeded.
    """
    if held.documents > MOST_UPLOADED:
        message = f"An organisation has at most {MOST_UPLOADED} documents for one tender."
        raise DocumentsFull(message)
    for size, most, of in (
        (held.bytes_of_lot, documents.bid_limit, "lot"),
        (held.bytes, documents.tender_limit, "tender"),
    ):
        if size > most:
            message = f"An organisation's documents for one {of} have at most {most} bytes."
            raise DocumentsFull(message)


def wrapped_key(custodian: Custodian, document: UUID) -> bytes:
    """Draw a key for a document, and have the custodian keep it until a bid lists the document."""
    return custodian.keep(new_document_key(), document_key_purpose(document))


# ------------------------------------------------------------------------------------------ sending


async def receive(
    actor: Actor,
    documents: Documents,
    document_id: UUID,
    offset: int,
    body: AsyncIterator[bytes],
) -> DocumentProgress:
    """Take the next bytes of a document as they come, and store them sealed.

    Never more than a part is held in memory. What came before a connection broke is kept, so the
    sender asks where the upload stands and goes on from there. Of two that send from one place one
    is refused.

    Raises:
        NotFound: there is no such document, or the actor does not deal with it.
        BiddingClosed: the deadline has passed.
        DocumentComplete: it is complete.
        UploadOffsetWrong: the upload stands elsewhere; the detail says where.
        TooLarge: more came than one request may send, or than the document was to have.
        StoreUnavailable: the store does not answer.
        KeysUnavailable: the custodian cannot read what it keeps.
    """
    upload, _ = await upload_and_parts(actor, document_id)
    if upload.completed_at is not None:
        raise DocumentComplete
    if offset != upload.received:
        message = f"The upload stands at {upload.received} of {upload.size} bytes."
        raise UploadOffsetWrong(message)
    key = upload.key(documents.custodian)
    room = min(documents.sending_limit, upload.size - offset)
    sent: list[_Sent] = []
    try:
        async for piece in recut(_within(body, room), PART_BYTES):
            number = upload.parts + len(sent)
            name = f"{document_id}/{uuid4()}"
            sealed = piece if key is None else seal_part(key, document_id, number, piece)
            await documents.store.put(name, sealed)
            sent.append(_Sent(offset + sum(one.length for one in sent), len(piece), name))
        if not sent:
            return upload.progress()
        return await _note_parts(actor, document_id, upload.attempt, upload.parts, sent)
    except OutcomeUnknown:
        raise  # they may be recorded: what is not, the worker removes
    except MarketError:
        await discard(documents, [one.object for one in sent])
        raise


async def _within(body: AsyncIterator[bytes], room: int) -> AsyncIterator[bytes]:
    """Pass on a body of so many bytes at most.

    Raises:
        TooLarge: more came.
    """
    came = 0
    async for chunk in body:
        came += len(chunk)
        if came > room:
            message = f"Send at most {room} bytes at this place of the document."
            raise TooLarge(message)
        yield chunk


@command
async def _note_parts(
    actor: Actor, document_id: UUID, attempt: int, first: int, sent: list[_Sent]
) -> DocumentProgress:
    # held, so that it does not begin anew, under another key, between this look and the guard's
    await execute(_HOLD, document_id)
    upload = await upload_of(actor, document_id)
    if upload.attempt != attempt:
        raise UploadChanged
    await execute(
        _PARTS,
        document_id,
        list(range(first, first + len(sent))),
        [one.starts_at for one in sent],
        [one.length for one in sent],
        [one.object for one in sent],
    )
    await record(
        actor, "bid_document.received", "bid_document", document_id, attempt=upload.attempt
    )
    return (await upload_of(actor, document_id)).progress()


async def discard(documents: Documents, names: list[str]) -> None:
    """Remove objects that nothing names; what cannot be removed now, the worker removes."""
    with suppress(StoreUnavailable):
        await documents.store.remove(names)


# ----------------------------------------------------------------------------------------- removing


async def remove_document(actor: Actor, documents: Documents, document_id: UUID) -> DocumentGone:
    """Remove a document that no bid lists, or no longer; its key is gone at once.

    Raises:
        NotFound: there is no such document, or the actor does not deal with it.
        BiddingClosed: the deadline has passed.
        DocumentListed: a bid lists it.
    """
    _, parts = await upload_and_parts(actor, document_id)
    gone = await _remove(actor, document_id)
    await discard(documents, [part.object for part in parts])
    return gone


@command
async def _remove(actor: Actor, document_id: UUID) -> DocumentGone:
    await upload_of(actor, document_id)
    removed_at: datetime | None = await fetch_value(_REMOVE, document_id)
    if removed_at is None:
        raise NotFound
    await record(actor, "bid_document.removed", "bid_document", document_id, because="not_needed")
    return DocumentGone(id=document_id, removed_at=removed_at)
