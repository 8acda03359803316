"""What a requirement says of its award method, and what can be wrong with it."""

from collections.abc import Callable, Collection, Iterator, Mapping
from enum import StrEnum
from fractions import Fraction
from types import MappingProxyType
from typing import Annotated, Any, ClassVar, Final

from msgspec import Meta, Struct

from market.errors import Fault
from market.money import DecimalText, fraction_of

MOST_BANDS: Final = 20
_WHOLE: Final = 100


class MethodName(StrEnum):
    """The award methods a requirement may name: the additive family, then the index family."""

    LOWEST_PRICE_RATIO = "lowest_price_ratio"
    LINEAR_BETWEEN_BOUNDS = "linear_between_bounds"
    ONE_SIDED_INTERPOLATION = "one_sided_interpolation"
    TWO_SIDED_INTERPOLATION = "two_sided_interpolation"
    DEVIATION_FROM_MEAN = "deviation_from_mean"
    LOGARITHMIC = "logarithmic"
    BANDED_INCREASE = "banded_increase"
    FIXED_PRICE = "fixed_price"
    PRICE_PER_QUALITY_POINT = "price_per_quality_point"
    VALUE_INDEX = "value_index"
    WEIGHTED_VALUE_INDEX = "weighted_value_index"
    MONETISED_QUALITY = "monetised_quality"
    UTILITY_INDEX = "utility_index"
    COEFFICIENT_NORMALISED_PRICE = "coefficient_normalised_price"


class TieRule(StrEnum):
    """What decides between bids whose exact totals are equal."""

    HIGHER_QUALITY = "higher_quality"
    LOWER_PRICE = "lower_price"
    NAMED_CRITERION = "named_criterion"
    EARLIEST_SUBMISSION = "earliest_submission"
    COMMITTED_DRAW = "committed_draw"


class QualityTaken(StrEnum):
    """Quality points as they were scored, or relative to the best: weight x points / best."""

    AS_SCORED = "as_scored"
    RELATIVE_TO_BEST = "relative_to_best"


class DropOutRule(StrEnum):
    """What happens to the ranking when a ranked bid drops out later.

    Frozen: every figure stands, the next one moves up. Rescored: the figures are computed again
    over the bids that are left. Absolute: no figure depends on another bid, so there is nothing
    to decide; only methods of which that is true may say so.
    """

    FREEZE = "freeze"
    RESCORE = "rescore"
    ABSOLUTE = "absolute"


