"""Documents that a bid or its draft lists: compared with what is stored, and their keys."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

import msgspec

from market.database import fetch
from market.errors import Fault
from market.sealing import CannotUnwrap, Custodian, EnvelopeKind
from tenders.errors import KeysUnavailable
from tenders.queries.bids import Bidding
from tenders.queries.documents import recalled
from tenders.rules.documents import (
    GivenKey,
    ListedDocument,
    StoredDocument,
    document_key_purpose,
    listing_faults,
    sealed_listing_faults,
)
from tenders.schemas.documents import Sealer

_STORED = """
SELECT d.id, d.kind, d.size, d.sealed_by, d.kept, d.completed_at, k.wrapped
FROM bid_document d LEFT JOIN document_key k ON k.document = d.id
WHERE d.id = ANY ($1::uuid[]) AND d.lot = $2 AND d.organisation = $3 AND d.removed_at IS NULL
"""


class Lists(Protocol):
    """One part of a bid, as far as it lists documents."""

    @property
    def documents(self) -> Sequence[ListedDocument]: ...


class Listing(msgspec.Struct, frozen=True, kw_only=True):
    """What a bid lists: everything wrong with it, and the keys that open the documents."""

    faults: list[Fault]
    keys: Mapping[EnvelopeKind, Mapping[UUID, bytes]]

    def __repr__(self) -> str:
        """Say how many faults there are, and nothing of the keys."""
        return f"Listing(faults={len(self.faults)}, keys=hidden)"


class _Stored(msgspec.Struct, frozen=True):
    id: UUID
    kind: EnvelopeKind
    size: int
    sealed_by: Sealer
    kept: bytes
    completed_at: datetime | None
    wrapped: bytes | None


async def listing_of(
    custodian: Custodian,
    bidding: Bidding,
    quality: Lists,
    price: Lists,
    given: Sequence[GivenKey],
) -> Listing:
    """Compare what a bid lists with what is stored, and find the keys; inside a transaction.

    The market has the keys of documents that it sealed, and the bid gives those of the others.

    Raises:
        KeysUnavailable: the custodian cannot read what it keeps of them.
    """
    listed = {
        EnvelopeKind.QUALITY: quality.documents,
        EnvelopeKind.PRICE: price.documents,
    }
    if not (quality.documents or price.documents or given):
        return Listing(faults=[], keys={kind: {} for kind in listed})
    rows = await _rows(bidding, [one.id for documents in listed.values() for one in documents])
    stored = {row.id: _stored(custodian, row) for row in rows}
    keys = {one.id: bytes.fromhex(one.key) for one in given}
    for row in rows:
        if row.wrapped is not None:
            keys[row.id] = _key(custodian, row.id, row.wrapped)
    return Listing(
        faults=listing_faults(listed, stored, given),
        keys={
            kind: {one.id: keys[one.id] for one in documents if one.id in keys}
            for kind, documents in listed.items()
        },
    )


async def sealed_faults_of(
    custodian: Custodian, bidding: Bidding, documents: Sequence[UUID]
) -> list[Fault]:
    """Say what is wrong with the documents of a bid that its supplier sealed, in a transaction.

    Raises:
        KeysUnavailable: the custodian cannot read what it keeps of them.
    """
    rows = await _rows(bidding, documents)
    return sealed_listing_faults(documents, {row.id: _stored(custodian, row) for row in rows})


async def _rows(bidding: Bidding, wanted: Sequence[UUID]) -> list[_Stored]:
    if not wanted:
        return []
    return await fetch(_Stored, _STORED, wanted, bidding.lot, bidding.supplier)


def _stored(custodian: Custodian, row: _Stored) -> StoredDocument:
    described = recalled(custodian, row.id, row.kept)
    return StoredDocument(
        kind=row.kind,
        complete=row.completed_at is not None,
        sealed_by_supplier=row.sealed_by is Sealer.SUPPLIER,
        keyed=row.wrapped is not None,
        name=described.name,
        media_type=described.media_type,
        size=row.size,
        sha256=described.sha256,
    )


def _key(custodian: Custodian, document: UUID, wrapped: bytes) -> bytes:
    try:
        return custodian.recall(wrapped, document_key_purpose(document))
    except CannotUnwrap as error:
        raise KeysUnavailable from error
