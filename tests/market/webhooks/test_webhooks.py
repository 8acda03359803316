"""Webhooks through HTTP: made, shown once, rotated, paused, ended, listed, and refused by name."""

import asyncio
import base64
from typing import Any
from uuid import UUID, uuid4

import pytest
from structlog.testing import capture_logs

from market.actor import Role
from market.background import Workbench
from market.webhooks.delivering import WebhookRetention
from tests.makers.clock import registrar
from tests.makers.sign_in import let_sessions_age
from tests.makers.systems import keyed
from tests.makers.webhooks import (
    SEEN,
    deliveries,
    happen,
    is_in,
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


# -- rotating -------------------------------------------------------------------------------------


async def test_a_rotated_secret_signs_at_once_and_the_former_one_beside_it(
    world: World, bench: Workbench
) -> None:
    person = await owner(world)
    async with receiving() as receiver, working(bench):
        made = await verified(person, receiver.url, types=[SEEN])
        answer = await _rotate(person, made, 2)
        assert answer.status_code == 201, answer.text
        second = answer.json()
        assert second["secret"] != made["secret"]
        await happen(person, uuid4())
        await until(lambda: len(receiver.ids) == 1)
        (both,) = receiver.events
        assert len(both.headers["webhook-signature"].split(" ")) == 2
        both.verified(made["secret"])
        both.verified(second["secret"])
        view = await seen(person, made)
        assert [one["signs_until"] is None for one in view["secrets"]] == [True, False]

        leaked = await _rotate(person, made, second["version"], overlap_seconds=0)
        assert leaked.status_code == 201, leaked.text
        receiver.received.clear()
        await happen(person, uuid4())
        await until(lambda: len(receiver.ids) == 1)
    (alone,) = receiver.events
    alone.verified(leaked.json()["secret"])
    assert len(alone.headers["webhook-signature"].split(" ")) == 1


async def test_of_two_rotations_at_once_one_succeeds_and_says_the_secret_that_signs(
    world: World, superuser: Any
) -> None:
    person = await owner(world)
    made = await webhook(person, URL)
    answers = await asyncio.gather(*(_rotate(person, made, 1) for _ in range(4)))
    assert sorted(answer.status_code for answer in answers) == [201, 412, 412, 412]
    won = next(answer.json() for answer in answers if answer.status_code == 201)
    current = await superuser.fetchval(
        "SELECT id FROM webhook_secret WHERE subscription = $1 AND signs_until IS NULL",
        UUID(made["id"]),
    )
    assert str(current) == won["secret_id"]
    recorded = await superuser.fetchval(
        "SELECT count(*) FROM event WHERE action = 'webhook_subscription.rotated'"
    )
    assert recorded == 1


async def test_of_an_end_and_a_rotation_at_once_neither_leaves_half_of_itself(
    world: World, superuser: Any
) -> None:
    person = await owner(world)
    for _ in range(5):
        made = await webhook(person, URL)
        rotated, ended, paused = await asyncio.gather(
            _rotate(person, made, 1),
            person.delete(f"/webhooks/{made['id']}"),
            person.post(f"/webhooks/{made['id']}/pause", version=1),
        )
        assert ended.status_code == 204
        assert rotated.status_code in {201, 409, 412}
        assert paused.status_code in {200, 409, 412}
        assert (await seen(person, made))["state"] == "ended"
        secrets = await superuser.fetchval(
            "SELECT count(*) FROM webhook_secret WHERE subscription = $1", UUID(made["id"])
        )
        assert secrets == (2 if rotated.status_code == 201 else 1)


async def test_a_repeated_rotation_gives_the_same_secret_and_none_once_it_is_erased(
    world: World, bench: Workbench
) -> None:
    person = await owner(world)
    made = await webhook(person, URL)
    headers = {"Idempotency-Key": str(uuid4())}
    path = f"/webhooks/{made['id']}/rotation"
    first, second = [await person.post(path, {}, version=1, headers=headers) for _ in range(2)]
    assert first.status_code == second.status_code == 201
    assert first.json() == second.json()
    assert (await _rotate(person, made, 2, overlap_seconds=0)).status_code == 201
    await WebhookRetention(bench).run()
    third = await person.post(path, {}, version=1, headers=headers)
    assert third.json() == first.json() | {"secret": None}


async def test_at_most_four_secrets_sign(world: World) -> None:
    person = await owner(world)
    made = await webhook(person, URL)
    for version in (1, 2, 3):
        assert (await _rotate(person, made, version)).status_code == 201
    refused = await _rotate(person, made, 4)
    assert (refused.status_code, _kind(refused)) == (409, "too-many-secrets")
    assert (await _rotate(person, made, 4, overlap_seconds=0)).status_code == 201
    for seconds in (-1, 86_401):
        answer = await _rotate(person, made, 5, overlap_seconds=seconds)
        assert answer.status_code == 400


async def test_another_administrator_pauses_and_ends_it_and_does_nothing_else_with_it(
    world: World,
) -> None:
    boss = await owner(world)
    manager = await world.person("Bea", boss.organisation, Role.BID_MANAGER)
    made = await webhook(manager, URL)
    path = f"/webhooks/{made['id']}"
    paused = await boss.post(f"{path}/pause", version=1)
    assert (paused.status_code, paused.json()["state"]) == (200, "paused")
    assert paused.json()["paused_because"] == "by_person"
    for answer in (
        await boss.post(f"{path}/resumption", version=2),
        await _rotate(boss, made, 2),
        await boss.post(f"{path}/verifications"),
        await boss.post(f"{path}/replays", {"dead": True}),
    ):
        assert (answer.status_code, _kind(answer)) == (403, "not-your-webhook")
    resumed = await manager.post(f"{path}/resumption", version=2)
    assert (resumed.status_code, resumed.json()["state"]) == (200, "unverified")
    assert (await boss.delete(path)).status_code == 204
    view = await seen(manager, made)
    assert (view["state"], view["ended_because"]) == ("ended", "by_person")
    other = await webhook(manager, URL)
    rita = await registrar(world)
    assert (await rita.delete(f"/webhooks/{other['id']}")).status_code == 204
    assert (await seen(manager, other))["state"] == "ended"


async def test_states_are_kept_to(world: World) -> None:
    person = await owner(world)
    made = await webhook(person, URL)
    path = f"/webhooks/{made['id']}"
    not_paused = await person.post(f"{path}/resumption", version=1)
    assert (not_paused.status_code, _kind(not_paused)) == (409, "not-paused")
    assert (await person.post(f"{path}/pause", version=7)).status_code == 412
    assert (await person.post(f"{path}/pause")).status_code == 428
    assert (await person.post(f"{path}/pause", version=1)).status_code == 200
    again = await person.post(f"{path}/pause", version=2)
    assert (again.status_code, _kind(again)) == (409, "already-paused")
    assert (await person.delete(path)).status_code == 204
    assert (await person.delete(path)).status_code == 204
    for answer in (
        await person.post(f"{path}/pause", version=3),
        await person.post(f"{path}/resumption", version=3),
        await _rotate(person, made, 3),
        await person.post(f"{path}/verifications"),
        await person.post(f"{path}/replays", {"after": 0}),
    ):
        assert (answer.status_code, _kind(answer)) == (409, "webhook-ended")
    for nothing in (f"/webhooks/{uuid4()}", f"{path}/deliveries/{uuid4()}"):
        assert (await person.get(nothing)).status_code == 404


async def test_no_more_than_ten_requests_wait(world: World) -> None:
    person = await owner(world)
    made = await webhook(person, URL)
    path = f"/webhooks/{made['id']}/verifications"
    answers = await asyncio.gather(*(person.post(path) for _ in range(14)))
    statuses = [answer.status_code for answer in answers]
    assert statuses.count(202) == 9  # the first one is that of its making
    refused = next(answer for answer in answers if answer.status_code != 202)
    assert (refused.status_code, _kind(refused)) == (429, "too-many-webhook-requests")
    assert refused.headers["Retry-After"]


# -- ending by itself -----------------------------------------------------------------------------


async def test_a_webhook_dies_with_the_membership_by_which_it_was_made(
    world: World, bench: Workbench, superuser: Any
) -> None:
    boss = await owner(world)
    manager = await world.person("Bea", boss.organisation, Role.BID_MANAGER)
    async with receiving() as receiver, working(bench):
        made = await verified(manager, receiver.url)
        mine = (await manager.get("/me")).json()["memberships"]
        ended = await boss.delete(f"/memberships/{mine[0]['id']}")
        assert ended.status_code == 204
        await happen(boss, uuid4())
        await until(lambda: is_in(boss, made, "ended"))
        got = len(receiver.events)
        await happen(boss, uuid4(), action="bid.submitted")
        await asyncio.sleep(0.4)
        assert len(receiver.events) == got
    assert (await seen(boss, made))["ended_because"] == "membership_ended"
    recorded = await superuser.fetchrow(
        "SELECT person, organisation, details ->> 'because' FROM event"
        " WHERE action = 'webhook_subscription.stopped'"
    )
    assert tuple(recorded) == (None, boss.organisation, "membership_ended")


async def test_everything_that_is_done_with_a_webhook_is_an_event(
    world: World, bench: Workbench, superuser: Any
) -> None:
    person = await owner(world)
    async with receiving() as receiver, working(bench):
        made = await verified(person, receiver.url, types=[SEEN])
        path = f"/webhooks/{made['id']}"
        await _rotate(person, made, 2)
        await person.post(f"{path}/pause", version=3)
        await person.post(f"{path}/resumption", version=4)
        await person.post(f"{path}/verifications")
        await person.post(f"{path}/replays", {"dead": True})
        await person.delete(path)
    rows = await superuser.fetch(
        "SELECT split_part(action, '.', 2) AS act, person FROM event"
        " WHERE subject = $1 ORDER BY serial",
        UUID(made["id"]),
    )
    assert [row["act"] for row in rows] == [
        "made",
        "verified",
        "rotated",
        "paused",
        "resumed",
        "verification_asked",
        "replayed",
        "ended",
    ]
    assert [row["person"] is None for row in rows] == [False, True] + [False] * 6


async def test_attempts_and_deliveries_are_forgotten_after_thirty_days_and_secrets_that_ended(
    world: World, bench: Workbench, superuser: Any
) -> None:
    person = await owner(world)
    async with receiving() as receiver, working(bench):
        made = await verified(person, receiver.url, types=[SEEN])
        await happen(person, uuid4(), uuid4())
        await until(lambda: _delivered(person, made, 3))
        await _rotate(person, made, 2, overlap_seconds=0)
    old, young = [one["id"] for one in await deliveries(person, made)][:2]
    await superuser.execute(
        "UPDATE webhook_attempt SET made_at = made_at - interval '31 days' WHERE delivery = $1",
        UUID(old),
    )
    await superuser.execute(
        "UPDATE webhook_delivery SET settled_at = settled_at - interval '31 days' WHERE id = $1",
        UUID(old),
    )
    assert await WebhookRetention(bench).run() == 3600
    left = [one["id"] for one in await deliveries(person, made)]
    assert old not in left
    assert young in left
    assert await superuser.fetchval("SELECT count(*) FROM webhook_attempt") == 2
    wrapped = await superuser.fetch(
        "SELECT wrapped IS NULL AS erased FROM webhook_secret ORDER BY made_at"
    )
    assert [row["erased"] for row in wrapped] == [True, False]
    await person.delete(f"/webhooks/{made['id']}")
    await WebhookRetention(bench).run()
    assert await superuser.fetchval("SELECT count(wrapped) FROM webhook_secret") == 0


async def test_an_ended_webhook_s_waiting_deliveries_are_forgotten_as_well(
    world: World, superuser: Any, bench: Workbench
) -> None:
    person = await owner(world)
    made = await webhook(person, URL)
    await superuser.execute(
        "INSERT INTO webhook_delivery (id, subscription, event, position, type, subject, made_at,"
        " attempts) VALUES (gen_random_uuid(), $1, gen_random_uuid(), 1, 'a.b',"
        " gen_random_uuid(), now() - interval '90 days', 0)",
        UUID(made["id"]),
    )
    await person.delete(f"/webhooks/{made['id']}")
    count = "SELECT count(*) FROM webhook_delivery"
    await WebhookRetention(bench).run()
    assert await superuser.fetchval(count) == 1
    await _let_pass(superuser, made)
    await WebhookRetention(bench).run()
    assert await superuser.fetchval(count) == 0


async def _let_pass(superuser: Any, made: dict[str, Any]) -> None:
    """Let the webhook have ended a while ago, past the guards that are always on."""
    async with superuser.transaction():
        await superuser.execute("SET LOCAL market.migrating = 'on'")
        await superuser.execute("ALTER TABLE webhook_subscription DISABLE TRIGGER USER")
        await superuser.execute(
            "UPDATE webhook_subscription SET ended_at = ended_at - interval '31 days'"
            " WHERE id = $1",
            UUID(made["id"]),
        )
        await superuser.execute("ALTER TABLE webhook_subscription ENABLE TRIGGER USER")
