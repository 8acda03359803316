"""The API's OpenAPI 3.1 document: what Litestar generates, completed from the code itself."""

import re
from collections.abc import Iterable, Iterator, Sequence
from importlib.metadata import version
from typing import Any

import msgspec
from litestar import Litestar, Router
from litestar.handlers import HTTPRouteHandler
from litestar.openapi import OpenAPIConfig
from litestar.routes import HTTPRoute
from litestar.types import ControllerRouterHandler

from market.actor import Scope
from market.door.capacity import NoRoom
from market.errors import (
    Busy,
    KeyInProgress,
    KeyMissing,
    KeyReused,
    Malformed,
    MarketError,
    NotFound,
    NotSignedIn,
    OutcomeUnknown,
    PreconditionMissing,
    Stale,
    TooLarge,
    TooManyRequests,
)
from market.observation.errors import InternalError, UnknownParameter, WrongContentType
from market.problems import MEDIA_TYPE, Problem, of
from market.requests import DEPENDENCIES
from market.systems.errors import (
    BeyondScope,
    CredentialExpired,
    CredentialRevoked,
    MakerGone,
    WrongCredential,
)
from market.systems.routes.tokens import TOKEN_PATH

PREFIX = "/api/v1"

TITLE = "The commissioning support market"
DESCRIPTION = """\
Commissioning groups publish what they need; suppliers of every kind bid, sealed; a panel scores
by a method fixed before the first bid; the contract is awarded with a record that can be
defended.

**Signing in.** `POST /api/v1/sessions` gives a token; send it as `Authorization: Bearer …`. A
token acts for one organisation; `POST /api/v1/sessions/current/switches` gives one for another of
one's own. What is marked public needs none. Opening bids and prices and approving an award take a
sign-in of the last fifteen minutes, or `POST /api/v1/sessions/current/confirmation`.

**Systems.** A supplier's or buyer's system acts in the name of whoever made its credential, within
the scopes that an operation names; an operation without a scope is for people alone, as opening,
evaluation and award are. To begin with, an API key (`makeApiKey`) is sent as `Authorization: Bearer
mka_…`. Better, a client registers its public keys (`registerClient`) and gets tokens of ten minutes
at `POST /oauth/token` by OAuth 2.0 client credentials with `private_key_jwt` (RFC 6749, 4.4; RFC
7523); see `/.well-known/oauth-authorization-server`.

**Webhooks.** `makeWebhook` has what the feed shows a system of yours sent to a URL of yours, signed
as Standard Webhooks describes (`webhook-id`, `webhook-timestamp`, `webhook-signature`). Answer 2xx
within ten seconds; what fails is sent again for about three days, 410 ends the webhook. Each event
comes at least once, events of one subject in their order: know a repetition by its `webhook-id`.

**Limits.** Each person, credential, address and tender has so many requests a minute; 429 says in
`Retry-After` when there is room again. In the last fifteen minutes before a deadline some capacity
is kept for bids: what else is asked then may get 503 with `Retry-After`.

**Idempotency-Key.** A POST that creates something takes a UUID of your choice. The same key with
the same request gets the same answer and is carried out once, so a request whose answer got lost
is simply repeated. With another body, for another organisation or with another If-Match it is
refused (422); while the first is in progress, 409. After
a 503 that says the outcome is unknown, repeat with the same key.

**ETag and If-Match.** What can change carries its version as an `ETag`. An act on it sends that
back in `If-Match`: 428 without, 412 when it has changed in between.

**Problems.** Every refusal is `application/problem+json` (RFC 9457) with a stable `type`,
explained at `/problems`, a reason in words in `detail`, and in `errors` the fields at fault. Of a
body that does not have the documented form only the first fault is named; of one that has, all
faults at once. 404 hides what you may not know of; 403 says why you may not. `request` is the id
under which the market logged it, also given as `X-Request-Id`; send one of your own (8 to 64
letters, digits, `.`, `_`, `-`) to have it used.

**Pages.** Lists give `items` and, where there is more, an opaque `next`: send it as `cursor`, or
follow `Link: rel="next"`. Query parameters that a route does not know are refused.

**Numbers.** Money, prices, weights and scores are decimal strings, exact to the digit; JSON
numbers are refused for them. Instants are RFC 3339 with an offset, given in UTC. Fields a body
does not know are refused.
"""

