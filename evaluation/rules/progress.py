"""What a lot still needs before it can go on, and from whom; no score and no price in it."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Final

from msgspec import Struct

from evaluation.rules.stages import LotStage


class Evaluator(Struct, frozen=True, kw_only=True):
    """An evaluator, how many scores they have given, and when they locked."""

    name: str
    given: int
    locked: bool


class Progress(Struct, frozen=True, kw_only=True):
    """How far a lot has come, in counts."""

    stage: LotStage
    unopened: int
    scores_needed: int
    evaluators: Sequence[Evaluator]
    evaluators_minimum: int
    agreed: int
    passed: int
    approved: int
    approved_by_lay_member: bool
    approval_quorum: int
    standstill_ends_at: datetime | None
    now: datetime


class Missing(Struct, frozen=True, kw_only=True):
    """Something to be done, and who does it."""

    who: str
    what: str


_SIMPLE: Final[Mapping[LotStage, Missing]] = MappingProxyType(
    {
        LotStage.BIDDING: Missing(
            who="openers", what="Open the bids once the deadline has passed."
        ),
        LotStage.QUALITY_LOCKED: Missing(
            who="price evaluator", what="Open the prices of the bids that passed."
        ),
        LotStage.PRICE_OPENED: Missing(who="price evaluator", what="Rank the bids."),
        LotStage.RANKED: Missing(who="moderator", what="Recommend the bid that ranks first."),
        LotStage.AWARDED: Missing(who="tender manager", what="Send every bidder its notice."),
    }
)


def missing(progress: Progress) -> list[Missing]:
    """List what has to happen next, in order; nothing for a lot that is at its end."""
    match progress.stage:
        case LotStage.QUALITY_SCORING:
            return _quality(progress)
        case LotStage.QUALITY_LOCKED if not progress.passed:
            return [_next("tender manager", "Abandon the lot: no bid reached the minimum.")]
        case LotStage.RECOMMENDED:
            return _approvals(progress)
        case LotStage.NOTIFIED:
            return _contract(progress)
        case stage:
            return [_SIMPLE[stage]] if stage in _SIMPLE else []


def _next(who: str, what: str) -> Missing:
    return Missing(who=who, what=what)


def _quality(progress: Progress) -> list[Missing]:
    if progress.unopened:
        return [_next("openers", f"Open {progress.unopened} quality envelopes that are left.")]
    found = [
        _next(
            evaluator.name,
            "Lock the scores."
            if evaluator.given >= progress.scores_needed
            else f"Give {progress.scores_needed - evaluator.given} of {progress.scores_needed}"
            " scores, and lock.",
        )
        for evaluator in progress.evaluators
        if not evaluator.locked
    ]
    lacking = progress.evaluators_minimum - len(progress.evaluators)
    if lacking > 0:
        found.append(_next("tender manager", f"Find {lacking} more quality evaluators."))
    if found:
        return found
    if progress.agreed < progress.scores_needed:
        left = progress.scores_needed - progress.agreed
        return [_next("moderator", f"Record {left} of {progress.scores_needed} agreed scores.")]
    return [_next("moderator", "Lock the quality of the lot.")]


def _approvals(progress: Progress) -> list[Missing]:
    found = []
    if progress.approved < progress.approval_quorum:
        left = progress.approval_quorum - progress.approved
        found.append(_next("award approvers", f"{left} of {progress.approval_quorum} approvals."))
    if not progress.approved_by_lay_member:
        found.append(_next("award approvers", "The approval of a lay member."))
    return found


def _contract(progress: Progress) -> list[Missing]:
    ends_at = progress.standstill_ends_at
    if ends_at is not None and progress.now < ends_at:
        return [_next("nobody", f"Wait for the end of the standstill, {ends_at.isoformat()}.")]
    return [_next("contract manager", "Record the contract.")]
