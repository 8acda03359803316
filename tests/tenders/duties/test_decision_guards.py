"""Decisions about interests straight at the database, as the app role."""

from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from tests.makers.bids import close_bidding, confirm, declare, some_suppliers, submit
from tests.makers.conflicts import colleague, decided, joins, registered
from tests.makers.direct import refused
from tests.makers.direct_bids import CONFIRM, as_person, hidden
from tests.makers.tenders import PublishedTender, published_tender
from tests.makers.world import Person, World

DECISION = (
    "INSERT INTO conflict_decision (id, tender, person, bidder, outcome, reason, mitigation, links,"
    " decided_by, decided_at) VALUES ($1, $2, $3, $4, $5, $6, '', '{}', $7, '2001-01-01Z')"
)


@pytest.fixture
async def tender(world: World) -> PublishedTender:
    return await published_tender(world, lots=1)


@pytest.fixture
async def bidder(world: World) -> Person:
    return (await some_suppliers(world, 1))[0]


class Decides:
    """Somebody who writes decisions about the bids of a tender, past the API."""

    def __init__(self, connection: Any, tender: PublishedTender, bidder: UUID) -> None:
        self.connection, self.tender, self.bidder = connection, tender, bidder

    async def __call__(
        self,
        acts: Person,
        about: Person,
        outcome: str = "no_action",
        **forged: Any,
    ) -> UUID:
        decision = uuid4()
        async with as_person(self.connection, acts):
            await self.connection.execute(
                DECISION,
                decision,
                self.tender.id,
                about.id,
                forged.get("bidder", self.bidder),
                outcome,
                forged.get("reason", "It is small."),
                forged.get("decided_by", acts).id,
            )
        return decision


async def test_a_decision_is_the_guardian_s_about_another_holder_and_a_bidder_when_known(
    world: World, tender: PublishedTender, bidder: Person, app_role: Any, superuser: Any
) -> None:
    guardian, person = tender.guardian, tender.moderator
    decide = Decides(app_role, tender, bidder.organisation)
    await submit(bidder, tender, 1)
    # before the deadline the names are not known, and a guardian cannot have declared
    async with refused("declaration_missing"):
        await decide(guardian, person)
    await close_bidding(world, tender)
    async with refused("declaration_missing"):
        await decide(guardian, person)
    await declare(guardian, tender)
    for other in (tender.manager, person, tender.openers[0]):
        async with refused("duty_needed"):
            await decide(other, tender.reviewer)
        async with refused("acts_in_own_name"):
            await decide(other, tender.reviewer, decided_by=guardian)
    async with refused("decided_by_another"):
        await decide(guardian, guardian)
    async with refused("decided_about_holder"):
        await decide(guardian, await colleague(world))
    async with refused("declaration_about_bidder"):
        await decide(guardian, person, bidder=tender.manager.organisation)
    for forged, constraint in (
        ({"outcome": "forgiven"}, "conflict_decision_outcome_known"),
        ({"reason": "\t"}, "conflict_decision_has_reason"),
    ):
        with pytest.raises(asyncpg.CheckViolationError) as violated:
            await decide(guardian, person, **forged)
        assert violated.value.constraint_name == constraint
    made = await decide(guardian, person)
    at = await superuser.fetchval("SELECT decided_at FROM conflict_decision WHERE id = $1", made)
    assert at >= tender.deadline


async def test_before_the_deadline_nothing_is_decided_even_where_nobody_bids(
    tender: PublishedTender, bidder: Person, app_role: Any
) -> None:
    decide = Decides(app_role, tender, bidder.organisation)
    async with refused("declaration_when_known"):
        await decide(tender.guardian, tender.moderator)


async def test_what_is_never_excusable_and_what_is_for_good_stays_so(
    world: World, tender: PublishedTender, bidder: Person, app_role: Any, superuser: Any
) -> None:
    guardian, (first, second) = tender.guardian, tender.openers
    decide = Decides(app_role, tender, bidder.organisation)
    await submit(bidder, tender, 1)
    await close_bidding(world, tender)
    await declare(guardian, tender)
    await joins(superuser, first, bidder.organisation)
    for outcome in ("no_action", "may_discuss"):
        async with refused("never_excusable"):
            await decide(guardian, first, outcome)
    await decide(guardian, first, "must_leave")
    await decide(guardian, second, "removed")
    for outcome in ("no_action", "may_discuss", "must_leave", "removed"):
        async with refused("removed_for_good"):
            await decide(guardian, second, outcome)
    await declare(first, tender)
    async with refused("conflict_of_interest"), as_person(app_role, first):
        await app_role.execute(CONFIRM, uuid4(), tender.id, first.id)
    async with refused("duty_needed"), as_person(app_role, second):
        await app_role.execute(CONFIRM, uuid4(), tender.id, second.id)


