"""Passwords, tokens and invitation secrets are in no table, event or log in the clear."""

from typing import Any
from urllib.parse import quote

import pytest
import structlog
from pwdlib import PasswordHash

from market.actor import Role
from market.people import credentials
from tests.makers.clock import registrar
from tests.makers.sign_in import confirm_session, enrolled, joined, sign_in
from tests.makers.world import PASSWORD, World


async def _whole_database(superuser: Any) -> str:
    """Every row of every table as text."""
    tables = await superuser.fetch(
        "SELECT quote_ident(tablename) AS name FROM pg_tables WHERE schemaname = 'public'"
    )
    assert len(tables) > 10
    rows = [
        row["text"]
        for table in tables
        for row in await superuser.fetch(f"SELECT t::text AS text FROM {table['name']} t")  # noqa: S608  # names from the catalogue, quoted by it
    ]
    return "\n".join(rows)


async def test_no_secret_is_stored_or_logged_in_the_clear(
    world: World, superuser: Any, capfd: pytest.CaptureFixture[str]
) -> None:
    wrong = "four quiet otters swim"
    with structlog.testing.capture_logs() as logged:
        keeper = await registrar(world)
        group = await world.organisation("06F")
        offered = await keeper.post(
            f"/organisations/{group}/invitations",
            {"email": "ruth@group.example", "roles": ["commissioner"]},
        )
        secret = offered.json()["secret"]
        await world.client.post(
            "/api/v1/invitation-acceptances",
            json={"secret": secret, "name": "Ruth Penhale", "password": PASSWORD},
        )
        await world.client.post(
            "/api/v1/sessions", json={"email": "ruth@group.example", "password": wrong}
        )
    stored = await _whole_database(superuser)
    assert "ruth@group.example" in stored  # so that it is known to be the whole
    said = "".join(capfd.readouterr()) + str(logged)
    for hidden in (keeper.token, secret, PASSWORD, wrong):
        for form in (hidden, hidden.encode().hex(), hidden.removeprefix("mkt_")):
            assert form not in stored
            assert form not in said


async def test_nothing_that_lets_somebody_in_is_stored_or_logged_in_the_clear(
    world: World, superuser: Any, capfd: pytest.CaptureFixture[str]
) -> None:
    new, wrong = "seven lamps over gravel", "000000"
    with structlog.testing.capture_logs() as logged:
        member = await joined(
            world, "Ruth Penhale", await world.organisation("06F"), Role.COMMISSIONER
        )
        keeper = await registrar(world)
        authenticator = await enrolled(member)
        code, later = await authenticator.code(), await authenticator.code(1)
        await sign_in(world, member.email, one_time_password=wrong)
        await confirm_session(member, one_time_password=code)
        body = {"organisation": str(member.organisation)}
        switched = await member.post("/sessions/current/switches", body)
        path = f"/organisations/{member.organisation}/members/{member.id}/password-resets"
        reset = (await keeper.post(path)).json()["secret"]
        await world.client.post("/api/v1/password-resets", json={"secret": reset, "password": new})
        signed = await sign_in(world, member.email, new, one_time_password=later)
        assert signed.status_code == 201, signed.text
    hidden = [
        PASSWORD,
        new,
        authenticator.secret,
        *authenticator.recovery_codes,
        switched.json()["token"],
        reset,
        signed.json()["token"],
    ]
    stored = await _whole_database(superuser)
    said = "".join(capfd.readouterr()) + str(logged)
    for secret in hidden:
        for form in (secret, secret.encode().hex(), secret.removeprefix("mkt_"), quote(secret)):
            assert form not in stored
            assert form not in said
    told = await superuser.fetch("SELECT details::text FROM event")
    assert not any(used in row["details"] for row in told for used in (code, later, wrong))


async def test_only_digests_are_kept_and_they_are_those_of_the_secrets(
    world: World,
    superuser: Any,
    dear_hasher: PasswordHash,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(credentials, "_HASHER", dear_hasher)
    keeper = await registrar(world)
    kept = await superuser.fetchval("SELECT token_digest FROM session WHERE person = $1", keeper.id)
    assert kept == credentials.digest(keeper.token)
    hashed = await superuser.fetchval("SELECT password_hash FROM person WHERE id = $1", keeper.id)
    assert hashed.startswith("$argon2id$v=19$m=19456,t=2,p=1$")


async def test_a_password_fits_its_own_hash_and_no_other() -> None:
    hashed = await credentials.hash_password(PASSWORD)
    assert hashed != await credentials.hash_password(PASSWORD)
    assert await credentials.password_fits(PASSWORD, hashed)
    assert not await credentials.password_fits(PASSWORD + " ", hashed)
    assert not await credentials.password_fits(PASSWORD, None)
