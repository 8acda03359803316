"""What the faults happen to: a published tender and many bidders, made once and copied each time.

The deadline is forty days off. A test copies the data, starts the copy, and moves the sandbox's
clock to a few seconds before the deadline.
"""

import asyncio
import contextlib
import hashlib
import io
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import httpx
import msgspec
import pytest

from market import migrations, seed
from market.app import create_app, served
from market.runtime import open_vault
from market.settings import Environment, Settings, from_environment
from market.vault import Vault
from tests.conftest import APP_PASSWORD, running
from tests.faults.postgres import DATABASE, Postgres, needs_namespace, serving
from tests.faults.processes import keys, plain_environment
from tests.makers.bids import asked, bid_body
from tests.makers.clock import registrar
from tests.makers.planting import unguarded
from tests.makers.tenders import PublishedTender, published_tender, requirement_of
from tests.makers.world import PASSWORD_HASH, Person, World

BIDDERS = int(os.environ.get("STORM_BIDDERS", "200"))
_TABLES = (
    "organisation",
    "person",
    "membership",
    "session",
    "supplier_application",
    "supplier_decision",
)
_SUPPLIERS = (
    (
        "INSERT INTO organisation (id, kind, name, demonstration, proposed, registered_at)"
        " SELECT id, 'commercial', name, false, false, market_now()"
        " FROM unnest($1::uuid[], $2::text[]) AS given (id, name)"
    ),
    (
        "INSERT INTO person (id, email, name, password_hash, registered_at)"
        " SELECT id, email, name, $4, market_now()"
        " FROM unnest($1::uuid[], $2::text[], $3::text[]) AS given (id, name, email)"
    ),
    (
        "INSERT INTO membership (id, person, organisation, role, started_at)"
        " SELECT gen_random_uuid(), person, organisation, 'bid_manager', market_now()"
        " FROM unnest($1::uuid[], $2::uuid[]) AS given (person, organisation)"
    ),
    (
        "INSERT INTO session (id, token_digest, person, organisation, method, started_at,"
        " confirmed_at, expires_at) SELECT gen_random_uuid(), digest, person, organisation,"
        " 'password', now(), now(), now() + interval '12 hours'"
        " FROM unnest($1::uuid[], $2::uuid[], $3::bytea[]) AS given (person, organisation, digest)"
    ),
    (
        "INSERT INTO supplier_application (id, organisation, applicant, statement, applied_at)"
        " SELECT id, organisation, person, 'We know the work.', market_now()"
        " FROM unnest($1::uuid[], $2::uuid[], $3::uuid[]) AS given (id, person, organisation)"
    ),
    (
        "INSERT INTO supplier_decision (id, application, outcome, reason, decided_by, decided_at)"
        " SELECT gen_random_uuid(), id, 'admitted', 'As it should be.', $2, market_now()"
        " FROM unnest($1::uuid[]) AS given (id)"
    ),
)


class Scene(msgspec.Struct, frozen=True, kw_only=True):
    """A stopped server with all that was prepared in it, and who may do what there."""

    prepared: Postgres
    keys: dict[str, str]
    tender: PublishedTender
    bidders: tuple[Person, ...]
    registrar: Person
    home: Path

    def variables(self, *servers: Postgres, **settings: str) -> dict[str, str]:
        """The environment of a process of this market over these servers, first tried first."""
        hosts = ",".join(f"127.0.0.1:{server.port}" for server in servers)
        options = "?target_session_attrs=read-write" if len(servers) > 1 else ""
        ways = {
            f"{kind}_url": f"postgresql://{role}:{APP_PASSWORD.replace(' ', '%20')}@{hosts}"
            f"/{DATABASE}{options}"
            for kind, role in (("database", migrations.APP), ("worker", migrations.WORKER))
        }
        limits = {
            "requests_per_minute": "1000000",
            "credential_requests_per_minute": "1000000",
            "tender_requests_per_minute": "1000000",
            "pool_minimum": "2",
            "pool_maximum": "12",
        }
        return plain_environment(self.home, **(ways | limits | settings)) | self.keys

    def body(self, text: str, price: str) -> dict[str, Any]:
        """A complete bid that says this."""
        return bid_body(asked(self.tender, 1), quality_text=text, unit_prices=price)

    def vault(self) -> Vault:
        """The keys of the market, as its processes have them."""
        return open_vault(self.settings(), sandbox=True)

    def settings(self) -> Settings:
        """Settings with the keys of the market."""
        return from_environment(self.keys | {"MARKET_NAME": "tests.example"})

    async def close_in(self, server: Postgres, seconds: float) -> None:
        """Move the market's clock to so many seconds before the deadline, for good.

        As the registrar's request does it, without a process that would have to be up for it.
        """
        shift = self.tender.deadline - datetime.now(UTC) - timedelta(seconds=seconds)
        connection = await asyncpg.connect(**server.parameters())
        async with unguarded(connection, "market_clock", "session"):
            await connection.execute("UPDATE market_clock SET shift = $1", shift)
            await connection.execute("UPDATE session SET confirmed_at = now()")
        await connection.execute("CHECKPOINT")  # the control loses what came after this
        await connection.close()


