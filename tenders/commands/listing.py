"""Listing documents in a bid: kept from then on as it is, and the market's keys of them gone."""

from collections.abc import Sequence
from uuid import UUID

from market.database import execute

_LIST = """
INSERT INTO listed_document (id, bid_version, document)
SELECT gen_random_uuid(), $1, * FROM unnest($2::uuid[])
"""


async def list_documents(version_id: UUID, listed: Sequence[UUID]) -> None:
    """Write down which documents a version lists, in the transaction that makes it.

    The database erases the market's copies of their keys: the version's envelopes hold them.

    Raises:
        ListedDocumentMissing: one is not there any more.
        DocumentListedBefore: the bid, or another request just then, lists one already.
    """
    if listed:
        await execute(_LIST, version_id, listed)
