"""How firmly a ranking stands: everything a reader of it should know, and no score altered."""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Final

import numpy as np
from msgspec import Struct
from msgspec.structs import replace

from evaluation.rules.methods import OutsideDomain, Parameters, method_of
from evaluation.rules.ranking import Offer, RankedOffer, leaders
from evaluation.rules.robustness.agreement import (
    IntraclassCorrelation,
    Level,
    Unit,
    intraclass_correlation,
    krippendorff_alpha,
    leniency,
)
from evaluation.rules.robustness.draws import Field, Frequency, Variation, win_frequencies
from evaluation.rules.robustness.stability import (
    WinningRange,
    WithoutOne,
    dominated,
    winning_ranges,
    without_each,
)
from evaluation.rules.scoring import meets_minimum, quality_percentage
from tenders.rules.award_methods import TRAITS, AwardMethod

CONTENDERS: Final = 5
"""Marks are tried of the bids on so many first places."""


class Ranked(Struct, frozen=True, kw_only=True):
    """A ranking as it was computed, and the scores it came of.

    `agreed` gives each bid's agreed values by criterion; `weights` the points of each criterion;
    `scale` the published values, lowest first; `marks` what each of the `evaluators` gave, a unit
    for each bid and criterion.
    """

    method: AwardMethod
    price_weight: Fraction
    minimum_quality: Fraction
    offers: Sequence[Offer]
    weights: Mapping[str, Fraction]
    agreed: Mapping[str, Mapping[str, Fraction]]
    scale: Sequence[Fraction]
    evaluators: Sequence[str]
    marks: Sequence[Unit]


class Flip(Struct, frozen=True, kw_only=True):
    """One agreed mark, a step of the scale higher or lower, and who would be first with it."""

    key: str
    criterion: str
    agreed: Fraction
    instead: Fraction
    winners: tuple[str, ...]


class Robustness(Struct, frozen=True, kw_only=True):
    """What was found: exact, but for the frequencies, which say how they were drawn."""

    rows: Sequence[RankedOffer]
    margin: Fraction | None
    without: Sequence[WithoutOne]
    ranges: Sequence[WinningRange]
    flips: Sequence[Flip]
    dominated: Mapping[str, tuple[str, ...]]
    variation: Variation
    frequencies: Sequence[Frequency]
    alpha: Fraction | None
    alpha_ordinal: Fraction | None
    correlation: IntraclassCorrelation | None
    evaluators: Sequence[str]
    leniency: Sequence[Fraction | None]


def robustness(ranked: Ranked, variation: Variation) -> Robustness:
    """Say how firmly a ranking stands; the same question has the same answer."""
    method = method_of(ranked.method.name, ranked.method.version)
    parameters = Parameters.published(ranked.method, ranked.price_weight)
    rows = method.rank(ranked.offers, parameters).rows
    return Robustness(
        rows=rows,
        margin=abs(rows[0].total - rows[1].total) if len(rows) > 1 else None,
        without=without_each(method, ranked.offers, parameters),
        ranges=winning_ranges(method, ranked.offers, parameters),
        flips=marks_that_flip(ranked),
        dominated=dominated(ranked.offers),
        variation=variation,
        frequencies=win_frequencies(ranked.method.name, _field(ranked, rows), variation),
        alpha=krippendorff_alpha(ranked.marks, Level.INTERVAL),
        alpha_ordinal=krippendorff_alpha(ranked.marks, Level.ORDINAL),
        correlation=intraclass_correlation(ranked.marks),
        evaluators=ranked.evaluators,
        leniency=leniency(ranked.marks),
    )


def marks_that_flip(ranked: Ranked) -> list[Flip]:
    """Return the single marks, of one criterion of one bid, that would make somebody else first.

    Tried are one step down for whoever is first and one step up for the others on the first
    places: a method ranks nobody lower for being better, so no other step can help them. A mark
    that takes a bid below the minimum takes it out of the ranking.
    """
    method = method_of(ranked.method.name, ranked.method.version)
    parameters = Parameters.published(ranked.method, ranked.price_weight)
    rows = method.rank(ranked.offers, parameters).rows
    first = {row.key for row in rows if row.rank == 1}
    found = []
    for row in rows[:CONTENDERS]:
        for criterion, value in ranked.agreed[row.key].items():
            instead = _next_on_scale(ranked.scale, value, up=row.key not in first)
            if instead is None:
                continue
            try:
                changed = method.rank(_with_mark(ranked, row.key, criterion, instead), parameters)
            except OutsideDomain:
                continue
            winners = tuple(winner.key for winner in leaders(changed))
            if set(winners) != first:
                found.append(
                    Flip(
                        key=row.key,
                        criterion=criterion,
                        agreed=value,
                        instead=instead,
                        winners=winners,
                    )
                )
    return found


def _next_on_scale(scale: Sequence[Fraction], value: Fraction, *, up: bool) -> Fraction | None:
    beyond = [step for step in scale if (step > value if up else step < value)]
    if not beyond:
        return None
    return min(beyond) if up else max(beyond)


def _with_mark(ranked: Ranked, key: str, criterion: str, instead: Fraction) -> list[Offer]:
    """The offers as they would be with one other mark."""
    highest = max(ranked.scale)
    offers = []
    for offer in ranked.offers:
        changed = offer
        if offer.key == key:
            points = {
                **offer.criterion_points,
                criterion: ranked.weights[criterion] * instead / highest,
            }
            quality = sum(points.values(), Fraction(0))
            changed = replace(offer, criterion_points=points, quality_points=quality)
            share = quality_percentage(quality, sum(ranked.weights.values(), Fraction(0)))
            if not meets_minimum(share, ranked.minimum_quality):
                continue
        offers.append(changed)
    return offers


def _field(ranked: Ranked, rows: Sequence[RankedOffer]) -> Field:
    """The same as floats, for frequencies alone."""
    codes, highest = list(ranked.weights), max(ranked.scale)
    by_key = {row.key: row for row in rows}
    weight = ranked.price_weight
    figures = ranked.method.parameters
    index = TRAITS[ranked.method.name].index
    return Field(
        keys=[offer.key for offer in ranked.offers],
        scores=np.array(
            [
                [float(ranked.agreed[offer.key][code] / highest) for code in codes]
                for offer in ranked.offers
            ]
        ).reshape(len(ranked.offers), len(codes)),
        weights=np.array([float(ranked.weights[code]) for code in codes]),
        price_weight=float(weight),
        price_shares=np.array(
            [
                0.0 if index or not weight else float(by_key[offer.key].price_points / weight)
                for offer in ranked.offers
            ]
        ),
        prices=np.array([float(offer.price) for offer in ranked.offers]),
        quality=ranked.method.quality,
        quality_value=float(figures.quality_value or 0),
        largest_coefficient=float(figures.largest_coefficient or 0),
    )