class PriceBand(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Up to this increase over the lowest price, this share of the price points; both per cent."""

    up_to: DecimalText
    share: DecimalText


class MethodParameters(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The published figures of a method. Each method takes its own and no other.

    `floor` and `ceiling` are prices in pounds; `base` is the A of the logarithm, at which the
    points are used up; `beyond` is the share above the last band; `quality_value` is what full
    quality is worth in pounds; `largest_coefficient` is the sum of all coefficients that quality
    can earn, above 0 and below 1; `price` is the fixed price in pounds.
    """

    floor: DecimalText | None = None
    ceiling: DecimalText | None = None
    base: DecimalText | None = None
    bands: Annotated[tuple[PriceBand, ...], Meta(max_length=MOST_BANDS)] = ()
    beyond: DecimalText | None = None
    quality_value: DecimalText | None = None
    largest_coefficient: DecimalText | None = None
    price: DecimalText | None = None


class AwardMethod(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How quality and price become a ranking; frozen at publication.

    `tie_criterion` is the code of the criterion that decides, where the tie rule names one.
    """

    name: MethodName
    version: Annotated[int, Meta(ge=1, le=1_000)] = 1
    tie_rule: TieRule
    tie_criterion: Annotated[str, Meta(max_length=32)] | None = None
    quality: QualityTaken = QualityTaken.AS_SCORED
    parameters: MethodParameters = MethodParameters()
    when_a_bid_drops_out: DropOutRule = DropOutRule.FREEZE

    example: ClassVar[dict[str, Any]] = {
        "name": "linear_between_bounds",
        "tie_rule": "higher_quality",
        "parameters": {"floor": "5995", "ceiling": "8995"},
        "when_a_bid_drops_out": "absolute",
    }


class _Traits(Struct, frozen=True, kw_only=True):
    """What is known of a method before any bid: its versions, figures, and on what it depends."""

    takes: tuple[str, ...] = ()
    relative: bool = True
    """Whether a bid's figure depends on other bids' prices or quality."""
    index: bool = False
    """Whether one figure ranks the bids, rather than quality points plus price points."""
    divides_by_quality: bool = False
    versions: frozenset[int] = frozenset({1})


TRAITS: Final[Mapping[MethodName, _Traits]] = MappingProxyType(
    {
        MethodName.LOWEST_PRICE_RATIO: _Traits(),
        MethodName.LINEAR_BETWEEN_BOUNDS: _Traits(takes=("floor", "ceiling"), relative=False),
        MethodName.ONE_SIDED_INTERPOLATION: _Traits(),
        MethodName.TWO_SIDED_INTERPOLATION: _Traits(),
        MethodName.DEVIATION_FROM_MEAN: _Traits(),
        MethodName.LOGARITHMIC: _Traits(takes=("base",)),
        MethodName.BANDED_INCREASE: _Traits(takes=("bands", "beyond")),
        MethodName.FIXED_PRICE: _Traits(takes=("price",), relative=False),
        MethodName.PRICE_PER_QUALITY_POINT: _Traits(
            relative=False, index=True, divides_by_quality=True
        ),
        MethodName.VALUE_INDEX: _Traits(relative=False, index=True),
        MethodName.WEIGHTED_VALUE_INDEX: _Traits(relative=False, index=True),
        MethodName.MONETISED_QUALITY: _Traits(takes=("quality_value",), relative=False, index=True),
        MethodName.UTILITY_INDEX: _Traits(index=True),
        MethodName.COEFFICIENT_NORMALISED_PRICE: _Traits(
            takes=("largest_coefficient",), relative=False, index=True
        ),
    }
)
"""The traits of every method; a test holds each against what the method does."""


def is_relative(method: AwardMethod) -> bool:
    """Say whether the figure of a bid may change when another bid is added or taken away."""
    return TRAITS[method.name].relative or method.quality is QualityTaken.RELATIVE_TO_BEST


def method_faults(method: AwardMethod, field: str = "award_method") -> list[Fault]:
    """Find everything wrong with a method by itself; a lot's weights are another matter.

    Parameters under which a better bid could rank lower are among the faults: bounds the wrong
    way round, bands that give more points to a higher price, a logarithm of a base up to 1.
    """
    traits = TRAITS[method.name]
    found = []
    if method.version not in traits.versions:
        offered = ", ".join(str(version) for version in sorted(traits.versions))
        reason = f"The method {method.name} has no version {method.version}; use one of: {offered}."
        found.append(Fault(field=f"{field}.version", reason=reason))
    found.extend(_choice_faults(method, field))
    missing = list(_figure_faults(method, field))
    found.extend(missing)
    check = _CHECKS.get(method.name)
    if check is not None and not missing:
        found.extend(check(method.parameters, f"{field}.parameters"))
    return found


def lot_faults(  # noqa: PLR0913  # the facts of one lot, each by its name
    method: AwardMethod,
    criteria: str,
    *,
    lot: int,
    price_criteria: int,
    price_weight: Fraction,
    minimum_quality: Fraction,
    scored: Collection[str],
    field: str = "award_method",
) -> Iterator[Fault]:
    """Find what makes a method unfit for a lot with these weights, minimum and criteria.

    `criteria` is where the lot's criteria are found.
    """
    traits = TRAITS[method.name]
    fixed = method.name is MethodName.FIXED_PRICE
    if price_criteria != (0 if fixed else 1):
        wanted = "none, since the price is fixed" if fixed else "exactly one"
        reason = (
            f"Lot {lot} has {price_criteria} price criteria at the top level; it must have"
            f" {wanted}."
        )
        yield Fault(field=criteria, reason=reason)
    if method.name is MethodName.WEIGHTED_VALUE_INDEX and 0 < price_weight < 1:
        reason = (
            f"Lot {lot} gives price less than one point; quality to the power of the weights would"
            " be beyond comparison."
        )
        yield Fault(field=f"{field}.name", reason=reason)
    if traits.divides_by_quality and not minimum_quality:
        reason = (
            f"The method {method.name} divides by quality; give lot {lot} a minimum quality above"
            " zero."
        )
        yield Fault(field=f"{field}.name", reason=reason)
    if method.tie_criterion is not None and method.tie_criterion not in scored:
        reason = (
            f"Lot {lot} has no scored criterion {method.tie_criterion}, which is to decide ties;"
            " name one that every lot has."
        )
        yield Fault(field=f"{field}.tie_criterion", reason=reason)


def _choice_faults(method: AwardMethod, field: str) -> Iterator[Fault]:
    if (method.tie_rule is TieRule.NAMED_CRITERION) != (method.tie_criterion is not None):
        reason = (
            "The tie rule named_criterion needs the code of the criterion; no other rule takes one."
        )
        yield Fault(field=f"{field}.tie_criterion", reason=reason)
    if method.when_a_bid_drops_out is DropOutRule.ABSOLUTE and is_relative(method):
        reason = (
            "The figures of this method depend on the other bids; say whether they are frozen or"
            " rescored when a bid drops out."
        )
        yield Fault(field=f"{field}.when_a_bid_drops_out", reason=reason)


def _figure_faults(method: AwardMethod, field: str) -> Iterator[Fault]:
    """Report figures that the method needs and was not given, or was given and does not take."""
    takes = TRAITS[method.name].takes
    for name in MethodParameters.__struct_fields__:
        given = getattr(method.parameters, name) not in {None, ()}
        if given and name not in takes:
            reason = f"The method {method.name} takes no {name}; leave it out."
            yield Fault(field=f"{field}.parameters.{name}", reason=reason)
        if not given and name in takes:
            reason = f"The method {method.name} needs a {name}; publish it."
            yield Fault(field=f"{field}.parameters.{name}", reason=reason)


def _bounds_faults(figures: MethodParameters, field: str) -> Iterator[Fault]:
    floor, ceiling = fraction_of(figures.floor or "0"), fraction_of(figures.ceiling or "0")
    if floor < 0:
        reason = f"The floor is {figures.floor}; it cannot lie below zero."
        yield Fault(field=f"{field}.floor", reason=reason)
    if ceiling <= floor:
        reason = f"The ceiling {figures.ceiling} must lie above the floor {figures.floor}."
        yield Fault(field=f"{field}.ceiling", reason=reason)


def _base_faults(figures: MethodParameters, field: str) -> Iterator[Fault]:
    if fraction_of(figures.base or "0") <= 1:
        reason = (
            f"The base is {figures.base}; with 1 or less a higher price would earn more points."
        )
        yield Fault(field=f"{field}.base", reason=reason)


def _band_faults(figures: MethodParameters, field: str) -> Iterator[Fault]:
    """Bands rise in price and fall in points, from below everything to not below nothing."""
    highest, most = fraction_of("0"), fraction_of(str(_WHOLE))
    for index, band in enumerate(figures.bands):
        up_to, share = fraction_of(band.up_to), fraction_of(band.share)
        if up_to <= highest:
            reason = f"The band up to {band.up_to} per cent does not lie above the one before it."
            yield Fault(field=f"{field}.bands[{index}].up_to", reason=reason)
        if not 0 <= share <= most:
            reason = (
                f"The band up to {band.up_to} per cent gives {band.share} per cent of the points;"
                " give none more than the band of a lower price, and none less than zero."
            )
            yield Fault(field=f"{field}.bands[{index}].share", reason=reason)
        highest, most = max(highest, up_to), min(most, share)
    if not 0 <= fraction_of(figures.beyond or "0") <= most:
        reason = (
            f"Beyond the last band the points must lie between 0 and the {most} per cent there."
        )
        yield Fault(field=f"{field}.beyond", reason=reason)


def _positive(name: str) -> Callable[[MethodParameters, str], Iterator[Fault]]:
    def check(figures: MethodParameters, field: str) -> Iterator[Fault]:
        given = getattr(figures, name)
        if fraction_of(given) <= 0:
            reason = f"The {name} is {given}; it must be above zero."
            yield Fault(field=f"{field}.{name}", reason=reason)

    return check


def _coefficient_faults(figures: MethodParameters, field: str) -> Iterator[Fault]:
    if not 0 < fraction_of(figures.largest_coefficient or "0") < 1:
        reason = (
            f"The largest_coefficient is {figures.largest_coefficient}; it must lie above 0 and"
            " below 1, or the price of a perfect bid could not be divided by what it earns."
        )
        yield Fault(field=f"{field}.largest_coefficient", reason=reason)


_CHECKS: Final[Mapping[MethodName, Callable[[MethodParameters, str], Iterator[Fault]]]] = (
    MappingProxyType(
        {
            MethodName.LINEAR_BETWEEN_BOUNDS: _bounds_faults,
            MethodName.LOGARITHMIC: _base_faults,
            MethodName.BANDED_INCREASE: _band_faults,
            MethodName.FIXED_PRICE: _positive("price"),
            MethodName.MONETISED_QUALITY: _positive("quality_value"),
            MethodName.COEFFICIENT_NORMALISED_PRICE: _coefficient_faults,
        }
    )
)
