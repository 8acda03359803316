"""What can be read of documents: the organisation's own, and those of opened bids."""

from datetime import datetime
from uuid import UUID

import msgspec

from market.actor import Actor
from market.database import fetch, fetch_one, reading
from market.errors import NotFound
from market.pages import Page
from market.sealing import CannotUnwrap, Custodian, EnvelopeKind
from tenders.errors import KeysUnavailable
from tenders.permissions.bids import ensure_bid_manager, is_bid_manager
from tenders.permissions.opening import ensure_knows_bidders, ensure_may_read
from tenders.queries.bids import HIGHEST_LOT
from tenders.queries.keysets import cursor_at, read_cursor
from tenders.queries.opening import standing_of
from tenders.rules.bids import PriceEnvelope, QualityEnvelope
from tenders.rules.documents import (
    NOT_STORED,
    KeptDocument,
    ListedDocument,
    document_key_purpose,
    kept_purpose,
)
from tenders.schemas.documents import (
    DocumentProgress,
    DocumentState,
    DocumentView,
    OpenedDocumentView,
    Sealer,
)

# Row-level security shows a document to its organisation's bid managers and to nobody else.
_UPLOAD = """
SELECT d.id, d.tender, d.lot, l.number AS lot_number, d.organisation, d.kind, d.sealed_by, d.size,
    d.received, d.parts, d.attempt, d.kept, k.wrapped, d.begun_at, d.completed_at,
    EXISTS (SELECT 1 FROM listed_document x WHERE x.document = d.id) AS listed
FROM bid_document d JOIN lot l ON l.id = d.lot
LEFT JOIN document_key k ON k.document = d.id
WHERE d.removed_at IS NULL AND d.organisation = $1
"""

_ONE = _UPLOAD + " AND d.id = $2"

_OF_LOT = (
    _UPLOAD
    + """
AND d.tender = $2 AND l.number = $3
AND ($4::timestamptz IS NULL OR (d.begun_at, d.id) < ($4, $5::uuid))
ORDER BY d.begun_at DESC, d.id DESC LIMIT $6
"""
)

_PARTS = "SELECT number, object FROM bid_document_part WHERE document = $1 ORDER BY number"

# Row-level security shows contents to those who read them, and to them documents alike.
_OPENED = """
SELECT m.bid, o.kind, o.content, m.lot FROM manifest_entry m JOIN lot l ON l.id = m.lot
JOIN opened_envelope o ON o.bid = m.bid
WHERE m.tender = $1 AND l.number = $2 AND m.pseudonym = $3 AND o.content IS NOT NULL
ORDER BY o.kind DESC
"""

_PROVED = """
SELECT document, kind, kept_key, failure, checked_at FROM opened_document WHERE bid = $1
"""

_OPENED_PARTS = "SELECT number, object, sealed_by FROM opened_document_parts($1)"


class Upload(msgspec.Struct, frozen=True, kw_only=True):
    """One of the organisation's documents, with what is needed to go on with it."""

    id: UUID
    tender: UUID
    lot: UUID
    lot_number: int
    organisation: UUID
    kind: EnvelopeKind
    sealed_by: Sealer
    size: int
    received: int
    parts: int
    attempt: int
    kept: bytes
    wrapped: bytes | None
    begun_at: datetime
    completed_at: datetime | None
    listed: bool

    def progress(self) -> DocumentProgress:
        """How much has come."""
        return DocumentProgress(id=self.id, offset=self.received, size=self.size)

    def described(self, custodian: Custodian) -> KeptDocument:
        """What it is called and was announced as.

        Raises:
            KeysUnavailable: the custodian cannot read what it keeps.
        """
        return recalled(custodian, self.id, self.kept)

    def key(self, custodian: Custodian) -> bytes | None:
        """What its parts are sealed with; None where its supplier sealed it, or a bid lists it.

        Raises:
            KeysUnavailable: the custodian cannot read what it keeps.
        """
        if self.wrapped is None:
            return None
        try:
            return custodian.recall(self.wrapped, document_key_purpose(self.id))
        except CannotUnwrap as error:
            raise KeysUnavailable from error


class Part(msgspec.Struct, frozen=True):
    """Where one part of a document is stored."""

    number: int
    object: str


class OpenedPart(msgspec.Struct, frozen=True):
    """Where one part of an opened document is stored, and who sealed it."""

    number: int
    object: str
    sealed_by: Sealer


class Opened(msgspec.Struct, frozen=True, kw_only=True):
    """A document of an opened bid: as its envelope lists it, and what became of it."""

    listed: ListedDocument
    kind: EnvelopeKind
    kept_key: bytes | None
    failure: str | None
    checked: bool

    def view(self) -> OpenedDocumentView:
        """What is shown of it."""
        one = self.listed
        return OpenedDocumentView(
            id=one.id,
            envelope=self.kind,
            name=one.name,
            media_type=one.media_type,
            size=one.size,
            sha256=one.sha256,
            checked=self.checked,
            failure=self.failure,
        )


class _Envelope(msgspec.Struct, frozen=True):
    bid: UUID
    kind: EnvelopeKind
    content: str


class _Proved(msgspec.Struct, frozen=True):
    document: UUID
    kind: EnvelopeKind
    kept_key: bytes | None
    failure: str | None
    checked_at: datetime | None


