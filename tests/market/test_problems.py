"""Whatever is sent, the answer is a problem that says what is wrong; never a failure of ours."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import asyncpg
import httpx
import pytest
from msgspec.structs import replace

from market.actor import Role
from market.app import create_app, served
from market.database import DB
from market.problems import MEDIA_TYPE
from market.settings import Settings
from market.vault import Vault
from tests.conftest import Databases, running
from tests.makers.world import World

JSON = {"Content-Type": "application/json"}
SESSIONS = "/api/v1/sessions"


async def problem(world: World, answer: httpx.Response, status: int) -> Any:
    """Check the shape every problem has, and give it."""
    assert answer.status_code == status, answer.text
    assert answer.headers["Content-Type"] == MEDIA_TYPE
    told = answer.json()
    assert set(told) <= {"type", "title", "status", "detail", "request", "errors"}
    assert told["status"] == status
    assert told["title"]
    assert told["detail"]
    assert told["request"] == answer.headers["X-Request-Id"]
    explained = await world.client.get(told["type"])
    assert explained.status_code == 200, told["type"]
    assert explained.json()["status"] == status
    return told


async def endless() -> AsyncIterator[bytes]:
    for _ in range(50):
        yield bytes(1_000_000)


@pytest.mark.parametrize("size", ["said", "not said"])
async def test_a_body_of_50_megabytes_is_refused_without_being_read_whole(
    world: World, size: str
) -> None:
    body = bytes(50_000_000) if size == "said" else endless()
    answer = await world.client.post(SESSIONS, content=body, headers=JSON)
    told = await problem(world, answer, 413)
    assert told["type"] == "/problems/too-large"
    assert answer.headers["Connection"] == "close"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"null",
        b"[]",
        b'"text"',
        b"{}",
        b'{"email": 1, "password": "x"}',
        b'{"email": "a@b.example", "password": "x", "remember": true}',
        b'{"email": "a@b.example", "password": "\xff\xfe"}',
        b'{"email": "a@b.example", "password": "\\ud800"}',
        b'{"email": "a@b.example", "password": "x", "organisation": "06F"}',
        b"[" * 100_000,
        b'{"email":' * 50_000,
        b"1e999999999",
    ],
)
async def test_a_body_of_the_wrong_form_is_refused_with_the_reason(
    world: World, body: bytes
) -> None:
    answer = await world.client.post(SESSIONS, content=body, headers=JSON)
    told = await problem(world, answer, 400)
    assert told["type"] == "/problems/malformed"


async def test_the_field_at_fault_is_named(world: World) -> None:
    answer = await world.client.post(SESSIONS, json={"email": "a@b.example", "password": 1})
    told = await problem(world, answer, 400)
    assert told["errors"] == [{"field": "password", "reason": "Expected `str`, got `int`"}]


@pytest.mark.parametrize("content_type", ["text/plain", "application/xml", "multipart/form-data"])
async def test_a_body_that_is_not_json_is_refused(world: World, content_type: str) -> None:
    headers = {"Content-Type": content_type}
    answer = await world.client.post(SESSIONS, content=b"<a/>", headers=headers)
    assert (await problem(world, answer, 415))["type"] == "/problems/wrong-content-type"


async def test_text_that_cannot_be_stored_is_refused(world: World) -> None:
    organisation = await world.organisation("06F")
    ann = await world.person("Ann", organisation, Role.ADMINISTRATOR)
    body = {"email": "a\0@b.example", "roles": ["commissioner"]}
    answer = await ann.post(f"/organisations/{organisation}/invitations", body)
    await problem(world, answer, 400)
    answer = await world.public("/organisations?q=a%00b")
    await problem(world, answer, 400)


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/no-such-thing",
        "/no-such-thing",
        "/api/v2/sessions",
        "/api/v1/organisations/06F",
        "/api/v1/%00",
        "/api/v1/../../etc/passwd",
        "/api/v1/organisations/" + "x" * 5000,
        "/api/v1/organisations/00000000-0000-4000-8000-000000000000",
    ],
)
async def test_a_path_that_leads_nowhere_is_a_problem(world: World, path: str) -> None:
    await problem(world, await world.client.get(path), 404)


async def test_a_method_that_a_path_has_not_is_answered_with_those_it_has(world: World) -> None:
    answer = await world.client.patch("/api/v1/me", json={})
    told = await problem(world, answer, 405)
    assert told["type"] == "/problems/method-not-allowed"
    assert "GET" in answer.headers["Allow"]


@pytest.mark.parametrize("query", ["kidn=commercial", "limit=10&stauts=open", "%00=1", "=1", "&&x"])
async def test_a_misspelt_filter_is_refused_instead_of_overlooked(world: World, query: str) -> None:
    told = await problem(world, await world.public(f"/organisations?{query}"), 400)
    assert told["type"] == "/problems/unknown-parameter"
    assert told["errors"]
    assert (await world.public("/organisations?limit=1")).status_code == 200


@pytest.mark.parametrize("query", ["limit=0", "limit=201", "limit=x", "cursor=nonsense", "cursor="])
async def test_a_page_that_cannot_be_given_is_refused(world: World, query: str) -> None:
    await problem(world, await world.public(f"/organisations?{query}"), 400)


async def test_headers_beyond_measure_are_refused(world: World) -> None:
    answer = await world.client.get("/health", headers={"X-Large": "x" * 40_000})
    assert (await problem(world, answer, 431))["type"] == "/problems/headers-too-large"
    many = {f"X-{number}": "x" * 100 for number in range(400)}
    await problem(world, await world.client.get("/health", headers=many), 431)


@pytest.mark.parametrize(
    "authorization",
    ["", "Bearer", "Bearer ", "Bearer mkt_unknown", "Basic YTpi", "Bearer " + "x" * 5000, "é"],
)
async def test_a_token_that_is_none_is_answered_401(world: World, authorization: str) -> None:
    headers = [(b"Authorization", authorization.encode())]
    answer = await world.client.get("/api/v1/me", headers=headers)
    await problem(world, answer, 401)
    assert answer.headers["WWW-Authenticate"] == "Bearer"


async def test_a_key_or_version_of_the_wrong_form_is_refused(world: World) -> None:
    organisation = await world.organisation("06F")
    ann = await world.person("Ann", organisation, Role.ADMINISTRATOR, Role.PROCUREMENT_LEAD)
    path = f"/organisations/{organisation}/invitations"
    body = {"email": "b@market.example", "roles": ["commissioner"]}
    answer = await ann.post(path, body, headers={"Idempotency-Key": "one"})
    await problem(world, answer, 400)
    missing = await world.client.post(
        f"/api/v1{path}", json=body, headers={"Authorization": f"Bearer {ann.token}"}
    )
    assert (await problem(world, missing, 400))["type"] == "/problems/key-missing"
    answer = await ann.put(f"/tenders/{uuid4()}/timetable", {})
    assert answer.status_code in {400, 404, 428}
    await problem(world, answer, answer.status_code)


async def test_somebody_who_asks_too_often_is_told_when_to_come_back(
    databases: Databases, settings: Settings, vault: Vault
) -> None:
    app = create_app(replace(settings, requests_per_minute=3), databases.app, vault)
    transport = httpx.ASGITransport(served(app), client=("192.0.2.1", 1))
    async with (
        running(app),
        httpx.AsyncClient(transport=transport, base_url="http://market") as client,
    ):
        answers = [await client.get("/health") for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert 0 < int(answers[-1].headers["Retry-After"]) <= 60
    assert answers[-1].json()["type"] == "/problems/too-many-requests"


@pytest.mark.parametrize(
    "error",
    [ConnectionRefusedError(), asyncpg.CannotConnectNowError(), asyncpg.AdminShutdownError()],
)
async def test_a_database_that_is_away_is_told_as_busy_even_at_the_door(
    world: World, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    ann = await world.person("Ann", await world.organisation("06F"), Role.COMMISSIONER)

    class Away:
        async def fetchrow(self, _: str, __: bytes) -> None:
            raise error

    with monkeypatch.context() as patched:
        patched.setattr(DB, "pool", Away())
        answer = await ann.get("/me")
    assert (await problem(world, answer, 503))["type"] == "/problems/busy"
    assert answer.headers["Retry-After"] == "2"
