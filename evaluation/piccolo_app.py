"""Piccolo's view of the evaluation: its tables and migrations."""

from pathlib import Path

from piccolo.conf.apps import AppConfig

from evaluation.tables import (
    AgreedScoreTable,
    ApprovalTable,
    AwardTable,
    BidAnswerTable,
    BidQuestionTable,
    ContractTable,
    CountedSeatTable,
    DisclosureBundleTable,
    DissentTable,
    DropOutTable,
    NoticeTable,
    PanelSeatTable,
    PanelTable,
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
        PanelTable,
        PanelSeatTable,
        CountedSeatTable,
        ScoreTable,
        ScoreLockTable,
        AgreedScoreTable,
        DissentTable,
        QualityDecisionTable,
        RankingTable,
        RankedBidTable,
        DropOutTable,
        RecommendationTable,
        ApprovalTable,
        AwardTable,
        NoticeTable,
        StandstillTable,
        BidQuestionTable,
        BidAnswerTable,
        ContractTable,
        DisclosureBundleTable,
    ],
    migration_dependencies=["tenders.piccolo_app"],
)
