"""Receivers that fail: tried again in order, given up, delivered again; nobody else waits."""

import asyncio
import ssl
from contextlib import AsyncExitStack
from functools import partial
from typing import Any
from uuid import UUID, uuid4

import pytest

from market.background import Workbench
from market.events.sequencing import Sequencer
from market.webhooks.delivering import WebhookDelivery, WebhookFanOut, WebhookUpkeep
from market.webhooks.rules.retries import waits
from tests.makers.certificates import certificate
from tests.makers.webhooks import (
    SEEN,
    Answer,
    Behaviour,
    Received,
    Receiver,
    always,
    attempts,
    deliveries,
    happen,
    is_in,
    owner,
    receiving,
    seen,
    until,
    verified,
    webhook,
    well,
    working,
)
from tests.makers.world import Person, World


def _subjects(receiver: Receiver) -> list[tuple[str, int]]:
    """Of everything it got: the subject, and the number of the event."""
    data = [one.said["data"] for one in receiver.events]
    return [(one["subject"], one["details"]["number"]) for one in data]


async def _of_events(person: Person, made: dict[str, Any], **query: Any) -> list[dict[str, Any]]:
    found = await deliveries(person, made, **query)
    return [one for one in found if one["type"] != "webhook.verification"]


async def _settled(person: Person, made: dict[str, Any], count: int, outcome: str) -> bool:
    return len(await _of_events(person, made, outcome=outcome)) == count


async def test_a_later_event_of_a_subject_waits_for_the_earlier_one_and_other_subjects_go_on(
    world: World, bench: Workbench
) -> None:
    person = await owner(world)
    slow, quick = uuid4(), uuid4()
    failed: list[str] = []

    def fails_at_first(request: Received) -> Answer:
        if request.type != SEEN:
            return well(request)
        data = request.said["data"]
        if data["subject"] == str(slow) and data["details"]["number"] == 0 and len(failed) < 3:
            failed.append(data["id"])
            return Answer(500)
        return Answer()

    async with receiving() as receiver, working(bench):
        made = await verified(person, receiver.url, types=[SEEN])
        receiver.behaves = fails_at_first
        await happen(person, slow, slow, quick, slow, quick)
        await until(lambda: _settled(person, made, 5, "delivered"))
    got = _subjects(receiver)
    assert [number for subject, number in got if subject == str(slow)] == [0, 0, 0, 0, 1, 3]
    assert [number for subject, number in got if subject == str(quick)] == [2, 4]
    assert got.index((str(quick), 4)) < got.index((str(slow), 1))


async def test_after_the_last_attempt_a_delivery_is_dead_and_the_next_of_its_subject_goes_on(
    world: World, bench: Workbench
) -> None:
    person = await owner(world)
    subject = uuid4()
    async with receiving() as receiver, working(bench):
        made = await verified(person, receiver.url, types=[SEEN])
        receiver.behaves = lambda request: Answer(
            500 if request.said["data"]["details"]["number"] == 0 else 200
        )
        await happen(person, subject, subject)
        await until(lambda: _settled(person, made, 1, "delivered"))
        (dead,) = await _of_events(person, made, outcome="dead")
        assert (await seen(person, made))["dead"] == 1
        log = await attempts(person, made, dead["id"])
    planned = waits(bench.settings.webhook_first_retry, bench.settings.webhook_retry_span)
    assert dead["attempts"] == len(log) == len(planned) + 1
    assert {one["failure"] for one in log} == {"It answered 500."}
    assert [number for _, number in _subjects(receiver)] == [0] * len(log) + [1]


async def test_what_died_is_delivered_again_on_demand_one_all_or_from_a_position(
    world: World, bench: Workbench
) -> None:
    person = await owner(world)
    async with receiving() as receiver, working(bench):
        made = await verified(person, receiver.url, types=[SEEN])
        receiver.behaves = always(status=500)
        events = await happen(person, uuid4(), uuid4(), uuid4())
        await until(lambda: _settled(person, made, 3, "dead"))
        receiver.behaves = well
        receiver.received.clear()
        path = f"/webhooks/{made['id']}/replays"
        one = next(
            one
            for one in await _of_events(person, made, outcome="dead")
            if one["event"] == str(events[1])
        )
        asked = await person.post(path, {"delivery": one["id"]})
        assert asked.status_code == 202, asked.text
        await until(lambda: _settled(person, made, 1, "delivered"))
        assert receiver.ids == {f"evt_{events[1]}"}
        assert (await person.post(path, {"dead": True})).status_code == 202
        await until(lambda: _settled(person, made, 3, "delivered"))
        assert [one.headers["webhook-id"] for one in receiver.events].count(f"evt_{events[1]}") == 1
        assert receiver.ids == {f"evt_{event}" for event in events}
        receiver.received.clear()
        asked = await person.post(path, {"after": one["position"] - 1})
        assert asked.status_code == 202
        await until(lambda: len(receiver.events) == 2)
        await until(lambda: _settled(person, made, 3, "delivered"))
    assert receiver.ids == {f"evt_{events[1]}", f"evt_{events[2]}"}


