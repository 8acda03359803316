"""Webhooks through their lives: secrets replaced, paused, resumed, ended, forgotten."""

import asyncio
from typing import Any
from uuid import UUID, uuid4

from market.actor import Role
from market.background import Workbench
from market.webhooks.delivering import WebhookRetention
from tests.makers.clock import registrar
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
    working,
)
from tests.makers.world import Person, World

URL = "https://hooks.fenland-data.example/market?token=a-secret-of-theirs"


def _kind(answer: Any) -> str:
    return str(answer.json()["type"]).removeprefix("/problems/")


async def _rotate(person: Person, made: dict[str, Any], version: int, **body: Any) -> Any:
    return await person.post(f"/webhooks/{made['id']}/rotation", body, version=version)


async def _delivered(person: Person, made: dict[str, Any], count: int) -> bool:
    return len(await deliveries(person, made, outcome="delivered")) == count


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
