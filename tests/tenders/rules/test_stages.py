from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from tenders.rules.stages import TRANSITIONS, TenderStage, TenderStatus, may_move, status_of
from tenders.rules.timetable import LONGEST, timetable_faults

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)


async def test_the_lawful_moves_are_those_that_the_database_holds(superuser: Any) -> None:
    rows = await superuser.fetch("SELECT earlier, later FROM tender_transition")
    assert {(row["earlier"], row["later"]) for row in rows} == {
        (earlier.value, later.value) for earlier in TenderStage for later in TRANSITIONS[earlier]
    }


def test_nothing_is_published_but_what_was_approved() -> None:
    before = {stage for stage in TenderStage if may_move(stage, TenderStage.PUBLISHED)}
    assert before == {TenderStage.APPROVED}
    assert {stage for stage in TenderStage if may_move(stage, TenderStage.APPROVED)} == {
        TenderStage.IN_REVIEW
    }


def test_nothing_comes_after_abandoning() -> None:
    assert TRANSITIONS[TenderStage.ABANDONED] == frozenset()


@pytest.mark.parametrize("stage", list(TenderStage))
def test_only_what_is_published_closes_and_it_does_so_at_the_deadline(stage: TenderStage) -> None:
    before = status_of(stage, NOON, NOON - timedelta(microseconds=1))
    at = status_of(stage, NOON, NOON)
    assert before.value == stage.value
    assert at is (
        TenderStatus.CLOSED if stage is TenderStage.PUBLISHED else TenderStatus(stage.value)
    )
    assert status_of(stage, None, NOON).value == stage.value


def faulty_fields(**changes: Any) -> list[str]:
    timetable = {
        "clarifications_until": NOON + timedelta(days=20),
        "deadline": NOON + timedelta(days=30),
        "contract_starts": date(2026, 9, 1),
    }
    return [fault.field for fault in timetable_faults(NOON, **{**timetable, **changes})]


def test_a_timetable_in_order_has_no_faults() -> None:
    assert faulty_fields() == []
    assert faulty_fields(clarifications_until=None) == []


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({"deadline": NOON}, ["deadline", "clarifications_until"]),
        ({"clarifications_until": NOON}, ["clarifications_until"]),
        ({"clarifications_until": NOON + timedelta(days=30)}, ["clarifications_until"]),
        ({"contract_starts": date(2026, 7, 1)}, ["contract_starts"]),
        ({"contract_starts": date.max}, ["contract_starts"]),
        ({"contract_starts": date.min}, ["contract_starts"]),
        ({"deadline": NOON + LONGEST + timedelta(seconds=1)}, ["deadline"]),
        (
            {"deadline": datetime.min.replace(tzinfo=UTC), "clarifications_until": None},
            ["deadline"],
        ),
        (
            {"deadline": datetime.max.replace(tzinfo=UTC), "clarifications_until": None},
            ["deadline"],
        ),
    ],
)
def test_every_fault_of_a_timetable_is_found(changes: dict[str, Any], fields: list[str]) -> None:
    assert faulty_fields(**changes) == fields
