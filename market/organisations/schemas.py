"""What the API gives about organisations and service lines."""

from uuid import UUID

import msgspec

from market.organisations.rules import OrganisationKind, Scheme


class RegisteredIdentifier(msgspec.Struct, frozen=True, kw_only=True):
    """An identifier on a public register."""

    scheme: Scheme
    identifier: str


class OrganisationView(msgspec.Struct, frozen=True, kw_only=True):
    """An organisation as everybody may know it. `population`: residents a group buys for."""

    id: UUID
    kind: OrganisationKind
    name: str
    address: str | None
    population: int | None
    demonstration: bool
    identifiers: list[RegisteredIdentifier]


class ServiceLineView(msgspec.Struct, frozen=True, kw_only=True):
    """A line of commissioning support, its CPV code (Regulation (EC) No 213/2008), its source."""

    code: str
    title: str
    group_title: str
    cpv: str
    source: str
