"""The database's own promises about the registers, past every rule in Python."""

from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from market.actor import Role
from tests.makers.direct import acting, not_granted, refused
from tests.makers.direct_registers import (
    TABLES,
    a_year_ago,
    day_of,
    in_name_of,
    insert,
    insert_breach,
    insert_confirmation,
    insert_ending,
    insert_gift,
    insert_interest,
    insert_involved,
    insert_mitigation,
    insert_publication,
    insert_review,
)
from tests.makers.interests import body_with_registers
from tests.makers.world import Person, World


async def test_whose_entry_it_is_and_when_it_was_made_the_database_says(
    world: World, app_role: Any
) -> None:
    body = await body_with_registers(world)
    async with in_name_of(app_role, body.member):
        made_id = await insert_interest(
            app_role,
            body.member,
            entered_by=body.guardian.id,
            declared_at=await a_year_ago(app_role),
        )
        row = await app_role.fetchrow(
            "SELECT entered_by, origin, market_now() - declared_at < '1 minute' AS young"
            " FROM interest WHERE id = $1",
            made_id,
        )
    assert tuple(row) == (body.member.id, made_id, True)


async def test_an_entry_is_made_in_one_s_own_name_or_by_the_guardian(
    world: World, app_role: Any
) -> None:
    body = await body_with_registers(world)
    foreign = (await body_with_registers(world, "06P")).guardian
    for person in (body.colleague, body.administrator, body.auditor, foreign):
        for make in (insert_interest, insert_gift):
            async with refused("register_in_own_name"), in_name_of(app_role, person):
                await make(app_role, body.member)
    # a guardian who says that they act for another organisation is none here
    async with refused("register_in_own_name"), acting(app_role, body.guardian.id, foreign.id):
        await insert_interest(app_role, body.member)
    for make in (insert_interest, insert_gift):
        async with in_name_of(app_role, body.guardian):
            await make(app_role, body.member)


async def test_a_register_is_about_members(world: World, app_role: Any) -> None:
    body = await body_with_registers(world)
    stranger = await world.person("Sue Other", await world.organisation("06P"), Role.COMMISSIONER)
    async with refused("register_of_members"), in_name_of(app_role, stranger):
        await insert_interest(app_role, stranger, for_organisation=body.id)
    async with refused("register_of_members"), in_name_of(app_role, body.guardian):
        await insert_gift(app_role, stranger, for_organisation=body.id)
    async with refused("register_of_members"), in_name_of(app_role, stranger):
        await insert_confirmation(app_role, stranger, body.id)


async def test_nothing_is_declared_from_the_future(world: World, app_role: Any) -> None:
    body = await body_with_registers(world)
    tomorrow = await day_of(app_role, 1)
    async with refused("nothing_from_the_future"), in_name_of(app_role, body.member):
        await insert_interest(app_role, body.member, aware_on=tomorrow)
    for field in ("offered_on", "received_on"):
        async with refused("nothing_from_the_future"), in_name_of(app_role, body.member):
            await insert_gift(app_role, body.member, **{field: tomorrow})
    async with refused("nothing_from_the_future"), in_name_of(app_role, body.guardian):
        await insert_breach(app_role, body, happened_on=tomorrow)


async def test_a_line_manager_is_a_member_and_another(world: World, app_role: Any) -> None:
    body = await body_with_registers(world)
    stranger = await world.person("Sue Other", await world.organisation("06P"), Role.COMMISSIONER)
    async with refused("line_manager_is_a_member"), in_name_of(app_role, body.member):
        await insert_interest(app_role, body.member, line_manager=stranger.id)
    with pytest.raises(asyncpg.CheckViolationError) as caught:
        async with in_name_of(app_role, body.member):
            await insert_interest(app_role, body.member, line_manager=body.member.id)
    assert caught.value.constraint_name == "interest_line_manager_is_another"


