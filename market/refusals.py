"""Refusals are recorded: in a transaction of their own, since the refused one is undone."""

from uuid import UUID

import structlog
from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter

from market.actor import Actor
from market.database import unit_of_work
from market.errors import Forbidden, MarketError
from market.events.commands import record as record_event

_LOG = structlog.get_logger("market.refusals")
_LIMITER = FixedWindowRateLimiter(MemoryStorage())
_CAP = RateLimitItemPerMinute(60)


async def record(actor: Actor, operation: str, refusal: MarketError, tender: object) -> None:
    """Record a refusal by duty, interest or permission, at most sixty a minute and person.

    What is refused for its form, its time or its place is an ordinary answer and not recorded.
    A refusal stays one when it cannot be recorded; that is then logged.
    """
    if not isinstance(refusal, Forbidden) or actor.person is None:
        return
    if not _LIMITER.hit(_CAP, str(actor.person)):
        return
    try:
        async with unit_of_work(actor, writes=True):
            await record_event(
                actor,
                "request.refused",
                "person",
                actor.person,
                tender=tender if isinstance(tender, UUID) else None,
                operation=operation,
                refusal=refusal.slug(),
                private={"reason": refusal.detail},
            )
    except MarketError as error:
        _LOG.warning("refusal not recorded", operation=operation, because=error.slug())
