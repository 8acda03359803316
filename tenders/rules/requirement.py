"""The requirement a specification author writes, and everything that can be wrong with it."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from typing import Annotated, Any, ClassVar, Final

from msgspec import Meta, Struct

from market.errors import Fault
from market.money import (
    DecimalText,
    Money,
    decimal_of,
    exact_sum,
    fraction_of,
    plain_text,
)
from tenders.rules.award_methods import AwardMethod, lot_faults, method_faults
from tenders.rules.lot_limits import LotLimit, limit_faults

MAXIMUM_LOTS: Final = 20
MAXIMUM_CRITERIA: Final = 200
MAXIMUM_PRICE_ITEMS: Final = 200
MAXIMUM_DEPTH: Final = 3
MAXIMUM_VARIANTS: Final = 20
MINIMUM_SCALE_VALUES: Final = 2
WHOLE: Final = Decimal(100)

# PostgreSQL cannot store U+0000 in text or jsonb, so no text may carry it.
_NO_NUL: Final = r"^[^\u0000]*$"
ShortText = Annotated[str, Meta(max_length=200, pattern=_NO_NUL)]
LongText = Annotated[str, Meta(max_length=20_000, pattern=_NO_NUL)]
Code = Annotated[
    str,
    Meta(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,31}$(?!\n)",
        description="A short code: letters, digits, points, underscores and hyphens.",
        examples=["Q1.2"],
    ),
]
ServiceLineCode = Annotated[str, Meta(max_length=64, pattern=_NO_NUL)]


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


class PriceItem(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A line of the pricing schedule, with the quantity every bid is compared on."""

    code: Code
    title: ShortText
    unit: ShortText
    quantity: DecimalText


