"""Every pair of duties in both orders: through HTTP, and straight at the database."""

from datetime import timedelta
from itertools import permutations
from typing import Any
from uuid import uuid4

import asyncpg
import msgspec
import pytest

from market.organisations.rules import OrganisationKind
from tests.makers.conflicts import (
    DUTY,
    Draft,
    colleague,
    draft,
    exempted,
    give,
    joins,
    problem,
    release,
)
from tests.makers.direct import acting, refused
from tests.makers.matrix import DUTIES, EXPECTED, pairs
from tests.makers.suppliers import admitted_supplier
from tests.makers.tenders import market_time, offer, requirement_of
from tests.makers.world import Person, World

OUTCOMES = {"duty_floor": "F", "duty_default": "D"}


def test_the_table_is_whole_and_the_same_in_both_orders() -> None:
    assert set(EXPECTED) == set(permutations(DUTIES, 2))
    assert len(EXPECTED) == 110
    assert all(EXPECTED[second, first] == cell for (first, second), cell in EXPECTED.items())
    assert [list(EXPECTED.values()).count(cell) for cell in "FD+"] == [52, 10, 48]


async def by_http(tender: Draft, person: Person, duty: str) -> str:
    """Ask for a duty, and say what came of it in the letters of the table."""
    answer = await offer(tender.manager, tender.id, person, duty)
    if answer.status_code == 201:
        return "+"
    assert problem(answer) == (403, "duty-clash"), answer.text
    detail = answer.json()["detail"]
    assert f"cannot be its {duty.replace('_', ' ')}" in detail
    return "D" if "exemption by the conflicts guardian" in detail else "F"


async def by_hand(app_role: Any, tender: Draft, person: Person, duty: str) -> str:
    """The same past the API, as the role that it has in the database."""
    manager = tender.manager
    try:
        async with acting(app_role, manager.id, manager.organisation):
            await app_role.execute(
                DUTY, uuid4(), tender.id, person.id, person.organisation, duty, manager.id
            )
    except asyncpg.PostgresError as error:
        return OUTCOMES[str(getattr(error, "constraint_name", error))]
    return "+"


async def force_exemption(superuser: Any, tender: Draft, person: Person, pair: Any) -> None:
    """Write an exemption that no guard would let in, as only a migration could."""
    one, other = sorted(pair)
    await superuser.execute("SET market.migrating = 'on'")
    await superuser.execute("ALTER TABLE exemption DISABLE TRIGGER guard_exemption")
    async with acting(superuser, tender.guardian.id, tender.guardian.organisation):
        await superuser.execute(
            "INSERT INTO exemption (id, tender, person, one, other, reason, granted_by,"
            " granted_at, expires_at) VALUES ($1, $2, $3, $4, $5, 'Forced.', $6, now(),"
            " now() + interval '1 year')",
            uuid4(),
            tender.id,
            person.id,
            one,
            other,
            tender.guardian.id,
        )
    await superuser.execute("ALTER TABLE exemption ENABLE ALWAYS TRIGGER guard_exemption")
    await superuser.execute("RESET market.migrating")


# -- every pair ------------------------------------------------------------------------------------


async def test_every_pair_through_http(world: World) -> None:
    tender = await draft(world)
    found = {}
    for first, second in EXPECTED:
        person = await colleague(world)
        assert await by_http(tender, person, first) == "+"
        found[first, second] = await by_http(tender, person, second)
    assert found == EXPECTED


async def test_every_pair_straight_at_the_database(world: World, app_role: Any) -> None:
    tender = await draft(world)
    found = {}
    for first, second in EXPECTED:
        person = await colleague(world)
        assert await by_hand(app_role, tender, person, first) == "+"
        found[first, second] = await by_hand(app_role, tender, person, second)
    assert found == EXPECTED


async def test_an_exemption_lets_a_person_hold_exactly_its_pair(
    world: World, app_role: Any
) -> None:
    tender = await draft(world)
    for first, second in pairs("D"):
        for direct in (False, True):
            person = await colleague(world)
            await exempted(world, tender.guardian, tender.id, person, second, first)
            for duty in (first, second):
                given = (
                    await by_hand(app_role, tender, person, duty)
                    if direct
                    else await by_http(tender, person, duty)
                )
                assert given == "+", (first, second, direct)


async def test_an_exemption_helps_neither_another_person_nor_another_tender_nor_another_pair(
    world: World,
) -> None:
    tender, other = await draft(world), await draft(world)
    person, stranger = await colleague(world), await colleague(world)
    await exempted(world, tender.guardian, tender.id, person, "author", "quality_evaluator")
    for where, who, first, second in (
        (tender, stranger, "author", "quality_evaluator"),
        (other, person, "author", "quality_evaluator"),
        (tender, person, "reviewer", "quality_evaluator"),
    ):
        assert await by_http(where, who, first) == "+"
        assert await by_http(where, who, second) == "D"


async def test_no_exemption_lifts_the_floor_not_even_one_forced_into_the_database(
    world: World, app_role: Any, superuser: Any
) -> None:
    tender = await draft(world)
    for first, second in pairs("F"):
        for direct in (False, True):
            person = await colleague(world)
            await force_exemption(superuser, tender, person, (first, second))
            for duty, expected in ((first, "+"), (second, "F")):
                given = (
                    await by_hand(app_role, tender, person, duty)
                    if direct
                    else await by_http(tender, person, duty)
                )
                assert given == expected, (first, second, direct)


async def test_the_guardian_of_a_tender_takes_no_other_duty_and_no_holder_becomes_its_guardian(
    world: World,
) -> None:
    tender = await draft(world)
    for duty in DUTIES:
        if duty != "guardian":
            assert await by_http(tender, tender.guardian, duty) == "F"
    assert await by_http(tender, tender.manager, "guardian") == "F"


