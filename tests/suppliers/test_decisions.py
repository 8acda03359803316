"""Deciding applications: by a registrar, once, with a reason; and who supplies then."""

import asyncio
from typing import Any
from uuid import uuid4

from market.organisations.rules import OrganisationKind
from tests.makers.clock import registrar, signed_in
from tests.makers.suppliers import admitted_supplier, application, apply, decide
from tests.makers.world import PASSWORD, World


async def test_an_admission_makes_the_applicant_administrator_and_bid_manager(
    world: World, superuser: Any
) -> None:
    keeper = await registrar(world)
    body = application("Fenland Data")
    view = (await apply(world, body)).json()
    decided = await decide(keeper, view["id"], "admitted", "The register was consulted.")
    assert decided["state"] == "admitted"
    assert decided["decision"]["reason"] == "The register was consulted."
    assert decided["organisation"]["proposed"] is False
    person = await signed_in(world, body["applicant"]["name"], body["applicant"]["email"])
    assert str(person.organisation) == view["organisation"]["id"]
    roles = await superuser.fetch(
        "SELECT role, granted_by FROM membership WHERE person = $1", person.id
    )
    assert {row["role"] for row in roles} == {"administrator", "bid_manager"}
    assert {row["granted_by"] for row in roles} == {keeper.id}
    assert (await world.public(f"/organisations/{person.organisation}")).status_code == 200
    assert await superuser.fetchval("SELECT is_admitted_supplier($1)", person.organisation)


async def test_a_refusal_gives_nothing_and_lets_the_organisation_apply_again(
    world: World, superuser: Any
) -> None:
    keeper = await registrar(world)
    body = application("Impostor Data")
    first = (await apply(world, body)).json()
    refused = await decide(keeper, first["id"], "refused", "The applicant is not known there.")
    assert refused["state"] == "refused"
    organisation = first["organisation"]["id"]
    assert await superuser.fetchval("SELECT count(*) FROM membership") == 1  # the registrar's own
    assert not await superuser.fetchval("SELECT is_admitted_supplier($1::uuid)", organisation)
    assert (await world.public(f"/organisations/{organisation}")).status_code == 404
    # whose number it is may say so, and is not bound to what the impostor called it
    rightful = application("Rightful Data")
    rightful["organisation"]["identifiers"] = body["organisation"]["identifiers"]
    second = (await apply(world, rightful)).json()
    assert second["organisation"]["id"] == organisation
    assert second["organisation"]["name"] == "Rightful Data"
    await decide(keeper, second["id"], "admitted")
    shown = (await world.public(f"/organisations/{organisation}")).json()
    assert shown["name"] == "Rightful Data"
    people = (await keeper.get(f"/organisations/{organisation}/memberships")).json()["items"]
    assert {one["name"] for one in people} == {rightful["applicant"]["name"]}


async def test_an_admitted_supplier_does_not_apply_again(world: World) -> None:
    keeper = await registrar(world)
    body = application("Fenland Data")
    view = (await apply(world, body)).json()
    await decide(keeper, view["id"], "admitted")
    again = await apply(world, body)
    assert again.status_code == 409
    assert "supplier already" in again.json()["detail"]


async def test_only_a_registrar_decides_and_only_once(world: World, superuser: Any) -> None:
    body = application("Fenland Data")
    view = (await apply(world, body)).json()
    path = f"/supplier-applications/{view['id']}/decision"
    decision = {"outcome": "admitted", "reason": "As it should be."}
    rival = await admitted_supplier(world, "Rival Data")
    assert (await rival.post(path, decision)).status_code == 404
    signed = await world.client.post(
        "/api/v1/sessions", json={"email": body["applicant"]["email"], "password": PASSWORD}
    )
    headers = {
        "Authorization": f"Bearer {signed.json()['token']}",
        "Idempotency-Key": str(uuid4()),
    }
    own = await world.client.post(f"/api/v1{path}", json=decision, headers=headers)
    assert own.status_code == 403
    assert own.json()["type"] == "/problems/only-registrar-decides"
    keeper = await registrar(world)
    nowhere = f"/supplier-applications/{uuid4()}/decision"
    assert (await keeper.post(nowhere, decision)).status_code == 404
    answers = await asyncio.gather(
        *(keeper.post(path, decision | {"outcome": one}) for one in ("admitted", "refused") * 2)
    )
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409]
    assert {a.json()["type"] for a in answers if a.status_code == 409} == {
        "/problems/already-decided"
    }
    assert (
        await superuser.fetchval("SELECT count(*) FROM event WHERE action ~ '^supplier.(adm|ref)'")
        == 2
    )


