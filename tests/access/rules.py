"""The words in which expectations are written: each makes the rule of one operation.

An answer is a status, and for a refusal the last part of its problem's type: "409 stale". A rule
gives the answer of every cell. Refusals are looked for in one order everywhere: not signed in, not
to be known of, not their duty, something between them and the bids, and only then the stage.
"""

from collections.abc import Callable, Mapping
from typing import Final

from tests.access.cases import KNOWS_ONCE_OPENED, Case
from tests.access.kinds import Of

Rule = Callable[[Case], str]
By = Mapping[str, str]

NOT_FOUND: Final = "404 not-found"
FORBIDDEN: Final = "403 forbidden"


def everybody(answer: str) -> Rule:
    """Public, whatever the state."""
    return lambda _: answer


def signed_in(answer: str | Rule) -> Rule:
    """For everybody with a session, be it by a further rule."""
    return lambda case: _stranger(case) or (answer if isinstance(answer, str) else answer(case))


def people(allowed: Callable[[Case], bool], answer: str, otherwise: str) -> Rule:
    """For those of whom something is true, and another answer for everybody else."""
    return lambda case: _stranger(case) or (answer if allowed(case) else otherwise)


def administrators(answer: str, *, registrar: bool) -> Rule:
    """For administrators of the buyer, and for the registrar where that is said.

    Others of the buyer are told why not; nobody else is told that there is such a thing.
    """

    def rule(case: Case) -> str:
        if case.acts_for(Of.BUYER):
            return answer if case.holds("administrator") else FORBIDDEN
        return answer if registrar and case.holds("registrar") else NOT_FOUND

    return lambda case: _stranger(case) or rule(case)


def public_once(known: Callable[[Case], bool], answer: str = "200") -> Rule:
    """Public as soon as something is so, and hidden from everybody until then."""
    return lambda case: answer if known(case) else NOT_FOUND


# -- the tender -----------------------------------------------------------------------------------


def tender_act(*duties: str, at: By, otherwise: str, on_bids: bool = False) -> Rule:
    """An act of those whose duty it is, at the stages of the tender that are named.

    `on_bids` says that once the tender is opened nobody does it who has not declared against every
    bidder, or has an interest in one.
    """

    def rule(case: Case) -> str:
        return (
            _stranger(case)
            or _unseen(case)
            or lacking(case, *duties)
            or (case.conflict if on_bids and case.moment.tender == "opened" else None)
            or at.get(case.moment.tender, otherwise)
        )

    return rule


def bidders_known(answer: str, *, reading: bool = False, while_live: str | None = None) -> Rule:
    """For those to whom the bidders' names are known; `reading` for those who have declared too.

    `while_live` is the answer once the tender is given up, where nothing can be added any more.
    """

    def rule(case: Case) -> str:
        if refusal := _stranger(case) or _unseen(case) or lacking(case, *KNOWS_ONCE_OPENED):
            return refusal
        if not case.knows_bidders:
            return "409 bidders-not-known"
        if reading and case.conflict_in_reading:
            return case.conflict_in_reading
        return while_live if while_live and case.moment.tender == "abandoned" else answer

    return rule


def opening_act(rule: Callable[[Case], str]) -> Rule:
    """An act of the openers; the rule says what of it is left when the duty is theirs."""
    return lambda case: _stranger(case) or _unseen(case) or lacking(case, "opener") or rule(case)


# -- the lot --------------------------------------------------------------------------------------


def lot_act(*duties: str, at: By, otherwise: str = "409 lot-not-there") -> Rule:
    """An act on the lot, at the stages of the lot that are named.

    The lot is there from the publication on, and known to people with a part in the tender. What
    stands between them and the bids is asked for once these are open: before, it would tell who
    bids.
    """
    return lambda case: (
        _outside_lot(case)
        or lacking(case, *duties)
        or (case.conflict if case.moment.opened else None)
        or at.get(case.moment.name, at.get(case.moment.lot, otherwise))
    )


def lot_reading(*duties: str, at: By, otherwise: str = "200") -> Rule:
    """The same for reading."""
    return lambda case: (
        _outside_lot(case)
        or lacking(case, *duties)
        or (case.conflict_in_reading if case.moment.opened else None)
        or at.get(case.moment.lot, otherwise)
    )


def _outside_lot(case: Case) -> str | None:
    part = case.in_force or case.offered or case.suspended
    return _stranger(case) or (None if case.moment.lot and part else NOT_FOUND)


# -- what every rule begins with ------------------------------------------------------------------


def lacking(case: Case, *duties: str) -> str | None:
    """Why none of the duties works for somebody who may know of the tender."""
    wanted = frozenset(duties)
    if case.in_force & wanted:
        return None
    if case.offered & wanted:
        return "403 duty-not-taken-up"
    return "403 duty-suspended" if case.suspended & wanted else "403 duty-needed"


def _stranger(case: Case) -> str | None:
    return None if case.signed_in else "401 not-signed-in"


def _unseen(case: Case) -> str | None:
    return None if case.sees_tender else NOT_FOUND
