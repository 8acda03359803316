"""How firmly a ranking stands, for information alone."""

from collections.abc import Sequence
from fractions import Fraction
from uuid import UUID

import msgspec

from evaluation.rules.exact import Exact
from evaluation.rules.robustness.draws import Frequency, Variation
from evaluation.rules.robustness.report import Flip, Robustness
from evaluation.rules.robustness.stability import WithoutOne


class WinningWeights(msgspec.Struct, frozen=True, kw_only=True):
    """Who is first while the weight of price lies between two exact bounds, of 100."""

    lowest: Exact
    highest: Exact
    winners: list[str]


class FlippingMark(msgspec.Struct, frozen=True, kw_only=True):
    """An agreed mark which, one step of the scale higher or lower, makes others first."""

    pseudonym: str
    criterion: str
    agreed: Exact
    instead: Exact
    winners: list[str]


class DominatedBid(msgspec.Struct, frozen=True, kw_only=True):
    """A bid that is in nothing better than the others named, and in something worse."""

    pseudonym: str
    by: list[str]


class Agreement(msgspec.Struct, frozen=True, kw_only=True):
    """How well evaluators agreed before moderation; null where a figure is undefined.

    Krippendorff's alpha takes the scale as distances, or as an order alone. Intraclass correlations
    are two-way: agreement counts a marker who is always harsher, consistency does not.
    """

    alpha: Exact | None
    alpha_ordinal: Exact | None
    agreement_single: Exact | None
    agreement_mean: Exact | None
    consistency_single: Exact | None
    consistency_mean: Exact | None


class Marker(msgspec.Struct, frozen=True, kw_only=True):
    """An evaluator, and by how much they marked above (or below nought, under) the others."""

    name: str
    leniency: Exact | None


class RobustnessView(msgspec.Struct, frozen=True, kw_only=True):
    """What a careful reader of a ranking should know. It alters no score and no place.

    `ranking` is the number of the ranking it is about; `margin` is between the first two. Win
    frequencies are drawn with the variation and seed that are stated; all else is exact.
    """

    tender: UUID
    lot: int
    ranking: int
    margin: Exact | None
    without_one: list[WithoutOne]
    winners_by_price_weight: list[WinningWeights]
    marks_that_flip: list[FlippingMark]
    dominated: list[DominatedBid]
    variation: Variation
    win_frequencies: list[Frequency]
    agreement: Agreement
    markers: list[Marker]
    charts: list[str]


def flipping_marks(flips: Sequence[Flip]) -> list[FlippingMark]:
    """Give the single marks that flip to the outside."""
    return [
        FlippingMark(
            pseudonym=one.key,
            criterion=one.criterion,
            agreed=Exact.of(one.agreed),
            instead=Exact.of(one.instead),
            winners=list(one.winners),
        )
        for one in flips
    ]


def view_of(
    tender: UUID, lot: int, ranking: int, report: Robustness, charts: list[str]
) -> RobustnessView:
    """Give a report to the outside."""
    correlation = report.correlation
    return RobustnessView(
        tender=tender,
        lot=lot,
        ranking=ranking,
        margin=None if report.margin is None else Exact.of(report.margin),
        without_one=list(report.without),
        winners_by_price_weight=[
            WinningWeights(
                lowest=Exact.of(one.lowest),
                highest=Exact.of(one.highest),
                winners=list(one.winners),
            )
            for one in report.ranges
        ],
        marks_that_flip=flipping_marks(report.flips),
        dominated=[
            DominatedBid(pseudonym=key, by=list(by)) for key, by in report.dominated.items()
        ],
        variation=report.variation,
        win_frequencies=list(report.frequencies),
        agreement=Agreement(
            alpha=_exact(report.alpha),
            alpha_ordinal=_exact(report.alpha_ordinal),
            agreement_single=_exact(correlation.agreement_single if correlation else None),
            agreement_mean=_exact(correlation.agreement_mean if correlation else None),
            consistency_single=_exact(correlation.consistency_single if correlation else None),
            consistency_mean=_exact(correlation.consistency_mean if correlation else None),
        ),
        markers=[
            Marker(name=name, leniency=_exact(gap))
            for name, gap in zip(report.evaluators, report.leniency, strict=True)
        ],
        charts=charts,
    )


def _exact(value: Fraction | None) -> Exact | None:
    return None if value is None else Exact.of(value)
