"""Every failure as RFC 9457 problem+json: one shape, a stable type, the reason and the fields."""

import re
from collections.abc import Iterable

import msgspec
import structlog
from litestar import Request, Response
from litestar.datastructures import State
from litestar.exceptions import HTTPException, ValidationException
from litestar.openapi.datastructures import ResponseSpec
from litestar.openapi.spec import Example
from litestar.types import ExceptionHandlersMap

from market.errors import Fault, Malformed, MarketError, NotFound, TooLarge

MEDIA_TYPE = "application/problem+json"
_LOG = structlog.get_logger("market.problems")
_AT = re.compile(r"^(?P<reason>.*?) - at `(?P<path>\$[^`]*)`$", re.DOTALL)
_NAMED = re.compile(r"(?:unknown field|missing required field) `(?P<name>[^`]{1,100})`")

AnyRequest = Request[object, object, State]


class Problem(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What went wrong, in words a person can act on. `errors` names the fields at fault."""

    type: str
    title: str
    status: int
    detail: str
    request: str = ""
    errors: tuple[Fault, ...] = ()


def of(error: MarketError, request: str = "") -> Problem:
    """Say a refusal as a problem."""
    return Problem(
        type=f"/problems/{error.slug()}",
        title=error.title,
        status=error.status,
        detail=error.detail,
        request=request,
        errors=error.faults,
    )


def _respond(problem: Problem, headers: dict[str, str]) -> Response[Problem]:
    return Response(problem, status_code=problem.status, media_type=MEDIA_TYPE, headers=headers)


def request_id(request: AnyRequest) -> str:
    """The id under which this request stands in the logs and in the event log."""
    return str(request.scope.get("market_request", "-"))


def _on_refusal(request: AnyRequest, error: MarketError) -> Response[Problem]:
    headers = {} if error.retry_after is None else {"Retry-After": str(error.retry_after)}
    if error.status == 401:  # noqa: PLR2004  # the one status that must name a scheme, RFC 9110 15.5.2
        headers["WWW-Authenticate"] = "Bearer"
    return _respond(of(error, request_id(request)), headers)


def fault_of(message: str, fallback: str = "") -> Fault:
    """Split msgspec's "reason - at `$.path`" into reason and field, a field it names included."""
    found = _AT.match(message)
    reason, path = (message, fallback) if found is None else (found["reason"], found["path"])
    path = path.removeprefix("$").removeprefix(".")
    if (named := _NAMED.search(reason)) is not None:
        path = f"{path}.{named['name']}".removeprefix(".")
    return Fault(field=path, reason=reason)


def _on_validation(request: AnyRequest, error: ValidationException) -> Response[Problem]:
    faults: list[Fault] = []
    extra = error.extra if isinstance(error.extra, list) else []
    for item in extra:
        if isinstance(item, dict):
            faults.append(
                fault_of(str(item.get("message", "")), str(item.get("key", item.get("source", ""))))
            )
        else:
            faults.append(Fault(field="", reason=str(item)))
    detail = "; ".join(
        f"{fault.field}: {fault.reason}" if fault.field else fault.reason for fault in faults
    )
    refusal = Malformed(detail or error.detail, faults=faults)
    return _respond(of(refusal, request_id(request)), {})


_STATUS_ERRORS: dict[int, type[MarketError]] = {
    400: Malformed,
    404: NotFound,
    413: TooLarge,
}


def _on_http(request: AnyRequest, error: HTTPException) -> Response[Problem]:
    """What Litestar itself refuses: no such path, method or body."""
    known = _STATUS_ERRORS.get(error.status_code)
    if known is not None:
        problem = of(known(_plain(error)), request_id(request))
    else:
        phrase = type(error).__name__.removesuffix("Exception")
        problem = Problem(
            type="about:blank",
            title=re.sub(r"(?<=[a-z])(?=[A-Z])", " ", phrase),
            status=error.status_code,
            detail=error.detail,
            request=request_id(request),
        )
    return _respond(problem, dict(error.headers or {}))


def _plain(error: HTTPException) -> str | None:
    """Litestar's own sentence where it helps; our title where it only repeats the status."""
    return None if error.status_code in {404, 413} else error.detail


def _on_accident(request: AnyRequest, error: Exception) -> Response[Problem]:
    """A fault of the programme: logged whole under the request's id, told without its insides."""
    _LOG.error("unhandled", exc_info=error, path=request.url.path, method=request.method)
    problem = Problem(
        type="/problems/internal-error",
        title="The market failed to carry out the request.",
        status=500,
        detail="This is a fault of the market, not of the request. It has been logged.",
        request=request_id(request),
    )
    return _respond(problem, {})


def _on_depth(request: AnyRequest, _: RecursionError) -> Response[Problem]:
    refusal = Malformed("The body is nested too deeply.")
    return _respond(of(refusal, request_id(request)), {})


HANDLERS: ExceptionHandlersMap = {
    MarketError: _on_refusal,
    ValidationException: _on_validation,
    HTTPException: _on_http,
    RecursionError: _on_depth,
    Exception: _on_accident,
}


def problems(*errors: type[MarketError]) -> dict[int, ResponseSpec]:
    """Document the refusals of a route; those of one status share an entry."""
    by_status: dict[int, list[type[MarketError]]] = {}
    for error in errors:
        by_status.setdefault(error.status, []).append(error)
    return {status: specification(group) for status, group in by_status.items()}


def specification(errors: Iterable[type[MarketError]]) -> ResponseSpec:
    """One documented response: what each refusal means and an example of each."""
    group = list(errors)
    return ResponseSpec(
        data_container=Problem,
        generate_examples=False,
        media_type=MEDIA_TYPE,
        description=" ".join(dict.fromkeys(error.title for error in group)),
        examples=[
            Example(summary=error.__name__, value=msgspec.to_builtins(of(error())))
            for error in group
        ],
    )


def known_problems() -> list[type[MarketError]]:
    """Every kind of refusal the market can give, by name."""

    def below(kind: type[MarketError]) -> Iterable[type[MarketError]]:
        for child in kind.__subclasses__():
            yield child
            yield from below(child)

    return sorted(set(below(MarketError)), key=lambda kind: kind.slug())
