"""Award duties held by another body's people: under a delegation in force, and not otherwise."""

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from market.actor import Role
from tests.makers.bids import asked, bid_body, declare, give_bid, some_suppliers
from tests.makers.clock import advance_to
from tests.makers.conflicts import (
    DUTY,
    Draft,
    colleague,
    delegate,
    draft,
    end_delegation,
    give,
    problem,
    today,
)
from tests.makers.direct import acting, refused
from tests.makers.direct_bids import violates
from tests.makers.evaluation import lot_to_score
from tests.makers.participants import consortium_member
from tests.makers.tenders import market_time, offer, published_tender
from tests.makers.world import Person, World

NEEDED = (403, "delegation-needed")
DELEGATION = (
    "INSERT INTO award_delegation (id, delegator, delegate, authority, starts_on, ends_on,"
    " recorded_by, recorded_at) VALUES ($1, $2, $3, $4, $5, $6, $7, '2001-01-01Z')"
)
ENDING = (
    "INSERT INTO award_delegation_ending (id, delegation, reason, ended_by, ended_at)"
    " VALUES ($1, $2, 'Over.', $3, '2001-01-01Z')"
)
YEAR = timedelta(days=365)


@pytest.fixture
async def tender(world: World) -> Draft:
    return await draft(world)


@pytest.fixture
async def administrator(world: World) -> Person:
    """Of the buyer's."""
    group = await world.organisation("06F")
    return await world.person("Ann Admin", group, Role.ADMINISTRATOR)


@pytest.fixture
async def member(world: World) -> Person:
    """Of the federation, which is another group here."""
    return await colleague(world, "Fay Federation", "04F")


async def delegated(world: World, administrator: Person, to: Person, **shift: int) -> str:
    """A delegation from so many days from now to so many."""
    day = await today(world)
    starts, ends = shift.get("starts", -1), shift.get("ends", 365)
    answer = await delegate(
        administrator,
        to.organisation,
        day + timedelta(days=starts),
        day + timedelta(days=ends),
    )
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


# -- what it lets do -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "duty", ["quality_evaluator", "price_evaluator", "moderator", "award_approver"]
)
async def test_award_duties_are_given_under_a_delegation_alone(
    world: World, tender: Draft, administrator: Person, member: Person, duty: str
) -> None:
    assert problem(await offer(tender.manager, tender.id, member, duty)) == NEEDED
    await delegated(world, administrator, member)
    assert (await give(tender.manager, tender.id, member, duty)).status_code == 201
    assert (await member.get(tender.path)).json()["my_duties"] == [duty]


@pytest.mark.parametrize("duty", ["author", "reviewer", "opener", "contract_manager"])
async def test_other_duties_need_none(tender: Draft, member: Person, duty: str) -> None:
    assert (await give(tender.manager, tender.id, member, duty)).status_code == 201


async def test_a_delegation_by_a_body_that_does_not_buy_here_is_none_here(
    world: World, tender: Draft, member: Person
) -> None:
    luton = await world.person("Lu Admin", await world.organisation("06P"), Role.ADMINISTRATOR)
    await delegated(world, luton, member)
    assert problem(await offer(tender.manager, tender.id, member, "moderator")) == NEEDED
    view = (await tender.manager.get(tender.path)).json()
    joined = await tender.manager.post(
        f"{tender.path}/buyers", {"organisation": str(luton.organisation)}, version=view["version"]
    )
    assert joined.status_code == 200, joined.text
    assert (await offer(tender.manager, tender.id, member, "moderator")).status_code == 201


async def test_it_is_no_delegation_back_nor_one_handed_on(
    world: World, tender: Draft, administrator: Person, member: Person
) -> None:
    await delegated(world, administrator, member)
    elsewhere = await world.person("El Admin", member.organisation, Role.ADMINISTRATOR)
    third = await colleague(world, "Theo Third", "06P")
    await delegated(world, elsewhere, third)
    assert problem(await offer(tender.manager, tender.id, third, "moderator")) == NEEDED


async def test_before_its_start_and_after_its_end_it_is_none(
    world: World, tender: Draft, administrator: Person, member: Person
) -> None:
    await delegated(world, administrator, member, starts=10, ends=20)
    await delegated(world, administrator, member, starts=-20, ends=-10)
    assert problem(await offer(tender.manager, tender.id, member, "moderator")) == NEEDED
    await advance_to(world, await market_time(world) + timedelta(days=15))
    assert (await give(tender.manager, tender.id, member, "moderator")).status_code == 201
    assert (await member.get(tender.path)).json()["my_duties"] == ["moderator"]
    await advance_to(world, await market_time(world) + timedelta(days=10))
    assert (await member.get(f"{tender.path}/duties")).status_code == 404
    await delegated(world, administrator, member)
    assert (await member.get(tender.path)).json()["my_duties"] == ["moderator"]


