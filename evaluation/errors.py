"""Refusals of evaluation and award, named by their reason."""

from market.errors import Malformed, MarketError, Stale, WrongStage, keeps

keeps("lot_version_counts")(Stale)


@keeps("lot_stage", "lot_transition", "lot_stage_earned")
class LotNotThere(WrongStage):
    """The lot is at another stage than the act needs, or has not earned the next one."""

    title = "The lot is not at the stage that this needs."


@keeps(
    "score_once",
    "agreed_score_once",
    "quality_decision_bid_key",
    "ranking_once",
    "ranked_bid_once",
    "drop_out_bid_key",
    "drop_out_ranking_key",
    "recommendation_once",
    "approves_latest",
    "award_recommendation_key",
    "award_notice_once",
    "standstill_award_key",
    "contract_lot_key",
)
class ChangedMeanwhile(MarketError):
    """Somebody else recorded the same thing at the same moment."""

    title = "Somebody recorded this at the same moment. Read it again before you repeat it."


# -- quality --------------------------------------------------------------------------------------


@keeps("scored_on_published_scale")
class ScoreOffScale(Malformed):
    """A scale is a list of values, not a range: only its values can be given."""

    title = "That value is not on the published scale."


@keeps("scored_by_published_criteria")
class NoSuchCriterion(Malformed):
    """Bids are scored by the published criteria of their lot and by nothing else."""

    title = "The lot has no criterion to score with that code."


@keeps(
    "score_has_reason",
    "agreed_score_has_reason",
    "drop_out_has_reason",
    "recommendation_has_reason",
)
class ReasonTooShort(Malformed):
    """No score and no recommendation without a reason that says something."""

    title = "Give a reason of at least 20 characters."


@keeps("scored_bid_opened")
class BidNotOpened(MarketError):
    """The bid's quality envelope has not been opened, or was found not to open."""

    title = "Only bids whose quality envelope was opened are scored."


@keeps("locked_scores_stay")
class ScoresLocked(MarketError):
    """Locked scores are final."""

    title = "These scores are locked, so they cannot be added to."


@keeps("score_lock_once")
class LockedAlready(MarketError):
    """An evaluator locks a lot once."""

    title = "You have locked your scores of this lot already."


@keeps("locked_scores_complete")
class ScoresIncomplete(MarketError):
    """Every criterion of every bid needs a score before the scores are locked."""

    title = "Score every criterion of every bid before you lock."


@keeps("moderated_after_locking")
class ModerationTooEarly(MarketError):
    """Scores are agreed once every evaluator has locked their own, and enough have."""

    title = "Scores are agreed once every evaluator has locked, and enough of them have."


@keeps("quality_fully_moderated")
class ModerationIncomplete(MarketError):
    """Every criterion of every bid needs an agreed score before quality is locked."""

    title = "Every criterion of every bid needs an agreed score first."


class OpeningIncomplete(MarketError):
    """A bid's quality envelope is still to be opened."""

    title = "The opening is not complete. An opener can resume it."


@keeps(
    "quality_adds_up",
    "quality_decision_denominator_positive",
    "quality_decision_figures_finite",
    "ranking_adds_up",
    "ranking_whole",
    "ranking_later_has_reason",
    "ranking_draw_seed_length",
    "ranked_at_once",
    "ranked_by_published_method",
    "reranked_after_drop_out",
    "drop_out_followed",
    "frozen_figures_stand",
    "draw_as_committed",
    "ranked_bid_passed",
    "ranked_bid_denominators_positive",
    "ranked_bid_numerators_not_negative",
    "ranked_bid_price_points_whole",
    "ranked_bid_figures_finite",
    "ranked_price_adds_up",
)
class FiguresRefused(MarketError):
    """The database computed the figures again and came to others: nothing was stored."""

    title = "The figures do not follow from what is recorded. Nothing was stored."


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


@keeps("dropped_out_of_ranking")
class NotInRanking(MarketError):
    """Only a bid that is ranked can drop out, once."""

    title = "The bid is not in the ranking, so it cannot drop out of it."


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


# -- trials ---------------------------------------------------------------------------------------


class TrialFaulty(Malformed):
    """The method, its weights or the made-up bids cannot be tried as they were sent."""

    title = "This cannot be tried. Each fault is listed with its place."