TAGS = {
    "people": "Signing in, oneself, invitations, memberships.",
    "systems": "API keys and clients of suppliers' and buyers' systems, and their scopes.",
    "webhooks": "What happens, sent signed to one's own system; its deliveries and their log.",
    "notices": "What one was told of, and how one wants to be told: by mail, in a digest, not.",
    "organisations": "Commissioning groups, suppliers' organisations, and service lines.",
    "ownership": "Who owns, controls and directs whom, by published statements and stated links.",
    "suppliers": "From applicant to admitted supplier.",
    "interests": "Registers of interests: declared, confirmed, published, kept.",
    "gifts": "Gifts and hospitality: declared, reviewed, published.",
    "breaches": "Breaches of the rules on conflicts of interest, published anonymised.",
    "log": "The tamper-evident log: its signed checkpoints, and proofs that anybody verifies.",
    "events": "The change feed: what happened, in the order of the log, read or followed.",
    "clock": "The one clock of the market; a sandbox's can be moved forward.",
    "tenders": "What is needed: written, reviewed, published.",
    "duties": "Who does what in a tender, and what nobody may do together.",
    "bids": "Sealed bids: given, replaced, withdrawn, with receipts.",
    "documents": "Documents of bids: uploaded in parts, sealed, listed by a bid, opened with it.",
    "custody": "Keys that officers keep: rehearsed, and released by two of them when due.",
    "opening": "After the deadline: declarations, confirmations, the opening of envelopes.",
    "evaluation": "Scores alone, agreed scores, prices after quality, the ranking.",
    "award": "Recommendation, approval, notices, standstill, contract.",
    "outcome": "Indicators, changes and milestones of contracts, reviews, track records.",
    "assurance": "Who did what with which interests; the register of procurement decisions.",
    "record": "The record of an evaluation, whole; the report on a procurement; what is disclosed.",
    "keys": "Public keys: to seal to, and to verify signatures with.",
}

SCOPES = {
    Scope.OPPORTUNITIES_READ: "Read published tenders, their requirements and sealing keys.",
    Scope.REGISTER_READ: "Read the registers of organisations, suppliers and service lines.",
    Scope.TENDERS_READ: "Read the tenders that one's organisation works on, drafts included.",
    Scope.EVENTS_READ: "Read the change feed, and the record of a tender, as far as its owner may.",
    Scope.BIDS_READ: "Read one's own bids and their receipts, never their content.",
    Scope.BIDS_WRITE: "Give, replace and withdraw bids.",
}

_PAGE = re.compile(rb"\bPage_(?:\w+\.)*(\w+)_(?=\")")
_REMARK_KEYS = frozenset({"deprecated", "headers"})


def document(controllers: Sequence[ControllerRouterHandler]) -> dict[str, Any]:
    """Make the document of the API these controllers form."""
    app = Litestar(
        route_handlers=[Router(PREFIX, route_handlers=list(controllers))],
        dependencies=DEPENDENCIES,
        openapi_config=OpenAPIConfig(
            title=TITLE,
            version=version("commissioning-support-market"),
            description=DESCRIPTION,
            use_handler_docstrings=True,
        ),
        logging_config=None,
    )
    made: dict[str, Any] = _tidied(_renamed(app.openapi_schema.to_schema()))
    bodies: list[Any] = []
    used: set[str] = set()
    for path, method, handler in _operations(app):
        operation = made["paths"][path][method]
        used.update(operation.get("tags", ()))
        _complete(operation, handler, has_path_parameters="{" in path)
        if handler.parsed_data_field is not None:
            bodies.append(handler.parsed_data_field.annotation)
    schemas = made["components"]["schemas"]
    schemas.setdefault("Problem", msgspec.json.schema_components([Problem])[1]["Problem"])
    _close(schemas, bodies)
    made["components"]["securitySchemes"] = {
        "bearer": {
            "type": "http",
            "scheme": "bearer",
            "description": "The token of a session: see signIn. It expires and can be revoked.",
        },
        "apiKey": {
            "type": "http",
            "scheme": "bearer",
            "bearerFormat": "mka_…",
            "description": "An API key: see makeApiKey. The names given are the scopes it needs.",
        },
        "client": {
            "type": "oauth2",
            "description": "A client's token, by private_key_jwt: see registerClient.",
            "flows": {
                "clientCredentials": {
                    "tokenUrl": TOKEN_PATH,
                    "scopes": {scope.value: SCOPES[scope] for scope in Scope},
                }
            },
        },
    }
    made["components"]["headers"] = {
        "RequestId": _header("The id of the request in the market's log and record.")
    }
    made["components"]["schemas"] = dict(sorted(schemas.items()))
    made["paths"] = dict(sorted(made["paths"].items()))
    made["security"] = [{"bearer": []}]
    made["tags"] = [{"name": tag, "description": TAGS[tag]} for tag in TAGS if tag in used]
    made["servers"] = [{"url": "/", "description": "Where this document came from."}]
    return made


