"""Signing in by an identity provider: by invitation first, then as whoever one is."""

import asyncio
import re
import time
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

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
    said,
)
from tests.makers.world import PASSWORD, Person, World


async def _administrator(world: World) -> Person:
    return await world.person("Ann Lead", await world.organisation("06F"), Role.ADMINISTRATOR)


async def _joined(world: World, provider: Provider, by: Person) -> dict[str, Any]:
    """Let Ruth come in by invitation, and give her session."""
    body = await answer_of(world, provider, invitation=await invited(by))
    answer = await finish(world, body)
    assert answer.status_code == 201, answer.text
    session: dict[str, Any] = answer.json()
    return session


async def _refusals(superuser: Any) -> list[str]:
    rows = await superuser.fetch(
        "SELECT details->>'refusal' AS refusal FROM event WHERE action = 'session.refused'"
        " ORDER BY recorded_at"
    )
    return [str(row["refusal"]) for row in rows]


async def test_an_invited_person_comes_in_by_the_provider_and_signs_in_again(
    world: World, provider: Provider, superuser: Any
) -> None:
    ann = await _administrator(world)
    session = await _joined(world, provider, ann)
    assert session["organisation"] == str(ann.organisation)
    assert session["roles"] == ["commissioner"]
    headers = {"Authorization": f"Bearer {session['token']}"}
    myself = (await world.client.get("/api/v1/me", headers=headers)).json()
    assert (myself["name"], myself["email"]) == ("Ruth Penhale", "ruth@group.example")
    person = await superuser.fetchrow(
        "SELECT password_hash, (SELECT count(*) FROM person) FROM person"
        " WHERE email = 'ruth@group.example'"
    )
    assert person["password_hash"] is None
    again = await finish(world, await answer_of(world, provider))
    assert again.status_code == 201, again.text
    assert again.json()["person"] == session["person"]
    assert again.json()["token"] != session["token"]
    actions = {row["action"] for row in await superuser.fetch("SELECT action FROM event")}
    assert {
        "single_sign_on.asked",
        "single_sign_on.answered",
        "person.registered",
        "invitation.accepted",
        "identity.linked",
        "session.started",
    } <= actions
    assert await _refusals(superuser) == []


async def test_neither_the_database_nor_the_events_hold_what_proves_a_sign_in(
    world: World, provider: Provider, superuser: Any
) -> None:
    ann = await _administrator(world)
    asked = await begun(world, invitation=await invited(ann))
    query = parse_qs(urlsplit(asked["authorization_url"]).query)
    returned = provider.sign_in(asked["authorization_url"])
    answer = await finish(world, {**returned, "binding": asked["binding"]})
    assert answer.status_code == 201
    verifier = next(one.form["code_verifier"] for one in provider.asked if one.path == "/token")
    assert re.fullmatch(r"[A-Za-z0-9_-]{43}", verifier)
    secrets = {query["state"][0], asked["binding"], verifier, query["nonce"][0], returned["code"]}
    assert len(secrets) == 5
    for table in ("single_sign_on_request", "identity_link", "event", "session", "invitation"):
        rows = await superuser.fetch(f"SELECT t::text AS text FROM {table} t")  # noqa: S608  # names of the test's own
        assert rows
        for secret in secrets:
            assert not any(secret in row["text"] for row in rows), (table, secret)
            assert not any(secret.encode().hex() in row["text"] for row in rows)


async def test_an_answer_counts_once_however_often_it_comes_at_once(
    world: World, provider: Provider, superuser: Any
) -> None:
    await _joined(world, provider, await _administrator(world))
    before = await superuser.fetchval("SELECT count(*) FROM session")
    for _ in range(3):
        body = await answer_of(world, provider)
        answers = await asyncio.gather(*(finish(world, body) for _ in range(4)))
        assert sorted(answer.status_code for answer in answers) == [201, 404, 404, 404]
        refused = {problem(answer) for answer in answers if answer.status_code != 201}
        assert refused == {(404, "sign-in-over")}
    assert await superuser.fetchval("SELECT count(*) FROM session") == before + 3
    assert await _refusals(superuser) == ["sign-in-over"] * 9


async def test_two_answers_with_one_invitation_let_one_in(
    world: World, provider: Provider, superuser: Any
) -> None:
    secret = await invited(await _administrator(world))
    bodies = [await answer_of(world, provider, invitation=secret) for _ in range(2)]
    answers = await asyncio.gather(*(finish(world, body) for body in bodies))
    statuses = sorted(answer.status_code for answer in answers)
    assert statuses[0] == 201
    assert statuses[1] in {404, 409}
    assert await superuser.fetchval("SELECT count(*) FROM identity_link") == 1
    assert await superuser.fetchval("SELECT count(*) FROM person WHERE email LIKE 'ruth@%'") == 1


