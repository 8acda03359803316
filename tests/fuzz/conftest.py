"""The market that is fuzzed: one application over the tender's states, each a database."""

import asyncio
import os
from collections.abc import Iterator

import pytest

from market.embedded import EmbeddedPostgres
from market.settings import Settings
from market.vault import Vault
from tests.conftest import APP_PASSWORD
from tests.makers.frozen import Frozen
from tests.makers.moving import Databases, MovingMarket
from tests.makers.states import drop, frozen_states

LONG = os.environ.get("FUZZ_EXAMPLES") is not None
"""Set by `make fuzz`: in every state, and with so many requests for each operation."""
SHORT = ("published", "opened")


@pytest.fixture(scope="session")
def moving_market(server: EmbeddedPostgres, vault: Vault) -> MovingMarket:
    """The API, with no rate limits to trip over."""
    settings = Settings(
        requests_per_minute=10_000_000,
        credential_requests_per_minute=10_000_000,
        tender_requests_per_minute=10_000_000,
        sign_ins_per_minute=10_000_000,
    )
    return MovingMarket(Databases(server=server, password=APP_PASSWORD), settings, vault)


@pytest.fixture(scope="session")
def states(moving_market: MovingMarket, template: str) -> Iterator[dict[str, Frozen]]:
    """The tender as it takes bids and as they are open; in the long form, in every state."""
    made = asyncio.run(frozen_states(moving_market, template, None if LONG else SHORT[-1]))
    yield made if LONG else {name: made[name] for name in SHORT}
    asyncio.run(drop(moving_market.databases, made))
