"""A published tender, a bidder, and an opened tender, for the guards' tests."""

import pytest

from tests.makers.bids import (
    OpenedTender,
    opened_tender,
    some_suppliers,
)
from tests.makers.tenders import PublishedTender, published_tender
from tests.makers.world import Person, World


@pytest.fixture
async def tender(world: World) -> PublishedTender:
    return await published_tender(world)


@pytest.fixture
async def bidder(world: World) -> Person:
    return (await some_suppliers(world, 1))[0]


@pytest.fixture
async def opened(world: World, tender: PublishedTender) -> OpenedTender:
    return await opened_tender(world, tender, count=2)
