"""Changing a password, and getting back in after it was forgotten."""

import asyncio
from typing import Any
from uuid import uuid4

import httpx
import pytest

from market.actor import Role
from market.people import credentials
from tests.makers.clock import registrar, signed_in
from tests.makers.direct import acting
from tests.makers.sign_in import (
    WRONG,
    enrolled,
    fail,
    joined,
    let_sessions_age,
    problem,
    sign_in,
)
from tests.makers.world import PASSWORD, Person, World

NEW = "seven lamps over gravel"


@pytest.fixture
async def member(world: World) -> Person:
    return await joined(world, "Ruth Penhale", await world.organisation("06F"), Role.COMMISSIONER)


@pytest.fixture
async def administrator(world: World, member: Person) -> Person:
    return await world.person("Ada First", member.organisation, Role.ADMINISTRATOR)


async def _change(person: Person, new: str = NEW, current: str = PASSWORD) -> httpx.Response:
    return await person.put("/me/password", {"current": current, "new": new})


async def _offer(by: Person, of: Person, **options: Any) -> httpx.Response:
    path = f"/organisations/{of.organisation}/members/{of.id}/password-resets"
    return await by.post(path, **options)


async def _reset(world: World, secret: str, password: str = NEW) -> httpx.Response:
    body = {"secret": secret, "password": password}
    return await world.client.post("/api/v1/password-resets", json=body)


# -- changing -------------------------------------------------------------------------------------


async def test_a_changed_password_is_the_one_that_works(world: World, member: Person) -> None:
    changed = await _change(member)
    assert (changed.status_code, changed.content) == (204, b"")
    assert (await sign_in(world, member.email)).status_code == 401
    assert (await sign_in(world, member.email, NEW)).status_code == 201


async def test_a_change_ends_all_other_sessions(world: World, member: Person) -> None:
    other = await signed_in(world, member.name, member.email)
    assert (await _change(member)).status_code == 204
    assert (await other.get("/me")).status_code == 401
    assert (await member.get("/me")).status_code == 200


@pytest.mark.parametrize(
    ("new", "because"),
    [
        ("short", "at least 12"),
        (PASSWORD, "present password"),
        ("bedfordshire", "name, address or organisation"),
        ("ruth penhale rides a bus", "name or e-mail"),
    ],
)
async def test_a_new_password_goes_through_the_policy(
    world: World, member: Person, new: str, because: str
) -> None:
    refused = problem(await _change(member, new), 400, "malformed")
    assert {fault["field"] for fault in refused["errors"]} == {"new"}
    assert because in str(refused["errors"])
    assert (await sign_in(world, member.email)).status_code == 201


async def test_of_two_changes_at_once_one_is_made(world: World, member: Person) -> None:
    words = (NEW, "nine otters under glass", "two herons by the weir")
    answers = await asyncio.gather(*(_change(member, word) for word in words))
    assert sorted(answer.status_code for answer in answers) == [204, 403, 403]
    made = words[[answer.status_code for answer in answers].index(204)]
    assert (await sign_in(world, member.email, made)).status_code == 201


async def test_no_sign_in_by_the_old_password_outlives_its_change(
    world: World, member: Person
) -> None:
    old, new = PASSWORD, NEW
    for _ in range(5):
        signed, changed = await asyncio.gather(
            sign_in(world, member.email, old), _change(member, new, old)
        )
        assert changed.status_code == 204, changed.text
        if signed.status_code == 201:
            token = signed.json()["token"]
            answer = await world.client.get(
                "/api/v1/me", headers={"Authorization": f"Bearer {token}"}
            )
            assert answer.status_code == 401
        old, new = new, old


async def test_a_change_is_recorded_without_either_password(member: Person, superuser: Any) -> None:
    assert (await _change(member)).status_code == 204
    told = await superuser.fetchrow(
        "SELECT person, details::text FROM event WHERE action = 'person.password_changed'"
    )
    assert told["person"] == member.id
    assert NEW not in told["details"]


# -- forgetting -----------------------------------------------------------------------------------


async def test_who_forgot_their_password_sets_another_by_an_administrator_s_reset(
    world: World, member: Person, administrator: Person
) -> None:
    offered = await _offer(administrator, member)
    assert offered.status_code == 201, offered.text
    secret = offered.json()["secret"]
    weak = problem(await _reset(world, secret, "short"), 400, "malformed")
    assert {fault["field"] for fault in weak["errors"]} == {"password"}
    done = await _reset(world, secret)
    assert (done.status_code, done.content) == (204, b"")
    assert (await member.get("/me")).status_code == 401  # every session ends
    assert (await sign_in(world, member.email)).status_code == 401
    assert (await sign_in(world, member.email, NEW)).status_code == 201


async def test_a_reset_works_once_even_at_the_same_time(
    world: World, member: Person, administrator: Person
) -> None:
    secret = (await _offer(administrator, member)).json()["secret"]
    words = (NEW, "nine otters under glass", "two herons by the weir")
    answers = await asyncio.gather(*(_reset(world, secret, word) for word in words))
    assert sorted(answer.status_code for answer in answers) == [204, 404, 404]
    problem(await _reset(world, secret), 404, "reset-over")
    made = words[[answer.status_code for answer in answers].index(204)]
    assert (await sign_in(world, member.email, made)).status_code == 201


async def test_a_reset_is_over_once_another_is_given_or_the_password_is_changed(
    world: World, member: Person, administrator: Person
) -> None:
    first = (await _offer(administrator, member)).json()["secret"]
    second = (await _offer(administrator, member)).json()["secret"]
    problem(await _reset(world, first), 404, "reset-over")
    assert (await _change(member)).status_code == 204
    problem(await _reset(world, second, WRONG), 404, "reset-over")
    assert (await sign_in(world, member.email, NEW)).status_code == 201