@pytest.fixture(scope="session")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Scene:
    """Everything that stood before the faults; one for all tests."""
    needs_namespace()
    folder = tmp_path_factory.mktemp("scene")
    server = Postgres.made(folder / "prepared", settings={"fsync": "off"})
    given = keys()
    with serving(server), contextlib.redirect_stdout(io.StringIO()):
        made = asyncio.run(_prepare(server, given, folder))
        server.stop()
    server.settings["fsync"] = "on"
    return made


async def _prepare(server: Postgres, given: dict[str, str], home: Path) -> Scene:
    superuser = await asyncpg.connect(**server.parameters("postgres"))
    await superuser.execute(f"CREATE DATABASE {DATABASE}")
    await superuser.close()
    parameters = server.parameters()
    await migrations.migrate(parameters, app_password=APP_PASSWORD)
    passwords = {migrations.APP: APP_PASSWORD, migrations.WORKER: APP_PASSWORD}
    await migrations.set_passwords(parameters, passwords)
    await migrations.initialise(parameters, environment=Environment.SANDBOX, name="tests.example")
    await seed.load_reference(parameters)
    settings = msgspec.structs.replace(
        from_environment(given),
        requests_per_minute=1_000_000,
        session_lifetime=12 * 3600,
        name="tests.example",
    )
    vault = open_vault(settings, sandbox=True)
    app = create_app(
        settings, parameters | {"user": migrations.APP, "password": APP_PASSWORD}, vault
    )
    transport = httpx.ASGITransport(served(app))
    async with (
        running(app),
        httpx.AsyncClient(transport=transport, base_url="http://market") as client,
    ):
        world = World(client, vault)
        tender = await published_tender(world, requirement=requirement_of(1))
        keeper = await registrar(world)
        bidders = await _suppliers(parameters, BIDDERS, keeper, client)
    return Scene(
        prepared=server,
        keys=given,
        tender=tender,
        bidders=bidders,
        registrar=keeper,
        home=home,
    )


async def _suppliers(
    parameters: dict[str, Any], count: int, registrar: Person, client: httpx.AsyncClient
) -> tuple[Person, ...]:
    """The bid managers of so many admitted suppliers, written at once past every guard."""
    people = tuple(
        Person(
            id=uuid4(),
            name=f"Bea {number}",
            email=f"bea.{number}@supplier.example",
            organisation=uuid4(),
            token=uuid4().hex,
            client=client,
        )
        for number in range(1, count + 1)
    )
    ids, owners = [one.id for one in people], [one.organisation for one in people]
    names, applications = [one.name for one in people], [uuid4() for _ in people]
    digests = [hashlib.sha256(one.token.encode()).digest() for one in people]
    emails = [one.email for one in people]
    arguments: tuple[tuple[Any, ...], ...] = (
        (owners, names),
        (ids, names, emails, PASSWORD_HASH),
        (ids, owners),
        (ids, owners, digests),
        (applications, ids, owners),
        (applications, registrar.id),
    )
    superuser = await asyncpg.connect(**parameters)
    async with unguarded(superuser, *_TABLES), superuser.transaction():
        for sql, given in zip(_SUPPLIERS, arguments, strict=True):
            await superuser.execute(sql, *given)
    await superuser.close()
    return people
