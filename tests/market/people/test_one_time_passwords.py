"""Authenticators: enrolled once, a code each time, every code once, and paper for a bad day."""

import asyncio
import re
import secrets
from typing import Any
from urllib.parse import parse_qs, urlsplit

import msgspec
import pyotp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from market.actor import Actor, Role
from market.people import commands
from market.people.errors import AuthenticatorUnreadable
from market.people.rules import matching_step
from market.people.schemas import SignIn
from market.sealing import CannotUnwrap, ServerCustodian
from market.vault import Vault
from tests.makers.sign_in import (
    WRONG,
    Authenticator,
    code_of,
    confirm_session,
    counted_checks,
    enrolled,
    joined,
    let_attempts_age,
    let_sessions_age,
    problem,
    sign_in,
)
from tests.makers.suppliers import application, apply
from tests.makers.world import PASSWORD, Person, World

SECRET = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"  # noqa: S105  # of RFC 6238, appendix B


@pytest.fixture
async def member(world: World) -> Person:
    return await joined(world, "Ruth Penhale", await world.organisation("06F"), Role.COMMISSIONER)


@pytest.fixture
async def authenticator(member: Person) -> Authenticator:
    return await enrolled(member)


# -- the rule -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("now", "code"),
    [
        (59, "287082"),
        (1111111109, "081804"),
        (1111111111, "050471"),
        (1234567890, "005924"),
        (2000000000, "279037"),
        (20000000000, "353130"),
    ],
)
def test_codes_are_those_of_rfc_6238(now: int, code: str) -> None:
    assert matching_step(SECRET, code, now, None) == now // 30


@given(st.integers(0, 2**40), st.integers(-4, 4), st.integers(-4, 4))
def test_a_code_is_taken_within_one_step_and_never_again(now: int, away: int, last: int) -> None:
    step = now // 30
    code = pyotp.HOTP(SECRET).at(max(step + away, 0))
    for last_step in (None, step + last):
        found = matching_step(SECRET, code, now, last_step)
        if found is not None:
            assert abs(found - step) <= 1
            assert last_step is None or found > last_step
            assert matching_step(SECRET, code, now, found + 1) is None
        elif abs(away) <= 1 and step + away >= 0:
            assert last_step is not None


@given(st.text(max_size=12))
def test_what_is_no_code_is_none(text: str) -> None:
    if not re.fullmatch(r"[0-9]{6}", text):
        assert matching_step(SECRET, text, 1111111109, None) is None


# -- enrolling ------------------------------------------------------------------------------------


async def test_an_authenticator_counts_once_a_code_confirms_it(
    world: World, member: Person
) -> None:
    begun = await member.post("/me/one-time-passwords")
    assert begun.status_code == 201, begun.text
    given = begun.json()
    uri = urlsplit(given["uri"])
    assert (uri.scheme, uri.netloc) == ("otpauth", "totp")
    assert parse_qs(uri.query) == {"secret": [given["secret"]], "issuer": ["tests.example"]}
    parsed = pyotp.parse_uri(given["uri"])
    assert (parsed.name, parsed.issuer) == (member.email, "tests.example")
    # until then it is not asked for
    assert (await sign_in(world, member.email)).status_code == 201
    path = f"/me/one-time-passwords/{given['id']}/confirmation"
    problem(await member.post(path, {"code": "000000"}), 403, "confirmation-wrong")
    confirmed = await member.post(path, {"code": await code_of(given["secret"])})
    assert confirmed.status_code == 201, confirmed.text
    codes = confirmed.json()["recovery_codes"]
    assert len(set(codes)) == 10
    assert all(re.fullmatch(r"[a-z2-7]{4}(-[a-z2-7]{4}){3}", code) for code in codes)
    problem(await sign_in(world, member.email), 401, "one-time-password-needed")
    listed = (await member.get("/me/one-time-passwords")).json()
    assert [(one["id"], one["recovery_codes_left"]) for one in listed] == [(given["id"], 10)]
    assert "secret" not in listed[0]