async def test_a_replay_from_a_position_also_brings_what_was_forgotten_or_never_wanted(
    world: World, bench: Workbench, superuser: Any
) -> None:
    person = await owner(world)
    async with receiving() as receiver, working(bench):
        early = await happen(person, uuid4())
        await until(lambda: _all_numbered(superuser))
        made = await verified(person, receiver.url, types=[SEEN])
        late = await happen(person, uuid4())
        await until(lambda: _settled(person, made, 1, "delivered"))
        assert receiver.ids == {f"evt_{late[0]}"}
        asked = await person.post(f"/webhooks/{made['id']}/replays", {"after": 0})
        assert asked.status_code == 202
        await until(lambda: _settled(person, made, 2, "delivered"))
    assert receiver.ids == {f"evt_{event}" for event in early + late}


async def _all_numbered(superuser: Any) -> bool:
    return bool(
        await superuser.fetchval(
            "SELECT (SELECT count(*) FROM event) = (SELECT count(*) FROM event_position)"
        )
    )


async def test_what_still_waits_or_is_another_s_is_not_replayed(
    world: World, bench: Workbench
) -> None:
    person = await owner(world)
    async with receiving() as receiver, working(bench):
        made = await verified(person, receiver.url, types=[SEEN])
        other = await verified(person, receiver.url, types=["member.*"])
        (challenge,) = await deliveries(person, made)
    for delivery, status in ((challenge["id"], 409), (str(uuid4()), 404)):
        answer = await person.post(f"/webhooks/{made['id']}/replays", {"delivery": delivery})
        assert answer.status_code == status, answer.text
    elsewhere = {"delivery": challenge["id"]}
    answer = await person.post(f"/webhooks/{other['id']}/replays", elsewhere)
    assert answer.status_code == 404
    for body in ({}, {"dead": True, "after": 3}, {"after": -1}, {"dead": False}):
        answer = await person.post(f"/webhooks/{made['id']}/replays", body)
        assert answer.status_code == 400, body


async def test_after_ten_dead_in_a_row_a_webhook_pauses_itself_and_resumed_it_has_ten_more(
    world: World, bench: Workbench, superuser: Any
) -> None:
    person = await owner(world)
    async with receiving() as receiver, working(bench):
        made = await verified(person, receiver.url, types=[SEEN])
        receiver.behaves = always(status=500)
        await happen(person, *(uuid4() for _ in range(12)))
        await until(lambda: is_in(person, made, "paused"))
        view = await seen(person, made)
        assert view["paused_because"] == "too_many_dead"
        assert 10 <= view["dead"] <= 12
        receiver.behaves = well
        resumed = await person.post(f"/webhooks/{made['id']}/resumption", version=view["version"])
        assert resumed.status_code == 200, resumed.text
        assert resumed.json()["state"] == "active"
        assert (await person.post(f"/webhooks/{made['id']}/replays", {"dead": True})).status_code
        await until(lambda: _settled(person, made, 12, "delivered"))
        assert await is_in(person, made, "active")
    recorded = await superuser.fetch(
        "SELECT person, details ->> 'because' AS because FROM event"
        " WHERE action = 'webhook_subscription.paused'"
    )
    assert [tuple(row) for row in recorded] == [(None, "too_many_dead")]


async def test_a_receiver_that_is_gone_ends_the_webhook(
    world: World, bench: Workbench, superuser: Any
) -> None:
    person = await owner(world)
    async with receiving() as receiver, working(bench):
        made = await verified(person, receiver.url, types=[SEEN])
        receiver.behaves = always(status=410)
        await happen(person, uuid4())
        await until(lambda: is_in(person, made, "ended"))
        assert (await seen(person, made))["ended_because"] == "receiver_gone"
        got = len(receiver.events)
        await happen(person, uuid4())
        await asyncio.sleep(0.4)
        assert len(receiver.events) == got == 1
    assert (
        await superuser.fetchval(
            "SELECT details ->> 'because' FROM event WHERE action = 'webhook_subscription.stopped'"
        )
        == "receiver_gone"
    )


