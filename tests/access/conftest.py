"""The states of the access matrix: made once in each test process, dropped at its end."""

import asyncio
from collections.abc import Iterator

import pytest

from market.embedded import EmbeddedPostgres
from market.settings import Settings
from market.vault import Vault
from tests.conftest import APP_PASSWORD
from tests.makers.frozen import Frozen
from tests.makers.moving import Databases, MovingMarket
from tests.makers.states import drop, frozen_states


@pytest.fixture(scope="session")
def moving_market(server: EmbeddedPostgres, vault: Vault, documents_folder: str) -> MovingMarket:
    """The API, to be run over one database after another, with no rate limits to trip over."""
    settings = Settings(
        requests_per_minute=10_000_000,
        credential_requests_per_minute=10_000_000,
        tender_requests_per_minute=10_000_000,
        sign_ins_per_minute=10_000_000,
        documents_folder=documents_folder,
    )
    return MovingMarket(Databases(server=server, password=APP_PASSWORD), settings, vault)


@pytest.fixture(scope="session")
def states(moving_market: MovingMarket, template: str) -> Iterator[dict[str, Frozen]]:
    """The tender in every state, each in a database of its own."""
    made = asyncio.run(frozen_states(moving_market, template))
    yield made
    asyncio.run(drop(moving_market.databases, made))
