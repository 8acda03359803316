"""Organisations and service lines: public, found by words, in pages that stay stable."""

from typing import Any
from uuid import uuid4

import pytest

from market.organisations.rules import OrganisationKind
from market.pages import encode_cursor
from market.people.rules import OPERATOR
from market.reference import load_ccgs, load_csus, load_service_lines
from tests.makers.clock import registrar
from tests.makers.suppliers import admitted_supplier, application, apply
from tests.makers.world import World


async def _found(world: World, query: str) -> list[dict[str, Any]]:
    answer = await world.public(f"/organisations?{query}")
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


async def test_every_organisation_of_the_reference_data_comes_once_in_pages_by_name(
    world: World,
) -> None:
    seen: list[tuple[str, str]] = []
    path: str | None = "/organisations?limit=40"
    pages = 0
    while path is not None:
        answer = await world.public(path)
        assert answer.status_code == 200
        page = answer.json()
        seen += [(one["name"], one["id"]) for one in page["items"]]
        pages += 1
        link = answer.headers.get("Link")
        assert (link is None) == (page["next"] is None)
        path = None
        if link is not None:
            path = link.removeprefix("</api/v1").removesuffix('>; rel="next"')
    count = len(load_ccgs()) + len(load_csus())
    assert len(seen) == len(set(seen)) == count
    assert pages == -(-count // 40)


async def test_a_page_goes_on_where_it_ended_while_organisations_are_added(world: World) -> None:
    kind = "kind=commercial&limit=1"
    await admitted_supplier(world, "Bravo Data")
    await admitted_supplier(world, "Delta Data")
    first = (await world.public(f"/organisations?{kind}")).json()
    assert [one["name"] for one in first["items"]] == ["Bravo Data"]
    await admitted_supplier(world, "Alpha Data")
    second = (await world.public(f"/organisations?{kind}&cursor={first['next']}")).json()
    assert [one["name"] for one in second["items"]] == ["Delta Data"]


async def test_an_organisation_shows_its_identifiers_kind_and_population(world: World) -> None:
    group = await world.organisation("06F")
    answer = await world.public(f"/organisations/{group}")
    assert answer.status_code == 200
    reference = next(one for one in load_ccgs() if one.ods_code == "06F")
    assert answer.json() == {
        "id": str(group),
        "kind": "clinical_commissioning_group",
        "name": reference.name,
        "address": None,
        "population": reference.population,
        "demonstration": False,
        "identifiers": [{"scheme": "GB-NHS", "identifier": "06F"}],
    }


async def test_words_are_found_in_any_order_and_case_and_codes_as_they_are(world: World) -> None:
    name = "NHS Bedfordshire CCG"
    for words in ("bedfordshire", "ccg%20BEDFORD", "06f", "%2006F%20"):
        assert name in [one["name"] for one in await _found(world, f"q={words}")]
    assert len(await _found(world, "q=06F")) == 1
    assert await _found(world, "q=bedfordshire%20nowhere") == []


@pytest.mark.parametrize("text", ["%25", "_", "%5C", "%25%25", "a%25b", "'%20OR%20'1'='1"])
async def test_signs_of_the_pattern_language_mean_themselves(world: World, text: str) -> None:
    assert await _found(world, f"q={text}") == []


@pytest.mark.parametrize("kind", OrganisationKind)
async def test_the_filter_by_kind_gives_that_kind_alone(world: World, kind: str) -> None:
    found = await _found(world, f"kind={kind}&limit=200")
    assert {one["kind"] for one in found} <= {kind}
    expected = len(load_ccgs()) if kind == "clinical_commissioning_group" else None
    assert expected is None or len(found) == expected


@pytest.mark.parametrize(
    "query",
    [
        "kind=bank",
        "limit=0",
        "limit=201",
        "limit=many",
        "cursor=!",
        "cursor=WyJhIl0",
        f"cursor={encode_cursor('a', 'b')}",
        f"cursor={encode_cursor('a' + chr(0), str(OPERATOR))}",
        "q=%00",
        f"q={'x' * 101}",
    ],
)
async def test_a_query_that_makes_no_sense_is_malformed(world: World, query: str) -> None:
    for path in ("/organisations", "/suppliers"):
        answer = await world.public(f"{path}?{query}")
        assert answer.status_code == 400, (path, answer.text)
        assert answer.headers["Content-Type"].startswith("application/problem+json")


async def test_an_organisation_that_nobody_has_confirmed_is_not_shown(world: World) -> None:
    applied = (await apply(world, application("Impostor Data"))).json()
    organisation = applied["organisation"]["id"]
    assert applied["organisation"]["proposed"] is True
    assert await _found(world, "q=impostor") == []
    identifier = applied["organisation"]["identifiers"][0]["identifier"]
    assert await _found(world, f"q={identifier}") == []
    assert (await world.public(f"/organisations/{organisation}")).status_code == 404
    assert (await world.public(f"/organisations/{uuid4()}")).status_code == 404


async def test_the_operator_is_an_organisation_as_others_are(world: World) -> None:
    assert (await world.public(f"/organisations/{OPERATOR}")).status_code == 404
    await registrar(world)
    assert (await world.public(f"/organisations/{OPERATOR}")).json()["identifiers"] == []


async def test_service_lines_are_listed_with_their_codes(world: World) -> None:
    answer = await world.public("/service-lines")
    assert answer.status_code == 200
    lines = {one["code"]: one for one in answer.json()}
    assert set(lines) == {one.code for one in load_service_lines()}
    assert lines["end-to-end"]["cpv"] == "75122000"
    order = [(one["group_title"], one["title"]) for one in answer.json()]
    assert len(order) == len(set(order))
