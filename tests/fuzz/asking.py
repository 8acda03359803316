"""One made-up request: out of the API's description, or a right one with one thing wrong."""

import copy
import re
from collections.abc import Iterable
from typing import Any, TypeAlias
from urllib.parse import unquote, urlsplit

import msgspec
import requests
import schemathesis
from hypothesis import strategies as st
from litestar.types import ASGIApp
from schemathesis import Case, GenerationMode
from schemathesis.schemas import APIOperation

from tests.access.requests import OPERATIONS
from tests.makers.frozen import Frozen

Operation: TypeAlias = APIOperation[Any, Any, Any, Any]
_SENDABLE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")
_NOBODY = "anonymous"
_WRONG = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=20),
    st.sampled_from(["", " ", "\x00", "0", "-1", "1e400", "NaN", "9" * 400, "9999-12-31"]),
    st.lists(st.none(), max_size=3),
    st.dictionaries(st.text(max_size=3), st.none(), max_size=2),
)


class Made(msgspec.Struct, frozen=True, kw_only=True):
    """A request as it is sent, who sends it, and the case it stands for."""

    case: Case[Any]
    kind: str
    sent: requests.PreparedRequest

    def __str__(self) -> str:
        """Enough to send it again."""
        body = self.sent.body
        return f"{self.sent.method} {self.sent.url} as {self.kind}, body {body!r:.500}"


def _places(value: Any, way: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The way to every value in a document, beginning with its own."""
    inside: Iterable[tuple[Any, Any]] = ()
    if isinstance(value, dict):
        inside = value.items()
    elif isinstance(value, list):
        inside = enumerate(value)
    return [way, *(place for key, each in inside for place in _places(each, (*way, key)))]


def _with(document: Any, way: tuple[Any, ...], value: Any) -> Any:
    if not way:
        return value
    changed = copy.deepcopy(document)
    place = changed
    for key in way[:-1]:
        place = place[key]
    place[way[-1]] = value
    return changed


@st.composite
def asked(draw: st.DrawFn, operation: Operation, state: Frozen) -> Made:
    """Requests for one operation, by anybody, about what there is or about nothing."""
    known = OPERATIONS[operation.definition.raw["operationId"]]
    modes = (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
    case = draw(st.one_of(*(operation.as_strategy(mode) for mode in modes)))
    kind = draw(st.sampled_from([_NOBODY, *sorted(state.tokens)]))
    paths = {**state.path, "session_id": state.sessions.get(kind, "")}
    for name in case.path_parameters:
        if name in paths and draw(st.integers(0, 3)):
            case.path_parameters[name] = paths[name]
    given = state.bodies.get(known.id, known.example)
    if given is not None and draw(st.booleans()):
        case.body, case.media_type = given, "application/json"
        if draw(st.booleans()):
            place = draw(st.sampled_from(_places(given)))
            case.body = _with(given, place, draw(_WRONG))
    case.query.pop("wait", None)  # nobody waits here
    case.headers.pop("Authorization", None)
    if token := state.tokens.get(kind):
        case.headers["Authorization"] = f"Bearer {token}"
    if known.versioned and draw(st.integers(0, 3)):
        case.headers["If-Match"] = f'"{state.versions["tender"]}"'
    for name, value in list(case.headers.items()):
        if not _SENDABLE.fullmatch(str(value)):
            del case.headers[name]
    transported = case.as_transport_kwargs(base_url="http://market")
    return Made(case=case, kind=kind, sent=requests.Request(**transported).prepare())


async def send(app: ASGIApp, made: Made) -> schemathesis.Response:
    """Put it to the application as the server would, and give the answer."""
    address = urlsplit(str(made.sent.url))
    body = made.sent.body or b""
    whole = body.encode() if isinstance(body, str) else body
    scope: Any = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": made.sent.method,
        "scheme": "http",
        "path": unquote(address.path),
        "raw_path": address.path.encode(),
        "query_string": address.query.encode(),
        "root_path": "",
        "headers": [
            (name.lower().encode("latin-1"), str(value).encode("latin-1"))
            for name, value in made.sent.headers.items()
        ],
        "client": ("192.0.2.1", 40_000),
        "server": ("market", 80),
    }
    status = 0
    headers: dict[str, list[str]] = {}
    parts: list[bytes] = []

    async def receive() -> Any:
        return {"type": "http.request", "body": whole, "more_body": False}

    async def sent(message: Any) -> None:
        nonlocal status
        if message["type"] == "http.response.start":
            status = message["status"]
            for name, value in message["headers"]:
                headers.setdefault(name.decode(), []).append(value.decode("latin-1"))
        else:
            parts.append(message.get("body", b""))

    await app(scope, receive, sent)
    return schemathesis.Response(
        status_code=status,
        headers=headers,
        content=b"".join(parts),
        request=made.sent,
        elapsed=0.0,
        verify=False,
    )
