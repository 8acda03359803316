"""The record of a lot's evaluation, whole, as it is handed to those who answer for it."""

from datetime import datetime
from typing import Annotated, Final
from uuid import UUID

from msgspec import Meta, Struct

from evaluation.schemas.recorded_award import (
    Figure,
    RecordedAward,
    RecordedChallenge,
    RecordedContract,
    RecordedDropOut,
    RecordedLowPriceDecision,
    RecordedRanking,
    RecordedRecommendation,
    RecordedRound,
)
from evaluation.schemas.scores import Evidence
from market.money import DecimalText
from market.signing import Digest
from tenders.rules.award_methods import AwardMethod
from tenders.rules.bids import PriceLine
from tenders.rules.criteria import Consensus, ScaleValue
from tenders.rules.lot_limits import LotLimit
from tenders.rules.requirement import Lot

FORMAT: Final = "commissioning-support-market/evaluation-record/v1"


class RecordedRequirement(Struct, frozen=True, kw_only=True):
    """By what the bids were judged, as it was published: the version, and the lot in it."""

    version: int
    scale: tuple[ScaleValue, ...]
    award_method: AwardMethod
    lot_limit: LotLimit | None
    approval_quorum: int
    evaluators_minimum: int
    spread_tolerance: DecimalText | None
    consensus: Consensus
    lot: Lot


class RecordedBuyer(Struct, frozen=True, kw_only=True):
    """A contracting authority of the tender."""

    organisation: UUID
    name: str
    address: str | None


class RecordedPerson(Struct, frozen=True, kw_only=True):
    """Somebody to whom a duty in the tender was given; elsewhere the record has their id alone."""

    person: UUID
    name: str
    duties: list[str]


class RecordedDutyDeclaration(Struct, frozen=True, kw_only=True):
    """What somebody declared on taking a duty."""

    person: UUID
    statement: str
    details: str
    declared_at: datetime


class RecordedDeclaration(Struct, frozen=True, kw_only=True):
    """What somebody declared about one bidder of the lot; `none` is an answer."""

    person: UUID
    bidder: UUID
    interest: str
    details: str
    declared_at: datetime


class RecordedConflictDecision(Struct, frozen=True, kw_only=True):
    """What the guardian decided of an interest in a bidder of the lot."""

    person: UUID
    bidder: UUID
    outcome: str
    reason: str
    mitigation: str
    decided_by: UUID
    decided_at: datetime


class RecordedExemption(Struct, frozen=True, kw_only=True):
    """That the guardian let somebody hold two duties that are apart by default, and why."""

    person: UUID
    duties: list[str]
    reason: str
    granted_by: UUID
    granted_at: datetime
    expires_at: datetime
    revoked_at: datetime | None


class RecordedSeat(Struct, frozen=True, kw_only=True):
    """That an evaluator scores a criterion."""

    evaluator: UUID
    criterion: str


class RecordedPanel(Struct, frozen=True, kw_only=True):
    """A panel as it was set; the one with the highest number replaced the others."""

    round: int
    number: int
    because: str | None
    set_by: UUID
    set_at: datetime
    seats: list[RecordedSeat]


class RecordedCountedSeat(Struct, frozen=True, kw_only=True):
    """That an evaluator's scores of a criterion count in a round."""

    round: int
    evaluator: UUID
    criterion: str


class RecordedLock(Struct, frozen=True, kw_only=True):
    """When an evaluator finished the lot."""

    round: int
    evaluator: UUID
    locked_at: datetime


class RecordedParticipant(Struct, frozen=True, kw_only=True):
    """Who takes part in a bid beside its lead; a subcontractor with its share in per cent."""

    role: str
    name: str
    scheme: str | None
    identifier: str | None
    share: DecimalText | None
    exclusion_grounds: str


class RecordedBid(Struct, frozen=True, kw_only=True):
    """A bid that stood at the deadline, what its envelopes were, and its prices where opened.

    The digests are those of the sealed envelopes in the manifest. A `prices` of null says that the
    price envelope was never opened, or did not open.
    """

    pseudonym: str
    variant: int
    organisation: UUID
    supplier: str
    received_at: datetime
    quality_digest: Digest
    price_digest: Digest
    quality_opened_at: datetime | None
    quality_failure: str | None
    price_opened_at: datetime | None
    price_failure: str | None
    prices: list[PriceLine] | None
    participants: list[RecordedParticipant]


