"""Whether a deadline is near: what the market keeps capacity for."""

from market.actor import ANONYMOUS
from market.database import fetch_value, reading

LAST_MINUTES = 15

_CLOSING = """
WITH clock AS MATERIALIZED (SELECT market_now() AS now)
SELECT EXISTS (
    SELECT 1 FROM tender t, clock c WHERE t.stage = 'published'
    AND t.deadline > c.now AND t.deadline <= c.now + make_interval(mins => $1))
"""


async def is_closing_soon() -> bool:
    """Say whether some published tender is within its last fifteen minutes, by the market's clock.

    Raises:
        Busy: the database does not answer.
    """
    async with reading(ANONYMOUS):
        near: bool = await fetch_value(_CLOSING, LAST_MINUTES)
    return near
