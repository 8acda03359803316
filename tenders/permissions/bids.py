"""Who may bid, and who may see and change a bid, and why not."""

from datetime import datetime
from uuid import UUID

import msgspec

from market.actor import Actor, Role
from market.errors import Forbidden
from tenders.errors import BiddingClosed, HelperMayNotBid, NotAdmitted
from tenders.rules.stages import TenderStage


class BiddingFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What decides whether an organisation may bid in a tender now."""

    tender: UUID
    stage: TenderStage
    deadline: datetime
    now: datetime
    admitted: bool
    helps: bool


def is_bid_manager(actor: Actor) -> bool:
    """Say whether the actor deals with the bids of the organisation they act for.

    Others of the same organisation do not: staff of a commissioning support unit who help a group
    to buy are to know nothing of what their unit bids.
    """
    return actor.organisation is not None and actor.holds(Role.BID_MANAGER)


def ensure_bid_manager(actor: Actor) -> None:
    """Let bid managers deal with bids.

    Raises:
        Forbidden: the actor is none in the organisation they act for.
    """
    if not is_bid_manager(actor):
        message = "Only a bid manager of a supplier deals with its bids."
        raise Forbidden(message)


def ensure_may_bid(facts: BiddingFacts) -> None:
    """Let admitted suppliers who do not help to run it bid in a tender until its deadline.

    Raises:
        NotAdmitted: the organisation is no admitted supplier.
        HelperMayNotBid: the organisation helps to run this tender, or buys in it.
        BiddingClosed: the deadline has passed, or the tender was opened or abandoned.
    """
    if not facts.admitted:
        raise NotAdmitted
    if facts.helps:
        raise HelperMayNotBid
    if facts.stage is TenderStage.ABANDONED:
        raise _closed(facts, "The tender was abandoned and takes no bids.")
    if facts.stage is not TenderStage.PUBLISHED or facts.now >= facts.deadline:
        instant = facts.deadline.strftime("%Y-%m-%d %H:%M:%S UTC")
        raise _closed(facts, f"The time for bids was over at {instant}.")


def _closed(facts: BiddingFacts, message: str) -> BiddingClosed:
    """The refusal of a late attempt, which is recorded with the tender and told in the minutes."""
    refusal = BiddingClosed(message)
    refusal.tender = facts.tender
    return refusal
