"""Refusals are recorded: in a transaction of their own, since the refused one is undone."""

from uuid import UUID

import structlog
from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter

from market.actor import Actor
from market.database import fetch_value, unit_of_work
from market.errors import MarketError, NotFound, WrongStage
from market.events.commands import record as record_event

_LOG = structlog.get_logger("market.refusals")
_LIMITER = FixedWindowRateLimiter(MemoryStorage())
_CAP = RateLimitItemPerMinute(60)
_KNOWN = "SELECT tender_is_known($1)"


async def record(
    actor: Actor, operation: str, refusal: MarketError, tender: object, *, reading: bool = False
) -> None:
    """Record a refusal by duty, interest or permission, at most sixty a minute and person.

    So is what comes too early for what is sealed, or too late for a bid; and, of a `reading` of
    what is confidential, whatever the refusal: an attempt to read bids early is an event, also
    where it is answered as if there were nothing. What else is refused for its form, its time or
    its place is an ordinary answer and not recorded. A refusal stays one when it cannot be
    recorded; that is then logged.
    """
    hidden = reading and isinstance(refusal, NotFound)
    early = reading and isinstance(refusal, WrongStage)
    if actor.person is None or not (refusal.recorded or hidden or early):
        return
    if not _LIMITER.hit(_CAP, str(actor.person)):
        return
    try:
        async with unit_of_work(actor, writes=True):
            # of what there never was, nothing is recorded: anybody could fill the log with it
            if hidden and not await fetch_value(_KNOWN, tender):
                return
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
