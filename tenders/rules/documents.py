"""Documents that a bid lists: how it names them, what can be wrong with the list, what is kept."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Final
from uuid import UUID

from msgspec import Meta, Struct

from market.documents.kinds import MediaType
from market.errors import Fault
from market.sealing import EnvelopeKind

MOST_LISTED: Final = 50
"""How many documents one envelope may list."""
MOST_UPLOADED: Final = 200
"""How many documents of one organisation one tender may hold at a time."""

DocumentName = Annotated[str, Meta(min_length=1, max_length=120)]
Sha256 = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}$", description="SHA-256, in hexadecimal.")]
Size = Annotated[int, Meta(ge=1, le=2**31, description="In bytes.")]

KEY_DOES_NOT_OPEN: Final = "The document's key does not open with the key of its lot."
NOT_AS_LISTED: Final = "The document is not of the size or digest that the bid lists."
NOT_OF_ITS_KIND: Final = "The document is not of the media type that the bid lists."
NOT_WHOLE: Final = "A part of the document does not open with its key."
NOT_STORED: Final = "The market holds no such document of this bid."
INFECTED: Final = "The scanner found malware in the document: "


class ListedDocument(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A document as an envelope lists it: it is part of the bid, by its digest."""

    id: UUID
    name: DocumentName
    media_type: MediaType
    size: Size
    sha256: Sha256


class KeptDocument(Struct, frozen=True, kw_only=True):
    """What is kept of a document until its bid is opened, and its key while it is uploaded.

    Size and digest are those of what is uploaded: of a document that its supplier sealed, of the
    sealed stream.
    """

    name: str
    media_type: MediaType
    sha256: str
    key: bytes | None = None


class StoredDocument(Struct, frozen=True, kw_only=True):
    """A document of the bidder for the lot, as far as a list of it is compared with it."""

    kind: EnvelopeKind
    complete: bool
    sealed_by_supplier: bool
    name: str
    media_type: MediaType
    size: int
    sha256: str


def kept_purpose(document: UUID) -> bytes:
    """What the custodian keeps `KeptDocument` for: this document alone."""
    return b"bid-document\x00" + document.bytes


def opened_purpose(document: UUID) -> bytes:
    """What the custodian keeps the key of an opened document for."""
    return b"opened-document\x00" + document.bytes


def listing_faults(
    listed: Mapping[EnvelopeKind, Sequence[ListedDocument]],
    stored: Mapping[UUID, StoredDocument],
) -> list[Fault]:
    """Find everything wrong with the documents that a bid lists, at once."""
    times = Counter(one.id for documents in listed.values() for one in documents)
    return [
        Fault(field=f"{kind.value}.documents[{index}].{field}", reason=reason)
        for kind, documents in listed.items()
        for index, one in enumerate(documents)
        for field, reason in _faults_of(one, kind, stored.get(one.id), times[one.id])
    ]


def _faults_of(
    one: ListedDocument, kind: EnvelopeKind, stored: StoredDocument | None, times: int
) -> Iterator[tuple[str, str]]:
    if times > 1:
        yield "id", "The document is listed more than once; list it once."
    if stored is None:
        yield "id", "Your organisation has no such document for this lot; upload it first."
        return
    if stored.kind is not kind:
        yield (
            "id",
            f"The document was uploaded for the {stored.kind.value} envelope; list it there.",
        )
    if not stored.complete:
        yield "id", "The upload of the document is not complete; complete it first."
    if one.name != stored.name:
        yield "name", "The document was uploaded under another name."
    if one.media_type is not stored.media_type:
        yield "media_type", "The document was uploaded with another media type."
    if stored.sealed_by_supplier:
        return  # what it is when opened, its sealer alone can tell
    if one.size != stored.size:
        yield "size", f"The document has {stored.size} bytes."
    if one.sha256 != stored.sha256:
        yield "sha256", "The document has another digest."
