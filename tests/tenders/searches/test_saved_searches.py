"""Saved searches over HTTP: one's own, twenty at most, by filters that can match something."""

import asyncio
from typing import Any
from uuid import uuid4

import pytest

from market.actor import Role
from tests.makers.searches import save, saved
from tests.makers.suppliers import admitted_supplier, application, apply
from tests.makers.systems import api_key, by_credential
from tests.makers.world import PASSWORD, Person, World


async def _names(person: Person, query: str = "") -> list[str]:
    answer = await person.get(f"/saved-searches{query}")
    assert answer.status_code == 200, answer.text
    return [item["name"] for item in answer.json()["items"]]


async def test_a_search_is_kept_as_it_was_given_and_listed_to_nobody_else(world: World) -> None:
    supplier = await admitted_supplier(world, "Fenland Data")
    colleague = await world.person("Cy Colleague", supplier.organisation, Role.BID_MANAGER)
    buyer = await world.organisation("06F")
    kept = await saved(
        supplier,
        "Dashboards",
        text="intelligence",
        service_lines=["bi-decision-support", "end-to-end"],
        buyer=str(buyer),
        minimum_value="50000.50",
        maximum_value="900000",
    )
    made_at = kept.pop("made_at")
    assert kept.pop("id")
    assert kept == {
        "name": "Dashboards",
        "text": "intelligence",
        "service_lines": ["bi-decision-support", "end-to-end"],
        "buyer": str(buyer),
        "minimum_value": "50000.50",
        "maximum_value": "900000",
    }
    listed = (await supplier.get("/saved-searches")).json()["items"]
    assert [item["made_at"] for item in listed] == [made_at]
    assert await _names(colleague) == []
    assert await _names(supplier) == ["Dashboards"]


async def test_a_search_belongs_to_the_organisation_for_which_it_was_saved(
    world: World, superuser: Any
) -> None:
    supplier = await admitted_supplier(world, "Fenland Data")
    search = await saved(supplier)
    other = await admitted_supplier(world, "Another")
    invitation = await other.post(
        f"/organisations/{other.organisation}/invitations",
        {"email": supplier.email, "roles": ["bid_manager"]},
    )
    accepted = await world.client.post(
        "/api/v1/invitation-acceptances",
        json={
            "secret": invitation.json()["secret"],
            "name": supplier.name,
            "password": PASSWORD,
        },
    )
    assert accepted.status_code == 201, accepted.text
    switched = await supplier.post(
        "/sessions/current/switches", {"organisation": str(other.organisation)}
    )
    assert switched.status_code == 201, switched.text
    elsewhere = Person(
        id=supplier.id,
        name=supplier.name,
        email=supplier.email,
        organisation=other.organisation,
        token=switched.json()["token"],
        client=world.client,
    )
    assert await _names(elsewhere) == []
    assert (await elsewhere.delete(f"/saved-searches/{search['id']}")).status_code == 404
    assert await superuser.fetchval("SELECT count(*) FROM saved_search WHERE ended_at IS NULL") == 1


async def test_a_search_ends_once_and_is_somebody_s_own_to_end(world: World) -> None:
    supplier = await admitted_supplier(world, "Fenland Data")
    other = await admitted_supplier(world, "Another")
    search = await saved(supplier)
    path = f"/saved-searches/{search['id']}"
    assert (await other.delete(path)).status_code == 404
    assert (await supplier.delete(path)).status_code == 204
    assert (await supplier.delete(path)).status_code == 404
    assert (await supplier.delete(f"/saved-searches/{uuid4()}")).status_code == 404
    assert await _names(supplier) == []


async def test_searches_come_in_pages_the_oldest_first(world: World) -> None:
    supplier = await admitted_supplier(world, "Fenland Data")
    for number in range(5):
        await saved(supplier, f"Search {number}")
    found, query = [], "?limit=2"
    while query:
        answer = await supplier.get(f"/saved-searches{query}")
        found += [item["name"] for item in answer.json()["items"]]
        cursor = answer.json()["next"]
        query = f"?limit=2&cursor={cursor}" if cursor else ""
    assert found == [f"Search {number}" for number in range(5)]
    assert (await supplier.get("/saved-searches?cursor=nonsense")).status_code == 400


@pytest.mark.parametrize(
    ("filters", "field"),
    [
        ({"service_lines": ["no-such-line"]}, "service_lines[0]"),
        ({"service_lines": ["end-to-end", "end-to-end"]}, "service_lines[1]"),
        ({"buyer": str(uuid4())}, "buyer"),
        ({"minimum_value": "-1"}, "minimum_value"),
        ({"maximum_value": "-0.01"}, "maximum_value"),
        ({"minimum_value": "2", "maximum_value": "1.99"}, "minimum_value"),
        ({"minimum_value": 50000}, "minimum_value"),
        ({"minimum_value": "1e9"}, "minimum_value"),
        ({"minimum_value": "NaN"}, "minimum_value"),
        ({"text": ""}, "text"),
        ({"text": "x" * 101}, "text"),
        ({"text": "a\x00b"}, "text"),
        ({"service_lines": ["end-to-end"] * 21}, "service_lines"),
        ({"status": "published"}, "status"),
    ],
)
async def test_a_search_that_can_find_nothing_is_refused_with_its_field(
    world: World, filters: dict[str, Any], field: str
) -> None:
    buyer = await world.person("Lena Lead", await world.organisation("06F"), Role.PROCUREMENT_LEAD)
    answer = await save(buyer, **filters)
    assert answer.status_code == 400, answer.text
    assert [fault["field"] for fault in answer.json()["errors"]][:1] == [field]
    assert await _names(buyer) == []


