"""What time it is in the market."""

from market.actor import Actor
from market.clock.schemas import ClockView
from market.database import fetch_one, reading
from market.errors import Busy

_CLOCK = """
SELECT market_now() AS now, extract(epoch FROM c.shift)::float8 AS shift_seconds,
       i.kind AS environment
FROM market_clock c CROSS JOIN installation i
"""


async def clock_now() -> ClockView:
    """Read the clock inside the current transaction.

    Raises:
        Busy: the database is not initialised yet.
    """
    found = await fetch_one(ClockView, _CLOCK)
    if found is None:
        raise Busy
    return found


async def read_clock(actor: Actor) -> ClockView:
    """The market's time now."""
    async with reading(actor):
        return await clock_now()
