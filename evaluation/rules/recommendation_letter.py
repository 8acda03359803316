"""The report on a recommendation, laid out to be read and printed, as a letter is."""

from collections.abc import Iterator, Sequence

from evaluation.rules.letters import (
    Letter,
    Section,
    TableOfLetter,
    judged_by,
    scored,
    spoken_time,
    titles_of,
)
from evaluation.rules.recommendation import RecommendationReport, ReportedBid
from tenders.rules.rule_sets import RULE_SETS, RuleSetName

_NONE = "-"


def letter_of(report: RecommendationReport) -> Letter:
    """Lay out the report. Nothing is computed here, so it says what the JSON says."""
    recommended = report.recommendation
    return Letter(
        title=f"Report on recommendation {recommended.number}: {report.reference},"
        f" lot {report.lot}",
        made_at=recommended.recommended_at,
        particulars=[
            ("Tender", f"{report.reference}, {report.title}"),
            ("Lot", f"{report.lot}, {report.lot_title}"),
            ("For", ", ".join(report.buyers)),
            ("Recommended", spoken_time(recommended.recommended_at)),
            ("Ranked", f"{spoken_time(report.ranked_at)}, ranking {report.ranking}"),
            ("Under", RULE_SETS[RuleSetName(report.rule_set)].title),
        ],
        sections=[
            _recommended(report),
            _ranking(report),
            _flips(report),
            _low_prices(report),
            _conflicts(report),
            _dissent(report),
            *_bids(report),
            *judged_by(report),
        ],
    )


def _recommended(report: RecommendationReport) -> Section:
    recommended = report.recommendation
    return Section(
        heading="The recommendation",
        paragraphs=[
            f"{recommended.supplier} ({recommended.pseudonym}) is recommended.",
            recommended.reason.strip(),
        ],
    )


def _ranking(report: RecommendationReport) -> Section:
    if report.margin is None:
        margin = "No other bid is ranked."
    else:
        margin = f"The first two bids lie {report.margin.display} apart."
    return Section(
        heading="The ranking",
        paragraphs=[margin, *_unranked(report)],
        table=TableOfLetter(
            caption="Bids by their places",
            header=("Bid", "Bidder", "Place", "Quality", "Points for price", "Total", "Price, £"),
            rows=[_row(bid) for bid in report.bids],
        ),
    )


def _row(bid: ReportedBid) -> Sequence[str]:
    result = bid.result
    if result is None:
        return (_named(bid), bid.supplier, *[_NONE] * 5)
    return (
        _named(bid),
        bid.supplier,
        _NONE if result.place is None else str(result.place),
        result.quality_points.display,
        _NONE if result.price_points is None else result.price_points.display,
        _NONE if result.total is None else result.total.display,
        _NONE if result.price is None else result.price.amount,
    )


def _named(bid: ReportedBid) -> str:
    return f"{bid.pseudonym}, variant {bid.variant}" if bid.variant else bid.pseudonym


def _unranked(report: RecommendationReport) -> Iterator[str]:
    for bid in report.bids:
        if not bid.passed:
            why = " ".join([*bid.failings, *([bid.failure] if bid.failure else [])])
            yield f"{bid.pseudonym} did not pass on quality. {why}"
        elif bid.failure:
            yield f"{bid.pseudonym} could not be ranked: {bid.failure}"
        if bid.dropped_out is not None:
            yield f"{bid.pseudonym} is no longer in the competition: {bid.dropped_out.strip()}"


def _flips(report: RecommendationReport) -> Section:
    heading = "Single marks that would change the first place"
    if report.marks_that_flip is None:
        said = "The figures are frozen from an earlier ranking, so no mark is tried."
        return Section(heading=heading, paragraphs=[said])
    if not report.marks_that_flip:
        said = "No single mark, one step of the scale higher or lower, would change it."
        return Section(heading=heading, paragraphs=[said])
    return Section(
        heading=heading,
        table=TableOfLetter(
            caption="One step of the scale, and who would be first with it",
            header=("Bid", "Criterion", "Agreed", "Instead", "First then"),
            rows=[
                (
                    one.pseudonym,
                    one.criterion,
                    one.agreed.display,
                    one.instead.display,
                    ", ".join(one.winners) or "nobody",
                )
                for one in report.marks_that_flip
            ],
        ),
    )


def _low_prices(report: RecommendationReport) -> Section:
    return Section(
        heading="Prices that appear abnormally low",
        paragraphs=[
            " ".join(
                [
                    f"{one.pseudonym}:",
                    *one.flags,
                    "Not decided." if one.outcome is None else f"Decided: {one.outcome}.",
                    (one.reason or "").strip(),
                ]
            ).strip()
            for one in report.low_prices
        ]
        or ["None."],
    )


def _conflicts(report: RecommendationReport) -> Section:
    if not report.conflicts:
        said = "The guardian had no interest in a bidder of the lot to decide about."
        return Section(heading="Conflicts of interest", paragraphs=[said])
    return Section(
        heading="Conflicts of interest",
        table=TableOfLetter(
            caption="What the guardian decided",
            header=("Person", "Bidder", "Decided", "Reason", "Mitigation"),
            rows=[
                (
                    one.person,
                    one.bidder,
                    one.outcome.replace("_", " "),
                    one.reason,
                    one.mitigation or _NONE,
                )
                for one in report.conflicts
            ],
        ),
    )


def _dissent(report: RecommendationReport) -> Section:
    return Section(
        heading="Dissent",
        paragraphs=[
            f"{one.evaluator} does not share what was agreed of {one.pseudonym} on"
            f" {one.criterion}: {one.reason.strip()}"
            for one in report.dissent
        ]
        or ["No evaluator dissented from an agreed score."],
    )


def _bids(report: RecommendationReport) -> Iterator[Section]:
    for bid in report.bids:
        if bid.result is not None:
            yield scored(
                f"{_named(bid)}: {bid.supplier}",
                "Agreed scores, and the reasons for them",
                titles_of(report),
                bid.result,
            )
