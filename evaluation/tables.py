"""Tables of evaluation and award: scores with reasons, ranking, decisions, notices, contract."""

from typing import Any

from piccolo import columns
from piccolo.columns import OnDelete
from piccolo.constraints import Check, Unique
from piccolo.table import Table

from market.database import DB
from market.organisations.tables import OrganisationTable
from market.people.tables import PersonTable
from tenders.tables.bids import BidParticipantTable, BidTable
from tenders.tables.lots import CriterionTable, LotTable


def row_of(
    table: type[Table], *, unique: bool = False, index: bool = False
) -> columns.ForeignKey[Any]:
    """A required reference to a row that can never be deleted from under it."""
    return columns.ForeignKey(
        table, default=None, null=False, on_delete=OnDelete.restrict, unique=unique, index=index
    )


class PanelTable(Table, db=DB, tablename="panel"):
    """Who scores what in a lot, as its tender manager set it; a later one replaces it whole."""

    id = columns.UUID(primary_key=True)
    lot = row_of(LotTable)
    number = columns.Integer(default=None, null=False)
    because = columns.Text(default=None, null=True)
    set_by = row_of(PersonTable)
    set_at = columns.Timestamptz(default=None, null=False)
    round = columns.Integer(default=1, null=False)

    panel_once = Unique(["lot", "number"])
    panel_reason_says = Check("because ~ '\\S'")


class PanelSeatTable(Table, db=DB, tablename="panel_seat"):
    """An evaluator scores a criterion, named by its code: criteria are rows from the opening on."""

    id = columns.UUID(primary_key=True)
    panel = row_of(PanelTable)
    evaluator = row_of(PersonTable)
    criterion = columns.Varchar(length=32, default=None, null=False)

    panel_seat_once = Unique(["panel", "evaluator", "criterion"])


class CountedSeatTable(Table, db=DB, tablename="counted_seat"):
    """Whose scores of a criterion counted when the quality of its lot was locked."""

    id = columns.UUID(primary_key=True)
    lot = row_of(LotTable)
    evaluator = row_of(PersonTable)
    criterion = row_of(CriterionTable)
    round = columns.Integer(default=1, null=False)

    counted_seat_once = Unique(["lot", "evaluator", "criterion", "round"])


class ScoreTable(Table, db=DB, tablename="score"):
    """One evaluator's score of one criterion of one bid, with its reason; corrections add rows."""

    id = columns.UUID(primary_key=True)
    lot = row_of(LotTable, index=True)
    bid = row_of(BidTable)
    criterion = row_of(CriterionTable)
    evaluator = row_of(PersonTable)
    number = columns.Integer(default=None, null=False)
    value = columns.Numeric(default=None, null=False)
    reason = columns.Text(default=None, null=False)
    evidence = columns.JSONB(default="[]", null=False)
    scored_at = columns.Timestamptz(default=None, null=False)
    round = columns.Integer(default=1, null=False)

    score_once = Unique(["bid", "criterion", "evaluator", "number"])
    score_has_reason = Check("length(btrim(reason)) >= 20")
    score_evidence_listed = Check(
        "jsonb_typeof(evidence) = 'array' AND jsonb_array_length(evidence) <= 20"
    )


class ScoreLockTable(Table, db=DB, tablename="score_lock"):
    """An evaluator has finished a lot: their scores of it are final."""

    id = columns.UUID(primary_key=True)
    lot = row_of(LotTable)
    evaluator = row_of(PersonTable)
    locked_at = columns.Timestamptz(default=None, null=False)
    round = columns.Integer(default=1, null=False)

    score_lock_once = Unique(["lot", "evaluator", "round"])


