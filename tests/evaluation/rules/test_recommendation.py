"""The report on a recommendation as a golden text, with everything that can stand in it."""

from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path

import msgspec

from evaluation.rules.exact import Exact
from evaluation.rules.low_prices import low_prices
from evaluation.rules.recommendation import (
    Findings,
    HandledConflict,
    LowPriceDecided,
    RecommendationReport,
    RecommendedBid,
    ReportedDissent,
    report_on,
)
from evaluation.rules.recommendation_letter import letter_of
from evaluation.rules.robustness.report import Flip
from tenders.rules.low_prices import AbnormallyLow
from tests.evaluation.rules.test_letters import SENT, told
from tests.evaluation.rules.test_notices import AWARD, LOW, SECOND, WINNER

GOLDEN = Path(__file__).with_name("recommendation.txt")
BIDS = {
    "Bidder A": WINNER,
    "Bidder B": SECOND,
    "Bidder C": LOW,
    "Bidder D": msgspec.structs.replace(
        LOW, supplier="Gone Limited", passed=True, failed_because=(), dropped_out="It withdrew."
    ),
    "Bidder E": msgspec.structs.replace(
        LOW,
        supplier="Shut Limited",
        variant=1,
        agreed={},
        quality_points=Fraction(0),
        failed_because=["not_opened"],
        failure="It does not open.",
    ),
}
FOUND = Findings(
    ranking=2,
    ranked_at=datetime(2026, 7, 2, 14, tzinfo=UTC),
    flips=[
        Flip(
            key="Bidder A",
            criterion="Q1",
            agreed=Fraction(10),
            instead=Fraction(5),
            winners=("Bidder B",),
        )
    ],
    low_prices=low_prices(
        {"Bidder A": Fraction("1200.50"), "Bidder B": Fraction(600)},
        AbnormallyLow(below_mean="40", below_next="30"),
    ),
    decided={"Bidder B": LowPriceDecided(outcome="accepted", reason="It owns what others rent.")},
    conflicts=[
        HandledConflict(
            person="Ann Example",
            bidder="Low Limited",
            outcome="must_leave",
            reason="The panel is complete without her.",
            mitigation="",
            decided_at=SENT,
        )
    ],
    dissent=[
        ReportedDissent(
            pseudonym="Bidder A",
            criterion="Q2",
            evaluator="Emil Evaluator",
            reason="The answer names no date.",
        )
    ],
)


def report(found: Findings = FOUND) -> RecommendationReport:
    """The report on the first bid."""
    recommended = RecommendedBid(
        number=1,
        pseudonym="Bidder A",
        supplier=WINNER.supplier,
        reason="It has the most points of quality and price together.",
        recommended_at=SENT,
    )
    return report_on(AWARD, recommended, BIDS, found)


def test_the_report_is_as_it_was_read_and_approved() -> None:
    assert f"{told(letter_of(report()))}\n" == GOLDEN.read_text(encoding="utf-8")


def test_the_margin_lies_between_the_first_two_that_are_ranked() -> None:
    assert report().margin == Exact.of(Fraction(10, 3))
    recommended = report().recommendation
    assert report_on(AWARD, recommended, {"Bidder A": WINNER}, FOUND).margin is None


def test_where_nothing_was_found_the_report_says_so() -> None:
    nothing = msgspec.structs.replace(
        FOUND, flips=[], low_prices={}, decided={}, conflicts=[], dissent=[]
    )
    said = told(letter_of(report(nothing)))
    for sentence in (
        "No single mark, one step of the scale higher or lower, would change it.",
        "The guardian had no interest in a bidder of the lot to decide about.",
        "No evaluator dissented from an agreed score.",
    ):
        assert sentence in said
    frozen = told(letter_of(report(msgspec.structs.replace(nothing, flips=None))))
    assert "The figures are frozen from an earlier ranking" in frozen
