"""Panels, spread and deltas, by rule alone."""

from decimal import Decimal
from fractions import Fraction
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluation.rules.exact import shown_value, value_text
from evaluation.rules.panel import deltas, is_flagged, panel_faults, spread

ONE, TWO, THREE = (UUID(int=number) for number in (1, 2, 3))
EVALUATORS = frozenset({ONE, TWO, THREE})
CODES = ("Q1", "Q2")


def _faults(*seats: tuple[UUID, tuple[str, ...]], minimum: int = 2) -> list[str]:
    return [
        fault.field
        for fault in panel_faults(seats, criteria=CODES, evaluators=EVALUATORS, minimum=minimum)
    ]


def test_a_split_panel_is_faultless_where_every_criterion_has_enough() -> None:
    assert _faults((ONE, CODES), (TWO, ("Q1",)), (THREE, ("Q2",))) == []


@pytest.mark.parametrize(
    ("seats", "fields"),
    [
        (((ONE, CODES), (TWO, ("Q1",))), ["evaluators"]),
        (((ONE, CODES), (TWO, (*CODES, "Q9"))), ["evaluators[1].criteria[2]"]),
        (((ONE, CODES), (TWO, ("Q1", "Q2", "Q1"))), ["evaluators[1].criteria[2]"]),
        (((ONE, CODES), (TWO, CODES), (UUID(int=9), CODES)), ["evaluators[2].person"]),
        (((ONE, CODES), (ONE, CODES)), ["evaluators[0].person", "evaluators[1].person"]),
    ],
)
def test_each_fault_of_a_panel_is_named(
    seats: tuple[tuple[UUID, tuple[str, ...]], ...], fields: list[str]
) -> None:
    assert _faults(*seats) == fields


def test_a_person_listed_twice_does_not_make_two() -> None:
    assert "evaluators" in _faults((ONE, ("Q1",)), (ONE, CODES), (TWO, CODES), minimum=3)


def test_exactly_the_tolerance_is_not_flagged_and_a_little_more_is() -> None:
    tolerance = Decimal(3)
    assert not is_flagged([Decimal(2), Decimal(5)], tolerance, pass_fail=False)
    assert is_flagged([Decimal(2), Decimal("5.000001")], tolerance, pass_fail=False)
    assert not is_flagged([Decimal(0), Decimal(10)], None, pass_fail=False)


def test_verdicts_that_differ_are_flagged_where_a_tolerance_is_published() -> None:
    verdicts = [Decimal(0), Decimal(1)]
    assert is_flagged(verdicts, Decimal(5), pass_fail=True)
    assert not is_flagged(verdicts, None, pass_fail=True)
    assert not is_flagged([Decimal(1)] * 2, Decimal(0), pass_fail=True)


@given(values=st.lists(st.decimals(0, 100, places=2), max_size=8))
def test_spread_is_never_negative_and_grows_with_more_scores(values: list[Decimal]) -> None:
    assert spread(values) >= spread(values[:-1]) >= 0


def test_deltas_are_exact() -> None:
    assert deltas(Fraction(20, 3), {ONE: Decimal(10), TWO: Decimal(5)}) == {
        ONE: Fraction(-10, 3),
        TWO: Fraction(5, 3),
    }


def test_a_mean_is_shown_rounded_and_told_exactly() -> None:
    assert shown_value(Decimal(20), 3) == "6.67"
    assert shown_value(Decimal("2.5")) == "2.5"
    assert value_text(Fraction(20, 3)) == "6.67 (20/3)"
    assert value_text(Fraction(5, 2)) == "2.5"
    assert value_text(Decimal(10)) == "10"
