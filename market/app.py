"""The assembled application: every feature's routes, one door, one way to fail."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

from litestar import Litestar, Router
from litestar.datastructures import State
from litestar.types import ASGIApp, Receive, Scope, Send

from market import database
from market.door import identify
from market.people import routes as people_routes
from market.problems import HANDLERS
from market.requests import DEPENDENCIES
from market.settings import Settings
from market.vault import Vault


def create_app(settings: Settings, connection: dict[str, Any], vault: Vault) -> Litestar:
    """Assemble the API over a database that is migrated and initialised."""

    @asynccontextmanager
    async def lifespan(_: Litestar) -> AsyncIterator[None]:
        await database.open_pool(settings, connection)
        try:
            yield
        finally:
            await database.close_pool()

    api = Router("/api/v1", route_handlers=[*people_routes.CONTROLLERS])
    return Litestar(
        route_handlers=[api],
        guards=[identify],
        dependencies=DEPENDENCIES,
        exception_handlers=HANDLERS,
        lifespan=[lifespan],
        request_max_body_size=settings.body_limit,
        openapi_config=None,
        logging_config=None,
        state=State({"settings": settings, "vault": vault}),
    )


def served(app: Litestar) -> ASGIApp:
    """The application as servers and tests run it: every request has an id, a log line, a count."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            scope["market_request"] = uuid4().hex  # type: ignore[typeddict-unknown-key]  # ours
        await app(scope, receive, send)

    return answer
