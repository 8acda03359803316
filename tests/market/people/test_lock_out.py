"""The lock-out over HTTP: rows that any number of processes share, counted before the check."""

import asyncio
import hashlib
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from market.actor import Role
from tests.makers.clock import advance_to, registrar
from tests.makers.sign_in import (
    WRONG,
    confirm_session,
    counted_checks,
    fail,
    joined,
    let_attempts_age,
    problem,
    sign_in,
)
from tests.makers.suppliers import application, apply
from tests.makers.world import PASSWORD, Person, World

NOBODY = "nobody@market.example"


@pytest.fixture
async def member(world: World) -> Person:
    return await joined(world, "Ruth Penhale", await world.organisation("06F"), Role.COMMISSIONER)


def _wait(answer: httpx.Response) -> int:
    problem(answer, 429, "sign-in-locked")
    return int(answer.headers["Retry-After"])


async def test_five_failures_lock_an_account_even_for_the_right_password(
    world: World, member: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    counting = counted_checks(monkeypatch)
    await fail(world, member.email, 5)
    assert counting.verified == 5
    answer = await sign_in(world, member.email)
    assert 25 <= _wait(answer) <= 31
    assert counting.verified == 5  # nothing is checked, so nothing is learnt
    # who was signed in before goes on working
    assert (await member.get("/me")).status_code == 200


async def test_an_account_that_does_not_exist_locks_alike(world: World, member: Person) -> None:
    answers = []
    for email in (member.email, NOBODY, "no address at all"):
        await fail(world, email, 5)
        answers.append(await sign_in(world, email))
    assert [problem(answer, 429, "sign-in-locked") for answer in answers] == [
        problem(answers[0], 429, "sign-in-locked")
    ] * 3
    assert len({frozenset(answer.headers) for answer in answers}) == 1


async def test_every_further_failure_doubles_the_lock(
    world: World, member: Person, superuser: Any
) -> None:
    await fail(world, member.email, 5)
    waited = []
    for _ in range(7):
        waited.append(_wait(await sign_in(world, member.email)))
        await let_attempts_age(superuser, seconds=waited[-1])
        await fail(world, member.email, 1)
    for found, expected in zip(waited, (30, 60, 120, 240, 480, 900, 900), strict=True):
        assert expected - 5 <= found <= expected + 1
    await let_attempts_age(superuser, seconds=901)
    assert (await sign_in(world, member.email)).status_code == 201


async def test_a_sign_in_clears_what_was_counted(world: World, member: Person) -> None:
    for _ in range(3):
        await fail(world, member.email, 4)
        assert (await sign_in(world, member.email)).status_code == 201


async def test_the_sandbox_s_clock_opens_no_lock(world: World, member: Person) -> None:
    await fail(world, member.email, 5)
    await advance_to(world, datetime.now(UTC) + timedelta(days=2))
    _wait(await sign_in(world, member.email))


@pytest.mark.parametrize("known", [True, False])
async def test_of_twenty_guesses_at_once_at_most_five_are_checked(
    world: World, member: Person, monkeypatch: pytest.MonkeyPatch, *, known: bool
) -> None:
    counting = counted_checks(monkeypatch)
    email = member.email if known else NOBODY
    answers = await asyncio.gather(*(sign_in(world, email, WRONG) for _ in range(20)))
    assert counting.verified == 5
    assert sorted(answer.status_code for answer in answers) == [401] * 5 + [429] * 15


async def test_a_right_guess_among_twenty_at_once_clears_the_lock_only_if_it_was_checked(
    world: World, member: Person
) -> None:
    guesses = [WRONG] * 10 + [PASSWORD] + [WRONG] * 9
    answers = await asyncio.gather(*(sign_in(world, member.email, guess) for guess in guesses))
    let_in = answers[10].status_code == 201
    after = await sign_in(world, member.email)
    assert answers[10].status_code in {201, 429}
    assert let_in or after.status_code == 429


async def test_one_client_locks_itself_out_after_fifty_failures_and_nobody_else(
    world: World, member: Person
) -> None:
    for number in range(50):
        await fail(world, f"guess.{number}@market.example", 1)
    _wait(await sign_in(world, member.email))
    transport: Any = world.client._transport  # noqa: SLF001  # the same application, from elsewhere
    elsewhere = httpx.ASGITransport(
        transport.app, raise_app_exceptions=False, client=("192.0.2.7", 1)
    )
    async with httpx.AsyncClient(transport=elsewhere, base_url="http://market") as client:
        assert (await sign_in(world, member.email, client=client)).status_code == 201


async def test_signing_in_oneself_gives_a_client_no_further_guesses(
    world: World, member: Person, superuser: Any
) -> None:
    for number in range(10):
        await fail(world, f"guess.{number}@market.example", 1)
        assert (await sign_in(world, member.email)).status_code == 201
    counted = "SELECT failures FROM sign_in_attempt WHERE kind = 'address'"
    assert await superuser.fetchval(counted) == 10


async def test_a_password_cannot_be_guessed_by_applying_or_accepting_instead(
    world: World, member: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    keeper = await registrar(world)
    offered = await keeper.post(
        f"/organisations/{member.organisation}/invitations",
        {"email": member.email, "roles": ["auditor"]},
    )
    counting = counted_checks(monkeypatch)
    body = application("Fenland Data")
    body["applicant"] |= {"email": member.email, "password": WRONG}
    accept = {"secret": offered.json()["secret"], "name": "Ruth", "password": WRONG}
    for _ in range(3):
        problem(await apply(world, body), 401, "wrong-credentials")
    for _ in range(2):
        answer = await world.client.post("/api/v1/invitation-acceptances", json=accept)
        problem(answer, 401, "wrong-credentials")
    assert counting.verified == 5
    _wait(await apply(world, body))
    _wait(await world.client.post("/api/v1/invitation-acceptances", json=accept))
    _wait(await sign_in(world, member.email))
    assert counting.verified == 5


async def test_nor_by_confirming_or_changing_it_at_a_desk_left_open(
    member: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    counting = counted_checks(monkeypatch)
    change = {"current": WRONG, "new": "seven lamps over gravel"}
    for _ in range(3):
        problem(await confirm_session(member, WRONG), 403, "confirmation-wrong")
    for _ in range(2):
        problem(await member.put("/me/password", change), 403, "confirmation-wrong")
    _wait(await confirm_session(member))
    _wait(await member.put("/me/password", change | {"current": PASSWORD}))
    assert counting.verified == 5


async def test_right_passwords_for_an_application_count_for_nothing(
    world: World, member: Person, superuser: Any
) -> None:
    await fail(world, member.email, 2)
    body = application("Fenland Data")
    body["applicant"]["email"] = member.email
    assert (await apply(world, body)).status_code == 201
    counted = "SELECT failures FROM sign_in_attempt WHERE kind = 'account' AND failures > 0"
    assert await superuser.fetchval(counted) == 2


async def test_what_is_forgotten_makes_room_for_others(world: World, superuser: Any) -> None:
    async def rows() -> int:
        return int(await superuser.fetchval("SELECT count(*) FROM sign_in_attempt"))

    for round_ in range(3):
        for number in range(6):
            await fail(world, f"guess.{round_}.{number}@market.example", 1)
        assert await rows() == 7  # six accounts and the client's address
        await let_attempts_age(superuser, seconds=1900)


async def test_what_an_address_did_long_ago_is_not_mistaken_for_what_an_account_does_now(
    world: World, superuser: Any
) -> None:
    await fail(world, "guess.1@market.example", 1)
    await let_attempts_age(superuser, seconds=1900, kind="address")
    await fail(world, "guess.2@market.example", 1)
    counted = await superuser.fetch("SELECT kind, failures FROM sign_in_attempt ORDER BY kind")
    assert [tuple(row) for row in counted] == [("account", 1), ("account", 1), ("address", 1)]


async def test_nobody_is_named_in_what_is_counted(
    world: World, member: Person, superuser: Any
) -> None:
    await fail(world, member.email, 1)
    kept = await superuser.fetch("SELECT key_digest FROM sign_in_attempt")
    assert len(kept) >= 2
    for said in (member.email, "127.0.0.1"):
        assert hashlib.sha256(said.encode()).digest() not in {row["key_digest"] for row in kept}


async def test_a_failure_and_the_lock_it_brings_are_recorded(
    world: World, member: Person, superuser: Any
) -> None:
    await fail(world, member.email, 5)
    await sign_in(world, member.email, WRONG)
    told = await superuser.fetch(
        "SELECT subject, details->>'because' AS because, (details->>'locked_for')::int AS locks"
        " FROM event WHERE action = 'session.refused' ORDER BY recorded_at"
    )
    assert [row["subject"] for row in told] == [member.id] * 5
    assert [row["locks"] for row in told] == [None] * 4 + [30]
    assert {row["because"] for row in told} == {"password"}