async def test_ended_early_it_suspends_at_once(
    world: World, administrator: Person, member: Person
) -> None:
    delegation = ""

    async def federated(published: Any, _: object) -> None:
        nonlocal delegation
        delegation = await delegated(world, administrator, member)
        given = await give(published.manager, published.id, member, "quality_evaluator")
        assert given.status_code == 201, given.text

    lot = await lot_to_score(world, prices=("1.00",), before_opening=federated)
    await declare(member, lot.tender)
    assert (await lot.score(member, 0, "Q1.1", "5")).status_code == 201
    answer = await end_delegation(administrator, delegation)
    assert answer.status_code == 201, answer.text
    assert (answer.json()["in_force"], bool(answer.json()["ended_because"])) == (False, True)
    for answer in (
        await lot.score(member, 0, "Q1.2", "5"),
        await lot.lock(member),
        await member.get(f"{lot.path}/evaluation/bids"),
        await member.get(f"{lot.path}/evaluation/scores"),
    ):
        assert problem(answer) == (403, "duty-suspended"), answer.text
    newcomer = await colleague(world, "Fred Federation", "04F")
    await declare(lot.tender.manager, lot.tender)
    answer = await offer(lot.tender.manager, lot.tender.id, newcomer, "moderator")
    assert problem(answer) == NEEDED
    again = await end_delegation(administrator, delegation)
    assert problem(again) == (409, "delegation-over")


# -- who records it, to whom -----------------------------------------------------------------------


async def test_an_administrator_of_the_delegating_body_alone_records_and_ends_it(
    world: World, administrator: Person, member: Person
) -> None:
    delegation = await delegated(world, administrator, member)
    day = await today(world)
    path = f"/organisations/{administrator.organisation}/award-delegations"
    body = {
        "delegate": str(member.organisation),
        "authority": "The governing body, in March.",
        "starts_on": day.isoformat(),
        "ends_on": (day + YEAR).isoformat(),
    }
    reason = {"reason": "The federation is dissolved."}
    lead = await world.person("Lena Lead", administrator.organisation, Role.PROCUREMENT_LEAD)
    elsewhere = await world.person("El Admin", member.organisation, Role.ADMINISTRATOR)
    for person, status in ((lead, 403), (elsewhere, 404), (member, 404)):
        assert (await person.post(path, body)).status_code == status
        ending = await person.post(f"{path}/{delegation}/ending", reason)
        assert ending.status_code == status, ending.text
    assert (await administrator.post(path, body)).status_code == 201
    unknown = await administrator.post(f"{path}/{uuid4()}/ending", reason)
    assert unknown.status_code == 404
    other = f"/organisations/{elsewhere.organisation}/award-delegations/{delegation}/ending"
    assert (await elsewhere.post(other, reason)).status_code == 404


async def test_it_goes_to_another_body_that_buys(
    world: World, administrator: Person, member: Person
) -> None:
    (supplier,) = await some_suppliers(world, 1)
    unit = await world.organisation("0AD")
    day = await today(world)
    for to in (supplier.organisation, unit, administrator.organisation, uuid4()):
        answer = await delegate(administrator, to, day, day + YEAR)
        assert problem(answer) == (400, "delegation-faulty"), answer.text
        assert [error["field"] for error in answer.json()["errors"]] == ["delegate"]
    backwards = await delegate(administrator, member.organisation, day + YEAR, day)
    assert problem(backwards) == (400, "delegation-faulty")
    assert [error["field"] for error in backwards.json()["errors"]] == ["ends_on"]
    both = await delegate(administrator, unit, day + YEAR, day)
    assert [error["field"] for error in both.json()["errors"]] == ["delegate", "ends_on"]
    one_day = await delegate(administrator, member.organisation, day, day)
    assert one_day.status_code == 201
    manager = await world.person("Sam Supplier", supplier.organisation, Role.ADMINISTRATOR)
    answer = await delegate(manager, member.organisation, day, day + YEAR)
    assert problem(answer) == (400, "delegation-faulty")


@pytest.mark.parametrize(
    "changes",
    [
        {"authority": " "},
        {"authority": "a\x00b"},
        {"authority": "x" * 100_000},
        {"starts_on": "soon"},
        {"ends_on": None},
        {"ends_on": "2030-02-30"},
        {"delegate": "them"},
        {"for_ever": True},
    ],
)
async def test_a_malformed_delegation_is_refused(
    world: World, administrator: Person, member: Person, changes: dict[str, Any]
) -> None:
    day = await today(world)
    answer = await delegate(administrator, member.organisation, day, day + YEAR, **changes)
    assert problem(answer) == (400, "malformed"), answer.text


