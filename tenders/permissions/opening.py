"""Who learns the bidders' names, declares, confirms and opens envelopes, and why not."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final

import msgspec

from market.errors import NotFound
from market.sealing import EnvelopeKind
from tenders.errors import (
    BiddersNotKnown,
    ConflictOfInterest,
    DeclarationMissing,
    DutyNeeded,
    DutyNotTakenUp,
    DutySuspended,
    NotOpened,
    OpeningNotDue,
)
from tenders.permissions.tenders import ensure_holds
from tenders.rules.duties import Duty
from tenders.rules.stages import TenderStatus

FIRST_TO_KNOW: Final = frozenset({Duty.OPENER, Duty.GUARDIAN})
"""The duties whose holders get the bidders' names, and nothing else, after the deadline."""

KNOW_ONCE_OPENED: Final = FIRST_TO_KNOW | {
    Duty.TENDER_MANAGER,
    Duty.QUALITY_EVALUATOR,
    Duty.PRICE_EVALUATOR,
    Duty.MODERATOR,
    Duty.AWARD_APPROVER,
    Duty.CONTRACT_MANAGER,
    Duty.OUTCOME_REVIEWER,
}
"""The duties whose holders get the names, and declare against them, once the tender is opened.

The database holds the same (`sees_bidders`).
"""

OPENED_BY: Final[Mapping[EnvelopeKind, Duty]] = MappingProxyType(
    {EnvelopeKind.QUALITY: Duty.OPENER, EnvelopeKind.PRICE: Duty.PRICE_EVALUATOR}
)
"""Whose duty it is to open which envelopes. The database holds the same (`envelope_may_open`)."""


class Conflict(StrEnum):
    """What stands between a person and the bids of a tender, as the database finds it."""

    BELONGS_TO_BIDDER = "belongs_to_bidder"
    INTEREST_UNDECIDED = "interest_undecided"
    MUST_LEAVE = "must_leave"
    MAY_NOT_DECIDE = "may_not_decide"
    DECLARATION_MISSING = "declaration_missing"


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """Where a tender stands, and where the acting person stands in it.

    `opened` says that its bids were opened, be it abandoned since; `inside` that the actor reads
    drafts of the buyers by their role.
    """

    status: TenderStatus
    published: bool
    opened: bool
    inside: bool = False
    duties: frozenset[Duty]
    offered: frozenset[Duty]
    suspended: frozenset[Duty]
    conflict: Conflict | None


def ensure_visible(standing: Standing | None) -> Standing:
    """Let everybody know of a published tender, and of another those who work on it.

    Raises:
        NotFound: there is no such tender, or none that the actor may know of.
    """
    if standing is None or not (
        standing.published or standing.inside or standing.duties or standing.offered
    ):
        raise NotFound
    return standing


def ensure_knows_bidders(standing: Standing) -> None:
    """Let openers and guardian know the names after the deadline, the panel after the opening.

    What was known once stays known when the tender is abandoned.

    Raises:
        DutyNotTakenUp, DutySuspended: such a duty was given to the actor and does not work.
        DutyNeeded: the actor holds no duty for which the names matter.
        BiddersNotKnown: the time for it has not come.
    """
    if not standing.duties & KNOW_ONCE_OPENED:
        if standing.offered & KNOW_ONCE_OPENED:
            raise DutyNotTakenUp
        if standing.suspended & KNOW_ONCE_OPENED:
            raise DutySuspended
        message = "Only those who open, evaluate, award or guard this tender learn who bids."
        raise DutyNeeded(message)
    if standing.opened:
        return
    if standing.status is TenderStatus.ABANDONED:
        message = "The tender was abandoned before its bids were opened: nobody learns who bid."
        raise BiddersNotKnown(message)
    if standing.status is not TenderStatus.CLOSED:
        message = "Nobody learns who bids before the deadline has passed."
        raise BiddersNotKnown(message)
    if not standing.duties & FIRST_TO_KNOW:
        message = (
            "Until the bids are opened, only openers and the conflicts guardian know who bids."
        )
        raise BiddersNotKnown(message)


_WHY: Final[Mapping[Conflict, str]] = MappingProxyType(
    {
        Conflict.BELONGS_TO_BIDDER: (
            "You are or were a member, employee or director of an organisation that bids here, or"
            " of its group."
        ),
        Conflict.INTEREST_UNDECIDED: (
            "You have an interest in a bidder, declared, registered or found by the market: you"
            " must leave this tender until the conflicts guardian has decided."
        ),
        Conflict.MUST_LEAVE: "The conflicts guardian decided that you must leave this tender.",
        Conflict.MAY_NOT_DECIDE: (
            "The conflicts guardian decided that you may discuss this tender and not decide in it."
        ),
    }
)


def ensure_unconflicted(standing: Standing) -> None:
    """Let those act who have declared against every bidder and have no open interest in one.

    Raises:
        DeclarationMissing: a declaration is outstanding.
        ConflictOfInterest: the actor has an interest in a bidder that nobody has excused.
    """
    if standing.conflict is None:
        return
    if standing.conflict is Conflict.DECLARATION_MISSING:
        raise DeclarationMissing
    raise ConflictOfInterest(_WHY[standing.conflict])


def ensure_may_read(standing: Standing) -> None:
    """The same for reading, which those may who were let discuss and not decide.

    Raises:
        DeclarationMissing: a declaration is outstanding.
        ConflictOfInterest: the actor has an interest in a bidder that nobody has excused.
    """
    if standing.conflict is not Conflict.MAY_NOT_DECIDE:
        ensure_unconflicted(standing)


def ensure_may_confirm(standing: Standing) -> None:
    """Let an opener who has declared and has no interest confirm the opening.

    Raises:
        DutyNeeded: the actor is not an opener of this tender.
        OpeningNotDue: the deadline has not passed, or the tender is opened or abandoned.
        DeclarationMissing: a declaration is outstanding.
        ConflictOfInterest: the actor has an interest in a bidder.
    """
    ensure_holds(standing, Duty.OPENER, to="confirm its opening")
    if standing.status is TenderStatus.OPENED:
        message = "The bids of this tender have been opened already."
        raise OpeningNotDue(message)
    if standing.status is TenderStatus.ABANDONED:
        message = "The tender was abandoned: its bids stay sealed."
        raise OpeningNotDue(message)
    if standing.status is not TenderStatus.CLOSED:
        message = "Nobody opens bids before the deadline has passed."
        raise OpeningNotDue(message)
    ensure_unconflicted(standing)


def ensure_may_open(standing: Standing, kind: EnvelopeKind) -> None:
    """Let those open envelopes whose duty it is, once the opening is confirmed.

    Whether the lot has come so far, and whether the bid passed, the database decides under locks.

    Raises:
        DutyNeeded: it is not the actor's duty.
        NotOpened: the opening has not been confirmed by two people.
        DeclarationMissing: a declaration is outstanding.
        ConflictOfInterest: the actor has an interest in a bidder.
    """
    ensure_holds(standing, OPENED_BY[kind], to=f"open {kind.value} envelopes")
    ensure_opened(standing)
    ensure_unconflicted(standing)


def ensure_opened(standing: Standing) -> None:
    """Go on only with a tender whose opening two people have confirmed.

    Raises:
        NotOpened: they have not.
    """
    if standing.status is not TenderStatus.OPENED:
        raise NotOpened
