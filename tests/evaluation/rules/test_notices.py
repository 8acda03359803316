from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any

import msgspec
import pytest

from evaluation.rules.exact import Exact, pounds
from evaluation.rules.notice_content import (
    Agreed,
    DecidedBid,
    LotAward,
    NoticeContent,
    NoticeOutcome,
)
from evaluation.rules.notices import notice_for
from tenders.rules.criteria import Criterion, CriterionKind, ScaleValue


def _leaf(code: str, weight: str) -> Criterion:
    return Criterion(
        code=code, title=f"Question {code}", kind=CriterionKind.QUALITY, weight=weight, question="?"
    )


def _agreed(*values: str) -> dict[str, Agreed]:
    return {
        code: Agreed(value=Decimal(value), reason=f"The panel's reason for {value} on {code}. ")
        for code, value in zip(("Q1", "Q2"), values, strict=True)
    }


LEAVES = (_leaf("Q1", "40"), _leaf("Q2", "20.00"))
GROUP = Criterion(
    code="Q", title="The service", kind=CriterionKind.QUALITY, weight="60", children=LEAVES
)
WINNER = DecidedBid(
    supplier="Best Limited",
    agreed=_agreed("10", "5"),
    quality_points=Fraction(50),
    passed=True,
    price=Decimal("1200.5000"),
    price_points=Fraction(100, 3),
    total=Fraction(250, 3),
    place=1,
)
SECOND = DecidedBid(
    supplier="Second Trust",
    agreed=_agreed("5", "10"),
    quality_points=Fraction(40),
    passed=True,
    price=Decimal(1000),
    price_points=Fraction(40),
    total=Fraction(80),
    place=2,
)
LOW = DecidedBid(
    supplier="Low Limited",
    agreed=_agreed("2", "2"),
    quality_points=Fraction(12),
    passed=False,
    failed_because=["minimum_quality"],
)
AWARD = LotAward(
    reference="CSM-2026-ABCDEF",
    title="Support for three groups",
    buyers=["NHS Luton CCG"],
    lot=1,
    lot_title="Intelligence",
    leaves=LEAVES,
    groups=(GROUP,),
    scale=(
        ScaleValue(value="2", title="Poor", descriptor="Does not answer the question."),
        ScaleValue(value="5", title="Fair", descriptor="Answers it in part."),
        ScaleValue(value="10", title="Good", descriptor="Answers it in full, with evidence."),
    ),
    highest=Fraction(10),
    quality_weight=Fraction(60),
    price_weight=Fraction(40),
    minimum_quality=Decimal("50.0"),
    method="lowest_price_ratio",
    method_version=1,
    tie_rule="higher_quality",
    rule_set="pcr_2015",
    standstill_ends_at=datetime(2026, 7, 13, 23, tzinfo=UTC),
    winner=WINNER,
)


def test_the_winner_is_told_of_itself_alone() -> None:
    notice = notice_for(AWARD, WINNER, wins=True)
    assert notice.outcome is NoticeOutcome.SUCCESSFUL
    assert "has been successful" in notice.decision
    assert notice.own is not None
    assert notice.own.price is not None
    assert notice.own.price.amount == "1200.50"
    assert notice.winning is None
    assert notice.relative_advantages == []


def test_an_unsuccessful_bidder_sees_both_sets_of_scores_and_reasons() -> None:
    notice = notice_for(AWARD, SECOND, wins=False)
    assert notice.outcome is NoticeOutcome.UNSUCCESSFUL
    assert notice.decision == (
        "Your tender was ranked number 2 with 80.00 of 100 points. The lot is awarded to"
        " Best Limited, whose tender has 83.33 points."
    )
    assert notice.own is not None
    assert notice.winning is not None
    assert [score.value for score in notice.own.scores] == ["5", "10"]
    assert [score.value for score in notice.winning.scores] == ["10", "5"]
    assert notice.winning.price is None
    assert notice.own.scores[0].points == Exact.of(Fraction(20))
    one, two, price = notice.relative_advantages
    assert "The successful tender has the advantage" in one
    assert "Your tender has the advantage" in two
    assert "The panel's reason for 10 on Q1." in one
    assert price == "Price, 40 points: the successful tender has 33.33 and yours 40.00."


def test_equal_scores_give_neither_the_advantage() -> None:
    equal = msgspec.structs.replace(SECOND, agreed=WINNER.agreed)
    notice = notice_for(AWARD, equal, wins=False)
    assert "Neither tender has the advantage" in notice.relative_advantages[0]


