"""The assurance report of a tender, as machines read it; the page says the same."""

from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

import msgspec

from evaluation.rules.assurance import Act, FindingKind
from tenders.rules.duties import Duty
from tenders.rules.stages import TenderStatus
from tenders.schemas.conflicts import DecisionOutcome, Statement
from tenders.schemas.opening import Interest


class Audience(StrEnum):
    """Whom a report is for: those who read the record of the tender, or everybody."""

    INSIDE = "inside"
    PUBLIC = "public"


class Suspension(StrEnum):
    """Why a duty is suspended."""

    MEMBERSHIP_ENDED = "membership_ended"
    EXEMPTION_MISSING = "exemption_missing"
    DELEGATION_MISSING = "delegation_missing"
    REMOVED = "removed"


class Source(StrEnum):
    """How the market found what connects a person with a bidder."""

    SERVICE = "service"
    REGISTERED = "registered"
    CONNECTED = "connected"


class LookedAtView(msgspec.Struct, frozen=True, kw_only=True):
    """How much the statement covers. `bidders` is absent before the opening."""

    people: int
    duties: int
    pairs: int
    acts: int
    bidders: int | None


class FindingView(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that should not be. Bidders are named where the reader may know them."""

    kind: FindingKind
    person: UUID | None
    name: str | None
    duties: list[Duty]
    act: Act | None
    bidder: UUID | None
    bidder_name: str | None
    participant: str | None
    helper_name: str | None
    times: int
    first_at: datetime | None
    sentence: str


class StatementView(msgspec.Struct, frozen=True, kw_only=True):
    """Whether a forbidden pair exists and whether anybody acted who should not have, computed.

    `forbidden_pairs` and `acts_not_entitled` count the findings of either sort.
    """

    forbidden_pairs: int
    acts_not_entitled: int
    sentences: list[str]
    looked_at: LookedAtView
    findings: list[FindingView]


class ActView(msgspec.Struct, frozen=True, kw_only=True):
    """What one person did, how often, from when to when. `versions` are of the requirement."""

    person: UUID
    name: str
    act: Act
    lot: int | None
    versions: list[int]
    times: int
    first_at: datetime
    last_at: datetime
    sentence: str


class DelegatedBy(msgspec.Struct, frozen=True, kw_only=True):
    """A delegation under which an award duty is held, and the decision it rests on."""

    delegator: UUID
    delegator_name: str
    authority: str
    starts_on: date
    ends_on: date
    recorded_at: datetime
    ended_at: datetime | None


class DutyHeld(msgspec.Struct, frozen=True, kw_only=True):
    """A duty of a person: given, taken up by declaring, released or suspended."""

    duty: Duty
    organisation: UUID
    organisation_name: str
    given_at: datetime
    given_by_name: str | None
    taken_up_at: datetime | None
    released_at: datetime | None
    suspended_because: Suspension | None
    delegated_by: list[DelegatedBy]


class OnTakingDuty(msgspec.Struct, frozen=True, kw_only=True):
    """What a person declared on taking up duties. `details` are the guardian's and auditors'."""

    statement: Statement
    details: str | None
    declared_at: datetime


class AboutBidder(msgspec.Struct, frozen=True, kw_only=True):
    """What a person declared about one bidder. Details are never public."""

    bidder: UUID | None
    bidder_name: str | None
    interest: Interest
    details: str | None
    declared_at: datetime


class RegisteredInterest(msgspec.Struct, frozen=True, kw_only=True):
    """An entry in the register of interests that counted in this tender, or that it is withheld."""

    withheld: bool
    kind: str | None
    relationship: str | None
    counterparty: str | None
    starts_on: date | None
    ends_on: date | None
    declared_at: datetime


class Connection(msgspec.Struct, frozen=True, kw_only=True):
    """What the market found to connect a person with a bidder, and through whom."""

    bidder: UUID | None
    bidder_name: str | None
    source: Source
    kind: str
    through: str | None
    known_at: datetime


class GuardianDecision(msgspec.Struct, frozen=True, kw_only=True):
    """What the conflicts guardian decided about a person's interest. Its reason is not public."""

    bidder: UUID | None
    bidder_name: str | None
    outcome: DecisionOutcome
    reason: str | None
    mitigation: str
    decided_by_name: str
    decided_at: datetime


class ExemptionHeld(msgspec.Struct, frozen=True, kw_only=True):
    """An exemption that let a person hold two duties, and its revocation."""

    duties: tuple[Duty, Duty]
    reason: str
    granted_by_name: str
    granted_at: datetime
    expires_at: datetime
    revoked_at: datetime | None
    revoked_because: str | None


class PersonInTender(msgspec.Struct, frozen=True, kw_only=True):
    """Everything about one person who has or had a duty in the tender."""

    person: UUID
    name: str
    duties: list[DutyHeld]
    on_taking_duty: list[OnTakingDuty]
    about_bidders: list[AboutBidder]
    interests: list[RegisteredInterest]
    connections: list[Connection]
    decisions: list[GuardianDecision]
    exemptions: list[ExemptionHeld]


class RefusalView(msgspec.Struct, frozen=True, kw_only=True):
    """What was refused, why and how often. Those without a duty are not named to the public."""

    person: UUID | None
    name: str | None
    operation: str
    refusal: str
    reason: str | None
    times: int
    first_at: datetime
    last_at: datetime


class Helper(msgspec.Struct, frozen=True, kw_only=True):
    """An organisation that could not bid, because it buys or its people had a duty."""

    organisation: UUID
    name: str
    buys: bool
    people: int


class LotInReport(msgspec.Struct, frozen=True, kw_only=True):
    """A lot and how far it has come. Who was chosen is shown once the bidders have been told."""

    number: int
    title: str
    stage: str
    supplier: UUID | None
    supplier_name: str | None


class AssuranceReport(msgspec.Struct, frozen=True, kw_only=True):
    """Who did what in a tender, by which duty, with which interests; computed when asked for.

    `as_of` is the time of the latest thing in the report. `digest` is the SHA-256, in hexadecimal,
    of the report as canonical JSON (RFC 8785) without `digest` and `computed_at`: the same facts
    give the same digest, which is printed on the page too.
    """

    tender: UUID
    reference: str
    title: str
    status: TenderStatus
    buyers: list[str]
    lots: list[LotInReport]
    audience: Audience
    as_of: datetime
    computed_at: datetime
    statement: StatementView
    withheld: list[str]
    acts: list[ActView]
    people: list[PersonInTender]
    refusals: list[RefusalView]
    refusals_left_out: int
    helpers: list[Helper]
    digest: str
