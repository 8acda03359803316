"""Noticing as the worker does it, over the test's database."""

from collections.abc import AsyncIterator

import pytest

from tests.conftest import Databases
from tests.makers.noticing import Noticing, noticing


@pytest.fixture
async def notices(databases: Databases) -> AsyncIterator[Noticing]:
    """Every kind of notice, asked by the worker role."""
    made = await noticing(databases.worker)
    yield made
    await made.worker.close()
