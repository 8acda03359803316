"""Piccolo's view of the ground floor: its tables and migrations."""

from pathlib import Path

from piccolo.conf.apps import AppConfig

from market.events.tables import EventSaltTable, EventTable
from market.organisations.tables import IdentifierTable, OrganisationTable, ServiceLineTable
from market.people.tables import InvitationTable, MembershipTable, PersonTable, SessionTable
from market.systems.tables import (
    ApiKeyTable,
    ClientTable,
    ClientTokenTable,
    CredentialUseTable,
)
from market.tables import IdempotencyKey, Installation, MarketClock

APP_CONFIG = AppConfig(
    app_name="market",
    migrations_folder_path=str(Path(__file__).parent / "piccolo_migrations"),
    table_classes=[
        Installation,
        MarketClock,
        IdempotencyKey,
        EventTable,
        EventSaltTable,
        OrganisationTable,
        IdentifierTable,
        ServiceLineTable,
        PersonTable,
        MembershipTable,
        InvitationTable,
        SessionTable,
        ApiKeyTable,
        ClientTable,
        ClientTokenTable,
        CredentialUseTable,
    ],
)
