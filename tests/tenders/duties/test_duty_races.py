"""Two requests at once about duties: exactly the lawful outcome, many times over."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest

from market.actor import Role
from tests.makers.bids import asked, bid_body, give_bid, some_suppliers
from tests.makers.conflicts import (
    Draft,
    colleague,
    declare_on_duty,
    delegate,
    draft,
    end_delegation,
    exempted,
    give,
    joins,
    problem,
    revoke,
    today,
)
from tests.makers.participants import consortium_member
from tests.makers.recusals import register_interest
from tests.makers.tenders import offer, published_tender, requirement_of
from tests.makers.world import Person, World

ROUNDS = 30
CLASH = (403, "duty-clash")


@pytest.fixture
async def tender(world: World) -> Draft:
    return await draft(world)


def outcomes(answers: Sequence[httpx.Response]) -> list[tuple[int, str]]:
    return sorted(problem(answer) for answer in answers)


async def second_manager(tender: Draft, world: World) -> Person:
    manager = await colleague(world, "Moira Manager")
    assert (await give(tender.manager, tender.id, manager, "tender_manager")).status_code == 201
    return manager


async def no_pair_in(superuser: Any, table: str) -> None:
    """No two duties of one person in one tender are a pair of the table."""
    both = await superuser.fetchval(
        f"SELECT count(*) FROM duty a JOIN duty b ON b.tender = a.tender"  # noqa: S608  # one of two
        f" AND b.person = a.person JOIN {table} f ON f.one = a.duty AND f.other = b.duty"
    )
    assert both == 0


async def test_of_two_managers_who_give_one_person_duties_that_clash_one_succeeds(
    world: World, tender: Draft, superuser: Any
) -> None:
    other = await second_manager(tender, world)
    pairs = [
        ("author", "award_approver"),
        ("moderator", "award_approver"),
        ("opener", "award_approver"),
        ("author", "quality_evaluator"),
        ("guardian", "contract_manager"),
    ]
    for turn in range(ROUNDS):
        first, second = pairs[turn % len(pairs)]
        person = await colleague(world, f"Racer {turn}")
        answers = await asyncio.gather(
            offer(tender.manager, tender.id, person, first),
            offer(other, tender.id, person, second),
        )
        assert outcomes(answers) == [(201, ""), CLASH], (first, second)
    await no_pair_in(superuser, "duty_floor")
    await no_pair_in(superuser, "duty_default")


async def test_the_same_duty_given_twice_at_once_is_given_once(world: World, tender: Draft) -> None:
    other = await second_manager(tender, world)
    for turn in range(ROUNDS):
        person = await colleague(world, f"Racer {turn}")
        answers = await asyncio.gather(
            *(offer(who, tender.id, person, "opener") for who in (tender.manager, other))
        )
        assert outcomes(answers) == [(201, ""), (409, "duty-held-already")]


async def test_duties_for_two_groups_given_at_once_clash_as_for_one(
    world: World, tender: Draft, superuser: Any
) -> None:
    other = await second_manager(tender, world)
    luton = await world.organisation("06P")
    for turn in range(ROUNDS):
        here = await colleague(world, f"Racer {turn}")
        there = await joins(superuser, here, luton)
        answers = await asyncio.gather(
            offer(tender.manager, tender.id, here, "author"),
            offer(other, tender.id, there, "opener"),
        )
        assert outcomes(answers) == [(201, ""), CLASH]


async def test_an_edit_racing_a_duty_that_no_author_holds_makes_only_one_of_them(
    world: World, tender: Draft, superuser: Any
) -> None:
    for turn in range(ROUNDS):
        editor = await second_manager(tender, world)
        version = (await tender.manager.get(tender.path)).json()["version"]
        edit = editor.put(f"{tender.path}/requirement", requirement_of(1), version=version)
        duty = offer(tender.manager, tender.id, editor, ("opener", "reviewer")[turn % 2])
        written, given = await asyncio.gather(edit, duty)
        pair = problem(written), problem(given)
        assert pair in {((200, ""), CLASH), (CLASH, (201, ""))}, pair
    await no_pair_in(superuser, "duty_floor")
    editors = await superuser.fetchval(
        "SELECT count(*) FROM requirement_version r WHERE NOT EXISTS (SELECT 1 FROM duty d"
        " WHERE d.tender = r.tender AND d.person = r.edited_by AND d.duty = 'author')"
    )
    assert editors == 0


async def test_a_revocation_racing_the_duty_it_would_allow(
    world: World, tender: Draft, superuser: Any
) -> None:
    for turn in range(ROUNDS):
        person = await colleague(world, f"Racer {turn}")
        exemption = await exempted(
            world, tender.guardian, tender.id, person, "moderator", "reviewer"
        )
        assert (await offer(tender.manager, tender.id, person, "reviewer")).status_code == 201
        given, revoked = await asyncio.gather(
            offer(tender.manager, tender.id, person, "moderator"),
            revoke(tender.guardian, tender.id, exemption),
        )
        assert revoked.status_code == 201, revoked.text
        assert problem(given) in {(201, ""), CLASH}
    # whatever was given, was given before, and is suspended now
    late = await superuser.fetchval(
        "SELECT count(*) FROM duty d JOIN exemption e ON e.person = d.person"
        " JOIN exemption_revocation r ON r.exemption = e.id"
        " WHERE d.duty = 'moderator' AND d.assigned_at > r.revoked_at"
    )
    working = await superuser.fetchval(
        "SELECT count(*) FROM duty d CROSS JOIN LATERAL duties_in_force(d.tender, d.person) f"
        " WHERE d.duty = 'moderator' AND f.duty = 'moderator'"
    )
    assert (late, working) == (0, 0)


async def test_two_revocations_at_once_end_an_exemption_once(world: World, tender: Draft) -> None:
    for turn in range(ROUNDS):
        person = await colleague(world, f"Racer {turn}")
        exemption = await exempted(
            world, tender.guardian, tender.id, person, "moderator", "reviewer"
        )
        answers = await asyncio.gather(
            *(revoke(tender.guardian, tender.id, exemption) for _ in range(3))
        )
        assert outcomes(answers) == [(201, "")] + [(409, "exemption-over")] * 2


async def test_nothing_to_declare_racing_an_entry_in_the_register_is_said_before_it_or_refused(
    world: World, tender: Draft, superuser: Any
) -> None:
    for turn in range(ROUNDS):
        person = await colleague(world, f"Racer {turn}")
        assert (await offer(tender.manager, tender.id, person, "opener")).status_code == 201
        said, _ = await asyncio.gather(
            declare_on_duty(person, tender.id),
            register_interest(world, person, counterparty="A company"),
        )
        assert problem(said) in {(201, ""), (409, "register-says-otherwise")}
    late = await superuser.fetchval(
        "SELECT count(*) FROM duty_declaration d JOIN interest i ON i.person = d.person"
        " WHERE d.statement = 'nothing_to_declare' AND d.declared_at > i.declared_at"
    )
    assert late == 0


async def test_a_declaration_racing_the_duty_it_is_for_takes_up_what_was_given_before_it(
    world: World, tender: Draft, superuser: Any
) -> None:
    """Of a second duty, given while one declares for the first."""
    for turn in range(ROUNDS):
        person = await colleague(world, f"Racer {turn}")
        assert (await offer(tender.manager, tender.id, person, "opener")).status_code == 201
        answers = await asyncio.gather(
            declare_on_duty(person, tender.id),
            offer(tender.manager, tender.id, person, "contract_manager"),
        )
        assert outcomes(answers) == [(201, ""), (201, "")]
    wrong = await superuser.fetchval(
        "SELECT count(*) FROM duty d JOIN duty_declaration x ON x.person = d.person"
        " CROSS JOIN LATERAL duty_standing(d.tender, d.person) s"
        " WHERE d.duty = 'contract_manager' AND s.duty = d.duty"
        " AND (s.standing = 'in_force') <> (x.declared_at >= d.assigned_at)"
    )
    assert wrong == 0


async def test_the_end_of_a_delegation_racing_a_duty_under_it(
    world: World, tender: Draft, superuser: Any
) -> None:
    group = tender.manager.organisation
    administrator = await world.person("Ann Admin", group, Role.ADMINISTRATOR)
    day = await today(world)
    for turn in range(ROUNDS):
        member = await colleague(world, f"Racer {turn}", "04F")
        made = await delegate(
            administrator, member.organisation, day - timedelta(days=1), day + timedelta(days=9)
        )
        assert made.status_code == 201, made.text
        given, over = await asyncio.gather(
            offer(tender.manager, tender.id, member, "moderator"),
            end_delegation(administrator, made.json()["id"]),
        )
        assert over.status_code == 201, over.text
        assert problem(given) in {(201, ""), (403, "delegation-needed")}
    # every duty was given while some delegation was in force
    unlawful = await superuser.fetchval(
        "SELECT count(*) FROM duty d WHERE d.duty = 'moderator' AND NOT EXISTS ("
        " SELECT 1 FROM award_delegation g JOIN award_delegation_ending n ON n.delegation = g.id"
        " WHERE d.assigned_at BETWEEN g.recorded_at AND n.ended_at)"
    )
    assert unlawful == 0


async def test_a_membership_that_ends_while_a_duty_is_given_ends_the_duty_s_work(
    world: World, tender: Draft, superuser: Any
) -> None:
    group = tender.manager.organisation
    administrator = await world.person("Ann Admin", group, Role.ADMINISTRATOR)
    for turn in range(ROUNDS):
        person = await colleague(world, f"Racer {turn}")
        membership = await superuser.fetchval(
            "SELECT id FROM membership WHERE person = $1", person.id
        )
        given, gone = await asyncio.gather(
            offer(tender.manager, tender.id, person, "opener"),
            administrator.delete(f"/memberships/{membership}"),
        )
        assert gone.status_code == 204, gone.text
        assert problem(given) in {(201, ""), (409, "not-member")}
    late = await superuser.fetchval(
        "SELECT count(*) FROM duty d JOIN membership m ON m.person = d.person"
        " AND m.organisation = d.organisation WHERE d.assigned_at > m.ended_at"
    )
    assert late == 0


async def test_a_bid_racing_a_duty_of_whoever_takes_part_in_it(
    world: World, superuser: Any
) -> None:
    """Either the helper was there first and the bid is refused, or the bid was."""
    tender = await published_tender(world, lots=1)
    suppliers = await some_suppliers(world, 8)
    for supplier in suppliers:
        ods = await superuser.fetchrow(
            "SELECT i.organisation, i.identifier FROM organisation_identifier i"
            " JOIN organisation o ON o.id = i.organisation"
            " WHERE o.kind = 'clinical_commissioning_group' AND NOT EXISTS ("
            " SELECT 1 FROM duty d WHERE d.organisation = o.id) ORDER BY random() LIMIT 1"
        )
        person = await colleague(world, "Raj Racer", ods["identifier"])
        body = bid_body(asked(tender, 1)) | {
            "participants": [consortium_member(ods["organisation"])]
        }
        bid, duty = await asyncio.gather(
            give_bid(supplier, tender, 1, body),
            offer(tender.manager, tender.id, person, "contract_manager"),
        )
        assert duty.status_code == 201, duty.text  # a refusal would tell who bids
        assert problem(bid) in {(201, ""), (403, "helper-may-not-bid")}
    unlawful = await superuser.fetchval(
        "SELECT count(*) FROM bid_participant p JOIN bid_version v ON v.id = p.bid_version"
        " JOIN duty d ON d.organisation = p.organisation WHERE v.received_at > d.assigned_at"
    )
    assert unlawful == 0


async def test_a_bid_racing_a_duty_of_the_bidder_s_own_member(world: World) -> None:
    tender = await published_tender(world, lots=1)
    for supplier in await some_suppliers(world, 6):
        bid, duty = await asyncio.gather(
            give_bid(supplier, tender, 1),
            offer(tender.manager, tender.id, supplier, "contract_manager"),
        )
        assert bid.status_code == 201, bid.text
        assert problem(duty) == (403, "suppliers-may-not-hold-duties")


async def test_joining_a_supplier_racing_a_duty(world: World, superuser: Any) -> None:
    tender = await published_tender(world, lots=1)
    (supplier,) = await some_suppliers(world, 1)
    for turn in range(ROUNDS):
        person = await colleague(world, f"Racer {turn}")
        duty, _ = await asyncio.gather(
            offer(tender.manager, tender.id, person, "contract_manager"),
            joins(superuser, person, supplier.organisation),
        )
        assert problem(duty) in {(201, ""), (403, "suppliers-may-not-hold-duties")}
    unlawful = await superuser.fetchval(
        "SELECT count(*) FROM duty d JOIN membership m ON m.person = d.person"
        " WHERE m.organisation = $1 AND d.assigned_at > m.started_at",
        supplier.organisation,
    )
    assert unlawful == 0


async def test_one_key_for_an_exemption_sent_many_times_at_once_is_one(
    world: World, tender: Draft, superuser: Any
) -> None:
    person = await colleague(world)
    body = {
        "person": str(person.id),
        "duties": ["reviewer", "moderator"],
        "reason": "There is nobody else who knows it.",
        "expires_at": f"{(await today(world)).year + 1}-06-01T00:00:00Z",
    }
    headers = {"Idempotency-Key": str(uuid4())}
    answers = await asyncio.gather(
        *(
            tender.guardian.post(f"{tender.path}/exemptions", body, headers=headers)
            for _ in range(6)
        )
    )
    assert {problem(answer) for answer in answers} <= {(201, ""), (409, "key-in-progress")}
    assert await superuser.fetchval("SELECT count(*) FROM exemption") == 1
