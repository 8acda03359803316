"""Lots with a limit for each supplier, against trying everything."""

from collections import Counter
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluation.rules.lot_limits import LotRanking, award_within_limit
from tenders.rules.lot_limits import LimitRule


@st.composite
def rankings(draw: st.DrawFn) -> list[LotRanking]:
    suppliers = "abcd"[: draw(st.integers(1, 4))]
    return [
        LotRanking(
            lot=number,
            suppliers=tuple(draw(st.permutations(suppliers)))[: draw(st.integers(0, 4))],
        )
        for number in range(1, draw(st.integers(1, 5)) + 1)
    ]


def by_trying_everything(lots: list[LotRanking], limit: int) -> dict[int, str | None]:
    """The definition itself: all awards, compared by lots left, sum of ranks, ranks in order."""
    best = None
    for choice in product(*[(*lot.suppliers, None) for lot in lots]):
        won = Counter(supplier for supplier in choice if supplier is not None)
        if any(count > limit for count in won.values()):
            continue
        ranks = [
            lot.suppliers.index(supplier) + 1 if supplier is not None else 0
            for lot, supplier in zip(lots, choice, strict=True)
        ]
        # an unawarded lot comes after every rank
        in_order = [rank or 99 for rank in ranks]
        figure = (choice.count(None), sum(ranks), in_order, choice)
        if best is None or figure[:3] < best[:3]:
            best = figure
    assert best is not None
    return {lot.lot: supplier for lot, supplier in zip(lots, best[3], strict=True)}


@given(rankings(), st.integers(1, 3))
def test_the_best_ranks_are_those_that_trying_everything_finds(
    lots: list[LotRanking], limit: int
) -> None:
    assert award_within_limit(lots, limit, LimitRule.BEST_RANKS) == by_trying_everything(
        lots, limit
    )


@given(rankings(), st.integers(1, 3), st.sampled_from(LimitRule))
def test_nobody_wins_more_than_the_limit_and_everybody_was_ranked(
    lots: list[LotRanking], limit: int, rule: LimitRule
) -> None:
    awarded = award_within_limit(lots, limit, rule)
    won = Counter(supplier for supplier in awarded.values() if supplier is not None)
    assert all(count <= limit for count in won.values())
    for lot in lots:
        supplier = awarded[lot.lot]
        assert supplier is None or supplier in lot.suppliers


def test_the_two_rules_differ_where_giving_up_the_first_lot_serves_the_second_better() -> None:
    lots = [
        LotRanking(lot=1, suppliers=("a", "b")),
        LotRanking(lot=2, suppliers=("a", "c", "d", "b")),
        LotRanking(lot=3, suppliers=("c",)),
    ]
    assert award_within_limit(lots, 1, LimitRule.IN_ORDER_OF_LOTS) == {1: "a", 2: "c", 3: None}
    assert award_within_limit(lots, 1, LimitRule.BEST_RANKS) == {1: "b", 2: "a", 3: "c"}


@pytest.mark.parametrize("limit", [0, -1])
def test_a_limit_below_one_is_refused(limit: int) -> None:
    with pytest.raises(ValueError, match="one lot at least"):
        award_within_limit([], limit, LimitRule.BEST_RANKS)


def test_what_is_listed_twice_is_refused() -> None:
    lot = LotRanking(lot=1, suppliers=("a",))
    with pytest.raises(ValueError, match="lot is ranked twice"):
        award_within_limit([lot, lot], 1, LimitRule.BEST_RANKS)
    with pytest.raises(ValueError, match="supplier is ranked twice"):
        award_within_limit([LotRanking(lot=1, suppliers=("a", "a"))], 1, LimitRule.IN_ORDER_OF_LOTS)
    many = [LotRanking(lot=number, suppliers=()) for number in range(21)]
    with pytest.raises(ValueError, match="20 lots"):
        award_within_limit(many, 1, LimitRule.BEST_RANKS)
