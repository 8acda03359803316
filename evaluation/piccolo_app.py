"""Piccolo's view of the evaluation: its tables and migrations."""

from pathlib import Path

from piccolo.conf.apps import AppConfig

from evaluation.tables import (
    AgreedScoreTable,
    ApprovalTable,
    AwardTable,
    ContractTable,
    DropOutTable,
    NoticeTable,
    QualityDecisionTable,
    RankedBidTable,
    RankingTable,
    RecommendationTable,
    ScoreLockTable,
    ScoreTable,
    StandstillTable,
)

APP_CONFIG = AppConfig(
    app_name="evaluation",
    migrations_folder_path=str(Path(__file__).parent / "piccolo_migrations"),
    table_classes=[
        ScoreTable,
        ScoreLockTable,
        AgreedScoreTable,
        QualityDecisionTable,
        RankingTable,
        RankedBidTable,
        DropOutTable,
        RecommendationTable,
        ApprovalTable,
        AwardTable,
        NoticeTable,
        StandstillTable,
        ContractTable,
    ],
    migration_dependencies=["tenders.piccolo_app"],
)