async def test_an_answer_from_another_browser_is_refused_and_harms_nobody(
    world: World, provider: Provider
) -> None:
    await _joined(world, provider, await _administrator(world))
    body = await answer_of(world, provider)
    other = await begun(world)
    for change in ({"binding": other["binding"]}, {"state": other["binding"]}):
        assert problem(await finish(world, body | change)) == (404, "sign-in-over")
    assert (await finish(world, body)).status_code == 201


async def test_an_answer_that_comes_too_late_is_refused(
    world: World, provider: Provider, superuser: Any
) -> None:
    await _joined(world, provider, await _administrator(world))
    body = await answer_of(world, provider)
    # the guard lets nobody age the row, so it stands aside as only a migration can make it
    await superuser.execute("SET market.migrating = 'on'")
    await superuser.execute("ALTER TABLE single_sign_on_request DISABLE TRIGGER USER")
    aged = "UPDATE single_sign_on_request SET expires_at = clock_timestamp() WHERE used_at IS NULL"
    await superuser.execute(aged)
    await superuser.execute(
        "ALTER TABLE single_sign_on_request ENABLE ALWAYS TRIGGER guard_single_sign_on_request"
    )
    assert problem(await finish(world, body)) == (404, "sign-in-over")
    assert await _refusals(superuser) == ["sign-in-over"]


async def test_somebody_who_was_not_invited_is_nobody(
    world: World, provider: Provider, superuser: Any
) -> None:
    answer = await finish(world, await answer_of(world, provider))
    assert problem(answer) == (401, "identity-unknown")
    assert await superuser.fetchval("SELECT count(*) FROM person") == 0
    assert await _refusals(superuser) == ["identity-unknown"]


async def test_an_address_alone_never_signs_in_whoever_is_registered_with_it(
    world: World, provider: Provider, superuser: Any
) -> None:
    keeper = await registrar(world)
    ann = await _administrator(world)
    provider.claims["email"] = keeper.email
    assert problem(await finish(world, await answer_of(world, provider))) == (
        401,
        "identity-unknown",
    )
    secret = await invited(ann, keeper.email)
    answer = await finish(world, await answer_of(world, provider, invitation=secret))
    assert problem(answer) == (409, "address-registered")
    assert await superuser.fetchval("SELECT count(*) FROM identity_link") == 0
    assert await superuser.fetchval(
        "SELECT accepted_at IS NULL FROM invitation WHERE organisation = $1", ann.organisation
    )


@pytest.mark.parametrize(
    ("claims", "refusal"),
    [
        ({"email_verified": False}, (403, "email-not-verified")),
        ({"email_verified": "true"}, (403, "email-not-verified")),
        ({"email_verified": 1}, (403, "email-not-verified")),
        ({"email_verified": None}, (403, "email-not-verified")),
        ({"email": None}, (403, "email-not-verified")),
        ({"email": "ruth"}, (403, "email-not-verified")),
        ({"email": ["ruth@group.example"]}, (403, "email-not-verified")),
        ({"email": "mallory@group.example"}, (403, "invited-somebody-else")),
        ({"email": "ruth@group.example.evil.example"}, (403, "invited-somebody-else")),
    ],
)
async def test_an_invitation_is_for_the_verified_address_it_was_made_to(
    world: World,
    provider: Provider,
    superuser: Any,
    claims: dict[str, Any],
    refusal: tuple[int, str],
) -> None:
    secret = await invited(await _administrator(world))
    provider.claims |= claims
    body = await answer_of(world, provider, invitation=secret)
    assert problem(await finish(world, body)) == refusal
    assert await superuser.fetchval("SELECT count(*) FROM identity_link") == 0
    assert await superuser.fetchval("SELECT count(*) FROM person WHERE email LIKE 'ruth@%'") == 0
    assert await _refusals(superuser) == [refusal[1]]
    # the invitation is untouched: another way in is open
    accepted = await world.client.post(
        "/api/v1/invitation-acceptances",
        json={"secret": secret, "name": "Ruth Penhale", "password": PASSWORD},
    )
    assert accepted.status_code == 201


async def test_the_address_may_come_from_the_provider_s_userinfo(
    world: World, provider: Provider
) -> None:
    ann = await _administrator(world)
    claims, provider.claims = provider.claims, {}
    provider.metadata["userinfo_endpoint"] = f"{provider.issuer}/userinfo"
    provider.answers["/userinfo"] = lambda asked: said(
        {"sub": provider.subject, **claims}
        if asked.headers.get("authorization") == "Bearer opaque"
        else {}
    )
    session = await _joined(world, provider, ann)
    assert session["roles"] == ["commissioner"]
    # who is known is not asked about again
    assert (await finish(world, await answer_of(world, provider))).status_code == 201
    assert provider.counted("/userinfo") == 1


