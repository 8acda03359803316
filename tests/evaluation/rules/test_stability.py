"""What robustness says of a ranking, held against ranking again."""

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from evaluation.rules.methods import Parameters, method_of
from evaluation.rules.ranking import Offer, Ranking, leaders
from evaluation.rules.robustness.stability import dominated, winning_ranges, without_each
from tenders.rules.award_methods import MethodName, TieRule

WEIGHTED = [
    MethodName.LOWEST_PRICE_RATIO,
    MethodName.ONE_SIDED_INTERPOLATION,
    MethodName.TWO_SIDED_INTERPOLATION,
    MethodName.DEVIATION_FROM_MEAN,
    MethodName.WEIGHTED_VALUE_INDEX,
    MethodName.UTILITY_INDEX,
]


def in_per_cent(key: str, quality: int, price: str, weight: Fraction) -> Offer:
    points = quality * (100 - weight) / 100
    return Offer(key=key, quality_points=points, price=Decimal(price))


def ranked_at(name: MethodName, bids: Sequence[tuple[str, int, str]], weight: Fraction) -> Ranking:
    parameters = Parameters(price_weight=weight, tie_rule=TieRule.HIGHER_QUALITY)
    return method_of(name, 1).rank([in_per_cent(*bid, weight) for bid in bids], parameters)


BIDS = st.lists(
    st.tuples(st.integers(1, 100), st.sampled_from(["60", "80", "90", "100", "101", "130"])),
    min_size=1,
    max_size=5,
).map(lambda given: [(f"bid {place}", *bid) for place, bid in enumerate(given)])


@given(st.sampled_from(WEIGHTED), BIDS, st.integers(5, 95), st.integers(1, 99))
def test_ranges_say_who_wins_at_any_price_weight(
    name: MethodName, bids: list[tuple[str, int, str]], published: int, tried: int
) -> None:
    weight = Fraction(published)
    parameters = Parameters(price_weight=weight, tie_rule=TieRule.HIGHER_QUALITY)
    offers = [in_per_cent(*bid, weight) for bid in bids]
    ranges = winning_ranges(method_of(name, 1), offers, parameters)
    assert ranges[0].lowest == 0
    assert ranges[-1].highest == 100
    assert all(one.highest == other.lowest for one, other in pairwise(ranges))
    within = [one for one in ranges if one.lowest < tried < one.highest]
    assume(within)
    best = {row.total for row in ranked_at(name, bids, Fraction(tried)).rows if row.rank == 1}
    level = {row.key for row in ranked_at(name, bids, Fraction(tried)).rows if row.total in best}
    assert set(within[0].winners) == level


def test_the_flip_point_is_exact() -> None:
    # 0.7 (100 - w) + 0.8 w and 0.6 (100 - w) + w are level where 0.3 w is 10
    bids = [("good", 70, "100"), ("cheap", 60, "80")]
    offers = [in_per_cent(*bid, Fraction(40)) for bid in bids]
    parameters = Parameters(price_weight=Fraction(40), tie_rule=TieRule.HIGHER_QUALITY)
    method = method_of(MethodName.LOWEST_PRICE_RATIO, 1)
    found = winning_ranges(method, offers, parameters)
    assert [(one.lowest, one.highest, one.winners) for one in found] == [
        (Fraction(0), Fraction(100, 3), ("good",)),
        (Fraction(100, 3), Fraction(100), ("cheap",)),
    ]
    assert [row.key for row in leaders(ranked_at(method.name, bids, Fraction(33)))] == ["good"]
    assert [row.key for row in leaders(ranked_at(method.name, bids, Fraction(34)))] == ["cheap"]


def test_a_method_without_weights_has_one_winner_at_all_of_them() -> None:
    offers = [in_per_cent("a", 90, "100", Fraction(40)), in_per_cent("b", 80, "100", Fraction(40))]
    parameters = Parameters(price_weight=Fraction(40), tie_rule=TieRule.HIGHER_QUALITY)
    method = method_of(MethodName.VALUE_INDEX, 1)
    found = winning_ranges(method, offers, parameters)
    assert [(one.lowest, one.highest, one.winners) for one in found] == [
        (Fraction(0), Fraction(100), ("a",))
    ]
    assert winning_ranges(method, [], parameters) == []


def test_a_bid_that_cannot_win_is_found_to_decide_the_award() -> None:
    # without the dearest bid the two others change places under two-sided interpolation
    bids = [("a", 90, "110"), ("b", 70, "100"), ("dear", 1, "300")]
    weight = Fraction(40)
    offers = [in_per_cent(*bid, weight) for bid in bids]
    parameters = Parameters(price_weight=weight, tie_rule=TieRule.HIGHER_QUALITY)
    found = without_each(method_of(MethodName.TWO_SIDED_INTERPOLATION, 1), offers, parameters)
    assert {one.without: (one.winners, one.changed) for one in found} == {
        "a": (("b",), False),
        "b": (("a",), False),
        "dear": (("b",), True),
    }
    ratio = without_each(method_of(MethodName.VALUE_INDEX, 1), offers, parameters)
    assert not any(one.changed for one in ratio)
    assert without_each(method_of(MethodName.VALUE_INDEX, 1), [], parameters) == []


@given(BIDS)
def test_without_each_is_ranking_again(bids: list[tuple[str, int, str]]) -> None:
    weight = Fraction(40)
    offers = [in_per_cent(*bid, weight) for bid in bids]
    parameters = Parameters(price_weight=weight, tie_rule=TieRule.HIGHER_QUALITY)
    method = method_of(MethodName.LOWEST_PRICE_RATIO, 1)
    for one in without_each(method, offers, parameters):
        left = [offer for offer in offers if offer.key != one.without]
        again = leaders(method.rank(left, parameters))
        assert list(one.winners) == [row.key for row in again]


def test_a_bid_worse_in_everything_is_dominated_and_equals_are_not() -> None:
    offers = [
        Offer(
            key=key,
            quality_points=Fraction(sum(points.values())),
            price=Decimal(price),
            criterion_points={code: Fraction(value) for code, value in points.items()},
        )
        for key, points, price in (
            ("a", {"Q1": 10, "Q2": 10}, "100"),
            ("b", {"Q1": 10, "Q2": 9}, "100"),
            ("c", {"Q1": 11, "Q2": 1}, "200"),
            ("twin", {"Q1": 10, "Q2": 10}, "100"),
        )
    ]
    assert dominated(offers) == {"b": ("a", "twin")}


@pytest.mark.parametrize("price", ["100", "99"])
def test_dominance_goes_by_quality_where_no_criteria_are_given(price: str) -> None:
    offers = [
        Offer(key="a", quality_points=Fraction(50), price=Decimal(price)),
        Offer(key="b", quality_points=Fraction(40), price=Decimal(100)),
    ]
    assert dominated(offers) == {"b": ("a",)}