@pytest.mark.parametrize(("starts", "ends"), [("0001-01-01", "9999-12-31")])
async def test_a_delegation_from_one_end_of_time_to_the_other_is_no_accident(
    tender: Draft, administrator: Person, member: Person, starts: str, ends: str
) -> None:
    path = f"/organisations/{administrator.organisation}/award-delegations"
    body = {
        "delegate": str(member.organisation),
        "authority": "The governing body, in March.",
        "starts_on": starts,
        "ends_on": ends,
    }
    assert (await administrator.post(path, body)).status_code == 201
    assert (await administrator.get(path)).json()[0]["in_force"] is True
    assert (await offer(tender.manager, tender.id, member, "moderator")).status_code == 201


async def test_delegations_are_public(world: World, administrator: Person, member: Person) -> None:
    delegation = await delegated(world, administrator, member)
    path = f"/organisations/{administrator.organisation}/award-delegations"
    for answer in (await world.public(path), await member.get(path)):
        (listed,) = answer.json()
        assert listed["id"] == delegation
        assert listed["delegate"] == str(member.organisation)
        assert listed["in_force"] is True
    assert (await world.public(f"/organisations/{uuid4()}/award-delegations")).status_code == 404


# -- whoever helps does not bid --------------------------------------------------------------------


async def test_a_delegate_with_people_in_a_tender_takes_no_part_in_a_bid(
    world: World, administrator: Person, member: Person
) -> None:
    tender = await published_tender(world, lots=1)
    (supplier,) = await some_suppliers(world, 1)
    await delegated(world, administrator, member)
    body = bid_body(asked(tender, 1)) | {"participants": [consortium_member(member.organisation)]}
    assert (await give(tender.manager, tender.id, member, "moderator")).status_code == 201
    answer = await give_bid(supplier, tender, 1, body)
    assert problem(answer) == (403, "helper-may-not-bid")
    assert problem(await give_bid(member, tender, 1))[0] == 403


# -- straight at the database ----------------------------------------------------------------------


async def test_the_database_takes_a_delegation_from_an_administrator_to_another_buyer(
    world: World, administrator: Person, member: Person, app_role: Any, superuser: Any
) -> None:
    day = await today(world)
    lead = await world.person("Lena Lead", administrator.organisation, Role.PROCUREMENT_LEAD)
    elsewhere = await world.person("El Admin", member.organisation, Role.ADMINISTRATOR)
    (supplier,) = await some_suppliers(world, 1)

    async def record(
        acts: Person,
        by: Person,
        to: UUID,
        *,
        ends: timedelta = YEAR,
        authority: str = "The governing body.",
    ) -> UUID:
        made = uuid4()
        async with acting(app_role, acts.id, acts.organisation):
            await app_role.execute(
                DELEGATION,
                made,
                administrator.organisation,
                to,
                authority,
                day,
                day + ends,
                by.id,
            )
        return made

    to = member.organisation
    for person in (lead, elsewhere, member):
        async with refused("delegated_by_administrator"):
            await record(person, person, to)
    async with refused("acts_in_own_name"):
        await record(lead, administrator, to)
    for other in (supplier.organisation, await world.organisation("0AD")):
        async with refused("delegated_among_buyers"):
            await record(administrator, administrator, other)
    async with violates("award_delegation_to_another"):
        await record(administrator, administrator, administrator.organisation)
    async with violates("award_delegation_ends_after_start"):
        await record(administrator, administrator, to, ends=-timedelta(days=1))
    async with violates("award_delegation_has_authority"):
        await record(administrator, administrator, to, authority=" ")
    made = await record(administrator, administrator, to)
    recorded = await superuser.fetchval("SELECT recorded_at FROM award_delegation")
    assert recorded.year > 2001
    for person in (lead, elsewhere):
        async with (
            refused("delegated_by_administrator"),
            acting(app_role, person.id, person.organisation),
        ):
            await app_role.execute(ENDING, uuid4(), made, person.id)
    async with refused("acts_in_own_name"), acting(app_role, lead.id, lead.organisation):
        await app_role.execute(ENDING, uuid4(), made, administrator.id)
    async with acting(app_role, administrator.id, administrator.organisation):
        await app_role.execute(ENDING, uuid4(), made, administrator.id)
    async with (
        violates("award_delegation_ending_once"),
        acting(app_role, administrator.id, administrator.organisation),
    ):
        await app_role.execute(ENDING, uuid4(), made, administrator.id)


async def test_the_database_gives_an_award_duty_while_a_delegation_is_in_force(
    world: World, tender: Draft, administrator: Person, member: Person, app_role: Any
) -> None:
    async def insert(duty: str) -> None:
        manager = tender.manager
        async with acting(app_role, manager.id, manager.organisation):
            await app_role.execute(
                DUTY, uuid4(), tender.id, member.id, member.organisation, duty, manager.id
            )

    async with refused("award_duty_delegated"):
        await insert("quality_evaluator")
    delegation = await delegated(world, administrator, member)
    await insert("quality_evaluator")
    assert (await end_delegation(administrator, delegation)).status_code == 201
    async with refused("award_duty_delegated"):
        await insert("moderator")
