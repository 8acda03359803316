"""Sealed parts are stored in a folder or in an S3-compatible bucket, and read back as they were."""

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from market.documents.store import DocumentStore, StoreUnavailable, open_store
from market.settings import BadSettings, Settings
from tests.makers.bucket import ACCESS_KEY, BUCKET, SECRET_KEY, bucket


def settings_of(endpoint: str) -> Settings:
    return Settings(
        documents_bucket=BUCKET,
        documents_endpoint=endpoint,
        documents_access_key=ACCESS_KEY,
        documents_secret_key=SECRET_KEY,
    )


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    with bucket() as address:
        yield address


@pytest.fixture(params=["folder", "bucket"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> DocumentStore:
    if request.param == "folder":
        return open_store(Settings(home=str(tmp_path)))
    endpoint = request.getfixturevalue("endpoint")
    return open_store(settings_of(endpoint))


async def test_what_is_stored_is_read_listed_and_removed(store: DocumentStore) -> None:
    document = uuid4()
    contents = {f"{document}/{uuid4()}": bytes([number]) * 5_000 for number in range(3)}
    for name, content in contents.items():
        await store.put(name, content)
    for name, content in contents.items():
        assert await store.get(name) == content
    listed = {one.name async for batch in store.listed() for one in batch}
    assert listed >= set(contents)
    first, *rest = contents
    await store.remove([first, first, f"{document}/{uuid4()}"])
    with pytest.raises(StoreUnavailable):
        await store.get(first)
    assert await store.get(rest[0]) == contents[rest[0]]


async def test_a_store_that_cannot_be_reached_is_said_to_be_so(tmp_path: Path) -> None:
    store = open_store(Settings(home=str(tmp_path)))
    folder = tmp_path / "documents"
    folder.rmdir()
    folder.write_text("a file where the folder was")
    with pytest.raises(StoreUnavailable):
        await store.put("one/two", b"content")


def test_a_folder_that_cannot_be_made_is_said_at_the_start(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(BadSettings, match="Documents cannot be kept in"):
        open_store(Settings(documents_folder=str(tmp_path / "file" / "documents")))


def test_a_store_says_where_it_is_and_no_secret(tmp_path: Path) -> None:
    remote = open_store(settings_of("http://127.0.0.1:1"))
    assert repr(remote) == "DocumentStore('an S3-compatible bucket')"
    assert open_store(Settings(home=str(tmp_path))).place == "a folder"
    assert (tmp_path / "documents").stat().st_mode & 0o077 == 0
