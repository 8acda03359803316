from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from evaluation.rules.methods import (
    METHODS,
    Parameters,
    PriceNotPositive,
    UnknownMethod,
    method_of,
)
from evaluation.rules.methods.curves import LowestPriceRatio
from evaluation.rules.ranking import Offer, RankedOffer, Ranking, leaders
from market.money import display
from tenders.rules.award_methods import MethodName, TieRule

METHOD = method_of(MethodName.LOWEST_PRICE_RATIO, 1)
PRICE_WEIGHT = 40


def offer(key: str, quality: int | Fraction, price: str) -> Offer:
    return Offer(key=key, quality_points=Fraction(quality), price=Decimal(price))


def rank(
    offers: Sequence[Offer], tie_rule: TieRule = TieRule.HIGHER_QUALITY, weight: int = PRICE_WEIGHT
) -> Ranking:
    return METHOD.rank(offers, Parameters(price_weight=Fraction(weight), tie_rule=tie_rule))


def row_of(ranking: Ranking, key: str) -> RankedOffer:
    return next(row for row in ranking.rows if row.key == key)


# A few prices and qualities, so that ties are common.
PRICES = st.sampled_from(["0.01", "50", "80", "99.99", "100", "100.00", "120", "1000000"])
QUALITIES = st.integers(0, 6).map(lambda tenth: Fraction(tenth * 10)) | st.fractions(0, 60)
OFFERS = st.lists(st.tuples(QUALITIES, PRICES), max_size=8).map(
    lambda pairs: [
        Offer(key=f"bid {place}", quality_points=quality, price=Decimal(price))
        for place, (quality, price) in enumerate(pairs)
    ]
)
SOME_OFFERS = OFFERS.filter(bool)
TIE_RULES = st.sampled_from([TieRule.HIGHER_QUALITY, TieRule.LOWER_PRICE])


@pytest.mark.parametrize(
    ("weight", "points_of"),
    [
        (100, {"1000000": "100.000", "1200000": "83.333", "2000000": "50.000"}),
        (40, {"100": "40.000", "105": "38.095", "108": "37.037"}),
    ],
)
def test_the_lowest_price_ratio_gives_the_published_points(
    weight: int, points_of: dict[str, str]
) -> None:
    ranking = rank([offer(price, 0, price) for price in points_of], weight=weight)
    assert {row.key: display(row.price_points, 3) for row in ranking.rows} == points_of


def test_price_points_are_exact() -> None:
    ranking = rank([offer("a", 0, "100"), offer("b", 0, "105")])
    assert row_of(ranking, "b").price_points == Fraction(40 * 100, 105)


def test_the_total_is_quality_plus_price_and_the_highest_comes_first() -> None:
    ranking = rank([offer("cheap", 30, "80"), offer("good", 55, "100")])
    assert [(row.key, row.total, row.rank, row.tied) for row in ranking.rows] == [
        ("good", Fraction(87), 1, False),
        ("cheap", Fraction(70), 2, False),
    ]
    assert (ranking.method, ranking.version) == (MethodName.LOWEST_PRICE_RATIO, 1)


@pytest.mark.parametrize(
    ("tie_rule", "winner"), [(TieRule.HIGHER_QUALITY, "good"), (TieRule.LOWER_PRICE, "cheap")]
)
def test_equal_totals_are_decided_by_the_published_tie_rule(tie_rule: TieRule, winner: str) -> None:
    ranking = rank([offer("cheap", 20, "50"), offer("good", 40, "100")], tie_rule)
    assert {row.total for row in ranking.rows} == {60}
    assert [(row.rank, row.tied) for row in ranking.rows] == [(1, False), (2, False)]
    assert ranking.rows[0].key == winner


def test_offers_equal_in_everything_share_a_rank_and_the_next_ranks_are_skipped() -> None:
    offers = [
        offer("d", 10, "100"),
        offer("c", 20, "100"),
        offer("b", 20, "100.00"),
        offer("a", 50, "100"),
    ]
    assert [(row.key, row.rank, row.tied) for row in rank(offers).rows] == [
        ("a", 1, False),
        ("b", 2, True),
        ("c", 2, True),
        ("d", 4, False),
    ]


def test_totals_that_differ_only_past_what_is_displayed_are_no_tie() -> None:
    ahead = Fraction(50) + Fraction(1, 10**40)
    ranking = rank([offer("b", 50, "100"), offer("a", ahead, "100")], TieRule.LOWER_PRICE)
    assert [(row.key, row.rank, row.tied) for row in ranking.rows] == [
        ("a", 1, False),
        ("b", 2, False),
    ]
    assert {display(row.total) for row in ranking.rows} == {"90.00"}


