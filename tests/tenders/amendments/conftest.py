"""A published tender and a bidder, for tests of amendments."""

import pytest

from tests.makers.bids import some_suppliers
from tests.makers.tenders import PublishedTender, published_tender
from tests.makers.world import Person, World


@pytest.fixture
async def tender(world: World) -> PublishedTender:
    return await published_tender(world)


@pytest.fixture
async def bidder(world: World) -> Person:
    return (await some_suppliers(world, 1))[0]
