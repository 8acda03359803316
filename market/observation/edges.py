"""What is refused before a route's own code runs, said as problems like everything else."""

from collections.abc import Iterable
from weakref import WeakKeyDictionary

import msgspec
from asyncpg.exceptions import (
    CharacterNotInRepertoireError,
    OperatorInterventionError,
    PostgresConnectionError,
    UntranslatableCharacterError,
)
from litestar import Request, Response
from litestar.connection import ASGIConnection
from litestar.datastructures import State
from litestar.exceptions import MethodNotAllowedException
from litestar.handlers.base import BaseRouteHandler
from litestar.types import ExceptionHandlersMap
from litestar.types.internal_types import PathParameterDefinition

from market.errors import Busy, Fault, Malformed, MarketError
from market.observation.errors import (
    MethodNotAllowed,
    UnknownParameter,
    UnstorableText,
    WrongContentType,
)
from market.problems import HANDLERS, MEDIA_TYPE, AnyRequest, Problem, fault_of, of, request_id

_PATH_NAME = PathParameterDefinition(name="", full="", type=str, parser=None)
_JSON = ("application/json", "application/problem+json")
_QUERY_NAMES: "WeakKeyDictionary[BaseRouteHandler, frozenset[str]]" = WeakKeyDictionary()


def _query_names(handler: BaseRouteHandler, path_names: Iterable[str]) -> frozenset[str]:
    """The query parameters a handler takes, its dependencies' included; worked out once."""
    known = _QUERY_NAMES.get(handler)
    if known is None:
        model = handler.create_kwargs_model(dict.fromkeys(path_names, _PATH_NAME))
        known = frozenset(item.field_alias for item in model.expected_query_params)
        _QUERY_NAMES[handler] = known
    return known


async def well_formed(
    connection: ASGIConnection[BaseRouteHandler, object, object, State], handler: BaseRouteHandler
) -> None:
    """Refuse what the route would overlook: a misspelt filter, a body that is not JSON.

    Raises:
        UnknownParameter: a query parameter that the route does not take.
        WrongContentType: a body that says it is not JSON.
    """
    if connection.scope.get("query_string"):
        unknown = sorted(
            set(connection.query_params) - _query_names(handler, connection.path_params)
        )
        if unknown:
            faults = [
                Fault(field=name[:100], reason="This route has no such parameter.")
                for name in unknown[:20]
            ]
            raise UnknownParameter(faults=faults)
    content_type = connection.headers.get("content-type")
    if (
        content_type
        and not handler.opt.get("form")
        and connection.scope.get("method") in {"POST", "PUT", "PATCH"}
    ):
        media_type = content_type.partition(";")[0].strip().lower()
        taken = (*_JSON, *handler.opt.get("media_types", ()))
        if media_type not in taken and _has_body(connection):
            raise WrongContentType


async def strictly_typed(
    connection: ASGIConnection[BaseRouteHandler, object, object, State], handler: BaseRouteHandler
) -> None:
    """Read the body by its type and nothing looser, before Litestar reads it.

    Litestar would take the number 1900000000 for an instant and the text "true" for a truth: a
    procurement system that guesses what was meant has changed what was said. Its own reading
    afterwards can find nothing more; the body is parsed twice, which costs microseconds.

    Raises:
        Malformed: naming the field and what is wrong with it.
    """
    field = handler.parsed_data_field
    if field is None or not isinstance(connection, Request):
        return
    try:
        msgspec.json.decode(await connection.body(), type=field.annotation)
    except msgspec.ValidationError as error:
        fault = fault_of(str(error))
        detail = f"{fault.field}: {fault.reason}" if fault.field else fault.reason
        raise Malformed(detail, faults=[fault]) from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        message = f"The body is not JSON: {error}"
        raise Malformed(message) from None


def _has_body(
    connection: ASGIConnection[BaseRouteHandler, object, object, State],
) -> bool:
    length = connection.headers.get("content-length", "")
    return length not in {"", "0"} or "transfer-encoding" in connection.headers


def _answer(
    request: AnyRequest, refusal: MarketError, headers: dict[str, str]
) -> Response[Problem]:
    return Response(
        of(refusal, request_id(request)),
        status_code=refusal.status,
        media_type=MEDIA_TYPE,
        headers=headers,
    )


def _on_method(request: AnyRequest, error: MethodNotAllowedException) -> Response[Problem]:
    return _answer(request, MethodNotAllowed(), dict(error.headers or {}))


def _on_character(request: AnyRequest, _: Exception) -> Response[Problem]:
    return _answer(request, UnstorableText(), {})


def _on_lost_database(request: AnyRequest, _: Exception) -> Response[Problem]:
    return _answer(request, Busy(), {"Retry-After": str(Busy.retry_after)})


EDGE_HANDLERS: ExceptionHandlersMap = {
    **HANDLERS,
    MethodNotAllowedException: _on_method,
    CharacterNotInRepertoireError: _on_character,
    UntranslatableCharacterError: _on_character,
    PostgresConnectionError: _on_lost_database,
    OperatorInterventionError: _on_lost_database,
    ConnectionError: _on_lost_database,
}
"""How every failure is told: the market's handlers, and those for the edge."""
