"""An OpenID provider that does as a test tells it, and the way a person goes through one."""

import asyncio
import base64
import functools
import hashlib
import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import msgspec
from joserfc import jws, jwt
from joserfc.jwk import JWKRegistry, Key

from tests.makers.world import Person, World

CLIENT = "market"
SECRET = "a client secret: with = signs"  # noqa: S105  # the test's own provider takes it
REDIRECT = "https://pages.example/back"


class Answer(msgspec.Struct, frozen=True):
    """What the provider sends: whatever, as HTTP lets it be sent."""

    body: bytes = b"{}"
    status: int = 200
    headers: dict[str, str] = {}
    after: float = 0.0
    whole: bool = True


class Asked(msgspec.Struct, frozen=True):
    """What the provider was asked."""

    method: str
    path: str
    headers: dict[str, str]
    form: dict[str, str]


class _Granted(msgspec.Struct, frozen=True):
    nonce: str
    challenge: str
    max_age: bool


def said(value: Any, **more: Any) -> Answer:
    """Give JSON."""
    return Answer(body=json.dumps(value).encode(), **more)


class Provider:
    """A provider on loopback: honest until it is told otherwise."""

    def __init__(self, port: int) -> None:
        """Begin with one RSA key and somebody called Ruth."""
        self.issuer = f"http://127.0.0.1:{port}"
        self.key: Key = first_key()
        self.published: list[dict[str, Any]] = [public(self.key)]
        self.subject = "ruth-at-the-provider"
        self.claims: dict[str, Any] = {
            "email": "Ruth@Group.Example",
            "email_verified": True,
            "name": "Ruth Penhale",
        }
        self.header: dict[str, Any] = {"alg": "RS256", "kid": "first"}
        self.metadata: dict[str, Any] = {}
        self.answers: dict[str, Callable[[Asked], Answer]] = {}
        self.asked: list[Asked] = []
        self._granted: dict[str, _Granted] = {}

    def counted(self, path: str) -> int:
        """How often something was asked."""
        return sum(one.path == path for one in self.asked)

    def sign_in(self, address: str) -> dict[str, str]:
        """Let the person sign in at the address: what the provider sends them back with."""
        query = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
        assert query["client_id"] == CLIENT
        assert query["redirect_uri"] == REDIRECT
        assert query["response_type"] == "code"
        assert query["code_challenge_method"] == "S256"
        code = f"code-{len(self._granted)}"
        fresh = query.get("max_age") == "0"
        assert fresh == (query.get("prompt") == "login")
        self._granted[code] = _Granted(query["nonce"], query["code_challenge"], fresh)
        return {"state": query["state"], "code": code}

    def token(self, code: str, **changes: Any) -> str:
        """Make the ID token for a code, with claims changed or (None) left out."""
        granted, now = self._granted[code], int(time.time())
        claims: dict[str, Any] = {
            "iss": self.issuer,
            "sub": self.subject,
            "aud": CLIENT,
            "exp": now + 300,
            "iat": now,
            "nonce": granted.nonce,
            **({"auth_time": now} if granted.max_age else {}),
            **self.claims,
            **changes,
        }
        kept = {name: value for name, value in claims.items() if value is not None}
        anything = jws.JWSRegistry(algorithms=[self.header["alg"]], strict_check_header=False)
        return jwt.encode(self.header, kept, self.key, registry=anything)

    def answer(self, asked: Asked) -> Answer:
        """Answer as a provider does, unless the test answers for it."""
        if (other := self.answers.get(asked.path)) is not None:
            return other(asked)
        if asked.path == "/.well-known/openid-configuration":
            return said(self.configuration())
        if asked.path == "/keys":
            return said({"keys": self.published})
        if asked.path == "/token":
            return self.exchange(asked)
        return Answer(status=404)

    def configuration(self) -> dict[str, Any]:
        """What it says of itself."""
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/keys",
            **self.metadata,
        }

    def exchange(self, asked: Asked, **changes: Any) -> Answer:
        """Give tokens for a code, to who holds its verifier (RFC 7636) and the client's secret."""
        granted = self._granted.get(asked.form.get("code", ""))
        verifier = asked.form.get("code_verifier", "")
        digest = hashlib.sha256(verifier.encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).decode().rstrip("=")
        if granted is None or granted.challenge != challenge:
            return said({"error": "invalid_grant"}, status=400)
        if asked.headers.get("authorization") != _basic():
            return said({"error": "invalid_client"}, status=401)
        token = self.token(asked.form["code"], **changes)
        return said({"id_token": token, "access_token": "opaque", "token_type": "Bearer"})


