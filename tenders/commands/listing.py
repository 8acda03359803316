"""Listing documents in a bid: compared with what is stored, and kept from then on."""

from uuid import UUID

from market.database import execute
from market.errors import Fault
from market.sealing import EnvelopeKind
from market.vault import Vault
from tenders.queries.bids import Bidding
from tenders.queries.documents import stored_documents
from tenders.rules.documents import listing_faults
from tenders.schemas.bids import GiveBid

_LIST = """
INSERT INTO listed_document (id, bid_version, document)
SELECT gen_random_uuid(), $1, * FROM unnest($2::uuid[])
"""


async def document_faults(vault: Vault, bidding: Bidding, given: GiveBid) -> list[Fault]:
    """Find everything wrong with the documents that a bid lists, inside a transaction.

    Raises:
        KeysUnavailable: the custodian cannot read what it keeps of them.
    """
    wanted = _wanted(given)
    if not wanted:
        return []
    stored = await stored_documents(vault.custodian, bidding.lot, bidding.supplier, wanted)
    listed = {
        EnvelopeKind.QUALITY: given.quality.documents,
        EnvelopeKind.PRICE: given.price.documents,
    }
    return listing_faults(listed, stored)


async def list_documents(version_id: UUID, given: GiveBid) -> None:
    """Write down which documents a version lists, in the transaction that makes it.

    Raises:
        ListedDocumentMissing: one is not there any more.
    """
    if wanted := _wanted(given):
        await execute(_LIST, version_id, wanted)


def _wanted(given: GiveBid) -> list[UUID]:
    return [one.id for one in (*given.quality.documents, *given.price.documents)]
