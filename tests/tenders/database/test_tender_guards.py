"""The promises of the tender itself straight at the database, as the app role."""

from datetime import date
from typing import Any
from uuid import UUID, uuid4

import msgspec
import pytest

from market.actor import Role
from tests.makers.bids import declare, open_bids, some_suppliers, submit
from tests.makers.direct import acting, refused
from tests.makers.direct_bids import as_person, give
from tests.makers.tenders import (
    PublishedTender,
    approve,
    approved_tender,
    created_tender,
    drafted_tender,
    requirement_of,
)
from tests.makers.world import Person, World

REQUIREMENT = (
    "INSERT INTO requirement_version (id, tender, content, digest, edited_by, organisation)"
    " VALUES ($1, $2, $3, '', $4, $5)"
)
REVIEW = (
    "INSERT INTO review (id, tender, requirement, reviewer, outcome, comments)"
    " VALUES ($1, $2, $3, $4, 'approved', 'Good.')"
)
DUTY = (
    "INSERT INTO duty (id, tender, person, organisation, duty, assigned_by)"
    " VALUES ($1, $2, $3, $4, $5, $6)"
)
BUYER = "INSERT INTO tender_buyer (id, tender, organisation, population) VALUES ($1, $2, $3, 1000)"
TENDER = (
    "INSERT INTO tender (id, reference, buyer, title, stage, version, demonstration,"
    " rule_set_date) VALUES ($1, 'CSM-2026-DIRECT', $2, 'Direct', $3, 1, false, $4)"
)
PUBLISH = (
    "UPDATE tender SET stage = 'published', rule_set = $2, published_requirement = $3,"
    " version = version + 1 WHERE id = $1"
)


async def write(connection: Any, tender: PublishedTender, content: dict[str, Any]) -> None:
    """Write a version of the requirement past the rules, as its author."""
    async with as_person(connection, tender.author):
        await connection.execute(
            REQUIREMENT,
            uuid4(),
            tender.id,
            msgspec.json.encode(content).decode(),
            tender.author.id,
            tender.author.organisation,
        )


async def test_a_tender_begins_in_draft_and_fixes_its_law_in_a_demonstration_alone(
    world: World, app_role: Any
) -> None:
    lead = await world.person("Ann", await world.organisation("06F"), Role.PROCUREMENT_LEAD)
    for stage, law, promise in (
        ("published", None, "tender_begins_in_draft"),
        ("draft", date(2020, 9, 1), "rule_set_date_in_sandbox"),
    ):
        async with refused(promise), as_person(app_role, lead):
            await app_role.execute(TENDER, uuid4(), lead.organisation, stage, law)


async def test_what_a_tender_is_stays_and_its_version_counts(
    world: World, app_role: Any, superuser: Any
) -> None:
    tender = await drafted_tender(world)
    async with refused("tender_version_counts"), as_person(app_role, tender.manager):
        await app_role.execute("UPDATE tender SET version = version + 2 WHERE id = $1", tender.id)
    async with refused("tender_identity_fixed"), as_person(superuser, tender.manager):
        await superuser.execute(
            "UPDATE tender SET reference = 'X', version = version + 1 WHERE id = $1", tender.id
        )


async def test_a_review_needs_a_requirement_and_is_of_the_latest_in_review(
    world: World, app_role: Any
) -> None:
    lead = await world.person("Ann", await world.organisation("06F"), Role.PROCUREMENT_LEAD)
    empty = UUID((await created_tender(lead))["id"])
    async with refused("tender_has_requirement"), as_person(app_role, lead):
        await app_role.execute(
            "UPDATE tender SET stage = 'in_review', version = version + 1 WHERE id = $1", empty
        )
    tender = await drafted_tender(world)
    async with refused("review_in_review"), as_person(app_role, tender.reviewer):
        await app_role.execute(REVIEW, uuid4(), tender.id, 1, tender.reviewer.id)
    await tender.act(tender.manager, "/review-requests")
    async with refused("review_of_latest"), as_person(app_role, tender.reviewer):
        await app_role.execute(REVIEW, uuid4(), tender.id, 0, tender.reviewer.id)
    async with refused("requirement_in_draft"):
        await write(app_role, tender, requirement_of(1))


