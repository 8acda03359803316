"""The assembled application: every feature's routes, one door, one way to fail."""

import functools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from litestar import Litestar, Response, Router, get
from litestar.connection import ASGIConnection
from litestar.datastructures import State
from litestar.handlers.base import BaseRouteHandler
from litestar.types import ControllerRouterHandler

from evaluation import routes as evaluation_routes
from market import database, openapi
from market.clock import routes as clock_routes
from market.documents.handling import open_documents
from market.door import Capacity, Door, identify
from market.events import routes as event_routes
from market.events.watching import Watch
from market.interests import routes as interest_routes
from market.mail import routes as mail_routes
from market.mail.kinds import NoticeKind, by_name
from market.notices import KINDS
from market.observation.edges import EDGE_HANDLERS, strictly_typed, well_formed
from market.observation.requests import observed
from market.organisations import routes as organisation_routes
from market.ownership import routes as ownership_routes
from market.people import routes as people_routes
from market.requests import DEPENDENCIES
from market.settings import Settings
from market.single_sign_on import routes as single_sign_on_routes
from market.single_sign_on.provider import identity_provider
from market.status import routes as status_routes
from market.systems import routes as system_routes
from market.transparency import routes as log_routes
from market.vault import Vault
from market.webhooks import routes as webhook_routes
from suppliers import routes as supplier_routes
from tenders import routes as tender_routes
from tenders.pulse import Pulse
from tenders.queries.closing import is_closing_soon

CONTROLLERS: tuple[ControllerRouterHandler, ...] = (
    *people_routes.CONTROLLERS,
    *single_sign_on_routes.CONTROLLERS,
    *organisation_routes.CONTROLLERS,
    *ownership_routes.CONTROLLERS,
    *clock_routes.CONTROLLERS,
    *event_routes.CONTROLLERS,
    *interest_routes.CONTROLLERS,
    *system_routes.CONTROLLERS,
    *webhook_routes.CONTROLLERS,
    *log_routes.CONTROLLERS,
    *mail_routes.CONTROLLERS,
    *supplier_routes.CONTROLLERS,
    *tender_routes.CONTROLLERS,
    *evaluation_routes.CONTROLLERS,
)
"""The API: one line a feature."""


@functools.cache
def api_document() -> bytes:
    """The OpenAPI document of the API, made at the first wish."""
    return openapi.encoded(openapi.document(CONTROLLERS))


@get("/openapi.json", opt={"public": True}, include_in_schema=False)
async def show_document() -> Response[bytes]:
    """Give the OpenAPI document."""
    return Response(api_document(), media_type="application/json")


async def admitted(
    connection: ASGIConnection[BaseRouteHandler, object, object, State], _: BaseRouteHandler
) -> None:
    """All that is asked of a request before its route runs: who asks, then the form of it.

    One guard, since Litestar copies the handler anew for each; they look at the handler itself.
    """
    handler = connection.scope["route_handler"]
    for guard in (identify, well_formed, strictly_typed):
        await guard(connection, handler)


def create_app(
    settings: Settings,
    connection: dict[str, Any],
    vault: Vault,
    kinds: tuple[NoticeKind, ...] = KINDS,
) -> Litestar:
    """Assemble the API over a database that is migrated and initialised."""
    by_name(kinds)  # refuses two of one name before anybody is served
    capacity = Capacity(settings.requests_at_once, settings.kept_for_submissions, is_closing_soon)
    watch = Watch(settings)
    pulse = Pulse(settings.interruption_after)

    @asynccontextmanager
    async def lifespan(_: Litestar) -> AsyncIterator[None]:
        await database.open_pool(settings, connection)
        watch.begin()
        await pulse.begin()
        try:
            yield
        finally:
            await pulse.close()
            await watch.close()
            await capacity.close()
            await database.close_pool()

    return Litestar(
        route_handlers=[
            Router(openapi.PREFIX, route_handlers=list(CONTROLLERS)),
            *system_routes.TOKENS,
            *mail_routes.PAGES,
            *status_routes.CONTROLLERS,
            show_document,
        ],
        middleware=[capacity.middleware],
        guards=[admitted],
        dependencies=DEPENDENCIES,
        exception_handlers=EDGE_HANDLERS,
        lifespan=[lifespan],
        request_max_body_size=settings.body_limit,
        openapi_config=None,
        logging_config=None,
        state=State(
            {
                "settings": settings,
                "vault": vault,
                "door": Door(settings, vault),
                "watch": watch,
                "documents": open_documents(settings, vault.custodian),
                "notice_kinds": kinds,
                "identity_provider": identity_provider(settings),
            }
        ),
    )


def served(app: Litestar) -> Any:
    """The application as servers and tests run it: every request has an id, a log line, a count.

    Litestar, uvicorn and httpx each have their own types for ASGI; this is where they meet.
    """
    return observed(app)