def _renamed(generated: dict[str, Any]) -> dict[str, Any]:
    """Call a page of views `TenderSummaryPage`, where Litestar spells out the generic type."""
    text = _PAGE.sub(rb"\1Page", msgspec.json.encode(generated, enc_hook=str))
    renamed: dict[str, Any] = msgspec.json.decode(text)
    return renamed


def encoded(made: dict[str, Any]) -> bytes:
    """The document as it is served and kept: indented, so that a change can be read."""
    return msgspec.json.format(msgspec.json.encode(made), indent=1) + b"\n"


def _operations(app: Litestar) -> Iterator[tuple[str, str, HTTPRouteHandler]]:
    for route in app.routes:
        if isinstance(route, HTTPRoute) and route.path.startswith(PREFIX):
            for method, (handler, _) in route.route_handler_map.items():
                if handler.resolve_include_in_schema() and method != "OPTIONS":
                    yield route.path_format, method.lower(), handler


# ------------------------------------------------------------------------------------- operations


def _complete(
    operation: dict[str, Any], handler: HTTPRouteHandler, *, has_path_parameters: bool
) -> None:
    """Add what the code says of an operation and Litestar does not: problems, headers, examples."""
    text: str = operation.get("description", "")
    operation["summary"] = text.partition("\n")[0].rstrip(".")
    public = bool(handler.opt.get("public"))
    reads = handler.http_methods <= {"GET", "HEAD"}
    scope = handler.opt.get("scope")
    _say_who(operation, scope, public=public, reads=reads)
    if handler.opt.get("csv"):
        operation["responses"]["200"]["content"]["text/csv"] = {"schema": {"type": "string"}}
    if handler.opt.get("stream"):
        operation["responses"]["200"]["content"]["text/event-stream"] = {
            "schema": {"type": "string"}
        }
    names = {item["name"] for item in operation.get("parameters", ())}
    for item in operation.get("parameters", ()):
        if item["name"] in {"Idempotency-Key", "If-Match"}:
            item["required"] = True
            item["schema"] = {"type": "string"}
        if item["name"] == "Idempotency-Key":
            item["schema"]["format"] = "uuid"
    has_body = "requestBody" in operation
    if has_body:
        _exemplify(operation, handler)
    generic = _generic(
        public=public,
        reads=reads,
        has_body=has_body,
        has_path_parameters=has_path_parameters,
        keyed="Idempotency-Key" in names,
        versioned="If-Match" in names,
    )
    if scope is not None:
        generic += [WrongCredential, CredentialExpired, CredentialRevoked, MakerGone]
    if not handler.opt.get("submission"):
        generic.append(NoRoom)
    _merge_problems(operation["responses"], generic)
    _describe_headers(operation["responses"], handler)


def _say_who(operation: dict[str, Any], scope: Any, *, public: bool, reads: bool) -> None:
    """Say by which credentials an operation can be asked for: everybody's default is a session."""
    ways: list[dict[str, list[str]]] = [{"bearer": []}]
    if scope is not None:
        ways += [{"apiKey": [scope.value]}, {"client": [scope.value]}]
    if public:
        operation["security"] = [{}, *ways] if reads else []
    elif scope is not None:
        operation["security"] = ways


def _generic(  # noqa: PLR0913  # the six things that decide
    *,
    public: bool,
    reads: bool,
    has_body: bool,
    has_path_parameters: bool,
    keyed: bool,
    versioned: bool,
) -> list[type[MarketError]]:
    """The refusals that an operation can give by its nature, whatever it does."""
    chosen: list[type[MarketError]] = [Malformed, UnknownParameter, BeyondScope]
    if not public:
        chosen.append(NotSignedIn)
    if has_path_parameters:
        chosen.append(NotFound)
    if versioned:
        chosen += [PreconditionMissing, Stale]
    if keyed:
        chosen += [KeyMissing, KeyInProgress, KeyReused]
    if has_body:
        chosen += [TooLarge, WrongContentType]
    chosen += [TooManyRequests, InternalError, Busy]
    if not reads:
        chosen.append(OutcomeUnknown)
    return chosen


