"""Piccolo's view of the ground floor: its tables and migrations."""

from pathlib import Path

from piccolo.conf.apps import AppConfig

from market.erasure.tables import (
    ErasableTable,
    EventAboutTable,
    LegalHoldTable,
    PersonErasureTable,
)
from market.events.tables import (
    ColleagueActionTable,
    EventPositionTable,
    EventPrivateTable,
    EventTable,
    PublicActionTable,
    SequencerTable,
    TenderHeadTable,
)
from market.interests.tables import (
    BreachPersonTable,
    BreachPublicationTable,
    BreachTable,
    ConsentDecisionTable,
    GiftReviewTable,
    GiftTable,
    InterestConfirmationTable,
    InterestEndingTable,
    InterestMitigationTable,
    InterestTable,
)
from market.keys.tables import (
    KeyActTable,
    RetiredWrappingKeyTable,
    SigningKeyTable,
    WrappedColumnTable,
)
from market.mail.tables import (
    NoticeFaultTable,
    NoticePreferencesTable,
    NoticeTable,
    NoticingTable,
)
from market.organisations.tables import IdentifierTable, OrganisationTable, ServiceLineTable
from market.ownership.tables import (
    OwnershipIdentifierTable,
    OwnershipImportTable,
    OwnershipLinkTable,
    OwnershipPartyTable,
    OwnershipPersonTable,
    OwnershipReferenceTable,
    OwnershipReplacementTable,
    OwnershipStatementTable,
    OwnershipTurnTable,
)
from market.people.tables import (
    InvitationTable,
    MembershipTable,
    OneTimePasswordTable,
    PasswordResetTable,
    PersonTable,
    RecoveryCodeTable,
    SessionTable,
    SignInAttemptTable,
)
from market.single_sign_on.tables import IdentityLinkTable, SingleSignOnRequestTable
from market.systems.tables import (
    ApiKeyTable,
    ClientTable,
    ClientTokenTable,
    CredentialUseTable,
)
from market.tables import IdempotencyKey, Installation, MarketClock
from market.transparency.tables import (
    CheckpointStampTable,
    CheckpointTable,
    EventBlindingTable,
    EventLeafTable,
    LogKeeperTable,
    MerkleNodeTable,
)
from market.webhooks.tables import (
    WebhookAttemptTable,
    WebhookCursorTable,
    WebhookDeliveryTable,
    WebhookRequestTable,
    WebhookSecretTable,
    WebhookSubscriptionTable,
)

APP_CONFIG = AppConfig(
    app_name="market",
    migrations_folder_path=str(Path(__file__).parent / "piccolo_migrations"),
    table_classes=[
        Installation,
        MarketClock,
        IdempotencyKey,
        EventTable,
        EventPrivateTable,
        EventPositionTable,
        SequencerTable,
        TenderHeadTable,
        PublicActionTable,
        ColleagueActionTable,
        EventLeafTable,
        EventBlindingTable,
        MerkleNodeTable,
        CheckpointTable,
        CheckpointStampTable,
        LogKeeperTable,
        OrganisationTable,
        IdentifierTable,
        ServiceLineTable,
        PersonTable,
        MembershipTable,
        InvitationTable,
        SessionTable,
        InterestTable,
        InterestEndingTable,
        InterestMitigationTable,
        InterestConfirmationTable,
        GiftTable,
        GiftReviewTable,
        ConsentDecisionTable,
        BreachTable,
        BreachPersonTable,
        BreachPublicationTable,
        OwnershipTurnTable,
        OwnershipImportTable,
        OwnershipPartyTable,
        OwnershipIdentifierTable,
        OwnershipReferenceTable,
        OwnershipStatementTable,
        OwnershipReplacementTable,
        OwnershipLinkTable,
        OwnershipPersonTable,
        SignInAttemptTable,
        OneTimePasswordTable,
        RecoveryCodeTable,
        PasswordResetTable,
        SingleSignOnRequestTable,
        IdentityLinkTable,
        ApiKeyTable,
        ClientTable,
        ClientTokenTable,
        CredentialUseTable,
        LegalHoldTable,
        PersonErasureTable,
        ErasableTable,
        EventAboutTable,
        WebhookSubscriptionTable,
        WebhookSecretTable,
        WebhookRequestTable,
        WebhookCursorTable,
        WebhookDeliveryTable,
        WebhookAttemptTable,
        NoticeTable,
        NoticePreferencesTable,
        NoticingTable,
        NoticeFaultTable,
        WrappedColumnTable,
        RetiredWrappingKeyTable,
        SigningKeyTable,
        KeyActTable,
    ],
)
