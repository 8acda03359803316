"""From the panel's agreed values to exact quality points."""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Final

from market.money import fraction_of, plain_text
from tenders.rules.criteria import Criterion

NOT_OPENED: Final = "not_opened"
"""Why a bid fails that could not be scored."""


class OffScale(ValueError):
    """A value was given that the published scale does not list."""


class Unscored(ValueError):
    """A criterion has no agreed value."""


class NotACriterion(ValueError):
    """A value was given for something the lot does not score."""


def ensure_on_scale(value: Decimal, allowed: Sequence[Decimal]) -> None:
    """Refuse, with `OffScale`, a value that the scale does not list: a scale is no range."""
    if value not in allowed:
        listed = ", ".join(plain_text(step) for step in allowed)
        raise OffScale(f"The value {plain_text(value)} is not on the scale; give one of: {listed}.")


def quality_points(
    leaves: Sequence[Criterion], agreed: Mapping[str, Decimal | Fraction], highest: Fraction
) -> Fraction:
    """Add up weight times value over the highest value, exactly, over all leaves.

    What is passed or failed has no points.

    `agreed` gives each leaf's value by its code; the result is in points out of 100 and lies
    between 0 and the sum of the leaves' weights. Raises `Unscored` for a leaf without a value,
    `NotACriterion` for a value without a leaf, and `OffScale` for a value outside 0 to
    `highest` (whether it is one of the listed values is checked by `ensure_on_scale`).
    """
    unknown = sorted(agreed.keys() - {leaf.code for leaf in leaves})
    if unknown:
        raise NotACriterion(f"There is no criterion to score with the code {unknown[0]}.")
    points = Fraction(0)
    for leaf in leaves:
        if leaf.code not in agreed:
            raise Unscored(f"The criterion {leaf.code} has no agreed score yet.")
        if leaf.pass_fail:
            continue
        value = Fraction(agreed[leaf.code])
        if not 0 <= value <= highest:
            raise OffScale(f"The value {agreed[leaf.code]} of {leaf.code} is not on the scale.")
        points += fraction_of(leaf.weight) * value / highest
    return points


def quality_percentage(points: Fraction, quality_weight: Fraction) -> Fraction:
    """Return the quality points as a percentage of those that can be had.

    Raises `ValueError` when no quality points can be had.
    """
    if quality_weight <= 0:
        raise ValueError("The lot has no quality points to reach a percentage of.")
    return 100 * points / quality_weight


def meets_minimum(percentage: Fraction, minimum: Fraction | Decimal) -> bool:
    """Say whether a percentage reaches the published minimum, on exact values; equal is enough."""
    return percentage >= Fraction(minimum)


def failings(
    leaves: Sequence[Criterion], agreed: Mapping[str, Decimal | Fraction], *, enough: bool
) -> list[str]:
    """List what a bid fails by, in document order; it passes when there is nothing.

    `failed:CODE` of what is passed or failed, `below_minimum:CODE` where the agreed value lies
    below the criterion's minimum (equal is enough), `minimum_quality` unless the points are
    `enough` over all. Raises `Unscored` for a leaf without a value.
    """
    found = []
    for leaf in leaves:
        if leaf.code not in agreed:
            raise Unscored(f"The criterion {leaf.code} has no agreed score yet.")
        value = Fraction(agreed[leaf.code])
        if leaf.pass_fail and value == 0:
            found.append(f"failed:{leaf.code}")
        elif leaf.minimum is not None and value < fraction_of(leaf.minimum):
            found.append(f"below_minimum:{leaf.code}")
    return found if enough else [*found, "minimum_quality"]


def is_quoted(quotation: str, texts: Iterable[str]) -> bool:
    """Say whether words are found in one of the texts, however lines and blanks fall."""
    wanted = " ".join(quotation.split())
    return any(wanted in " ".join(text.split()) for text in texts)
