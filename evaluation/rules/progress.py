"""What a lot still needs before it can go on, and from whom; no score and no price in it."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from msgspec import Struct

from evaluation.rules.joint import Buyer, BuyerPart, all_refused
from evaluation.rules.stages import LotStage
from tenders.rules.duties import Duty


class Evaluator(Struct, frozen=True, kw_only=True):
    """An evaluator, how many scores they have given of those needed, and whether they locked.

    `needed` is as for the whole lot where it is not said.
    """

    name: str
    given: int
    needed: int | None = None
    locked: bool


class Out(StrEnum):
    """Why somebody who was given a duty cannot act in it."""

    NOT_TAKEN_UP = "not_taken_up"
    SUSPENDED = "suspended"
    REMOVED = "removed"
    BELONGS_TO_BIDDER = "belongs_to_bidder"
    INTEREST_UNDECIDED = "interest_undecided"
    MUST_LEAVE = "must_leave"
    MAY_NOT_DECIDE = "may_not_decide"
    SAW_EARLIER_ROUND = "saw_earlier_round"


class Answer(StrEnum):
    """What an approver said of the latest recommendation."""

    APPROVED = "approved"
    RETURNED = "returned"


class PanelMember(Struct, frozen=True, kw_only=True):
    """Somebody with a duty that a lot needs, and whether they can act in it now."""

    name: str
    duty: Duty
    out_because: Out | None = None
    lay: bool = False
    answer: Answer | None = None


class Progress(Struct, frozen=True, kw_only=True):
    """How far a lot has come, in counts, and who can still act on it.

    `fewest_on_a_criterion` is how many evaluators the criterion has that has fewest: all of them
    where it is not said.
    """

    stage: LotStage
    unopened: int
    scores_needed: int
    evaluators: Sequence[Evaluator]
    fewest_on_a_criterion: int | None = None
    evaluators_minimum: int
    agreed: int
    passed: int
    approved: int
    approved_by_lay_member: bool
    approval_quorum: int
    standstill_ends_at: datetime | None
    now: datetime
    panel: Sequence[PanelMember]
    on_hold: bool = False
    buyers: Sequence[Buyer] = ()
    kpis_lacking: int = 0


class Missing(Struct, frozen=True, kw_only=True):
    """Something to be done, and who does it."""

    who: str
    what: str


OPENERS: Final = 2
"""How many people confirm an opening."""

WANTED: Final[Mapping[LotStage, tuple[Duty, ...]]] = MappingProxyType(
    {
        LotStage.BIDDING: (Duty.OPENER,),
        LotStage.QUALITY_SCORING: (Duty.OPENER, Duty.QUALITY_EVALUATOR, Duty.MODERATOR),
        LotStage.QUALITY_LOCKED: (Duty.PRICE_EVALUATOR,),
        LotStage.PRICE_OPENED: (Duty.PRICE_EVALUATOR,),
        LotStage.RANKED: (Duty.MODERATOR, Duty.AWARD_APPROVER),
        LotStage.RECOMMENDED: (Duty.AWARD_APPROVER,),
        LotStage.AWARDED: (Duty.TENDER_MANAGER,),
        LotStage.NOTIFIED: (Duty.CONTRACT_MANAGER,),
    }
)
"""Whose duty it is to take a lot on from each stage."""

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

_WHY_OUT: Final[Mapping[Out, str]] = MappingProxyType(
    {
        Out.SUSPENDED: "the duty is suspended",
        Out.REMOVED: "removed from the tender",
        Out.BELONGS_TO_BIDDER: "belongs to a bidder or its group",
        Out.INTEREST_UNDECIDED: "interest in a bidder",
        Out.MUST_LEAVE: "interest in a bidder, must leave",
        Out.MAY_NOT_DECIDE: "interest in a bidder, may discuss and not decide",
        Out.SAW_EARLIER_ROUND: "scored it or saw a price of it in an earlier round",
    }
)
_EXCUSABLE: Final = frozenset({Out.INTEREST_UNDECIDED, Out.MUST_LEAVE, Out.MAY_NOT_DECIDE})
_WORDS: Final = ("none", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


def missing(progress: Progress) -> list[Missing]:
    """List what has to happen next, in order; nothing for a lot that is at its end.

    Where too few are left who could do it, that comes with who is out, why, and what can be done.
    """
    match progress.stage:
        case LotStage.QUALITY_SCORING:
            return _quality(progress)
        case LotStage.QUALITY_LOCKED if not progress.passed:
            return [_next("tender manager", "Abandon the lot: no bid reached the minimum.")]
        case LotStage.RANKED:
            return [
                _SIMPLE[LotStage.RANKED],
                *_waits(progress, Duty.MODERATOR, "recommendation"),
                *_approvers_left(progress),
            ]
        case LotStage.RECOMMENDED:
            return [*_approvals(progress), *_approvers_left(progress)]
        case LotStage.NOTIFIED:
            return [*_contracts(progress), *_waits(progress, Duty.CONTRACT_MANAGER, "contract")]
        case stage:
            return [
                *([_SIMPLE[stage]] if stage in _SIMPLE else []),
                *(_undecided(progress) if stage is LotStage.AWARDED else []),
                *_simple_waits(progress),
            ]


def openers_missing(panel: Sequence[PanelMember]) -> list[Missing]:
    """What a closed tender needs to be opened, for those who may know who is out, and why."""
    left = [member for member in panel if member.out_because is None]
    return [
        _SIMPLE[LotStage.BIDDING],
        *_shortage("opening", Duty.OPENER, OPENERS, len(left), panel),
    ]


def openers_too_few(left: int | None) -> list[Missing]:
    """The same for the tender's manager, who may not know who is out, nor why."""
    if left is None or left >= OPENERS:
        return [_SIMPLE[LotStage.BIDDING]]
    what = (
        f"{_lead('opening', Duty.OPENER, OPENERS, left)}. The conflicts guardian knows who is out."
        " Give the duty of opener to another person."
    )
    return [_SIMPLE[LotStage.BIDDING], _next("tender manager", what)]