async def test_buyers_join_a_draft_and_are_of_a_kind_that_buys(
    world: World, app_role: Any, tender: PublishedTender
) -> None:
    draft = await drafted_tender(world)
    unit, luton = await world.organisation("0AD"), await world.organisation("06P")
    async with refused("buyer_kind"), as_person(app_role, draft.manager):
        await app_role.execute(BUYER, uuid4(), draft.id, unit)
    async with refused("buyers_in_draft"), as_person(app_role, tender.manager):
        await app_role.execute(BUYER, uuid4(), tender.id, luton)


async def test_publication_needs_timetable_keys_and_the_approved_version(
    world: World, app_role: Any
) -> None:
    tender = await approved_tender(world)
    for rule_set, version, promise in (
        (None, 1, "tender_has_timetable"),
        ("pcr_2015", 99, "published_is_approved"),
        ("pcr_2015", 1, "lot_has_keys"),
    ):
        async with refused(promise), as_person(app_role, tender.manager):
            await app_role.execute(PUBLISH, tender.id, rule_set, version)


def _without_lots(content: dict[str, Any]) -> None:
    content["lots"] = []


def _sub_weights_off(content: dict[str, Any]) -> None:
    criterion = content["lots"][0]["criteria"][0]
    leaf = {**criterion, "code": "Z1", "weight": "0.01", "children": []}
    criterion["children"] = [leaf]


@pytest.mark.parametrize(
    ("spoil", "promise"),
    [(_without_lots, "tender_has_lots"), (_sub_weights_off, "criterion_weights_add_up")],
)
async def test_a_text_that_does_not_add_up_is_not_frozen(
    world: World, app_role: Any, spoil: Any, promise: str
) -> None:
    tender = await drafted_tender(world, lots=1)
    content = msgspec.json.decode(msgspec.json.encode(requirement_of(1)))
    content |= {"evaluators_minimum": 2, "approval_quorum": 2}
    spoil(content)
    await write(app_role, tender, content)
    await approve(tender)
    async with refused(promise), as_person(app_role, tender.manager):
        await app_role.execute(PUBLISH, tender.id, "pcr_2015", 2)


# -- duties ---------------------------------------------------------------------------------------


async def _also_of(superuser: Any, person: Person, organisation: UUID) -> None:
    async with acting(superuser, person.id, person.organisation):
        await superuser.execute(
            "INSERT INTO membership (id, person, organisation, role) VALUES ($1, $2, $3, $4)",
            uuid4(),
            person.id,
            organisation,
            "bid_manager",
        )


async def test_duties_go_to_no_supplier_before_and_to_no_bidder_after_the_opening(
    world: World, tender: PublishedTender, app_role: Any, superuser: Any
) -> None:
    (supplier,) = await some_suppliers(world, 1)
    await submit(supplier, tender, 1)
    manager = tender.manager
    helper = await world.person("Hal", manager.organisation, Role.COMMISSIONER)
    given = (tender.id, helper.id, helper.organisation, "contract_manager", manager.id)
    await _also_of(superuser, helper, supplier.organisation)
    async with refused("duty_not_for_suppliers"), as_person(app_role, manager):
        await app_role.execute(DUTY, uuid4(), *given)
    await open_bids(world, tender)
    await declare(manager, tender)
    async with refused("duty_not_for_bidders"), as_person(app_role, manager):
        await app_role.execute(DUTY, uuid4(), *given)
    opener = tender.openers[0]
    async with refused("duty_comes_too_late"), as_person(app_role, manager):
        await app_role.execute(
            DUTY, uuid4(), tender.id, opener.id, opener.organisation, "moderator", manager.id
        )


async def test_a_duty_only_ends_and_ends_once(
    tender: PublishedTender, app_role: Any, superuser: Any
) -> None:
    release = "UPDATE duty SET released_at = now() WHERE tender = $1 AND duty = 'guardian'"
    async with as_person(app_role, tender.manager):
        await app_role.execute(release, tender.id)
    async with refused("duty_only_ends"), as_person(app_role, tender.manager):
        await app_role.execute(release, tender.id)
    async with refused("duty_only_ends"), as_person(superuser, tender.manager):
        await superuser.execute("UPDATE duty SET duty = 'guardian' WHERE duty = 'opener'")


async def test_whoever_holds_a_duty_or_helps_does_not_bid(
    world: World, tender: PublishedTender, app_role: Any, superuser: Any
) -> None:
    (supplier,) = await some_suppliers(world, 1)
    opener = tender.openers[0]
    await _also_of(superuser, opener, supplier.organisation)
    posing = msgspec.structs.replace(opener, organisation=supplier.organisation)
    async with refused("helper_does_not_bid"), as_person(app_role, posing):
        await give(app_role, tender, posing)
