"""What the worker does about documents: it removes what nobody uses."""

from datetime import datetime
from typing import Final

from market.background import Workbench
from market.documents.store import DocumentStore, open_store

_AT_ONCE: Final = 100
_REST: Final = 3600.0
# What was stored a moment ago may not be recorded yet.
_OLD = "SELECT clock_timestamp() - interval '1 day'"
_REMOVE = "SELECT remove_unused_documents($1, $2)"
_OF_NONE = "SELECT objects_of_no_document($1)"


class UnusedDocuments:
    """Removes uploads that were not completed and documents that no bid lists, and their bytes.

    They are left for MARKET_UNUSED_DOCUMENTS_DAYS: an upload from its beginning, a document from
    the deadline on. Bytes that no document names (of parts that came second, of what broke off)
    are left for a day.
    """

    name = "unused documents"

    def __init__(self, bench: Workbench) -> None:
        """Work at this bench."""
        self._bench = bench
        self._store: DocumentStore | None = None

    async def run(self) -> float:
        """Do one pass.

        Raises:
            StoreUnavailable: the store of documents does not answer.
        """
        days = self._bench.settings.unused_documents_days
        async with self._bench.database.transaction() as connection:
            removed: int = await connection.fetchval(_REMOVE, days, _AT_ONCE)
        if removed == _AT_ONCE:
            return 0
        await self._sweep()
        return _REST

    async def _sweep(self) -> None:
        if self._store is None:
            self._store = open_store(self._bench.settings)
        async with self._bench.database.connection() as connection:
            old: datetime = await connection.fetchval(_OLD)
        async for batch in self._store.listed():
            names = [one.name for one in batch if one.stored_at < old]
            async with self._bench.database.connection() as connection:
                unnamed = [row[0] for row in await connection.fetch(_OF_NONE, names)]
            await self._store.remove(unnamed)