def _basic() -> str:
    encoded = base64.b64encode(
        f"{CLIENT}:a+client+secret%3A+with+%3D+signs".encode()
    )  # form-encoded first: RFC 6749, section 2.3.1
    return f"Basic {encoded.decode()}"


def new_key(kind: str, size: str | int, key_id: str) -> Key:
    """Make a private key with a name."""
    return JWKRegistry.generate_key(kind, size, {"kid": key_id})


@functools.cache
def first_key() -> Key:
    """The key every provider begins with: looking for primes would take most of a test."""
    return new_key("RSA", 2048, "first")


def public(key: Key) -> dict[str, Any]:
    """The public half, as a key set lists it."""
    return dict(key.as_dict(private=False))


@asynccontextmanager
async def serving() -> AsyncIterator[Provider]:
    """Run a provider on a free port of this machine."""
    provider: Provider | None = None
    busy: set[asyncio.Task[None]] = set()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        busy.add(task)
        try:
            assert provider is not None
            asked = await _read(reader)
            provider.asked.append(asked)
            answer = provider.answer(asked)
            await asyncio.sleep(answer.after)
            length = len(answer.body) + (0 if answer.whole else 1000)
            lines = [f"HTTP/1.1 {answer.status} X", f"Content-Length: {length}"]
            lines += [f"{name}: {value}" for name, value in answer.headers.items()]
            writer.write("\r\n".join([*lines, "Connection: close", "", ""]).encode() + answer.body)
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # the market hung up, as it should on too much or too late
        finally:
            busy.discard(task)
            writer.close()

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    provider = Provider(server.sockets[0].getsockname()[1])
    try:
        yield provider
    finally:
        server.close()
        for task in list(busy):
            task.cancel()
        await asyncio.gather(*busy, return_exceptions=True)
        await server.wait_closed()


async def _read(reader: asyncio.StreamReader) -> Asked:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    method, path, _ = head[0].split(" ")
    headers = {
        name.lower(): value
        for name, _, value in (line.partition(": ") for line in head[1:] if line)
    }
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    form = {name: values[0] for name, values in parse_qs(body.decode()).items()}
    return Asked(method, path, headers, form)


# ---------------------------------------------------------------------------- the way of a person


async def begun(world: World, by: Person | None = None, **wish: Any) -> dict[str, Any]:
    """Begin a sign-in, or by somebody a link, and give what the API says."""
    if by is not None:
        answer = await by.post("/single-sign-on/requests", wish)
    else:
        answer = await world.client.post("/api/v1/single-sign-on/requests", json=wish)
    assert answer.status_code == 201, answer.text
    given: dict[str, Any] = answer.json()
    return given


async def answer_of(world: World, provider: Provider, **wish: Any) -> dict[str, Any]:
    """Go through the provider, and give the body with which one then signs in."""
    asked = await begun(world, **wish)
    return {**provider.sign_in(asked["authorization_url"]), "binding": asked["binding"]}


async def finish(world: World, body: dict[str, Any]) -> httpx.Response:
    """Sign in with the provider's answer."""
    return await world.client.post("/api/v1/single-sign-on/sessions", json=body)


async def invited(by: Person, email: str = "ruth@group.example", role: str = "commissioner") -> str:
    """Invite somebody into the organisation of its administrator, and give the secret."""
    offered = await by.post(
        f"/organisations/{by.organisation}/invitations", {"email": email, "roles": [role]}
    )
    assert offered.status_code == 201, offered.text
    return str(offered.json()["secret"])


def problem(answer: httpx.Response) -> tuple[int, str]:
    """The status and the kind of a refusal."""
    return answer.status_code, str(answer.json().get("type", "")).removeprefix("/problems/")
