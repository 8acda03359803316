"""The requirement a specification author writes, and everything that can be wrong with it."""

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from decimal import Decimal
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
from tenders.rules.criteria import (
    MAXIMUM_CRITERIA,
    NO_NUL,
    Code,
    Consensus,
    Criterion,
    CriterionKind,
    LongText,
    ScaleValue,
    ShortText,
    above_zero_faults,
    blank_faults,
    criterion_faults,
    minimum_faults,
    scale_faults,
    walk,
)
from tenders.rules.lot_limits import LotLimit, limit_faults
from tenders.rules.low_prices import AbnormallyLow, low_price_faults

MAXIMUM_LOTS: Final = 20
MAXIMUM_PRICE_ITEMS: Final = 200
MAXIMUM_VARIANTS: Final = 20
WHOLE: Final = Decimal(100)

ServiceLineCode = Annotated[str, Meta(max_length=64, pattern=NO_NUL)]


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
    abnormally_low: AbnormallyLow | None = None
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
        for _, criterion, _ in walk("", lot.criteria)
        if criterion.kind is CriterionKind.QUALITY and not criterion.children
    )


def groups(lot: Lot) -> tuple[Criterion, ...]:
    """Return the quality criteria that hold others, in document order."""
    return tuple(
        criterion
        for _, criterion, _ in walk("", lot.criteria)
        if criterion.kind is CriterionKind.QUALITY and criterion.children
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
        *blank_faults("", title=requirement.title, description=requirement.description),
        *scale_faults(requirement.scale),
        *method_faults(requirement.award_method),
        *_panel_faults(requirement),
        *_numbering_faults(requirement.lots),
        *limit_faults(requirement.lot_limit, len(requirement.lots)),
        *low_price_faults(requirement.abnormally_low),
        *(
            fault
            for index, lot in enumerate(requirement.lots)
            for fault in (
                *_lot_faults(f"lots[{index}]", lot, known_service_lines, requirement.award_method),
                *minimum_faults(f"lots[{index}].criteria", lot.criteria, requirement.scale),
            )
        ),
    ]


def _weight_of(kind: CriterionKind, lot: Lot) -> Fraction:
    return sum(
        (fraction_of(criterion.weight) for criterion in lot.criteria if criterion.kind is kind),
        Fraction(0),
    )


def _repeat_faults(field: str, what: str, codes: Sequence[tuple[str, str]]) -> Iterator[Fault]:
    """Report codes used before: `codes` holds (field, code); letter case does not tell apart."""
    seen: set[str] = set()
    for where, code in codes:
        if code.casefold() in seen:
            reason = f"The {what} {code} is used more than once in {field}; use each code once."
            yield Fault(field=where, reason=reason)
        seen.add(code.casefold())


def _panel_faults(requirement: Requirement) -> Iterator[Fault]:
    tolerance = requirement.spread_tolerance
    if tolerance is not None and decimal_of(tolerance) < 0:
        reason = f"The spread tolerance is {tolerance}; it is a distance, zero or above."
        yield Fault(field="spread_tolerance", reason=reason)


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
    yield from blank_faults(field, title=lot.title, description=lot.description)
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
    yield from above_zero_faults(
        f"{field}.estimated_annual_value.amount",
        "estimated annual value",
        lot.estimated_annual_value.exact,
    )
    yield from above_zero_faults(f"{field}.term_months", "term in months", Decimal(lot.term_months))
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
    visited = list(walk(where, lot.criteria))
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
        yield from criterion_faults(here, criterion, depth)


def _weight_sum_faults(field: str, lot: Lot) -> Iterator[Fault]:
    total = exact_sum(decimal_of(criterion.weight) for criterion in lot.criteria)
    if total != WHOLE:
        reason = (
            f"The weights of lot {lot.number} add up to {plain_text(total)}; they must add up to"
            " exactly 100."
        )
        yield Fault(field=field, reason=reason)


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
        yield from blank_faults(where, title=item.title, unit=item.unit)
        yield from above_zero_faults(
            f"{where}.quantity", f"quantity of {item.code}", decimal_of(item.quantity)
        )