async def test_enrolling_again_replaces_what_was_not_confirmed_and_nothing_else(
    member: Person,
) -> None:
    first, second = [(await member.post("/me/one-time-passwords")).json() for _ in range(2)]
    old = await member.post(
        f"/me/one-time-passwords/{first['id']}/confirmation",
        {"code": await code_of(first["secret"])},
    )
    problem(old, 404, "not-found")
    path = f"/me/one-time-passwords/{second['id']}/confirmation"
    assert (await member.post(path, {"code": await code_of(second["secret"])})).status_code == 201
    problem(await member.post("/me/one-time-passwords"), 409, "authenticator-enrolled")
    again = await member.post(path, {"code": await code_of(second["secret"], 1)})
    problem(again, 404, "not-found")


async def test_of_two_enrolments_at_once_one_stands(member: Person, superuser: Any) -> None:
    answers = await asyncio.gather(*(member.post("/me/one-time-passwords") for _ in range(4)))
    assert {answer.status_code for answer in answers} <= {201, 409}
    waiting = "SELECT count(*) FROM one_time_password WHERE removed_at IS NULL"
    assert await superuser.fetchval(waiting) == 1


async def test_of_two_confirmations_at_once_one_gives_recovery_codes(
    member: Person, superuser: Any
) -> None:
    given = (await member.post("/me/one-time-passwords")).json()
    path = f"/me/one-time-passwords/{given['id']}/confirmation"
    codes = [await code_of(given["secret"], step) for step in (-1, 0, 0, 1)]
    answers = await asyncio.gather(*(member.post(path, {"code": code}) for code in codes))
    assert [answer.status_code for answer in answers].count(201) == 1
    assert await superuser.fetchval("SELECT count(*) FROM recovery_code") == 10


async def test_enrolling_takes_a_fresh_sign_in(member: Person, superuser: Any) -> None:
    given = (await member.post("/me/one-time-passwords")).json()
    await let_sessions_age(superuser, member.id)
    problem(await member.post("/me/one-time-passwords"), 403, "fresh-sign-in-needed")
    path = f"/me/one-time-passwords/{given['id']}/confirmation"
    refused = await member.post(path, {"code": await code_of(given["secret"])})
    problem(refused, 403, "fresh-sign-in-needed")


async def test_another_s_authenticator_can_be_neither_confirmed_nor_seen(
    world: World, member: Person
) -> None:
    other = await joined(world, "Ann Lead", member.organisation, Role.COMMISSIONER)
    given = (await member.post("/me/one-time-passwords")).json()
    path = f"/me/one-time-passwords/{given['id']}"
    assert (await other.get("/me/one-time-passwords")).json() == []
    confirmed = await other.post(f"{path}/confirmation", {"code": await code_of(given["secret"])})
    problem(confirmed, 404, "not-found")
    body = {"password": PASSWORD, "one_time_password": await code_of(given["secret"])}
    problem(await other.post(f"{path}/removal", body), 404, "not-found")


# -- signing in -----------------------------------------------------------------------------------


async def test_a_sign_in_takes_password_and_code(
    world: World, member: Person, authenticator: Authenticator
) -> None:
    code = await authenticator.code()
    answer = await sign_in(world, member.email, one_time_password=f"{code[:3]} {code[3:]}")
    assert answer.status_code == 201, answer.text
    newest = (await member.get("/sessions")).json()[0]
    assert newest["method"] == "one_time_password"


async def test_whether_a_code_is_needed_is_told_only_after_the_right_password(
    world: World, member: Person, authenticator: Authenticator
) -> None:
    wrong = [
        await sign_in(world, email, WRONG, **more)
        for email in (member.email, "nobody@market.example")
        for more in ({}, {"one_time_password": await authenticator.code()})
    ]
    assert len({str(problem(answer, 401, "wrong-credentials")) for answer in wrong}) == 1
    needed = await sign_in(world, member.email)
    problem(needed, 401, "one-time-password-needed")


