"""Documents live as well in an S3-compatible bucket, and nothing there can be read."""

from collections.abc import Iterator

import pytest

from market.documents.store import open_store
from market.settings import Settings
from tests.makers.bids import open_bids, submit
from tests.makers.bucket import ACCESS_KEY, BUCKET, SECRET_KEY, bucket
from tests.makers.documents import announced, begun, bid_with, complete, listed, path_of, send
from tests.makers.suppliers import admitted_supplier
from tests.makers.tenders import published_tender
from tests.makers.world import World

WORDS = b"Two analysts are on site from the first day.\n"


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    with bucket() as address:
        yield address


@pytest.fixture
def settings(endpoint: str) -> Settings:
    return Settings(
        pool_minimum=1,
        pool_maximum=12,
        requests_per_minute=1_000_000,
        sign_ins_per_minute=100_000,
        documents_bucket=BUCKET,
        documents_endpoint=endpoint,
        documents_access_key=ACCESS_KEY,
        documents_secret_key=SECRET_KEY,
    )


async def test_a_document_in_a_bucket_is_uploaded_sealed_and_read_after_the_opening(
    world: World, settings: Settings
) -> None:
    tender = await published_tender(world)
    bidder = await admitted_supplier(world, "Kingfisher Analytics")
    content = WORDS * 60_000
    body = announced(content, name="How.txt", media_type="text/plain")
    path = await begun(bidder, tender, body)
    for at in range(0, len(content), 1_500_000):
        sent = await send(bidder, path, at, content[at : at + 1_500_000])
        assert sent.status_code == 200, sent.text
    completed = await complete(bidder, path)
    assert completed.status_code == 201, completed.text
    store = open_store(settings)
    document = path.rpartition("/")[2]  # others may be in the bucket, of other tests
    names = [one.name async for batch in store.listed() for one in batch if document in one.name]
    assert len(names) == 4
    for name in names:
        assert WORDS not in await store.get(name)
    one = listed(body, path)
    await submit(bidder, tender, 1, bid_with(tender, [one]))
    await open_bids(world, tender)
    read = await tender.openers[0].get(f"{path_of(tender)}/{one['id']}")
    assert (read.status_code, read.content) == (200, content)
