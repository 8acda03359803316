"""One predicate finds opportunities: for the list, and for whoever saved the same filters."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenders.queries.matching import MATCHES_SAVED
from tenders.rules.searches import Filters, bounds_faults, filters_faults
from tests.makers.searches import saved
from tests.makers.suppliers import admitted_supplier
from tests.makers.tenders import published_tender, requirement_of
from tests.makers.world import World

_MATCHING = (
    "SELECT t.reference FROM tender t, saved_search search WHERE search.id = $1"
    " AND t.published_at IS NOT NULL AND "
)
FILTERS: Sequence[tuple[dict[str, Any], str, set[str]]] = (
    ({}, "", {"small", "large"}),
    ({"text": "BUSINESS"}, "q=BUSINESS", {"small", "large"}),
    ({"text": "50%_\\off"}, "q=50%25_%5Coff", {"large"}),
    ({"text": "%"}, "q=%25", {"large"}),
    ({"text": "_"}, "q=_", {"large"}),
    ({"text": "\\"}, "q=%5C", {"large"}),
    ({"text": ".*"}, "q=.*", set()),
    ({"service_lines": ["end-to-end"]}, "service_line=end-to-end", {"large"}),
    (
        {"service_lines": ["bi-decision-support", "end-to-end"]},
        "service_line=bi-decision-support&service_line=end-to-end",
        {"small", "large"},
    ),
    ({"service_lines": ["bi-monitoring"]}, "service_line=bi-monitoring", set()),
    ({"minimum_value": "250000"}, "minimum_value=250000", {"small", "large"}),
    ({"minimum_value": "250000.01"}, "minimum_value=250000.01", {"large"}),
    ({"maximum_value": "249999.99"}, "maximum_value=249999.99", {"large"}),
    (
        {"minimum_value": "100000", "maximum_value": "200000"},
        "minimum_value=100000&maximum_value=200000",
        set(),
    ),
    (
        {"minimum_value": "0", "maximum_value": "50000.00"},
        "minimum_value=0&maximum_value=50000.00",
        {"large"},
    ),
)


async def _references(world: World, query: str) -> set[str]:
    answer = await world.public(f"/tenders?{query}")
    assert answer.status_code == 200, answer.text
    return {item["reference"] for item in answer.json()["items"]}


async def test_the_list_and_a_saved_search_find_the_same(world: World, superuser: Any) -> None:
    """The large one has a lot of 50,000 and one of 900,000 a year: none of 100,000 to 200,000."""
    small = await published_tender(world, requirement=requirement_of(1))
    requirement = requirement_of(2, title="Business at 50%_\\off")
    for lot, value in zip(requirement["lots"], ("50000.00", "900000.00"), strict=True):
        lot["estimated_annual_value"] = {"amount": value, "currency": "GBP"}
        lot["service_lines"] = ["end-to-end"]
    large = await published_tender(world, requirement=requirement, title="Business at 50%_\\off")
    names = {"small": small.reference, "large": large.reference}
    supplier = await admitted_supplier(world, "Looking")
    for filters, query, wanted in FILTERS:
        search = await saved(supplier, **filters)
        found = await superuser.fetch(_MATCHING + MATCHES_SAVED, UUID(search["id"]))
        expected = {names[name] for name in wanted}
        assert {row["reference"] for row in found} == expected, filters
        assert await _references(world, query) == expected, query


async def test_a_buyer_is_found_who_buys_with_others(world: World) -> None:
    tender = await published_tender(world)
    luton = await world.organisation("06P")
    assert tender.reference in await _references(world, f"buyer={tender.manager.organisation}")
    assert await _references(world, f"buyer={luton}") == set()


@pytest.mark.parametrize(
    "query",
    [
        "minimum_value=2&maximum_value=1",
        "minimum_value=-1",
        "minimum_value=1e5",
        "maximum_value=many",
        "buyer=us",
        "service_line=%00",
        "&".join(["service_line=end-to-end"] * 21),
    ],
)
async def test_filters_that_are_none_are_refused_by_their_name(world: World, query: str) -> None:
    answer = await world.public(f"/tenders?{query}")
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"] == query.partition("=")[0]


_VALUES = st.none() | st.decimals(-10, 10, places=2, allow_nan=False).map(lambda d: f"{d:f}")


@given(_VALUES, _VALUES)
def test_bounds_are_faulty_exactly_where_no_value_is_between_them(
    lowest: str | None, highest: str | None
) -> None:
    filters = Filters(minimum_value=lowest, maximum_value=highest)
    low, high = filters.bounds
    negative = (low is not None and low < 0) or (high is not None and high < 0)
    crossed = low is not None and high is not None and low > high
    assert bool(bounds_faults(filters)) == (negative or crossed)


@given(st.lists(st.sampled_from(["a", "b", "c"]), max_size=4), st.sets(st.sampled_from("ab")))
def test_service_lines_are_known_and_named_once(lines: list[str], known: set[str]) -> None:
    faults = filters_faults(Filters(service_lines=tuple(lines)), known, buyer_known=True)
    wrong = {
        number for number, code in enumerate(lines) if code not in known or code in lines[:number]
    }
    assert {fault.field for fault in faults} == {f"service_lines[{number}]" for number in wrong}
