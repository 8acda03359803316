"""HTTP about the clock."""

from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import JSONBody

from market.actor import Actor, Scope
from market.clock import commands, queries
from market.clock.errors import ClockGoesForward, ClockIsReal, ClockOutOfReach
from market.clock.schemas import ClockView, ShiftClock
from market.errors import Forbidden
from market.problems import problems
from market.requests import KEYED


class ClockController(Controller):
    """The market's time."""

    path = "/clock"
    tags = ("clock",)

    @get(operation_id="getClock", opt={"public": True, "scope": Scope.OPPORTUNITIES_READ})
    async def get_clock(self, actor: NamedDependency[Actor]) -> ClockView:
        """Show the market's time, by which every deadline counts."""
        return await queries.read_clock(actor)

    @post(
        "/shifts",
        operation_id="shiftClock",
        dependencies=KEYED,
        responses=problems(Forbidden, ClockIsReal, ClockGoesForward, ClockOutOfReach),
    )
    async def shift_clock(
        self, data: JSONBody[ShiftClock], actor: NamedDependency[Actor]
    ) -> ClockView:
        """Move a sandbox forward in time, to live through a competition in seconds.

        Sessions, invitations and retries keep to the real clock.
        """
        return await commands.shift_clock(actor, data)


CONTROLLERS = (ClockController,)
