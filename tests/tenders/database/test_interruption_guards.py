"""Proposals to extend, and what is decided upon them, straight at the database as the app role."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from tests.makers.bids import close_bidding
from tests.makers.direct import not_granted, refused
from tests.makers.direct_bids import CONFIRM, FIX, as_person, violates
from tests.makers.interruptions import fall_silent, interrupt, proposals_of
from tests.makers.tenders import PublishedTender
from tests.makers.world import Person, World

AMEND = (
    "INSERT INTO amendment (id, tender, summary, reason, material, deadline_after, published_by)"
    " VALUES ($1, $2, 'More time', 'An outage.', false, $3, $4)"
)
DECIDE = (
    "INSERT INTO extension_decision (id, proposal, outcome, amendment, reason, decided_by)"
    " VALUES (gen_random_uuid(), $1, $2, $3, $4, $5)"
)


@pytest.fixture
async def proposal(world: World, tender: PublishedTender, superuser: Any) -> UUID:
    """One that waits, after the deadline."""
    await interrupt(world, tender, superuser, before=timedelta(minutes=10))
    await close_bidding(world, tender)
    return UUID((await proposals_of(tender))[0]["id"])


def extended(tender: PublishedTender) -> datetime:
    return tender.deadline + timedelta(hours=3)


@pytest.mark.usefixtures("proposal")
async def test_nothing_goes_on_while_a_proposal_waits(
    tender: PublishedTender, app_role: Any
) -> None:
    opener = tender.openers[0]
    async with refused("proposal_undecided"), as_person(app_role, opener):
        await app_role.execute(FIX, tender.id)
    async with refused("proposal_undecided"), as_person(app_role, opener):
        await app_role.execute(CONFIRM, uuid4(), tender.id, opener.id)


async def test_nor_while_the_interruption_lasts(
    world: World, tender: PublishedTender, superuser: Any, app_role: Any
) -> None:
    await close_bidding(world, tender)
    await fall_silent(superuser, 300)
    async with refused("proposal_undecided"), as_person(app_role, tender.openers[0]):
        await app_role.execute(FIX, tender.id)


async def test_a_deadline_that_passed_is_put_off_by_accepting_a_proposal_alone(
    tender: PublishedTender, proposal: UUID, app_role: Any
) -> None:
    manager = tender.manager
    amendment = uuid4()
    async with refused("amendment_in_time"), as_person(app_role, manager):
        await app_role.execute(AMEND, amendment, tender.id, extended(tender), manager.id)
    async with as_person(app_role, manager):
        await app_role.execute(AMEND, amendment, tender.id, extended(tender), manager.id)
        await app_role.execute(DECIDE, proposal, "accepted", amendment, "An outage.", manager.id)
    async with violates("extension_decision_proposal_key"), as_person(app_role, manager):
        await app_role.execute(DECIDE, proposal, "declined", None, "No.", manager.id)


async def test_a_decision_is_the_manager_s_own_with_its_effect_and_a_reason(
    tender: PublishedTender, proposal: UUID, app_role: Any
) -> None:
    manager, opener = tender.manager, tender.openers[0]

    async def say(by: Person, person: Person, outcome: str, reason: str = "So it is.") -> None:
        async with as_person(app_role, by):
            await app_role.execute(DECIDE, proposal, outcome, None, reason, person.id)

    async with refused("acts_in_own_name"):
        await say(opener, manager, "declined")
    async with refused("duty_needed"):
        await say(opener, opener, "declined")
    async with refused("extension_by_amendment"):
        await say(manager, manager, "accepted")
    async with violates("extension_decision_reasoned"):
        await say(manager, manager, "declined", " ")
    async with violates("extension_decision_known"):
        await say(manager, manager, "postponed")
    await say(manager, manager, "declined")
    for statement in ("UPDATE extension_decision SET reason = ''", "DELETE FROM interruption"):
        async with not_granted(), as_person(app_role, manager):
            await app_role.execute(statement)


async def test_of_an_abandoned_tender_nothing_is_decided(
    tender: PublishedTender, proposal: UUID, app_role: Any
) -> None:
    manager = tender.manager
    await tender.act(manager, "/abandonment", {"reason": "Not needed any more."})
    async with refused("extension_of_published"), as_person(app_role, manager):
        await app_role.execute(DECIDE, proposal, "declined", None, "No.", manager.id)


async def test_the_app_makes_up_no_interruption(tender: PublishedTender, app_role: Any) -> None:
    for statement in (
        "INSERT INTO interruption (id) VALUES (gen_random_uuid())",
        "UPDATE service_beat SET beaten_at = NULL",
        "SELECT record_of_tender('manifest.fixed', 'tender', NULL, NULL, '{}')",
    ):
        async with not_granted(), as_person(app_role, tender.manager):
            await app_role.execute(statement)
