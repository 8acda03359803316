"""How each operation is asked for: from the API's own description, and from a state's facts."""

from typing import Any, Final
from uuid import uuid4

import msgspec
from litestar.types import ASGIApp

from market.app import api_document
from tests.makers.evaluation import contract_body
from tests.makers.states import Frozen

BODIES: Final[dict[str, object]] = {
    "makeContract": contract_body(),
    "decideSupplierApplication": {"outcome": "refused", "reason": "The identifier is another's."},
}
"""What is sent where neither the operation's example nor the state says it."""


class Operation(msgspec.Struct, frozen=True, kw_only=True):
    """One operation, as far as asking for it needs to know it."""

    id: str
    method: str
    path: str
    keyed: bool
    versioned: bool
    example: object | None

    @property
    def of_tender(self) -> bool:
        """Whether it is about the tender or a bid in it, and not about the market at large."""
        return "{tender_id}" in self.path or "/bids" in self.path

    @property
    def reads(self) -> bool:
        """Whether it changes nothing."""
        return self.method == "GET"


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
                example=examples[0] if examples else None,
            )
    return found


OPERATIONS: Final = _operations()
"""Every operation of the API, by its id."""


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """What one cell sends: a request with nothing wrong in its form, its key or its version."""

    method: str
    path: str
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
    if operation.example is not None:
        given = state.bodies.get(operation.id, BODIES.get(operation.id, operation.example))
        body = msgspec.json.encode(given)
        headers.append((b"content-type", b"application/json"))
    return Request(method=operation.method, path=path, headers=headers, body=body)


def _version(operation: Operation, state: Frozen) -> int:
    """Of what the operation changes: a bid, a lot, or else the tender."""
    for thing in ("bid", "lot"):
        if f"/{thing}s/{{" in operation.path:
            return state.versions[thing]
    return state.versions["tender"]


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
        "query_string": b"",
        "root_path": "",
        "headers": [*request.headers, (b"content-length", str(len(request.body)).encode())],
        "client": ("127.0.0.1", 40_000),
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
