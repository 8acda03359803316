"""How often each bid wins when weights and scores vary within stated bounds (Monte Carlo).

Floats are good enough here, and here alone: what comes out is a frequency with its standard error,
never a score. The generator is seeded, so the same question has the same answer.
"""

from collections.abc import Callable, Mapping, Sequence
from math import sqrt
from types import MappingProxyType
from typing import Annotated, Final

import numpy as np
from msgspec import Meta, Struct
from numpy.typing import NDArray

from tenders.rules.award_methods import MethodName, QualityTaken

Figures = NDArray[np.float64]

_BATCH: Final = 2_000
_LOWEST_DRAWS: Final = 100
_MOST_DRAWS: Final = 1_000_000
_BAND: Final = (0.05, 0.95)


class Variation(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is varied, and how often.

    Evenly: each weight by so many per cent of itself either way, each score by so many per cent of
    the scale either way. The same seed gives the same draws.
    """

    weights: Annotated[float, Meta(ge=0, le=100)] = 20.0
    scores: Annotated[float, Meta(ge=0, le=100)] = 10.0
    draws: Annotated[int, Meta(ge=_LOWEST_DRAWS, le=_MOST_DRAWS)] = 100_000
    seed: Annotated[int, Meta(ge=0, le=2**53 - 1)] = 0


class Field(Struct, frozen=True, kw_only=True):
    """The bids as floats: scores as shares of the scale (bids x criteria), weights of criteria.

    `price_shares` are the price points over the price weight of an additive method, computed once:
    prices do not vary. `prices` are in pounds, for an index.
    """

    keys: Sequence[str]
    scores: Figures
    weights: Figures
    price_weight: float
    price_shares: Figures
    prices: Figures
    quality: QualityTaken = QualityTaken.AS_SCORED
    quality_value: float = 0.0
    largest_coefficient: float = 0.0


class Frequency(Struct, frozen=True, kw_only=True):
    """How often a bid won, between 0 and 1, with its standard error; and where it came mostly.

    Ties share a win. `best_rank` and `worst_rank` are passed in one draw of twenty each.
    """

    key: str
    wins: float
    standard_error: float
    best_rank: int
    worst_rank: int


def win_frequencies(method: MethodName, field: Field, variation: Variation) -> list[Frequency]:
    """Rank the bids as often as asked, each time with other weights and scores.

    All weights, that of price included, vary independently and are brought back to 100 together;
    scores are kept within the scale. 100,000 draws over 50 bids and 40 criteria take seconds.
    Raises `ValueError` for a field whose shapes do not fit.
    """
    bids, criteria = field.scores.shape
    if len(field.keys) != bids or field.weights.shape != (criteria,):
        raise ValueError("The field needs a key for each bid and a weight for each criterion.")
    if not bids:
        return []
    generator = np.random.default_rng(variation.seed)
    wins = np.zeros(bids)
    ranks = np.zeros((bids, bids), dtype=np.int64)
    left = variation.draws
    while left:
        count = min(_BATCH, left)
        left -= count
        figures = _figures(method, field, variation, generator, count)
        best = figures.max(axis=1, keepdims=True)
        first = figures >= best
        wins += (first / first.sum(axis=1, keepdims=True)).sum(axis=0)
        order = np.argsort(-figures, axis=1, kind="stable")
        for place in range(bids):
            ranks[:, place] += np.bincount(order[:, place], minlength=bids)
    return [
        _frequency(field.keys[bid], wins[bid], ranks[bid], variation.draws) for bid in range(bids)
    ]


def _figures(
    method: MethodName,
    field: Field,
    variation: Variation,
    generator: np.random.Generator,
    count: int,
) -> Figures:
    """One figure for each draw and bid, the highest winning."""
    bids, criteria = field.scores.shape
    by, off = variation.weights / 100, variation.scores / 100
    weights = field.weights * generator.uniform(1 - by, 1 + by, (count, criteria))
    price_weight = field.price_weight * generator.uniform(1 - by, 1 + by, count)
    whole = weights.sum(axis=1) + price_weight
    weights *= 100 / whole[:, None]
    price_weight *= 100 / whole
    quality = np.empty((count, bids))
    for bid in range(bids):
        noise = generator.uniform(-off, off, (count, criteria)) if off else 0.0
        shares = np.clip(field.scores[bid] + noise, 0.0, 1.0)
        quality[:, bid] = (shares * weights).sum(axis=1)
    if field.quality is QualityTaken.RELATIVE_TO_BEST:
        best = quality.max(axis=1, keepdims=True)
        quality *= weights.sum(axis=1)[:, None] / np.where(best > 0, best, 1.0)
    figure = _INDICES.get(method)
    if figure is None:
        additive: Figures = quality + price_weight[:, None] * field.price_shares
        return additive
    quality_weight = weights.sum(axis=1)
    share = quality / np.where(quality_weight > 0, quality_weight, 1.0)[:, None]
    return figure(field, share, quality_weight, price_weight)


def _frequency(key: str, won: float, ranks: NDArray[np.int64], draws: int) -> Frequency:
    share = float(won) / draws
    passed = np.cumsum(ranks) / draws
    return Frequency(
        key=key,
        wins=share,
        standard_error=sqrt(share * (1 - share) / draws),
        best_rank=int(np.searchsorted(passed, _BAND[0], side="right")) + 1,
        worst_rank=int(np.searchsorted(passed, _BAND[1], side="left")) + 1,
    )


# The index family once more, for many draws at a time; a test holds each against its exact form.


def _value(field: Field, share: Figures, *_: Figures) -> Figures:
    figures: Figures = share / field.prices
    return figures


def _weighted_value(field: Field, share: Figures, quality: Figures, price: Figures) -> Figures:
    figures: Figures = np.power(100 * share, (quality / price)[:, None]) / field.prices
    return figures


def _monetised(field: Field, share: Figures, *_: Figures) -> Figures:
    figures: Figures = field.quality_value * share - field.prices
    return figures


def _utility(field: Field, share: Figures, quality: Figures, price: Figures) -> Figures:
    behind = share.max(axis=1, keepdims=True) - share
    figures: Figures = np.maximum(0.0, 1 - behind * (quality / price)[:, None]) / field.prices
    return figures


def _normalised(field: Field, share: Figures, *_: Figures) -> Figures:
    largest = field.largest_coefficient
    figures: Figures = (1 + largest * share / (1 - largest)) / field.prices
    return figures


_INDICES: Final[Mapping[MethodName, Callable[[Field, Figures, Figures, Figures], Figures]]] = (
    MappingProxyType(
        {
            MethodName.PRICE_PER_QUALITY_POINT: _value,
            MethodName.VALUE_INDEX: _value,
            MethodName.WEIGHTED_VALUE_INDEX: _weighted_value,
            MethodName.MONETISED_QUALITY: _monetised,
            MethodName.UTILITY_INDEX: _utility,
            MethodName.COEFFICIENT_NORMALISED_PRICE: _normalised,
        }
    )
)