def _merge_problems(responses: dict[str, Any], generic: Iterable[type[MarketError]]) -> None:
    """Put the route's own refusals and the generic ones together, one entry a status."""
    for status in [key for key in responses if int(key) >= 400]:  # noqa: PLR2004  # where errors begin
        content = responses[status].get("content", {}).get(MEDIA_TYPE)
        if content is None:  # Litestar's own shape, which the market never gives
            del responses[status]
            continue
        content["examples"] = {
            example["summary"]: {"summary": example["value"]["title"], "value": example["value"]}
            for example in content.get("examples", {}).values()
        }
    for error in generic:
        entry = responses.setdefault(
            str(error.status),
            {
                "description": "",
                "content": {
                    MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}, "examples": {}}
                },
            },
        )
        value = msgspec.to_builtins(of(error()))
        examples = entry["content"][MEDIA_TYPE]["examples"]
        examples.setdefault(error.__name__, {"summary": error.title, "value": value})
        if error.retry_after is not None:
            entry.setdefault("headers", {})["Retry-After"] = _header(
                "Seconds to wait before asking again.", {"type": "integer"}
            )
        if error is NotSignedIn:
            entry.setdefault("headers", {})["WWW-Authenticate"] = _header("Bearer.")
    for status, response in responses.items():
        if MEDIA_TYPE in response.get("content", {}):
            titles = (
                item["summary"] for item in response["content"][MEDIA_TYPE]["examples"].values()
            )
            response["description"] = " ".join(dict.fromkeys(titles))
        response.setdefault("headers", {})["X-Request-Id"] = {
            "$ref": "#/components/headers/RequestId"
        }
        if status == "204":
            response["description"] = "Done; there is nothing to show."
    ordered = dict(sorted(responses.items()))
    responses.clear()
    responses.update(ordered)


def _header(description: str, schema: dict[str, Any] | None = None) -> dict[str, Any]:
    return {"description": description, "schema": schema or {"type": "string"}}


def _describe_headers(responses: dict[str, Any], handler: HTTPRouteHandler) -> None:
    """Document the headers that the handler's code sets: it says so by what it calls."""
    called = handler.fn.__code__.co_names
    for status, response in responses.items():
        if not status.startswith("2"):
            continue
        if not {"tagged", "tagged_as"}.isdisjoint(called):
            response["headers"]["ETag"] = _header('The version, to send as If-Match: `"3"`.')
        if "linked" in called:
            response["headers"]["Link"] = _header('The next page, rel="next", if there is one.')


def _exemplify(operation: dict[str, Any], handler: HTTPRouteHandler) -> None:
    """Show a valid body: the example its Struct carries."""
    field = handler.parsed_data_field
    example = None if field is None else getattr(field.annotation, "example", None)
    for content in operation["requestBody"]["content"].values():
        if example is not None:
            content["example"] = example


# ---------------------------------------------------------------------------------------- schemas


def _close(schemas: dict[str, Any], bodies: Iterable[Any]) -> None:
    """Say of each Struct a body may hold, and that takes no other fields, that it takes none."""
    seen: set[type] = set()
    waiting: list[Any] = list(msgspec.inspect.multi_type_info(list(bodies)))
    while waiting:
        kind = waiting.pop()
        if isinstance(kind, msgspec.inspect.StructType):
            if kind.cls not in seen:
                seen.add(kind.cls)
                waiting += [field.type for field in kind.fields]
                if kind.forbid_unknown_fields:
                    schemas[kind.cls.__name__]["additionalProperties"] = False
            continue
        for name in ("type", "item_type", "key_type", "value_type"):
            waiting += [inner] if (inner := getattr(kind, name, None)) is not None else []
        for name in ("item_types", "types"):
            waiting += getattr(kind, name, ())


def _tidied(node: Any, *, names: bool = False) -> Any:
    """Drop what says nothing: empty alternatives, empty headers, `deprecated: false`.

    `names` is true where the keys are somebody's names (of properties, of schemas), not keywords.
    """
    if isinstance(node, list):
        return [_tidied(item) for item in node]
    if not isinstance(node, dict):
        return node
    kept: dict[str, Any] = {}
    for key, value in node.items():
        if not names and key in _REMARK_KEYS and not value:
            continue
        if not names and key in {"example", "examples", "value"}:
            kept[key] = value
            continue
        kept[key] = _tidied(value, names=not names and key in {"properties", "schemas", "paths"})
    alternatives = None if names else kept.get("oneOf")
    if isinstance(alternatives, list):
        # Litestar gives `{}`, which everything fits, as an alternative of a tuple's items
        real = [item for item in alternatives if item not in ({}, {"type": "null"})]
        nullable = {"type": "null"} in alternatives
        if len(real) == 1 and not nullable:
            del kept["oneOf"]
            kept = {**real[0], **kept}
        else:
            kept["oneOf"] = [*real, *([{"type": "null"}] if nullable else [])]
    return kept
