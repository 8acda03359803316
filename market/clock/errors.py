"""Refusals about the clock, named by their reason."""

from market.errors import MarketError, keeps


@keeps("clock_real_in_production")
class ClockIsReal(MarketError):
    """A production market lives in real time; only a sandbox can be moved forward."""

    title = "Only a sandbox may shift its clock. This market lives in real time."


@keeps("clock_goes_forward")
class ClockGoesForward(MarketError):
    """The clock was to be moved back, or to where it is."""

    title = "The clock of a sandbox can only be moved forward."


@keeps("clock_within_reach")
class ClockOutOfReach(MarketError):
    """The clock was to be moved further than the calendars of the market reach."""

    title = "The clock of a sandbox can be at most fifty years ahead."
