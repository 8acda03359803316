"""Refusals about duties, and about what keeps them apart, named by their reason."""

from typing import Final

from market.errors import Forbidden, Malformed, MarketError, keeps


@keeps("duty_floor", "duty_default")
class DutyClash(Forbidden):
    """The person holds or held a duty that keeps them from this one; the detail names both."""

    title = "One person cannot hold both of these duties in a tender."


@keeps("duty_needed")
class DutyNeeded(Forbidden):
    """The act belongs to a duty that the actor does not hold in this tender."""

    title = "You do not hold the duty that this needs in this tender."


@keeps("duty_taken_up")
class DutyNotTakenUp(Forbidden):
    """The duty was given, and its holder has not yet declared their interests on taking it."""

    title = (
        "You have been given this duty. Declare your interests first, on taking it: POST"
        " /tenders/{tender_id}/duty-declarations."
    )


class DutySuspended(Forbidden):
    """The exemption, delegation or membership the duty rests on is over, or its holder removed."""

    title = (
        "Your duty is suspended: the exemption or delegation it rests on is over, or the conflicts"
        " guardian has removed you."
    )


DUTY_REFUSALS: Final = (DutyNeeded, DutyNotTakenUp, DutySuspended)
"""What an act of those whose duty it is says to everybody else."""


@keeps("duty_comes_too_late")
class DutyComesTooLate(Forbidden):
    """Who saw which bid is whose joins no panel, and nobody joins one that has finished scoring."""

    title = (
        "Until the quality of every lot is locked, nobody who opened joins the panel, and no"
        " evaluator joins one that has finished."
    )


@keeps("lead_needed", "bid_manager_needed")
class RoleNeeded(Forbidden):
    """The act belongs to a role that the actor does not hold, or not any more."""

    title = "You do not hold the role that this needs in the organisation you act for."


@keeps("duty_not_for_suppliers", "duty_not_for_bidders")
class SuppliersMayNotHoldDuties(Forbidden):
    """Once a tender is published, members of suppliers take no duty in it.

    Until the bidders are known this falls on every supplier, so that it tells nothing of who bids.
    """

    title = "Once a tender is published, no duty in it can be given to a member of a supplier."


@keeps("award_duty_delegated")
class DelegationNeeded(Forbidden):
    """Award duties belong to the buyers, and to those to whom one of them has delegated them."""

    title = (
        "Award duties are held for a buyer of the tender, or for an organisation to which a buyer"
        " has delegated them."
    )


@keeps("duty_for_own_organisation")
class NotMember(MarketError):
    """The person is no member of the organisation for which they would hold the duty."""

    title = "A duty is held for an organisation of which the person is a member."


@keeps("duty_once")
class DutyHeldAlready(MarketError):
    """The person holds the duty, or held it and was released, which is for good."""

    title = "The person holds that duty in this tender already, or was released from it."


@keeps("duty_only_ends")
class DutyReleasedAlready(MarketError):
    """The duty was released before."""

    title = "The duty has been released already."


class LastTenderManager(MarketError):
    """Without its manager a tender could go nowhere."""

    title = "This is the tender's only manager. Give the duty to somebody else first."


class OpenersNeeded(MarketError):
    """A tender is not published before two people can open its bids."""

    title = "Two openers are needed before publication: without them no bid can ever be opened."


@keeps("declaration_for_duty")
class NothingToTakeUp(MarketError):
    """The person has no duty in the tender, so there is nothing to declare for."""

    title = "You have no duty in this tender to declare for."


@keeps("declaration_as_registered")
class RegisterSaysOtherwise(MarketError):
    """The declaration on taking a duty contradicts the register of interests."""

    title = (
        "Say nothing_to_declare when the register holds no interest of yours, and as_registered"
        " when it does. Enter or end interests in the register first."
    )


@keeps("exemption_of_default")
class NotExemptible(Forbidden):
    """The pair is on the floor, from which nobody exempts, or needs no exemption."""

    title = "No exemption can be granted for this pair of duties, or none is needed."


@keeps("exemption_expires_later", "exemption_pair_in_order")
class ExemptionFaulty(Malformed):
    """The exemption would end before it begins, or names one duty twice."""

    title = "An exemption names two duties and ends in the future."


@keeps("exemption_in_force", "exemption_revocation_once")
class ExemptionOver(MarketError):
    """The exemption has expired or was revoked before."""

    title = "The exemption is over already."


@keeps("decided_by_another")
class OwnInterest(Forbidden):
    """Nobody decides about their own interests."""

    title = "Nobody decides about their own interests."


@keeps("decided_about_holder")
class NotInTender(MarketError):
    """The person never held a duty in the tender."""

    title = "That person never held a duty in this tender."


@keeps("never_excusable")
class NeverExcusable(Forbidden):
    """Membership, employment or directorship of a bidder or its group: nobody excuses those."""

    title = "A member, employee or director of a bidder or its group cannot be excused."


@keeps("removed_for_good")
class RemovedForGood(MarketError):
    """The person was removed from the tender, which is for good."""

    title = "That person was removed from this tender for good."


@keeps("delegated_by_administrator")
class DelegatedByAdministrator(Forbidden):
    """Only an administrator of the delegating organisation records a delegation or its end."""

    title = "Only an administrator of the organisation records what it delegates."


@keeps(
    "delegated_among_buyers",
    "award_delegation_to_another",
    "award_delegation_ends_after_start",
    "award_delegation_has_authority",
)
class DelegationFaulty(Malformed):
    """The delegation is not from one buying body to another, or ends before it starts."""

    title = (
        "Award duties are delegated by one body that buys to another, from a day to a later one."
    )


@keeps("award_delegation_ending_once")
class DelegationOver(MarketError):
    """The delegation was ended before."""

    title = "The delegation has been ended already."