def test_a_bidder_below_the_minimum_learns_what_it_reached_and_no_price_figure() -> None:
    notice = notice_for(AWARD, LOW, wins=False)
    assert notice.outcome is NoticeOutcome.BELOW_MINIMUM
    assert "reached 20.00 per cent" in notice.decision
    assert "at least 50 per cent" in notice.decision
    assert notice.own is not None
    assert (notice.own.price, notice.own.total, notice.own.place) == (None, None, None)
    assert len(notice.relative_advantages) == 2


def test_a_bid_that_failed_a_gate_or_the_minimum_of_a_criterion_is_told_which() -> None:
    gate = Criterion(
        code="G1",
        title="Data protection",
        kind=CriterionKind.QUALITY,
        weight="0",
        question="?",
        pass_fail=True,
    )
    question = msgspec.structs.replace(LEAVES[0], minimum="5")
    award = msgspec.structs.replace(AWARD, leaves=(gate, question, LEAVES[1]))
    passed = {"G1": Agreed(value=Decimal(1), reason="It holds the certificate.")}
    winner = msgspec.structs.replace(WINNER, agreed={**WINNER.agreed, **passed})
    failed = msgspec.structs.replace(
        LOW,
        agreed={**LOW.agreed, "G1": Agreed(value=Decimal(0), reason="It holds no certificate.")},
        failed_because=["failed:G1", "below_minimum:Q1"],
    )
    notice = notice_for(msgspec.structs.replace(award, winner=winner), failed, wins=False)
    assert notice.decision.startswith(
        "Your tender did not pass on quality. It failed G1, Data protection, which is passed or"
        " failed. It was given 2 for Q1, Question Q1; at least 5 was needed."
    )
    assert notice.own is not None
    assert notice.winning is not None
    assert [score.level for score in notice.own.scores] == ["failed", "Poor", "Poor"]
    assert [score.level for score in notice.winning.scores] == ["passed", "Good", "Fair"]
    assert [one.points for one in notice.own.subtotals] == [Exact.of(Fraction(12))]


def test_only_in_the_first_round_is_a_price_said_to_stay_sealed() -> None:
    sealed = "Your price was not opened"
    assert sealed in notice_for(AWARD, LOW, wins=False).decision
    later = msgspec.structs.replace(AWARD, round=2)
    assert sealed not in notice_for(later, LOW, wins=False).decision


def test_a_mean_between_two_values_of_the_scale_has_no_title() -> None:
    agreed = {code: Agreed(value=Fraction(20, 3), reason="The mean.") for code in ("Q1", "Q2")}
    notice = notice_for(AWARD, msgspec.structs.replace(SECOND, agreed=agreed), wins=False)
    assert notice.own is not None
    assert [(one.value, one.level) for one in notice.own.scores] == [("6.67 (20/3)", None)] * 2


@pytest.mark.parametrize(
    ("changes", "outcome", "words"),
    [
        (
            {"agreed": {}, "passed": False, "quality_points": Fraction(0)},
            NoticeOutcome.NOT_OPENED,
            "could not be scored: It does not open.",
        ),
        ({"passed": True}, NoticeOutcome.WITHOUT_PRICE, "could not be ranked: It does not open."),
    ],
)
def test_a_bid_that_did_not_open_is_told_why(
    changes: dict[str, Any], outcome: NoticeOutcome, words: str
) -> None:
    broken = msgspec.structs.replace(LOW, failure="It does not open.", **changes)
    notice = notice_for(AWARD, broken, wins=False)
    assert notice.outcome is outcome
    assert words in notice.decision
    assert (notice.own is None) == (outcome is NoticeOutcome.NOT_OPENED)
    assert notice.winning is not None


def test_the_end_of_the_standstill_is_told_in_london_time() -> None:
    notice = notice_for(AWARD, SECOND, wins=False)
    assert "00:00 London time on 14 July 2026" in notice.standstill
    assert notice.standstill_ends_at == AWARD.standstill_ends_at


def test_no_notice_tells_anything_of_another_bidder_that_lost() -> None:
    for bid, others in ((WINNER, (SECOND, LOW)), (SECOND, (LOW,)), (LOW, (SECOND,))):
        text = msgspec.json.encode(notice_for(AWARD, bid, wins=bid is WINNER)).decode()
        for other in others:
            assert other.supplier not in text


def test_a_notice_reads_back_as_it_was_written() -> None:
    notice = notice_for(AWARD, SECOND, wins=False)
    assert msgspec.json.decode(msgspec.json.encode(notice), type=NoticeContent) == notice


@pytest.mark.parametrize(
    ("price", "written"),
    [
        ("1", "1.00"),
        ("1.5", "1.50"),
        ("1.50000", "1.50"),
        ("0.12345", "0.12345"),
        ("1E+3", "1000.00"),
    ],
)
def test_a_price_has_two_decimals_or_as_many_more_as_it_needs(price: str, written: str) -> None:
    assert pounds(Decimal(price)).amount == written
