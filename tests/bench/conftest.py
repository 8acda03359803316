"""A PostgreSQL that keeps what it acknowledges, and the market that is measured, made once."""

import asyncio
import base64
import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec import Struct

from market.embedded import EmbeddedPostgres
from market.observation.log import configure_log
from market.sealing import ServerCustodian
from market.settings import Settings
from market.signing import SigningKey
from market.vault import Vault
from tests.bench.disks import Disk
from tests.bench.operations import Place
from tests.bench.stage import Stage, prepare
from tests.conftest import APP_PASSWORD
from tests.makers.moving import Databases, MovingMarket

HOME = Path(__file__).parents[2] / ".market"
FIGURES = HOME / "bench.json"


class Keys(Struct, frozen=True):
    """The keys that all processes of the bench share."""

    encryption: bytes
    signing: bytes

    def variables(self) -> dict[str, str]:
        """The same, for the environment of a process."""
        encryption, signing = (
            base64.b64encode(key).decode() for key in (self.encryption, self.signing)
        )
        return {"MARKET_KEY_ENCRYPTION_KEYS": f"tests:{encryption}", "MARKET_SIGNING_KEY": signing}


@pytest.fixture(scope="session")
def disk() -> Disk:
    """The disk the server writes to."""
    return Disk(HOME / "bench")


@pytest.fixture(scope="session")
def server(disk: Disk) -> Iterator[EmbeddedPostgres]:
    """A server on the disk, with fsync and all its defaults."""
    with disk.under():
        running = EmbeddedPostgres(HOME / "bench", settings={"max_connections": "200"}).start()
    with running:
        yield running


@pytest.fixture(scope="session")
def keys() -> Keys:
    """Keys made for the bench."""
    return Keys(secrets.token_bytes(32), secrets.token_bytes(32))


@pytest.fixture(scope="session")
def vault(keys: Keys) -> Vault:
    """The vault of these keys."""
    return Vault(
        custodian=ServerCustodian({"tests": keys.encryption}, "tests"),
        signing_key=SigningKey.from_seed(keys.signing),
        sandbox=True,
        name="tests.example",
    )


@pytest.fixture(scope="session")
def market(server: EmbeddedPostgres, vault: Vault) -> MovingMarket:
    """The application inside this process, to prepare and to record with."""
    configure_log("ERROR")
    settings = Settings(
        requests_per_minute=10_000_000,
        tender_requests_per_minute=10_000_000,
        sign_ins_per_minute=10_000_000,
    )
    return MovingMarket(Databases(server=server, password=APP_PASSWORD), settings, vault)


@pytest.fixture(scope="session")
def stage(market: MovingMarket, template: str) -> Iterator[Stage]:
    """The market that is measured; every measurement has a copy of its own."""
    made = asyncio.run(_prepared(market, template))
    yield made
    asyncio.run(market.databases.drop(made.database))


async def _prepared(market: MovingMarket, template: str) -> Stage:
    await market.databases.drop("bench_stage")
    return await prepare(market, template, "bench_stage")


@pytest.fixture(scope="session")
def place(
    server: EmbeddedPostgres,
    market: MovingMarket,
    keys: Keys,
    tmp_path_factory: pytest.TempPathFactory,
) -> Place:
    """Where measurements are made."""
    return Place(server, market, keys.variables(), tmp_path_factory.mktemp("home"))
