"""Delivered: verified first, signed, what its maker's systems may see, and from where they said."""

import asyncio
from functools import partial
from typing import Any
from uuid import UUID, uuid4

from market.actor import Actor, Role
from market.background import Workbench
from market.events.queries import read_feed
from market.events.sequencing import Sequencer
from market.webhooks.delivering import WebhookDelivery, WebhookFanOut
from tests.makers.tenders import published_tender
from tests.makers.webhooks import (
    SEEN,
    Answer,
    Received,
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


async def test_what_happens_is_delivered_signed_once_the_receiver_has_answered_the_challenge(
    world: World, bench: Workbench
) -> None:
    person = await owner(world)
    async with receiving() as receiver, working(bench):
        made = await verified(person, receiver.url, types=["invitation.*"])
        assert made["secret"].startswith("whsec_")
        (event,) = await happen(person, uuid4())
        await until(lambda: bool(receiver.events))
    (challenge,) = receiver.got("webhook.verification")
    challenge.verified(made["secret"])
    assert len(challenge.said["data"]["challenge"]) > 40
    (got,) = receiver.events
    said = got.verified(made["secret"])
    assert said["type"] == SEEN
    assert said["data"]["id"] == str(event)
    assert said["timestamp"] == said["data"]["occurred_at"]
    assert got.headers["webhook-id"] == f"evt_{event}"
    assert got.headers["content-type"] == "application/json"
    assert got.headers["user-agent"].startswith("commissioning-support-market/")


async def test_a_delivery_is_what_the_feed_gives_its_maker_s_system(
    world: World, bench: Workbench
) -> None:
    person = await owner(world)
    async with receiving() as receiver, working(bench):
        await verified(person, receiver.url)
        await happen(person, uuid4(), uuid4())
        await happen(person, uuid4(), action="session.begun")  # nobody's to see but who did it
        tender = await published_tender(world)
        await until(lambda: bool(receiver.got("tender.published")))
        await until(lambda: len(receiver.got(SEEN)) >= 2)
    assert not [one for one in receiver.events if one.type.startswith("session.")]
    (public,) = receiver.got("tender.published")
    data = public.said["data"]
    assert (data["subject"], data["whole"], data["person"]) == (str(tender.id), False, None)
    assert all(one.said["data"]["whole"] for one in receiver.got(SEEN))


async def test_what_its_maker_does_as_a_person_is_not_delivered(
    world: World, bench: Workbench
) -> None:
    person = await owner(world)
    async with receiving() as receiver, working(bench):
        made = await verified(person, receiver.url)
        assert (await person.get("/sessions")).status_code == 200
        wrong = await person.post("/sessions/current/confirmation", {"password": "not mine at all"})
        assert wrong.status_code == 403
        (last,) = await happen(person, uuid4())
        await until(lambda: f"evt_{last}" in receiver.ids)
    kinds = {one.type.partition(".")[0] for one in receiver.events}
    assert kinds <= {"invitation", "webhook_subscription"}
    assert {one.said["data"]["subject"] for one in receiver.got("webhook_subscription.made")} <= {
        made["id"]
    }


async def test_nothing_is_delivered_until_the_challenge_is_given_back_and_nothing_is_lost(
    world: World, bench: Workbench
) -> None:
    person = await owner(world)
    async with receiving(lambda _: Answer(body=b'{"challenge": "guessed"}')) as receiver:
        made = await webhook(person, receiver.url, types=[SEEN])
        events = await happen(person, uuid4(), uuid4())
        async with working(bench):
            await until(lambda: _ended(person, made))
            view = await seen(person, made)
            assert view["state"] == "unverified"
            assert view["verification_failure"] == "Its answer did not give the challenge back."
            assert receiver.events == []
            receiver.behaves = well
            asked = await person.post(f"/webhooks/{made['id']}/verifications")
            assert asked.status_code == 202, asked.text
            assert asked.json()["kind"] == "verification"
            await until(lambda: len(receiver.ids) == 2)
        assert receiver.ids == {f"evt_{event}" for event in events}
        assert (await seen(person, made))["state"] == "active"
    sent = [one.said["data"]["challenge"] for one in receiver.got("webhook.verification")]
    assert len(sent) == len(set(sent)) > 1


async def _ended(person: Person, made: dict[str, Any]) -> bool:
    found = await deliveries(person, made)
    return bool(found) and found[0]["outcome"] is not None


async def test_an_answer_to_the_challenge_that_is_too_long_or_no_json_proves_nothing(
    world: World, bench: Workbench
) -> None:
    person = await owner(world)

    def rambling(request: Received) -> Answer:
        right = well(request)
        return Answer(body=right.body[:-1] + b"," + b" " * 20_000 + b'"more": 1}')

    async with (
        receiving(rambling) as long,
        receiving(lambda _: Answer(body=b"\xff\xfe" * 40)) as odd,
        receiving(lambda _: Answer(body=b"[" * 16_000)) as deep,
        receiving(lambda _: Answer(endless=True)) as endless,
        working(bench),
    ):
        made = [await webhook(person, one.url) for one in (long, odd, deep, endless)]
        for one in made:
            await until(partial(_ended, person, one))
        failures = [(await seen(person, one))["verification_failure"] for one in made]
    assert failures[0] == failures[3] == "Its answer was longer than 16,384 bytes."
    assert failures[1] == failures[2] == "Its answer did not give the challenge back."


async def test_it_begins_at_its_making_or_at_the_position_that_was_said(
    world: World, bench: Workbench
) -> None:
    person = await owner(world)
    async with receiving() as now, receiving() as whole, working(bench):
        first = await happen(person, uuid4(), uuid4())
        await until(lambda: _numbered(person, first))
        await verified(person, now.url, types=[SEEN])
        made = await verified(person, whole.url, types=[SEEN], after=0)
        assert made["start_after"] == 0
        second = await happen(person, uuid4())
        await until(lambda: len(whole.ids) == 3 and len(now.ids) == 1)
    assert now.ids == {f"evt_{event}" for event in second}
    assert whole.ids == {f"evt_{event}" for event in first + second}
    positions = [one.said["data"]["position"] for one in whole.events]
    assert len(positions) == 3


async def _numbered(person: Person, events: list[UUID]) -> bool:
    actor = Actor(person=person.id, organisation=person.organisation)
    feed = await read_feed(actor, after=0, limit=500)
    return {event.id for event in feed.items} >= set(events)


async def test_only_the_types_and_the_tender_asked_for_are_delivered(
    world: World, bench: Workbench
) -> None:
    person = await owner(world)
    async with receiving() as exact, receiving() as of_tender, working(bench):
        await verified(person, exact.url, types=["member.removed", "tender.abandoned"])
        first, second = await published_tender(world), await published_tender(world)
        await verified(person, of_tender.url, tender=str(second.id), after=0)
        await happen(person, uuid4())
        await happen(person, uuid4(), action="member.removed")
        await until(lambda: bool(exact.events and of_tender.got("tender.published")))
        await asyncio.sleep(0.3)
    assert {one.type for one in exact.events} == {"member.removed"}
    assert {one.said["data"]["tender"] for one in of_tender.events} == {str(second.id)}
    assert first.id != second.id


async def test_what_its_maker_is_not_shown_any_more_is_withdrawn(
    world: World, bench: Workbench
) -> None:
    person = await owner(world)
    both = await world.person("Bea Both", person.organisation, Role.ADMINISTRATOR, Role.BID_MANAGER)
    async with receiving() as receiver:
        async with working(bench):
            made = await verified(both, receiver.url, types=[SEEN])
        await happen(both, uuid4())
        await Sequencer(bench).run()
        await WebhookFanOut(bench).run()
        mine = (await both.get("/me")).json()["memberships"]
        ended = next(one["id"] for one in mine if one["role"] == "administrator")
        assert (await person.delete(f"/memberships/{ended}")).status_code == 204
        await WebhookDelivery(bench).run()
        (kept,) = [one for one in await deliveries(both, made) if one["type"] == SEEN]
        assert (kept["outcome"], kept["attempts"]) == ("withdrawn", 0)
        assert receiver.events == []
        assert await is_in(both, made, "active")  # it hangs on the other membership


async def test_the_log_says_of_every_attempt_when_for_how_long_and_what_failed(
    world: World, bench: Workbench
) -> None:
    person = await owner(world)
    async with receiving() as receiver, working(bench):
        made = await verified(person, receiver.url, types=[SEEN])
        answers = iter([Answer(503, body=b"a secret of theirs"), Answer(200)])
        receiver.behaves = lambda _: next(answers)
        await happen(person, uuid4())
        await until(lambda: _settled_twice(person, made))
        (one,) = [one for one in await deliveries(person, made) if one["type"] == SEEN]
        last, first = await attempts(person, made, one["id"])
    assert (first["status"], first["failure"]) == (503, "It answered 503.")
    assert (last["status"], last["failure"]) == (200, None)
    assert 0 <= first["milliseconds"] < 1000
    assert first["made_at"] < last["made_at"]
    assert one["outcome"] == "delivered"
    assert set(first) == {"made_at", "milliseconds", "status", "failure"}


async def _settled_twice(person: Person, made: dict[str, Any]) -> bool:
    found = [one for one in await deliveries(person, made) if one["type"] == SEEN]
    return bool(found) and found[0]["attempts"] == 2 and found[0]["outcome"] is not None
