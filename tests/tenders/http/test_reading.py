"""Reading tenders: drafts for the house, published ones for everybody, the record for few."""

from typing import Any
from uuid import uuid4

import httpx
import pytest

from market.actor import Role
from market.organisations.rules import OrganisationKind
from tests.makers.clock import advance_to
from tests.makers.suppliers import admitted_supplier
from tests.makers.tenders import (
    assign,
    drafted_tender,
    published_tender,
    requirement_of,
)
from tests.makers.world import World

ROUTES = (
    "",
    "/requirement",
    "/requirement/versions",
    "/requirement/versions/1",
    "/duties",
    "/record",
)


def kind(answer: httpx.Response) -> str:
    return str(answer.json()["type"]).rpartition("/")[2]


async def test_a_draft_is_seen_by_the_house_alone(world: World) -> None:
    tender = await drafted_tender(world)
    bedfordshire, luton = await world.organisation("06F"), await world.organisation("06P")
    for role in (Role.PROCUREMENT_LEAD, Role.COMMISSIONER, Role.AUDITOR):
        reader = await world.person("Rae Reader", bedfordshire, role)
        assert (await reader.get(tender.path)).status_code == 200
        assert (await reader.get(f"{tender.path}/requirement")).status_code == 200
    outsiders = [
        await world.person("Otto", bedfordshire, Role.LAY_MEMBER),
        await world.person("Otis", luton, Role.PROCUREMENT_LEAD),
        await admitted_supplier(world, "A firm", OrganisationKind.COMMERCIAL),
    ]
    for outsider in outsiders:
        for route in ROUTES:
            answer = await outsider.get(f"{tender.path}{route}")
            assert (answer.status_code, kind(answer)) == (404, "not-found"), route
        acts = (
            await outsider.put(
                f"{tender.path}/requirement", tender.requirement, version=tender.version
            ),
            await outsider.post(f"{tender.path}/publication", version=tender.version),
            await assign(outsider, tender.id, outsider, "author"),
        )
        assert {answer.status_code for answer in acts} == {404}
    assert (await world.public(tender.path)).status_code == 404
    assert (await world.public(f"{tender.path}/requirement")).status_code == 404


async def test_an_unknown_tender_is_refused_as_somebody_else_s_draft_is(world: World) -> None:
    tender = await drafted_tender(world)
    stranger = await world.person("Sid", await world.organisation("04F"), Role.PROCUREMENT_LEAD)
    for route in ROUTES:
        unknown = (await stranger.get(f"/tenders/{uuid4()}{route}")).json()
        hidden = (await stranger.get(f"{tender.path}{route}")).json()
        assert {**unknown, "request": ""} == {**hidden, "request": ""}
    assert (await world.public("/tenders/not-an-id")).status_code == 404


async def test_how_a_published_requirement_came_about_is_for_the_house(world: World) -> None:
    tender = await published_tender(world)
    supplier = await admitted_supplier(world, "A firm", OrganisationKind.COMMERCIAL)
    for route in ("/requirement/versions", "/requirement/versions/1", "/record"):
        answer = await supplier.get(f"{tender.path}{route}")
        assert (answer.status_code, kind(answer)) == (403, "forbidden")
        assert (await world.public(f"{tender.path}{route}")).status_code == 401
    assert (await supplier.get(f"{tender.path}/duties")).status_code == 404
    assert (await supplier.get(tender.path)).json() == (await world.public(tender.path)).json()


async def test_a_duty_held_for_another_organisation_needs_a_sign_in_for_that_one(
    world: World,
) -> None:
    tender = await drafted_tender(world)
    luton = await world.organisation("06P")
    reviewer = await tender.reviewer.get(tender.path)
    assert reviewer.json()["my_duties"] == ["reviewer"]
    assert tender.reviewer.organisation == luton


# -- lists -----------------------------------------------------------------------------------------


async def listed(world: World, query: str = "") -> list[str]:
    answer = await world.public(f"/tenders{query}")
    assert answer.status_code == 200, answer.text
    return [item["reference"] for item in answer.json()["items"]]


async def test_published_tenders_are_listed_page_by_page_the_latest_first(world: World) -> None:
    made = [(await published_tender(world, lots=1)).reference for _ in range(3)]
    await drafted_tender(world, lots=1)
    assert await listed(world) == made[::-1]
    answer = await world.public("/tenders?limit=2")
    found = [item["reference"] for item in answer.json()["items"]]
    assert found == made[:0:-1]
    link = answer.links["next"]["url"]
    assert "limit=2" in link
    rest = await world.client.get(link)
    assert [item["reference"] for item in rest.json()["items"]] == made[:1]
    assert rest.json()["next"] is None
    assert "link" not in rest.headers


