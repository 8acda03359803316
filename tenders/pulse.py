"""That an API process serves: said to the database every few seconds, which notices silences."""

import asyncio

import structlog

from market.actor import ANONYMOUS
from market.database import execute, unit_of_work

_LOG = structlog.get_logger("market.pulse")
_BEATS_IN_SILENCE = 6
"""How many beats fit into the longest silence that is no interruption."""
_BEAT = "SELECT beat($1)"


async def beat(tolerated: int) -> None:
    """Say once that this process serves.

    A silence of all processes of more than `tolerated` seconds before it becomes an interruption,
    and a proposal to extend each tender in whose last hour it fell.
    """
    async with unit_of_work(ANONYMOUS, writes=True):
        await execute(_BEAT, tolerated)


class Pulse:
    """Beats while a process serves, the first time before it answers anybody.

    A beat that does not get through is logged and not made up for: the market then does not take
    bids either, and that is what is to be noticed.
    """

    def __init__(self, tolerated: int) -> None:
        """Take from the settings how many seconds of silence are no interruption."""
        self._tolerated = tolerated
        self._beating: asyncio.Task[None] | None = None

    async def begin(self) -> None:
        """Beat once, and from then on."""
        await self._try()
        self._beating = asyncio.create_task(self._keep_beating(), name="pulse")

    async def _keep_beating(self) -> None:
        while True:
            await asyncio.sleep(self._tolerated / _BEATS_IN_SILENCE)
            await self._try()

    async def _try(self) -> None:
        try:
            await beat(self._tolerated)
        except Exception as error:  # noqa: BLE001  # whatever it is, the next beat may get through
            _LOG.warning("no beat", because=repr(error)[:200])

    async def close(self) -> None:
        """Stop beating."""
        if self._beating is not None:
            self._beating.cancel()
            await asyncio.gather(self._beating, return_exceptions=True)
            self._beating = None