class Variants(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which variants a lot takes of each bidder: Public Contracts Regulations 2015, regulation 45.

    Each is a bid of its own, judged by the same criteria; `minimum_requirements` are what it must
    still meet. Unless `alone`, a variant stands only beside a main bid of the same bidder.
    """

    most: Annotated[int, Meta(ge=1, le=MAXIMUM_VARIANTS)]
    minimum_requirements: LongText
    alone: bool = False


class Lot(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A part of the requirement that is bid for, scored and awarded on its own."""

    number: Annotated[int, Meta(ge=1, le=1_000)]
    title: ShortText
    description: LongText
    service_lines: Annotated[tuple[ServiceLineCode, ...], Meta(max_length=100)]
    criteria: Annotated[tuple[Criterion, ...], Meta(max_length=MAXIMUM_CRITERIA)]
    minimum_quality: Annotated[
        DecimalText,
        Meta(description="The percentage (0 to 100) of the quality points a bid must reach."),
    ]
    price_items: Annotated[tuple[PriceItem, ...], Meta(max_length=MAXIMUM_PRICE_ITEMS)]
    estimated_annual_value: Money
    term_months: Annotated[int, Meta(le=1_200)]
    variants: Variants | None = None


class Requirement(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a commissioning group wants to buy, and how bids will be judged."""

    title: ShortText
    description: LongText
    scale: Annotated[tuple[ScaleValue, ...], Meta(max_length=101)]
    lots: Annotated[tuple[Lot, ...], Meta(max_length=MAXIMUM_LOTS)]
    award_method: AwardMethod
    lot_limit: LotLimit | None = None
    approval_quorum: Annotated[int, Meta(ge=1, le=10)] = 2
    evaluators_minimum: Annotated[int, Meta(ge=1, le=20)] = 2
    spread_tolerance: Annotated[
        DecimalText | None,
        Meta(
            description="How far the scores of one criterion may lie apart, in units of the scale,"
            " before the panel records how it discussed them; any distance if not given."
        ),
    ] = None
    consensus: Annotated[
        Consensus,
        Meta(
            description="`agreed`: the panel agrees on a value of the scale. `mean`: the exact mean"
            " of the evaluators' scores, which the market computes."
        ),
    ] = Consensus.AGREED

    example: ClassVar[dict[str, Any]] = {
        "title": "Business intelligence for three groups",
        "description": "Dashboards, risk stratification and benchmarking for three groups.",
        "scale": [
            {"value": "0", "title": "Poor", "descriptor": "Does not answer the question."},
            {"value": "5", "title": "Fair", "descriptor": "Answers it in part."},
            {"value": "10", "title": "Good", "descriptor": "Answers it in full, with evidence."},
        ],
        "lots": [
            {
                "number": 1,
                "title": "Decision support",
                "description": "Dashboards and analysis for commissioners.",
                "service_lines": ["bi-decision-support"],
                "criteria": [
                    {
                        "code": "Q1",
                        "title": "Service",
                        "kind": "quality",
                        "weight": "60",
                        "question": "How will you provide the service from the first day?",
                    },
                    {"code": "P", "title": "Price", "kind": "price", "weight": "40"},
                ],
                "minimum_quality": "50",
                "price_items": [
                    {"code": "A", "title": "Core service", "unit": "month", "quantity": "36"}
                ],
                "estimated_annual_value": {"amount": "250000.00", "currency": "GBP"},
                "term_months": 36,
            }
        ],
        "award_method": {"name": "lowest_price_ratio", "tie_rule": "higher_quality"},
    }


def leaves(lot: Lot) -> tuple[Criterion, ...]:
    """Return the quality criteria that are answered and scored, in document order."""
    return tuple(
        criterion
        for _, criterion, _ in _walk("", lot.criteria)
        if criterion.kind is CriterionKind.QUALITY and not criterion.children
    )


def price_weight(lot: Lot) -> Fraction:
    """Return the points (of 100) that price can earn."""
    return _weight_of(CriterionKind.PRICE, lot)


def quality_weight(lot: Lot) -> Fraction:
    """Return the points (of 100) that quality can earn."""
    return _weight_of(CriterionKind.QUALITY, lot)


def highest(scale: Sequence[ScaleValue]) -> Fraction:
    """Return the value that earns a criterion's full weight; `ValueError` for an empty scale."""
    return max(fraction_of(step.value) for step in scale)


def faults(requirement: Requirement, known_service_lines: Collection[str]) -> list[Fault]:
    """Find everything wrong with a requirement at once; an empty list means it may be reviewed."""
    return [
        *_blank_faults("", title=requirement.title, description=requirement.description),
        *_scale_faults(requirement.scale),
        *method_faults(requirement.award_method),
        *_panel_faults(requirement),
        *_numbering_faults(requirement.lots),
        *limit_faults(requirement.lot_limit, len(requirement.lots)),
        *(
            fault
            for index, lot in enumerate(requirement.lots)
            for fault in (
                *_lot_faults(f"lots[{index}]", lot, known_service_lines, requirement.award_method),
                *_minimum_faults(f"lots[{index}].criteria", lot, requirement.scale),
            )
        ),
    ]


def _weight_of(kind: CriterionKind, lot: Lot) -> Fraction:
    return sum(
        (fraction_of(criterion.weight) for criterion in lot.criteria if criterion.kind is kind),
        Fraction(0),
    )


def _walk(
    field: str, criteria: Iterable[Criterion], depth: int = 1
) -> Iterator[tuple[str, Criterion, int]]:
    """Visit the tree in document order, one level past the deepest allowed and no further."""
    for index, criterion in enumerate(criteria):
        here = f"{field}[{index}]"
        yield here, criterion, depth
        if depth <= MAXIMUM_DEPTH:
            yield from _walk(f"{here}.children", criterion.children, depth + 1)


def _blank_faults(prefix: str, **texts: str) -> Iterator[Fault]:
    for name, text in texts.items():
        if not text.strip():
            field = f"{prefix}.{name}" if prefix else name
            yield Fault(field=field, reason=f"The {name} is empty; write it.")


def _repeat_faults(field: str, what: str, codes: Sequence[tuple[str, str]]) -> Iterator[Fault]:
    """Report codes used before: `codes` holds (field, code); letter case does not tell apart."""
    seen: set[str] = set()
    for where, code in codes:
        if code.casefold() in seen:
            reason = f"The {what} {code} is used more than once in {field}; use each code once."
            yield Fault(field=where, reason=reason)
        seen.add(code.casefold())


def _above_zero_faults(field: str, what: str, value: Decimal) -> Iterator[Fault]:
    if value <= 0:
        reason = f"The {what} is {plain_text(value)}; it must be above zero."
        yield Fault(field=field, reason=reason)


def _scale_faults(scale: Sequence[ScaleValue]) -> Iterator[Fault]:
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
        yield from _blank_faults(field, title=step.title, descriptor=step.descriptor)
        if index and values[index] <= values[index - 1]:
            reason = (
                f"The value {plain_text(values[index])} does not lie above the one before it,"
                f" {plain_text(values[index - 1])}; list the values from lowest to highest, each"
                " once."
            )
            yield Fault(field=f"{field}.value", reason=reason)


def _panel_faults(requirement: Requirement) -> Iterator[Fault]:
    tolerance = requirement.spread_tolerance
    if tolerance is not None and decimal_of(tolerance) < 0:
        reason = f"The spread tolerance is {tolerance}; it is a distance, zero or above."
        yield Fault(field="spread_tolerance", reason=reason)


def _minimum_faults(field: str, lot: Lot, scale: Sequence[ScaleValue]) -> Iterator[Fault]:
    """A minimum that no bid can miss, or none can reach, is none of the scale's values."""
    values = [decimal_of(step.value) for step in scale]
    for here, criterion, _ in _walk(field, lot.criteria):
        code, minimum = criterion.code, criterion.minimum
        if minimum is None:
            continue
        if criterion.pass_fail or criterion.children or criterion.kind is CriterionKind.PRICE:
            reason = f"{code} is not scored on the scale, so it takes no minimum; leave it out."
            yield Fault(field=f"{here}.minimum", reason=reason)
        elif decimal_of(minimum) not in values:
            reason = f"The minimum of {code} is {minimum}, which is no value of the scale."
            yield Fault(field=f"{here}.minimum", reason=reason)


def _numbering_faults(lots: Sequence[Lot]) -> Iterator[Fault]:
    if not lots:
        yield Fault(field="lots", reason="There is no lot; describe at least one.")
    times = Counter(lot.number for lot in lots)
    for index, lot in enumerate(lots):
        if times[lot.number] > 1:
            reason = f"The lot number {lot.number} is used more than once; number each lot once."
            yield Fault(field=f"lots[{index}].number", reason=reason)
        elif lot.number > len(lots):
            reason = (
                f"The lot number {lot.number} leaves a gap; number the lots 1 to {len(lots)}"
                " without gaps."
            )
            yield Fault(field=f"lots[{index}].number", reason=reason)


def _lot_faults(
    field: str, lot: Lot, known_service_lines: Collection[str], method: AwardMethod
) -> Iterator[Fault]:
    yield from _blank_faults(field, title=lot.title, description=lot.description)
    yield from _service_line_faults(field, lot, known_service_lines)
    yield from lot_faults(
        method,
        f"{field}.criteria",
        lot=lot.number,
        price_criteria=sum(part.kind is CriterionKind.PRICE for part in lot.criteria),
        price_weight=price_weight(lot),
        minimum_quality=fraction_of(lot.minimum_quality),
        scored={leaf.code for leaf in leaves(lot)},
    )
    yield from _criteria_faults(field, lot)
    minimum = decimal_of(lot.minimum_quality)
    if not 0 <= minimum <= WHOLE:
        reason = (
            f"The minimum quality is {plain_text(minimum)}; it is a percentage of the quality"
            " points and must lie between 0 and 100."
        )
        yield Fault(field=f"{field}.minimum_quality", reason=reason)
    yield from _price_item_faults(field, lot)
    yield from _above_zero_faults(
        f"{field}.estimated_annual_value.amount",
        "estimated annual value",
        lot.estimated_annual_value.exact,
    )
    yield from _above_zero_faults(
        f"{field}.term_months", "term in months", Decimal(lot.term_months)
    )
    if lot.variants is not None and not lot.variants.minimum_requirements.strip():
        reason = "Say what every variant must still meet; bidders cannot offer one otherwise."
        yield Fault(field=f"{field}.variants.minimum_requirements", reason=reason)


def _service_line_faults(
    field: str, lot: Lot, known_service_lines: Collection[str]
) -> Iterator[Fault]:
    if not lot.service_lines:
        reason = f"Lot {lot.number} names no service line; name at least one."
        yield Fault(field=f"{field}.service_lines", reason=reason)
    coded = [
        (f"{field}.service_lines[{index}]", code) for index, code in enumerate(lot.service_lines)
    ]
    for where, code in coded:
        if code not in known_service_lines:
            reason = f"There is no service line {code!r}; choose one of the published codes."
            yield Fault(field=where, reason=reason)
    yield from _repeat_faults(f"lot {lot.number}", "service line", coded)


def _criteria_faults(field: str, lot: Lot) -> Iterator[Fault]:
    where = f"{field}.criteria"
    visited = list(_walk(where, lot.criteria))
    yield from _weight_sum_faults(where, lot)
    if not any(not leaf.pass_fail for leaf in leaves(lot)):
        reason = f"Lot {lot.number} has no quality criterion that can be scored; add one."
        yield Fault(field=where, reason=reason)
    if len(visited) > MAXIMUM_CRITERIA:
        reason = (
            f"Lot {lot.number} has more than {MAXIMUM_CRITERIA} criteria, counting those inside"
            " others; leave some out."
        )
        yield Fault(field=where, reason=reason)
    coded = [(f"{here}.code", criterion.code) for here, criterion, _ in visited]
    yield from _repeat_faults(f"lot {lot.number}", "criterion code", coded)
    for here, criterion, depth in visited:
        yield from _criterion_faults(here, criterion, depth)


def _weight_sum_faults(field: str, lot: Lot) -> Iterator[Fault]:
    total = exact_sum(decimal_of(criterion.weight) for criterion in lot.criteria)
    if total != WHOLE:
        reason = (
            f"The weights of lot {lot.number} add up to {plain_text(total)}; they must add up to"
            " exactly 100."
        )
        yield Fault(field=field, reason=reason)


def _criterion_faults(field: str, criterion: Criterion, depth: int) -> Iterator[Fault]:
    code, weight = criterion.code, decimal_of(criterion.weight)
    yield from _blank_faults(field, title=criterion.title)
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
        yield from _above_zero_faults(f"{field}.weight", f"weight of {code}", weight)
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


def _price_item_faults(field: str, lot: Lot) -> Iterator[Fault]:
    if not lot.price_items:
        reason = f"Lot {lot.number} asks for no prices; list at least one price item."
        yield Fault(field=f"{field}.price_items", reason=reason)
    coded = [
        (f"{field}.price_items[{index}].code", item.code)
        for index, item in enumerate(lot.price_items)
    ]
    yield from _repeat_faults(f"lot {lot.number}", "price item code", coded)
    for index, item in enumerate(lot.price_items):
        where = f"{field}.price_items[{index}]"
        yield from _blank_faults(where, title=item.title, unit=item.unit)
        yield from _above_zero_faults(
            f"{where}.quantity", f"quantity of {item.code}", decimal_of(item.quantity)
        )
