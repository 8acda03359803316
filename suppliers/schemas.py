"""What the API takes and gives about suppliers and their applications."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, ClassVar
from uuid import UUID

import msgspec
from msgspec import Meta

from market.organisations.rules import OrganisationKind, Scheme
from market.people.schemas import Email, Name, Password

# one line of text that says something; PostgreSQL cannot store U+0000
Line = Annotated[
    str, Meta(min_length=1, max_length=300, pattern=r"^[^\x00-\x1f]*\S[^\x00-\x1f]*$(?!\n)")
]
Address = Annotated[str, Meta(min_length=1, max_length=500, pattern=r"^[^\x00]*\S[^\x00]*$")]
Words = Annotated[str, Meta(min_length=1, max_length=5_000, pattern=r"^[^\x00]*\S[^\x00]*$")]
IdentifierText = Annotated[str, Meta(min_length=1, max_length=40, pattern=r"^[^\x00]*$")]
LineCode = Annotated[str, Meta(min_length=1, max_length=60, pattern=r"^[^\x00]*$")]


class ApplicationState(StrEnum):
    """How far an application has come."""

    PENDING = "pending"
    ADMITTED = "admitted"
    REFUSED = "refused"


class Outcome(StrEnum):
    """What a registrar may decide."""

    ADMITTED = "admitted"
    REFUSED = "refused"


class IdentifierGiven(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An identifier on a public register, as the applicant writes it."""

    scheme: Scheme
    identifier: IdentifierText


class ApplyingOrganisation(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The organisation for which somebody applies, and the registers that know it."""

    kind: OrganisationKind
    name: Line
    address: Address | None = None
    identifiers: Annotated[list[IdentifierGiven], Meta(max_length=20)]


class Applicant(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who applies: registered by this, or known already and proved by the present password."""

    email: Email
    name: Name
    password: Password


class Apply(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Apply for an organisation to be admitted as a supplier."""

    organisation: ApplyingOrganisation
    service_lines: Annotated[list[LineCode], Meta(min_length=1, max_length=100)]
    statement: Words
    applicant: Applicant
    demonstration: bool = False

    example: ClassVar[dict[str, Any]] = {
        "organisation": {
            "kind": "third_sector",
            "name": "Fenland Health Data Trust",
            "address": "1 Fen Road, Ely",
            "identifiers": [{"scheme": "GB-CHC", "identifier": "1089464"}],
        },
        "service_lines": ["bi-decision-support"],
        "statement": "We have run dashboards for four groups since 2015.",
        "applicant": {
            "email": "bids@fenland.example",
            "name": "Bea Manning",
            "password": "three quiet otters",
        },
    }


class Decide(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Admit a supplier or refuse it, with the reason, which the applicant reads."""

    outcome: Outcome
    reason: Words

    example: ClassVar[dict[str, Any]] = {
        "outcome": "admitted",
        "reason": "The identifiers and the applicant's authority were checked.",
    }


class IdentifierView(msgspec.Struct, frozen=True, kw_only=True):
    """An identifier on a public register, as the register writes it."""

    scheme: Scheme
    identifier: str


class ApplyingOrganisationView(msgspec.Struct, frozen=True, kw_only=True):
    """The organisation of an application. `proposed`: nobody has confirmed yet what it is."""

    id: UUID
    kind: OrganisationKind
    name: str
    address: str | None
    demonstration: bool
    proposed: bool
    identifiers: list[IdentifierView]


class ApplicantView(msgspec.Struct, frozen=True, kw_only=True):
    """Who applied."""

    id: UUID
    name: str
    email: str


class SupplierDecisionView(msgspec.Struct, frozen=True, kw_only=True):
    """What a registrar decided, and why."""

    outcome: Outcome
    reason: str
    decided_at: datetime


class ApplicationView(msgspec.Struct, frozen=True, kw_only=True):
    """An application, for its applicant and the registrar."""

    id: UUID
    state: ApplicationState
    organisation: ApplyingOrganisationView
    service_lines: list[str]
    statement: str
    applicant: ApplicantView
    applied_at: datetime
    decision: SupplierDecisionView | None


class SupplierView(msgspec.Struct, frozen=True, kw_only=True):
    """An admitted supplier, as everybody may know it."""

    organisation: UUID
    kind: OrganisationKind
    name: str
    demonstration: bool
    service_lines: list[str]
    admitted_at: datetime