async def test_a_guardian_with_an_interest_decides_nothing(
    world: World, tender: PublishedTender, bidder: Person, app_role: Any, superuser: Any
) -> None:
    decide = Decides(app_role, tender, bidder.organisation)
    await submit(bidder, tender, 1)
    await close_bidding(world, tender)
    await declare(tender.guardian, tender)
    await registered(superuser, tender.guardian, organisation=bidder.organisation)
    async with refused("conflict_of_interest"):
        await decide(tender.guardian, tender.moderator)


async def test_whoever_may_not_decide_does_not_at_the_database_either(
    world: World, tender: PublishedTender, bidder: Person, app_role: Any
) -> None:
    """A decision holds whether or not an interest is on record."""
    guardian, (opener, other) = tender.guardian, tender.openers
    await submit(bidder, tender, 1)
    await close_bidding(world, tender)
    for person in (guardian, opener, other):
        await declare(person, tender)
    for outcome in ("may_discuss", "must_leave"):
        await decided(guardian, tender.id, opener, bidder.organisation, outcome)
        async with refused("conflict_of_interest"), as_person(app_role, opener):
            await app_role.execute(CONFIRM, uuid4(), tender.id, opener.id)
        answer = await confirm(opener, tender)
        assert answer.status_code == 403
        assert outcome.replace("_", " ") in answer.json()["detail"]
    await decided(guardian, tender.id, opener, bidder.organisation, "no_action")
    async with as_person(app_role, opener):
        await app_role.execute(CONFIRM, uuid4(), tender.id, opener.id)


async def test_decisions_are_hidden_by_the_database_from_whoever_may_not_know_who_bids(
    world: World, tender: PublishedTender, bidder: Person, app_role: Any
) -> None:
    await submit(bidder, tender, 1)
    await close_bidding(world, tender)
    await declare(tender.guardian, tender)
    opener, moderator = tender.openers[0], tender.moderator
    for person in (opener, moderator):
        await decided(tender.guardian, tender.id, person, bidder.organisation, "must_leave")

    async def seen() -> dict[str, int]:
        found = {}
        for person in (tender.guardian, opener, moderator, tender.manager, bidder, tender.author):
            async with as_person(app_role, person):
                count = await app_role.fetchval("SELECT count(*) FROM conflict_decision")
            found[person.name] = count
        return found

    before = {
        tender.guardian.name: 2,
        opener.name: 1,
        moderator.name: 0,
        tender.manager.name: 0,
        bidder.name: 0,
        tender.author.name: 0,
    }
    assert await seen() == before
    third = tender.openers[1]
    await declare(third, tender)
    await decided(tender.guardian, tender.id, opener, bidder.organisation, "no_action")
    await declare(opener, tender)
    for person in (opener, third):
        assert (await confirm(person, tender)).status_code == 201
    assert await seen() == before | {
        tender.guardian.name: 3,
        opener.name: 2,
        moderator.name: 1,
        tender.manager.name: 3,
    }


async def test_a_decision_is_written_in_nobody_else_s_name(
    world: World, tender: PublishedTender, bidder: Person, superuser: Any, app_role: Any
) -> None:
    """By the policy too, were the guard not there."""
    await submit(bidder, tender, 1)
    await close_bidding(world, tender)
    await declare(tender.guardian, tender)
    await superuser.execute("SET market.migrating = 'on'")
    await superuser.execute("ALTER TABLE conflict_decision DISABLE TRIGGER guard_conflict_decision")
    decide = Decides(app_role, tender, bidder.organisation)
    async with hidden():
        await decide(tender.moderator, tender.manager, decided_by=tender.guardian)
    await superuser.execute(
        "ALTER TABLE conflict_decision ENABLE ALWAYS TRIGGER guard_conflict_decision"
    )