def recalled(custodian: Custodian, document: UUID, kept: bytes) -> KeptDocument:
    """What is kept of a document.

    Raises:
        KeysUnavailable: the custodian cannot read it.
    """
    try:
        described = custodian.recall(kept, kept_purpose(document))
    except CannotUnwrap as error:
        raise KeysUnavailable from error
    return msgspec.json.decode(described, type=KeptDocument)


async def upload_of(actor: Actor, document_id: UUID) -> Upload:
    """One of the organisation's documents, inside a transaction.

    Raises:
        NotFound: there is no such document, or the actor does not deal with it.
    """
    if not is_bid_manager(actor):
        raise NotFound
    found = await fetch_one(Upload, _ONE, actor.organisation, document_id)
    if found is None:
        raise NotFound
    return found


async def upload_and_parts(actor: Actor, document_id: UUID) -> tuple[Upload, list[Part]]:
    """One of the organisation's documents, and where its parts are stored.

    Raises:
        NotFound: there is no such document, or the actor does not deal with it.
    """
    async with reading(actor):
        upload = await upload_of(actor, document_id)
        return upload, await fetch(Part, _PARTS, document_id)


async def my_document(actor: Actor, custodian: Custodian, document_id: UUID) -> DocumentView:
    """Show one of the organisation's documents.

    Raises:
        NotFound: there is no such document, or the actor does not deal with it.
        KeysUnavailable: the custodian cannot read what it keeps.
    """
    async with reading(actor):
        return _view(custodian, await upload_of(actor, document_id))


async def my_documents(  # noqa: PLR0913  # a place and a page of it
    actor: Actor,
    custodian: Custodian,
    tender_id: UUID,
    lot_number: int,
    *,
    limit: int,
    cursor: str | None,
) -> Page[DocumentView]:
    """The organisation's documents for a lot, the latest first.

    Raises:
        Forbidden: the actor is no bid manager.
        Malformed: the cursor is none of ours.
        KeysUnavailable: the custodian cannot read what it keeps.
    """
    ensure_bid_manager(actor)
    before, document = read_cursor(cursor)
    rows: list[Upload] = []
    if 1 <= lot_number <= HIGHEST_LOT:
        place = (actor.organisation, tender_id, lot_number)
        async with reading(actor):
            rows = await fetch(Upload, _OF_LOT, *place, before, document, limit + 1)
    following = None
    if len(rows) > limit:
        last = rows[limit - 1]
        following = cursor_at(last.begun_at, last.id)
    return Page(items=[_view(custodian, row) for row in rows[:limit]], next=following)


def _view(custodian: Custodian, row: Upload) -> DocumentView:
    described = row.described(custodian)
    return DocumentView(
        id=row.id,
        tender=row.tender,
        lot_number=row.lot_number,
        envelope=row.kind,
        name=described.name,
        media_type=described.media_type,
        size=row.size,
        sha256=described.sha256,
        sealed_by=row.sealed_by,
        state=DocumentState.UPLOADING if row.completed_at is None else DocumentState.COMPLETE,
        offset=row.received,
        listed=row.listed,
        begun_at=row.begun_at,
        completed_at=row.completed_at,
    )


async def opened_documents(
    actor: Actor, tender_id: UUID, lot_number: int, pseudonym: str
) -> list[Opened]:
    """The documents that a bid lists in its opened envelopes, for those who read these.

    Inside a transaction.

    Raises:
        NotFound: no such tender or bid, or none of its envelopes is open to the actor.
        DutyNeeded: it is not the actor's duty.
        BiddersNotKnown: the bids have not been opened.
        DeclarationMissing: the actor has not declared against every bidder.
        ConflictOfInterest: the actor has an interest in a bidder.
    """
    standing = await standing_of(actor, tender_id)
    envelopes: list[_Envelope] = []
    if 1 <= lot_number <= HIGHEST_LOT:
        envelopes = await fetch(_Envelope, _OPENED, tender_id, lot_number, pseudonym)
    if not is_bid_manager(actor) or not envelopes:
        # bidders read their own bid once it is open; others what their duty is about
        ensure_knows_bidders(standing)
        ensure_may_read(standing)
    if not envelopes:
        raise NotFound
    proved = {one.document: one for one in await fetch(_Proved, _PROVED, envelopes[0].bid)}
    return [
        _opened(envelope.kind, one, proved.get(one.id))
        for envelope in envelopes
        for one in documents_in(envelope.content, envelope.kind)
    ]


def documents_in(content: str, kind: EnvelopeKind) -> tuple[ListedDocument, ...]:
    """The documents that the content of an opened envelope lists."""
    if kind is EnvelopeKind.QUALITY:
        return msgspec.json.decode(content, type=QualityEnvelope).documents
    return msgspec.json.decode(content, type=PriceEnvelope).documents


def _opened(kind: EnvelopeKind, listed: ListedDocument, proved: _Proved | None) -> Opened:
    if proved is None or proved.kind is not kind:
        return Opened(listed=listed, kind=kind, kept_key=None, failure=NOT_STORED, checked=True)
    return Opened(
        listed=listed,
        kind=kind,
        kept_key=proved.kept_key,
        failure=proved.failure,
        checked=proved.checked_at is not None,
    )


async def opened_parts(document_id: UUID) -> list[OpenedPart]:
    """Where the parts of an opened document are stored, inside a transaction."""
    return await fetch(OpenedPart, _OPENED_PARTS, document_id)