async def test_a_code_works_once(
    world: World, member: Person, authenticator: Authenticator
) -> None:
    code = await authenticator.code()
    assert (await sign_in(world, member.email, one_time_password=code)).status_code == 201
    again = await sign_in(world, member.email, one_time_password=code)
    problem(again, 401, "one-time-password-wrong")
    older = await sign_in(world, member.email, one_time_password=await authenticator.code(-1))
    problem(older, 401, "one-time-password-wrong")
    later = await sign_in(world, member.email, one_time_password=await authenticator.code(1))
    assert later.status_code == 201, later.text


async def test_the_same_code_at_the_same_time_signs_in_once(
    world: World, member: Person, authenticator: Authenticator
) -> None:
    code = await authenticator.code()
    answers = await asyncio.gather(
        *(sign_in(world, member.email, one_time_password=code) for _ in range(4))
    )
    assert sorted(answer.status_code for answer in answers) == [201, 401, 401, 401]


async def test_a_code_that_a_failing_sign_in_sent_is_not_used_up(
    world: World, member: Person, authenticator: Authenticator
) -> None:
    code = await authenticator.code()
    foreign = str(await world.organisation("06P"))
    refused = await sign_in(world, member.email, one_time_password=code, organisation=foreign)
    problem(refused, 401, "wrong-credentials")
    assert (await sign_in(world, member.email, one_time_password=code)).status_code == 201


async def test_a_recovery_code_stands_in_once(
    world: World, member: Person, authenticator: Authenticator, superuser: Any
) -> None:
    paper = authenticator.recovery_codes[0].upper().replace("-", " ")
    answer = await sign_in(world, member.email, one_time_password=paper)
    assert answer.status_code == 201, answer.text
    assert (await member.get("/sessions")).json()[0]["method"] == "recovery_code"
    again = await sign_in(world, member.email, one_time_password=paper)
    problem(again, 401, "one-time-password-wrong")
    listed = (await member.get("/me/one-time-passwords")).json()
    assert listed[0]["recovery_codes_left"] == 9
    used = "SELECT count(*) FROM event WHERE action = 'recovery_code.used'"
    assert await superuser.fetchval(used) == 1


async def test_the_same_recovery_code_at_the_same_time_signs_in_once(
    world: World, member: Person, authenticator: Authenticator
) -> None:
    paper = authenticator.recovery_codes[3]
    answers = await asyncio.gather(
        *(sign_in(world, member.email, one_time_password=paper) for _ in range(4))
    )
    assert sorted(answer.status_code for answer in answers) == [201, 401, 401, 401]


# -- guessing -------------------------------------------------------------------------------------


async def test_codes_cannot_be_guessed_by_who_knows_the_password(
    world: World, member: Person, authenticator: Authenticator
) -> None:
    for guess in range(4):
        answer = await sign_in(world, member.email, one_time_password=f"00000{guess}")
        problem(answer, 401, "one-time-password-wrong")
        # a right password without a code clears nothing, and neither does one elsewhere
        problem(await sign_in(world, member.email), 401, "one-time-password-needed")
        body = application(f"Fenland Data {guess}")
        body["applicant"]["email"] = member.email
        assert (await apply(world, body)).status_code == 201
    answer = await sign_in(world, member.email, one_time_password="000009")  # noqa: S106  # a guess
    problem(answer, 401, "one-time-password-wrong")
    for code in ("000010", await authenticator.code()):
        locked = await sign_in(world, member.email, one_time_password=code)
        problem(locked, 429, "sign-in-locked")