async def test_a_correction_is_of_the_same_entry_and_only_one(world: World, app_role: Any) -> None:
    body = await body_with_registers(world)
    for table, make in (("interest", insert_interest), ("gift", insert_gift)):
        async with in_name_of(app_role, body.member):
            first = await make(app_role, body.member)
        async with refused("correction_of_the_same"), in_name_of(app_role, body.guardian):
            await make(app_role, body.colleague, supersedes=first)
        async with in_name_of(app_role, body.member):
            await make(app_role, body.member, supersedes=first)
        with pytest.raises(asyncpg.UniqueViolationError) as caught:
            async with in_name_of(app_role, body.member):
                await make(app_role, body.member, supersedes=first)
        assert caught.value.constraint_name == f"{table}_corrected_once"


async def test_a_correction_keeps_the_origin_of_what_it_corrects(
    world: World, app_role: Any
) -> None:
    body = await body_with_registers(world)
    async with in_name_of(app_role, body.member):
        first = await insert_interest(app_role, body.member)
        second = await insert_interest(app_role, body.member, supersedes=first, origin=uuid4())
        third = await insert_interest(app_role, body.member, supersedes=second)
        origins = await app_role.fetch("SELECT DISTINCT origin FROM interest")
    assert [row["origin"] for row in origins] == [first]
    assert third != second


async def test_the_guardian_s_entry_stands(world: World, app_role: Any) -> None:
    body = await body_with_registers(world)
    for make in (insert_interest, insert_gift):
        async with in_name_of(app_role, body.guardian):
            entered = await make(app_role, body.member)
        async with refused("guardian_s_entry_stands"), in_name_of(app_role, body.member):
            await make(app_role, body.member, supersedes=entered)
    async with in_name_of(app_role, body.guardian):
        entered = await insert_interest(app_role, body.member)
    async with refused("guardian_s_entry_stands"), in_name_of(app_role, body.member):
        await insert_ending(app_role, entered)


async def test_an_interest_ends_once_in_its_time_by_who_may(world: World, app_role: Any) -> None:
    body = await body_with_registers(world)
    async with in_name_of(app_role, body.member):
        interest = await insert_interest(
            app_role, body.member, starts_on=await day_of(app_role, -3)
        )
    for days in (-4, 1):
        async with refused("ending_after_start"), in_name_of(app_role, body.member):
            await insert_ending(app_role, interest, days)
    async with refused("register_in_own_name"), in_name_of(app_role, body.colleague):
        await insert_ending(app_role, interest)
    async with in_name_of(app_role, body.member):
        ending = await insert_ending(app_role, interest, -3, recorded_by=body.guardian.id)
        by = await app_role.fetchval(
            "SELECT recorded_by FROM interest_ending WHERE id = $1", ending
        )
    assert by == body.member.id
    with pytest.raises(asyncpg.UniqueViolationError) as caught:
        async with in_name_of(app_role, body.member):
            await insert_ending(app_role, interest)
    assert caught.value.constraint_name == "interest_ended_once"


async def test_the_latest_version_is_the_one_that_ends_and_is_reviewed(
    world: World, app_role: Any
) -> None:
    body = await body_with_registers(world)
    async with in_name_of(app_role, body.member):
        interest = await insert_interest(app_role, body.member)
        await insert_interest(app_role, body.member, supersedes=interest)
        gift = await insert_gift(app_role, body.member)
        await insert_gift(app_role, body.member, supersedes=gift)
    async with refused("ending_of_the_latest"), in_name_of(app_role, body.member):
        await insert_ending(app_role, interest)
    async with refused("review_of_the_latest"), in_name_of(app_role, body.lay_member):
        await insert_review(app_role, gift)


