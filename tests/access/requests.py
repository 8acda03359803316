"""How each operation is asked for: from the API's own description, and from a state's facts."""

import base64
from collections.abc import Iterator
from typing import Any, Final
from urllib.parse import quote
from uuid import uuid4

import msgspec
from litestar.types import ASGIApp

from market.app import api_document
from market.sealing import new_key_pair
from tenders.schemas.bids import GiveSealedBid
from tests.access.kinds import KINDS
from tests.makers.evaluation import contract_body
from tests.makers.frozen import Frozen
from tests.makers.interests import BREACH, GIFT, INTEREST
from tests.makers.ownership import entity
from tests.makers.systems import in_days, key_body
from tests.makers.world import PASSWORD

BODIES: Final[dict[str, object]] = {
    "makeContract": contract_body(),
    "decideSupplierApplication": {"outcome": "refused", "reason": "The identifier is another's."},
    "changePassword": {"current": "five loud geese walk past", "new": "four slow herons wade"},
    "confirmSession": {"password": PASSWORD},
    "removeAuthenticator": {"password": PASSWORD, "one_time_password": "492039"},
    "declareInterest": INTEREST,
    "correctInterest": INTEREST,
    "declareGift": GIFT,
    "correctGift": GIFT,
    "recordBreach": BREACH,
    "publishBreach": {"text": "A member stayed in the room. The decision was taken again."},
    "makeApiKey": key_body(expires_at=in_days(30)),
    "replaceApiKey": {"grace_seconds": 3600, "expires_at": in_days(60)},
    "importOwnership": [entity(7_654_321)],
    "replaceBySealedBid": {**GiveSealedBid.example, "version": 2},
    "changeNoticePreferences": {"kinds": {}},
    "registerOfficerKey": {"public_key": base64.b64encode(new_key_pair().public).decode()},
}
"""What is sent where neither the operation's example nor the state says it."""

QUERIES: Final = {"importOwnership": "source=tests"}
"""What an operation cannot be asked for without, beside its path and body."""


_NUMBERS: Final = {kind.name: number for number, kind in enumerate(KINDS, 1)}
"""Everybody comes from an address of their own, so that nobody's failures lock others out."""


class Operation(msgspec.Struct, frozen=True, kw_only=True):
    """One operation, as far as asking for it needs to know it."""

    id: str
    method: str
    path: str
    keyed: bool
    versioned: bool
    paged: bool
    example: object | None
    begins_at: bool
    """Whether it takes the place in a document where its body begins."""
    documented: frozenset[str]
    """What its description says it may answer, as `Answer` says it."""

    @property
    def of_tender(self) -> bool:
        """Whether it is about the tender or a bid in it, and not about the market at large."""
        return any(part in self.path for part in ("{tender_id}", "/bids", "/bid-documents"))

    @property
    def reads(self) -> bool:
        """Whether it changes nothing."""
        return self.method in {"GET", "HEAD"}


class Answer(msgspec.Struct, frozen=True):
    """What came back."""

    status: int
    body: bytes

    def __str__(self) -> str:
        """The status, and of a refusal the last part of its type."""
        if self.status < 400:
            return str(self.status)
        kind = str(msgspec.json.decode(self.body).get("type", ""))
        return f"{self.status} {kind.rpartition('/')[2]}"


def _operations() -> dict[str, Operation]:
    document = msgspec.json.decode(api_document())
    found = {}
    for path, item in document["paths"].items():
        for method, described in item.items():
            named = {parameter.get("name") for parameter in described.get("parameters", ())}
            content = described.get("requestBody", {}).get("content", {})
            examples = [one.get("example") for one in content.values()]
            found[described["operationId"]] = Operation(
                id=described["operationId"],
                method=method.upper(),
                path=path,
                keyed="Idempotency-Key" in named,
                versioned="If-Match" in named,
                paged="limit" in named,
                begins_at="Upload-Offset" in named,
                example=BODIES.get(described["operationId"], examples[0] if examples else None),
                documented=frozenset(_documented(described["responses"])),
            )
    return found


