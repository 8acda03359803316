"""Piccolo's view of suppliers: their tables and migrations."""

from pathlib import Path

from piccolo.conf.apps import AppConfig

from suppliers.tables import ApplicationServiceLineTable, ApplicationTable, DecisionTable

APP_CONFIG = AppConfig(
    app_name="suppliers",
    migrations_folder_path=str(Path(__file__).parent / "piccolo_migrations"),
    table_classes=[ApplicationTable, ApplicationServiceLineTable, DecisionTable],
    migration_dependencies=["market.piccolo_app"],
)
