"""All award methods: published answers, and what must be true of every one of them."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from evaluation.rules.methods import METHODS, OutsideDomain, Parameters, method_of
from evaluation.rules.methods.reals import logarithm, power
from evaluation.rules.ranking import Offer, RankedOffer, Ranking
from market.money import display
from tenders.rules.award_methods import (
    TRAITS,
    AwardMethod,
    DropOutRule,
    MethodName,
    MethodParameters,
    PriceBand,
    QualityTaken,
    TieRule,
    is_relative,
    method_faults,
)

BANDS = tuple(
    PriceBand(up_to=up_to, share=share)
    for up_to, share in (("25", "80"), ("50", "60"), ("100", "40"))
)
FIGURES: Mapping[MethodName, MethodParameters] = {
    MethodName.LINEAR_BETWEEN_BOUNDS: MethodParameters(floor="50", ceiling="150"),
    MethodName.LOGARITHMIC: MethodParameters(base="2"),
    MethodName.BANDED_INCREASE: MethodParameters(bands=BANDS, beyond="20"),
    MethodName.FIXED_PRICE: MethodParameters(price="100"),
    MethodName.MONETISED_QUALITY: MethodParameters(quality_value="60"),
    MethodName.COEFFICIENT_NORMALISED_PRICE: MethodParameters(largest_coefficient="0.3"),
}
WEIGHT = Fraction(40)
NAMES = st.sampled_from(MethodName)
TAKEN = st.sampled_from(QualityTaken)


def published(name: MethodName, **changes: Any) -> AwardMethod:
    figures = FIGURES.get(name, MethodParameters())
    return replace(
        AwardMethod(name=name, tie_rule=TieRule.HIGHER_QUALITY, parameters=figures), **changes
    )


def rank(offers: Sequence[Offer], method: AwardMethod, weight: Fraction = WEIGHT) -> Ranking:
    chosen = method_of(method.name, method.version)
    return chosen.rank(offers, Parameters.published(method, weight))


def row_of(ranking: Ranking, key: str) -> RankedOffer:
    return next(row for row in ranking.rows if row.key == key)


def offers_at(prices: Sequence[str], quality: int = 30) -> list[Offer]:
    return [
        Offer(key=price, quality_points=Fraction(quality), price=Decimal(price)) for price in prices
    ]


def price_points(
    name: MethodName, prices: Sequence[str], weight: int, **figures: Any
) -> dict[str, Fraction]:
    method = published(name, parameters=MethodParameters(**figures))
    rows = rank(offers_at(prices), method, Fraction(weight)).rows
    return {row.key: row.price_points for row in rows}


# ----------------------------------------------------------------------------- published answers


def test_linear_between_bounds_gives_the_published_points() -> None:
    given_points = price_points(
        MethodName.LINEAR_BETWEEN_BOUNDS, ["6450", "7295"], 10, floor="5995", ceiling="8995"
    )
    assert {key: display(points) for key, points in given_points.items()} == {
        "6450": "8.48",
        "7295": "5.67",
    }


def test_linear_between_bounds_is_clamped_at_both_ends() -> None:
    assert price_points(
        MethodName.LINEAR_BETWEEN_BOUNDS, ["0", "50", "150", "200"], 10, floor="50", ceiling="150"
    ) == {"0": 10, "50": 10, "150": 0, "200": 0}


def test_one_sided_interpolation_ends_at_twice_the_lowest_price() -> None:
    assert price_points(MethodName.ONE_SIDED_INTERPOLATION, ["100", "150", "200", "900"], 40) == {
        "100": 40,
        "150": 20,
        "200": 0,
        "900": 0,
    }


def test_two_sided_interpolation_gives_the_dearest_nothing() -> None:
    assert price_points(MethodName.TWO_SIDED_INTERPOLATION, ["100", "101", "104"], 40) == {
        "100": 40,
        "101": 30,
        "104": 0,
    }


def test_deviation_from_the_mean_gives_half_at_the_mean_and_one_per_cent_for_each() -> None:
    assert price_points(MethodName.DEVIATION_FROM_MEAN, ["90", "100", "110"], 40) == {
        "90": 24,
        "100": 20,
        "110": 16,
    }


def test_the_logarithm_ends_at_its_base() -> None:
    found = price_points(MethodName.LOGARITHMIC, ["100", "200", "300"], 40, base="2")
    assert found == {"100": 40, "200": 0, "300": 0}
    halfway = price_points(MethodName.LOGARITHMIC, ["100", "150"], 40, base="2.25")["150"]
    assert abs(halfway - 20) < Fraction(1, 10**40)


def test_bands_are_those_of_the_buying_catalogue() -> None:
    prices = ["100", "100.01", "125", "125.01", "150", "200", "200.01"]
    found = price_points(
        MethodName.BANDED_INCREASE,
        prices,
        5,
        bands=BANDS,
        beyond="20",
    )
    assert list(found.values()) == [5, 4, 4, 3, 3, 2, 1]


def test_a_fixed_price_leaves_it_to_quality() -> None:
    offers = [
        Offer(key="good", quality_points=Fraction(80), price=Decimal(100)),
        Offer(key="better", quality_points=Fraction(90), price=Decimal(100)),
    ]
    ranking = rank(offers, published(MethodName.FIXED_PRICE), Fraction(0))
    assert {row.key: row.total for row in ranking.rows} == {"better": 90, "good": 80}
    assert ranking.rows[0].key == "better"
    with pytest.raises(OutsideDomain, match="price published"):
        rank(offers_at(["99"]), published(MethodName.FIXED_PRICE))


def test_relative_quality_gives_the_published_totals() -> None:
    # 80 points for price and 20 for quality, which was scored in per cent
    offers = [
        Offer(key="cheap", quality_points=Fraction(80) / 5, price=Decimal(90_000)),
        Offer(key="good", quality_points=Fraction(90) / 5, price=Decimal(100_000)),
    ]
    method = published(MethodName.LOWEST_PRICE_RATIO, quality=QualityTaken.RELATIVE_TO_BEST)
    rows = rank(offers, method, Fraction(80)).rows
    assert [(row.key, display(row.total)) for row in rows] == [
        ("cheap", "97.78"),
        ("good", "92.00"),
    ]


def figures(name: MethodName, offers: Sequence[Offer], weight: int, **given: Any) -> dict[str, Any]:
    method = published(name, parameters=MethodParameters(**given))
    return {row.key: row.total for row in rank(offers, method, Fraction(weight)).rows}


def in_per_cent(key: str, quality: int | Fraction, price: str, weight: int = 40) -> Offer:
    points = Fraction(quality) * (100 - weight) / 100
    return Offer(key=key, quality_points=points, price=Decimal(price))


def test_the_value_index_gives_the_published_figures() -> None:
    offers = [in_per_cent("a", 99, "1180000"), in_per_cent("b", 80, "1000000")]
    found = figures(MethodName.VALUE_INDEX, offers, 40)
    assert {key: display(1_000_000 * figure) for key, figure in found.items()} == {
        "a": "83.90",
        "b": "80.00",
    }
    assert list(found) == ["a", "b"]


def test_the_price_per_quality_point_ranks_as_the_value_index_does() -> None:
    offers = [in_per_cent("a", 99, "1180000"), in_per_cent("b", 80, "1000000")]
    found = figures(MethodName.PRICE_PER_QUALITY_POINT, offers, 40)
    assert list(found) == ["a", "b"]
    assert found["b"] == 12_500
    with pytest.raises(OutsideDomain, match="some quality"):
        figures(MethodName.PRICE_PER_QUALITY_POINT, [in_per_cent("c", 0, "1")], 40)


def test_the_weighted_value_index_weighs_quality_against_price() -> None:
    offers = [in_per_cent("a", 90, "100", 50), in_per_cent("b", 80, "70", 50)]
    assert figures(MethodName.WEIGHTED_VALUE_INDEX, offers, 50) == {
        "a": Fraction(90, 100),
        "b": Fraction(80, 70),
    }
    # 80 to 20: quality to the fourth power
    squared = [in_per_cent("a", 90, "100", 20), in_per_cent("b", 80, "70", 20)]
    assert figures(MethodName.WEIGHTED_VALUE_INDEX, squared, 20) == {
        "a": Fraction(90**4, 100),
        "b": Fraction(80**4, 70),
    }


def test_monetised_quality_gives_the_published_price() -> None:
    offer = in_per_cent("a", 60, "80000")
    assert figures(MethodName.MONETISED_QUALITY, [offer], 40, quality_value="2500") == {"a": 78_500}


def test_the_normalised_price_has_the_published_coefficient() -> None:
    offer = in_per_cent("a", Fraction(200, 3), "900")  # 0.2 chosen of 0.3
    found = figures(MethodName.COEFFICIENT_NORMALISED_PRICE, [offer], 40, largest_coefficient="0.3")
    assert found == {"a": 900 / Fraction(9, 7)}


def test_the_utility_index_measures_against_the_best_of_both() -> None:
    offers = [in_per_cent("good", 90, "120", 50), in_per_cent("cheap", 80, "100", 50)]
    assert figures(MethodName.UTILITY_INDEX, offers, 50) == {
        "cheap": Fraction(9, 10),
        "good": Fraction(100, 120),
    }


# ------------------------------------------------------------------------------ true of every one

PRICES = st.sampled_from(["0.01", "50", "80", "99.99", "100", "120", "150", "1000000"])
QUALITIES = st.integers(1, 6).map(lambda tenth: Fraction(tenth * 10)) | st.fractions(1, 60)


@st.composite
def competitions(draw: st.DrawFn, smallest: int = 1) -> tuple[AwardMethod, list[Offer]]:
    """A method with its published figures, and offers within its domain."""
    method = published(draw(NAMES), quality=draw(TAKEN), tie_rule=draw(st.sampled_from(TieRule)))
    if method.tie_rule is TieRule.NAMED_CRITERION:
        method = replace(method, tie_criterion="Q1")
    count = draw(st.integers(smallest, 6))
    fixed = method.name is MethodName.FIXED_PRICE
    offers = []
    for place in range(count):
        quality = draw(QUALITIES)
        offers.append(
            Offer(
                key=f"bid {place}",
                quality_points=quality,
                price=Decimal("100" if fixed else draw(PRICES)),
                criterion_points={"Q1": quality / 2},
                received=place,
                drawn=count - place,
            )
        )
    return method, offers


@given(competitions(), st.data())
def test_an_offer_that_gets_better_never_ranks_lower(
    competition: tuple[AwardMethod, list[Offer]], data: st.DataObject
) -> None:
    method, offers = competition
    place = data.draw(st.integers(0, len(offers) - 1))
    before = offers[place]
    quality = data.draw(st.fractions(before.quality_points, 60))
    price = data.draw(st.decimals("0.01", before.price, places=2))
    better = replace(
        before,
        quality_points=quality,
        criterion_points={"Q1": quality / 2},
        price=before.price if method.name is MethodName.FIXED_PRICE else price,
    )
    improved = [*offers[:place], better, *offers[place + 1 :]]
    # decided by the tie rule of the method, or by quality and price themselves
    if method.tie_rule is TieRule.LOWER_PRICE or method.tie_rule is TieRule.HIGHER_QUALITY:
        assert (
            row_of(rank(improved, method), before.key).rank
            <= row_of(rank(offers, method), before.key).rank
        )
    was, now = rank(offers, method), rank(improved, method)
    ahead_before = {row.key for row in was.rows if row.rank < row_of(was, before.key).rank}
    ahead_now = {row.key for row in now.rows if row.rank < row_of(now, before.key).rank}
    assert ahead_now <= ahead_before


@given(competitions(smallest=2), st.data())
def test_only_a_relative_method_looks_at_other_bids(
    competition: tuple[AwardMethod, list[Offer]], data: st.DataObject
) -> None:
    method, offers = competition
    gone = data.draw(st.sampled_from(offers))
    left = [offer for offer in offers if offer is not gone]
    if is_relative(method):
        return
    before = {row.key: (row.price_points, row.total) for row in rank(offers, method).rows}
    after = {row.key: (row.price_points, row.total) for row in rank(left, method).rows}
    assert after == {key: value for key, value in before.items() if key != gone.key}


# Where a bid that cannot win changes the figures of the others.
FIELD = [in_per_cent("a", 90, "120"), in_per_cent("b", 80, "100"), in_per_cent("c", 95, "60")]


@pytest.mark.parametrize("name", [name for name in MethodName if TRAITS[name].relative])
def test_a_relative_method_does(name: MethodName) -> None:
    whole = {row.key: row.total for row in rank(FIELD, published(name)).rows}
    part = {row.key: row.total for row in rank(FIELD[:2], published(name)).rows}
    assert any(part[key] != whole[key] for key in part)


@given(competitions(), st.randoms(use_true_random=False))
def test_the_order_in_which_offers_come_changes_nothing(
    competition: tuple[AwardMethod, list[Offer]], random: Random
) -> None:
    method, offers = competition
    assert rank(random.sample(offers, len(offers)), method) == rank(offers, method)


@given(competitions())
def test_additive_points_lie_within_their_weights(
    competition: tuple[AwardMethod, list[Offer]],
) -> None:
    method, offers = competition
    for row in rank(offers, method).rows:
        assert 0 <= row.price_points <= WEIGHT
        assert row.price_points == 0 or not TRAITS[method.name].index


@pytest.mark.parametrize("name", MethodName)
def test_no_offers_make_an_empty_ranking_and_one_is_first(name: MethodName) -> None:
    assert rank([], published(name)).rows == ()
    alone = rank(offers_at(["100"]), published(name)).rows
    assert [(row.rank, row.tied) for row in alone] == [(1, False)]


@pytest.mark.parametrize("name", MethodName)
def test_equal_offers_share_their_rank(name: MethodName) -> None:
    pair = [
        Offer(key=key, quality_points=Fraction(30), price=Decimal(100)) for key in ("one", "other")
    ]
    assert [(row.rank, row.tied) for row in rank(pair, published(name)).rows] == [
        (1, True),
        (1, True),
    ]


def test_every_method_of_the_requirement_can_be_run_and_no_other() -> None:
    assert {name for name, _ in METHODS} == set(MethodName) == set(TRAITS)
    assert all(not method_faults(published(name)) for name in MethodName)


# ------------------------------------------------------------------------------------ what is wrong


@pytest.mark.parametrize(
    ("name", "figures_given", "field"),
    [
        (MethodName.LINEAR_BETWEEN_BOUNDS, {}, "floor"),
        (MethodName.LINEAR_BETWEEN_BOUNDS, {"floor": "9", "ceiling": "9"}, "ceiling"),
        (MethodName.LINEAR_BETWEEN_BOUNDS, {"floor": "-1", "ceiling": "9"}, "floor"),
        (MethodName.LOGARITHMIC, {"base": "1"}, "base"),
        (MethodName.LOGARITHMIC, {"base": "2", "price": "4"}, "price"),
        (MethodName.BANDED_INCREASE, {"bands": BANDS[::-1], "beyond": "0"}, "bands[1].up_to"),
        (MethodName.BANDED_INCREASE, {"bands": BANDS, "beyond": "41"}, "beyond"),
        (
            MethodName.BANDED_INCREASE,
            {"bands": (PriceBand(up_to="5", share="101"),), "beyond": "0"},
            "bands[0].share",
        ),
        (MethodName.MONETISED_QUALITY, {"quality_value": "0"}, "quality_value"),
        (MethodName.FIXED_PRICE, {"price": "0"}, "price"),
        (
            MethodName.COEFFICIENT_NORMALISED_PRICE,
            {"largest_coefficient": "1"},
            "largest_coefficient",
        ),
    ],
)
def test_figures_under_which_a_better_bid_could_lose_are_refused(
    name: MethodName, figures_given: dict[str, Any], field: str
) -> None:
    method = published(name, parameters=MethodParameters(**figures_given))
    fields = {fault.field for fault in method_faults(method)}
    assert f"award_method.parameters.{field}" in fields


def test_a_relative_method_cannot_say_that_a_drop_out_changes_nothing() -> None:
    claims = {"when_a_bid_drops_out": DropOutRule.ABSOLUTE}
    assert not method_faults(published(MethodName.VALUE_INDEX, **claims))
    relative = published(MethodName.VALUE_INDEX, quality=QualityTaken.RELATIVE_TO_BEST, **claims)
    for method in (relative, published(MethodName.LOWEST_PRICE_RATIO, **claims)):
        assert [fault.field for fault in method_faults(method)] == [
            "award_method.when_a_bid_drops_out"
        ]


def test_a_tie_rule_names_its_criterion_and_no_other_does() -> None:
    for method in (
        published(MethodName.VALUE_INDEX, tie_rule=TieRule.NAMED_CRITERION),
        published(MethodName.VALUE_INDEX, tie_criterion="Q1"),
    ):
        assert [fault.field for fault in method_faults(method)] == ["award_method.tie_criterion"]


# ------------------------------------------------------------------------------------------ reals


@given(st.fractions(1, 100), st.fractions(1, 100), st.fractions(Fraction(11, 10), 10))
def test_logarithms_keep_order_and_are_those_of_floats(
    one: Fraction, other: Fraction, base: Fraction
) -> None:
    from math import log  # noqa: PLC0415  # floats are looked at here alone

    low, high = sorted((one, other))
    assert logarithm(low, base) <= logarithm(high, base)
    assert float(logarithm(high, base)) == pytest.approx(log(high) / log(base), rel=1e-9, abs=1e-9)


@given(st.fractions(0, 100), st.fractions(0, 100), st.fractions(Fraction(1, 10), 10))
def test_powers_keep_order_and_whole_ones_are_exact(
    one: Fraction, other: Fraction, exponent: Fraction
) -> None:
    low, high = sorted((one, other))
    assert power(low, exponent) <= power(high, exponent)
    assert power(one, Fraction(3)) == one**3
    assert float(power(high, exponent)) == pytest.approx(float(high) ** float(exponent), rel=1e-9)
