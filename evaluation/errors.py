"""Refusals of evaluation and award, named by their reason."""

from market.errors import Forbidden, Malformed, MarketError, Stale, WrongStage, keeps

keeps("lot_version_counts")(Stale)


@keeps("lot_stage", "lot_transition", "lot_stage_earned")
class LotNotThere(WrongStage):
    """The lot is at another stage than the act needs, or has not earned the next one."""

    title = "The lot is not at the stage that this needs."


@keeps(
    "score_once",
    "agreed_score_once",
    "panel_once",
    "quality_decision_once",
    "ranking_once",
    "ranked_bid_once",
    "drop_out_bid_key",
    "drop_out_ranking_key",
    "recommendation_once",
    "approves_latest",
    "award_recommendation_key",
    "award_notice_once",
    "standstill_award_key",
    "lot_round_once",
    "disclosure_bundle_once",
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
    "agreed_score_discussion_says",
    "dissent_has_reason",
    "recommendation_has_reason",
    "challenge_end_has_reason",
    "lot_challenge_has_grounds",
    "disclosure_bundle_has_reason",
)
class ReasonTooShort(Malformed):
    """No score, no dissent and no recommendation without a reason that says something."""

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


@keeps("score_evidence_listed")
class EvidenceNotInBid(Malformed):
    """Evidence of a score is a place in the bid that is scored."""

    title = "Evidence must be found in the bid, and be 20 places at most."


@keeps("mean_is_computed")
class MeanIsComputed(Malformed):
    """Where the mean is the published rule, the market computes it and nobody types it."""

    title = "The published rule is the mean of the scores: give the reason alone."


@keeps("spread_discussed")
class SpreadNotDiscussed(MarketError):
    """Scores further apart than the published tolerance are discussed before one is agreed."""

    title = "The scores lie further apart than was published. Say how the panel discussed them."


@keeps("moderated_on_counting_scores")
class PanelChanged(MarketError):
    """An agreed score stands on the scores that count; when those change it is agreed anew."""

    title = "The panel has changed since these scores were agreed. Agree on them anew."


@keeps("dissent_from_agreed")
class NothingToDissentFrom(MarketError):
    """Dissent is an evaluator's whose score counts, from the agreed score that stands."""

    title = "There is no agreed score of that criterion that stands on a score of yours."


@keeps("dissent_once")
class DissentedAlready(MarketError):
    """An evaluator dissents from an agreed score once."""

    title = "You have recorded your dissent from this agreed score already."


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


# -- the panel ------------------------------------------------------------------------------------


@keeps("scored_as_assigned")
class NotAssigned(Forbidden):
    """An evaluator scores the criteria they are assigned to."""

    title = "You are not assigned to that criterion of this lot."


@keeps("panel_large_enough", "seat_of_evaluator", "seat_of_published_criterion", "panel_seat_once")
class PanelFaulty(Malformed):
    """A panel has quality evaluators for every criterion that is scored, and enough of them."""

    title = "The panel cannot be set like this. Each fault is listed with its place."


@keeps("replacement_has_reason", "panel_reason_says")
class ReplacementWithoutReason(Malformed):
    """Once scoring has begun, a change of the panel has a reason."""

    title = "Scoring has begun: say why the panel changes."


@keeps("scored_seats_stay", "locked_seats_stay", "panel_set_whole")
class ScoredSeatsStay(MarketError):
    """Nobody is taken from what they have scored, or given more once they have locked."""

    title = "Who can act and has scored a criterion keeps it; who has locked gets nothing more."


# -- questions about a bid ------------------------------------------------------------------------

keeps("questioned_bid_opened")(BidNotOpened)
keeps("bid_question_asks")(ReasonTooShort)
keeps("bid_question_once")(ChangedMeanwhile)


@keeps("question_has_deadline")
class QuestionDeadlineFaulty(Malformed):
    """A question leaves its bidder time to answer, and not for ever."""

    title = "An answer is asked for by a later moment than now, and within 60 days."


@keeps("answered_in_time")
class AnswerTooLate(MarketError):
    """A question is answered before its deadline, while what it is about is still looked at."""

    title = "The time for an answer to this question is over."


@keeps("bid_answer_question_key")
class AnsweredAlready(MarketError):
    """A question is answered once."""

    title = "This question has been answered already."


# -- trials ---------------------------------------------------------------------------------------


class TrialFaulty(Malformed):
    """The method, its weights or the made-up bids cannot be tried as they were sent."""

    title = "This cannot be tried. Each fault is listed with its place."
