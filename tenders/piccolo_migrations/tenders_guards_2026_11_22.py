"""Guards, grants and policies over the tables of tenders, and the matrices they read."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from market.migrations import run_script

ID = "2026-11-22T10:00:01:000000"
VERSION = "1.38.0"
DESCRIPTION = "guards"


async def forwards() -> MigrationManager:
    """Run the scripts beside this file, in the migration's transaction."""
    manager = MigrationManager(migration_id=ID, app_name="tenders", description=DESCRIPTION)

    async def run() -> None:
        await run_script("tenders", "duty_guards.sql")
        await run_script("tenders", "requirement_rows.sql")
        await run_script("tenders", "tender_guards.sql")
        await run_script("tenders", "tender_matrix.sql")
        await run_script("tenders", "amendments.sql")
        await run_script("tenders", "variants.sql")
        await run_script("tenders", "conflicts.sql")
        await run_script("tenders", "bid_guards.sql")
        await run_script("tenders", "bid_reading.sql")
        await run_script("tenders", "bid_drafts.sql")
        await run_script("tenders", "custody.sql")
        await run_script("tenders", "closing.sql")
        await run_script("tenders", "interruptions.sql")
        await run_script("tenders", "tender_feed.sql")
        await run_script("tenders", "saved_searches.sql")
        await run_script("tenders", "tender_notices.sql")

    manager.add_raw(run)
    return manager
