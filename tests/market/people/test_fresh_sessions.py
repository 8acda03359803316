"""Sessions: confirmed anew, switched to another organisation, ended all at once."""

import asyncio
from datetime import datetime
from typing import Any
from uuid import uuid4

import pytest

from market.actor import Role
from market.people.queries import actor_of
from tests.makers.clock import registrar, signed_in
from tests.makers.sign_in import (
    as_session,
    confirm_session,
    joined,
    let_sessions_age,
    problem,
    sign_in,
)
from tests.makers.world import PASSWORD, Person, World


@pytest.fixture
async def member(world: World) -> Person:
    return await joined(world, "Ruth Penhale", await world.organisation("06F"), Role.COMMISSIONER)


async def _current(person: Person) -> dict[str, Any]:
    listed = (await person.get("/sessions")).json()
    (found,) = [one for one in listed if one["current"]]
    assert isinstance(found, dict)
    return found


async def _fresh(person: Person) -> bool:
    actor = await actor_of(person.token, "test")
    assert actor is not None
    return actor.fresh


async def _second_membership(world: World, member: Person) -> str:
    """Make the member an auditor of another group, and give that group."""
    keeper = await registrar(world)
    other = await world.organisation("06P")
    offered = await keeper.post(
        f"/organisations/{other}/invitations", {"email": member.email, "roles": ["auditor"]}
    )
    body = {"secret": offered.json()["secret"], "name": member.name, "password": PASSWORD}
    accepted = await world.client.post("/api/v1/invitation-acceptances", json=body)
    assert accepted.status_code == 201, accepted.text
    return str(other)


async def test_a_sign_in_is_fresh_for_a_quarter_of_an_hour(member: Person, superuser: Any) -> None:
    assert await _fresh(member)
    await let_sessions_age(superuser, member.id, minutes=14)
    assert await _fresh(member)
    await let_sessions_age(superuser, member.id, minutes=1)
    assert not await _fresh(member)


async def test_a_confirmation_makes_a_session_fresh_and_no_longer(
    member: Person, superuser: Any
) -> None:
    await let_sessions_age(superuser, member.id)
    before = await _current(member)
    confirmed = await confirm_session(member)
    assert confirmed.status_code == 201, confirmed.text
    assert await _fresh(member)
    after = await _current(member)
    assert after == confirmed.json()
    assert after["confirmed_at"] > before["confirmed_at"]
    assert (after["id"], after["expires_at"]) == (before["id"], before["expires_at"])
    told = await superuser.fetchval(
        "SELECT subject::text FROM event WHERE action = 'session.confirmed'"
    )
    assert told == after["id"]


async def test_a_confirmation_is_of_this_session_alone(
    world: World, member: Person, superuser: Any
) -> None:
    other = await signed_in(world, member.name, member.email)
    await let_sessions_age(superuser, member.id)
    assert (await confirm_session(member)).status_code == 201
    assert not await _fresh(other)


async def test_an_ended_session_is_not_confirmed(world: World, member: Person) -> None:
    other = await signed_in(world, member.name, member.email)
    answers = await asyncio.gather(confirm_session(member), other.delete("/sessions"))
    assert answers[0].status_code in {201, 401}
    assert (await confirm_session(member)).status_code == 401


async def test_switching_gives_another_token_for_another_organisation(
    world: World, member: Person, superuser: Any
) -> None:
    other = await _second_membership(world, member)
    await let_sessions_age(superuser, member.id)
    came_from = await _current(member)
    answer = await member.post("/sessions/current/switches", {"organisation": other})
    switched = as_session(member, answer)
    assert answer.json()["roles"] == ["auditor"]
    assert answer.json()["expires_at"] == came_from["expires_at"]
    now = await _current(switched)
    for same in ("expires_at", "confirmed_at", "method"):
        assert now[same] == came_from[same]
    assert not await _fresh(switched)
    assert (await switched.get("/me")).json()["acting_for"] == other
    assert (await member.get("/me")).json()["acting_for"] == str(member.organisation)
    told = await superuser.fetchrow(
        "SELECT subject::text, details->>'switched_from' AS source FROM event"
        " WHERE action = 'session.switched'"
    )
    assert (told["subject"], told["source"]) == (now["id"], came_from["id"])


async def test_switching_on_and_on_lasts_no_longer(world: World, member: Person) -> None:
    other = await _second_membership(world, member)
    first = await _current(member)
    person = member
    for organisation in (other, str(member.organisation)) * 2:
        answer = await person.post("/sessions/current/switches", {"organisation": organisation})
        person = as_session(person, answer)
    last = await _current(person)
    assert (last["expires_at"], last["confirmed_at"]) == (
        first["expires_at"],
        first["confirmed_at"],
    )
    assert datetime.fromisoformat(last["started_at"]) > datetime.fromisoformat(first["started_at"])


async def test_nobody_switches_to_an_organisation_they_do_not_belong_to(
    world: World, member: Person
) -> None:
    for organisation in (await world.organisation("06P"), uuid4()):
        body = {"organisation": str(organisation)}
        answer = await member.post("/sessions/current/switches", body)
        problem(answer, 403, "not-a-member")
    assert len((await member.get("/sessions")).json()) == 1


async def test_nor_to_one_they_have_left(world: World, member: Person) -> None:
    other = await _second_membership(world, member)
    keeper = await registrar(world)
    memberships = (await member.get("/me")).json()["memberships"]
    (left,) = [one["id"] for one in memberships if one["organisation"] == other]
    assert (await keeper.delete(f"/memberships/{left}")).status_code == 204
    answer = await member.post("/sessions/current/switches", {"organisation": other})
    problem(answer, 403, "not-a-member")


async def test_all_other_sessions_end_at_once(world: World, member: Person) -> None:
    others = [await signed_in(world, member.name, member.email) for _ in range(3)]
    stranger = await joined(world, "Ann Lead", member.organisation, Role.COMMISSIONER)
    assert (await member.delete("/sessions")).status_code == 204
    assert [(await other.get("/me")).status_code for other in others] == [401] * 3
    assert (await member.get("/me")).status_code == 200
    assert (await stranger.get("/me")).status_code == 200
    assert (await member.delete("/sessions")).status_code == 204


async def test_a_session_switched_into_meanwhile_does_not_outlive_the_end_of_all_others(
    world: World, member: Person
) -> None:
    other = await _second_membership(world, member)
    for _ in range(5):
        left_open = as_session(member, await sign_in(world, member.email))
        switched, ended = await asyncio.gather(
            left_open.post("/sessions/current/switches", {"organisation": other}),
            member.delete("/sessions"),
        )
        assert ended.status_code == 204, ended.text
        if switched.status_code == 201:
            assert (await as_session(member, switched).get("/me")).status_code == 401
        else:
            assert switched.status_code in {401, 403}


async def test_a_session_tells_how_it_began(member: Person) -> None:
    shown = await _current(member)
    assert shown["method"] == "password"
    assert shown["confirmed_at"] == shown["started_at"]
