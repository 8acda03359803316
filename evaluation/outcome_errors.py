"""Refusals about buyers' decisions, contracts and what becomes of them, named by their reason."""

from evaluation.errors import LotNotThere, ReasonTooShort
from market.errors import Forbidden, Malformed, MarketError, keeps

keeps("buyer_decision_has_reason")(ReasonTooShort)
keeps("contracted_when_all_have", "contracts_stay")(LotNotThere)

# -- joint buyers ---------------------------------------------------------------------------------


@keeps("buyer_decides_itself")
class NotOwnBuyer(Forbidden):
    """Whether a buyer takes part is decided by its own award approver and by nobody else."""

    title = "An award approver decides for a buyer of this tender whose duty they hold."


@keeps("buyer_decision_once")
class BuyerDecidedAlready(MarketError):
    """A buyer decides once about an award; a later award asks it anew."""

    title = "This buyer has decided about this award already."


@keeps("contract_of_buyer")
class ContractBuyerNeeded(Malformed):
    """In a joint purchase each contract is one buyer's."""

    title = "Say whose contract this is: the tender has several buyers."


@keeps("buyer_has_decided")
class BuyerUndecided(MarketError):
    """No contract for a buyer that has reserved the decision and not made it yet."""

    title = "This buyer has not decided yet whether it takes part."


@keeps("buyer_takes_part")
class BuyerRefused(MarketError):
    """No contract for a buyer that decided not to take part; the others go on."""

    title = "This buyer decided not to take part, so there is no contract for it."


class AllBuyersRefused(BuyerRefused):
    """Nobody takes part in the award: the tender manager gives the lot up or ranks it again."""

    title = (
        "Every buyer decided not to take part. The tender manager abandons the lot, or records that"
        " the bid dropped out, which ranks it again."
    )


@keeps("contract_once_a_buyer", "decided_before_contract")
class BuyerContracted(MarketError):
    """A buyer has one contract out of an award, and keeps to it."""

    title = "The contract of this buyer has been made already."


# -- while the contract runs ----------------------------------------------------------------------

keeps("contract_change_has_reason", "outcome_review_has_narrative")(ReasonTooShort)


@keeps(
    "kpi_once",
    "kpi_publication_once",
    "contract_change_once",
    "milestone_once",
    "outcome_review_once",
)
class RecordedTogether(MarketError):
    """Somebody else recorded the same thing at the same moment."""

    title = "Somebody recorded this at the same moment. Read it again before you repeat it."


@keeps("kpi_before_contract", "baseline_before_contract")
class ContractMadeAlready(MarketError):
    """Indicators and the baseline are recorded before the first contract, and never after."""

    title = "A contract has been made, so this can no longer be recorded."


@keeps("kpi_direction_known", "kpi_says", "kpi_figures_finite", "baseline_finite", "baseline_says")
class FiguresFaulty(Malformed):
    """An indicator has a title, a measure, a unit and a finite target."""

    title = "The indicator or baseline is not of the expected form."


@keeps("contract_has_kpis")
class KpisLacking(MarketError):
    """A contract above the sum of its rule set has indicators before it is made (section 52)."""

    title = "Set the key performance indicators first that a contract of this value needs."


@keeps("assessed_after_period", "kpi_assessment_lasts")
class PeriodNotOver(MarketError):
    """A period is assessed once it is over, and it lies within the contract."""

    title = "Only a period of the contract that is over can be assessed or published."


@keeps("assessments_apart", "kpi_assessment_once", "published_assessments_stay")
class AssessedAlready(MarketError):
    """A day is measured once, and what was published stays."""

    title = "A part of this period has been assessed or published already."


@keeps("published_whole")
class AssessmentsLacking(MarketError):
    """What is published is whole: every indicator assessed since the last publication."""

    title = (
        "Published is a day that is past and later than the last publication, with every indicator"
        " assessed since."
    )


@keeps("change_ground_known")
class NoSuchGround(Malformed):
    """Each rule set has its own grounds on which a contract may be changed."""

    title = "The rule set of this contract knows no such ground; the detail names those it knows."


@keeps("change_changes", "contract_change_scope_says", "contract_change_value_finite")
class NothingChanged(Malformed):
    """A change says what is different: the value, the end or the scope."""

    title = "Say what changes: a value above zero, the end or the scope."


@keeps("changed_end_after_start")
class ChangedEndFaulty(Malformed):
    """A contract ends after it starts, changed or not."""

    title = "A contract ends after it starts."


@keeps("contract_days_near")
class ContractDayFaulty(Malformed):
    """No contract starts or ends, and no milestone is due, in a year that nobody means."""

    title = "A day of a contract lies within 50 years of today."


@keeps("change_within_limit")
class ChangeTooGreat(MarketError):
    """The change goes further than its ground allows (regulation 72; section 74)."""

    title = "The change goes further than its ground allows; it would have to be bought anew."


@keeps("milestone_met_milestone_key")
class MilestoneMetAlready(MarketError):
    """A milestone is met once."""

    title = "This milestone has been met already."


@keeps("milestone_met_by_now")
class MilestoneInFuture(Malformed):
    """A milestone is met on a day that has come."""

    title = "A milestone is met on a day that has come."


# -- outcome --------------------------------------------------------------------------------------


@keeps("outcome_baseline_award_key")
class BaselineRecorded(MarketError):
    """The baseline of an award is recorded once."""

    title = "The baseline of this award has been recorded already."


@keeps("baseline_of_every_buyer")
class BaselineFaulty(Malformed):
    """The baseline says of every buyer what a year costs it before the contract."""

    title = "Give the yearly cost of every buyer of the tender, and of nobody else."


@keeps("reviewed_when_due")
class ReviewNotDue(MarketError):
    """A year is reviewed when it is over, the whole when the last contract has ended."""

    title = (
        "A yearly review is about days of the contract that are past; the final one comes after the"
        " last contract has ended."
    )


@keeps("reviews_go_on", "outcome_review_of_day")
class OutcomeReviewedAlready(MarketError):
    """A review is about later days than the one before; after the final one there is none."""

    title = "A review of these days has been recorded, or the final one."


@keeps("review_measures_access")
class AccessMisfigured(Malformed):
    """Access is measured as the baseline measured it, and not at all without a baseline."""

    title = "Give the measure of access if, and only if, the baseline has one."
