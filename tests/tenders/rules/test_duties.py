from itertools import combinations, permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from tenders.rules.duties import DEFAULT, FLOOR, Duty, clashes


async def test_the_floor_is_the_one_that_the_database_holds(superuser: Any) -> None:
    rows = await superuser.fetch("SELECT one, other FROM duty_floor")
    stored = {(row["one"], row["other"]) for row in rows}
    assert stored == {order for pair in FLOOR for order in permutations(pair)}
    assert len(rows) == 2 * len(FLOOR)


async def test_the_database_knows_the_same_duties(superuser: Any) -> None:
    condition = await superuser.fetchval(
        "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = 'duty_known'"
    )
    assert all(f"'{duty.value}'" in condition for duty in Duty)
    assert condition.count("'") == 2 * len(Duty)


def test_no_pair_is_both_forbidden_and_exemptible() -> None:
    assert not FLOOR & DEFAULT
    assert all(len(pair) == 2 for pair in FLOOR | DEFAULT)


def test_an_author_takes_no_part_in_the_decision() -> None:
    for duty in ("opener", "price_evaluator", "moderator", "award_approver", "outcome_reviewer"):
        (clash,) = clashes([Duty.AUTHOR], Duty(duty))
        assert not clash.exemptible
        assert clash.sentence == (
            f"Whoever is or was author of a tender cannot be its {duty.replace('_', ' ')}."
        )


def test_an_author_evaluates_quality_only_by_exemption() -> None:
    (clash,) = clashes([Duty.AUTHOR], Duty.QUALITY_EVALUATOR)
    assert clash.exemptible
    assert "exemption" in clash.sentence


def test_a_guardian_holds_nothing_else() -> None:
    assert all(
        clashes([Duty.GUARDIAN], duty) and clashes([duty], Duty.GUARDIAN)
        for duty in Duty
        if duty is not Duty.GUARDIAN
    )


@pytest.mark.parametrize(("one", "other"), list(combinations(Duty, 2)))
def test_the_order_in_which_duties_are_taken_does_not_matter(one: Duty, other: Duty) -> None:
    assert bool(clashes([one], other)) == bool(clashes([other], one))
    assert bool(clashes([one], other)) == (frozenset({one, other}) in FLOOR | DEFAULT)


@given(held=some.sets(some.sampled_from(Duty)), wanted=some.sampled_from(Duty))
def test_every_clash_is_named_and_those_of_the_floor_come_first(
    held: set[Duty], wanted: Duty
) -> None:
    found = clashes(held, wanted)
    assert {frozenset({clash.held, wanted}) for clash in found} == {
        frozenset({duty, wanted}) for duty in held
    } & (FLOOR | DEFAULT)
    assert [clash.exemptible for clash in found] == sorted(clash.exemptible for clash in found)
    assert all(clash.held.spoken() in clash.sentence for clash in found)
