"""Linking an identity from within a session, never by an address; removing all but the last."""

import asyncio
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from market.actor import Role
from tests.makers.clock import registrar
from tests.makers.identity_provider import (
    Provider,
    answer_of,
    begun,
    finish,
    invited,
    problem,
)
from tests.makers.world import Person, World


async def _lead(world: World, name: str = "Ann Lead") -> Person:
    return await world.person(name, await world.organisation("06F"), Role.ADMINISTRATOR)


async def _answer(world: World, provider: Provider, by: Person) -> dict[str, Any]:
    asked = await begun(world, by, link=True)
    return {**provider.sign_in(asked["authorization_url"]), "binding": asked["binding"]}


async def _link(world: World, provider: Provider, by: Person) -> httpx.Response:
    return await by.post("/me/identities", await _answer(world, provider, by))


async def _joined(world: World, provider: Provider, by: Person) -> Person:
    """Let Ruth come in by the provider, with no password."""
    body = await answer_of(world, provider, invitation=await invited(by), fresh=True)
    session = (await finish(world, body)).json()
    return Person(
        id=UUID(session["person"]),
        name="Ruth Penhale",
        email="ruth@group.example",
        organisation=by.organisation,
        token=session["token"],
        client=world.client,
    )


async def test_a_linked_identity_signs_in_whoever_linked_it(
    world: World, provider: Provider
) -> None:
    ann = await _lead(world)
    provider.claims["email"] = "somebody.else@another.example"  # no part of it
    linked = await _link(world, provider, ann)
    assert linked.status_code == 201, linked.text
    assert linked.json()["issuer"] == provider.issuer
    assert linked.json()["subject"] == provider.subject
    assert (await ann.get("/me/identities")).json() == [linked.json()]
    session = await finish(world, await answer_of(world, provider))
    assert session.status_code == 201
    assert session.json()["person"] == str(ann.id)
    assert session.json()["organisation"] == str(ann.organisation)


async def test_what_another_began_links_nothing_to_oneself_and_signs_nobody_in(
    world: World, provider: Provider, superuser: Any
) -> None:
    ann, mallory = await _lead(world), await _lead(world, "Mal Lory")
    planted = await _answer(world, provider, mallory)
    assert problem(await ann.post("/me/identities", planted)) == (404, "sign-in-over")
    assert problem(await finish(world, planted)) == (404, "sign-in-over")
    sign_in = await answer_of(world, provider)
    assert problem(await ann.post("/me/identities", sign_in)) == (404, "sign-in-over")
    assert await superuser.fetchval("SELECT count(*) FROM identity_link") == 0
    refused = await superuser.fetchval(
        "SELECT count(*) FROM event WHERE action = 'session.refused'"
    )
    assert refused == 3
    assert (await mallory.post("/me/identities", planted)).status_code == 201


async def test_nobody_links_without_a_session(world: World, provider: Provider) -> None:
    wish = await world.client.post("/api/v1/single-sign-on/requests", json={"link": True})
    assert problem(wish) == (401, "not-signed-in")
    body = await answer_of(world, provider)
    assert (await world.client.post("/api/v1/me/identities", json=body)).status_code == 401


async def test_an_identity_is_one_person_s(world: World, provider: Provider) -> None:
    ann, bea = await _lead(world), await _lead(world, "Bea Second")
    assert (await _link(world, provider, ann)).status_code == 201
    for person in (ann, bea):
        assert problem(await _link(world, provider, person)) == (409, "identity-linked")
    provider.subject = "another-subject"
    bodies = [await _answer(world, provider, person) for person in (ann, bea)]
    answers = await asyncio.gather(
        ann.post("/me/identities", bodies[0]), bea.post("/me/identities", bodies[1])
    )
    assert sorted(answer.status_code for answer in answers) == [201, 409]


async def test_one_answer_links_once(world: World, provider: Provider) -> None:
    ann = await _lead(world)
    body = await _answer(world, provider, ann)
    answers = await asyncio.gather(*(ann.post("/me/identities", body) for _ in range(4)))
    assert sorted(answer.status_code for answer in answers) == [201, 404, 404, 404]


async def test_an_old_session_links_nothing(
    world: World, provider: Provider, superuser: Any
) -> None:
    ann = await _lead(world)
    body = await _answer(world, provider, ann)
    await _age_sessions(superuser)
    answer = await ann.post("/me/identities", body)
    assert problem(answer) == (403, "fresh-sign-in-needed")
    assert await superuser.fetchval("SELECT used_at IS NULL FROM single_sign_on_request")


async def _age_sessions(superuser: Any) -> None:
    async with superuser.transaction():
        await superuser.execute(
            "INSERT INTO event (id, action, subject_kind, subject, request, details)"
            " VALUES ($1, 'test.aged', 'session', $1, 'test', '{}')",
            uuid4(),
        )
        await superuser.execute(
            "UPDATE session SET confirmed_at = clock_timestamp() - interval '16 minutes'"
        )


async def test_a_refused_identity_links_nothing_and_is_recorded(
    world: World, provider: Provider, superuser: Any
) -> None:
    ann = await _lead(world)
    provider.claims["nonce"] = "another"
    assert problem(await _link(world, provider, ann)) == (401, "identity-not-proven")
    assert (await ann.get("/me/identities")).json() == []
    event = await superuser.fetchrow("SELECT person FROM event WHERE action = 'session.refused'")
    assert event["person"] == ann.id


async def test_a_removed_identity_signs_nobody_in_and_may_be_linked_again(
    world: World, provider: Provider, superuser: Any
) -> None:
    ann = await _lead(world)
    identity = (await _link(world, provider, ann)).json()["id"]
    assert (await ann.delete(f"/me/identities/{identity}")).status_code == 204
    assert (await ann.get("/me/identities")).json() == []
    assert problem(await finish(world, await answer_of(world, provider)))[1] == "identity-unknown"
    assert (await ann.delete(f"/me/identities/{identity}")).status_code == 404
    assert (await _link(world, provider, ann)).status_code == 201
    assert await superuser.fetchval("SELECT count(*) FROM identity_link") == 2
    removed = await superuser.fetchval(
        "SELECT count(*) FROM event WHERE action = 'identity.removed'"
    )
    assert removed == 1


async def test_the_last_way_in_is_not_removed(world: World, provider: Provider) -> None:
    ruth = await _joined(world, provider, await _lead(world))
    first = (await ruth.get("/me/identities")).json()[0]["id"]
    answer = await ruth.delete(f"/me/identities/{first}")
    assert problem(answer) == (409, "last-way-in")
    provider.subject = "ruth-s-other-account"
    second = (await _link(world, provider, ruth)).json()["id"]
    answers = await asyncio.gather(
        *(ruth.delete(f"/me/identities/{one}") for one in (first, second))
    )
    assert sorted(one.status_code for one in answers) == [204, 409]
    assert len((await ruth.get("/me/identities")).json()) == 1


async def test_another_s_identities_are_neither_seen_nor_removed(
    world: World, provider: Provider
) -> None:
    ann, keeper = await _lead(world), await registrar(world)
    identity = (await _link(world, provider, ann)).json()["id"]
    assert (await keeper.get("/me/identities")).json() == []
    for unknown in (identity, uuid4()):
        assert (await keeper.delete(f"/me/identities/{unknown}")).status_code == 404
    assert len((await ann.get("/me/identities")).json()) == 1


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
async def test_identities_are_for_people_who_are_signed_in(world: World, method: str) -> None:
    path = "/api/v1/me/identities" + (f"/{uuid4()}" if method == "DELETE" else "")
    assert (await world.client.request(method, path)).status_code == 401
