"""Who asks for bids before their time, or gives one after it, is on record."""

from typing import Any
from uuid import uuid4

import pytest

from market.actor import Role
from tests.makers.bids import (
    asked,
    bid_body,
    close_bidding,
    confirm,
    declare,
    give_bid,
    submit,
)
from tests.makers.direct import acting
from tests.makers.suppliers import admitted_supplier
from tests.makers.tenders import PublishedTender, published_tender
from tests.makers.world import Person, World


@pytest.fixture
async def tender(world: World) -> PublishedTender:
    return await published_tender(world)


@pytest.fixture
async def bidder(world: World) -> Person:
    return await admitted_supplier(world, "Greensand Analytics")


async def refusals(superuser: Any, person: Person) -> list[tuple[str, str, Any]]:
    rows = await superuser.fetch(
        "SELECT details ->> 'operation' AS operation, details ->> 'refusal' AS refusal, tender"
        " FROM event WHERE action = 'request.refused' AND person = $1 ORDER BY serial",
        person.id,
    )
    return [(row["operation"], row["refusal"], row["tender"]) for row in rows]


async def test_every_attempt_to_read_bids_early_is_an_event_whatever_it_was_answered(
    world: World, tender: PublishedTender, bidder: Person, superuser: Any
) -> None:
    await submit(bidder, tender, 1)
    rival = await admitted_supplier(world, "A Rival")
    auditor = await world.person("Auditor", tender.manager.organisation, Role.AUDITOR)
    asked_for = (
        f"{tender.path}/bidders",
        f"{tender.path}/opening",
        f"{tender.path}/lots/1/evaluation/bids",
        f"{tender.path}/lots/1/evaluation/ranking",
    )
    for person in (tender.openers[0], tender.quality_evaluators[0], auditor, rival):
        answers = [(await person.get(path)).status_code for path in asked_for]
        assert set(answers) <= {403, 404, 409}
        found = await refusals(superuser, person)
        assert len(found) == len(asked_for), (answers, found)
        assert {each for *_, each in found} == {tender.id}


async def test_opening_before_the_deadline_is_on_record(
    tender: PublishedTender, superuser: Any
) -> None:
    opener = tender.openers[0]
    answer = await opener.post(f"{tender.path}/opening-confirmations")
    assert answer.status_code == 409
    assert [refusal for _, refusal, _ in await refusals(superuser, opener)] == ["opening-not-due"]


async def test_of_a_tender_that_never_was_nothing_is_recorded(
    bidder: Person, superuser: Any
) -> None:
    answer = await bidder.get(f"/tenders/{uuid4()}/lots/1/evaluation/bids")
    assert answer.status_code == 404
    assert await refusals(superuser, bidder) == []


async def test_late_attempts_are_told_in_the_minutes_once_the_bids_are_open(
    world: World, tender: PublishedTender, bidder: Person, superuser: Any
) -> None:
    given = await submit(bidder, tender, 1)
    gone = await admitted_supplier(world, "Withdrawn Limited")
    left = await submit(gone, tender, 1)
    key = {"Idempotency-Key": str(uuid4())}
    await gone.delete(f"/bids/{left['bid']}", version=1, headers=key)
    late = await admitted_supplier(world, "Late Limited")
    await close_bidding(world, tender)
    assert (await give_bid(late, tender, 1)).status_code == 409
    body = bid_body(asked(tender, 1))
    key = {"Idempotency-Key": str(uuid4())}
    again = await bidder.put(f"/bids/{given['bid']}", body, version=1, headers=key)
    assert again.status_code == 409
    assert [each for *_, each in await refusals(superuser, bidder)] == [tender.id]
    for opener in tender.openers:
        await declare(opener, tender)
        assert (await confirm(opener, tender)).status_code == 201
    minutes = (await tender.openers[0].get(f"{tender.path}/opening")).json()
    assert [(one["name"], one["attempted"]) for one in minutes["late_attempts"]] == [
        ("Late Limited", "tenders._submit"),
        ("Greensand Analytics", "tenders._replace"),
    ]
    assert (minutes["withdrawn"], minutes["lapsed"]) == (1, 0)


async def test_before_the_opening_nobody_is_told_of_late_attempts(
    world: World, tender: PublishedTender, bidder: Person, app_role: Any
) -> None:

    await submit(bidder, tender, 1)
    late = await admitted_supplier(world, "Late Limited")
    await close_bidding(world, tender)
    await give_bid(late, tender, 1)
    opener = tender.openers[0]
    await declare(opener, tender)
    minutes = (await opener.get(f"{tender.path}/opening")).json()
    assert minutes["late_attempts"] == []
    assert (minutes["withdrawn"], minutes["lapsed"]) == (None, None)
    async with acting(app_role, opener.id, opener.organisation):
        assert await app_role.fetch("SELECT * FROM late_attempts($1)", tender.id) == []
        assert await app_role.fetch("SELECT * FROM bids_that_did_not_stand($1)", tender.id) == [
            (0, 0)
        ]
