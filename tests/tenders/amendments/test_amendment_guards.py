"""The promises about amendments and confirmations straight at the database, as the app role."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import msgspec
import pytest

from market.actor import Role
from tenders.rules.amendments import changes, must_be_material
from tenders.rules.requirement import Requirement
from tests.makers.amendments import (
    amended,
    amended_by,
    approve_change,
    changed,
    later,
    redraft,
    reformed,
    reweighted,
    reworded,
)
from tests.makers.bids import close_bidding, confirm, declare, submit
from tests.makers.clock import advance_to
from tests.makers.direct import not_granted, refused
from tests.makers.direct_bids import BID_RECEIPT, as_person, put_in
from tests.makers.tenders import PublishedTender
from tests.makers.world import Person, World
from tests.tenders.rules.documents import requirement_with
from tests.tenders.rules.test_amendments import SUBSTANCE, WORDING

AMEND = (
    "INSERT INTO amendment (id, tender, summary, reason, material, requirement_after,"
    " deadline_after, published_by) VALUES ($1, $2, 'Direct', 'Because.', $3, $4, $5, $6)"
)
CONFIRM = (
    "INSERT INTO bid_confirmation (id, bid, bid_version, amendment, made_by)"
    " VALUES ($1, $2, $3, $4, $5)"
)
RECEIPT = (
    "INSERT INTO confirmation_receipt (id, confirmation, signed)"
    " VALUES (gen_random_uuid(), $1, '{}')"
)
REDRAFT = "UPDATE tender SET redraft = $2, version = version + 1 WHERE id = $1"


async def write(  # noqa: PLR0913  # every part of an amendment
    connection: Any,
    tender: PublishedTender,
    *,
    material: bool = False,
    requirement: int | None = None,
    deadline: datetime | None = None,
    by: Person | None = None,
) -> None:
    """Write an amendment past the rules, as the manager."""
    async with as_person(connection, tender.manager):
        person = tender.manager if by is None else by
        await connection.execute(
            AMEND, uuid4(), tender.id, material, requirement, deadline, person.id
        )


async def test_an_amendment_is_the_managers_own_and_changes_something(
    tender: PublishedTender, app_role: Any
) -> None:
    week = tender.deadline + timedelta(days=7)
    async with refused("amendment_changes_something"):
        await write(app_role, tender)
    async with refused("acts_in_own_name"):
        await write(app_role, tender, deadline=week, by=tender.author)
    async with refused("duty_needed"), as_person(app_role, tender.author):
        given = (uuid4(), tender.id, False, None, week, tender.author.id)
        await app_role.execute(AMEND, *given)


async def test_a_deadline_is_only_put_off_and_a_material_change_has_time(
    tender: PublishedTender, app_role: Any
) -> None:
    async with refused("deadline_only_later"):
        await write(app_role, tender, deadline=tender.deadline - timedelta(hours=1))
    async with refused("amendment_changes_something"):
        await write(app_role, tender, material=True)


async def test_a_material_change_near_the_deadline_needs_six_whole_days(
    world: World, tender: PublishedTender, app_role: Any
) -> None:
    await advance_to(world, tender.deadline - timedelta(hours=1))
    async with refused("material_needs_time"):
        await write(app_role, tender, material=True, deadline=tender.deadline + timedelta(days=5))
    await write(app_role, tender, material=True, deadline=tender.deadline + timedelta(days=8))


async def test_an_amendment_takes_effect_with_its_row(
    tender: PublishedTender, app_role: Any, superuser: Any
) -> None:
    await write(app_role, tender, deadline=tender.deadline + timedelta(days=1))
    row = await superuser.fetchrow("SELECT * FROM tender WHERE id = $1", tender.id)
    assert row["deadline"] == tender.deadline + timedelta(days=1)
    assert (row["amendments"], row["material_amendment"]) == (1, None)
    amendment = await superuser.fetchrow("SELECT * FROM amendment")
    assert (amendment["number"], amendment["deadline_before"]) == (1, tender.deadline)


async def test_what_was_published_changes_by_no_other_way(
    tender: PublishedTender, app_role: Any, superuser: Any
) -> None:
    for change in (
        "deadline = deadline + interval '1 day'",
        "published_requirement = 2",
        "title = 'Another'",
    ):
        async with refused("published_does_not_change"), as_person(app_role, tender.manager):
            await app_role.execute(
                f"UPDATE tender SET {change}, version = version + 1 WHERE id = $1",  # noqa: S608  # the test's own
                tender.id,
            )
    for change in ("amendments = 3", "material_amendment = 1"):
        statement = f"UPDATE tender SET {change}, version = version + 1 WHERE id = $1"  # noqa: S608  # the test's own
        async with not_granted(), as_person(app_role, tender.manager):
            await app_role.execute(statement, tender.id)
        async with refused("published_does_not_change"), as_person(superuser, tender.manager):
            await superuser.execute(statement, tender.id)
    # nor otherwise than the amendment of the same transaction says
    async with refused("published_does_not_change"), as_person(app_role, tender.manager):
        tomorrow = tender.deadline + timedelta(days=1)
        given = (uuid4(), tender.id, False, None, tomorrow, tender.manager.id)
        await app_role.execute(AMEND, *given)
        await app_role.execute(
            "UPDATE tender SET deadline = deadline + interval '1 day', version = version + 1"
            " WHERE id = $1",
            tender.id,
        )
    async with not_granted(), as_person(app_role, tender.manager):
        await app_role.execute("UPDATE amendment SET summary = 'Other'")
    async with not_granted(), as_person(app_role, tender.manager):
        await app_role.execute("DELETE FROM amendment")


async def test_only_the_approved_version_is_taken_and_substance_is_material(
    tender: PublishedTender, app_role: Any
) -> None:
    async with refused("published_is_approved"):
        await write(app_role, tender, requirement=7)
    assert (await redraft(tender, reweighted(tender))).status_code == 200
    async with refused("published_is_approved"):
        await write(app_role, tender, requirement=2)
    await tender.act(tender.manager, "/review-requests")
    await tender.act(tender.reviewer, "/reviews", {"outcome": "approved", "comments": "Fair."})
    async with refused("substance_is_material"):
        await write(app_role, tender, requirement=2, deadline=tender.deadline + timedelta(days=9))
    async with refused("material_needs_time"):
        await write(app_role, tender, requirement=2, material=True)


async def test_lots_stay(tender: PublishedTender, app_role: Any) -> None:
    fewer = changed(tender)
    fewer["lots"] = fewer["lots"][:1]
    await approve_change(tender, fewer)
    async with refused("amendment_keeps_lots"):
        await write(
            app_role,
            tender,
            requirement=2,
            material=True,
            deadline=tender.deadline + timedelta(days=9),
        )


async def test_nothing_is_amended_after_the_deadline_or_once_the_opening_has_begun(
    world: World, tender: PublishedTender, app_role: Any
) -> None:
    assert (await redraft(tender, reworded(tender))).status_code == 200
    await close_bidding(world, tender)
    week = tender.deadline + timedelta(days=7)
    async with refused("amendment_in_time"):
        await write(app_role, tender, deadline=week)
    async with refused("redraft_while_open"), as_person(app_role, tender.manager):
        await app_role.execute(REDRAFT, tender.id, "in_review")
    async with refused("requirement_in_draft"), as_person(app_role, tender.author):
        await app_role.execute(
            "INSERT INTO requirement_version (id, tender, content, digest, edited_by, organisation)"
            " VALUES ($1, $2, '{}', '', $3, $4)",
            uuid4(),
            tender.id,
            tender.author.id,
            tender.author.organisation,
        )
    await declare(tender.openers[0], tender)
    assert (await confirm(tender.openers[0], tender)).status_code == 201
    async with refused("amendment_before_opening"):
        await write(app_role, tender, deadline=week)


async def test_a_change_goes_the_way_of_the_first_requirement(
    tender: PublishedTender, app_role: Any
) -> None:
    for step in ("in_review", "approved"):
        async with refused("tender_transition"), as_person(app_role, tender.manager):
            await app_role.execute(REDRAFT, tender.id, step)
    assert (await redraft(tender, reworded(tender))).status_code == 200
    async with refused("tender_transition"), as_person(app_role, tender.manager):
        await app_role.execute(REDRAFT, tender.id, "approved")
    async with refused("tender_transition"), as_person(app_role, tender.manager):
        await app_role.execute(REDRAFT, tender.id, None)
    await tender.act(tender.manager, "/review-requests")
    async with refused("tender_reviewed"), as_person(app_role, tender.reviewer):
        await app_role.execute(REDRAFT, tender.id, "approved")
    async with refused("duty_needed"), as_person(app_role, tender.manager):
        await app_role.execute(REDRAFT, tender.id, "draft")


async def _version(superuser: Any, bid: str) -> UUID:
    found: UUID = await superuser.fetchval(
        "SELECT id FROM bid_version WHERE bid = $1 ORDER BY number DESC LIMIT 1", UUID(bid)
    )
    return found


async def test_a_confirmation_is_needed_fits_and_is_of_the_latest_amendment(
    tender: PublishedTender, bidder: Person, app_role: Any, superuser: Any
) -> None:
    bid, other = [(await submit(bidder, tender, lot))["bid"] for lot in (1, 2)]
    version = await _version(superuser, bid)
    async with refused("confirmation_needed"), as_person(app_role, bidder):
        await app_role.execute(CONFIRM, uuid4(), UUID(bid), version, 1, bidder.id)
    await amended_by(tender, reformed(tender))
    async with refused("confirms_latest_amendment"), as_person(app_role, bidder):
        await app_role.execute(CONFIRM, uuid4(), UUID(bid), version, 2, bidder.id)
    async with refused("confirmation_fits_form"), as_person(app_role, bidder):
        await app_role.execute(CONFIRM, uuid4(), UUID(bid), version, 1, bidder.id)
    async with refused("confirmation_needed"), as_person(app_role, bidder):
        await app_role.execute(CONFIRM, uuid4(), UUID(other), version, 1, bidder.id)
    async with refused("acts_in_own_name"), as_person(app_role, bidder):
        await app_role.execute(
            CONFIRM, uuid4(), UUID(other), await _version(superuser, other), 1, tender.manager.id
        )
    async with refused("bid_arrives_whole"), as_person(app_role, bidder):
        await app_role.execute(
            CONFIRM, uuid4(), UUID(other), await _version(superuser, other), 1, bidder.id
        )
    confirmation = uuid4()
    async with as_person(app_role, bidder):
        await app_role.execute(
            CONFIRM, confirmation, UUID(other), await _version(superuser, other), 1, bidder.id
        )
        await app_role.execute(RECEIPT, confirmation)
    async with refused("bid_arrives_whole"), as_person(app_role, bidder):
        await app_role.execute(RECEIPT, confirmation)


async def test_a_confirmation_comes_before_the_deadline_from_a_bid_manager(
    world: World, tender: PublishedTender, bidder: Person, app_role: Any, superuser: Any
) -> None:
    bid = (await submit(bidder, tender, 1))["bid"]
    version = await _version(superuser, bid)
    await amended_by(tender, reweighted(tender))
    clerk = await world.person("Clara", bidder.organisation, Role.ADMINISTRATOR)
    async with refused("bid_manager_needed"), as_person(app_role, clerk):
        await app_role.execute(CONFIRM, uuid4(), UUID(bid), version, 1, clerk.id)
    await close_bidding(world, tender)
    async with refused("bidding_open"), as_person(app_role, bidder):
        await app_role.execute(CONFIRM, uuid4(), UUID(bid), version, 1, bidder.id)


async def test_a_bid_checked_against_what_was_amended_is_not_taken(
    tender: PublishedTender, bidder: Person, app_role: Any
) -> None:
    await amended_by(tender, reweighted(tender))
    bid, version = uuid4(), uuid4()
    statement = (
        "INSERT INTO bid_version (id, bid, number, act, made_by, quality_commitment,"
        " price_commitment, requirement) VALUES ($1, $2, 1, 'submitted', $3, $4, $4, $5)"
    )
    making = "INSERT INTO bid (id, tender, lot, organisation) VALUES ($1, $2, $3, $4)"
    async with refused("bid_for_present_requirement"), as_person(app_role, bidder):
        await app_role.execute(making, bid, tender.id, tender.lots[1], bidder.organisation)
        await app_role.execute(statement, version, bid, bidder.id, b"c" * 32, 1)
    async with as_person(app_role, bidder):
        await app_role.execute(making, bid, tender.id, tender.lots[1], bidder.organisation)
        await app_role.execute(statement, version, bid, bidder.id, b"c" * 32, 2)
        for kind in ("quality", "price"):
            await put_in(app_role, version, kind)
        await app_role.execute(BID_RECEIPT, version)


async def test_the_app_neither_makes_bids_lapse_nor_records_that_for_anybody(
    tender: PublishedTender, app_role: Any
) -> None:
    async with not_granted(), as_person(app_role, tender.manager):
        await app_role.fetchval("SELECT lapse_bids($1)", tender.id)


@pytest.mark.parametrize("path", [*WORDING, *SUBSTANCE])
async def test_rules_and_database_call_the_same_changes_wording(path: str, superuser: Any) -> None:
    earlier, later_one = (
        requirement_with(),
        requirement_with({path: {**WORDING, **SUBSTANCE}[path]}),
    )
    differs = await superuser.fetchval(
        "SELECT without_wording($1) <> without_wording($2)", _text(earlier), _text(later_one)
    )
    assert differs is must_be_material(changes(earlier, later_one))


def _text(requirement: Requirement) -> str:
    return msgspec.json.encode(requirement).decode()


async def test_the_second_amendment_continues_from_the_first(
    tender: PublishedTender, superuser: Any
) -> None:
    first = await amended(tender, deadline=later(tender, days=7))
    await approve_change(tender, reworded(tender))
    second = await amended(tender, takes_requirement=True)
    assert second["deadline_before"] == first["deadline_after"] == second["deadline_after"]
    rows = await superuser.fetch("SELECT number, requirement_after FROM amendment ORDER BY number")
    assert [tuple(row) for row in rows] == [(1, 1), (2, 2)]
