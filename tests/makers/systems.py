"""Systems in tests: API keys, clients that sign assertions, requests from other addresses."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import msgspec
from joserfc import jws
from joserfc.jwk import ECKey, Key, KeyParameters, OKPKey, RSAKey
from joserfc.jws import JWSRegistry

from market.actor import Role, Scope
from tests.makers.world import Person, World

EVERY_SCOPE = [scope.value for scope in Scope]
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def in_days(days: float) -> str:
    """An instant so many days from now, as JSON has it."""
    return (datetime.now(UTC) + timedelta(days=days)).isoformat()


def key_body(**changes: Any) -> dict[str, Any]:
    """The body of a right request for an API key."""
    body: dict[str, Any] = {
        "name": "Bid desk",
        "scopes": EVERY_SCOPE,
        "expires_at": in_days(30),
        "addresses": [],
    }
    return body | changes


def keys_path(person: Person) -> str:
    """Where the API keys of a person's organisation are."""
    return f"/organisations/{person.organisation}/api-keys"


async def api_key(person: Person, **changes: Any) -> dict[str, Any]:
    """An API key that the person made, as it was shown."""
    answer = await person.post(keys_path(person), key_body(**changes))
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


def by_credential(person: Person, credential: str) -> Person:
    """The same person, as whom a system acts by this key or token."""
    return msgspec.structs.replace(person, token=credential)


async def keyed(person: Person, **changes: Any) -> Person:
    """A system that acts for the person by an API key."""
    return by_credential(person, (await api_key(person, **changes))["key"])


async def answerable(world: World, name: str = "Ada First", *roles: Role) -> Person:
    """Somebody of a commissioning group who may make credentials; an administrator by default."""
    group = await world.organisation("06F")
    return await world.person(name, group, *(roles or (Role.ADMINISTRATOR,)))


@asynccontextmanager
async def from_address(world: World, person: Person, address: str) -> AsyncIterator[Person]:
    """The same person or system, asking from another address."""
    inner: Any = world.client._transport  # noqa: SLF001  # httpx has no public way to its application
    transport = httpx.ASGITransport(inner.app, raise_app_exceptions=False, client=(address, 1))
    async with httpx.AsyncClient(transport=transport, base_url="http://market") as client:
        yield msgspec.structs.replace(person, client=client)


# ---------------------------------------------------------------------------------------- clients


class KeyPair(msgspec.Struct, frozen=True):
    """A client's private key, its public half as registered, and how it signs."""

    private: Key
    public: dict[str, Any]
    algorithm: str


def key_pair(algorithm: str = "ES256", kid: str = "first") -> KeyPair:
    """A new key pair for one of the four algorithms."""
    given: KeyParameters = {"kid": kid}
    private: Key
    if algorithm == "ES256":
        private = ECKey.generate_key("P-256", given)
    elif algorithm in {"EdDSA", "Ed25519"}:
        private = OKPKey.generate_key("Ed25519", given)
    else:
        private = RSAKey.generate_key(2048, given)
    return KeyPair(private, dict(private.as_dict(private=False)), algorithm)


class _AnyAlgorithm(JWSRegistry):
    """Signs by whatever is asked for: an attacker's library does."""

    def get_alg(self, name: str) -> Any:
        return self.algorithms[name]


class System(msgspec.Struct, frozen=True, kw_only=True):
    """A registered client with its key pair."""

    id: UUID
    keys: KeyPair
    owner: Person
    world: World

    def claims(self, **changes: Any) -> dict[str, Any]:
        """What a right assertion claims; a change to None leaves a claim out."""
        now = int(time.time())
        claims: dict[str, Any] = {
            "iss": str(self.id),
            "sub": str(self.id),
            "aud": "market.example",
            "exp": now + 60,
            "iat": now,
            "jti": uuid4().hex,
        }
        return {name: value for name, value in (claims | changes).items() if value is not None}

    def assertion(
        self,
        *,
        header: dict[str, Any] | None = None,
        key: Key | None = None,
        algorithm: str | None = None,
        **changes: Any,
    ) -> str:
        """An assertion: a right one, or changed in its header, its signature or its claims."""
        head = {"alg": algorithm or self.keys.algorithm, "kid": self.keys.public["kid"]}
        return jws.serialize_compact(
            head | (header or {}),
            msgspec.json.encode(self.claims(**changes)),
            key or self.keys.private,
            registry=_AnyAlgorithm(strict_check_header=False),
        )

    async def ask(self, assertion: str | None = None, **changes: Any) -> httpx.Response:
        """Ask for a token, whatever the answer; a change to None leaves a parameter out."""
        form = {
            "grant_type": "client_credentials",
            "client_assertion_type": ASSERTION_TYPE,
            "client_assertion": self.assertion() if assertion is None else assertion,
        } | changes
        return await self.world.client.post(
            "/oauth/token", data={name: value for name, value in form.items() if value is not None}
        )

    async def acting(self, **changes: Any) -> Person:
        """The client's owner, as whom it acts by a new token."""
        answer = await self.ask(**changes)
        assert answer.status_code == 200, answer.text
        return by_credential(self.owner, answer.json()["access_token"])


def client_body(pair: KeyPair, **changes: Any) -> dict[str, Any]:
    """The body of a right registration."""
    body = {"name": "Suite", "scopes": EVERY_SCOPE, "jwks": {"keys": [pair.public]}}
    return body | changes


async def client_of(
    world: World, owner: Person, algorithm: str = "ES256", **changes: Any
) -> System:
    """A client that the person registered."""
    pair = key_pair(algorithm)
    answer = await owner.post(clients_path(owner), client_body(pair, **changes))
    assert answer.status_code == 201, answer.text
    return System(id=UUID(answer.json()["id"]), keys=pair, owner=owner, world=world)


def clients_path(person: Person) -> str:
    """Where the clients of a person's organisation are."""
    return f"/organisations/{person.organisation}/clients"


def token_error(answer: httpx.Response) -> tuple[int, str]:
    """What the token endpoint refuses by, in the words of OAuth."""
    assert answer.headers["Cache-Control"] == "no-store"
    assert set(answer.json()) == {"error", "error_description"}
    return answer.status_code, answer.json()["error"]