def _next(who: str, what: str) -> Missing:
    return Missing(who=who, what=what)


def _quality(progress: Progress) -> list[Missing]:
    if progress.unopened:
        return [
            _next("openers", f"Open {progress.unopened} quality envelopes that are left."),
            *_waits(progress, Duty.OPENER, "opening"),
        ]
    found = [
        _next(
            evaluator.name,
            _scoring(evaluator, progress.scores_needed),
        )
        for evaluator in progress.evaluators
        if not evaluator.locked
    ]
    left = len(progress.evaluators)
    fewest = progress.fewest_on_a_criterion
    if fewest is not None and fewest < progress.evaluators_minimum <= left:
        what = (
            f"Assign others: a criterion has {_number(fewest)} evaluators who can act, and the"
            f" published minimum is {_number(progress.evaluators_minimum)}."
        )
        found.append(_next("tender manager", what))
    lacking = progress.evaluators_minimum - left
    if lacking > 0:
        short = _shortage(
            "scoring",
            Duty.QUALITY_EVALUATOR,
            progress.evaluators_minimum,
            len(progress.evaluators),
            progress.panel,
        )
        found += [
            _next(item.who, f"Find {lacking} more quality evaluators. {item.what}")
            for item in short
        ]
    without_moderator = _waits(progress, Duty.MODERATOR, "moderation")
    if found:
        return [*without_moderator, *found]
    if progress.agreed < progress.scores_needed:
        left = progress.scores_needed - progress.agreed
        what = f"Record {left} of {progress.scores_needed} agreed scores."
        return [_next("moderator", what), *without_moderator]
    return [_next("moderator", "Lock the quality of the lot."), *without_moderator]


def _scoring(evaluator: Evaluator, of_lot: int) -> str:
    needed = of_lot if evaluator.needed is None else evaluator.needed
    if evaluator.given >= needed:
        return "Lock the scores."
    return f"Give {needed - evaluator.given} of {needed} scores, and lock."


def _approvals(progress: Progress) -> list[Missing]:
    found = []
    if progress.approved < progress.approval_quorum:
        left = progress.approval_quorum - progress.approved
        found.append(_next("award approvers", f"{left} of {progress.approval_quorum} approvals."))
    if not progress.approved_by_lay_member:
        found.append(_next("award approvers", "The approval of a lay member."))
    return found


def _contracts(progress: Progress) -> list[Missing]:
    """The contracts that are left, and the decisions they wait for."""
    if progress.on_hold:
        return [_next("conflicts guardian", "Decide the challenge: the lot is on hold.")]
    if all_refused(progress.buyers):
        what = (
            "Abandon the lot, or rank it again: every buyer decided not to take part in the award."
        )
        return [_next("tender manager", what)]
    awaited = _undecided(progress)
    if progress.kpis_lacking:
        what = f"Set {_number(progress.kpis_lacking)} more key performance indicators."
        awaited = [_next("contract manager", what), *awaited]
    ends_at = progress.standstill_ends_at
    if ends_at is not None and progress.now < ends_at:
        wait = f"Wait for the end of the standstill, {ends_at.isoformat()}."
        return [_next("nobody", wait), *awaited]
    if len(progress.buyers) < 2:  # noqa: PLR2004  # a sole buyer needs no name
        return [*awaited, _next("contract manager", "Record the contract.")]
    return [
        *(
            _next("contract manager", f"Record the contract of {buyer.name}.")
            for buyer in progress.buyers
            if buyer.part is BuyerPart.TAKES_PART and not buyer.contracted
        ),
        *awaited,
    ]


