"""What operations about challenges and rounds answer to everybody: one row an operation.

Nobody has challenged the award of the lot that is asked about, and it is in its first round.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from tests.access.cases import Case
from tests.access.kinds import Of
from tests.access.rules import NOT_FOUND, Rule, lot_act, lot_reading, people, signed_in

_TOLD = ("standstill", "standstill_over", "contracted")
_READS_EVALUATION = (
    "quality_evaluator",
    "moderator",
    "price_evaluator",
    "award_approver",
    "tender_manager",
    "guardian",
    "contract_manager",
    "outcome_reviewer",
)


def _was_notified(case: Case) -> bool:
    """A bid manager of a bidder that was sent its notice."""
    bids = case.acts_for(Of.WINNER) or case.acts_for(Of.LOSER)
    return bids and case.holds("bid_manager") and case.moment.lot in _TOLD


def _challenge(case: Case) -> str:
    if not _was_notified(case):
        return NOT_FOUND
    return "409 lot-not-there" if case.moment.lot == "contracted" else "201"


def _reads_challenges(case: Case) -> bool:
    if _was_notified(case):
        return True
    by_duty = case.in_force & set(_READS_EVALUATION)
    inside = case.audits or (by_duty and not case.conflict_in_reading)
    return case.moment.opened and bool(inside)


OF_CHALLENGES: Final[Mapping[str, Rule]] = MappingProxyType(
    {
        "challengeAward": signed_in(_challenge),
        "listChallenges": people(_reads_challenges, "200", NOT_FOUND),
        "decideChallenge": lot_act("guardian", at={}, otherwise=NOT_FOUND),
        "withdrawChallenge": signed_in(NOT_FOUND),
        "listRounds": lot_reading(*_READS_EVALUATION, at={}),
        "getRound": lot_reading(*_READS_EVALUATION, at={}, otherwise=NOT_FOUND),
    }
)
