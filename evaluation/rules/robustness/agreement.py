"""How well evaluators agreed: Krippendorff's alpha, intraclass correlation, harsh markers.

All of it is a ratio of sums, so all of it is exact. What is measured is a set of scores: for each
unit (a bid and a criterion) what each evaluator gave, None where they gave nothing. It is for
information: nothing here adjusts a score.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from fractions import Fraction

from msgspec import Struct

Unit = Sequence[Fraction | None]


class Level(StrEnum):
    """What the values of a scale mean: names, an order, or distances."""

    NOMINAL = "nominal"
    ORDINAL = "ordinal"
    INTERVAL = "interval"


class IntraclassCorrelation(Struct, frozen=True, kw_only=True):
    """Two-way correlations of single scores (`_single`) and of panel means (`_mean`).

    Agreement counts a marker who is always a step harsher as disagreeing, consistency does not;
    a gap between the two shows such a marker (McGraw and Wong, 1996: A,1 and A,k; C,1 and C,k).
    """

    agreement_single: Fraction | None
    agreement_mean: Fraction | None
    consistency_single: Fraction | None
    consistency_mean: Fraction | None


def krippendorff_alpha(units: Sequence[Unit], level: Level) -> Fraction | None:
    """Krippendorff's alpha for any number of evaluators, missing scores allowed.

    One minus observed over expected disagreement (Krippendorff, "Computing Krippendorff's
    Alpha-Reliability", 2011): 1 is perfect, 0 what chance gives; from 0.800 it is customary to rely
    on scores, from 0.667 with care. None where it is undefined: no unit was scored by two people,
    or all scores are equal.
    """
    pairs: dict[tuple[Fraction, Fraction], Fraction] = {}
    totals: dict[Fraction, Fraction] = {}
    for unit in units:
        values = [value for value in unit if value is not None]
        if len(values) < 2:  # noqa: PLR2004  # a pair
            continue
        counted = Counter(values)
        for one, times in counted.items():
            totals[one] = totals.get(one, Fraction(0)) + times
            for other, others in counted.items():
                met = times * (others - (one == other))
                key = one, other
                pairs[key] = pairs.get(key, Fraction(0)) + Fraction(met, len(values) - 1)
    count = sum(totals.values(), Fraction(0))
    distance = _distances(level, totals)
    expected = sum(
        (totals[one] * totals[other] * distance(one, other) for one in totals for other in totals),
        Fraction(0),
    )
    if not expected:
        return None
    observed = sum((met * distance(*key) for key, met in pairs.items()), Fraction(0))
    return 1 - (count - 1) * observed / expected


def _distances(
    level: Level, totals: Mapping[Fraction, Fraction]
) -> Callable[[Fraction, Fraction], Fraction]:
    """The squared difference between two values, as the level of measurement has it."""
    if level is Level.NOMINAL:
        return lambda one, other: Fraction(one != other)
    if level is Level.INTERVAL:
        return lambda one, other: (one - other) ** 2
    up_to: dict[Fraction, Fraction] = {}
    below = Fraction(0)
    for value in sorted(totals):
        # values are as far apart as there are scores between their middles
        up_to[value] = below + totals[value] / 2
        below += totals[value]
    return lambda one, other: (up_to[one] - up_to[other]) ** 2


def intraclass_correlation(units: Sequence[Unit]) -> IntraclassCorrelation | None:
    """Intraclass correlations over the units that every evaluator scored.

    From a two-way analysis of variance (Shrout and Fleiss, 1979; McGraw and Wong, 1996). None with
    fewer than two such units or evaluators; a figure whose denominator is nought is None.
    """
    table = [[value for value in unit if value is not None] for unit in units if None not in unit]
    rows, columns = len(table), len(table[0]) if table else 0
    if rows < 2 or columns < 2:  # noqa: PLR2004  # no variance in fewer
        return None
    mean = sum((sum(row, Fraction(0)) for row in table), Fraction(0)) / (rows * columns)
    row_means = [sum(row, Fraction(0)) / columns for row in table]
    column_means = [
        sum((row[place] for row in table), Fraction(0)) / rows for place in range(columns)
    ]
    between_rows = columns * sum(((own - mean) ** 2 for own in row_means), Fraction(0))
    between_columns = rows * sum(((own - mean) ** 2 for own in column_means), Fraction(0))
    whole = sum(((value - mean) ** 2 for row in table for value in row), Fraction(0))
    by_row = between_rows / (rows - 1)
    by_column = between_columns / (columns - 1)
    error = (whole - between_rows - between_columns) / ((rows - 1) * (columns - 1))
    excess = by_row - error
    harshness = (by_column - error) / rows
    return IntraclassCorrelation(
        agreement_single=_over(excess, by_row + (columns - 1) * error + columns * harshness),
        agreement_mean=_over(excess, by_row + harshness),
        consistency_single=_over(excess, by_row + (columns - 1) * error),
        consistency_mean=_over(excess, by_row),
    )


def leniency(units: Sequence[Unit]) -> list[Fraction | None]:
    """How far above (or, below nought, under) the others each evaluator marked, on average.

    In values of the scale: the mean, over the units that they and somebody else scored, of their
    score less the mean of the others'. None for who scored nothing that anybody else did.
    """
    found: list[Fraction | None] = []
    for place in range(max((len(unit) for unit in units), default=0)):
        gaps = []
        for unit in units:
            own = unit[place]
            others = [value for at, value in enumerate(unit) if at != place and value is not None]
            if own is not None and others:
                gaps.append(own - sum(others, Fraction(0)) / len(others))
        found.append(sum(gaps, Fraction(0)) / len(gaps) if gaps else None)
    return found


def _over(numerator: Fraction, denominator: Fraction) -> Fraction | None:
    return numerator / denominator if denominator else None
