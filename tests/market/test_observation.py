"""What is seen of a request: an id, one line, measures, closed headers; nothing that is secret."""

import json
import logging
import re
import subprocess
import sys
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
import structlog
from litestar.types import Receive, Scope, Send
from structlog.testing import capture_logs

from market.actor import Role
from market.observation.log import configure_log
from market.observation.requests import observed
from tests.makers.bids import asked, bid_body, give_bid
from tests.makers.suppliers import admitted_supplier
from tests.makers.tenders import published_tender
from tests.makers.world import PASSWORD, World

SEVERAL_PROCESSES = """
import asyncio, logging, sys
from types import SimpleNamespace
import structlog
from market.observation.measures import exposition
from market.observation.requests import observed

structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))

async def handle(scope, receive, send):
    scope["path_template"] = scope["path"]
    scope["route_handler"] = SimpleNamespace(opt={"submission": "/bids" in scope["path"]})
    await send({"type": "http.response.start", "status": 201, "headers": []})

async def ignore(message):
    pass

for path in sys.argv[1:]:
    scope = {"type": "http", "method": "POST", "path": path, "headers": []}
    asyncio.run(observed(handle)(scope, None, ignore))
print(exposition()[0].decode())
"""


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
    assert (await world.client.get("/health")).status_code == 200
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


async def _measures(world: World) -> list[str]:
    """What is measured, but for the process itself and for the reading of the measures."""
    text = (await world.client.get("/metrics")).text
    return [
        line
        for line in text.splitlines()
        if not line.startswith(("python_", "process_", "market_pool_")) and "/metrics" not in line
    ]


async def test_the_measures_do_not_tell_that_bids_arrive(world: World) -> None:
    tender = await published_tender(world)
    bidder = await admitted_supplier(world, "Greensand Analytics")
    await _measures(world)  # so that reading them is among them
    before = await _measures(world)
    with capture_logs() as entries:
        given = await give_bid(bidder, tender, 1)
        bid = f"/bids/{given.json()['bid']}"
        key = {"Idempotency-Key": str(uuid4())}
        body = bid_body(asked(tender, 1))
        answers = (
            given,
            await bidder.get("/bids"),
            await bidder.get(bid),
            await bidder.put(bid, body, version=1, headers=key),
            await bidder.delete(bid, version=2, headers={"Idempotency-Key": str(uuid4())}),
            await world.client.post(f"/api/v1{tender.path}/lots/1/bids", json=body),
        )
    statuses = [answer.status_code for answer in answers]
    assert statuses == [201, 200, 200, 200, 200, 401]
    assert len(requests_seen(entries)) == len(answers)  # the operator's log has them
    assert set(await _measures(world)) ^ set(before) == set()


def test_nor_do_the_measures_of_several_processes_together(tmp_path: Path) -> None:
    prefix = "/api/v1/tenders/{tender_id}/lots/{lot_number}"
    paths = (f"{prefix}/bids", "/api/v1/bids", "/api/v1/bids/{bid_id}", f"{prefix}/award")
    done = subprocess.run(  # noqa: S603  # this interpreter, a constant script
        [sys.executable, "-c", SEVERAL_PROCESSES, *paths],
        check=True,
        capture_output=True,
        text=True,
        env={"PROMETHEUS_MULTIPROC_DIR": str(tmp_path)},
        cwd=Path(__file__).parents[2],
    )
    assert f'{{method="POST",route="{prefix}/award",status="2xx"}} 1.0' in done.stdout
    assert "bids" not in done.stdout
