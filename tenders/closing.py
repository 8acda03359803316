"""Fixing what stands right after each deadline: a task of the worker."""

from market.background import Workbench

_REST = 1.0
"""Seconds between looks for deadlines that have passed."""


class ManifestFixing:
    """Fixes the manifest of each tender whose deadline has passed, one transaction a tender.

    Any number of workers may run it; whoever opens a tender before any of them has come to it fixes
    the manifest first. It is left open while a bid in flight holds the tender, and while somebody
    is to decide about an interruption.
    """

    name = "manifests"

    def __init__(self, bench: Workbench) -> None:
        """Fix with the worker role, which reads none of it."""
        self._database = bench.database

    async def run(self) -> float:
        """Fix one, and come again at once where there was one."""
        async with self._database.connection() as connection:
            fixed = await connection.fetchval("SELECT fix_one_manifest()")
        return _REST if fixed is None else 0