async def test_releasing_a_duty_makes_no_other_possible(world: World, app_role: Any) -> None:
    tender = await draft(world)
    for first, second in pairs("F") + pairs("D"):
        person = await colleague(world)
        assert await by_http(tender, person, first) == "+"
        assert (await release(tender.manager, tender.id, person, first)).status_code == 200
        assert await by_http(tender, person, second) == EXPECTED[first, second]
        assert await by_hand(app_role, tender, person, second) == EXPECTED[first, second]


# -- joint buyers and units ------------------------------------------------------------------------


async def joint(world: World, tender: Draft) -> None:
    """Let Luton buy too."""
    view = (await tender.manager.get(tender.path)).json()
    joined = await tender.manager.post(
        f"{tender.path}/buyers",
        {"organisation": str(await world.organisation("06P"))},
        version=view["version"],
    )
    assert joined.status_code == 200, joined.text


async def test_one_duty_for_one_group_and_another_for_the_other_clash_all_the_same(
    world: World, app_role: Any, superuser: Any
) -> None:
    tender = await draft(world)
    await joint(world, tender)
    luton = await world.organisation("06P")
    for (first, second), expected in EXPECTED.items():
        here = await colleague(world)
        there = await joins(superuser, here, luton)
        assert await by_http(tender, here, first) == "+"
        assert await by_hand(app_role, tender, there, second) == expected
        if expected != "+":
            assert await by_http(tender, there, second) == expected


async def test_what_a_person_does_for_one_tender_says_nothing_about_another(world: World) -> None:
    one, other = await draft(world), await draft(world)
    person = await colleague(world)
    assert await by_http(one, person, "author") == "+"
    assert await by_http(other, person, "award_approver") == "+"


async def test_staff_of_a_unit_who_write_are_authors_as_everybody_is(
    world: World, app_role: Any
) -> None:
    tender = await draft(world)
    unit = await admitted_supplier(world, "A unit", OrganisationKind.COMMISSIONING_SUPPORT_UNIT)
    assert (await give(tender.manager, tender.id, unit, "author")).status_code == 201
    written = await _write(unit, tender)
    assert written.status_code == 200, written.text
    assert (await release(tender.manager, tender.id, unit, "author")).status_code == 200
    for (first, second), expected in EXPECTED.items():
        if first == "author" and expected != "+":
            assert await by_http(tender, unit, second) == expected
            assert await by_hand(app_role, tender, unit, second) == expected


# -- authorship comes of the edit itself -----------------------------------------------------------


async def _write(person: Person, tender: Draft) -> Any:
    version = (await person.get(tender.path)).json()["version"]
    return await person.put(f"{tender.path}/requirement", requirement_of(1), version=version)


# A manager may edit. These are the duties that one may hold beside managing, with what the table
# says of an author who holds them.
BESIDE_MANAGING = [
    (duty, EXPECTED["author", duty])
    for duty in DUTIES
    if duty != "author" and EXPECTED.get(("tender_manager", duty)) == "+"
]


def test_there_are_lawful_and_unlawful_duties_beside_managing() -> None:
    assert BESIDE_MANAGING == [
        ("reviewer", "F"),
        ("opener", "F"),
        ("contract_manager", "+"),
        ("outcome_reviewer", "F"),
    ]


@pytest.mark.parametrize(("duty", "expected"), BESIDE_MANAGING)
async def test_whoever_edits_is_an_author_and_an_author_is_nothing_that_clashes(
    world: World, app_role: Any, duty: str, expected: str
) -> None:
    tender = await draft(world)
    # the edit first, and then the duty
    editor = await colleague(world)
    assert (await give(tender.manager, tender.id, editor, "tender_manager")).status_code == 201
    assert (await _write(editor, tender)).status_code == 200
    assert "author" in (await editor.get(tender.path)).json()["my_duties"]
    assert await by_hand(app_role, tender, editor, duty) == expected
    if expected != "+":
        assert await by_http(tender, editor, duty) == expected
    # the duty first, and then the edit: in the API, and past it
    holder = await colleague(world)
    for held in ("tender_manager", duty):
        assert (await give(tender.manager, tender.id, holder, held)).status_code == 201
    answer = await _write(holder, tender)
    if expected == "+":
        assert answer.status_code == 200, answer.text
        return
    assert problem(answer) == (403, "duty-clash")
    async with (
        refused("duty_floor"),
        acting(app_role, holder.id, holder.organisation),
    ):
        await app_role.execute(
            "INSERT INTO requirement_version (id, tender, content, digest, edited_by,"
            " organisation) VALUES ($1, $2, $3, $4, $5, $6)",
            uuid4(),
            tender.id,
            msgspec.json.encode(requirement_of(1)).decode(),
            b"d" * 32,
            holder.id,
            holder.organisation,
        )
    mine = (await holder.get(tender.path)).json()["my_duties"]
    assert mine == sorted(["tender_manager", duty])


async def test_editing_the_timetable_makes_nobody_an_author(world: World) -> None:
    tender = await draft(world)
    view = (await tender.manager.get(tender.path)).json()
    deadline = await market_time(world) + timedelta(days=60)
    body = {
        "clarifications_until": (deadline - timedelta(days=7)).isoformat(),
        "deadline": deadline.isoformat(),
        "contract_starts": (deadline + timedelta(days=90)).date().isoformat(),
    }
    answer = await tender.manager.put(f"{tender.path}/timetable", body, version=view["version"])
    assert answer.status_code == 200, answer.text
    assert answer.json()["my_duties"] == ["tender_manager"]
    assert await by_http(tender, tender.manager, "opener") == "+"