async def test_of_twenty_guesses_of_a_code_at_once_at_most_five_are_checked(
    world: World,
    member: Person,
    authenticator: Authenticator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert authenticator.recovery_codes
    counting = counted_checks(monkeypatch)
    answers = await asyncio.gather(
        *(sign_in(world, member.email, one_time_password=f"{n:06}") for n in range(20))
    )
    assert counting.verified == 5
    assert sorted(answer.status_code for answer in answers) == [401] * 5 + [429] * 15


async def test_after_a_lock_the_two_steps_of_a_sign_in_are_not_locked_out_of_each_other(
    world: World, member: Person, authenticator: Authenticator, superuser: Any
) -> None:
    for _ in range(5):
        await sign_in(world, member.email, WRONG)
    await let_attempts_age(superuser, seconds=31)
    problem(await sign_in(world, member.email), 401, "one-time-password-needed")
    answer = await sign_in(world, member.email, one_time_password=await authenticator.code())
    assert answer.status_code == 201, answer.text


async def test_wrong_codes_of_an_enrolment_and_of_a_removal_count(
    member: Person, authenticator: Authenticator
) -> None:
    path = f"/me/one-time-passwords/{authenticator.id}/removal"
    for guess in range(5):
        body = {"password": PASSWORD, "one_time_password": f"00000{guess}"}
        problem(await member.post(path, body), 403, "confirmation-wrong")
    body = {"password": PASSWORD, "one_time_password": await authenticator.code()}
    problem(await member.post(path, body), 429, "sign-in-locked")


# -- removing -------------------------------------------------------------------------------------


@pytest.mark.parametrize("by", ["code", "recovery code"])
async def test_an_authenticator_is_removed_by_password_and_code(
    world: World, member: Person, authenticator: Authenticator, superuser: Any, by: str
) -> None:
    code = authenticator.recovery_codes[0] if by != "code" else await authenticator.code()
    path = f"/me/one-time-passwords/{authenticator.id}/removal"
    wrong = await member.post(path, {"password": WRONG, "one_time_password": code})
    problem(wrong, 403, "confirmation-wrong")
    removed = await member.post(path, {"password": PASSWORD, "one_time_password": code})
    assert removed.status_code == 204, removed.text
    assert (await sign_in(world, member.email)).status_code == 201
    assert (await member.get("/me/one-time-passwords")).json() == []
    kept = await superuser.fetchrow("SELECT wrapped_secret, removed_at FROM one_time_password")
    assert kept["wrapped_secret"] is None
    assert kept["removed_at"] is not None
    # another one may follow
    assert (await enrolled(member)).id != authenticator.id


async def test_a_confirmation_of_a_session_takes_the_code_too(
    member: Person, authenticator: Authenticator
) -> None:
    needed = problem(await confirm_session(member), 403, "confirmation-wrong")
    assert "one_time_password" in needed["detail"]
    wrong = await confirm_session(member, one_time_password="000000")  # noqa: S106  # a guess
    problem(wrong, 403, "confirmation-wrong")
    given = await confirm_session(member, one_time_password=await authenticator.code())
    assert given.status_code == 201, given.text


async def test_codes_of_a_secret_that_cannot_be_unwrapped_are_no_fault_of_the_person(
    world: World, member: Person, authenticator: Authenticator
) -> None:
    other = msgspec.structs.replace(
        world.vault, custodian=ServerCustodian({"x": secrets.token_bytes(32)}, "x")
    )
    given = SignIn(
        email=member.email, password=PASSWORD, one_time_password=await authenticator.code()
    )
    with pytest.raises(AuthenticatorUnreadable):
        await commands.sign_in(Actor(), other, given, 3600)
    paper = msgspec.structs.replace(given, one_time_password=authenticator.recovery_codes[0])
    assert (await commands.sign_in(Actor(), other, paper, 3600)).person == member.id


# -- keeping --------------------------------------------------------------------------------------


async def test_the_secret_is_kept_wrapped_for_its_row_alone(
    vault: Vault, member: Person, authenticator: Authenticator, superuser: Any
) -> None:
    row = await superuser.fetchrow("SELECT id, person, wrapped_secret FROM one_time_password")
    wrapped: bytes = row["wrapped_secret"]
    assert authenticator.secret.encode() not in wrapped
    purpose = b"one-time password\x00" + row["id"].bytes + member.id.bytes
    assert vault.custodian.recall(wrapped, purpose) == authenticator.secret.encode()
    for other in (purpose[:-1], purpose + b"x", b""):
        with pytest.raises(CannotUnwrap):
            vault.custodian.recall(wrapped, other)
