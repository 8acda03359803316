"""Guards, grants and policies over the tables of evaluation."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from market.migrations import run_script

ID = "2026-11-22T10:00:01:000000"
VERSION = "1.38.0"
DESCRIPTION = "guards"

_SCRIPTS = (
    "evaluation_rounds.sql",
    "evaluation_panel.sql",
    "evaluation_quality.sql",
    "evaluation_ranking.sql",
    "evaluation_award.sql",
    "evaluation_stages.sql",
    "evaluation_assurance.sql",
    "evaluation_findings.sql",
    "evaluation_register.sql",
    "evaluation_keeping.sql",
    "evaluation_reading.sql",
    "evaluation_clarifications.sql",
    "evaluation_challenges.sql",
    "evaluation_low_prices.sql",
    "evaluation_verification.sql",
    "evaluation_record.sql",
    "evaluation_disclosure.sql",
    "evaluation_feed.sql",
    "evaluation_notices.sql",
    "evaluation_joint.sql",
    "evaluation_performance.sql",
    "evaluation_contract_days.sql",
    "evaluation_outcome.sql",
    "evaluation_reporting.sql",
)


async def forwards() -> MigrationManager:
    """Run the scripts beside this file, in the migration's transaction."""
    manager = MigrationManager(migration_id=ID, app_name="evaluation", description=DESCRIPTION)

    async def run() -> None:
        for script in _SCRIPTS:
            await run_script("evaluation", script)

    manager.add_raw(run)
    return manager
