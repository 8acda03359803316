"""Listing documents in a bid: kept from then on as it is, and the market's keys of them gone."""

from uuid import UUID

from market.database import execute
from tenders.schemas.bids import GiveBid

_LIST = """
INSERT INTO listed_document (id, bid_version, document)
SELECT gen_random_uuid(), $1, * FROM unnest($2::uuid[])
"""


async def list_documents(version_id: UUID, given: GiveBid) -> None:
    """Write down which documents a version lists, in the transaction that makes it.

    The database erases the market's copies of their keys: the version's envelopes hold them.

    Raises:
        ListedDocumentMissing: one is not there any more.
        DocumentListedBefore: the bid, or another request just then, lists one already.
    """
    wanted = [one.id for one in (*given.quality.documents, *given.price.documents)]
    if wanted:
        await execute(_LIST, version_id, wanted)