async def test_a_decision_repeated_with_its_key_gives_its_answer(world: World) -> None:
    keeper = await registrar(world)
    view = (await apply(world, application("Fenland Data"))).json()
    path = f"/supplier-applications/{view['id']}/decision"
    key = {"Idempotency-Key": str(uuid4())}
    decision = {"outcome": "admitted", "reason": "As it should be."}
    first = await keeper.post(path, decision, headers=key)
    again = await keeper.post(path, decision, headers=key)
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()
    other = await keeper.post(path, decision | {"outcome": "refused"}, headers=key)
    assert other.status_code == 422


async def test_a_decision_has_a_reason(world: World) -> None:
    keeper = await registrar(world)
    view = (await apply(world, application("Fenland Data"))).json()
    path = f"/supplier-applications/{view['id']}/decision"
    for body in (
        {"outcome": "admitted"},
        {"outcome": "admitted", "reason": ""},
        {"outcome": "admitted", "reason": " \n"},
        {"outcome": "postponed", "reason": "Later."},
    ):
        assert (await keeper.post(path, body)).status_code == 400
    assert (await keeper.get(f"/supplier-applications/{view['id']}")).json() == view


async def test_no_registrar_decides_their_own_application(world: World) -> None:
    keeper = await registrar(world)
    body = application("Own Data")
    body["applicant"] = {"email": keeper.email, "name": keeper.name, "password": PASSWORD}
    view = (await apply(world, body)).json()
    answer = await keeper.post(
        f"/supplier-applications/{view['id']}/decision",
        {"outcome": "admitted", "reason": "I know them well."},
    )
    assert answer.status_code == 403
    assert answer.json()["type"] == "/problems/own-application"


async def test_a_sandbox_has_suppliers_for_demonstration(world: World) -> None:
    view = (await apply(world, application("Fenland Data", demonstration=True))).json()
    assert view["organisation"]["demonstration"] is True
    await decide(await registrar(world), view["id"], "admitted")
    (shown,) = (await world.public("/suppliers")).json()["items"]
    assert shown["demonstration"] is True


async def test_everybody_sees_who_was_admitted_and_for_what(world: World) -> None:
    unit = await admitted_supplier(world, "-", OrganisationKind.COMMISSIONING_SUPPORT_UNIT)
    charity = await admitted_supplier(world, "Caring 100%", OrganisationKind.THIRD_SECTOR)
    firm = await admitted_supplier(world, "Acme Data", OrganisationKind.COMMERCIAL)
    await apply(world, application("Pending Data"))
    listed = (await world.public("/suppliers")).json()["items"]
    assert [one["organisation"] for one in listed] == [
        str(one.organisation) for one in (firm, charity, unit)
    ]
    assert set(listed[0]) == {
        "organisation",
        "kind",
        "name",
        "demonstration",
        "service_lines",
        "admitted_at",
    }
    queries = {
        "q=acme": [firm],
        "q=100%25": [charity],
        "q=pending": [],
        "kind=third_sector": [charity],
        "service_line=end-to-end": [firm, charity, unit],
        "service_line=bi-risk-stratification": [],
    }
    for query, expected in queries.items():
        found = (await world.public(f"/suppliers?{query}")).json()["items"]
        assert [one["organisation"] for one in found] == [str(o.organisation) for o in expected]
    first = (await world.public("/suppliers?limit=2")).json()
    rest = (await world.public(f"/suppliers?limit=2&cursor={first['next']}")).json()
    assert [*first["items"], *rest["items"]] == listed
