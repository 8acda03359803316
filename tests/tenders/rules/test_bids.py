from decimal import Decimal
from fractions import Fraction

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenders.rules.bids import (
    Answer,
    PriceEnvelope,
    PriceLine,
    PricesDoNotFit,
    QualityEnvelope,
    faults,
    total_price,
)
from tenders.rules.requirement import Lot, PriceItem
from tests.tenders.rules.documents import lot_document

LOT = msgspec.convert(lot_document(), Lot)
ANSWERS = {"Q1.1": "Thus.", "Q1.2": "So.", "Q2": "Like this."}
PRICES = {"A": "1000.00", "B": "450.5"}


def quality_of(*pairs: tuple[str, str]) -> QualityEnvelope:
    return QualityEnvelope(answers=tuple(Answer(criterion=code, text=text) for code, text in pairs))


def price_of(*pairs: tuple[str, str]) -> PriceEnvelope:
    return PriceEnvelope(
        prices=tuple(PriceLine(item=code, unit_price=amount) for code, amount in pairs)
    )


QUALITY = quality_of(*ANSWERS.items())
PRICE = price_of(*PRICES.items())


def found(
    quality: QualityEnvelope = QUALITY, price: PriceEnvelope = PRICE
) -> list[tuple[str, str]]:
    return [(fault.field, fault.reason) for fault in faults(quality, price, LOT)]


def test_a_complete_bid_has_no_faults() -> None:
    assert found() == []


def test_answers_may_come_in_any_order() -> None:
    assert found(quality=quality_of(*reversed(ANSWERS.items()))) == []


@pytest.mark.parametrize(
    ("quality", "fault"),
    [
        (
            quality_of(("Q1.1", "Thus."), ("Q1.2", "So.")),
            ("quality.answers", "The question Q2 is not answered; answer it."),
        ),
        (
            quality_of(*ANSWERS.items(), ("Q1", "A parent is not asked.")),
            (
                "quality.answers[3].criterion",
                "The lot has no question Q1; take it out or correct its code.",
            ),
        ),
        (
            quality_of(*(ANSWERS | {"Q2": " \n "}).items()),
            ("quality.answers[2].text", "The answer to Q2 is empty; write it."),
        ),
    ],
)
def test_each_fault_of_the_answers_is_named(
    quality: QualityEnvelope, fault: tuple[str, str]
) -> None:
    assert found(quality=quality) == [fault]


def test_an_answer_given_twice_is_pointed_out_at_both_places() -> None:
    reason = "The question Q1.2 is answered more than once; answer it once."
    assert found(quality=quality_of(*ANSWERS.items(), ("Q1.2", "Or so."))) == [
        ("quality.answers[1].criterion", reason),
        ("quality.answers[3].criterion", reason),
    ]


@pytest.mark.parametrize(
    ("price", "fault"),
    [
        (
            price_of(("A", "1")),
            ("price.prices", "The price item B is not priced; price it."),
        ),
        (
            price_of(*PRICES.items(), ("C", "1")),
            (
                "price.prices[2].item",
                "The lot has no price item C; take it out or correct its code.",
            ),
        ),
        (
            price_of(*(PRICES | {"B": "-450.50"}).items()),
            (
                "price.prices[1].unit_price",
                "The price of B is negative (-450.5); give a price above zero.",
            ),
        ),
        (
            price_of(*(PRICES | {"A": "0.00"}).items()),
            ("price.prices[0].unit_price", "The price of A is zero; give a price above zero."),
        ),
        (
            price_of(*(PRICES | {"A": "10.005"}).items()),
            (
                "price.prices[0].unit_price",
                "The price of A is 10.005; give pounds and pence, with at most two decimals.",
            ),
        ),
    ],
)
def test_each_fault_of_the_prices_is_named(price: PriceEnvelope, fault: tuple[str, str]) -> None:
    assert found(price=price) == [fault]


def test_an_item_priced_twice_is_pointed_out_at_both_places() -> None:
    reason = "The price item A is priced more than once; price it once."
    assert found(price=price_of(*PRICES.items(), ("A", "2"))) == [
        ("price.prices[0].item", reason),
        ("price.prices[2].item", reason),
    ]


def test_an_empty_bid_lists_everything_that_is_due() -> None:
    assert len(found(quality_of(), price_of())) == len(ANSWERS) + len(PRICES)


def test_a_price_in_another_currency_or_as_a_number_is_refused_by_its_type() -> None:
    document = {"prices": [{"item": "A", "unit_price": "1"}], "currency": "EUR"}
    with pytest.raises(msgspec.ValidationError, match="currency"):
        msgspec.convert(document, PriceEnvelope)
    with pytest.raises(msgspec.ValidationError, match="Expected `str`, got `int`"):
        msgspec.json.decode(b'{"prices": [{"item": "A", "unit_price": 1}]}', type=PriceEnvelope)


def test_the_total_is_quantity_times_unit_price_with_every_decimal() -> None:
    assert total_price(PRICE, LOT) == Decimal("39266.125")


def test_a_total_is_exact_beyond_the_precision_decimals_usually_have() -> None:
    item = PriceItem(code="A", title="Unit", unit="unit", quantity="999999999999999.999999")
    lot = msgspec.structs.replace(LOT, price_items=(item,))
    total = total_price(price_of(("A", "999999999999999.99")), lot)
    assert Fraction(total) == Fraction("999999999999999.999999") * Fraction("999999999999999.99")


@pytest.mark.parametrize(
    "price",
    [
        price_of(("A", "1")),
        price_of(("A", "1"), ("B", "1"), ("C", "1")),
        price_of(("A", "1"), ("B", "1"), ("A", "2")),
    ],
)
def test_no_total_is_made_of_prices_that_do_not_fit_the_lot(price: PriceEnvelope) -> None:
    with pytest.raises(PricesDoNotFit):
        total_price(price, LOT)


@given(
    st.permutations(
        [(f"I{number}", f"{number}.0{number}", f"{number}.5") for number in range(1, 8)]
    )
)
def test_a_total_does_not_depend_on_the_order_of_the_prices(
    lines: list[tuple[str, str, str]],
) -> None:
    items = tuple(
        PriceItem(code=code, title="Unit", unit="unit", quantity=quantity)
        for code, _, quantity in sorted(lines)
    )
    lot = msgspec.structs.replace(LOT, price_items=items)
    price = price_of(*((code, unit_price) for code, unit_price, _ in lines))
    expected = sum(Fraction(unit_price) * Fraction(quantity) for _, unit_price, quantity in lines)
    assert Fraction(total_price(price, lot)) == expected
