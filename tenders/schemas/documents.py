"""What the API takes and gives about documents of bids."""

from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar
from uuid import UUID

import msgspec

from market.documents.kinds import MediaType
from market.sealing import EnvelopeKind
from tenders.rules.documents import DocumentName, Sha256, Size


class DocumentState(StrEnum):
    """How far an upload has come."""

    UPLOADING = "uploading"
    COMPLETE = "complete"


class Sealer(StrEnum):
    """Who seals a document: the market as it arrives, or its supplier before sending."""

    MARKET = "market"
    SUPPLIER = "supplier"


class BeginDocument(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A document that is to be uploaded for one envelope of a bid.

    `size` and `sha256` are of what will be sent. Who seals the document before sending it gives an
    `id` of their choice, a random UUID: then what is sent is the sealed stream, its size and digest
    are given, the document's key comes with the bid that lists it (`document_keys`) or in the
    envelope that the supplier seals, and the market looks at the document only after the opening.
    """

    name: DocumentName
    media_type: MediaType
    size: Size
    sha256: Sha256
    envelope: EnvelopeKind
    id: UUID | None = None

    example: ClassVar[dict[str, Any]] = {
        "name": "How we would begin.pdf",
        "media_type": "application/pdf",
        "size": 48213,
        "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "envelope": "quality",
    }


class DocumentBegun(msgspec.Struct, frozen=True, kw_only=True):
    """An upload was begun: send the document to `/bid-documents/{id}`."""

    id: UUID


class DocumentProgress(msgspec.Struct, frozen=True, kw_only=True):
    """How much of a document has come, in bytes; the next part begins there."""

    id: UUID
    offset: int
    size: int


class DocumentCompleted(msgspec.Struct, frozen=True, kw_only=True):
    """A document was looked through; a bid can list it."""

    id: UUID
    completed_at: datetime


class DocumentGone(msgspec.Struct, frozen=True, kw_only=True):
    """A document was removed."""

    id: UUID
    removed_at: datetime


class DocumentView(msgspec.Struct, frozen=True, kw_only=True):
    """One of the organisation's documents. Once a bid lists it, the market itself cannot open it.

    List it in the bid's envelope by `id`, `name`, `media_type`, `size` and `sha256`. `listed` says
    that a version of a bid does: one that the market sealed then belongs to that version alone.
    """

    id: UUID
    tender: UUID
    lot_number: int
    envelope: EnvelopeKind
    name: str
    media_type: MediaType
    size: int
    sha256: str
    sealed_by: Sealer
    state: DocumentState
    offset: int
    listed: bool
    begun_at: datetime
    completed_at: datetime | None


class OpenedDocumentView(msgspec.Struct, frozen=True, kw_only=True):
    """A document of an opened bid, as the bid lists it; `failure` says why it cannot be used.

    `checked` says that it was looked through since the opening, which its first reader causes.
    """

    id: UUID
    envelope: EnvelopeKind
    name: str
    media_type: MediaType
    size: int
    sha256: str
    checked: bool
    failure: str | None