async def test_what_is_done_is_recorded_by_another_and_agreed_with_another(
    world: World, app_role: Any
) -> None:
    body = await body_with_registers(world)
    stranger = await world.person("Sue Other", await world.organisation("06P"), Role.COMMISSIONER)
    async with in_name_of(app_role, body.member):
        interest = await insert_interest(app_role, body.member, line_manager=body.colleague.id)
    for person in (body.member, body.auditor, body.lay_member, stranger):
        async with refused("mitigation_by_another"), in_name_of(app_role, person):
            await insert_mitigation(app_role, interest, body.colleague)
    for agreed_with in (body.member, stranger):
        async with refused("mitigation_agreed_with_another"), in_name_of(app_role, body.guardian):
            await insert_mitigation(app_role, interest, agreed_with)
    for person in (body.colleague, body.guardian):
        async with in_name_of(app_role, person):
            await insert_mitigation(app_role, interest, body.colleague)
    async with in_name_of(app_role, body.guardian):
        own = await insert_interest(app_role, body.guardian)
    async with refused("mitigation_by_another"), in_name_of(app_role, body.guardian):
        await insert_mitigation(app_role, own, body.colleague)


async def test_a_confirmation_is_one_s_own_and_true(world: World, app_role: Any) -> None:
    body = await body_with_registers(world)
    async with refused("confirmed_in_own_name"), in_name_of(app_role, body.guardian):
        await insert_confirmation(app_role, body.member, body.id)
    async with refused("confirmation_is_true"), in_name_of(app_role, body.member):
        await insert_confirmation(app_role, body.member, body.id, nothing=False)
    async with in_name_of(app_role, body.member):
        interest = await insert_interest(app_role, body.member)
    async with refused("confirmation_is_true"), in_name_of(app_role, body.member):
        await insert_confirmation(app_role, body.member, body.id)
    async with in_name_of(app_role, body.member):
        await insert_ending(app_role, interest)
        await insert_confirmation(app_role, body.member, body.id)


async def test_an_offer_is_reviewed_by_somebody_senior_and_else(
    world: World, app_role: Any
) -> None:
    body = await body_with_registers(world)
    async with in_name_of(app_role, body.lay_member):
        gift = await insert_gift(app_role, body.lay_member)
    for person in (body.lay_member, body.auditor, body.administrator, body.member):
        async with refused("gift_reviewed_by_another"), in_name_of(app_role, person):
            await insert_review(app_role, gift)
    async with in_name_of(app_role, body.guardian):
        entered = await insert_gift(app_role, body.member)
    async with refused("gift_reviewed_by_another"), in_name_of(app_role, body.guardian):
        await insert_review(app_role, entered)
    async with in_name_of(app_role, body.lay_member):
        await insert_review(app_role, entered)
    with pytest.raises(asyncpg.UniqueViolationError) as caught:
        async with in_name_of(app_role, body.lay_member):
            await insert_review(app_role, entered)
    assert caught.value.constraint_name == "gift_reviewed_once"


async def test_consent_is_decided_by_a_guardian_where_it_was_refused(
    world: World, app_role: Any
) -> None:
    body = await body_with_registers(world)

    async def decide(**about: UUID) -> UUID:
        return await insert(app_role, "consent_decision", withhold=True, reason="Risk.", **about)

    hidden = {"consents": False, "consent_refused_because": "Because."}
    async with in_name_of(app_role, body.member):
        interest = await insert_interest(app_role, body.member, **hidden)
        gift = await insert_gift(app_role, body.member, **hidden)
        given = await insert_interest(app_role, body.member)
    async with in_name_of(app_role, body.guardian):
        own = await insert_interest(app_role, body.guardian, **hidden)
    for person, about in (
        (body.member, {"interest": interest}),
        (body.auditor, {"gift": gift}),
        (body.guardian, {"interest": own}),
    ):
        async with refused("consent_decided_by_guardian"), in_name_of(app_role, person):
            await decide(**about)
    async with refused("consent_was_refused"), in_name_of(app_role, body.guardian):
        await decide(interest=given)
    async with in_name_of(app_role, body.guardian):
        await decide(interest=interest)
        await decide(gift=gift)
    for about, name in (
        ({"interest": interest}, "consent_decided_once"),
        ({"gift": gift}, "consent_decided_once_for_gift"),
    ):
        with pytest.raises(asyncpg.UniqueViolationError) as caught:
            async with in_name_of(app_role, body.guardian):
                await decide(**about)
        assert caught.value.constraint_name == name


