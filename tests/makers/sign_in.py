"""Signing in, in tests: people with real passwords, authenticators, and real time that passes."""

import asyncio
import time
from typing import Any
from uuid import UUID, uuid4

import httpx
import msgspec
import pyotp
import pytest

from market.actor import Role
from market.people import credentials
from tests.makers.clock import registrar, signed_in
from tests.makers.world import PASSWORD, Person, World

WRONG = "four quiet otters swim"
_MARGIN = 5  # seconds of a step that must be left, so that no code grows old within a test


class CountingHasher:
    """The password hasher, which counts how often it is made to check a password."""

    def __init__(self, hasher: Any) -> None:
        """Stand before the real one."""
        self.hasher = hasher
        self.verified = 0

    def hash(self, password: str) -> str:
        """Hash, uncounted."""
        return str(self.hasher.hash(password))

    def verify(self, password: str, stored: str) -> bool:
        """Check, counted."""
        self.verified += 1
        return bool(self.hasher.verify(password, stored))


def counted_checks(monkeypatch: pytest.MonkeyPatch) -> CountingHasher:
    """Count every check of a password from now on."""
    counting = CountingHasher(credentials._HASHER)  # noqa: SLF001  # time is not to be measured in a test: work is counted
    monkeypatch.setattr(credentials, "_HASHER", counting)
    return counting


async def sign_in(
    world: World, email: str, password: str = PASSWORD, *, client: Any = None, **more: Any
) -> httpx.Response:
    """Try to sign in, whatever comes of it."""
    body = {"email": email, "password": password, **more}
    return await (client or world.client).post("/api/v1/sessions", json=body)


async def fail(world: World, email: str, times: int) -> None:
    """Try a wrong password so often; each must be checked and be wrong."""
    for _ in range(times):
        answer = await sign_in(world, email, WRONG)
        assert answer.status_code == 401, answer.text


async def joined(world: World, name: str, organisation: UUID, *roles: Role) -> Person:
    """Somebody who accepted an invitation and signed in: with a password that works."""
    keeper = await registrar(world)
    email = f"{name.lower().replace(' ', '.')}@{uuid4().hex[:6]}.example"
    offered = await keeper.post(
        f"/organisations/{organisation}/invitations", {"email": email, "roles": [*roles]}
    )
    assert offered.status_code == 201, offered.text
    body = {"secret": offered.json()["secret"], "name": name, "password": PASSWORD}
    accepted = await world.client.post("/api/v1/invitation-acceptances", json=body)
    assert accepted.status_code == 201, accepted.text
    return msgspec.structs.replace(await signed_in(world, name, email), organisation=organisation)


def as_session(person: Person, answer: httpx.Response) -> Person:
    """The same person with the token that an answer gave."""
    assert answer.status_code == 201, answer.text
    given = answer.json()
    organisation = UUID(given["organisation"]) if given["organisation"] else person.organisation
    return msgspec.structs.replace(person, token=given["token"], organisation=organisation)


async def confirm_session(person: Person, password: str = PASSWORD, **more: Any) -> httpx.Response:
    """Prove anew who one is, whatever comes of it."""
    return await person.post("/sessions/current/confirmation", {"password": password, **more})


async def let_sessions_age(superuser: Any, person: UUID, *, minutes: int = 16) -> None:
    """Let it be a while since a person proved who they are. Nobody can make it be shorter."""
    async with superuser.transaction():
        await superuser.execute(
            "UPDATE session SET confirmed_at = confirmed_at - make_interval(mins => $2)"
            " WHERE person = $1 AND revoked_at IS NULL",
            person,
            minutes,
        )
        await superuser.execute(
            "INSERT INTO event (id, action, subject_kind, subject, request, details)"
            " VALUES ($1, 'test.aged', 'session', $1, 'test', '{}')",
            uuid4(),
        )


async def let_attempts_age(superuser: Any, *, seconds: float, kind: str = "%") -> None:
    """Let real time pass for every lock-out, as a migration alone could."""
    async with superuser.transaction():
        await superuser.execute("SET LOCAL market.migrating = 'on'")
        await superuser.execute("ALTER TABLE sign_in_attempt DISABLE TRIGGER guard_sign_in_attempt")
        await superuser.execute(
            "UPDATE sign_in_attempt SET counted_at = counted_at - make_interval(secs => $1),"
            " locked_until = locked_until - make_interval(secs => $1) WHERE kind LIKE $2",
            seconds,
            kind,
        )
        await superuser.execute(
            "ALTER TABLE sign_in_attempt ENABLE ALWAYS TRIGGER guard_sign_in_attempt"
        )


class Authenticator(msgspec.Struct, frozen=True, kw_only=True):
    """What a person's telephone holds, and the codes on the paper in their drawer."""

    id: str
    secret: str
    recovery_codes: list[str]

    async def code(self, steps: int = 0) -> str:
        """The code of the present step, or of so many later, with some seconds left to use it."""
        return await code_of(self.secret, steps)


async def code_of(secret: str, steps: int = 0) -> str:
    """The code of a secret in the present step, or so many steps later."""
    if (left := 30 - time.time() % 30) < _MARGIN:
        await asyncio.sleep(left + 0.05)
    return pyotp.HOTP(secret).at(int(time.time()) // 30 + steps)


async def enrolled(person: Person) -> Authenticator:
    """A confirmed authenticator, whose code of the step before the present one is used up."""
    begun = await person.post("/me/one-time-passwords")
    assert begun.status_code == 201, begun.text
    given = begun.json()
    confirmed = await person.post(
        f"/me/one-time-passwords/{given['id']}/confirmation",
        {"code": await code_of(given["secret"], -1)},
    )
    assert confirmed.status_code == 201, confirmed.text
    return Authenticator(
        id=given["id"],
        secret=given["secret"],
        recovery_codes=confirmed.json()["recovery_codes"],
    )


def problem(answer: httpx.Response, status: int, kind: str) -> dict[str, Any]:
    """The problem an answer is, without the id of its request."""
    assert answer.status_code == status, answer.text
    found: dict[str, Any] = answer.json()
    assert found["type"] == f"/problems/{kind}", found
    found.pop("request", None)
    return found
