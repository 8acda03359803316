"""Win frequencies: seeded, bounded, and those of the exact methods where nothing varies."""

from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest

from evaluation.rules.methods import Parameters, method_of
from evaluation.rules.ranking import Offer
from evaluation.rules.robustness.draws import Field, Variation, win_frequencies
from tenders.rules.award_methods import TRAITS, MethodName, MethodParameters, QualityTaken, TieRule

SCORES = np.array([[0.8, 0.6], [0.6, 0.8], [0.4, 0.5]])
WEIGHTS = np.array([40.0, 20.0])
PRICES = np.array([120.0, 100.0, 90.0])
FIGURES = {
    MethodName.MONETISED_QUALITY: MethodParameters(quality_value="100"),
    MethodName.COEFFICIENT_NORMALISED_PRICE: MethodParameters(largest_coefficient="0.3"),
}


def field(quality: QualityTaken = QualityTaken.AS_SCORED) -> Field:
    return Field(
        keys=["a", "b", "c"],
        scores=SCORES,
        weights=WEIGHTS,
        price_weight=40.0,
        price_shares=PRICES.min() / PRICES,
        prices=PRICES,
        quality=quality,
        quality_value=100.0,
        largest_coefficient=0.3,
    )


NAMES = [MethodName.LOWEST_PRICE_RATIO, *(name for name in MethodName if TRAITS[name].index)]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("quality", QualityTaken)
def test_without_variation_the_winner_is_the_exact_one(
    name: MethodName, quality: QualityTaken
) -> None:
    offers = [
        Offer(
            key=key,
            quality_points=sum(
                (
                    Fraction(str(weight)) * Fraction(str(score))
                    for weight, score in zip(WEIGHTS, row, strict=True)
                ),
                Fraction(0),
            ),
            price=Decimal(str(price)),
        )
        for key, row, price in zip("abc", SCORES, PRICES, strict=True)
    ]
    parameters = Parameters(
        price_weight=Fraction(40),
        tie_rule=TieRule.LOWER_PRICE,
        quality=quality,
        figures=FIGURES.get(name, MethodParameters()),
    )
    exact = method_of(name, 1).rank(offers, parameters)
    still = Variation(weights=0, scores=0, draws=100)
    drawn = win_frequencies(name, field(quality), still)
    by_rank = sorted(drawn, key=lambda one: one.best_rank)
    assert [one.key for one in by_rank] == [row.key for row in exact.rows]
    assert [one.wins for one in by_rank] == [1.0, 0.0, 0.0]
    assert all(one.best_rank == one.worst_rank for one in drawn)


def test_the_same_seed_gives_the_same_answer_and_another_one_nearly_so() -> None:
    one = win_frequencies(MethodName.LOWEST_PRICE_RATIO, field(), Variation(draws=20_000, seed=1))
    again = win_frequencies(MethodName.LOWEST_PRICE_RATIO, field(), Variation(draws=20_000, seed=1))
    other = win_frequencies(MethodName.LOWEST_PRICE_RATIO, field(), Variation(draws=20_000, seed=2))
    assert one == again != other
    assert sum(bid.wins for bid in one) == pytest.approx(1)
    for left, right in zip(one, other, strict=True):
        # six standard errors of a difference
        assert abs(left.wins - right.wins) < 6 * 1.5 * max(left.standard_error, 1e-3)


def test_equal_bids_share_their_wins() -> None:
    twins = Field(
        keys=["a", "b"],
        scores=np.array([[0.5], [0.5]]),
        weights=np.array([60.0]),
        price_weight=40.0,
        price_shares=np.array([1.0, 1.0]),
        prices=np.array([100.0, 100.0]),
    )
    still = Variation(scores=0, draws=1_000)
    drawn = win_frequencies(MethodName.LOWEST_PRICE_RATIO, twins, still)
    assert [one.wins for one in drawn] == [0.5, 0.5]


def test_shapes_that_do_not_fit_are_refused_and_no_bids_have_no_frequencies() -> None:
    with pytest.raises(ValueError, match="a weight for each criterion"):
        win_frequencies(
            MethodName.VALUE_INDEX,
            Field(
                keys=["a"],
                scores=np.ones((1, 2)),
                weights=np.ones(3),
                price_weight=1.0,
                price_shares=np.ones(1),
                prices=np.ones(1),
            ),
            Variation(),
        )
    nobody = Field(
        keys=[],
        scores=np.ones((0, 2)),
        weights=np.ones(2),
        price_weight=1.0,
        price_shares=np.ones(0),
        prices=np.ones(0),
    )
    assert win_frequencies(MethodName.VALUE_INDEX, nobody, Variation()) == []


def test_a_large_field_is_drawn_in_batches_that_fit_in_memory() -> None:
    generator = np.random.default_rng(7)
    large = Field(
        keys=[f"bid {number}" for number in range(50)],
        scores=generator.uniform(0, 1, (50, 40)),
        weights=np.full(40, 1.5),
        price_weight=40.0,
        price_shares=generator.uniform(0.5, 1, 50),
        prices=generator.uniform(90, 120, 50),
    )
    drawn = win_frequencies(MethodName.LOWEST_PRICE_RATIO, large, Variation(draws=5_000))
    assert sum(one.wins for one in drawn) == pytest.approx(1)
    assert all(1 <= one.best_rank <= one.worst_rank <= 50 for one in drawn)
