"""Noticing as the worker does it, over the test's database."""

import functools
from collections.abc import AsyncIterator

import pytest

from market import migrations
from tests.conftest import Databases
from tests.makers.databases import LaterConnection
from tests.makers.noticing import Noticing


@pytest.fixture
async def notices(databases: Databases) -> AsyncIterator[Noticing]:
    """Every kind of notice, asked by the worker role."""
    in_utc = {"timezone": "UTC"}
    worker = LaterConnection(
        functools.partial(databases.connect, migrations.WORKER, server_settings=in_utc)
    )
    yield Noticing(worker)
    await worker.close()