async def test_userinfo_about_somebody_else_is_refused(world: World, provider: Provider) -> None:
    claims, provider.claims = provider.claims, {}
    provider.metadata["userinfo_endpoint"] = f"{provider.issuer}/userinfo"
    provider.answers["/userinfo"] = lambda _: said({"sub": "mallory", **claims})
    secret = await invited(await _administrator(world))
    body = await answer_of(world, provider, invitation=secret)
    assert problem(await finish(world, body)) == (502, "provider-failed")


@pytest.mark.parametrize(
    ("claims", "name"),
    [
        ({"name": None}, "ruth@group.example"),
        ({"name": None, "given_name": "Ruth", "family_name": "Penhale"}, "Ruth Penhale"),
        ({"name": "x" * 201}, "ruth@group.example"),
        ({"name": "Ruth\u0000Penhale"}, "ruth@group.example"),
        ({"name": " "}, "ruth@group.example"),
        ({"name": 7}, "ruth@group.example"),
    ],
)
async def test_somebody_new_is_called_what_the_provider_calls_them_if_it_is_a_name(
    world: World, provider: Provider, superuser: Any, claims: dict[str, Any], name: str
) -> None:
    provider.claims |= claims
    await _joined(world, provider, await _administrator(world))
    assert await superuser.fetchval("SELECT name FROM person WHERE email LIKE 'ruth@%'") == name


async def test_whoever_is_known_takes_up_a_further_invitation(
    world: World, provider: Provider
) -> None:
    session = await _joined(world, provider, await _administrator(world))
    other = await world.person("Sue", await world.organisation("06P"), Role.ADMINISTRATOR)
    provider.claims["email"] = "ruth.new@another.example"  # whoever they are was proven before
    secret = await invited(other, role="lay_member")
    answer = await finish(world, await answer_of(world, provider, invitation=secret))
    assert answer.status_code == 201, answer.text
    assert answer.json()["person"] == session["person"]
    assert answer.json()["organisation"] == str(other.organisation)
    assert answer.json()["roles"] == ["lay_member"]
    foreign = await invited(other, "somebody.else@group.example")
    answer = await finish(world, await answer_of(world, provider, invitation=foreign))
    assert problem(answer) == (403, "invited-somebody-else")


async def test_an_invitation_that_was_revoked_in_between_lets_nobody_in(
    world: World, provider: Provider, superuser: Any
) -> None:
    ann = await _administrator(world)
    body = await answer_of(world, provider, invitation=await invited(ann))
    listed = await ann.get(f"/organisations/{ann.organisation}/invitations")
    await ann.delete(f"/invitations/{listed.json()['items'][0]['id']}")
    assert problem(await finish(world, body)) == (404, "invitation-over")
    assert await superuser.fetchval("SELECT count(*) FROM person WHERE email LIKE 'ruth@%'") == 0
    unknown = await world.client.post(
        "/api/v1/single-sign-on/requests", json={"invitation": "x" * 43}
    )
    assert problem(unknown) == (404, "invitation-over")


async def test_a_session_acts_for_the_organisation_that_was_asked_for_and_one_s_own(
    world: World, provider: Provider, superuser: Any
) -> None:
    ann = await _administrator(world)
    await _joined(world, provider, ann)
    foreign = await world.organisation("06P")
    for organisation in (foreign, uuid4()):
        answer = await finish(
            world, await answer_of(world, provider, organisation=str(organisation))
        )
        assert problem(answer) == (401, "wrong-credentials")
    own = await finish(world, await answer_of(world, provider, organisation=str(ann.organisation)))
    assert own.json()["organisation"] == str(ann.organisation)
    assert await _refusals(superuser) == ["wrong-credentials"] * 2


async def test_somebody_without_a_password_cannot_be_told_from_a_wrong_one(
    world: World, provider: Provider
) -> None:
    await _joined(world, provider, await _administrator(world))
    keeper = await registrar(world)
    refused = []
    for email in ("ruth@group.example", keeper.email, "nobody@group.example"):
        answer = await world.client.post(
            "/api/v1/sessions", json={"email": email, "password": "four quiet otters swim"}
        )
        assert answer.status_code == 401
        body = answer.json()
        del body["request"]
        refused.append(body)
    assert refused[0] == refused[1] == refused[2]
    # nor is a password given to them by an invitation to their address
    ann = await world.person("Bea", await world.organisation("06P"), Role.ADMINISTRATOR)
    accepted = await world.client.post(
        "/api/v1/invitation-acceptances",
        json={"secret": await invited(ann), "name": "Mallory", "password": PASSWORD},
    )
    assert problem(accepted) == (401, "wrong-credentials")


