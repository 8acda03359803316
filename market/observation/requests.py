"""What is seen of every request: its id, one log line, counts and times, and closed headers."""

import re
import time
from typing import Any
from uuid import uuid4

import msgspec
import structlog
from litestar.enums import ScopeType
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from market.actor import Actor
from market.errors import MarketError
from market.observation.errors import HeadersTooLarge, InternalError
from market.observation.measures import BUILD, DURATIONS, REQUESTS, VERSION, note_pool
from market.problems import MEDIA_TYPE, of

_LOG = structlog.get_logger("market.requests")
_REQUEST_ID = re.compile(rb"^[A-Za-z0-9._-]{8,64}$")
LARGEST_HEADERS = 32 * 1024
"""How many bytes of headers a request may have."""

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_CLOSED = b"default-src 'none'; frame-ancestors 'none'"
_PAGE = (
    b"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:;"
    b" font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'self';"
    b" frame-ancestors 'none'"
)
_ALWAYS = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
)


def observed(app: ASGIApp) -> ASGIApp:
    """Wrap an application so that no request passes it unseen, and none fails without an answer.

    The request's id is the caller's X-Request-Id where that is well formed, or a new one; it is
    given back, logged, and recorded with the events of the request. Bodies, tokens and query
    strings are never logged.
    """
    BUILD.labels(VERSION).set(1)
    log = _LOG.bind()  # made once: the lazy one is made anew for every line

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != ScopeType.HTTP:
            await app(scope, receive, send)
            return
        seen = _Seen(scope)
        try:
            if seen.header_bytes > LARGEST_HEADERS:
                await _refuse(seen, HeadersTooLarge(), send)
            else:
                await app(scope, receive, seen.watch(send))
        except Exception as error:  # the last line: whatever it is, it is answered
            log.exception("unhandled", request=seen.request, path=scope["path"], exc_info=error)
            if seen.status is None:
                await _refuse(seen, InternalError(), send)
        finally:
            seen.close(log)

    return answer


class _Seen:
    """One request as it passes."""

    __slots__ = ("began", "header_bytes", "request", "scope", "status")

    def __init__(self, scope: Any) -> None:
        self.began = time.perf_counter()
        self.scope = scope
        self.status: int | None = None
        given = b""
        self.header_bytes = 0
        for name, value in scope["headers"]:
            self.header_bytes += len(name) + len(value)
            if name == b"x-request-id":
                given = value
        self.request = given.decode("ascii") if _REQUEST_ID.match(given) else uuid4().hex
        scope["market_request"] = self.request

    def watch(self, send: Send) -> Send:
        """Put the headers every answer has on the one that goes by."""

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                self.status = message["status"]
                message["headers"] = [*message["headers"], *self._headers(message)]
            await send(message)

        return sending

    def _headers(self, message: Any) -> list[tuple[bytes, bytes]]:
        present = {name.lower(): value for name, value in message["headers"]}
        added = [*_ALWAYS, (b"x-request-id", self.request.encode("ascii"))]
        if b"cache-control" not in present:
            added.append((b"cache-control", b"no-cache" if self._is_public() else b"no-store"))
        if b"content-security-policy" not in present:
            is_page = present.get(b"content-type", b"").startswith(b"text/html")
            added.append((b"content-security-policy", _PAGE if is_page else _CLOSED))
        if message["status"] == 413:  # noqa: PLR2004  # the rest of the body is not waited for
            added.append((b"connection", b"close"))
        return added

    def _is_public(self) -> bool:
        """Say whether anybody would have got this answer: a read that nobody signed in for."""
        handler = self.scope.get("route_handler")
        return (
            self.scope["method"] in {"GET", "HEAD"}
            and handler is not None
            and bool(handler.opt.get("public"))
            and self._person() is None
        )

    def _person(self) -> str | None:
        actor = self.scope.get("market_actor")
        return str(actor.person) if isinstance(actor, Actor) and actor.person else None

    def _credential(self) -> dict[str, str]:
        actor = self.scope.get("market_actor")
        by = actor.credential if isinstance(actor, Actor) else None
        return {} if by is None else {"credential": str(by)}

    def close(self, log: Any) -> None:
        """Count and log what became of the request."""
        status = self.status or 499  # nobody was left to answer
        took = time.perf_counter() - self.began
        method = self.scope["method"] if self.scope["method"] in _METHODS else "OTHER"
        # the template, never the path: one time series a route, and no ids in it
        route = self.scope.get("path_template") or "unmatched"
        # Anybody may read the measures. Those of bids would tell, by being polled, how many bids
        # have arrived and when: until the opening nobody knows that. The log keeps them.
        handler = self.scope.get("route_handler")
        if handler is None or not handler.opt.get("submission"):
            REQUESTS.labels(method, route, f"{status // 100}xx").inc()
            DURATIONS.labels(method, route).observe(took)
        note_pool()
        log.info(
            "request",
            request=self.request,
            method=method,
            path=self.scope["path"][:500],
            route=route,
            status=status,
            milliseconds=round(took * 1000, 2),
            person=self._person(),
            **self._credential(),
        )


async def _refuse(seen: _Seen, refusal: MarketError, send: Send) -> None:
    problem = of(refusal, seen.request)
    body = msgspec.json.encode(problem)
    sending: Any = seen.watch(send)
    headers = [
        (b"content-type", MEDIA_TYPE.encode("ascii")),
        (b"content-length", str(len(body)).encode("ascii")),
    ]
    await sending({"type": "http.response.start", "status": problem.status, "headers": headers})
    await sending({"type": "http.response.body", "body": body, "more_body": False})
