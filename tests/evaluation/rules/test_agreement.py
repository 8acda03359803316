"""Agreement of evaluators, against published answers."""

from collections.abc import Sequence
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluation.rules.robustness.agreement import (
    Level,
    intraclass_correlation,
    krippendorff_alpha,
    leniency,
)

# Krippendorff, "Computing Krippendorff's Alpha-Reliability" (2011), section C: four observers,
# twelve units; a point is a missing value.
FOUR_OBSERVERS = (
    "1 2 3 3 2 1 4 1 2 . . .",
    "1 2 3 3 2 2 4 1 2 5 . 3",
    ". 3 3 3 2 3 4 2 2 5 1 .",
    "1 2 3 3 2 4 4 1 2 5 1 .",
)
OBSERVED = list(
    zip(
        *[
            [None if value == "." else Fraction(value) for value in row.split()]
            for row in FOUR_OBSERVERS
        ],
        strict=True,
    )
)
# Shrout and Fleiss (1979), table 2: six targets, four judges.
JUDGED = [
    [Fraction(value) for value in row]
    for row in ((9, 2, 5, 8), (6, 1, 3, 2), (8, 4, 6, 8), (7, 1, 2, 6), (10, 5, 6, 9), (6, 2, 4, 7))
]


@pytest.mark.parametrize(
    ("level", "alpha"),
    [(Level.NOMINAL, "0.743"), (Level.ORDINAL, "0.815"), (Level.INTERVAL, "0.849")],
)
def test_alpha_is_the_published_one(level: Level, alpha: str) -> None:
    found = krippendorff_alpha(OBSERVED, level)
    assert found is not None
    assert f"{float(found):.3f}" == alpha


def test_intraclass_correlations_are_the_published_ones() -> None:
    found = intraclass_correlation(JUDGED)
    assert found is not None
    assert [
        f"{float(figure):.2f}" if figure is not None else None
        for figure in (
            found.agreement_single,
            found.agreement_mean,
            found.consistency_single,
            found.consistency_mean,
        )
    ] == ["0.29", "0.62", "0.71", "0.91"]


SCORES = st.lists(
    st.lists(
        st.none() | st.sampled_from([Fraction(value) for value in (0, 2, 5, 8, 10)]),
        min_size=3,
        max_size=3,
    ),
    min_size=2,
    max_size=8,
)
WHOLE_SCORES = st.lists(
    st.lists(st.integers(0, 10).map(Fraction), min_size=3, max_size=3), min_size=2, max_size=8
)


@given(SCORES, st.sampled_from(Level))
def test_alpha_does_not_depend_on_who_is_named_first(
    units: list[list[Fraction | None]], level: Level
) -> None:
    turned = [unit[::-1] for unit in units][::-1]
    assert krippendorff_alpha(turned, level) == krippendorff_alpha(units, level)


@given(SCORES, st.sampled_from(Level))
def test_alpha_is_one_where_all_agree_and_never_more(
    units: list[list[Fraction | None]], level: Level
) -> None:
    alpha = krippendorff_alpha(units, level)
    assert alpha is None or alpha <= 1
    agreed = [[unit[0]] * 3 for unit in units]
    assert krippendorff_alpha(agreed, level) in {None, 1}


def test_alpha_is_undefined_without_pairs_or_without_variation() -> None:
    assert krippendorff_alpha([[Fraction(1), None], [None, Fraction(2)]], Level.ORDINAL) is None
    assert krippendorff_alpha([[Fraction(3)] * 2] * 4, Level.INTERVAL) is None


@given(WHOLE_SCORES, st.integers(1, 5))
def test_a_harsher_marker_lowers_agreement_and_not_consistency(
    units: list[list[Fraction]], step: int
) -> None:
    harsh = [[unit[0] - step, *unit[1:]] for unit in units]
    before, after = intraclass_correlation(units), intraclass_correlation(harsh)
    assert before is not None
    assert after is not None
    assert after.consistency_single == before.consistency_single
    assert after.consistency_mean == before.consistency_mean
    marks, harsh_marks = leniency(units), leniency(harsh)
    assert marks[0] is not None
    assert harsh_marks[0] == marks[0] - step


def test_correlations_need_two_of_each_and_leave_out_what_is_not_complete() -> None:
    assert intraclass_correlation([[Fraction(1), Fraction(2)]]) is None
    assert intraclass_correlation([[Fraction(1)], [Fraction(2)]]) is None
    with_gap: list[Sequence[Fraction | None]] = [
        *JUDGED,
        [Fraction(1), None, Fraction(1), Fraction(1)],
    ]
    assert intraclass_correlation(with_gap) == intraclass_correlation(JUDGED)
    same = intraclass_correlation([[Fraction(3)] * 2] * 3)
    assert same is not None
    assert same.consistency_mean is None


def test_a_marker_whom_nobody_can_be_compared_with_has_no_figure() -> None:
    assert leniency([[Fraction(1), None], [None, Fraction(2)]]) == [None, None]
    assert leniency([]) == []