async def test_a_breach_is_the_guardian_s_and_never_their_own(world: World, app_role: Any) -> None:
    body = await body_with_registers(world)
    other = await world.person("Eve Second", body.id, Role.CONFLICTS_GUARDIAN)
    for person in (body.member, body.auditor, body.administrator):
        async with refused("breach_by_guardian"), in_name_of(app_role, person):
            await insert_breach(app_role, body)
    async with refused("breach_of_others"), in_name_of(app_role, body.guardian):
        breach = await insert_breach(app_role, body)
        await insert_involved(app_role, breach, body.guardian)
    async with in_name_of(app_role, other):
        breach = await insert_breach(app_role, body)
        await insert_involved(app_role, breach, body.guardian)
    async with refused("involved_with_the_breach"), in_name_of(app_role, other):
        await insert_involved(app_role, breach, body.member)
    async with refused("breach_of_others"), in_name_of(app_role, body.guardian):
        await insert_publication(app_role, breach, "Somebody stayed.")
    for person in (body.auditor, body.member):
        async with refused("breach_by_guardian"), in_name_of(app_role, person):
            await insert_publication(app_role, breach, "Somebody stayed.")


@pytest.mark.parametrize(
    ("name", "text", "names"),
    [
        ("Bo Smith", "It was SMITH.", True),
        ("Bo Smith", "Smith\u2019s practice", True),
        ("José Núñez", "Nunez left", True),
        ("Jose Nunez", "NÚÑEZ left", True),
        ("Bo Smith", "A blacksmith and Bo", False),
        ("Bo Li", "Then bo, li left", True),
        ("Bo Li", "Li, not Bo", False),
        ("A Smith-Jones", "Dr Jones", True),
        ("42", "42 people", False),
    ],
)
async def test_a_published_text_names_nobody(
    world: World,
    app_role: Any,
    name: str,
    text: str,
    names: bool,  # noqa: FBT001  # a parameter
) -> None:
    body = await body_with_registers(world)
    async with in_name_of(app_role, body.guardian):
        breach = await insert_breach(app_role, body)
        await insert(app_role, "conflict_breach_person", breach=breach, name=name)
    if names:
        async with refused("breach_names_nobody"), in_name_of(app_role, body.guardian):
            await insert_publication(app_role, breach, text)
    else:
        async with in_name_of(app_role, body.guardian):
            await insert_publication(app_role, breach, text)


async def test_the_registers_are_append_only_and_every_change_is_recorded(
    world: World, app_role: Any, superuser: Any
) -> None:
    body = await body_with_registers(world)
    for table in TABLES:
        async with not_granted(), in_name_of(app_role, body.guardian):
            await app_role.execute(f"DELETE FROM {table}")  # noqa: S608  # names of the test's own
        async with not_granted(), in_name_of(app_role, body.guardian):
            await app_role.execute(f"UPDATE {table} SET id = id")  # noqa: S608  # the same
        for statement in (
            f"DELETE FROM {table}",  # noqa: S608  # the same
            f"UPDATE {table} SET id = id",  # noqa: S608  # the same
            f"TRUNCATE {table} CASCADE",
        ):
            async with refused("append_only"):
                await superuser.execute(statement)
    with pytest.raises(asyncpg.PostgresError) as caught:
        await _unrecorded(app_role, body.member)
    assert caught.value.constraint_name == "event_recorded"


async def _unrecorded(connection: Any, person: Person) -> None:
    async with connection.transaction():
        await connection.execute("SELECT set_config('market.person', $1, true)", str(person.id))
        await insert_interest(connection, person)