def _documented(responses: dict[str, Any]) -> Iterator[str]:
    for status, response in responses.items():
        if int(status) < 400:
            yield status
        for content in response.get("content", {}).values():
            for example in content.get("examples", {}).values():
                if kind := str(example.get("value", {}).get("type", "")):
                    yield f"{status} {kind.rpartition('/')[2]}"


OPERATIONS: Final = _operations()
"""Every operation of the API, by its id."""


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """What one cell sends: a request with nothing wrong in its form, its key or its version."""

    method: str
    path: str
    query: str
    address: str
    headers: list[tuple[bytes, bytes]]
    body: bytes


def request_for(operation: Operation, kind: str, state: Frozen) -> Request:
    """Ask for an operation as somebody of a kind would, in a state."""
    session = state.sessions.get(kind, str(uuid4()))
    path = operation.path.format(**state.path, session_id=session).replace(" ", "%20")
    headers = [(b"host", b"market")]
    if token := state.tokens.get(kind):
        headers.append((b"authorization", f"Bearer {token}".encode()))
    if operation.keyed:
        headers.append((b"idempotency-key", str(uuid4()).encode()))
    if operation.versioned:
        headers.append((b"if-match", f'"{_version(operation, state)}"'.encode()))
    body = b""
    if operation.begins_at:
        headers.append((b"upload-offset", b"0"))
    if operation.example is not None:
        body = msgspec.json.encode(state.bodies.get(operation.id, operation.example))
        headers.append((b"content-type", b"application/json"))
    query = "limit=200" if operation.paged and operation.of_tender else ""
    return Request(
        method=operation.method,
        path=path,
        query=QUERIES.get(operation.id, query),
        address=f"192.0.2.{_NUMBERS[kind]}",
        headers=headers,
        body=body,
    )


def _version(operation: Operation, state: Frozen) -> int:
    """Of what the operation changes: a bid, a lot, a client, a webhook, or else the tender."""
    if operation.id == "changeNoticePreferences":
        return 1  # of nobody: they have stated none
    if operation.id == "setPanel":
        return 1  # nobody has been assigned
    for thing in ("bid", "lot", "client", "webhook"):
        if f"/{thing}s/{{" in operation.path:
            return state.versions[thing]
    return state.versions["tender"]


async def send_whole(app: ASGIApp, request: Request) -> Answer:
    """Send a request; of a list about the tender, fetch every page, and give them as one body."""
    answer = await send(app, request)
    bodies = [answer.body]
    while request.query and answer.status == 200 and b'"next":"' in answer.body:
        cursor = quote(msgspec.json.decode(answer.body)["next"])
        following = msgspec.structs.replace(request, query=f"{request.query}&cursor={cursor}")
        answer = await send(app, following)
        bodies.append(answer.body)
    whole = bodies[0] if len(bodies) == 1 else b"[" + b",".join(bodies) + b"]"
    return Answer(answer.status, whole)


async def send(app: ASGIApp, request: Request) -> Answer:
    """Put a request straight to the application: for so many cells a client library is too slow."""
    scope: Any = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": request.method,
        "scheme": "http",
        "path": request.path.replace("%20", " "),
        "raw_path": request.path.encode(),
        "query_string": request.query.encode(),
        "root_path": "",
        "headers": [*request.headers, (b"content-length", str(len(request.body)).encode())],
        "client": (request.address, 40_000),
        "server": ("market", 80),
    }
    status = 0
    parts: list[bytes] = []

    async def receive() -> Any:
        return {"type": "http.request", "body": request.body, "more_body": False}

    async def sent(message: Any) -> None:
        nonlocal status
        if message["type"] == "http.response.start":
            status = message["status"]
        else:
            parts.append(message.get("body", b""))

    await app(scope, receive, sent)
    return Answer(status, b"".join(parts))
