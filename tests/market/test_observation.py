"""What is seen of a request: an id, one line, measures, closed headers; nothing that is secret."""

import json
import logging
import re
from typing import Any

import httpx
import pytest
import structlog
from litestar.types import Receive, Scope, Send
from structlog.testing import capture_logs

from market.actor import Role
from market.observation.log import configure_log
from market.observation.requests import observed
from tests.makers.world import PASSWORD, World


def requests_seen(entries: list[Any]) -> list[Any]:
    return [entry for entry in entries if entry["event"] == "request"]


async def test_every_answer_carries_an_id_the_caller_s_own_if_it_is_well_formed(
    world: World,
) -> None:
    made = await world.client.get("/health")
    assert re.fullmatch(r"[0-9a-f]{32}", made.headers["X-Request-Id"])
    own = await world.client.get("/api/v1/me", headers={"X-Request-Id": "my-request.1"})
    assert own.headers["X-Request-Id"] == "my-request.1"
    assert own.json()["request"] == "my-request.1"
    for bad in ("short", "has spaces in it", "x" * 65, "new\tline-new-line"):
        answer = await world.client.get("/health", headers={"X-Request-Id": bad})
        assert answer.headers["X-Request-Id"] != bad


async def test_an_event_stands_under_the_id_of_its_request(world: World, superuser: Any) -> None:
    bedfordshire = await world.organisation("06F")
    lead = await world.person("Ann Lead", bedfordshire, Role.ADMINISTRATOR)
    answer = await lead.post(
        f"/organisations/{bedfordshire}/invitations",
        {"email": "new@market.example", "roles": ["commissioner"]},
        headers={"X-Request-Id": "invited-by-ann"},
    )
    assert answer.status_code == 201, answer.text
    action = await superuser.fetchval(
        "SELECT action FROM event WHERE request = 'invited-by-ann' AND person = $1", lead.id
    )
    assert action == "invitation.made"


async def test_a_request_is_logged_once_with_its_route_and_person_and_without_secrets(
    world: World,
) -> None:
    lead = await world.person("Ann Lead", await world.organisation("06F"), Role.COMMISSIONER)
    with capture_logs() as entries:
        answer = await lead.get("/organisations?q=a-secret-search")
        await world.client.post(
            "/api/v1/sessions", json={"email": lead.email, "password": PASSWORD}
        )
    first, second = requests_seen(entries)
    assert answer.status_code == 200, answer.text
    assert first["route"] == "/api/v1/organisations"
    assert first["person"] == str(lead.id)
    assert (first["method"], first["status"]) == ("GET", 200)
    assert first["milliseconds"] > 0
    assert second["status"] == 401
    said = json.dumps([first, second])
    for secret in ("a-secret-search", lead.token, PASSWORD, lead.email):
        assert secret not in said


async def test_measures_count_by_route_never_by_path(world: World) -> None:
    for slug in ("not-found", "stale"):
        assert (await world.client.get(f"/problems/{slug}")).status_code == 200
    assert (await world.client.get("/no/such/path")).status_code == 404
    text = (await world.client.get("/metrics")).text
    assert re.search(
        r'market_requests_total\{method="GET",route="/problems/\{slug\}",status="2xx"\} \d', text
    )
    assert 'route="unmatched"' in text
    assert "/no/such/path" not in text
    assert "/problems/stale" not in text
    assert re.search(r"market_pool_connections [1-9]", text)
    assert re.search(r'market_build_info\{version="[^"]+"\} 1', text)
    assert 'market_request_duration_seconds_bucket{le="0.1",method="GET",route="/health"}' in text


async def test_answers_are_closed_to_frames_sniffing_and_caches(world: World) -> None:
    lead = await world.person("Ann Lead", await world.organisation("06F"), Role.COMMISSIONER)
    for answer in (
        await lead.get("/me"),
        await lead.get("/organisations"),
        await world.client.post("/api/v1/sessions", json={}),
        await world.client.get("/no/such/path"),
    ):
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["X-Frame-Options"] == "DENY"
        policy = answer.headers["Content-Security-Policy"]
        assert policy == "default-src 'none'; frame-ancestors 'none'"
    public = await world.public("/organisations")
    assert public.headers["Cache-Control"] == "no-cache"


def client_of(app: Any) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(observed(app), raise_app_exceptions=False)  # type: ignore[arg-type]  # Litestar's types for ASGI, and httpx's
    return httpx.AsyncClient(transport=transport, base_url="http://market")


async def test_a_failure_outside_the_application_is_a_problem_too_and_tells_nothing() -> None:
    async def broken(scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG001  # ASGI's form
        message = "an inside of the programme"
        raise RuntimeError(message)

    with capture_logs() as entries:
        async with client_of(broken) as client:
            answer = await client.get("/anything")
    assert answer.status_code == 500
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json()["type"] == "/problems/internal-error"
    assert "inside" not in answer.text
    assert answer.json()["request"] == answer.headers["X-Request-Id"]
    unhandled = next(entry for entry in entries if entry["event"] == "unhandled")
    assert "an inside of the programme" in str(unhandled["exc_info"])
    assert requests_seen(entries)[0]["status"] == 500


async def test_a_failure_after_the_answer_has_begun_is_logged_and_not_answered_twice() -> None:
    sent: list[Any] = []

    async def half(scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG001  # ASGI's form
        await send({"type": "http.response.start", "status": 200, "headers": []})
        raise RuntimeError

    async def receive() -> Any:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    scope: Any = {"type": "http", "method": "GET", "path": "/", "headers": []}
    with capture_logs() as entries:
        await observed(half)(scope, receive, send)
    assert [message["type"] for message in sent] == ["http.response.start"]
    assert {"unhandled", "request"} == {entry["event"] for entry in entries}


async def test_the_log_is_one_json_object_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    before, root = structlog.get_config(), logging.getLogger()
    handlers, level = list(root.handlers), root.level
    configure_log("INFO")
    try:
        log = structlog.get_logger("test")
        log.info("said", number=1)
        log.debug("not said")
        log.error("failed", exc_info=ValueError("broken\nin two lines"))
    finally:
        structlog.configure(**before)
        root.handlers[:] = handlers
        root.setLevel(level)
    said, failed = capsys.readouterr().err.splitlines()
    assert json.loads(said)["number"] == 1
    assert json.loads(said)["level"] == "info"
    assert "ValueError: broken" in json.loads(failed)["exception"]
