"""Moving a sandbox's clock forward."""

from uuid import NAMESPACE_URL, uuid5

import msgspec

from market.actor import Actor
from market.clock.errors import ClockGoesForward, ClockIsReal, ClockOutOfReach
from market.clock.permissions import ensure_may_shift_clock
from market.clock.queries import clock_now
from market.clock.schemas import ClockView, ShiftClock
from market.command import command
from market.database import execute, fetch_one
from market.events.commands import record
from market.settings import Environment

FURTHEST_YEARS = 50
_CLOCK = uuid5(NAMESPACE_URL, "urn:market:clock")
"""The subject of the clock's events: there is one clock, and it has no row of its own to name."""

# Held to the end, so that bids and others in flight, who share it, are over or wait.
_LOCK = "SELECT FROM market_clock FOR UPDATE"
# In seconds: an interval of days would have another length where summer time begins.
_REACH = """
SELECT extract(epoch FROM $1::timestamptz - market_now())::float8 AS onward,
       extract(epoch FROM $1::timestamptz - clock_timestamp())::float8 AS shift
"""
_SECONDS_A_YEAR = 365.25 * 86_400


class _Reach(msgspec.Struct, frozen=True):
    onward: float
    shift: float


@command
async def shift_clock(actor: Actor, given: ShiftClock) -> ClockView:
    """Move the clock of a sandbox forward to an instant.

    Raises:
        Forbidden: the actor is not a registrar.
        ClockIsReal: this is a production market.
        ClockGoesForward: the instant is not later than now.
        ClockOutOfReach: the instant is more than fifty years from now in real time.
    """
    ensure_may_shift_clock(actor)
    await execute(_LOCK)
    before = await clock_now()
    if before.environment is not Environment.SANDBOX:
        raise ClockIsReal
    reach = await fetch_one(_Reach, _REACH, given.forward_to)
    if reach is None or reach.onward <= 0:
        raise ClockGoesForward
    if reach.shift > FURTHEST_YEARS * _SECONDS_A_YEAR:
        raise ClockOutOfReach
    await execute("UPDATE market_clock SET shift = make_interval(secs => $1)", reach.shift)
    after = await clock_now()
    await record(
        actor,
        "clock.shifted",
        "clock",
        _CLOCK,
        before=before.now.isoformat().encode(),
        after=after.now.isoformat().encode(),
        forward_to=given.forward_to.isoformat(),
    )
    return after