async def test_a_list_is_filtered_by_text_service_line_and_status(world: World) -> None:
    plain = await published_tender(
        world, lots=1, requirement=requirement_of(1, title="Data for 100% of practices")
    )
    other = await published_tender(
        world, lots=1, requirement=requirement_of(1, title="Under_lined \\ data")
    )
    both = [other.reference, plain.reference]
    assert await listed(world, "?q=DATA") == both
    assert await listed(world, "?q=100%25") == [plain.reference]
    assert await listed(world, "?q=%25") == [plain.reference]
    assert await listed(world, "?q=_") == [other.reference]
    assert await listed(world, "?q=%5C") == [other.reference]
    assert await listed(world, "?q=nothing%20of%20it") == []
    assert await listed(world, "?service_line=bi-decision-support") == both
    assert await listed(world, "?service_line=end-to-end") == []
    assert await listed(world, "?status=published") == both
    assert await listed(world, "?status=closed") == []


async def test_a_tender_closes_by_time_alone(world: World) -> None:
    tender = await published_tender(world, lots=1)
    before = await world.public(tender.path)
    await advance_to(world, tender.deadline)
    after = await world.public(tender.path)
    assert (before.json()["status"], after.json()["status"]) == ("published", "closed")
    assert before.json()["version"] == after.json()["version"]
    assert await listed(world, "?status=closed") == [tender.reference]
    assert await listed(world, "?status=published") == []


@pytest.mark.parametrize(
    "query",
    [
        "?limit=0",
        "?limit=201",
        "?limit=x",
        "?status=secret",
        "?q=",
        "?q=%00",
        f"?q={'x' * 101}",
        "?service_line=%00",
        "?cursor=x",
        "?cursor=WyJhIiwiYiJd",
        "?cursor=%00",
        "?cursor=WyI5OTk5LTEyLTMxVDIzOjU5OjU5LTIzOjU5IiwieCJd",
    ],
)
async def test_a_malformed_query_is_refused(world: World, query: str) -> None:
    answer = await world.public(f"/tenders{query}")
    assert (answer.status_code, kind(answer)) == (400, "malformed"), answer.text


async def test_one_s_own_tenders_are_those_of_one_s_duties_and_one_s_buyer(world: World) -> None:
    tender = await drafted_tender(world)
    luton = await world.organisation("06P")

    async def mine(person: Any) -> list[str]:
        answer = await person.get("/tenders/mine")
        assert answer.status_code == 200, answer.text
        return [item["id"] for item in answer.json()["items"]]

    assert await mine(tender.manager) == [str(tender.id)]
    assert await mine(tender.reviewer) == [str(tender.id)]
    assert await mine(tender.lay_member) == [str(tender.id)]
    colleague = await world.person("Cora", tender.manager.organisation, Role.COMMISSIONER)
    assert await mine(colleague) == [str(tender.id)]
    assert await mine(await world.person("Lu", luton, Role.PROCUREMENT_LEAD)) == []
    bidder = await admitted_supplier(world, "A firm", OrganisationKind.COMMERCIAL)
    assert await mine(bidder) == []
    assert (await world.public("/tenders/mine")).status_code == 401


# -- the record ------------------------------------------------------------------------------------


async def test_the_record_tells_who_did_what_in_order(world: World) -> None:
    tender = await published_tender(world)
    answer = await tender.manager.get(f"{tender.path}/record?limit=200")
    events = answer.json()["items"]
    actions = [event["action"] for event in events]
    assert actions[0] == "tender.created"
    assert actions.count("duty.assigned") == len(tender.everybody()) - 1
    assert actions[-5:] == [
        "requirement.edited",
        "timetable.set",
        "review.requested",
        "requirement.approved",
        "tender.published",
    ]
    assert events[-2]["person_name"] == "Ruth Reviewer"
    auditor = await world.person("Audrey", tender.manager.organisation, Role.AUDITOR)
    for reader in (tender.guardian, auditor):
        assert (await reader.get(f"{tender.path}/record?limit=200")).json() == answer.json()
    for person in (tender.author, tender.reviewer, tender.quality_evaluators[0]):
        refused = await person.get(f"{tender.path}/record")
        assert (refused.status_code, kind(refused)) == (403, "forbidden")


async def test_the_record_comes_in_pages(world: World) -> None:
    tender = await published_tender(world)
    whole = (await tender.manager.get(f"{tender.path}/record?limit=200")).json()["items"]
    found: list[dict[str, Any]] = []
    query = "?limit=7"
    while query:
        page = (await tender.manager.get(f"{tender.path}/record{query}")).json()
        found += page["items"]
        query = f"?limit=7&cursor={page['next']}" if page["next"] else ""
    assert found == whole


async def test_before_the_opening_the_record_tells_nothing_of_suppliers(
    world: World, superuser: Any
) -> None:
    tender = await published_tender(world)
    before = (await tender.manager.get(f"{tender.path}/record?limit=200")).json()
    supplier = await admitted_supplier(world, "A firm", OrganisationKind.COMMERCIAL)
    refused = await assign(supplier, tender.id, supplier, "opener")
    assert refused.status_code == 403
    written = await superuser.fetchval(
        "SELECT count(*) FROM event WHERE tender = $1 AND organisation = $2",
        tender.id,
        supplier.organisation,
    )
    assert written == 1
    after = (await tender.manager.get(f"{tender.path}/record?limit=200")).json()
    assert after == before
