from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluation.rules.scoring import (
    NotACriterion,
    OffScale,
    Unscored,
    ensure_on_scale,
    failings,
    is_quoted,
    meets_minimum,
    quality_percentage,
    quality_points,
)
from tenders.rules.criteria import Criterion, CriterionKind, ScaleValue
from tenders.rules.requirement import highest

SCALE = tuple(
    ScaleValue(value=value, title=f"Grade {value}", descriptor=f"Worth {value}.")
    for value in ("0", "2", "5", "8", "10")
)
TOP = highest(SCALE)
ALLOWED = [Decimal(step.value) for step in SCALE]


def leaf(code: str, weight: str) -> Criterion:
    return Criterion(
        code=code, title=code, kind=CriterionKind.QUALITY, weight=weight, question="How?"
    )


LEAVES = (leaf("Q1", "35.5"), leaf("Q2", "24.5"))


def test_points_are_weight_times_value_over_the_highest_value() -> None:
    agreed = {"Q1": Decimal(8), "Q2": Decimal(5)}
    assert quality_points(LEAVES, agreed, TOP) == Fraction("40.65")


def test_points_are_exact_where_decimals_are_not() -> None:
    points = quality_points((leaf("Q1", "10"),), {"Q1": Decimal(1)}, Fraction(3))
    assert points == Fraction(10, 3)


def test_a_leaf_without_a_score_is_named() -> None:
    with pytest.raises(Unscored, match="The criterion Q2 has no agreed score yet"):
        quality_points(LEAVES, {"Q1": Decimal(8)}, TOP)


def test_a_score_without_a_leaf_is_named() -> None:
    with pytest.raises(NotACriterion, match="with the code Q3"):
        quality_points(LEAVES, dict.fromkeys(("Q1", "Q2", "Q3"), Decimal(8)), TOP)


@pytest.mark.parametrize("value", ["-2", "10.000001"])
def test_a_score_outside_the_scale_earns_nothing_but_an_error(value: str) -> None:
    with pytest.raises(OffScale, match="of Q1 is not on the scale"):
        quality_points(LEAVES, {"Q1": Decimal(value), "Q2": Decimal(5)}, TOP)


@pytest.mark.parametrize("value", ["0", "2.00", "10"])
def test_a_listed_value_may_be_given_however_it_is_written(value: str) -> None:
    ensure_on_scale(Decimal(value), ALLOWED)


@pytest.mark.parametrize("value", ["1", "5.5", "-2", "11"])
def test_a_value_between_the_listed_ones_is_refused_with_the_list(value: str) -> None:
    with pytest.raises(OffScale, match=r"is not on the scale; give one of: 0, 2, 5, 8, 10\."):
        ensure_on_scale(Decimal(value), ALLOWED)


@pytest.mark.parametrize(
    ("points", "minimum", "meets"),
    [
        (Fraction(30), Decimal(50), True),
        (Fraction(30) - Fraction(1, 10**30), Decimal(50), False),
        (Fraction(0), Fraction(0), True),
        (Fraction(40), Fraction(200, 3), True),
    ],
)
def test_the_minimum_is_reached_on_exact_values(
    points: Fraction, minimum: Fraction | Decimal, *, meets: bool
) -> None:
    assert meets_minimum(quality_percentage(points, Fraction(60)), minimum) is meets


def test_no_percentage_is_made_of_no_quality_points() -> None:
    with pytest.raises(ValueError, match="no quality points"):
        quality_percentage(Fraction(0), Fraction(0))


@given(st.lists(st.tuples(st.integers(1, 10**6), st.sampled_from(SCALE)), min_size=1, max_size=20))
def test_a_score_lies_between_nothing_and_the_weights_of_its_leaves(
    judged: list[tuple[int, ScaleValue]],
) -> None:
    leaves = [leaf(f"Q{place}", str(weight)) for place, (weight, _) in enumerate(judged)]
    agreed = {f"Q{place}": Decimal(step.value) for place, (_, step) in enumerate(judged)}
    whole = Fraction(sum(weight for weight, _ in judged))
    points = quality_points(leaves, agreed, TOP)
    assert 0 <= points <= whole
    assert 0 <= quality_percentage(points, whole) <= 100
    best = quality_points(leaves, dict.fromkeys(agreed, Decimal(10)), TOP)
    assert best == whole


# -- gates ----------------------------------------------------------------------------------------

GATE = Criterion(
    code="G1",
    title="Certificate",
    kind=CriterionKind.QUALITY,
    weight="0",
    question="Do you hold it?",
    pass_fail=True,
)
FLOORED = Criterion(
    code="Q1",
    title="Service",
    kind=CriterionKind.QUALITY,
    weight="60",
    question="How?",
    minimum="5",
)


def test_a_verdict_earns_no_points_even_where_the_scale_ends_below_one() -> None:
    agreed = {"G1": Decimal(1), "Q1": Decimal("0.5")}
    assert quality_points((GATE, FLOORED), agreed, Fraction(1, 2)) == 60


@pytest.mark.parametrize(
    ("verdict", "value", "enough", "why"),
    [
        ("1", "5", True, []),
        ("0", "5", True, ["failed:G1"]),
        ("1", "2", True, ["below_minimum:Q1"]),
        ("0", "2", False, ["failed:G1", "below_minimum:Q1", "minimum_quality"]),
        ("1", "8", False, ["minimum_quality"]),
    ],
)
def test_a_bid_fails_by_everything_that_it_fails(
    verdict: str, value: str, *, enough: bool, why: list[str]
) -> None:
    agreed = {"G1": Decimal(verdict), "Q1": Decimal(value)}
    assert failings((GATE, FLOORED), agreed, enough=enough) == why


def test_a_mean_just_below_the_minimum_is_below_it() -> None:
    agreed = {"G1": Fraction(1), "Q1": Fraction(14_999_999, 3_000_000)}
    assert failings((GATE, FLOORED), agreed, enough=True) == ["below_minimum:Q1"]
    agreed["Q1"] = Fraction(5)
    assert failings((GATE, FLOORED), agreed, enough=True) == []


@given(
    low=st.sampled_from(ALLOWED),
    high=st.sampled_from(ALLOWED),
    verdict=st.sampled_from([Decimal(0), Decimal(1)]),
)
def test_a_better_score_never_fails_by_more(low: Decimal, high: Decimal, verdict: Decimal) -> None:
    low, high = sorted((low, high))
    worse = failings((GATE, FLOORED), {"G1": verdict, "Q1": low}, enough=True)
    better = failings((GATE, FLOORED), {"G1": verdict, "Q1": high}, enough=True)
    assert set(better) <= set(worse)


def test_a_quotation_is_found_however_lines_fall_and_not_when_words_differ() -> None:
    text = "We keep two\n  data centres, both in the county."
    assert is_quoted("two data\tcentres", [text])
    assert not is_quoted("three data centres", [text])
    assert not is_quoted("two data centres", [])
