"""Guards, grants and functions over the tables of ownership."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from market.migrations import run_script

ID = "2026-11-22T10:00:05:000000"
VERSION = "1.38.0"
DESCRIPTION = "ownership guards"


async def forwards() -> MigrationManager:
    """Run the scripts beside this file, in the migration's transaction."""
    manager = MigrationManager(migration_id=ID, app_name="market", description=DESCRIPTION)

    async def run() -> None:
        await run_script("market", "market_ownership.sql")
        await run_script("market", "market_ownership_graph.sql")

    manager.add_raw(run)
    return manager
