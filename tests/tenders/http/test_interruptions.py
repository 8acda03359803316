"""An outage in the last hour becomes a proposal to extend, which somebody decides first."""

import asyncio
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest
from structlog.testing import capture_logs

from market.background import Workbench
from tenders.closing import ManifestFixing
from tenders.pulse import Pulse, beat
from tests.makers.bids import close_bidding, confirm, declare, give_bid, some_suppliers, submit
from tests.makers.clock import advance_to
from tests.makers.interruptions import (
    TOLERATED,
    decide,
    fall_silent,
    interrupt,
    proposals_of,
)
from tests.makers.tenders import PublishedTender, published_tender
from tests.makers.world import World

TEN_MINUTES = timedelta(minutes=10)


@pytest.fixture
async def tender(world: World) -> PublishedTender:
    return await published_tender(world, lots=1)


def problem(answer: httpx.Response, status: int, kind: str) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    found: dict[str, Any] = answer.json()
    assert found["type"] == f"/problems/{kind}", found
    return found


async def test_an_outage_in_the_last_hour_is_proposed_to_the_manager(
    world: World, tender: PublishedTender, superuser: Any
) -> None:
    await interrupt(world, tender, superuser, before=TEN_MINUTES)
    [proposal] = await proposals_of(tender)
    began, ended = (datetime.fromisoformat(proposal[name]) for name in ("began_at", "ended_at"))
    assert timedelta(seconds=299) < ended - began < timedelta(seconds=310)
    assert tender.deadline - TEN_MINUTES <= ended < tender.deadline
    assert datetime.fromisoformat(proposal["deadline"]) == tender.deadline
    assert (proposal["outcome"], proposal["amendment"], proposal["decided_at"]) == (None,) * 3
    recorded = await superuser.fetch(
        "SELECT action, person, tender FROM event"
        " WHERE action IN ('service.interrupted', 'extension.proposed') ORDER BY serial"
    )
    assert [(row["action"], row["person"], row["tender"]) for row in recorded] == [
        ("service.interrupted", None, None),
        ("extension.proposed", None, tender.id),
    ]
    record = (await tender.manager.get(f"{tender.path}/record")).json()
    assert "extension.proposed" in {entry["action"] for entry in record["items"]}


@pytest.mark.parametrize(
    ("before", "seconds"),
    [
        (timedelta(hours=1, minutes=1), 300),  # over before the last hour
        (TEN_MINUTES, 20),  # no longer than is tolerated
    ],
)
async def test_what_is_earlier_or_shorter_is_not_proposed(
    world: World, tender: PublishedTender, superuser: Any, before: timedelta, seconds: int
) -> None:
    await interrupt(world, tender, superuser, before=before, seconds=seconds)
    assert await proposals_of(tender) == []


async def test_one_that_began_after_the_deadline_is_not_proposed(
    world: World, tender: PublishedTender, superuser: Any
) -> None:
    await interrupt(world, tender, superuser, before=-TEN_MINUTES, seconds=300)
    assert await proposals_of(tender) == []
    assert await superuser.fetchval("SELECT count(*) FROM interruption") == 1


async def test_the_sandbox_s_shifts_are_no_interruption(
    world: World, tender: PublishedTender, superuser: Any
) -> None:
    await beat(TOLERATED)
    await close_bidding(world, tender)
    await beat(TOLERATED)
    assert await superuser.fetchval("SELECT count(*) FROM interruption") == 0


async def test_of_many_processes_that_come_back_at_once_one_tells(
    world: World, tender: PublishedTender, superuser: Any
) -> None:
    await advance_to(world, tender.deadline - TEN_MINUTES)
    await fall_silent(superuser, 300)
    await asyncio.gather(*(beat(TOLERATED) for _ in range(8)))
    assert await superuser.fetchval("SELECT count(*) FROM interruption") == 1
    assert len(await proposals_of(tender)) == 1


async def test_nothing_is_fixed_or_opened_before_it_is_decided(
    world: World, tender: PublishedTender, superuser: Any, bench: Workbench
) -> None:
    await submit((await some_suppliers(world, 1))[0], tender, 1)
    await interrupt(world, tender, superuser, before=TEN_MINUTES)
    await close_bidding(world, tender)
    assert await ManifestFixing(bench).run() > 0
    opener = tender.openers[0]
    await declare(opener, tender)
    problem(await confirm(opener, tender), 409, "extension-undecided")
    [proposal] = await proposals_of(tender)
    assert (await decide(tender.manager, proposal)).status_code == 201
    assert (await proposals_of(tender))[0]["outcome"] == "declined"
    assert await ManifestFixing(bench).run() == 0
    assert (await confirm(opener, tender)).status_code == 201