class RecordedScore(Struct, frozen=True, kw_only=True):
    """One evaluator's own score; ones corrected in their round are there too, as `superseded`.

    Of what is passed or failed the value is 1 or 0.
    """

    round: int
    id: UUID
    pseudonym: str
    criterion: str
    evaluator: UUID
    number: int
    superseded: bool
    value: DecimalText
    reason: str
    evidence: list[Evidence]
    scored_at: datetime


class RecordedDelta(Struct, frozen=True, kw_only=True):
    """By how much the agreed score lies above an evaluator's own; below is negative."""

    evaluator: UUID
    above: Figure


class RecordedAgreedScore(Struct, frozen=True, kw_only=True):
    """What the panel agreed of a criterion of a bid, and on whose scores it stands (`counted`)."""

    round: int
    id: UUID
    pseudonym: str
    criterion: str
    moderator: UUID
    number: int
    superseded: bool
    value: Figure
    reason: str
    discussion: str | None
    counted: list[UUID]
    deltas: list[RecordedDelta]
    agreed_at: datetime


class RecordedDissent(Struct, frozen=True, kw_only=True):
    """That an evaluator did not share an agreed score, and why."""

    round: int
    id: UUID
    pseudonym: str
    criterion: str
    agreed_number: int
    evaluator: UUID
    reason: str
    dissented_at: datetime


class RecordedQuestion(Struct, frozen=True, kw_only=True):
    """What a bidder was asked about its bid, and what it answered."""

    id: UUID
    pseudonym: str
    number: int
    about: str
    question: str
    asked_by: UUID
    asked_at: datetime
    answer_by: datetime
    answer: str | None
    answered_at: datetime | None


class RecordedQualityDecision(Struct, frozen=True, kw_only=True):
    """A bid's quality points, and whether it passed."""

    round: int
    pseudonym: str
    points: Figure
    passed: bool
    failed_because: list[str]
    decided_by: UUID
    decided_at: datetime


class RecordedEvent(Struct, frozen=True, kw_only=True):
    """An act of the lot in the log; `position` is null until a worker has numbered it.

    `GET /log/events/{id}/proof` proves that the log holds it.
    """

    id: UUID
    action: str
    subject_kind: str
    subject: UUID
    occurred_at: datetime
    position: int | None


class EvaluationRecord(Struct, frozen=True, kw_only=True):
    """Everything that the evaluation of one lot left behind, in an order that does not vary.

    From it alone the quality points and the ranking can be computed again: agreed scores by the
    criteria's weights and the highest value of the scale, prices by the quantities of the schedule
    and the published method. Where a challenge had the lot evaluated anew the rows of every round
    are there with its number, and the highest counts. Only positions of events are added later.
    """

    format: Annotated[str, Meta(examples=[FORMAT])]
    tender: UUID
    reference: str
    title: str
    rule_set: str
    buyers: list[RecordedBuyer]
    lot: int
    lot_title: str
    stage: str
    abandoned_because: str | None
    opened_at: datetime
    requirement: RecordedRequirement
    people: list[RecordedPerson]
    duty_declarations: list[RecordedDutyDeclaration]
    declarations: list[RecordedDeclaration]
    conflict_decisions: list[RecordedConflictDecision]
    exemptions: list[RecordedExemption]
    panels: list[RecordedPanel]
    counted_seats: list[RecordedCountedSeat]
    score_locks: list[RecordedLock]
    bids: list[RecordedBid]
    scores: list[RecordedScore]
    agreed_scores: list[RecordedAgreedScore]
    dissents: list[RecordedDissent]
    questions: list[RecordedQuestion]
    quality_decisions: list[RecordedQualityDecision]
    rankings: list[RecordedRanking]
    drop_outs: list[RecordedDropOut]
    low_price_decisions: list[RecordedLowPriceDecision]
    challenges: list[RecordedChallenge]
    rounds: list[RecordedRound]
    recommendations: list[RecordedRecommendation]
    awards: list[RecordedAward]
    contracts: list[RecordedContract]
    events: list[RecordedEvent]
