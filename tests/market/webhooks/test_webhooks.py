"""Webhooks through HTTP: made, shown once, rotated, paused, ended, listed, and refused by name."""

import asyncio
import base64
from typing import Any
from uuid import uuid4

import pytest
from structlog.testing import capture_logs

from market.actor import Role
from market.background import Workbench
from tests.makers.clock import registrar
from tests.makers.sign_in import let_sessions_age
from tests.makers.systems import keyed
from tests.makers.webhooks import (
    SEEN,
    deliveries,
    happen,
    owner,
    receiving,
    seen,
    until,
    verified,
    webhook,
    webhooks_path,
    working,
)
from tests.makers.world import Person, World

URL = "https://hooks.fenland-data.example/market?token=a-secret-of-theirs"


def _kind(answer: Any) -> str:
    return str(answer.json()["type"]).removeprefix("/problems/")


async def _rotate(person: Person, made: dict[str, Any], version: int, **body: Any) -> Any:
    return await person.post(f"/webhooks/{made['id']}/rotation", body, version=version)


# -- making ---------------------------------------------------------------------------------------


async def test_a_webhook_is_made_with_a_secret_that_is_shown_once(world: World) -> None:
    person = await owner(world)
    body = {"url": URL, "types": ["bid.*", "tender.published", "bid.*"], "after": 0}
    answer = await person.post(webhooks_path(person), body)
    assert answer.status_code == 201, answer.text
    assert answer.headers["ETag"] == '"1"'
    made = answer.json()
    assert made["secret"].startswith("whsec_")
    assert made["types"] == ["bid.*", "tender.published"]
    view = await seen(person, made)
    assert (view["state"], view["url"], view["position"]) == ("unverified", URL, 0)
    assert [one["id"] for one in view["secrets"]] == [made["secret_id"]]
    assert made["secret"] not in str(view)


async def test_a_repeated_request_gets_the_same_webhook_and_secret(
    world: World, superuser: Any
) -> None:
    person = await owner(world)
    headers = {"Idempotency-Key": str(uuid4())}
    first, second = [
        await person.post(webhooks_path(person), {"url": URL}, headers=headers) for _ in range(2)
    ]
    assert first.json() == second.json()
    assert await superuser.fetchval("SELECT count(*) FROM webhook_subscription") == 1


async def test_the_secret_and_what_the_url_hides_are_in_no_table_event_or_log(
    world: World, bench: Workbench, superuser: Any
) -> None:
    person = await owner(world)
    with capture_logs() as logs:
        async with receiving() as receiver, working(bench):
            made = await verified(person, receiver.url + "?token=hidden-in-the-url", types=[SEEN])
            rotated = (await _rotate(person, made, 2)).json()
            await happen(person, uuid4())
            await until(lambda: bool(receiver.events))
            receiver.events[0].verified(rotated["secret"])
    tables = await superuser.fetch("SELECT relname FROM pg_class WHERE relkind = 'r'")
    for (table,) in tables:
        if table.startswith("pg_"):
            continue
        every = f"SELECT coalesce(string_agg(t::text, ''), '') FROM {table} t"  # noqa: S608  # names of the catalogue
        text = await superuser.fetchval(every) if not table.startswith("sql_") else ""
        for secret in (made["secret"], rotated["secret"]):
            letters = secret.removeprefix("whsec_")
            # bytes are shown as hexadecimal digits: of what was written, and of the secret itself
            for form in (letters, letters.encode().hex(), base64.b64decode(letters).hex()):
                assert form not in text, table
        if table in {"event", "event_private"}:
            assert "hidden-in-the-url" not in text
    assert "hidden-in-the-url" not in str(logs)
    assert made["secret"] not in str(logs)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"url": "ftp://hooks.example.org/"}, "url"),
        ({"url": "https://169.254.169.254/latest"}, "url"),
        ({"url": "https://user:word@hooks.example.org/"}, "url"),
        ({"url": "https://hooks.example.org/" + "x" * 2000}, "url"),
        ({"url": ""}, "url"),
        ({"types": ["bid"]}, "types[0]"),
        ({"types": ["*"]}, "types[0]"),
        ({"types": ["Bid.submitted"]}, "types[0]"),
        ({"types": ["bid.submitted\n"]}, "types[0]"),
        ({"types": [f"bid.{'x' * 80}"]}, "types[0]"),
        ({"types": ["bid.submitted"] * 21}, "types"),
        ({"tender": "the first"}, "tender"),
        ({"after": -1}, "after"),
        ({"after": 2**53}, "after"),
        ({"secret": "mine"}, "secret"),
    ],
)
async def test_a_webhook_that_cannot_be_is_refused_at_its_field(
    world: World, changes: dict[str, Any], field: str
) -> None:
    person = await owner(world)
    answer = await person.post(webhooks_path(person), {"url": URL} | changes)
    assert answer.status_code == 400, answer.text
    assert field in [fault["field"] for fault in answer.json()["errors"]]


async def test_a_position_beyond_the_log_s_end_is_its_end(
    world: World, bench: Workbench, superuser: Any
) -> None:
    person = await owner(world)
    async with working(bench):
        await until(lambda: _numbered(superuser))
    made = await webhook(person, URL, after=2**53 - 1)
    assert made["start_after"] == await superuser.fetchval("SELECT position FROM sequencer")


async def _numbered(superuser: Any) -> bool:
    return bool(await superuser.fetchval("SELECT position > 0 FROM sequencer"))


