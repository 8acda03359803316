"""What handles documents in one process: store, scanner, custodian, how large they may be."""

import msgspec

from market.documents.scanning import Scanner, scanner_of
from market.documents.store import DocumentStore, open_store
from market.sealing import Custodian
from market.settings import Settings


class Documents(msgspec.Struct, frozen=True, kw_only=True):
    """Opened once at start from the settings. Limits are in bytes."""

    store: DocumentStore
    scanner: Scanner | None
    custodian: Custodian
    document_limit: int
    sending_limit: int
    bid_limit: int
    tender_limit: int


def open_documents(settings: Settings, custodian: Custodian) -> Documents:
    """Open the store, and take scanner and limits from the settings."""
    return Documents(
        store=open_store(settings),
        scanner=scanner_of(settings),
        custodian=custodian,
        document_limit=settings.document_limit,
        sending_limit=settings.document_sending_limit,
        bid_limit=settings.bid_documents_limit,
        tender_limit=settings.tender_documents_limit,
    )
