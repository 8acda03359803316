"""What a bid says in its quality and price envelopes, and what can be wrong with it."""

from collections import Counter
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Annotated, Final, Literal, TypeAlias

from msgspec import Meta, Struct

from market.errors import Fault
from market.money import DecimalText, decimal_of, exact_product, exact_sum, plain_text
from tenders.rules.criteria import MAXIMUM_CRITERIA, Code, LongText
from tenders.rules.documents import MOST_LISTED, ListedDocument
from tenders.rules.requirement import MAXIMUM_PRICE_ITEMS, MAXIMUM_VARIANTS, Lot, leaves

PENCE_PER_POUND: Final = 100
VariantNumber: TypeAlias = Annotated[
    int,
    Meta(
        ge=0,
        le=MAXIMUM_VARIANTS,
        description=(
            "0 for the main bid; the number of a variant, where the lot takes any. Each is a bid of"
            " its own. A replacement is of the same variant, and need not say which."
        ),
    ),
]


class PricesDoNotFit(ValueError):
    """The price envelope does not price every item of the lot exactly once."""


class Answer(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The answer to one quality criterion."""

    criterion: Code
    text: LongText


class QualityEnvelope(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The part of a bid that evaluators of quality read."""

    answers: Annotated[tuple[Answer, ...], Meta(max_length=MAXIMUM_CRITERIA)]
    documents: Annotated[tuple[ListedDocument, ...], Meta(max_length=MOST_LISTED)] = ()


class PriceLine(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The price of one unit of one price item, in pounds and pence."""

    item: Code
    unit_price: DecimalText


class PriceEnvelope(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The part of a bid that stays sealed until the quality scores are locked."""

    prices: Annotated[tuple[PriceLine, ...], Meta(max_length=MAXIMUM_PRICE_ITEMS)]
    currency: Literal["GBP"] = "GBP"
    documents: Annotated[tuple[ListedDocument, ...], Meta(max_length=MOST_LISTED)] = ()


def faults(
    quality: QualityEnvelope, price: PriceEnvelope, lot: Lot, fixed_price: str | None = None
) -> list[Fault]:
    """Find everything wrong with a bid for a lot at once; an empty list means it is complete."""
    return [*quality_faults(quality, lot), *price_faults(price, lot, fixed_price)]


def quality_faults(quality: QualityEnvelope, lot: Lot) -> list[Fault]:
    """Find everything wrong with the quality part of a bid at once."""
    return list(_quality_faults(quality, lot))


def price_faults(price: PriceEnvelope, lot: Lot, fixed_price: str | None = None) -> list[Fault]:
    """Find everything wrong with the price part of a bid at once.

    Where a fixed price is published, in pounds, the whole bid comes to exactly that.
    """
    found = list(_price_faults(price, lot))
    if fixed_price is not None and not found:
        total = total_price(price, lot)
        if total != decimal_of(fixed_price):
            reason = (
                f"The prices come to {plain_text(total)} pounds; the price of this lot is fixed,"
                f" at {plain_text(decimal_of(fixed_price))} pounds."
            )
            found.append(Fault(field="price.prices", reason=reason))
    return found


def total_price(price: PriceEnvelope, lot: Lot) -> Decimal:
    """Add up quantity times unit price in pounds, exactly: there may be more than two decimals.

    Raises `PricesDoNotFit` unless every item of the lot is priced exactly once.
    """
    unit_prices = {line.item: decimal_of(line.unit_price) for line in price.prices}
    asked = sorted(item.code for item in lot.price_items)
    if sorted(line.item for line in price.prices) != asked:
        raise PricesDoNotFit(
            f"The prices do not fit the {len(asked)} price items of lot {lot.number}."
        )
    return exact_sum(
        exact_product(decimal_of(item.quantity), unit_prices[item.code]) for item in lot.price_items
    )


def _quality_faults(quality: QualityEnvelope, lot: Lot) -> Iterator[Fault]:
    yield from _matching_faults(
        "quality.answers",
        given=[answer.criterion for answer in quality.answers],
        asked=[criterion.code for criterion in leaves(lot)],
        name="criterion",
        what="question",
        done="answered",
        do="answer",
    )
    for index, answer in enumerate(quality.answers):
        if not answer.text.strip():
            reason = f"The answer to {answer.criterion} is empty; write it."
            yield Fault(field=f"quality.answers[{index}].text", reason=reason)


def _price_faults(price: PriceEnvelope, lot: Lot) -> Iterator[Fault]:
    yield from _matching_faults(
        "price.prices",
        given=[line.item for line in price.prices],
        asked=[item.code for item in lot.price_items],
        name="item",
        what="price item",
        done="priced",
        do="price",
    )
    for index, line in enumerate(price.prices):
        field = f"price.prices[{index}].unit_price"
        unit_price = decimal_of(line.unit_price)
        if unit_price < 0:
            reason = (
                f"The price of {line.item} is negative ({plain_text(unit_price)}); give a price"
                " above zero."
            )
            yield Fault(field=field, reason=reason)
        if unit_price == 0:
            # A nil price leaves every other bid with no points and the ratio undefined.
            reason = f"The price of {line.item} is zero; give a price above zero."
            yield Fault(field=field, reason=reason)
        if unit_price * PENCE_PER_POUND % 1:
            reason = (
                f"The price of {line.item} is {plain_text(unit_price)}; give pounds and pence,"
                " with at most two decimals."
            )
            yield Fault(field=field, reason=reason)


def _matching_faults(  # noqa: PLR0913 - two lists and the words that make a readable sentence
    field: str,
    *,
    given: Sequence[str],
    asked: Sequence[str],
    name: str,
    what: str,
    done: str,
    do: str,
) -> Iterator[Fault]:
    """Report what is missing, unknown or repeated when each of `asked` is due exactly once."""
    times = Counter(given)
    for code in asked:
        if not times[code]:
            yield Fault(field=field, reason=f"The {what} {code} is not {done}; {do} it.")
    for index, code in enumerate(given):
        where = f"{field}[{index}].{name}"
        if code not in asked:
            reason = f"The lot has no {what} {code}; take it out or correct its code."
            yield Fault(field=where, reason=reason)
        elif times[code] > 1:
            reason = f"The {what} {code} is {done} more than once; {do} it once."
            yield Fault(field=where, reason=reason)