class AgreedScoreTable(Table, db=DB, tablename="agreed_score"):
    """The panel's agreed score of one criterion of one bid, recorded by the moderator.

    The value is `value` over `divisor`: a mean of three scores is no decimal. `counted` are the
    evaluators on whose scores it stands.
    """

    id = columns.UUID(primary_key=True)
    lot = row_of(LotTable, index=True)
    bid = row_of(BidTable)
    criterion = row_of(CriterionTable)
    moderator = row_of(PersonTable)
    number = columns.Integer(default=None, null=False)
    value = columns.Numeric(default=None, null=False)
    divisor = columns.Integer(default=None, null=False)
    reason = columns.Text(default=None, null=False)
    discussion = columns.Text(default=None, null=True)
    counted = columns.Array(base_column=columns.UUID(), default=None, null=False)
    agreed_at = columns.Timestamptz(default=None, null=False)
    round = columns.Integer(default=1, null=False)

    agreed_score_once = Unique(["bid", "criterion", "number"])
    agreed_score_has_reason = Check("length(btrim(reason)) >= 20")
    agreed_score_discussion_says = Check("length(btrim(discussion)) >= 20")
    agreed_score_divided = Check("divisor > 0")


class DissentTable(Table, db=DB, tablename="dissent"):
    """An evaluator does not share an agreed score, and why."""

    id = columns.UUID(primary_key=True)
    agreed_score = row_of(AgreedScoreTable)
    evaluator = row_of(PersonTable)
    reason = columns.Text(default=None, null=False)
    dissented_at = columns.Timestamptz(default=None, null=False)

    dissent_once = Unique(["agreed_score", "evaluator"])
    dissent_has_reason = Check("length(btrim(reason)) >= 20")


class QualityDecisionTable(Table, db=DB, tablename="quality_decision"):
    """A bid's quality points and whether they meet the minimum; the database checks the sum."""

    id = columns.UUID(primary_key=True)
    lot = row_of(LotTable, index=True)
    bid = row_of(BidTable)
    points_numerator = columns.Numeric(default=None, null=False)
    points_denominator = columns.Numeric(default=None, null=False)
    passed = columns.Boolean(default=None, null=False)
    failed_because = columns.Array(base_column=columns.Text(), default=None, null=False)
    decided_by = row_of(PersonTable)
    decided_at = columns.Timestamptz(default=None, null=False)
    round = columns.Integer(default=1, null=False)

    quality_decision_once = Unique(["bid", "round"])
    quality_decision_says_why = Check("passed = (failed_because = '{}')")
    quality_decision_denominator_positive = Check("points_denominator > 0")
    # PostgreSQL has numeric infinities and NaN, equal to themselves: any sum would add up with them
    quality_decision_figures_finite = Check(
        "points_numerator >= 0 AND greatest(points_numerator, points_denominator) < 'Infinity'"
    )


class RankingTable(Table, db=DB, tablename="ranking"):
    """One ranking of a lot by its published method; the latest counts. A later one has its reason.

    `draw_seed` is what was committed to at publication, where the tie rule is a draw.
    """

    id = columns.UUID(primary_key=True)
    lot = row_of(LotTable)
    number = columns.Integer(default=None, null=False)
    because = columns.Text(default=None, null=True)
    method = columns.Varchar(length=60, default=None, null=False)
    method_version = columns.Integer(default=None, null=False)
    ranked_by = row_of(PersonTable)
    ranked_at = columns.Timestamptz(default=None, null=False)
    draw_seed = columns.Bytea(default=None, null=True)
    round = columns.Integer(default=1, null=False)

    ranking_once = Unique(["lot", "number"])
    ranking_later_has_reason = Check("(number = 1) = (because IS NULL)")
    ranking_draw_seed_length = Check("octet_length(draw_seed) = 32")


