"""Criteria and the scale they are scored on, and what can be wrong with them."""

from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Final

from msgspec import Meta, Struct

from market.errors import Fault
from market.money import DecimalText, decimal_of, exact_sum, plain_text

MAXIMUM_CRITERIA: Final = 200
MAXIMUM_DEPTH: Final = 3
MINIMUM_SCALE_VALUES: Final = 2
# PostgreSQL cannot store U+0000 in text or jsonb, so no text may carry it.
NO_NUL: Final = r"^[^\u0000]*$"
ShortText = Annotated[str, Meta(max_length=200, pattern=NO_NUL)]
LongText = Annotated[str, Meta(max_length=20_000, pattern=NO_NUL)]
Code = Annotated[
    str,
    Meta(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,31}$(?!\n)",
        description="A short code: letters, digits, points, underscores and hyphens.",
        examples=["Q1.2"],
    ),
]


class CriterionKind(StrEnum):
    """Whether a criterion is judged by evaluators or computed from prices."""

    QUALITY = "quality"
    PRICE = "price"


class Consensus(StrEnum):
    """How the scores of several evaluators become the one that counts."""

    AGREED = "agreed"
    MEAN = "mean"


class ScaleValue(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One value that an evaluator may give, and what it means."""

    value: DecimalText
    title: ShortText
    descriptor: LongText


class Criterion(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A node of the criteria tree; weights are points out of 100 at every level.

    Only a quality criterion without children is answered and scored; on a parent, `question`
    introduces the group. One that is `pass_fail` weighs 0 and is passed or failed; on any other,
    `minimum` is the value of the scale that a bid must reach. A bid that fails either has failed.
    """

    code: Code
    title: ShortText
    kind: CriterionKind
    weight: DecimalText
    question: LongText | None = None
    pass_fail: bool = False
    minimum: DecimalText | None = None
    children: Annotated[tuple["Criterion", ...], Meta(max_length=MAXIMUM_CRITERIA)] = ()


def walk(
    field: str, criteria: Iterable[Criterion], depth: int = 1
) -> Iterator[tuple[str, Criterion, int]]:
    """Visit the tree in document order, one level past the deepest allowed and no further."""
    for index, criterion in enumerate(criteria):
        here = f"{field}[{index}]"
        yield here, criterion, depth
        if depth <= MAXIMUM_DEPTH:
            yield from walk(f"{here}.children", criterion.children, depth + 1)


def scale_faults(scale: Sequence[ScaleValue]) -> Iterator[Fault]:
    values = [decimal_of(step.value) for step in scale]
    if len(scale) < MINIMUM_SCALE_VALUES:
        reason = f"The scale has {len(scale)} values; give it at least {MINIMUM_SCALE_VALUES}."
        yield Fault(field="scale", reason=reason)
    if values and values[0] < 0:
        reason = f"The scale starts at {plain_text(values[0])}; start it at zero or above."
        yield Fault(field="scale[0].value", reason=reason)
    if values and max(values) <= 0:
        reason = "The highest value of the scale is not above zero; raise it."
        yield Fault(field="scale", reason=reason)
    for index, step in enumerate(scale):
        field = f"scale[{index}]"
        yield from blank_faults(field, title=step.title, descriptor=step.descriptor)
        if index and values[index] <= values[index - 1]:
            reason = (
                f"The value {plain_text(values[index])} does not lie above the one before it,"
                f" {plain_text(values[index - 1])}; list the values from lowest to highest, each"
                " once."
            )
            yield Fault(field=f"{field}.value", reason=reason)


def criterion_faults(field: str, criterion: Criterion, depth: int) -> Iterator[Fault]:
    code, weight = criterion.code, decimal_of(criterion.weight)
    yield from blank_faults(field, title=criterion.title)
    yield from _criterion_weight_faults(field, criterion, weight)
    if depth > MAXIMUM_DEPTH:
        reason = (
            f"The criterion {code} lies {depth} levels deep; use at most {MAXIMUM_DEPTH} levels."
        )
        yield Fault(field=field, reason=reason)
    if criterion.children:
        total = exact_sum(decimal_of(child.weight) for child in criterion.children)
        if total != weight:
            reason = (
                f"The weights inside {code} add up to {plain_text(total)}; they must add up to"
                f" exactly {plain_text(weight)}, the weight of {code}."
            )
            yield Fault(field=f"{field}.children", reason=reason)
    if criterion.kind is CriterionKind.PRICE:
        if depth > 1:
            reason = (
                f"The price criterion {code} lies inside another criterion; move it to the top"
                " level."
            )
            yield Fault(field=f"{field}.kind", reason=reason)
        if criterion.children:
            reason = (
                f"The price criterion {code} has criteria inside it; remove them and list the"
                " prices asked for as price items."
            )
            yield Fault(field=f"{field}.children", reason=reason)
    elif not criterion.children and not (criterion.question or "").strip():
        reason = f"The quality criterion {code} asks nothing; write the question bidders answer."
        yield Fault(field=f"{field}.question", reason=reason)


def _criterion_weight_faults(field: str, criterion: Criterion, weight: Decimal) -> Iterator[Fault]:
    """What is passed or failed weighs nothing, and so does a group of nothing else."""
    code = criterion.code
    if not _only_passed(criterion):
        yield from above_zero_faults(f"{field}.weight", f"weight of {code}", weight)
    elif weight != 0:
        reason = f"The weight of {code} is {plain_text(weight)}; what is passed or failed weighs 0."
        yield Fault(field=f"{field}.weight", reason=reason)
    if criterion.pass_fail and (criterion.children or criterion.kind is CriterionKind.PRICE):
        reason = f"{code} cannot be passed or failed: only what bidders answer can."
        yield Fault(field=f"{field}.pass_fail", reason=reason)


def _only_passed(criterion: Criterion) -> bool:
    if criterion.children:
        return all(_only_passed(child) for child in criterion.children)
    return criterion.pass_fail


def minimum_faults(
    field: str, criteria: Iterable[Criterion], scale: Sequence[ScaleValue]
) -> Iterator[Fault]:
    """A minimum that no bid can miss, or none can reach, is none of the scale's values."""
    values = [decimal_of(step.value) for step in scale]
    for here, criterion, _ in walk(field, criteria):
        code, minimum = criterion.code, criterion.minimum
        if minimum is None:
            continue
        if criterion.pass_fail or criterion.children or criterion.kind is CriterionKind.PRICE:
            reason = f"{code} is not scored on the scale, so it takes no minimum; leave it out."
            yield Fault(field=f"{here}.minimum", reason=reason)
        elif decimal_of(minimum) not in values:
            reason = f"The minimum of {code} is {minimum}, which is no value of the scale."
            yield Fault(field=f"{here}.minimum", reason=reason)


def blank_faults(prefix: str, **texts: str) -> Iterator[Fault]:
    for name, text in texts.items():
        if not text.strip():
            field = f"{prefix}.{name}" if prefix else name
            yield Fault(field=field, reason=f"The {name} is empty; write it.")


def above_zero_faults(field: str, what: str, value: Decimal) -> Iterator[Fault]:
    if value <= 0:
        reason = f"The {what} is {plain_text(value)}; it must be above zero."
        yield Fault(field=field, reason=reason)
