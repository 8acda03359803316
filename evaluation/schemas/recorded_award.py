"""The later half of an evaluation's record: rankings, challenges, decisions, contracts."""

from datetime import date, datetime
from uuid import UUID

from msgspec import Struct

from evaluation.schemas.award import ApprovalOutcome
from market.money import DecimalText
from market.signing import Digest


class Figure(Struct, frozen=True, kw_only=True):
    """An exact figure: numerator over denominator, decimal strings, nothing rounded."""

    numerator: str
    denominator: str


class RecordedPlace(Struct, frozen=True, kw_only=True):
    """A bid's place in a ranking, with the figures it came of."""

    pseudonym: str
    place: int
    tied: bool
    price: DecimalText | None
    quality_points: Figure
    price_points: Figure | None
    total: Figure | None


class RecordedRanking(Struct, frozen=True, kw_only=True):
    """One ranking; the one with the highest number counts."""

    round: int
    number: int
    because: str | None
    method: str
    method_version: int
    ranked_by: UUID
    ranked_at: datetime
    draw_seed: str | None
    bids: list[RecordedPlace]


class RecordedDropOut(Struct, frozen=True, kw_only=True):
    """A bid that dropped out of a ranking, and why."""

    pseudonym: str
    ranking: int
    reason: str
    recorded_by: UUID
    recorded_at: datetime


class RecordedLowPriceDecision(Struct, frozen=True, kw_only=True):
    """Whether a price that appeared abnormally low was accepted as explained."""

    pseudonym: str
    outcome: str
    reason: str
    decided_by: UUID
    decided_at: datetime


class RecordedChallenge(Struct, frozen=True, kw_only=True):
    """A challenge of an award, and how it ended; `outcome` is null while it is open."""

    number: int
    challenger: UUID
    grounds: str
    reference: str | None
    received_at: datetime
    recorded_by: UUID
    recorded_at: datetime
    outcome: str | None
    reason: str | None
    ended_by: UUID | None
    ended_at: datetime | None


class RecordedRound(Struct, frozen=True, kw_only=True):
    """A later round of the evaluation, and the challenge that it follows."""

    number: int
    challenge: int
    begun_by: UUID
    begun_at: datetime


class RecordedApproval(Struct, frozen=True, kw_only=True):
    """One approver's answer."""

    approver: UUID
    lay: bool
    outcome: ApprovalOutcome
    reason: str
    decided_at: datetime


class RecordedRecommendation(Struct, frozen=True, kw_only=True):
    """A recommendation with every answer to it."""

    number: int
    ranking: int
    pseudonym: str
    reason: str
    recommended_by: UUID
    recommended_at: datetime
    approvals: list[RecordedApproval]


class RecordedStandstill(Struct, frozen=True, kw_only=True):
    """When the standstill of an award began and ends, by which rules."""

    rule_set: str
    began_at: datetime
    ends_at: datetime


class RecordedNotice(Struct, frozen=True, kw_only=True):
    """That a bidder was told: the SHA-256 of its notice's content, as RFC 8785 JSON."""

    pseudonym: str
    recipient: UUID
    digest: Digest
    sent_by: UUID
    sent_at: datetime


class RecordedCheck(Struct, frozen=True, kw_only=True):
    """What was found of one thing that the winner, or a participant of its bid, declared."""

    number: int
    subject: str
    participant: str | None
    outcome: str
    reason: str
    evidence: str
    recorded_by: UUID
    recorded_at: datetime


class RecordedBuyerDecision(Struct, frozen=True, kw_only=True):
    """Whether a buyer of a joint purchase takes part in an award, as it decided itself."""

    buyer: UUID
    takes_part: bool
    reason: str
    decided_by: UUID
    decided_at: datetime


class RecordedAward(Struct, frozen=True, kw_only=True):
    """An award, with its standstill and its notices; an earlier one fell with its ranking."""

    recommendation: int
    pseudonym: str
    awarded_at: datetime
    standstill: RecordedStandstill | None
    notices: list[RecordedNotice]
    checks: list[RecordedCheck]
    buyer_decisions: list[RecordedBuyerDecision]


class RecordedContract(Struct, frozen=True, kw_only=True):
    """A contract made for the lot: whose, and for which share of the awarded price."""

    reference: str
    buyer: UUID
    value: DecimalText
    recorded_by: UUID
    made_at: datetime
    starts: date
    ends: date