async def test_a_repeated_offer_gives_the_same_secret_and_none_is_stored(
    member: Person, administrator: Person, superuser: Any
) -> None:
    key = {"Idempotency-Key": str(uuid4())}
    answers = [await _offer(administrator, member, headers=key) for _ in range(2)]
    assert answers[0].json() == answers[1].json()
    secret = answers[0].json()["secret"]
    stored = await superuser.fetch("SELECT answer FROM idempotency_key")
    assert stored
    assert not any(secret.encode() in row["answer"] for row in stored)
    assert await superuser.fetchval("SELECT secret_digest FROM password_reset") == (
        credentials.digest(secret)
    )


async def test_a_reset_lasts_a_day_of_real_time(
    world: World, member: Person, administrator: Person, superuser: Any
) -> None:
    secret = (await _offer(administrator, member)).json()["secret"]
    lasts = "SELECT expires_at - made_at = interval '24 hours' FROM password_reset"
    assert await superuser.fetchval(lasts)
    async with acting(superuser):
        await superuser.execute("SET LOCAL market.migrating = 'on'")
        await superuser.execute("ALTER TABLE password_reset DISABLE TRIGGER guard_password_reset")
        await superuser.execute("UPDATE password_reset SET expires_at = clock_timestamp()")
        await superuser.execute("SET CONSTRAINTS ALL IMMEDIATE")
        await superuser.execute(
            "ALTER TABLE password_reset ENABLE ALWAYS TRIGGER guard_password_reset"
        )
    problem(await _reset(world, secret), 404, "reset-over")


async def test_the_authenticator_stays_on(
    world: World, member: Person, administrator: Person
) -> None:
    authenticator = await enrolled(member)
    secret = (await _offer(administrator, member)).json()["secret"]
    assert (await _reset(world, secret)).status_code == 204
    problem(await sign_in(world, member.email, NEW), 401, "one-time-password-needed")
    code = await authenticator.code()
    answer = await sign_in(world, member.email, NEW, one_time_password=code)
    assert answer.status_code == 201, answer.text


async def test_a_reset_ends_the_lock_out_of_who_forgot(
    world: World, member: Person, administrator: Person
) -> None:
    await fail(world, member.email, 5)
    problem(await sign_in(world, member.email), 429, "sign-in-locked")
    secret = (await _offer(administrator, member)).json()["secret"]
    assert (await _reset(world, secret)).status_code == 204
    assert (await sign_in(world, member.email, NEW)).status_code == 201


async def test_only_an_administrator_of_the_organisation_resets_and_never_their_own(
    world: World, member: Person, administrator: Person
) -> None:
    colleague = await world.person("Col Leage", member.organisation, Role.COMMISSIONER)
    stranger = await world.person("Stan Ger", await world.organisation("06P"), Role.ADMINISTRATOR)
    problem(await _offer(colleague, member), 403, "forbidden")
    problem(await _offer(stranger, member), 404, "not-found")
    problem(await _offer(administrator, administrator), 403, "reset-by-administrator")
    path = f"/organisations/{member.organisation}/members"
    for nobody in (stranger.id, uuid4()):
        answer = await administrator.post(f"{path}/{nobody}/password-resets")
        problem(answer, 404, "not-found")


async def test_of_who_belongs_to_several_only_the_registrar_resets(
    world: World, member: Person, administrator: Person
) -> None:
    keeper = await registrar(world)
    other = await world.organisation("06P")
    offered = await keeper.post(
        f"/organisations/{other}/invitations", {"email": member.email, "roles": ["auditor"]}
    )
    earlier = (await _offer(administrator, member)).json()["secret"]
    body = {"secret": offered.json()["secret"], "name": member.name, "password": PASSWORD}
    await world.client.post("/api/v1/invitation-acceptances", json=body)
    refused = problem(await _offer(administrator, member), 403, "reset-by-administrator")
    assert "registrar" in refused["detail"]
    # nor by one that was given before they joined
    problem(await _reset(world, earlier), 404, "reset-over")
    by_registrar = await _offer(keeper, member)
    assert by_registrar.status_code == 201, by_registrar.text
    assert (await _reset(world, by_registrar.json()["secret"])).status_code == 204


async def test_a_reset_falls_with_whoever_gave_it(
    world: World, member: Person, administrator: Person
) -> None:
    secret = (await _offer(administrator, member)).json()["secret"]
    held = (await administrator.get("/me")).json()["memberships"][0]["id"]
    assert (await (await registrar(world)).delete(f"/memberships/{held}")).status_code == 204
    problem(await _reset(world, secret), 404, "reset-over")


async def test_giving_a_reset_takes_a_fresh_sign_in(
    member: Person, administrator: Person, superuser: Any
) -> None:
    await let_sessions_age(superuser, administrator.id)
    problem(await _offer(administrator, member), 403, "fresh-sign-in-needed")


async def test_a_secret_that_is_none_resets_nothing(world: World) -> None:
    problem(await _reset(world, "x" * 43), 404, "reset-over")


async def test_resets_are_recorded_by_who_gave_and_who_used_them(
    world: World, member: Person, administrator: Person, superuser: Any
) -> None:
    secret = (await _offer(administrator, member)).json()["secret"]
    await _reset(world, secret)
    told = await superuser.fetch(
        "SELECT action, person, subject FROM event WHERE action LIKE '%password_reset%'"
        " ORDER BY recorded_at"
    )
    assert [(row["action"], row["person"], row["subject"]) for row in told] == [
        ("password_reset.made", administrator.id, member.id),
        ("person.password_reset", member.id, member.id),
    ]
