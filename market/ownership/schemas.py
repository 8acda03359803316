"""What the API takes and gives about ownership."""

from datetime import date, datetime
from typing import Annotated, Any, ClassVar
from uuid import UUID

import msgspec
from msgspec import Meta

from market.money import DecimalText
from market.organisations.rules import Scheme
from market.ownership.rules.links import LinkKind, PartyKind

_LINE = r"^[^\x00-\x1f]*[^\s\x00-\x1f][^\x00-\x1f]*$"
ShortLine = Annotated[str, Meta(min_length=1, max_length=300, pattern=_LINE)]
Reason = Annotated[str, Meta(min_length=1, max_length=1000, pattern=r"^[^\x00]*[^\s\x00][^\x00]*$")]


class RegisteredParty(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A body by its number on a public register, and its name if nobody has named it yet."""

    scheme: Scheme
    identifier: Annotated[str, Meta(min_length=1, max_length=100)]
    name: ShortLine


class PartyGiven(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One end of a link: exactly one of an organisation, a person of the market, a party, a number.

    Only a holder can be a person.
    """

    organisation: UUID | None = None
    person: UUID | None = None
    party: UUID | None = None
    registered: RegisteredParty | None = None

    def __post_init__(self) -> None:
        """Refuse none and several.

        Raises:
            ValueError: not exactly one of the four.
        """
        given = (self.organisation, self.person, self.party, self.registered)
        if sum(item is not None for item in given) != 1:
            message = "Give exactly one of organisation, person, party, registered."
            raise ValueError(message)


class ShareGiven(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A share in per cent, as decimal text: from and to, both the same where it is exact."""

    minimum: DecimalText
    maximum: DecimalText


class StateLink(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """State that somebody owns, controls or directs a body, and where that is written."""

    holder: PartyGiven
    subject: PartyGiven
    kind: LinkKind
    share: ShareGiven | None = None
    starts_on: date | None = None
    ends_on: date | None = None
    source: ShortLine

    example: ClassVar[dict[str, Any]] = {
        "holder": {"person": "3f0c6a52-6f3e-4b62-9a63-0a4f2ad5f0a1"},
        "subject": {"registered": {"scheme": "GB-COH", "identifier": "1234567", "name": "B Ltd"}},
        "kind": "directorship",
        "starts_on": "2024-04-01",
        "source": "Companies House, officers of 01234567, read on 22 November 2026",
    }


class EndLink(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """State that a link has ended: the first day on which it is in force no more."""

    ends_on: date
    source: ShortLine

    example: ClassVar[dict[str, Any]] = {
        "ends_on": "2026-10-31",
        "source": "Companies House, TM01 of 31 October 2026",
    }


class StateMatch(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """State that a person of the market is a party of the statements, and how that is known."""

    person: UUID
    party: UUID
    reason: Reason

    example: ClassVar[dict[str, Any]] = {
        "person": "3f0c6a52-6f3e-4b62-9a63-0a4f2ad5f0a1",
        "party": "7a1de3f5-53c3-4b4f-8a2e-9a0a4a2f7a11",
        "reason": "Month of birth and service address compared with the register.",
    }


class PartyView(msgspec.Struct, frozen=True, kw_only=True):
    """A party as everybody may know it. Identifiers are shown of entities alone."""

    id: UUID
    kind: PartyKind
    name: str
    identifiers: list[str] = []


class LinkView(msgspec.Struct, frozen=True, kw_only=True):
    """A link as everybody may know it. Shares are in per cent, as decimal text.

    `starts_on` is its first day, `ends_on` the first day after it. `superseded_at`: when the
    statement it is from was replaced. `source` says which publication or which import told of it.
    """

    id: UUID
    holder: UUID
    holder_name: str
    holder_kind: PartyKind
    subject: UUID
    subject_name: str
    kind: LinkKind
    share_minimum: str | None
    share_maximum: str | None
    majority: bool
    indirect: bool
    summary: bool
    starts_on: date | None
    ends_on: date | None
    in_force: bool
    superseded_at: datetime | None
    source: str
    statement: str | None
    recorded_at: datetime


class ImportSummary(msgspec.Struct, frozen=True, kw_only=True):
    """An import. Imported by nobody means: by the market's command line."""

    id: UUID
    source: str
    statements: int
    added: int
    parties: int
    links: int
    silent: int
    unresolved: int
    imported_by: UUID | None
    imported_at: datetime


class ImportView(msgspec.Struct, frozen=True, kw_only=True):
    """What an import changed, and what in it deserves a look.

    `statements` were read, of which `added` are new. `silent`: relationships that give a reason
    instead of naming somebody; they make no link. `unresolved`: how many references lead nowhere;
    each became a party of unknown kind, the first hundred of them are named. `warnings`: the
    first hundred subjects of which more than 100 % are held.
    """

    id: UUID
    source: str
    statements: int
    added: int
    parties: int
    merged: int
    links: int
    ended: int
    silent: int
    unresolved: int
    unresolved_references: list[str]
    warnings: list[str]


class MatchView(msgspec.Struct, frozen=True, kw_only=True):
    """That a person of the market is a party of the statements."""

    id: UUID
    person: UUID
    person_name: str
    party: UUID
    party_name: str
    reason: str
    stated_by: UUID
    stated_at: datetime
    ended_at: datetime | None