async def test_a_receiver_that_asks_for_time_gets_it_within_bounds(
    world: World, bench: Workbench, superuser: Any
) -> None:
    person = await owner(world)
    async with receiving() as receiver:
        async with working(bench):
            made = await verified(person, receiver.url, types=[SEEN])
        await superuser.execute("UPDATE webhook_cursor SET fanned_out_at = now()")
        receiver.behaves = always(status=503, headers={"Retry-After": "100000"})
        await happen(person, uuid4())
        await Sequencer(bench).run()
        await WebhookFanOut(bench).run()
        await WebhookDelivery(bench).run()
    (waiting,) = await _of_events(person, made)
    pause = await superuser.fetchval(
        "SELECT extract(epoch FROM d.next_attempt_at - a.made_at)::float8 FROM webhook_delivery d"
        " JOIN webhook_attempt a ON a.delivery = d.id WHERE d.id = $1",
        UUID(waiting["id"]),
    )
    assert waiting["attempts"] == 1
    assert 0.05 <= pause < 0.5  # the longest wait of this schedule, not a day


# ------------------------------------------------------------------------- nobody waits for another


async def test_of_seven_receivers_at_once_six_that_fail_hold_up_nobody_and_lose_nothing(
    world: World, bench: Workbench
) -> None:
    """Down, silent, failing, redirecting, endless, with a bad certificate; and one that is well."""
    person = await owner(world)
    subjects = [uuid4() for _ in range(4)]
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    async with AsyncExitStack() as stack, working(bench):
        tls.load_cert_chain(*stack.enter_context(certificate("127.0.0.1")))
        trap = await stack.enter_async_context(receiving())
        failing: dict[str, Behaviour] = {
            "silent": always(never=True),
            "broken": always(status=500),
            "redirecting": always(status=302, headers={"Location": trap.url}),
            "endless": always(status=500, endless=True),
        }
        ill = {name: await stack.enter_async_context(receiving()) for name in failing}
        ill["down"] = await stack.enter_async_context(receiving())
        well_one = await stack.enter_async_context(receiving())
        untrusted = await stack.enter_async_context(receiving(tls=tls))
        made = {name: await verified(person, one.url, types=[SEEN]) for name, one in ill.items()}
        good = await verified(person, well_one.url, types=[SEEN])
        bad_tls = await webhook(person, untrusted.url, types=[SEEN])
        for name, behaviour in failing.items():
            ill[name].behaves = behaviour
        await ill["down"].stop()

        began = asyncio.get_running_loop().time()
        events = await happen(person, *subjects, *subjects)
        wanted = {f"evt_{event}" for event in events}
        await until(lambda: well_one.ids == wanted)
        assert asyncio.get_running_loop().time() - began < 5
        await until(lambda: _settled(person, good, 8, "delivered"))
        assert [number for _, number in _subjects(well_one)].count(0) == 1

        await until(lambda: _tried_by_all(person, [*made.values()]))
        words = {name: await _failure(person, one) for name, one in made.items()}
        assert words == {
            "silent": "It did not answer within 1 seconds.",
            "broken": "It answered 500.",
            "redirecting": "It answered 302: redirects are not followed. Make a webhook for the"
            " new URL.",
            "endless": "It answered 500.",
            "down": "It could not be connected to.",
        }
        view = await seen(person, bad_tls)
        assert view["state"] == "unverified"
        assert view["verification_failure"].startswith("Its TLS certificate is not good:")
        assert ill["silent"].most_at_once <= 2
        assert trap.received == untrusted.received == []

        # they get well, and get everything: what is dead by now, when it is asked for
        for name in failing:
            ill[name].behaves = well
        await ill["down"].start()
        for one in made.values():
            await until(partial(_nothing_waits, person, one))
            view = await seen(person, one)
            if view["state"] == "paused":
                path = f"/webhooks/{one['id']}/resumption"
                assert (await person.post(path, version=view["version"])).status_code == 200
            replayed = await person.post(f"/webhooks/{one['id']}/replays", {"dead": True})
            assert replayed.status_code == 202
        for name, one in made.items():
            await until(partial(_settled, person, one, 8, "delivered"))
            assert ill[name].ids == wanted, name


async def _tried_by_all(person: Person, made: list[dict[str, Any]]) -> bool:
    found = [await _of_events(person, one) for one in made]
    return all(any(one["attempts"] for one in every) for every in found)


async def _nothing_waits(person: Person, made: dict[str, Any]) -> bool:
    view = await seen(person, made)
    return bool(view["waiting"] == 0 or view["state"] == "paused")


async def _failure(person: Person, made: dict[str, Any]) -> str:
    tried = next(one for one in await _of_events(person, made) if one["attempts"])
    return str((await attempts(person, made, tried["id"]))[-1]["failure"])


# ------------------------------------------------------------------------------- several workers


