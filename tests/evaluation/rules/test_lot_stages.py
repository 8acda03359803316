from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluation.rules.stages import (
    LOT_TRANSITIONS,
    LotStage,
    StandstillStage,
    may_move,
    shown_stage,
)

END = datetime(2026, 9, 16, 23, tzinfo=UTC)
ORDER = [
    LotStage.BIDDING,
    LotStage.QUALITY_SCORING,
    LotStage.QUALITY_LOCKED,
    LotStage.PRICE_OPENED,
    LotStage.RANKED,
    LotStage.RECOMMENDED,
    LotStage.AWARDED,
    LotStage.NOTIFIED,
    LotStage.CONTRACTED,
]
FINAL = {LotStage.CONTRACTED, LotStage.ABANDONED}


def test_every_stage_says_what_may_follow_it() -> None:
    assert LOT_TRANSITIONS.keys() == set(LotStage)


def test_a_lot_goes_through_its_stages_in_order() -> None:
    for current, following in pairwise(ORDER):
        assert may_move(current, following)


def test_nothing_follows_a_contract_or_an_abandonment() -> None:
    for stage in LotStage:
        assert (not LOT_TRANSITIONS[stage]) == (stage in FINAL)


def test_a_lot_can_be_abandoned_at_every_stage_before_its_contract() -> None:
    for stage in set(LotStage) - FINAL:
        assert may_move(stage, LotStage.ABANDONED)


def test_a_lot_goes_back_to_its_ranking_or_after_a_challenge_to_its_scoring() -> None:
    backward = {
        (current, following)
        for current in ORDER
        for following in ORDER
        if may_move(current, following) and ORDER.index(following) <= ORDER.index(current)
    }
    ranked = (LotStage.RANKED, LotStage.RECOMMENDED, LotStage.AWARDED, LotStage.NOTIFIED)
    scored_anew = (LotStage.NOTIFIED, LotStage.QUALITY_SCORING)
    assert backward == {(stage, LotStage.RANKED) for stage in ranked} | {scored_anew}


@given(st.lists(st.sampled_from(LotStage), max_size=30))
def test_no_path_reaches_a_stage_without_passing_those_before_it(steps: list[LotStage]) -> None:
    """In particular no price is opened before quality is locked, and none contracted unawarded."""
    stage, passed = LotStage.BIDDING, [LotStage.BIDDING]
    for wanted in [each for step in steps for each in (step, *ORDER)]:
        if may_move(stage, wanted):
            stage = wanted
            passed.append(wanted)
    for place, reached in enumerate(passed):
        if reached in ORDER:
            assert set(ORDER[: ORDER.index(reached)]) <= set(passed[:place])


@pytest.mark.parametrize(
    ("now", "shown"),
    [
        (END - timedelta(microseconds=1), StandstillStage.STANDSTILL),
        (END, StandstillStage.STANDSTILL_OVER),
        (END + timedelta(days=1), StandstillStage.STANDSTILL_OVER),
    ],
)
def test_time_alone_ends_a_standstill(now: datetime, shown: StandstillStage) -> None:
    assert shown_stage(LotStage.NOTIFIED, standstill_end=END, now=now) is shown


@pytest.mark.parametrize("stage", [stage for stage in LotStage if stage is not LotStage.NOTIFIED])
def test_every_other_stage_is_shown_as_stored(stage: LotStage) -> None:
    assert shown_stage(stage, standstill_end=None, now=END) is stage
    assert shown_stage(stage, standstill_end=END, now=END) is stage


def test_a_notified_lot_without_its_end_of_standstill_is_an_error() -> None:
    with pytest.raises(ValueError, match="must have the end of its standstill stored"):
        shown_stage(LotStage.NOTIFIED, standstill_end=None, now=END)
