"""Idempotency keys: a request is carried out once, and its row gives nothing away."""

import asyncio
import hashlib
from typing import Any
from uuid import uuid4

import msgspec

from market.actor import Role
from market.migrations import APP
from tests.makers.bids import asked, bid_body, give_bid, submit
from tests.makers.databases import Databases
from tests.makers.direct import acting, refused
from tests.makers.suppliers import admitted_supplier
from tests.makers.tenders import published_tender
from tests.makers.world import PASSWORD, Person, World

BODY = {"title": "Business intelligence for one group", "demonstration": True}


async def test_the_same_key_and_body_get_the_same_answer_and_one_row(
    world: World, superuser: Any
) -> None:
    lead = await world.person("Ann Lead", await world.organisation("06F"), Role.PROCUREMENT_LEAD)
    headers = {"Idempotency-Key": str(uuid4())}
    answers = [await lead.post("/tenders", BODY, headers=headers) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [201, 201, 201]
    assert len({answer.content for answer in answers}) == 1
    assert await superuser.fetchval("SELECT count(*) FROM tender") == 1


async def test_a_key_used_for_another_body_or_route_is_refused(world: World) -> None:
    lead = await world.person("Ann Lead", await world.organisation("06F"), Role.PROCUREMENT_LEAD)
    headers = {"Idempotency-Key": str(uuid4())}
    first = await lead.post("/tenders", BODY, headers=headers)
    other_body = await lead.post("/tenders", BODY | {"title": "Another"}, headers=headers)
    assert other_body.status_code == 422
    assert other_body.json()["type"] == "/problems/key-reused"
    duty = {"person": str(lead.id), "organisation": str(lead.organisation), "duty": "author"}
    path = f"/tenders/{first.json()['id']}/duties"
    assert (await lead.post(path, duty, headers=headers)).status_code == 422


async def test_simultaneous_requests_with_one_key_are_carried_out_once(
    world: World, superuser: Any
) -> None:
    lead = await world.person("Ann Lead", await world.organisation("06F"), Role.PROCUREMENT_LEAD)
    for round_number in range(1, 6):
        headers = {"Idempotency-Key": str(uuid4())}
        answers = await asyncio.gather(
            *(lead.post("/tenders", BODY, headers=headers) for _ in range(6))
        )
        made = {answer.content for answer in answers if answer.status_code == 201}
        refused = [answer for answer in answers if answer.status_code != 201]
        assert len(made) == 1
        assert all(answer.json()["type"] == "/problems/key-in-progress" for answer in refused)
        assert all(answer.headers["Retry-After"] for answer in refused)
        assert await superuser.fetchval("SELECT count(*) FROM tender") == round_number


async def test_a_key_is_claimed_by_one_transaction_at_a_time_and_once(
    world: World, app_role: Any, databases: Databases
) -> None:
    lead = await world.person("Ann Lead", await world.organisation("06F"), Role.PROCUREMENT_LEAD)
    key, claim = uuid4(), "SELECT claim_request_key($1, $2)"
    other = await databases.connect(APP)
    async with acting(app_role, lead.id, lead.organisation):
        await app_role.execute(claim, lead.id, key)
        await app_role.execute(claim, lead.id, uuid4())
        async with refused("request_key_free"), acting(other, lead.id, lead.organisation):
            await other.execute(claim, lead.id, key)
        async with acting(other, lead.id, lead.organisation):
            await other.execute(claim, uuid4(), key)  # another person's
    async with acting(other, lead.id, lead.organisation):
        await other.execute(claim, lead.id, key)  # the first claim came to nothing
    headers = {"Idempotency-Key": str(key)}
    assert (await lead.post("/tenders", BODY, headers=headers)).status_code == 201
    async with refused("request_key_answered"), acting(other, lead.id, lead.organisation):
        await other.execute(claim, lead.id, key)
    await other.close()


async def test_another_person_s_key_is_another_key(world: World, superuser: Any) -> None:
    bedfordshire = await world.organisation("06F")
    headers = {"Idempotency-Key": str(uuid4())}
    for name in ("Ann Lead", "Bob Lead"):
        lead = await world.person(name, bedfordshire, Role.PROCUREMENT_LEAD)
        assert (await lead.post("/tenders", BODY, headers=headers)).status_code == 201
    assert await superuser.fetchval("SELECT count(*) FROM tender") == 2


async def test_a_refused_request_can_be_repeated_with_its_key(world: World) -> None:
    lead = await world.person("Ann Lead", await world.organisation("06F"), Role.COMMISSIONER)
    headers = {"Idempotency-Key": str(uuid4())}
    assert (await lead.post("/tenders", BODY, headers=headers)).status_code == 403
    assert (await lead.post("/tenders", BODY, headers=headers)).status_code == 403


async def test_a_key_that_is_missing_or_no_uuid_is_refused(world: World) -> None:
    lead = await world.person("Ann Lead", await world.organisation("06F"), Role.PROCUREMENT_LEAD)
    headers = {"Authorization": f"Bearer {lead.token}"}
    answer = await world.client.post("/api/v1/tenders", json=BODY, headers=headers)
    assert (answer.status_code, answer.json()["type"]) == (400, "/problems/key-missing")
    answer = await lead.post("/tenders", BODY, headers={"Idempotency-Key": "tomorrow"})
    assert answer.status_code == 400


async def test_neither_key_nor_body_can_be_tried_out_on_what_is_stored(
    world: World, superuser: Any
) -> None:
    lead = await world.person("Ann Lead", await world.organisation("06F"), Role.PROCUREMENT_LEAD)
    key = uuid4()
    body = msgspec.json.encode(BODY)
    headers = {"Idempotency-Key": str(key), "Content-Type": "application/json"}
    answer = await lead.request("POST", "/tenders", content=body, headers=headers)
    assert answer.status_code == 201
    row = await superuser.fetchrow("SELECT * FROM idempotency_key")
    stored = b"|".join(
        value if isinstance(value, bytes) else str(value).encode() for value in row.values()
    )
    assert hashlib.sha256(body).digest() not in stored
    assert key.bytes not in stored
    assert str(key).encode() not in stored


async def _also_for(world: World, person: Person, other: Person) -> Person:
    """The person as a bid manager of another's organisation too, signed in for that one."""
    path = f"/organisations/{other.organisation}/invitations"
    offered = await other.post(path, {"email": person.email, "roles": ["bid_manager"]})
    body = {"secret": offered.json()["secret"], "name": person.name, "password": PASSWORD}
    accepted = await world.client.post("/api/v1/invitation-acceptances", json=body)
    assert accepted.status_code == 201, accepted.text
    asked_for = {
        "email": person.email,
        "password": PASSWORD,
        "organisation": str(other.organisation),
    }
    session = await world.client.post("/api/v1/sessions", json=asked_for)
    assert session.status_code == 201, session.text
    return msgspec.structs.replace(
        person, organisation=other.organisation, token=session.json()["token"]
    )


async def test_a_key_used_for_one_organisation_is_refused_for_another(
    world: World, superuser: Any
) -> None:
    tender = await published_tender(world)
    first = await admitted_supplier(world, "Greensand Analytics")
    second = await _also_for(world, first, await admitted_supplier(world, "Chiltern Data"))
    headers = {"Idempotency-Key": str(uuid4())}
    assert (await give_bid(first, tender, 1, headers=headers)).status_code == 201
    refused = await give_bid(second, tender, 1, headers=headers)
    assert (refused.status_code, refused.json()["type"]) == (422, "/problems/key-reused")
    assert (await give_bid(second, tender, 1)).status_code == 201
    bidders = {row["organisation"] for row in await superuser.fetch("SELECT * FROM bid")}
    assert bidders == {first.organisation, second.organisation}


async def test_a_key_used_for_one_version_is_refused_for_another(world: World) -> None:
    tender = await published_tender(world)
    bidder = await admitted_supplier(world, "Greensand Analytics")
    path = f"/bids/{(await submit(bidder, tender, 1))['bid']}"
    body = bid_body(asked(tender, 1), quality_text="Another answer.")
    headers = {"Idempotency-Key": str(uuid4())}
    assert (await bidder.put(path, body, version=1, headers=headers)).status_code == 200
    refused = await bidder.put(path, body, version=2, headers=headers)
    assert (refused.status_code, refused.json()["type"]) == (422, "/problems/key-reused")
    headers = {"Idempotency-Key": str(uuid4())}
    withdrawn = await bidder.delete(path, version=2, headers=headers)
    assert withdrawn.status_code == 200
    assert (await bidder.delete(path, version=2, headers=headers)).content == withdrawn.content
    for version in (1, 3):
        refused = await bidder.delete(path, version=version, headers=headers)
        assert (refused.status_code, refused.json()["type"]) == (422, "/problems/key-reused")
