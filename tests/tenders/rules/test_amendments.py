"""What an amendment changes, and what follows from it, as pure rules."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import msgspec
import pytest

from tenders.rules.amendments import (
    amendment_faults,
    changes,
    earliest_deadline,
    form_of,
    keeps_lots,
    must_be_material,
    new_forms,
)
from tenders.rules.requirement import Requirement
from tests.tenders.rules.documents import requirement_with

NOW = datetime(2030, 3, 4, 10, tzinfo=UTC)
STANDING = datetime(2030, 3, 28, 12, tzinfo=UTC)

WORDING = {
    "title": "Another",
    "description": "Other words.",
    "scale[1].title": "middling",
    "scale[1].descriptor": "Said otherwise.",
    "lots[0].title": "Analysis",
    "lots[0].description": "Other words.",
    "lots[0].criteria[1].title": "Second question",
    "lots[0].criteria[1].question": "How, exactly?",
    "lots[0].price_items[0].title": "The core",
}
SUBSTANCE: dict[str, Any] = {
    "scale[3].value": "11",
    "lots[0].criteria[1].weight": "21",
    "lots[0].criteria[1].code": "Q3",
    "lots[0].criteria[0].children[0].weight": "25",
    "lots[0].minimum_quality": "51",
    "lots[0].price_items[0].quantity": "37",
    "lots[0].price_items[0].unit": "week",
    "lots[0].price_items[0].code": "C",
    "lots[0].estimated_annual_value.amount": "250001.00",
    "lots[0].term_months": 37,
    "award_method.tie_rule": "lower_price",
}


@pytest.mark.parametrize("path", WORDING)
def test_a_change_of_wording_may_be_a_correction(path: str) -> None:
    (change,) = changes(requirement_with(), requirement_with({path: WORDING[path]}))
    assert change.wording
    assert change.after == WORDING[path]
    assert not must_be_material([change])


@pytest.mark.parametrize("path", SUBSTANCE)
def test_every_other_change_is_material(path: str) -> None:
    found = changes(requirement_with(), requirement_with({path: SUBSTANCE[path]}))
    assert must_be_material(found)


def test_members_are_named_by_their_codes_and_what_moved_is_seen() -> None:
    earlier = requirement_with()
    lot = requirement_with().lots[0]
    swapped = requirement_with(
        {
            "lots[0].criteria": [
                _plain(one) for one in (lot.criteria[1], lot.criteria[0], lot.criteria[2])
            ]
        }
    )
    (change,) = changes(earlier, swapped)
    assert (change.path, change.before, change.after) == (
        "lots[1].criteria",
        "Q1, Q2, P",
        "Q2, Q1, P",
    )
    assert must_be_material([change])


def test_what_is_added_and_what_is_left_out_is_told_member_by_member() -> None:
    earlier = requirement_with()
    item = {"code": "C", "title": "Training", "unit": "day", "quantity": "3"}
    later = requirement_with({"lots[1].price_items": [item]})
    found = {one.path: (one.before, one.after) for one in changes(earlier, later)}
    assert found["lots[2].price_items"] == ("A, B", "C")
    assert found["lots[2].price_items[C].quantity"] == (None, "3")
    assert found["lots[2].price_items[A].title"] == ("Core service", None)
    assert changes(earlier, earlier) == []


def test_the_form_of_a_lot_is_what_is_answered_and_priced() -> None:
    lot = requirement_with().lots[0]
    for path, same in (
        ("lots[0].criteria[1].question", True),
        ("lots[0].criteria[1].weight", True),
        ("lots[0].price_items[0].quantity", True),
        ("lots[0].criteria[1].code", False),
        ("lots[0].price_items[0].code", False),
        ("lots[0].price_items[0].unit", False),
    ):
        value = {**WORDING, **SUBSTANCE}[path]
        later = requirement_with({path: value})
        assert (form_of(later.lots[0]) == form_of(lot)) is same, path
        assert new_forms(requirement_with(), later) == ([] if same else [1])


def test_lots_are_kept_with_their_service_lines() -> None:
    earlier = requirement_with()
    assert keeps_lots(earlier, requirement_with({"lots[0].title": "Other"}))
    assert not keeps_lots(earlier, requirement_with({"lots[0].service_lines": ["bi-monitoring"]}))
    assert not keeps_lots(earlier, requirement_with({"lots": []}))


@pytest.mark.parametrize(
    ("amended", "earliest"),
    [
        (datetime(2030, 3, 4, 10, tzinfo=UTC), datetime(2030, 3, 11, tzinfo=UTC)),
        (datetime(2030, 3, 4, 23, 59, tzinfo=UTC), datetime(2030, 3, 11, tzinfo=UTC)),
        # the clocks go forward on 31 March 2030: the sixth day ends at 23:00 UTC
        (datetime(2030, 3, 28, 10, tzinfo=UTC), datetime(2030, 4, 3, 23, tzinfo=UTC)),
    ],
)
def test_six_whole_days_in_london_follow_a_material_amendment(
    amended: datetime, earliest: datetime
) -> None:
    assert earliest_deadline(amended) == earliest


def test_the_time_of_an_amendment_needs_a_zone() -> None:
    with pytest.raises(ValueError, match="time zone"):
        earliest_deadline(datetime(2030, 3, 4, 10))  # noqa: DTZ001  # what is refused


def _faults(**given: Any) -> list[str]:
    facts: dict[str, Any] = {
        "found": None,
        "keeps_lots": True,
        "material": False,
        "standing": STANDING,
        "deadline": None,
        "contract_starts": date(2030, 7, 1),
        **given,
    }
    return [fault.field for fault in amendment_faults(NOW, **facts)]


def test_every_fault_of_an_amendment_is_found_at_once() -> None:
    wording = changes(requirement_with(), requirement_with({"title": "Another"}))
    substance = changes(requirement_with(), requirement_with({"lots[0].term_months": 12}))
    week = STANDING + timedelta(days=7)
    assert _faults() == ["deadline"]
    assert _faults(found=wording) == []
    assert _faults(found=[]) == ["takes_requirement"]
    assert _faults(deadline=week) == []
    assert _faults(deadline=STANDING) == ["deadline"]
    assert _faults(deadline=NOW + timedelta(days=4000)) == ["deadline"]
    assert _faults(deadline=datetime(2030, 7, 1, tzinfo=UTC)) == ["deadline"]
    assert _faults(found=substance) == ["material"]
    assert _faults(found=substance, material=True) == ["deadline"]
    assert _faults(found=substance, material=True, deadline=week) == []
    soon = {"standing": NOW + timedelta(hours=1), "deadline": NOW + timedelta(days=6)}
    assert _faults(found=wording, material=True, **soon) == ["deadline"]
    assert _faults(found=wording, **soon) == []
    assert _faults(found=substance, keeps_lots=False) == ["takes_requirement", "material"]


def _plain(value: Any) -> Any:
    return msgspec.to_builtins(value)


def test_under_a_fixed_price_another_price_or_quantity_asks_for_another_bid() -> None:
    def fixed(price: str, quantity: str = "36") -> Requirement:
        return requirement_with(
            {
                "award_method.name": "fixed_price",
                "award_method.parameters": {"price": price},
                "lots[0].price_items[0].quantity": quantity,
            }
        )

    assert new_forms(fixed("100"), fixed("100")) == []
    assert new_forms(fixed("100"), fixed("101")) == [1, 2]
    assert new_forms(fixed("100"), fixed("100", "37")) == [1]
    assert new_forms(requirement_with(), requirement_with()) == []


def test_bands_and_limits_are_compared_like_everything_else() -> None:
    bands = [{"up_to": "25", "share": "80"}, {"up_to": "50", "share": "60"}]
    earlier = requirement_with({"award_method.parameters": {"bands": bands, "beyond": "20"}})
    other = [bands[0], {"up_to": "50", "share": "50"}]
    later = requirement_with(
        {
            "award_method.parameters": {"bands": other, "beyond": "20"},
            "lot_limit": {"lots": 1, "rule": "best_ranks"},
        }
    )
    assert {change.path for change in changes(earlier, later) if change.after is not None} == {
        "award_method.parameters.bands[50].share",
        "lot_limit.lots",
        "lot_limit.rule",
    }