class RankedBidTable(Table, db=DB, tablename="ranked_bid"):
    """A bid's place in a ranking, with every figure as an exact fraction.

    The total is quality plus price points or, without price points, the figure of an index.
    """

    id = columns.UUID(primary_key=True)
    ranking = row_of(RankingTable)
    bid = row_of(BidTable, index=True)
    place = columns.Integer(default=None, null=False)
    tied = columns.Boolean(default=None, null=False)
    price = columns.Numeric(default=None, null=False)
    quality_numerator = columns.Numeric(default=None, null=False)
    quality_denominator = columns.Numeric(default=None, null=False)
    price_numerator = columns.Numeric(default=None, null=True)
    price_denominator = columns.Numeric(default=None, null=True)
    total_numerator = columns.Numeric(default=None, null=False)
    total_denominator = columns.Numeric(default=None, null=False)

    ranked_bid_once = Unique(["ranking", "bid"])
    ranked_bid_place_positive = Check("place > 0")
    ranked_bid_price_positive = Check("price > 0")
    # 0/0 adds up to anything, and so do numeric infinities and NaN, which is greater than both
    ranked_bid_denominators_positive = Check(
        "quality_denominator > 0 AND price_denominator > 0 AND total_denominator > 0"
    )
    ranked_bid_price_points_whole = Check("(price_numerator IS NULL) = (price_denominator IS NULL)")
    # the figure of an index may lie below nought
    ranked_bid_numerators_not_negative = Check(
        "quality_numerator >= 0 AND price_numerator >= 0"
        " AND (total_numerator >= 0 OR price_numerator IS NULL)"
    )
    ranked_bid_figures_finite = Check(
        "greatest(quality_numerator, quality_denominator, price_numerator, price_denominator,"
        " total_numerator, total_denominator) < 'Infinity' AND total_numerator > '-Infinity'"
    )


class DropOutTable(Table, db=DB, tablename="drop_out"):
    """That a ranked bid dropped out, and why; the ranking after it holds those that are left."""

    id = columns.UUID(primary_key=True)
    lot = row_of(LotTable, index=True)
    bid = row_of(BidTable, unique=True)
    ranking = row_of(RankingTable, unique=True)
    reason = columns.Text(default=None, null=False)
    recorded_by = row_of(PersonTable)
    recorded_at = columns.Timestamptz(default=None, null=False)

    drop_out_has_reason = Check("length(btrim(reason)) >= 20")


class RecommendationTable(Table, db=DB, tablename="recommendation"):
    """The panel's recommendation for a lot out of a ranking, with its reason."""

    id = columns.UUID(primary_key=True)
    lot = row_of(LotTable)
    ranking = row_of(RankingTable)
    number = columns.Integer(default=None, null=False)
    bid = row_of(BidTable)
    reason = columns.Text(default=None, null=False)
    recommended_by = row_of(PersonTable)
    recommended_at = columns.Timestamptz(default=None, null=False)

    recommendation_once = Unique(["lot", "number"])
    recommendation_has_reason = Check("length(btrim(reason)) >= 20")


class ApprovalTable(Table, db=DB, tablename="approval"):
    """One approver's answer to a recommendation."""

    id = columns.UUID(primary_key=True)
    recommendation = row_of(RecommendationTable)
    approver = row_of(PersonTable)
    lay = columns.Boolean(default=None, null=False)
    outcome = columns.Varchar(length=20, default=None, null=False)
    reason = columns.Text(default=None, null=False)
    decided_at = columns.Timestamptz(default=None, null=False)

    approval_once = Unique(["recommendation", "approver"])
    approval_outcome_known = Check("outcome IN ('approved', 'returned')")
    approval_has_reason = Check("reason ~ '\\S'")


class AwardTable(Table, db=DB, tablename="award"):
    """The decision to award a lot as recommended; it falls with the ranking it came from."""

    id = columns.UUID(primary_key=True)
    lot = row_of(LotTable, index=True)
    recommendation = row_of(RecommendationTable, unique=True)
    bid = row_of(BidTable)
    awarded_at = columns.Timestamptz(default=None, null=False)


class NoticeTable(Table, db=DB, tablename="award_notice"):
    """What one bidder was told of the award of a lot, word for word."""

    id = columns.UUID(primary_key=True)
    lot = row_of(LotTable, index=True)
    award = row_of(AwardTable)
    bid = row_of(BidTable, index=True)
    recipient = row_of(OrganisationTable, index=True)
    content = columns.JSONB(default=None, null=False)
    sent_by = row_of(PersonTable)
    sent_at = columns.Timestamptz(default=None, null=False)

    award_notice_once = Unique(["award", "bid"])


class StandstillTable(Table, db=DB, tablename="standstill"):
    """When the standstill of an award began and ends: computed once, never changed."""

    id = columns.UUID(primary_key=True)
    lot = row_of(LotTable, index=True)
    award = row_of(AwardTable, unique=True)
    rule_set = columns.Varchar(length=60, default=None, null=False)
    began_at = columns.Timestamptz(default=None, null=False)
    ends_at = columns.Timestamptz(default=None, null=False)

    standstill_ends_after_start = Check("ends_at > began_at")


