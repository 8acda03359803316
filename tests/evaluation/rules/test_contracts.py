"""Contracts in figures: years that add up, whose contract comes next, what each law allows."""

from datetime import date
from decimal import Decimal
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluation.outcome_errors import (
    AllBuyersRefused,
    BuyerContracted,
    BuyerRefused,
    BuyerUndecided,
    ContractBuyerNeeded,
)
from evaluation.rules.contract_rules import CONTRACT_RULES, ChangeGround
from evaluation.rules.contracts import a_year_after, contract_years, percent_of
from evaluation.rules.joint import Buyer, BuyerPart, all_refused, chosen_buyer
from market.money import exact_sum
from tenders.rules.rule_sets import RULE_SETS, RuleSetName


@given(
    value=st.decimals(min_value="0.01", max_value="99999999999", places=2),
    months=st.integers(min_value=1, max_value=240),
)
def test_the_years_of_a_contract_add_up_to_its_value(value: Decimal, months: int) -> None:
    years = contract_years(value, months)
    assert exact_sum(year.value for year in years) == value
    assert sum(year.months for year in years) == months
    assert [year.year for year in years] == list(range(1, len(years) + 1))
    whole = [year.value for year in years if year.months == 12]
    assert not whole or max(whole) - min(whole) <= Decimal("0.01")


def test_a_short_last_year_is_worth_its_months_and_no_month_is_no_term() -> None:
    assert [str(year.value) for year in contract_years(Decimal(300), 30)] == [
        "120.00",
        "120.00",
        "60.00",
    ]
    with pytest.raises(ValueError, match="one month"):
        contract_years(Decimal(1), 0)


def test_a_year_later_is_the_same_day_or_the_end_of_february() -> None:
    assert a_year_after(date(2031, 6, 30)) == date(2032, 6, 30)
    assert a_year_after(date(2032, 2, 29)) == date(2033, 2, 28)


def test_a_change_is_told_in_per_cent_of_what_was_awarded() -> None:
    assert percent_of(Decimal(-5), Decimal(200)) == "-2.50"
    assert percent_of(1, 3) == "33.33"


def _buyer(part: BuyerPart | None, *, contracted: bool = False) -> Buyer:
    return Buyer(id=uuid4(), name="NHS Luton CCG", part=part, contracted=contracted)


def test_whose_contract_it_is() -> None:
    takes, refuses = _buyer(BuyerPart.TAKES_PART), _buyer(BuyerPart.REFUSED)
    undecided, done = _buyer(None), _buyer(BuyerPart.TAKES_PART, contracted=True)
    everybody = [takes, refuses, undecided, done]
    assert chosen_buyer(everybody, takes.id) == takes.id
    assert chosen_buyer([takes], None) == takes.id
    wrong: list[tuple[UUID | None, type[Exception]]] = [
        (None, ContractBuyerNeeded),
        (uuid4(), ContractBuyerNeeded),
        (refuses.id, BuyerRefused),
        (undecided.id, BuyerUndecided),
        (done.id, BuyerContracted),
    ]
    for named, refusal in wrong:
        with pytest.raises(refusal):
            chosen_buyer(everybody, named)
    with pytest.raises(AllBuyersRefused):
        chosen_buyer([refuses], None)
    assert not all_refused([])
    assert not all_refused([refuses, undecided])


def test_every_rule_set_says_what_it_asks_of_contracts() -> None:
    assert CONTRACT_RULES.keys() == RULE_SETS.keys()
    assert CONTRACT_RULES[RuleSetName.PCR_2015].kpis is None
    used = {ground for rules in CONTRACT_RULES.values() for ground in rules.changes}
    assert used == set(ChangeGround)
    for rules in CONTRACT_RULES.values():
        assert all(limit.source for limit in rules.changes.values())
