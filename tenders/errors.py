"""Refusals about tenders, named by their reason."""

from typing import Final

from market.errors import Forbidden, Malformed, MarketError, Stale, WrongStage, keeps

keeps("tender_version_counts")(Stale)


# -- duties ----------------------------------------------------------------------------------------


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


# -- declarations, exemptions, decisions and delegations -------------------------------------------


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


# -- the requirement, its review and the timetable -------------------------------------------------


@keeps("criterion_weights_add_up", "tender_has_lots")
class RequirementFaulty(Malformed):
    """The requirement contradicts itself or lacks something; every fault is listed."""

    title = "The requirement has faults. Each is listed with its place."


@keeps("requirement_in_draft")
class RequirementSettled(WrongStage):
    """The requirement is edited in draft only; an approved one is first taken back to draft."""

    title = "The requirement can only be edited while the tender is a draft."


@keeps("tender_has_requirement")
class RequirementMissing(MarketError):
    """There is nothing to review yet."""

    title = "Write the requirement first."


@keeps("review_in_review", "review_of_latest")
class NotInReview(WrongStage):
    """No review of this version is asked for."""

    title = "The requirement is not in review."


@keeps("tender_reviewed", "published_is_approved")
class NotReviewed(WrongStage):
    """The present version was not approved by an independent reviewer."""

    title = "An independent reviewer has not approved this version of the requirement."


@keeps("tender_clarifications_before_deadline")
class TimetableFaulty(Malformed):
    """The dates do not fit each other or lie in the past; every fault is listed."""

    title = "The timetable has faults. Each is listed with its place."


@keeps("tender_has_timetable")
class TimetableMissing(MarketError):
    """A tender is published with a deadline in the future and a start of the contract."""

    title = "A deadline in the future and a start of the contract are needed first."


class DeadlineTooSoon(MarketError):
    """The time for bids is shorter than the law allows; the detail says what is lawful."""

    title = "The deadline is sooner than procurement law allows."


# -- the tender itself -----------------------------------------------------------------------------


@keeps("tender_transition", "published_does_not_change")
class TransitionRefused(WrongStage):
    """The tender is not at a stage from which this can be done."""

    title = "The tender is not at a stage from which this can be done."


@keeps("rule_set_date_in_sandbox")
class RuleSetDateRefused(MarketError):
    """The law that governs a tender follows from the day it is published."""

    title = "Only a demonstration in a sandbox may fix the date by which its rule set is chosen."


@keeps("buyers_in_draft")
class BuyersSettled(WrongStage):
    """Who buys is settled before the review."""

    title = "Buyers can only join while the tender is a draft."


@keeps("buyer_kind")
class CannotBuy(MarketError):
    """Only clinical commissioning groups and other NHS bodies of known population buy."""

    title = "Only clinical commissioning groups and other NHS bodies whose population is known buy."


@keeps("tender_buyer_once")
class BuysAlready(MarketError):
    """The organisation buys in this tender already."""

    title = "The organisation is a buyer of this tender already."


class ContractMade(WrongStage):
    """A tender of which a contract came cannot be abandoned as a whole."""

    title = "A contract has been made for a lot of this tender, so it cannot be abandoned whole."


# -- bids ------------------------------------------------------------------------------------------


@keeps("bidding_open")
class BiddingClosed(WrongStage):
    """The deadline has passed, by the market's clock, or the tender takes no bids any more."""

    title = "The time for bids is over."


@keeps("bid_one_per_lot")
class AlreadyBid(MarketError):
    """An organisation has one bid for a lot; until the deadline it can be replaced."""

    title = "Your organisation has a bid for this lot already. Replace it with PUT /bids/{bid_id}."


class BidIncomplete(Malformed):
    """The bid does not answer and price exactly what the lot asks; every fault is listed."""

    title = "The bid is not complete. Each fault is listed with its place."


@keeps("bidder_admitted")
class NotAdmitted(Forbidden):
    """Only suppliers that the market has admitted bid."""

    title = "Only admitted suppliers can bid."


@keeps("helper_does_not_bid")
class HelperMayNotBid(Forbidden):
    """An organisation whose people hold a duty in a tender, or that buys in it, does not bid."""

    title = "An organisation that helps to run a tender, or buys in it, cannot bid in it."


@keeps("bid_version_counts", "bid_version_once")
class BidChanged(Stale):
    """The bid was replaced or withdrawn since the caller read it."""

    title = "The bid has changed since you read it. Read it again and repeat the request."


@keeps("withdraws_what_stands")
class NothingToWithdraw(MarketError):
    """The bid was withdrawn before."""

    title = "This bid is withdrawn already."


# -- declarations and the opening ------------------------------------------------------------------


@keeps("declaration_when_known")
class BiddersNotKnown(WrongStage):
    """Bidders are named after the deadline: to openers and guardian, then to the panel."""

    title = "The names of the bidders are not known to you yet."


@keeps("participant_is_another")
class ParticipantsFaulty(Malformed):
    """A participant is the lead itself, is named twice, or cannot be identified."""

    title = "The participants have faults. Each is listed with its place."


@keeps("declaration_about_bidder")
class DeclarationsFaulty(Malformed):
    """A declaration names no bidder of this tender, or does not say what the interest is."""

    title = "The declarations have faults. Each is listed with its place."


@keeps("declaration_missing")
class DeclarationMissing(Forbidden):
    """The person has not yet said, for each bidder, whether they have an interest."""

    title = "Declare first whether you have an interest in each of the bidders."


@keeps("conflict_of_interest")
class ConflictOfInterest(Forbidden):
    """The person declared an interest in a bidder, or is a member of one."""

    title = "You have an interest in a bidder, and must leave this tender until it is decided."


@keeps("opening_after_deadline")
class OpeningNotDue(WrongStage):
    """Bids are opened after the deadline and once, and not of a tender that was abandoned."""

    title = "The opening is confirmed after the deadline, and once."


@keeps("opening_confirmation_once")
class AlreadyConfirmed(MarketError):
    """Two different people confirm the opening."""

    title = "You have confirmed the opening already. Another opener must confirm it too."


@keeps("opening_by_two", "manifest_complete")
class OpeningRefused(MarketError):
    """Two different openers without an interest open exactly the bids that stand."""

    title = "Two openers without an interest must confirm, and all bids that stand are opened."


class NotOpened(WrongStage):
    """The two confirmations that an opening needs have not both been given."""

    title = "The bids of this tender have not been opened."


@keeps("envelope_stays_sealed")
class EnvelopeStaysSealed(WrongStage):
    """Quality opens with the tender; a price once quality is locked, where the bid passed."""

    title = "This envelope may not be opened now."


@keeps("opened_envelope_once", "opened_envelope_envelope_key")
class EnvelopeOpened(MarketError):
    """The envelope was opened before, perhaps by somebody who resumed the opening meanwhile."""

    title = "This envelope has been opened already."


class KeysUnavailable(MarketError):
    """The custodian cannot use the lot's key. It says nothing about the bid, which stays sealed."""

    status = 503
    title = (
        "The key of these envelopes cannot be used at present. They stay sealed. When the"
        " operator has restored the key-encryption key, resume the opening."
    )
    retry_after = 60
