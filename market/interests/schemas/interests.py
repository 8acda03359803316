"""What the API takes and gives about declared interests and their confirmation."""

from datetime import date, datetime
from typing import Any, ClassVar
from uuid import UUID

import msgspec

from market.actor import Role
from market.interests.rules.interests import InterestContent, InterestKind, Relationship
from market.interests.rules.registers import Publication
from market.interests.rules.texts import Paragraph
from market.organisations.rules import Scheme


class DeclareInterest(InterestContent, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Declare an interest: one's own, or as guardian the interest of a member, the `person`."""

    person: UUID | None = None

    example: ClassVar[dict[str, Any]] = InterestContent.example


class CorrectInterest(InterestContent, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The whole of an interest as it should have been declared.

    `aware_on` is the day on which one became aware of what is being corrected.
    """

    example: ClassVar[dict[str, Any]] = InterestContent.example


class EndInterest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Say that an interest has ended, and from which day."""

    ended_on: date

    example: ClassVar[dict[str, Any]] = {"ended_on": "2021-03-31"}


class RecordMitigation(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Record what is done about an interest, and with whom its holder agreed it."""

    what: Paragraph
    agreed_with: UUID

    example: ClassVar[dict[str, Any]] = {
        "what": "Takes no part in decisions about informatics and leaves the meeting for them.",
        "agreed_with": "5f0c2a5e-2b0c-4d7a-9d7e-0d3f4f6b1c11",
    }


class DecideOnConsent(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Decide whether an entry whose publication was refused is withheld, and say why."""

    withhold: bool
    reason: Paragraph

    example: ClassVar[dict[str, Any]] = {
        "withhold": True,
        "reason": "Publication would let a violent former partner find the family.",
    }


class ConfirmInterests(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Confirm that one's entries in the register are complete, or that there are none to make."""

    nothing_to_declare: bool
    accurate: bool

    example: ClassVar[dict[str, Any]] = {"nothing_to_declare": True, "accurate": True}


class MitigationView(msgspec.Struct, frozen=True, kw_only=True):
    """What is done about an interest."""

    id: UUID
    what: str
    agreed_with: UUID
    agreed_with_name: str
    recorded_by: UUID
    recorded_at: datetime


class ConsentDecisionView(msgspec.Struct, frozen=True, kw_only=True):
    """What the guardian decided on a refusal of consent."""

    withhold: bool
    reason: str
    decided_by: UUID
    decided_at: datetime


class InterestView(msgspec.Struct, frozen=True, kw_only=True):
    """An interest, for the person it is about and those who read the private part.

    `positions` are the roles held when it was declared. `declare_by` is the last of the 28 days
    after becoming aware. `publication` says how it is shown while its holder is decision-making
    staff. `superseded_by` names the correction, where there is one.
    """

    id: UUID
    person: UUID
    name: str
    positions: list[Role]
    for_organisation: UUID
    kind: InterestKind
    relationship: Relationship
    associate: str | None
    organisation: UUID | None
    counterparty: str
    scheme: Scheme | None
    identifier: str | None
    business: str | None
    nature: str
    share: str | None
    starts_on: date | None
    ends_on: date | None
    ended_on: date | None
    aware_on: date
    declare_by: date
    declared_at: datetime
    late_by_days: int
    entered_by: UUID
    line_manager: UUID | None
    consents: bool
    consent_refused_because: str | None
    consent_decision: ConsentDecisionView | None
    publication: Publication
    supersedes: UUID | None
    superseded_by: UUID | None
    mitigations: list[MitigationView]


class InterestHistory(msgspec.Struct, frozen=True, kw_only=True):
    """An interest with every version of it, the first one first."""

    versions: list[InterestView]


class ConfirmationView(msgspec.Struct, frozen=True, kw_only=True):
    """When somebody last confirmed their interests, and when they next have to."""

    person: UUID
    organisation: UUID
    joined_on: date
    confirmed_at: datetime | None
    nothing_to_declare: bool | None
    due_on: date
    late_by_days: int


class ConfirmationDue(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody whose confirmation is due, since when, and by how much it is late."""

    person: UUID
    name: str
    joined_on: date
    confirmed_on: date | None
    due_on: date
    late_by_days: int