async def test_two_workers_share_the_work_and_one_that_is_killed_loses_nothing(
    world: World, bench: Workbench, superuser: Any
) -> None:
    person = await owner(world)
    subjects = [uuid4() for _ in range(10)]
    async with receiving() as receiver, working(bench):
        made = await verified(person, receiver.url, types=[SEEN])
        receiver.behaves = always(after=0.05)
        other = asyncio.create_task(_deliver_for_ever(bench))
        events = await happen(person, *subjects, *subjects)
        await until(lambda: len(receiver.ids) >= 4)
        receiver.behaves = always(never=True)
        await until(lambda: receiver.at_once == 2)
        other.cancel()
        await asyncio.gather(other, return_exceptions=True)
        receiver.behaves = well
        # leases end long after the test's patience: end them, as time would
        await superuser.execute("UPDATE webhook_delivery SET claimed_until = clock_timestamp()")
        await until(lambda: _settled(person, made, 20, "delivered"))
    assert receiver.ids == {f"evt_{event}" for event in events}
    assert receiver.most_at_once <= 2 + 2  # two of one webhook, and two whose lease was ended
    for subject in subjects:
        first = [number for name, number in _subjects(receiver) if name == str(subject)]
        assert first == sorted(first), "in order, though some came twice"


async def _deliver_for_ever(bench: Workbench) -> None:
    task = WebhookDelivery(bench)
    while True:
        pause = await task.run()
        await asyncio.sleep(min(pause, 0.05))


async def test_a_lease_that_runs_is_nobody_else_s_and_one_that_ended_is_taken_over(
    world: World, bench: Workbench, superuser: Any
) -> None:
    person = await owner(world)
    async with receiving() as receiver:
        async with working(bench):
            made = await verified(person, receiver.url, types=[SEEN])
        receiver.behaves = always(never=True)
        await happen(person, uuid4())
        await Sequencer(bench).run()
        await WebhookFanOut(bench).run()
        killed = asyncio.create_task(WebhookDelivery(bench).run())
        await until(lambda: receiver.at_once == 1)
        killed.cancel()
        await asyncio.gather(killed, return_exceptions=True)
        receiver.behaves = well
        await WebhookDelivery(bench).run()
        assert len(receiver.events) == 1
        await superuser.execute("UPDATE webhook_delivery SET claimed_until = clock_timestamp()")
        await WebhookDelivery(bench).run()
        assert await _settled(person, made, 1, "delivered")
    assert len(receiver.events) == 2
    assert len(receiver.ids) == 1


async def test_eight_workers_deliver_everything_once_while_nobody_dies(
    world: World, bench: Workbench
) -> None:
    person = await owner(world)
    async with receiving() as receiver, working(bench):
        made = await verified(person, receiver.url, types=[SEEN])
        others = [asyncio.create_task(_deliver_for_ever(bench)) for _ in range(3)]
        looking = [asyncio.create_task(_fan_out_for_ever(bench)) for _ in range(4)]
        events = [
            event
            for _ in range(10)
            for event in await happen(person, *(uuid4() for _ in range(10)))
        ]
        await until(lambda: _settled(person, made, 100, "delivered"))
        for task in others + looking:
            task.cancel()
        await asyncio.gather(*others, *looking, return_exceptions=True)
    assert len(receiver.events) == 100
    assert receiver.ids == {f"evt_{event}" for event in events}
    assert receiver.most_at_once <= 2


async def _fan_out_for_ever(bench: Workbench) -> None:
    task, upkeep = WebhookFanOut(bench), WebhookUpkeep(bench)
    while True:
        await upkeep.run()
        await asyncio.sleep(min(await task.run(), 0.02))


@pytest.mark.parametrize("act", ["end", "pause"])
async def test_what_is_ended_or_paused_while_it_delivers_delivers_no_more(
    world: World, bench: Workbench, act: str
) -> None:
    person = await owner(world)
    async with receiving() as receiver, working(bench):
        made = await verified(person, receiver.url, types=[SEEN])
        receiver.behaves = always(after=0.1)
        await happen(person, *(uuid4() for _ in range(30)))
        await until(lambda: len(receiver.events) >= 2)
        if act == "end":
            answer = await person.delete(f"/webhooks/{made['id']}")
            assert answer.status_code == 204
        else:
            version = (await seen(person, made))["version"]
            answer = await person.post(f"/webhooks/{made['id']}/pause", version=version)
            assert answer.status_code == 200
        await until(lambda: receiver.at_once == 0)
        await asyncio.sleep(0.3)
        got = len(receiver.events)
        await asyncio.sleep(0.3)
        assert len(receiver.events) == got < 30
        if act == "pause":
            view = await seen(person, made)
            path = f"/webhooks/{made['id']}/resumption"
            assert (await person.post(path, version=view["version"])).status_code == 200
            receiver.behaves = well
            await until(lambda: _settled(person, made, 30, "delivered"))
