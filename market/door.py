"""The door: every request is identified, deny by default, and limited in rate before it is read."""

import msgspec
from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter
from litestar.connection import ASGIConnection
from litestar.handlers.base import BaseRouteHandler

from market.actor import ANONYMOUS
from market.errors import NotSignedIn, TooManyRequests
from market.people.queries import actor_of
from market.settings import Settings

_LONGEST_TOKEN = 200
_LIMITER = MovingWindowRateLimiter(MemoryStorage())


async def identify(connection: ASGIConnection, handler: BaseRouteHandler) -> None:  # type: ignore[type-arg]  # the guard's own signature in Litestar
    """Find out who is asking, before anything of the body is read.

    A handler marked `public` serves everybody; every other one needs a token that works now.

    Raises:
        NotSignedIn: no token, or one that is unknown, expired or revoked.
        TooManyRequests: the person, or the address of somebody unknown, asks too often.
    """
    settings: Settings = connection.app.state["settings"]
    request = str(connection.scope.get("market_request", "-"))
    scheme, _, token = connection.headers.get("authorization", "").partition(" ")
    actor = None
    if scheme.lower() == "bearer" and 0 < len(token.strip()) <= _LONGEST_TOKEN:
        actor = await actor_of(token.strip(), request)
    address = connection.client.host if connection.client else "unknown"
    key = str(actor.person) if actor is not None else address
    limit = RateLimitItemPerMinute(settings.requests_per_minute)
    if not _LIMITER.hit(limit, "requests", key):
        raise TooManyRequests
    if handler.opt.get("costly") and not _LIMITER.hit(
        RateLimitItemPerMinute(settings.sign_ins_per_minute), "costly", address
    ):
        raise TooManyRequests
    if actor is None:
        if not handler.opt.get("public"):
            raise NotSignedIn
        actor = msgspec.structs.replace(ANONYMOUS, request=request)
    connection.scope["market_actor"] = actor  # type: ignore[typeddict-unknown-key]  # ours, read by provide_actor