async def test_a_fresh_sign_in_is_one_that_the_provider_says_was_made_anew(
    world: World, provider: Provider, superuser: Any
) -> None:
    await _joined(world, provider, await _administrator(world))
    fresh = await finish(world, await answer_of(world, provider, fresh=True))
    assert fresh.status_code == 201, fresh.text
    asked_long_ago = 1_700_000_000
    for changed in (None, asked_long_ago, "now", True):
        provider.claims["auth_time"] = changed
        answer = await finish(world, await answer_of(world, provider, fresh=True))
        assert problem(answer) == (401, "identity-not-proven")
        assert "anew" in answer.json()["detail"]
    assert await _refusals(superuser) == ["identity-not-proven"] * 4


@pytest.mark.parametrize(
    ("seconds_ago", "fresh"),
    [(None, False), (20 * 60, False), (5 * 60, True), (0, True), (-3600, False)],
)
async def test_a_session_is_as_fresh_as_the_provider_says_that_the_sign_in_was(
    world: World,
    provider: Provider,
    seconds_ago: int | None,
    fresh: bool,  # noqa: FBT001  # a row of the table
) -> None:
    await _joined(world, provider, await _administrator(world))
    signed_in_at = None if seconds_ago is None else int(time.time()) - seconds_ago
    provider.claims["auth_time"] = signed_in_at
    session = (await finish(world, await answer_of(world, provider))).json()
    headers = {"Authorization": f"Bearer {session['token']}"}
    listed = (await world.client.get("/api/v1/sessions", headers=headers)).json()
    current = next(one for one in listed if one["current"])
    assert current["method"] == "single_sign_on"
    if signed_in_at is None or seconds_ago == -3600:
        assert current["confirmed_at"] is None
    else:
        said = datetime.fromisoformat(current["confirmed_at"]).timestamp()
        assert abs(said - signed_in_at) <= 1
    body = {"state": "x" * 43, "binding": "x" * 43, "code": "c"}
    act = await world.client.post("/api/v1/me/identities", json=body, headers=headers)
    assert problem(act) == ((404, "sign-in-over") if fresh else (403, "fresh-sign-in-needed"))


async def test_a_session_of_the_provider_s_is_made_fresh_by_one_s_password(
    world: World, provider: Provider
) -> None:
    keeper = await registrar(world)
    asked = await begun(world, keeper, link=True)
    body = {**provider.sign_in(asked["authorization_url"]), "binding": asked["binding"]}
    assert (await keeper.post("/me/identities", body)).status_code == 201
    session = (await finish(world, await answer_of(world, provider))).json()
    assert session["person"] == str(keeper.id)
    headers = {"Authorization": f"Bearer {session['token']}"}
    confirmed = await world.client.post(
        "/api/v1/sessions/current/confirmation", json={"password": PASSWORD}, headers=headers
    )
    assert confirmed.status_code == 201, confirmed.text
    assert confirmed.json()["confirmed_at"] is not None


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"state": "x" * 43, "binding": "x" * 43},
        {"state": "x" * 43, "binding": "x" * 43, "code": ""},
        {"state": "x" * 43, "binding": "x" * 43, "code": "a\u0000b"},
        {"state": "x" * 43, "binding": "x" * 43, "code": "x" * 4001},
        {"state": "x", "binding": "x" * 43, "code": "c"},
        {"state": "x" * 43, "binding": "x" * 43, "code": "c", "iss": 1},
        {"state": "x" * 43, "binding": "x" * 43, "code": "c", "nonce": "n"},
    ],
)
async def test_an_answer_of_the_wrong_form_is_refused(
    world: World, provider: Provider, body: dict[str, Any]
) -> None:
    assert problem(await finish(world, body))[0] == 400
    assert provider.asked == []


@pytest.mark.parametrize(
    "wish",
    [
        {"organisation": "06F"},
        {"fresh": "yes"},
        {"invitation": "short"},
        {"link": True, "organisation": "00000000-0000-4000-8000-000000000000"},
        {"link": True, "invitation": "x" * 43},
        {"redirect_uri": "https://evil.example"},
    ],
)
async def test_a_wish_of_the_wrong_form_is_refused(world: World, wish: dict[str, Any]) -> None:
    answer = await world.client.post("/api/v1/single-sign-on/requests", json=wish)
    assert problem(answer) == (400, "malformed")
