"""Health, readiness, the status page and the reference page, over HTTP and on a real database."""

import re
from typing import Any

import pytest

from market import database
from market.actor import Role
from market.errors import Stale
from market.problems import known_problems
from tests.makers.world import World


async def lines(world: World) -> dict[str, Any]:
    answer = await world.client.get("/status")
    assert answer.status_code == 200, answer.text
    return {line["name"]: line for line in answer.json()["lines"]}


async def test_it_lives_and_is_ready(world: World) -> None:
    assert (await world.client.get("/health")).json()["status"] == "alive"
    assert (await world.client.get("/ready")).json()["status"] == "ready"


async def test_it_lives_but_is_not_ready_without_its_database(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database.DB, "pool", None)
    assert (await world.client.get("/health")).status_code == 200
    for path in ("/ready", "/status"):
        answer = await world.client.get(path)
        assert answer.status_code == 503
        assert answer.headers["Retry-After"] == "2"
        assert answer.json()["type"] == "/problems/not-ready"
        assert answer.json()["errors"][0]["field"] == "database"
    monkeypatch.undo()


async def test_it_is_not_ready_before_every_migration_has_run(world: World, superuser: Any) -> None:
    await superuser.execute("DELETE FROM migration WHERE app_name = 'tenders'")
    answer = await world.client.get("/ready")
    assert answer.status_code == 503
    assert answer.json()["errors"][0]["field"] == "migrations"
    assert (await lines(world))["Migrations"]["mark"] == "missing"


async def test_the_status_finds_a_guard_that_was_switched_off(world: World, superuser: Any) -> None:
    before = await lines(world)
    assert before["Guards"]["mark"] == "good"
    assert before["Tables under guard"]["mark"] == "good"
    assert before["Guards against switching off"]["mark"] == "good"
    await superuser.execute("SET market.migrating = 'on'")
    await superuser.execute("ALTER TABLE event ENABLE TRIGGER append_only_event")
    await superuser.execute("DROP EVENT TRIGGER guards_stay")
    await superuser.execute("GRANT DELETE ON service_line TO market_app")
    after = await lines(world)
    assert "append_only_event" in after["Guards"]["found"]
    assert after["Guards"]["mark"] == "missing"
    assert after["Guards against switching off"]["found"] == "missing"
    assert "service_line" in after["Tables under guard"]["found"]
    assert not (await world.client.get("/status")).json()["complete"]


async def test_the_status_follows_the_clock_of_the_sandbox(world: World, superuser: Any) -> None:
    assert (await lines(world))["Clock"]["found"] == "real time"
    async with superuser.transaction():
        await superuser.execute(
            "INSERT INTO event (action, subject_kind, subject, request, details)"
            " VALUES ('clock.shifted', 'clock', gen_random_uuid(), 'test', '{}')"
        )
        await superuser.execute("UPDATE market_clock SET shift = interval '3 days'")
    assert (await lines(world))["Clock"]["found"].startswith("3 days")


async def test_a_browser_gets_the_status_as_a_page_with_sandbox_in_large_letters(
    world: World,
) -> None:
    answer = await world.client.get("/status", headers={"Accept": "text/html,*/*;q=0.8"})
    assert answer.headers["Content-Type"].startswith("text/html")
    assert '<p class="environment sandbox">SANDBOX</p>' in answer.text
    assert "Durable commits" in answer.text
    style = await world.client.get("/status/page.css")
    assert style.headers["Content-Type"].startswith("text/css")
    assert ".sandbox" in style.text


@pytest.mark.parametrize("path", ["/docs", "/status", "/problems"])
async def test_a_page_needs_nothing_from_outside(world: World, path: str) -> None:
    page = await world.client.get(path, headers={"Accept": "text/html"})
    assert page.headers["Content-Type"].startswith("text/html")
    assert "//" not in page.text.replace("<!DOCTYPE html>", "")
    assert not re.search(r"<script(?! src)|<style|\son\w+=|style=", page.text)
    policy = page.headers["Content-Security-Policy"]
    assert "script-src 'self';" in policy
    assert "http" not in policy
    for used in re.findall(r'(?:src|href)="(/(?:docs|status)/[^"]+)"', page.text):
        answer = await world.client.get(used)
        assert answer.status_code == 200, used
        assert len(answer.content) > 100


async def test_the_reference_starts_on_our_own_document_and_tells_nobody(world: World) -> None:
    script = (await world.client.get("/docs/start.js")).text
    assert 'url: "/openapi.json"' in script
    assert "validatorUrl: null" in script
    assert "http" not in script
    assert (await world.client.get("/docs/..%2f..%2fsettings.py")).status_code == 404


async def test_every_kind_of_problem_is_explained_where_its_type_leads(world: World) -> None:
    catalogue = (await world.client.get("/problems")).json()
    assert {kind["type"] for kind in catalogue} == {
        f"/problems/{kind.slug()}" for kind in known_problems()
    }
    for kind in catalogue:
        answer = await world.client.get(kind["type"])
        assert answer.json() == kind
        assert kind["title"].endswith((".", "?"))
        assert kind["meaning"]
    stale = (await world.client.get("/problems/stale")).json()
    assert (stale["status"], stale["title"]) == (412, Stale.title)
    missing = await world.client.get("/problems/no-such-thing")
    assert missing.status_code == 404
    page = await world.client.get("/problems/stale", headers={"Accept": "text/html"})
    assert "since you read it" in page.text


async def test_two_refusals_never_share_a_type() -> None:
    slugs = [kind.slug() for kind in known_problems()]
    assert len(slugs) == len(set(slugs))


async def test_a_token_that_works_no_more_does_not_close_what_is_public(world: World) -> None:
    person = await world.person("Ann Lead", await world.organisation("06F"), Role.COMMISSIONER)
    for token in (person.token, "mkt_nonsense"):
        headers = {"Authorization": f"Bearer {token}"}
        assert (await world.client.get("/status", headers=headers)).status_code == 200