class BidQuestionTable(Table, db=DB, tablename="bid_question"):
    """What the point of contact asked a bidder about its bid, and until when it may answer."""

    id = columns.UUID(primary_key=True)
    lot = row_of(LotTable, index=True)
    bid = row_of(BidTable)
    number = columns.Integer(default=None, null=False)
    about = columns.Varchar(length=10, default=None, null=False)
    question = columns.Text(default=None, null=False)
    asked_by = row_of(PersonTable)
    asked_at = columns.Timestamptz(default=None, null=False)
    answer_by = columns.Timestamptz(default=None, null=False)

    bid_question_once = Unique(["bid", "number"])
    bid_question_asks = Check("length(btrim(question)) >= 20")
    bid_question_about_envelope = Check("about IN ('quality', 'price', 'low_price')")


class BidAnswerTable(Table, db=DB, tablename="bid_answer"):
    """What the bidder answered; it explains the bid and changes nothing in it."""

    id = columns.UUID(primary_key=True)
    question = row_of(BidQuestionTable, unique=True)
    answer = columns.Text(default=None, null=False)
    answered_by = row_of(PersonTable)
    answered_at = columns.Timestamptz(default=None, null=False)

    bid_answer_says = Check("answer ~ '\\S'")


class ContractTable(Table, db=DB, tablename="contract"):
    """The contract of one buyer for a lot; `value` is its share of the awarded price."""

    id = columns.UUID(primary_key=True)
    lot = row_of(LotTable, index=True)
    award = row_of(AwardTable)
    buyer = row_of(OrganisationTable)
    value = columns.Numeric(default=None, null=False)
    reference = columns.Varchar(length=60, default=None, null=False)
    recorded_by = row_of(PersonTable)
    made_at = columns.Timestamptz(default=None, null=False)
    starts = columns.Date(default=None, null=False)
    ends = columns.Date(default=None, null=False)

    contract_once_a_buyer = Unique(["award", "buyer"])
    contract_ends_after_start = Check("ends > starts")


class LowPriceDecisionTable(Table, db=DB, tablename="low_price_decision"):
    """Whether a price that appeared abnormally low was accepted as explained, once and for good."""

    id = columns.UUID(primary_key=True)
    lot = row_of(LotTable, index=True)
    bid = row_of(BidTable, unique=True)
    outcome = columns.Varchar(length=20, default=None, null=False)
    reason = columns.Text(default=None, null=False)
    decided_by = row_of(PersonTable)
    decided_at = columns.Timestamptz(default=None, null=False)

    low_price_outcome_known = Check("outcome IN ('accepted', 'rejected')")
    low_price_has_reason = Check("length(btrim(reason)) >= 20")


class AwardCheckTable(Table, db=DB, tablename="award_check"):
    """What was found of one thing the winner declared, with the evidence; the latest counts."""

    id = columns.UUID(primary_key=True)
    lot = row_of(LotTable, index=True)
    award = row_of(AwardTable, index=True)
    subject = columns.Varchar(length=30, default=None, null=False)
    # of whom: the lead of the bid where none is named
    participant = columns.ForeignKey(
        BidParticipantTable, default=None, null=True, on_delete=OnDelete.restrict
    )
    number = columns.Integer(default=None, null=False)
    outcome = columns.Varchar(length=20, default=None, null=False)
    reason = columns.Text(default=None, null=False)
    evidence = columns.Text(default=None, null=False)
    recorded_by = row_of(PersonTable)
    recorded_at = columns.Timestamptz(default=None, null=False)

    award_check_once = Unique(["award", "number"])
    award_check_subject_known = Check(
        "subject IN ('exclusion_grounds', 'financial_standing', 'insurance')"
    )
    award_check_outcome_known = Check("outcome IN ('verified', 'not_met', 'waived')")
    award_check_has_reason = Check("length(btrim(reason)) >= 20")
    award_check_has_evidence = Check("evidence ~ '\\S'")
