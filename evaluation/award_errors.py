"""Refusals from the ranking to the contract, named by their reason."""

from evaluation.errors import ChangedMeanwhile, ReasonTooShort
from market.errors import Malformed, MarketError, keeps

# -- price, ranking and award ---------------------------------------------------------------------


class NoBidPassed(MarketError):
    """No bid reached the minimum quality: no price is ever opened."""

    title = "No bid reached the minimum quality. The tender manager can abandon the lot."


class NothingToRank(MarketError):
    """None of the opened price envelopes held prices."""

    title = "No bid with a price is left to rank. The tender manager can abandon the lot."


class MethodUndefined(MarketError):
    """The published method is not defined for what was bid; the detail says why."""

    title = "The published award method is not defined for these bids."


@keeps("dropped_out_of_ranking", "low_price_ranked")
class NotInRanking(MarketError):
    """Only a bid that is ranked can drop out, once, or have its price explained."""

    title = "The bid is not in the ranking: it cannot drop out of it, nor explain its price."


@keeps("recommended_bid_ranks_first")
class NotRankedFirst(MarketError):
    """Only the bid that alone ranks first can be recommended."""

    title = "Only the bid that ranks first can be recommended."


@keeps("lots_ranked_first")
class LotsAwaited(MarketError):
    """Where lots are limited, none is recommended before all are ranked and their ties broken."""

    title = "The lots of this tender are allocated together, and they cannot be yet."


@keeps("lot_limit_kept", "lot_allocation_followed")
class NotAllocated(MarketError):
    """By the published limit the lot goes to another bid; the detail says to which."""

    title = "By the published limit of lots for one supplier, the lot does not go to this bid."


class FirstPlaceTied(NotRankedFirst):
    """The published tie rule could not tell the best bids apart."""

    title = "The first place is shared, and the published tie rule does not decide it."


@keeps("approval_once")
class DecidedAlready(MarketError):
    """An approver answers a recommendation once."""

    title = "You have answered this recommendation already."


@keeps("award_approved")
class AwardNotApproved(MarketError):
    """An award needs its quorum of approvers without an interest, a lay member among them."""

    title = "The quorum of approvers, a lay member among them, has not approved this award."


# -- abnormally low prices ------------------------------------------------------------------------

keeps("low_price_has_reason")(ReasonTooShort)


@keeps("low_price_explained")
class ExplanationAwaited(MarketError):
    """Nobody decides about a price before its bidder could explain it."""

    title = "Ask the bidder to explain its price, and wait for the answer or the end of its time."


@keeps("low_price_asked_before_decision", "low_price_decision_bid_key")
class LowPriceDecidedAlready(MarketError):
    """Whether a price is accepted as explained is decided once."""

    title = "Whether this price is accepted has been decided already."


@keeps("low_price_decided")
class LowPriceUndecided(MarketError):
    """A price that appears abnormally low is explained and decided about before it can win."""

    title = (
        "The price appears abnormally low: have it explained, and the explanation decided about,"
        " before the bid is recommended."
    )


# -- verification of the winner --------------------------------------------------------------------

keeps("award_check_has_reason", "award_check_has_evidence")(ReasonTooShort)
keeps("award_check_once", "check_of_standing_award")(ChangedMeanwhile)


@keeps("checked_as_declared")
class NoSuchCheck(Malformed):
    """A winner is checked for what is asked of it and of those who take part in its bid."""

    title = "The award is not checked for that; the list of its checks says for what it is."


@keeps("contract_after_verification")
class WinnerUnverified(MarketError):
    """No contract before everything the winner declared is verified, or waived with a reason."""

    title = (
        "What the winner declared is not verified. Record every check; if one is not met and stays"
        " so, record that the bid drops out."
    )


# -- notices, standstill and contract -------------------------------------------------------------


@keeps("standstill_long_enough", "standstill_by_rule_set", "standstill_after_notices")
class StandstillRefused(MarketError):
    """The standstill must be as long as the tender's rule set says, from the last notice on."""

    title = "The standstill does not fit the tender's rule set. Repeat the request."


@keeps("no_contract_in_standstill")
class StandstillRunning(MarketError):
    """No contract before the standstill has ended; the detail says when."""

    title = "No contract can be made before the standstill is over."


@keeps("contract_ends_after_start")
class ContractDatesFaulty(Malformed):
    """A contract ends after it starts."""

    title = "A contract ends after it starts."


# -- letters -------------------------------------------------------------------------------------


class LetterTooLong(MarketError):
    """The letter is longer than what is set as a PDF; the page says the same."""

    status = 409
    title = "The letter is too long for a PDF. Read it as a page."


class LettersBusy(MarketError):
    """As many letters as may wait are waiting to be set as PDFs, or this one waited too long."""

    status = 503
    title = "Too many PDFs are being made. Repeat the request, or read it as a page."
    retry_after = 10
