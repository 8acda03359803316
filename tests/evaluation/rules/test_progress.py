from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from evaluation.rules.progress import Evaluator, Progress, missing
from evaluation.rules.stages import LotStage

NOW = datetime(2026, 7, 1, tzinfo=UTC)
DONE = Progress(
    stage=LotStage.QUALITY_SCORING,
    unopened=0,
    scores_needed=6,
    evaluators=[Evaluator(name=name, given=6, locked=True) for name in ("Eve", "Emil")],
    evaluators_minimum=2,
    agreed=6,
    passed=1,
    approved=2,
    approved_by_lay_member=True,
    approval_quorum=2,
    standstill_ends_at=NOW,
    now=NOW,
)


def _left(stage: LotStage = LotStage.QUALITY_SCORING, **changes: Any) -> list[tuple[str, str]]:
    progress = msgspec.structs.replace(DONE, stage=stage, **changes)
    return [(item.who, item.what) for item in missing(progress)]


def test_an_incomplete_opening_comes_first() -> None:
    assert _left(unopened=2) == [("openers", "Open 2 quality envelopes that are left.")]


def test_each_evaluator_who_has_not_locked_is_named_with_what_is_left() -> None:
    evaluators = [
        Evaluator(name="Eve", given=2, locked=False),
        Evaluator(name="Emil", given=6, locked=False),
        Evaluator(name="Eda", given=6, locked=True),
    ]
    assert _left(evaluators=evaluators) == [
        ("Eve", "Give 4 of 6 scores, and lock."),
        ("Emil", "Lock the scores."),
    ]


def test_too_few_evaluators_are_the_tender_manager_s_to_find() -> None:
    assert _left(evaluators_minimum=3) == [("tender manager", "Find 1 more quality evaluators.")]


def test_the_moderator_records_what_is_left_and_then_locks() -> None:
    assert _left(agreed=4) == [("moderator", "Record 2 of 6 agreed scores.")]
    assert _left() == [("moderator", "Lock the quality of the lot.")]


@pytest.mark.parametrize(
    ("stage", "who"),
    [
        (LotStage.BIDDING, "openers"),
        (LotStage.QUALITY_LOCKED, "price evaluator"),
        (LotStage.PRICE_OPENED, "price evaluator"),
        (LotStage.RANKED, "moderator"),
        (LotStage.AWARDED, "tender manager"),
        (LotStage.NOTIFIED, "contract manager"),
    ],
)
def test_each_stage_names_who_is_next(stage: LotStage, who: str) -> None:
    [(next_one, _)] = _left(stage)
    assert next_one == who


def test_without_a_bid_that_passed_the_lot_can_only_be_given_up() -> None:
    [(who, what)] = _left(LotStage.QUALITY_LOCKED, passed=0)
    assert who == "tender manager"
    assert "Abandon" in what


def test_approvals_are_missed_by_number_and_by_lay_member() -> None:
    stage = LotStage.RECOMMENDED
    assert [what for _, what in _left(stage, approved=1, approved_by_lay_member=False)] == [
        "1 of 2 approvals.",
        "The approval of a lay member.",
    ]
    assert _left(stage) == []


def test_in_the_standstill_everybody_waits() -> None:
    ends_at = NOW + timedelta(seconds=1)
    [(who, what)] = _left(LotStage.NOTIFIED, standstill_ends_at=ends_at)
    assert who == "nobody"
    assert ends_at.isoformat() in what


@pytest.mark.parametrize("stage", [LotStage.CONTRACTED, LotStage.ABANDONED])
def test_a_lot_at_its_end_misses_nothing(stage: LotStage) -> None:
    assert _left(stage) == []
