"""Piccolo's view of tenders: their tables and migrations."""

from pathlib import Path

from piccolo.conf.apps import AppConfig

from tenders.tables.amendments import (
    AmendmentTable,
    BidConfirmationTable,
    ConfirmationReceiptTable,
)
from tenders.tables.bids import (
    BidParticipantTable,
    BidTable,
    BidVersionTable,
    DeclarationTable,
    EnvelopeTable,
    ManifestEntryTable,
    OpenedEnvelopeTable,
    OpeningConfirmationTable,
    ReceiptTable,
)
from tenders.tables.closing import (
    ExtensionDecisionTable,
    ExtensionProposalTable,
    InterruptionTable,
    ManifestTable,
    ServiceBeatTable,
)
from tenders.tables.conflicts import (
    AwardDelegationEndingTable,
    AwardDelegationTable,
    ConflictDecisionTable,
    DutyDeclarationTable,
    DutyDefaultTable,
    ExemptionRevocationTable,
    ExemptionTable,
)
from tenders.tables.custody import (
    KeyRehearsalTable,
    OfficerCanaryTable,
    OfficerKeyTable,
    OfficerShareTable,
    PassedShareTable,
    ReleasedKeyTable,
)
from tenders.tables.documents import (
    BidDocumentPartTable,
    BidDocumentTable,
    DocumentKeyTable,
    ListedDocumentTable,
    OpenedDocumentTable,
)
from tenders.tables.drafts import BidDraftTable, DraftKeyTable
from tenders.tables.lots import (
    CriterionTable,
    LotServiceLineTable,
    LotTable,
    LotTransitionTable,
    ScaleValueTable,
    TenderKeyTable,
)
from tenders.tables.searches import SavedSearchTable
from tenders.tables.tenders import (
    DutyFloorTable,
    DutyTable,
    RequirementTable,
    ReviewTable,
    TenderBuyerTable,
    TenderDrawTable,
    TenderTable,
    TenderTransitionTable,
)

APP_CONFIG = AppConfig(
    app_name="tenders",
    migrations_folder_path=str(Path(__file__).parent / "piccolo_migrations"),
    table_classes=[
        TenderTable,
        TenderTransitionTable,
        TenderBuyerTable,
        DutyTable,
        DutyFloorTable,
        DutyDefaultTable,
        DutyDeclarationTable,
        ExemptionTable,
        ExemptionRevocationTable,
        ConflictDecisionTable,
        AwardDelegationTable,
        AwardDelegationEndingTable,
        RequirementTable,
        ReviewTable,
        TenderDrawTable,
        LotTable,
        LotTransitionTable,
        LotServiceLineTable,
        CriterionTable,
        ScaleValueTable,
        TenderKeyTable,
        BidTable,
        BidVersionTable,
        BidParticipantTable,
        EnvelopeTable,
        ReceiptTable,
        AmendmentTable,
        BidConfirmationTable,
        ConfirmationReceiptTable,
        ManifestTable,
        ManifestEntryTable,
        ServiceBeatTable,
        InterruptionTable,
        ExtensionProposalTable,
        ExtensionDecisionTable,
        DeclarationTable,
        OpeningConfirmationTable,
        OpenedEnvelopeTable,
        BidDocumentTable,
        BidDocumentPartTable,
        DocumentKeyTable,
        ListedDocumentTable,
        OpenedDocumentTable,
        SavedSearchTable,
        DraftKeyTable,
        BidDraftTable,
        OfficerKeyTable,
        OfficerCanaryTable,
        OfficerShareTable,
        PassedShareTable,
        ReleasedKeyTable,
        KeyRehearsalTable,
    ],
    migration_dependencies=["suppliers.piccolo_app"],
)
