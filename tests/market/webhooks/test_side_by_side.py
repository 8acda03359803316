"""Side by side: receivers that hold up nobody, and workers that share the work."""

import asyncio
import ssl
from contextlib import AsyncExitStack
from functools import partial
from typing import Any
from uuid import uuid4

import pytest

from market.background import Workbench
from market.webhooks.delivering import WebhookDelivery, WebhookFanOut, WebhookUpkeep
from tests.makers.certificates import certificate
from tests.makers.webhooks import (
    SEEN,
    Behaviour,
    Receiver,
    always,
    attempts,
    deliveries,
    happen,
    look_once,
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
        await look_once(bench, superuser)
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
