"""Award methods by name and version: an old version stays runnable for as long as its tenders."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from evaluation.rules.methods.additive import AdditiveMethod
from evaluation.rules.methods.curves import (
    BandedIncrease,
    DeviationFromMean,
    FixedPrice,
    LinearBetweenBounds,
    Logarithmic,
    LowestPriceRatio,
    OneSidedInterpolation,
    PriceCurve,
    TwoSidedInterpolation,
)
from evaluation.rules.methods.indices import (
    CoefficientNormalisedPrice,
    Index,
    IndexMethod,
    MonetisedQuality,
    PricePerQualityPoint,
    UtilityIndex,
    ValueIndex,
    WeightedValueIndex,
)
from evaluation.rules.methods.offers import (
    Method,
    NoQuality,
    NotTheFixedPrice,
    OutsideDomain,
    Parameters,
    PriceNotPositive,
)
from tenders.rules.award_methods import MethodName

__all__ = [
    "METHODS",
    "Method",
    "NoQuality",
    "NotTheFixedPrice",
    "OutsideDomain",
    "Parameters",
    "PriceNotPositive",
    "UnknownMethod",
    "method_of",
]


class UnknownMethod(LookupError):
    """No award method has this name and version."""


_CURVES: Final[tuple[tuple[MethodName, PriceCurve], ...]] = (
    (MethodName.LOWEST_PRICE_RATIO, LowestPriceRatio()),
    (MethodName.LINEAR_BETWEEN_BOUNDS, LinearBetweenBounds()),
    (MethodName.ONE_SIDED_INTERPOLATION, OneSidedInterpolation()),
    (MethodName.TWO_SIDED_INTERPOLATION, TwoSidedInterpolation()),
    (MethodName.DEVIATION_FROM_MEAN, DeviationFromMean()),
    (MethodName.LOGARITHMIC, Logarithmic()),
    (MethodName.BANDED_INCREASE, BandedIncrease()),
    (MethodName.FIXED_PRICE, FixedPrice()),
)
_INDICES: Final[tuple[tuple[MethodName, Index], ...]] = (
    (MethodName.PRICE_PER_QUALITY_POINT, PricePerQualityPoint()),
    (MethodName.VALUE_INDEX, ValueIndex()),
    (MethodName.WEIGHTED_VALUE_INDEX, WeightedValueIndex()),
    (MethodName.MONETISED_QUALITY, MonetisedQuality()),
    (MethodName.UTILITY_INDEX, UtilityIndex()),
    (MethodName.COEFFICIENT_NORMALISED_PRICE, CoefficientNormalisedPrice()),
)
_ALL: Final[tuple[Method, ...]] = (
    *(AdditiveMethod(name, 1, curve) for name, curve in _CURVES),
    *(IndexMethod(name, 1, index) for name, index in _INDICES),
)
METHODS: Final[Mapping[tuple[MethodName, int], Method]] = MappingProxyType(
    {(method.name, method.version): method for method in _ALL}
)
"""Every method that was ever publishable. Never change one: add a version beside it."""


def method_of(name: MethodName, version: int) -> Method:
    """Return the method that a requirement names; raise `UnknownMethod` when there is none."""
    try:
        return METHODS[name, version]
    except KeyError:
        raise UnknownMethod(f"There is no award method {name} in version {version}.") from None
