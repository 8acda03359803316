"""Numbering what has been committed: gapless positions, by one process at a time."""

from market.background import Workbench

BATCH = 5000
"""How many events one pass numbers at most."""
_SOON = 0.02
"""Seconds between passes: how long a committed event waits for its position, about."""
_IDLE = 0.1
"""Seconds between passes after a second without an event, and while another process numbers."""
_QUIET_PASSES = 50


class Sequencer:
    """Numbers committed events in the order of `number_events`, whoever else tries to.

    Any number of workers may run it: one holds the row of the sequencer for the moment of a pass,
    the others find it held and come again. When the holder dies its transaction ends with it, and
    the next one to come goes on, within a tenth of a second of PostgreSQL noticing.
    """

    name = "sequencer"

    def __init__(self, bench: Workbench) -> None:
        """Number with the worker role."""
        self._database = bench.database
        self._quiet = 0

    async def run(self) -> float:
        """Number one batch."""
        numbered = await self.number()
        if numbered == BATCH:
            return 0
        self._quiet = 0 if numbered else self._quiet + 1
        return _IDLE if numbered is None or self._quiet > _QUIET_PASSES else _SOON

    async def number(self) -> int | None:
        """Number one batch and say how many; None while another process does it.

        It is one statement, so that a process that halts here holds nothing.
        """
        async with self._database.connection() as connection:
            numbered: int | None = await connection.fetchval("SELECT number_events($1)", BATCH)
        return numbered
