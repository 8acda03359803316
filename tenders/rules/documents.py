"""Documents that a bid lists: how it names them, what can be wrong with the list, what is kept."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Final
from uuid import UUID

from msgspec import Meta, Struct

from market.documents.kinds import MediaType
from market.errors import Fault
from market.sealing import EnvelopeKind, KeptColumn

MOST_LISTED: Final = 50
"""How many documents one envelope may list."""
MOST_UPLOADED: Final = 200
"""How many documents of one organisation one tender may hold at a time."""

DocumentName = Annotated[str, Meta(min_length=1, max_length=120)]
Sha256 = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}$", description="SHA-256, in hexadecimal.")]
Size = Annotated[int, Meta(ge=1, le=2**31, description="In bytes.")]

NO_KEY: Final = "The envelope that lists the document holds no key of it."
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


class GivenKey(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The key of a document that its supplier sealed: sealed into the envelope, and not kept."""

    id: UUID
    key: Annotated[
        str, Meta(pattern=r"^[0-9a-f]{64}$", description="The 32 bytes, in hexadecimal.")
    ]

    def __repr__(self) -> str:
        """Say which document it is of, and nothing of the key."""
        return f"GivenKey(id={self.id}, key=hidden)"


class KeptDocument(Struct, frozen=True, kw_only=True):
    """What is kept of a document until its bid is opened.

    Size and digest are those of what is uploaded: of a document that its supplier sealed, of the
    sealed stream.
    """

    name: str
    media_type: MediaType
    sha256: str


class StoredDocument(Struct, frozen=True, kw_only=True):
    """A document of the bidder for the lot, as far as a list of it is compared with it.

    `keyed` says that the market still has its key: no bid lists it.
    """

    kind: EnvelopeKind
    complete: bool
    sealed_by_supplier: bool
    keyed: bool
    name: str
    media_type: MediaType
    size: int
    sha256: str


def kept_purpose(document: UUID) -> bytes:
    """What the custodian keeps `KeptDocument` for: this document alone."""
    return b"bid-document\x00" + document.bytes


def document_key_purpose(document: UUID) -> bytes:
    """What the custodian keeps the key of a document for that no bid lists as yet."""
    return b"document-key\x00" + document.bytes


def opened_purpose(document: UUID) -> bytes:
    """What the custodian keeps the key of an opened document for."""
    return b"opened-document\x00" + document.bytes


KEPT: Final = (
    KeptColumn(table="bid_document", column="kept", of=("t.id",), purpose=kept_purpose),
    KeptColumn(
        table="document_key", column="wrapped", of=("t.document",), purpose=document_key_purpose
    ),
    KeptColumn(
        table="opened_document", column="kept_key", of=("t.document",), purpose=opened_purpose
    ),
)
"""What the tables of documents hold that is wrapped."""


def listing_faults(
    listed: Mapping[EnvelopeKind, Sequence[ListedDocument]],
    stored: Mapping[UUID, StoredDocument],
    given: Sequence[GivenKey],
) -> list[Fault]:
    """Find everything wrong with the documents that a bid lists, at once."""
    times = Counter(one.id for documents in listed.values() for one in documents)
    sealed = {one for one in times if one in stored and stored[one].sealed_by_supplier}
    return [
        *_key_faults(sealed, given),
        *_document_faults(listed, stored, times),
    ]


def _key_faults(sealed: set[UUID], given: Sequence[GivenKey]) -> Iterator[Fault]:
    keys = Counter(one.id for one in given)
    for document in sorted(sealed - set(keys)):
        reason = f"You sealed the document {document} yourself; give its key."
        yield Fault(field="document_keys", reason=reason)
    for index, one in enumerate(given):
        if one.id not in sealed:
            reason = "The bid lists no document of this id that you sealed; take its key out."
            yield Fault(field=f"document_keys[{index}].id", reason=reason)
        elif keys[one.id] > 1:
            reason = "The key of the document is given more than once; give it once."
            yield Fault(field=f"document_keys[{index}].id", reason=reason)


def _document_faults(
    listed: Mapping[EnvelopeKind, Sequence[ListedDocument]],
    stored: Mapping[UUID, StoredDocument],
    times: Mapping[UUID, int],
) -> Iterator[Fault]:
    return (
        Fault(field=f"{kind.value}.documents[{index}].{field}", reason=reason)
        for kind, documents in listed.items()
        for index, one in enumerate(documents)
        for field, reason in _faults_of(one, kind, stored.get(one.id), times[one.id])
    )


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
    if (reason := _why_not_ready(stored)) is not None:
        yield "id", reason
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


def _why_not_ready(stored: StoredDocument) -> str | None:
    if not stored.complete:
        return "The upload of the document is not complete; complete it first."
    if not stored.keyed and not stored.sealed_by_supplier:
        return (
            "A version of your bid lists the document already, and holds its only key; upload it"
            " anew."
        )
    return None


def sealed_listing_faults(
    documents: Sequence[UUID], stored: Mapping[UUID, StoredDocument]
) -> list[Fault]:
    """Find everything wrong with the documents of a bid that its supplier sealed, at once.

    Of each only what can be told without opening an envelope: that it is there, and sealed as well.
    """
    times = Counter(documents)
    return [
        Fault(field=f"documents[{index}]", reason=reason)
        for index, one in enumerate(documents)
        if (reason := _why_not_sealed(stored.get(one), times[one])) is not None
    ]


def _why_not_sealed(stored: StoredDocument | None, times: int) -> str | None:
    if times > 1:
        return "The document is named more than once; name it once."
    if stored is None:
        return "Your organisation has no such document for this lot; upload it first."
    if not stored.sealed_by_supplier:
        return "The market sealed the document, and you have no key of it; upload it sealed."
    return _why_not_ready(stored)
