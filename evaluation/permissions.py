"""Who may do what in the evaluation of a lot, and why not."""

from datetime import datetime
from decimal import Decimal
from typing import Final
from uuid import UUID

import msgspec

from evaluation.errors import LotNotThere
from evaluation.rules.stages import LotStage
from market.actor import Actor
from market.errors import Forbidden, NotFound, Stale
from tenders.errors import ConflictOfInterest, DutyNotTakenUp, DutySuspended
from tenders.permissions.opening import (
    Conflict,
    Standing,
    ensure_may_read,
    ensure_unconflicted,
)
from tenders.permissions.tenders import TenderFacts, ensure_holds
from tenders.permissions.tenders import ensure_sees as ensure_sees_tender
from tenders.rules.duties import Duty
from tenders.rules.stages import TenderStatus

READS_BIDS: Final = (Duty.QUALITY_EVALUATOR, Duty.MODERATOR, Duty.AWARD_APPROVER, Duty.GUARDIAN)
"""The duties whose holders read opened quality envelopes, under pseudonyms until quality is locked.

The database holds the same (`bids_read_open`).
"""

READS_EVALUATION: Final = (
    Duty.QUALITY_EVALUATOR,
    Duty.MODERATOR,
    Duty.PRICE_EVALUATOR,
    Duty.AWARD_APPROVER,
    Duty.TENDER_MANAGER,
    Duty.GUARDIAN,
    Duty.CONTRACT_MANAGER,
    Duty.OUTCOME_REVIEWER,
)
"""The duties whose holders read decided scores, the ranking and all notices.

The database holds the same (`evaluated_lots`).
"""

SCORES_QUALITY: Final = (Duty.QUALITY_EVALUATOR, Duty.MODERATOR, Duty.GUARDIAN)
"""The duties whose holders read scores before the quality of the lot is decided.

Even they see others' scores only once all have locked; the database holds both
(`lots_with_open_scores`).
"""


class LotFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What decides about an act: the lot as it stands, and the actor's part in its tender.

    `duties` are those the actor holds now for the organisation they act for. `conflict` is what
    the database finds against them; before the opening it is not asked for. `kept_fresh` says that
    they are on the fresh panel of a later round, which sees nothing of the rounds before, or score
    another lot of the tender still, so that prices and places of this one are kept from them.
    """

    lot: UUID
    tender: UUID
    number: int
    title: str
    stage: LotStage
    version: int
    minimum_quality: Decimal
    quality_weight: Decimal
    price_weight: Decimal
    evaluators_minimum: int
    approval_quorum: int
    abandoned_because: str | None
    reference: str
    tender_title: str
    rule_set: str
    requirement: int
    opened: bool
    duties: frozenset[Duty]
    offered: frozenset[Duty]
    suspended: frozenset[Duty]
    conflict: Conflict | None
    standstill_ends_at: datetime | None
    now: datetime
    on_hold: bool = False
    kept_fresh: bool = False
    round: int = 1

    @property
    def standing(self) -> Standing:
        """The same, as the opening's permissions see it."""
        return Standing(
            status=TenderStatus.OPENED if self.opened else TenderStatus.PUBLISHED,
            published=True,
            opened=self.opened,
            duties=self.duties,
            offered=self.offered,
            suspended=self.suspended,
            conflict=self.conflict,
        )


def ensure_sees(facts: LotFacts | None) -> LotFacts:
    """Let everybody to whom a duty in the tender was given know that the lot is being evaluated.

    Raises:
        NotFound: for everybody else, as if the lot had no evaluation.
    """
    if facts is None or not (facts.duties or facts.offered or facts.suspended):
        raise NotFound
    return facts


def ensure_reads_progress(facts: LotFacts | None) -> LotFacts:
    """Let holders of whatever duty in the tender see how far a lot has come, once it works.

    Raises:
        NotFound: the actor has no duty in the tender.
        DutyNotTakenUp, DutySuspended: none of the actor's duties works.
    """
    seen = ensure_sees(facts)
    if not seen.duties:
        raise DutyNotTakenUp if seen.offered else DutySuspended
    return seen


def ensure_reads(facts: LotFacts | None, *duties: Duty, what: str) -> LotFacts:
    """Let holders of one of the duties read, who have declared and have no interest.

    Raises:
        NotFound: the actor has no duty in the tender.
        DutyNeeded: the actor has another duty.
        DeclarationMissing: a declaration is outstanding.
        ConflictOfInterest: the actor has an interest in a bidder.
    """
    seen = ensure_sees(facts)
    ensure_holds(seen, *duties, to=f"read {what}")
    ensure_may_read(seen.standing)
    return seen


