"""Refusals about the requirement, its review, the timetable and the tender itself."""

from market.errors import Malformed, MarketError, Stale, WrongStage, keeps

keeps("tender_version_counts")(Stale)


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