async def test_while_no_process_serves_the_worker_fixes_nothing(
    world: World, tender: PublishedTender, superuser: Any, bench: Workbench
) -> None:
    """An outage over the deadline is known only when it ends: what stands stays open so long."""
    await close_bidding(world, tender)
    await fall_silent(superuser, 120)
    assert await ManifestFixing(bench).run() > 0
    await beat(TOLERATED)
    assert await ManifestFixing(bench).run() > 0
    assert len(await proposals_of(tender)) == 1


async def test_accepting_amends_the_tender_which_takes_bids_again(
    world: World, tender: PublishedTender, superuser: Any, bench: Workbench
) -> None:
    early, late = await some_suppliers(world, 2)
    await submit(early, tender, 1)
    await interrupt(world, tender, superuser, before=TEN_MINUTES)
    await close_bidding(world, tender)
    problem(await give_bid(late, tender, 1), 409, "bidding-closed")
    [proposal] = await proposals_of(tender)
    extended = tender.deadline + timedelta(hours=2)
    answer = await decide(tender.manager, proposal, extended)
    assert answer.status_code == 201, answer.text
    assert (answer.json()["outcome"], answer.json()["amendment"]) == ("accepted", 1)
    view = (await world.public(tender.path)).json()
    assert datetime.fromisoformat(view["timetable"]["deadline"]) == extended
    [amendment] = (await world.public(f"{tender.path}/amendments")).json()["items"]
    assert (amendment["material"], amendment["number"]) == (False, 1)
    await submit(late, tender, 1)
    assert await ManifestFixing(bench).run() > 0
    tender.deadline = extended
    await close_bidding(world, tender)
    assert await ManifestFixing(bench).run() == 0
    for opener in tender.openers:
        await declare(opener, tender)
        assert (await confirm(opener, tender)).status_code == 201
    minutes = (await tender.openers[0].get(f"{tender.path}/opening")).json()
    assert len(minutes["lots"][0]["bids"]) == 2
    assert [one["outcome"] for one in minutes["interruptions"]] == ["accepted"]
    said = minutes["statement"]["statement"]["interruptions"]
    assert [one["outcome"] for one in said] == ["accepted"]


async def test_a_decision_is_the_manager_s_whole_and_made_once(
    world: World, tender: PublishedTender, superuser: Any
) -> None:
    await interrupt(world, tender, superuser, before=TEN_MINUTES)
    await close_bidding(world, tender)
    [proposal] = await proposals_of(tender)
    extended = tender.deadline + timedelta(hours=2)
    supplier = (await some_suppliers(world, 1))[0]
    for person in (tender.openers[0], tender.guardian, supplier):
        problem(await decide(person, proposal, extended), 403, "duty-needed")
    problem(await supplier.get(f"{tender.path}/extension-proposals"), 403, "forbidden")
    manager = tender.manager
    faulty: tuple[dict[str, Any], ...] = (
        {"outcome": "accepted"},
        {"outcome": "accepted", "deadline": tender.deadline.isoformat()},
        {"outcome": "accepted", "deadline": (tender.deadline + timedelta(seconds=1)).isoformat()},
        {"outcome": "declined", "deadline": extended.isoformat()},
    )
    for changes in faulty:
        answer = await decide(manager, proposal, **changes)
        assert problem(answer, 400, "extension-faulty")["errors"][0]["field"] == "deadline"
    problem(await decide(manager, {"id": str(uuid4())}), 404, "not-found")
    answers = await asyncio.gather(
        *(decide(manager, proposal, extended) for _ in range(3)),
        *(decide(manager, proposal) for _ in range(3)),
    )
    assert sorted(answer.status_code for answer in answers) == [201, *[409] * 5]
    assert {a.json()["type"] for a in answers if a.status_code == 409} == {
        "/problems/extension-decided"
    }


async def test_once_what_stands_is_fixed_the_deadline_stays(
    world: World, tender: PublishedTender, superuser: Any, bench: Workbench
) -> None:
    await close_bidding(world, tender)
    assert await ManifestFixing(bench).run() == 0
    await fall_silent(superuser, 7200)
    await beat(TOLERATED)
    assert await proposals_of(tender) == []


async def test_a_beat_that_does_not_get_through_stops_no_process() -> None:
    """There is no database here at all."""
    pulse = Pulse(TOLERATED)
    with capture_logs() as logged:
        await pulse.begin()
        await pulse.close()
    assert [line["event"] for line in logged] == ["no beat"]


async def test_a_process_beats_before_it_answers(world: World, superuser: Any) -> None:
    assert (await world.public("/clock")).status_code == 200
    assert await superuser.fetchval("SELECT beaten_at IS NOT NULL FROM service_beat")