@pytest.mark.parametrize("name", ["", "   ", "x" * 101, "a\nb"])
async def test_a_search_has_a_name_of_one_line(world: World, name: str) -> None:
    buyer = await world.person("Lena Lead", await world.organisation("06F"), Role.PROCUREMENT_LEAD)
    assert (await save(buyer, name)).status_code == 400


async def test_a_supplier_is_no_buyer_to_look_for(world: World) -> None:
    supplier = await admitted_supplier(world, "Fenland Data")
    answer = await save(supplier, buyer=str(supplier.organisation))
    assert answer.json()["errors"][0]["field"] == "buyer"


async def test_a_person_has_twenty_searches_and_may_replace_an_ended_one(world: World) -> None:
    supplier = await admitted_supplier(world, "Fenland Data")
    kept = [await saved(supplier, f"Search {number}") for number in range(20)]
    answer = await save(supplier, "One too many")
    assert answer.status_code == 409
    assert answer.json()["type"] == "/problems/too-many-searches"
    await supplier.delete(f"/saved-searches/{kept[7]['id']}")
    await saved(supplier, "Another")
    colleague = await world.person("Cy Colleague", supplier.organisation, Role.BID_MANAGER)
    await saved(colleague)


async def test_of_requests_that_race_for_the_last_place_one_is_kept(
    world: World, superuser: Any
) -> None:
    supplier = await admitted_supplier(world, "Fenland Data")
    for number in range(19):
        await saved(supplier, f"Search {number}")
    answers = await asyncio.gather(*[save(supplier, f"Race {n}") for n in range(5)])
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409, 409]
    kept = await superuser.fetchval("SELECT count(*) FROM saved_search")
    recorded = await superuser.fetchval(
        "SELECT count(*) FROM event WHERE action = 'saved_search.made'"
    )
    assert (kept, recorded) == (20, 20)


async def test_a_repeated_request_saves_one_search(world: World) -> None:
    supplier = await admitted_supplier(world, "Fenland Data")
    key = {"Idempotency-Key": str(uuid4())}
    body = {"name": "Dashboards", "minimum_value": "1.50"}
    first = await supplier.post("/saved-searches", body, headers=key)
    again = await supplier.post("/saved-searches", body, headers=key)
    assert first.json() == again.json()
    assert await _names(supplier) == ["Dashboards"]


async def test_what_somebody_looks_for_is_in_no_event(world: World, superuser: Any) -> None:
    supplier = await admitted_supplier(world, "Fenland Data")
    await saved(supplier, "A telling name", text="telling text")
    event = await superuser.fetchrow("SELECT * FROM event WHERE action = 'saved_search.made'")
    assert event["after_digest"] is not None
    assert "telling" not in str(dict(event))


async def test_who_acts_for_no_organisation_or_is_a_system_saves_nothing(world: World) -> None:
    body = application("Newcomer")
    await apply(world, body)
    email = body["applicant"]["email"]
    session = await world.client.post(
        "/api/v1/sessions", json={"email": email, "password": PASSWORD}
    )
    bearer = {"Authorization": f"Bearer {session.json()['token']}"}
    answer = await world.client.post(
        "/api/v1/saved-searches",
        json={"name": "Mine"},
        headers={**bearer, "Idempotency-Key": str(uuid4())},
    )
    assert (answer.status_code, answer.json()["type"]) == (403, "/problems/not-acting")
    listed = await world.client.get("/api/v1/saved-searches", headers=bearer)
    assert listed.status_code == 403
    supplier = await admitted_supplier(world, "Fenland Data")
    system = by_credential(supplier, (await api_key(supplier))["key"])
    refused = await save(system)
    assert (refused.status_code, refused.json()["type"]) == (403, "/problems/beyond-scope")
    assert (await world.public("/saved-searches")).status_code == 401


async def test_a_member_who_has_left_saves_nothing(world: World) -> None:
    supplier = await admitted_supplier(world, "Fenland Data")
    colleague = await world.person("Cy Colleague", supplier.organisation, Role.BID_MANAGER)
    await saved(colleague)
    left = await supplier.delete(f"/organisations/{supplier.organisation}/members/{colleague.id}")
    assert left.status_code == 204, left.text
    assert (await save(colleague)).status_code in {401, 403}
