"""Where sealed parts are kept: a folder of this machine, or an S3-compatible bucket."""

import asyncio
import os
from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Final

import msgspec
from obstore.exceptions import BaseError
from obstore.store import LocalStore, S3Store

from market.errors import MarketError
from market.settings import BadSettings, Settings

_TIMEOUT: Final = "30s"
_LISTED_AT_ONCE: Final = 500


class StoreUnavailable(MarketError):
    """The store of documents does not answer, or has lost what was put there."""

    status = 503
    title = "The store of documents cannot be reached now. Try again."
    retry_after = 5


class StoredObject(msgspec.Struct, frozen=True):
    """An object as it is listed."""

    name: str
    stored_at: datetime


class DocumentStore:
    """Objects by their names; every one is sealed before it comes here.

    What `put` has returned from is on disk: in a folder the file and its folders are synchronised;
    a bucket promises it by its answer.
    """

    def __init__(self, store: LocalStore | S3Store, folder: Path | None) -> None:
        """Use this store; `folder` is where a local one keeps its files."""
        self._store = store
        self._folder = folder

    def __repr__(self) -> str:
        """Say where documents are kept, without any secret."""
        return f"DocumentStore({self.place!r})"

    @property
    def place(self) -> str:
        """Where documents are kept, for people."""
        return "an S3-compatible bucket" if self._folder is None else "a folder"

    async def put(self, name: str, content: bytes) -> None:
        """Store an object durably.

        Raises:
            StoreUnavailable: it could not be stored.
        """
        try:
            await self._store.put_async(name, content)
            if self._folder is not None:
                await asyncio.to_thread(_synchronise, self._folder, name)
        except (BaseError, OSError) as error:
            raise StoreUnavailable from error

    async def get(self, name: str) -> bytes:
        """Read an object whole; none is larger than a part.

        Raises:
            StoreUnavailable: it could not be read, or is not there.
        """
        try:
            found = await self._store.get_async(name)
            return bytes(await found.bytes_async())
        except (BaseError, OSError) as error:
            raise StoreUnavailable from error

    async def remove(self, names: Sequence[str]) -> None:
        """Remove objects; what is not there needs no removing.

        Raises:
            StoreUnavailable: the store does not answer.
        """
        for name in names:
            try:
                await self._store.delete_async(name)
            except FileNotFoundError:
                continue
            except (BaseError, OSError) as error:
                raise StoreUnavailable from error

    async def listed(self) -> AsyncIterator[list[StoredObject]]:
        """List everything that is stored, a few hundred objects at a time.

        Raises:
            StoreUnavailable: the store does not answer.
        """
        try:
            async for batch in self._store.list(chunk_size=_LISTED_AT_ONCE):
                yield [StoredObject(one["path"], one["last_modified"]) for one in batch]
        except (BaseError, OSError) as error:
            raise StoreUnavailable from error


def open_store(settings: Settings) -> DocumentStore:
    """Open the store that the settings name: a bucket, a folder, or one beside the database.

    Raises:
        BadSettings: the folder cannot be made.
    """
    if settings.documents_bucket is not None:
        endpoint = settings.documents_endpoint
        keys = (settings.documents_access_key, settings.documents_secret_key)
        bucket = S3Store(
            settings.documents_bucket,
            endpoint=endpoint,
            region=settings.documents_region,
            access_key_id=keys[0],
            secret_access_key=keys[1],
            virtual_hosted_style_request=False,
            client_options={
                "timeout": _TIMEOUT,
                "allow_http": endpoint is not None and endpoint.startswith("http://"),
            },
        )
        return DocumentStore(bucket, None)
    named = settings.documents_folder
    folder = settings.folder / "documents" if named is None else Path(named).absolute()
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        message = f"Documents cannot be kept in {folder}: {error.strerror}."
        raise BadSettings(message) from error
    return DocumentStore(LocalStore(folder), folder)


def _synchronise(folder: Path, name: str) -> None:
    """Have a file and the folders that name it on disk."""
    path = folder / name
    while True:
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        if path == folder:
            return
        path = path.parent