def _undecided(progress: Progress) -> list[Missing]:
    return [
        _next(f"award approvers of {buyer.name}", "Decide whether it takes part.")
        for buyer in progress.buyers
        if buyer.part is None
    ]


# -- when too few are left ------------------------------------------------------------------------


def _simple_waits(progress: Progress) -> list[Missing]:
    match progress.stage:
        case LotStage.QUALITY_LOCKED:
            return _waits(progress, Duty.PRICE_EVALUATOR, "opening of prices")
        case LotStage.PRICE_OPENED:
            return _waits(progress, Duty.PRICE_EVALUATOR, "ranking")
        case LotStage.AWARDED:
            return _waits(progress, Duty.TENDER_MANAGER, "sending of the notices")
        case _:
            return []


def _waits(progress: Progress, duty: Duty, what: str) -> list[Missing]:
    """Say that something waits where nobody is left to do it."""
    able = [
        member for member in progress.panel if member.duty is duty and member.out_because is None
    ]
    return _shortage(what, duty, 1, len(able), progress.panel)


def _approvers_left(progress: Progress) -> list[Missing]:
    """The quorum, and the lay member in it, out of approvals that count and those still possible.

    An approval of somebody who has left or been recused since does not count. Nobody answers a
    recommendation twice; after a return all answer the next one.
    """
    able = [
        member
        for member in progress.panel
        if member.duty is Duty.AWARD_APPROVER
        and member.out_because is None
        and (progress.stage is LotStage.RANKED or member.answer is not Answer.RETURNED)
    ]
    found = _shortage(
        "award", Duty.AWARD_APPROVER, progress.approval_quorum, len(able), progress.panel
    )
    if not any(member.lay for member in able):
        sentence = (
            "The award waits: an unconflicted lay member is needed among the award approvers and"
            " none is left"
        )
        lay = [member for member in progress.panel if member.lay]
        found.append(
            _next("tender manager", _whole(sentence, Duty.AWARD_APPROVER, lay, "a lay member"))
        )
    return found


def _shortage(
    what: str, duty: Duty, needed: int, left: int, panel: Sequence[PanelMember]
) -> list[Missing]:
    if left >= needed:
        return []
    sentence = _lead(what, duty, needed, left)
    who = "conflicts guardian" if duty is Duty.TENDER_MANAGER else "tender manager"
    return [_next(who, _whole(sentence, duty, panel, "another person"))]


def _lead(what: str, duty: Duty, needed: int, left: int) -> str:
    people = duty.spoken() if needed == 1 else f"{duty.spoken()}s"
    are = "is" if needed == 1 else "are"
    remain = f"{_number(left)} {'are' if left > 1 else 'is'} left"
    return f"The {what} waits: {_number(needed)} unconflicted {people} {are} needed and {remain}"


def _whole(sentence: str, duty: Duty, panel: Sequence[PanelMember], whom: str) -> str:
    """Name who is out and why, who has yet to take up the duty, and what can be done."""
    of_duty = [member for member in panel if member.duty is duty]
    out = [
        (member, _WHY_OUT[member.out_because])
        for member in of_duty
        if member.out_because is not None and member.out_because in _WHY_OUT
    ]
    offered = [member.name for member in of_duty if member.out_because is Out.NOT_TAKEN_UP]
    if out:
        names = ", ".join(f"{member.name} ({why})" for member, why in out)
        sentence += f"; recused: {names}"
    sentence += "."
    if offered:
        has = "has" if len(offered) == 1 else "have"
        sentence += f" {', '.join(offered)} {has} still to declare on taking the duty."
    sentence += f" Give the duty of {duty.spoken()} to {whom}"
    if any(member.out_because in _EXCUSABLE for member, _ in out):
        return f"{sentence}, or let the conflicts guardian decide."
    return f"{sentence}."


def _number(count: int) -> str:
    return _WORDS[count] if count < len(_WORDS) else str(count)