def ensure_reads_scores(facts: LotFacts | None) -> LotFacts:
    """Let the quality panel and the guardian read scores, and others once quality is decided.

    Raises:
        NotFound: the actor has no duty in the tender.
        DutyNeeded: the actor has another duty, and the quality of the lot is not decided.
        DeclarationMissing: a declaration is outstanding.
        ConflictOfInterest: the actor has an interest in a bidder.
    """
    seen = ensure_sees(facts)
    if seen.stage in {LotStage.BIDDING, LotStage.QUALITY_SCORING}:
        return ensure_reads(seen, *SCORES_QUALITY, what="its scores before quality is locked")
    return ensure_reads(seen, *READS_EVALUATION, what="its scores")


def ensure_may(
    facts: LotFacts | None, duty: Duty, *, to: str, version: int | None = None
) -> LotFacts:
    """Let a holder of the duty act on the version they read; `to` completes the reason.

    Raises:
        NotFound: the actor has no duty in the tender.
        DutyNeeded: the actor has another duty.
        DeclarationMissing: a declaration is outstanding.
        ConflictOfInterest: the actor has an interest in a bidder.
        Stale: the lot was changed meanwhile.
    """
    seen = ensure_sees(facts)
    ensure_holds(seen, duty, to=to)
    ensure_unconflicted(seen.standing)
    if version is not None and version != seen.version:
        raise Stale
    return seen


def ensure_stage(facts: LotFacts, *stages: LotStage, to: str) -> None:
    """Let an act take place at certain stages only.

    Raises:
        LotNotThere: the lot is at another one; the detail names it.
    """
    if facts.stage not in stages:
        wanted = " or ".join(_spoken(stage) for stage in stages)
        message = f"The lot is at the stage {_spoken(facts.stage)}; to {to} it must be at {wanted}."
        raise LotNotThere(message)


def _spoken(stage: LotStage) -> str:
    return stage.value.replace("_", " ")


READS_ASSURANCE: Final = frozenset({Duty.TENDER_MANAGER, Duty.GUARDIAN})
"""The duties whose holders, beside the buyers' auditors, read the assurance report at any time.

The database holds the same (`assurance_reader`).
"""


class ReportReader(msgspec.Struct, frozen=True, kw_only=True):
    """How somebody reads the assurance report of a tender, as the database finds it.

    `told` says that the bidders of every lot have been told, so that everybody reads it;
    `names_bidders` that every bidder is named to the reader.
    """

    inside: bool
    told: bool
    opened: bool
    names_bidders: bool
    reads_registers: bool


def ensure_reads_assurance(
    actor: Actor, facts: TenderFacts | None, reader: ReportReader | None
) -> tuple[TenderFacts, ReportReader]:
    """Let manager, guardian and auditors read the report, and everybody once bidders are told.

    Raises:
        NotFound: the tender is not visible to the actor.
        DutyNotTakenUp: the actor has been given a duty that reads it, and has not declared.
        Forbidden: the bidders have not been told yet.
    """
    seen = ensure_sees_tender(actor, facts)
    if reader is None:
        if seen.offered & READS_ASSURANCE:
            raise DutyNotTakenUp
        message = (
            "Until the bidders of every lot have been told of the award, only the tender's manager,"
            " its guardian and its buyers' auditors read the assurance report."
        )
        raise Forbidden(message)
    return seen, reader


READS_RECORD: Final = (
    Duty.TENDER_MANAGER,
    Duty.GUARDIAN,
    Duty.AWARD_APPROVER,
    Duty.OUTCOME_REVIEWER,
)
"""The duties whose holders, beside the buyers' auditors, read the whole record of an evaluation.

The database holds the same (`record_reader`).
"""


class RecordReader(msgspec.Struct, frozen=True, kw_only=True):
    """How somebody stands towards the record of a lot whose bids are open, as the database finds.

    `audits` says that they audit a buyer, `out` that they have an interest in a bidder, `by_duty`
    that a duty lets them read it; `recorded` that there is one.
    """

    audits: bool
    out: bool
    by_duty: bool
    recorded: bool


def ensure_reads_record(facts: LotFacts | None, reader: RecordReader | None) -> LotFacts:
    """Let those who answer for an evaluation, and the buyers' auditors, read its record.

    Raises:
        NotFound: the actor has no part in the tender.
        DutyNeeded: the actor's duty does not read the record.
        DeclarationMissing: a declaration is outstanding.
        ConflictOfInterest: the actor has an interest in a bidder.
        LotNotThere: the lot is neither awarded nor given up, or its bids were never opened.
    """
    if facts is None or reader is None or not reader.audits or reader.by_duty:
        ensure_reads(facts, *READS_RECORD, what="the record of its evaluation")
    elif reader.out:
        message = "You have an interest in a bidder, so you cannot audit this evaluation."
        raise ConflictOfInterest(message)
    if facts is None:
        raise NotFound
    if reader is None or not reader.recorded:
        message = "The record of an evaluation is read once the lot is awarded or given up."
        raise LotNotThere(message)
    return facts
