"""The market as tests meet it: people with tokens, acting over HTTP; makers obey the rules."""

from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import httpx
import msgspec

from market.actor import Actor, Role
from market.command import command
from market.database import fetch_value
from market.events.commands import record
from market.people.commands import begin_session, grant_role
from market.vault import Vault

if TYPE_CHECKING:
    from tests.makers.snapshots import Stage

PASSWORD = "three quiet otters swim"  # noqa: S105  # everybody's, in the tests
PASSWORD_HASH = "$argon2id$v=19$m=8,t=1,p=1$bm90IGEgcmVhbCBzYWx0$unused"  # noqa: S105  # fits nothing: see member


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who is signed in for one organisation."""

    id: UUID
    name: str
    email: str
    organisation: UUID
    token: str
    client: httpx.AsyncClient

    async def request(self, method: str, path: str, **options: Any) -> httpx.Response:
        """Send a request as this person. POSTs get an Idempotency-Key unless one is given."""
        headers = {"Authorization": f"Bearer {self.token}", **options.pop("headers", {})}
        if method == "POST":
            headers.setdefault("Idempotency-Key", str(uuid4()))
        if (version := options.pop("version", None)) is not None:
            headers["If-Match"] = f'"{version}"'
        return await self.client.request(method, f"/api/v1{path}", headers=headers, **options)

    async def get(self, path: str, **options: Any) -> httpx.Response:
        """Read."""
        return await self.request("GET", path, **options)

    async def post(self, path: str, json: Any = None, **options: Any) -> httpx.Response:
        """Create or act."""
        return await self.request("POST", path, json={} if json is None else json, **options)

    async def put(self, path: str, json: Any = None, **options: Any) -> httpx.Response:
        """Replace."""
        return await self.request("PUT", path, json=json, **options)

    async def delete(self, path: str, **options: Any) -> httpx.Response:
        """Withdraw or end."""
        return await self.request("DELETE", path, **options)


@command
async def _register(
    actor: Actor, email: str, name: str, organisation: UUID, roles: list[Role]
) -> UUID:
    """Register somebody without the cost of a password hash; they sign in by `begin_session`."""
    person = uuid4()
    await fetch_value(
        "INSERT INTO person (id, email, name, password_hash, registered_at)"
        " VALUES ($1, $2, $3, $4, market_now()) RETURNING id",
        person,
        email,
        name,
        PASSWORD_HASH,
    )
    for role in roles:
        await grant_role(actor, person, organisation, role)
    await record(actor, "person.registered", "person", person)
    return person


@command
async def _organisation_by_ods(actor: Actor, code: str) -> UUID:
    found = await fetch_value(
        "SELECT organisation FROM organisation_identifier"
        " WHERE scheme = 'GB-NHS' AND identifier = $1",
        code,
    )
    await record(actor, "reference.read", "organisation", found)
    return UUID(str(found))


class World:
    """A running market and the people in it."""

    def __init__(self, client: httpx.AsyncClient, vault: Vault) -> None:
        """Keep the client, whose requests reach the API without a network."""
        self.client = client
        self.vault = vault
        self.keeper: Person | None = None
        """The market's registrar, where one was asked for."""
        self.stage: Stage | None = None
        """Where makers find what is kept of other tests' worlds; see `snapshots`."""

    async def organisation(self, ods_code: str) -> UUID:
        """Give the organisation of the reference data that has an ODS code."""
        return await _organisation_by_ods(Actor(), ods_code)

    async def person(self, name: str, organisation: UUID, *roles: Role) -> Person:
        """Register a person with roles, signed in for the organisation."""
        email = f"{name.lower().replace(' ', '.')}.{uuid4().hex[:6]}@market.example"
        person = await _register(Actor(), email, name, organisation, list(roles))
        session = await begin_session(Actor(person=person), person, organisation, 3600)
        return Person(
            id=person,
            name=name,
            email=email,
            organisation=organisation,
            token=session.token,
            client=self.client,
        )

    async def public(self, path: str) -> httpx.Response:
        """Read as somebody who is not signed in."""
        return await self.client.get(f"/api/v1{path}")