def test_an_only_offer_gets_the_full_points_for_price() -> None:
    (row,) = rank([offer("only", 12, "5000")]).rows
    assert (row.price_points, row.total, row.rank, row.tied) == (
        Fraction(40),
        Fraction(52),
        1,
        False,
    )


def test_without_offers_the_ranking_is_empty() -> None:
    ranking = rank([])
    assert ranking.rows == ()
    assert leaders(ranking) == []


@pytest.mark.parametrize("price", ["0", "0.00", "-1"])
def test_a_price_of_zero_or_less_is_refused(price: str) -> None:
    with pytest.raises(PriceNotPositive, match="every price to be above zero"):
        rank([offer("a", 10, price), offer("b", 10, "100")])


def test_a_price_outside_the_prices_it_is_compared_with_is_held_to_the_same_domain() -> None:
    with pytest.raises(PriceNotPositive):
        LowestPriceRatio().points(
            Fraction(0),
            [Fraction(1)],
            Parameters(price_weight=Fraction(40), tie_rule=TieRule.LOWER_PRICE),
        )


def test_two_offers_of_one_key_are_refused() -> None:
    with pytest.raises(ValueError, match="same key"):
        rank([offer("a", 10, "100"), offer("a", 20, "100")])


def test_leaders_are_all_offers_of_the_first_rank() -> None:
    ranking = rank([offer("a", 10, "100"), offer("b", 10, "100"), offer("c", 9, "100")])
    assert [row.key for row in leaders(ranking)] == ["a", "b"]


def test_a_method_is_found_by_name_and_version_only() -> None:
    assert METHODS[MethodName.LOWEST_PRICE_RATIO, 1] is METHOD
    with pytest.raises(UnknownMethod, match="lowest_price_ratio in version 99"):
        method_of(MethodName.LOWEST_PRICE_RATIO, 99)


@given(OFFERS, TIE_RULES)
def test_a_ranking_is_a_permutation_of_the_offers(offers: list[Offer], tie_rule: TieRule) -> None:
    rows = rank(offers, tie_rule).rows
    assert sorted(row.key for row in rows) == sorted(offer.key for offer in offers)
    assert {(row.key, row.quality_points, row.price) for row in rows} == {
        (offer.key, offer.quality_points, offer.price) for offer in offers
    }


@given(OFFERS, TIE_RULES)
def test_a_rank_is_one_more_than_the_number_of_offers_ahead(
    offers: list[Offer], tie_rule: TieRule
) -> None:
    rows = rank(offers, tie_rule).rows
    for row in rows:
        assert row.rank == 1 + sum(other.rank < row.rank for other in rows)
        assert row.tied == (sum(other.rank == row.rank for other in rows) > 1)


@given(OFFERS, TIE_RULES, st.randoms(use_true_random=False))
def test_a_ranking_does_not_depend_on_the_order_of_the_offers(
    offers: list[Offer], tie_rule: TieRule, random: Random
) -> None:
    shuffled = random.sample(offers, len(offers))
    assert rank(shuffled, tie_rule) == rank(offers, tie_rule)


@given(SOME_OFFERS, TIE_RULES)
def test_totals_lie_within_the_whole_and_the_best_price_gets_its_full_weight(
    offers: list[Offer], tie_rule: TieRule
) -> None:
    rows = rank(offers, tie_rule).rows
    assert all(0 <= row.total <= 100 for row in rows)
    assert all(0 < row.price_points <= PRICE_WEIGHT for row in rows)
    lowest = min(row.price for row in rows)
    assert all((row.price == lowest) == (row.price_points == PRICE_WEIGHT) for row in rows)


@given(SOME_OFFERS, TIE_RULES, st.data())
def test_an_offer_that_gets_better_never_ranks_lower(
    offers: list[Offer], tie_rule: TieRule, data: st.DataObject
) -> None:
    place = data.draw(st.integers(0, len(offers) - 1))
    before = offers[place]
    better = replace(
        before,
        price=data.draw(st.decimals("0.01", before.price, places=2)),
        quality_points=data.draw(st.fractions(before.quality_points, 60)),
    )
    improved = [*offers[:place], better, *offers[place + 1 :]]
    assert (
        row_of(rank(improved, tie_rule), before.key).rank
        <= row_of(rank(offers, tie_rule), before.key).rank
    )


@given(SOME_OFFERS, TIE_RULES)
def test_an_offer_better_in_nothing_and_worse_in_something_ranks_behind(
    offers: list[Offer], tie_rule: TieRule
) -> None:
    rows = rank(offers, tie_rule).rows
    for one in rows:
        for other in rows:
            if one.quality_points >= other.quality_points and one.price <= other.price:
                same = (one.quality_points, one.price) == (other.quality_points, other.price)
                assert one.rank == other.rank if same else one.rank < other.rank