async def test_webhooks_are_made_by_administrators_and_bid_managers_for_themselves(
    world: World,
) -> None:
    boss = await owner(world)
    commissioner = await world.person("Cora", boss.organisation, Role.COMMISSIONER)
    refused = await commissioner.post(webhooks_path(commissioner), {"url": URL})
    assert (refused.status_code, _kind(refused)) == (403, "not-for-this-organisation")
    manager = await world.person("Bea", boss.organisation, Role.BID_MANAGER)
    elsewhere = f"/organisations/{await world.organisation('06P')}/webhooks"
    assert (await manager.post(elsewhere, {"url": URL})).status_code == 404
    assert (await manager.post(webhooks_path(manager), {"url": URL})).status_code == 201
    system = await keyed(boss)
    refused = await system.post(webhooks_path(boss), {"url": URL})
    assert (refused.status_code, _kind(refused)) == (403, "beyond-scope")


async def test_an_old_session_makes_and_rotates_nothing(world: World, superuser: Any) -> None:
    person = await owner(world)
    made = await webhook(person, URL)
    await let_sessions_age(superuser, person.id)
    for answer in (
        await person.post(webhooks_path(person), {"url": URL}),
        await _rotate(person, made, 1),
    ):
        assert (answer.status_code, _kind(answer)) == (403, "fresh-sign-in-needed")
    assert (await person.post(f"/webhooks/{made['id']}/pause", version=1)).status_code == 200


async def test_of_many_who_make_webhooks_at_once_twenty_get_one(
    world: World, superuser: Any
) -> None:
    first, second = await owner(world), await owner(world, "Berta")
    answers = await asyncio.gather(
        *(
            person.post(webhooks_path(person), {"url": URL})
            for person in (first, second)
            for _ in range(12)
        )
    )
    statuses = [answer.status_code for answer in answers]
    assert statuses.count(201) == 20
    assert {_kind(one) for one in answers if one.status_code != 201} == {"too-many-webhooks"}
    present = await superuser.fetchval(
        "SELECT count(*) FROM webhook_subscription WHERE ended_at IS NULL"
    )
    assert present == 20
    ended = next(answer.json()["id"] for answer in answers if answer.status_code == 201)
    for person in (first, second):
        await person.delete(f"/webhooks/{ended}")
    assert (await first.post(webhooks_path(first), {"url": URL})).status_code == 201


# -- seeing ---------------------------------------------------------------------------------------


async def test_administrators_see_all_webhooks_of_their_organisation_and_others_their_own(
    world: World,
) -> None:
    boss = await owner(world)
    manager = await world.person("Bea", boss.organisation, Role.BID_MANAGER)
    of_boss, of_manager = await webhook(boss, URL), await webhook(manager, URL)
    seen_by_boss = (await boss.get(webhooks_path(boss))).json()["items"]
    assert [one["id"] for one in seen_by_boss] == [of_manager["id"], of_boss["id"]]
    assert [one["secrets"] != [] for one in seen_by_boss] == [False, True]
    seen_by_manager = (await manager.get(webhooks_path(manager))).json()["items"]
    assert [one["id"] for one in seen_by_manager] == [of_manager["id"]]
    assert (await manager.get(f"/webhooks/{of_boss['id']}")).status_code == 404
    rita = await registrar(world)
    listed = await rita.get(webhooks_path(boss))
    assert [one["id"] for one in listed.json()["items"]] == [of_manager["id"], of_boss["id"]]
    stranger = await world.person(
        "Sid Stranger", await world.organisation("06P"), Role.ADMINISTRATOR
    )
    assert (await stranger.get(webhooks_path(boss))).status_code == 404
    for path in ("", "/deliveries", f"/deliveries/{uuid4()}"):
        assert (await stranger.get(f"/webhooks/{of_boss['id']}{path}")).status_code == 404


async def test_lists_are_pages_the_newest_first(world: World) -> None:
    person = await owner(world)
    made = [(await webhook(person, URL))["id"] for _ in range(3)]
    first = await person.get(webhooks_path(person), params={"limit": 2})
    assert [one["id"] for one in first.json()["items"]] == [made[2], made[1]]
    following = first.json()["next"]
    assert f"cursor={following}" in first.headers["Link"]
    second = await person.get(webhooks_path(person), params={"limit": 2, "cursor": following})
    assert [one["id"] for one in second.json()["items"]] == [made[0]]
    assert second.json()["next"] is None
    for cursor in ("nonsense", "WyJhIiwiYiJd"):
        wrong = await person.get(webhooks_path(person), params={"cursor": cursor})
        assert wrong.status_code == 400


async def test_deliveries_are_pages_and_picked_by_how_they_ended(
    world: World, bench: Workbench
) -> None:
    person = await owner(world)
    async with receiving() as receiver, working(bench):
        made = await verified(person, receiver.url, types=[SEEN])
        await happen(person, *(uuid4() for _ in range(4)))
        await until(lambda: _delivered(person, made, 5))
    path = f"/webhooks/{made['id']}/deliveries"
    first = (await person.get(path, params={"limit": 3, "outcome": "delivered"})).json()
    more = {"limit": 3, "outcome": "delivered", "cursor": first["next"]}
    second = (await person.get(path, params=more)).json()
    assert len(first["items"]) == 3
    assert len(second["items"]) == 2
    assert len({one["id"] for one in first["items"] + second["items"]}) == 5
    assert await deliveries(person, made, outcome="dead") == []
    assert (await person.get(path, params={"outcome": "lost"})).status_code == 400


async def _delivered(person: Person, made: dict[str, Any], count: int) -> bool:
    return len(await deliveries(person, made, outcome="delivered")) == count
