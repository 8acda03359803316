"""Who decides about an interest, about whom and when, and who learns of it."""

from typing import Any
from uuid import uuid4

import pytest

from market.actor import Role
from tests.makers.bids import close_bidding, confirm, declare, some_suppliers, submit
from tests.makers.conflicts import (
    bidders,
    colleague,
    decide,
    decided,
    declare_on_duty,
    evaluated,
    problem,
    registered,
    sees_name,
)
from tests.makers.evaluation import (
    lot_to_score,
)
from tests.makers.tenders import offer, published_tender
from tests.makers.world import Person, World

CONFLICT = (403, "conflict-of-interest")


async def test_the_guardian_alone_decides_without_an_interest_and_about_others(
    world: World, superuser: Any
) -> None:
    lot = await lot_to_score(world, prices=("2.00", "1.00"))
    tender, evaluator, (bidder, _) = lot.tender, lot.tender.quality_evaluators[0], bidders(lot)
    guardian = tender.guardian
    early = await decide(guardian, tender.id, evaluator, bidder, "no_action")
    assert problem(early) == (403, "declaration-missing")
    await declare(guardian, tender)
    for who in (tender.manager, evaluator, tender.moderator):
        answer = await decide(who, tender.id, evaluator, bidder, "no_action")
        assert problem(answer) == (403, "duty-needed")
    own = await decide(guardian, tender.id, guardian, bidder, "no_action")
    assert problem(own) == (403, "own-interest")
    second = await colleague(world, "Gwen Guard")
    await declare(tender.manager, tender)
    assert (await offer(tender.manager, tender.id, second, "guardian")).status_code == 201
    answer = await decide(second, tender.id, evaluator, bidder, "no_action")
    assert problem(answer) == (403, "duty-not-taken-up")
    await declare_on_duty(second, tender.id)
    await declare(second, tender)
    await registered(superuser, guardian, organisation=bidder)
    conflicted = await decide(guardian, tender.id, evaluator, bidder, "no_action")
    assert problem(conflicted) == CONFLICT
    # a second guardian decides about the first
    await decided(second, tender.id, guardian, bidder, "no_action")
    await decided(guardian, tender.id, evaluator, bidder, "no_action")


async def test_decisions_are_about_holders_and_bidders_once_they_are_known(world: World) -> None:
    tender = await published_tender(world, lots=1)
    first, second, stranger = await some_suppliers(world, 3)
    await submit(first, tender, 1)
    withdrawn = await submit(second, tender, 1)
    gone = await second.delete(
        f"/bids/{withdrawn['bid']}", version=1, headers={"Idempotency-Key": str(uuid4())}
    )
    assert gone.status_code == 200
    guardian, person = tender.guardian, tender.moderator
    early = await decide(guardian, tender.id, person, first.organisation, "no_action")
    assert problem(early) == (409, "bidders-not-known")
    await close_bidding(world, tender)
    await declare(guardian, tender)
    outsider = await colleague(world)
    assert problem(
        await decide(guardian, tender.id, outsider, first.organisation, "no_action")
    ) == (409, "not-in-tender")
    unknown = await decide(
        guardian, tender.id, person, first.organisation, "no_action", person=str(uuid4())
    )
    assert problem(unknown) == (409, "not-in-tender")
    for about in (second.organisation, stranger.organisation, uuid4()):
        answer = await decide(guardian, tender.id, person, about, "no_action")
        assert problem(answer) == (400, "declarations-faulty"), answer.text
    elsewhere = await decide(guardian, uuid4(), person, first.organisation, "no_action")
    assert elsewhere.status_code == 404
    await decided(guardian, tender.id, person, first.organisation, "must_leave")


@pytest.mark.parametrize(
    "changes",
    [
        {"outcome": "forgive"},
        {"outcome": ["no_action"]},
        {"reason": " "},
        {"reason": "a\x00b"},
        {"mitigation": "x" * 5_000},
        {"person": None},
        {"bidder": "them"},
        {"links": []},
    ],
)
async def test_a_malformed_decision_is_refused(world: World, changes: dict[str, Any]) -> None:
    tender = await published_tender(world, lots=1)
    body = {
        "person": str(tender.moderator.id),
        "bidder": str(uuid4()),
        "outcome": "no_action",
        "reason": "It is small.",
        **changes,
    }
    answer = await tender.guardian.post(f"{tender.path}/conflict-decisions", body)
    assert problem(answer) == (400, "malformed"), answer.text


async def test_a_repeated_decision_is_one_by_its_key(world: World, superuser: Any) -> None:
    lot = await evaluated(world)
    body = {
        "person": str(lot.tender.moderator.id),
        "bidder": str(bidders(lot)[0]),
        "outcome": "must_leave",
        "reason": "The holding is large enough to matter.",
    }
    headers = {"Idempotency-Key": str(uuid4())}
    path = f"{lot.tender.path}/conflict-decisions"
    answers = [await lot.tender.guardian.post(path, body, headers=headers) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [201] * 3
    assert len({answer.content for answer in answers}) == 1
    assert await superuser.fetchval("SELECT count(*) FROM conflict_decision") == 1


# -- who knows of it -------------------------------------------------------------------------------


async def test_a_decision_is_shown_to_nobody_who_may_not_know_who_bids(world: World) -> None:
    tender = await published_tender(world, lots=1)
    suppliers = await some_suppliers(world, 2)
    for supplier in suppliers:
        await submit(supplier, tender, 1)
    await close_bidding(world, tender)
    auditor = await world.person("Audrey", await world.organisation("06F"), Role.AUDITOR)
    guardian, opener, moderator = tender.guardian, tender.openers[0], tender.moderator
    for person in (guardian, *tender.openers):
        await declare(person, tender)
    bidder = suppliers[0].organisation
    for person in (opener, moderator):
        await decided(guardian, tender.id, person, bidder, "no_action")
    path, record = f"{tender.path}/conflict-decisions", f"{tender.path}/record?limit=200"

    async def known(reader: Person) -> int:
        answer = await reader.get(path)
        assert answer.status_code == 200, answer.text
        return len(answer.json())

    async def recorded(reader: Person) -> bool:
        return "conflict.decided" in (await reader.get(record)).text

    async def knowing() -> dict[str, tuple[int, bool]]:
        return {
            reader.name: (await known(reader), await recorded(reader))
            for reader in (guardian, opener, moderator, tender.manager, auditor, tender.author)
        }

    assert await knowing() == {
        guardian.name: (2, True),
        opener.name: (1, False),
        moderator.name: (0, False),
        tender.manager.name: (0, False),
        auditor.name: (0, False),
        tender.author.name: (0, False),
    }
    assert not sees_name(await tender.manager.get(record), str(bidder), "Supplier 1")
    for person in (opener, tender.openers[1]):
        assert (await confirm(person, tender)).status_code == 201
    assert await knowing() == {
        guardian.name: (2, True),
        opener.name: (1, False),
        moderator.name: (1, False),
        tender.manager.name: (2, True),
        auditor.name: (2, True),
        tender.author.name: (0, False),
    }
    for outsider in (await colleague(world), suppliers[0]):
        assert (await outsider.get(path)).status_code == 404
    assert (await world.public(path)).status_code == 401
