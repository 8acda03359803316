"""The database's own promises about the registers, past every rule in Python."""

from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from market.actor import Role
from market.interests.rules.dates import confirmation_due_on, kept_until, public_until
from tests.makers.direct import acting, not_granted, refused
from tests.makers.interests import (
    BREACH,
    REFUSED,
    Body,
    body_with_registers,
    declared,
    made,
    offered,
)
from tests.makers.world import Person, World

TABLES = (
    "interest",
    "interest_ending",
    "interest_mitigation",
    "interest_confirmation",
    "gift",
    "gift_review",
    "consent_decision",
    "conflict_breach",
    "conflict_breach_person",
    "conflict_breach_publication",
)
_INTEREST: dict[str, Any] = {
    "kind": "financial",
    "relationship": "director",
    "counterparty": "Delta Data Limited",
    "nature": "Director.",
    "consents": True,
    "accurate": True,
}
_GIFT: dict[str, Any] = {
    "kind": "meal",
    "source": "supplier",
    "detail": "Dinner",
    "value": 30,
    "estimated": True,
    "offeror": "Delta Data Limited",
    "accepted": True,
    "on_behalf_of_organisation": False,
    "reason": "Everybody was invited.",
    "consents": True,
    "accurate": True,
}


async def _insert(connection: Any, table: str, **row: Any) -> UUID:
    row = {"id": uuid4()} | row
    names, places = ", ".join(row), ", ".join(f"${number + 1}" for number in range(len(row)))
    statement = f"INSERT INTO {table} ({names}) VALUES ({places})"  # noqa: S608  # the test's own names
    await connection.execute(statement, *row.values())
    made_id: UUID = row["id"]
    return made_id


async def _day(connection: Any, days: int = 0) -> Any:
    return await connection.fetchval("SELECT register_day(market_now()) + $1::integer", days)


async def _interest(connection: Any, person: Person, **changes: Any) -> UUID:
    row = _INTEREST | {
        "person": person.id,
        "for_organisation": person.organisation,
        "aware_on": await _day(connection),
    }
    return await _insert(connection, "interest", **(row | changes))


async def _gift(connection: Any, person: Person, **changes: Any) -> UUID:
    row = _GIFT | {
        "person": person.id,
        "for_organisation": person.organisation,
        "offered_on": await _day(connection),
    }
    return await _insert(connection, "gift", **(row | changes))


def _as(connection: Any, person: Person) -> Any:
    return acting(connection, person.id, person.organisation)


async def test_whose_entry_it_is_and_when_it_was_made_the_database_says(
    world: World, app_role: Any
) -> None:
    body = await body_with_registers(world)
    async with _as(app_role, body.member):
        made_id = await _interest(
            app_role, body.member, entered_by=body.guardian.id, declared_at=await _ago(app_role)
        )
        row = await app_role.fetchrow(
            "SELECT entered_by, origin, market_now() - declared_at < '1 minute' AS young"
            " FROM interest WHERE id = $1",
            made_id,
        )
    assert tuple(row) == (body.member.id, made_id, True)


async def _ago(connection: Any) -> Any:
    return await connection.fetchval("SELECT now() - interval '1 year'")


async def test_an_entry_is_made_in_one_s_own_name_or_by_the_guardian(
    world: World, app_role: Any
) -> None:
    body = await body_with_registers(world)
    foreign = (await body_with_registers(world, "06P")).guardian
    for person in (body.colleague, body.administrator, body.auditor, foreign):
        for make in (_interest, _gift):
            async with refused("register_in_own_name"), _as(app_role, person):
                await make(app_role, body.member)
    # a guardian who says that they act for another organisation is none here
    async with refused("register_in_own_name"), acting(app_role, body.guardian.id, foreign.id):
        await _interest(app_role, body.member)
    for make in (_interest, _gift):
        async with _as(app_role, body.guardian):
            await make(app_role, body.member)


async def test_a_register_is_about_members(world: World, app_role: Any) -> None:
    body = await body_with_registers(world)
    stranger = await world.person("Sue Other", await world.organisation("06P"), Role.COMMISSIONER)
    async with refused("register_of_members"), _as(app_role, stranger):
        await _interest(app_role, stranger, for_organisation=body.id)
    async with refused("register_of_members"), _as(app_role, body.guardian):
        await _gift(app_role, stranger, for_organisation=body.id)
    async with refused("register_of_members"), _as(app_role, stranger):
        await _confirm(app_role, stranger, body.id)


async def _confirm(
    connection: Any, person: Person, organisation: UUID, *, nothing: bool = True
) -> UUID:
    return await _insert(
        connection,
        "interest_confirmation",
        person=person.id,
        organisation=organisation,
        nothing_to_declare=nothing,
    )


async def test_nothing_is_declared_from_the_future(world: World, app_role: Any) -> None:
    body = await body_with_registers(world)
    tomorrow = await _day(app_role, 1)
    async with refused("nothing_from_the_future"), _as(app_role, body.member):
        await _interest(app_role, body.member, aware_on=tomorrow)
    for field in ("offered_on", "received_on"):
        async with refused("nothing_from_the_future"), _as(app_role, body.member):
            await _gift(app_role, body.member, **{field: tomorrow})
    async with refused("nothing_from_the_future"), _as(app_role, body.guardian):
        await _breach(app_role, body, happened_on=tomorrow)


async def test_a_line_manager_is_a_member_and_another(world: World, app_role: Any) -> None:
    body = await body_with_registers(world)
    stranger = await world.person("Sue Other", await world.organisation("06P"), Role.COMMISSIONER)
    async with refused("line_manager_is_a_member"), _as(app_role, body.member):
        await _interest(app_role, body.member, line_manager=stranger.id)
    with pytest.raises(asyncpg.CheckViolationError) as caught:
        async with _as(app_role, body.member):
            await _interest(app_role, body.member, line_manager=body.member.id)
    assert caught.value.constraint_name == "interest_line_manager_is_another"


async def test_a_correction_is_of_the_same_entry_and_only_one(world: World, app_role: Any) -> None:
    body = await body_with_registers(world)
    for table, make in (("interest", _interest), ("gift", _gift)):
        async with _as(app_role, body.member):
            first = await make(app_role, body.member)
        async with refused("correction_of_the_same"), _as(app_role, body.guardian):
            await make(app_role, body.colleague, supersedes=first)
        async with _as(app_role, body.member):
            await make(app_role, body.member, supersedes=first)
        with pytest.raises(asyncpg.UniqueViolationError) as caught:
            async with _as(app_role, body.member):
                await make(app_role, body.member, supersedes=first)
        assert caught.value.constraint_name == f"{table}_corrected_once"


async def test_a_correction_keeps_the_origin_of_what_it_corrects(
    world: World, app_role: Any
) -> None:
    body = await body_with_registers(world)
    async with _as(app_role, body.member):
        first = await _interest(app_role, body.member)
        second = await _interest(app_role, body.member, supersedes=first, origin=uuid4())
        third = await _interest(app_role, body.member, supersedes=second)
        origins = await app_role.fetch("SELECT DISTINCT origin FROM interest")
    assert [row["origin"] for row in origins] == [first]
    assert third != second


async def test_the_guardian_s_entry_stands(world: World, app_role: Any) -> None:
    body = await body_with_registers(world)
    for make in (_interest, _gift):
        async with _as(app_role, body.guardian):
            entered = await make(app_role, body.member)
        async with refused("guardian_s_entry_stands"), _as(app_role, body.member):
            await make(app_role, body.member, supersedes=entered)
    async with _as(app_role, body.guardian):
        entered = await _interest(app_role, body.member)
    async with refused("guardian_s_entry_stands"), _as(app_role, body.member):
        await _end(app_role, entered)


async def _end(connection: Any, interest: UUID, days: int = 0, **changes: Any) -> UUID:
    day = await _day(connection, days)
    row = {"interest": interest, "ended_on": day}
    return await _insert(connection, "interest_ending", **(row | changes))


async def test_an_interest_ends_once_in_its_time_by_who_may(world: World, app_role: Any) -> None:
    body = await body_with_registers(world)
    async with _as(app_role, body.member):
        interest = await _interest(app_role, body.member, starts_on=await _day(app_role, -3))
    for days in (-4, 1):
        async with refused("ending_after_start"), _as(app_role, body.member):
            await _end(app_role, interest, days)
    async with refused("register_in_own_name"), _as(app_role, body.colleague):
        await _end(app_role, interest)
    async with _as(app_role, body.member):
        ending = await _end(app_role, interest, -3, recorded_by=body.guardian.id)
        by = await app_role.fetchval(
            "SELECT recorded_by FROM interest_ending WHERE id = $1", ending
        )
    assert by == body.member.id
    with pytest.raises(asyncpg.UniqueViolationError) as caught:
        async with _as(app_role, body.member):
            await _end(app_role, interest)
    assert caught.value.constraint_name == "interest_ended_once"


async def test_the_latest_version_is_the_one_that_ends_and_is_reviewed(
    world: World, app_role: Any
) -> None:
    body = await body_with_registers(world)
    async with _as(app_role, body.member):
        interest = await _interest(app_role, body.member)
        await _interest(app_role, body.member, supersedes=interest)
        gift = await _gift(app_role, body.member)
        await _gift(app_role, body.member, supersedes=gift)
    async with refused("ending_of_the_latest"), _as(app_role, body.member):
        await _end(app_role, interest)
    async with refused("review_of_the_latest"), _as(app_role, body.lay_member):
        await _review(app_role, gift)


async def _review(connection: Any, gift: UUID) -> UUID:
    return await _insert(connection, "gift_review", gift=gift, approves=True, comment="In order.")


async def _mitigate(connection: Any, interest: UUID, agreed_with: Person) -> UUID:
    return await _insert(
        connection,
        "interest_mitigation",
        interest=interest,
        what="Leaves the room.",
        agreed_with=agreed_with.id,
    )


async def test_what_is_done_is_recorded_by_another_and_agreed_with_another(
    world: World, app_role: Any
) -> None:
    body = await body_with_registers(world)
    stranger = await world.person("Sue Other", await world.organisation("06P"), Role.COMMISSIONER)
    async with _as(app_role, body.member):
        interest = await _interest(app_role, body.member, line_manager=body.colleague.id)
    for person in (body.member, body.auditor, body.lay_member, stranger):
        async with refused("mitigation_by_another"), _as(app_role, person):
            await _mitigate(app_role, interest, body.colleague)
    for agreed_with in (body.member, stranger):
        async with refused("mitigation_agreed_with_another"), _as(app_role, body.guardian):
            await _mitigate(app_role, interest, agreed_with)
    for person in (body.colleague, body.guardian):
        async with _as(app_role, person):
            await _mitigate(app_role, interest, body.colleague)
    async with _as(app_role, body.guardian):
        own = await _interest(app_role, body.guardian)
    async with refused("mitigation_by_another"), _as(app_role, body.guardian):
        await _mitigate(app_role, own, body.colleague)


async def test_a_confirmation_is_one_s_own_and_true(world: World, app_role: Any) -> None:
    body = await body_with_registers(world)
    async with refused("confirmed_in_own_name"), _as(app_role, body.guardian):
        await _confirm(app_role, body.member, body.id)
    async with refused("confirmation_is_true"), _as(app_role, body.member):
        await _confirm(app_role, body.member, body.id, nothing=False)
    async with _as(app_role, body.member):
        interest = await _interest(app_role, body.member)
    async with refused("confirmation_is_true"), _as(app_role, body.member):
        await _confirm(app_role, body.member, body.id)
    async with _as(app_role, body.member):
        await _end(app_role, interest)
        await _confirm(app_role, body.member, body.id)


async def test_an_offer_is_reviewed_by_somebody_senior_and_else(
    world: World, app_role: Any
) -> None:
    body = await body_with_registers(world)
    async with _as(app_role, body.lay_member):
        gift = await _gift(app_role, body.lay_member)
    for person in (body.lay_member, body.auditor, body.administrator, body.member):
        async with refused("gift_reviewed_by_another"), _as(app_role, person):
            await _review(app_role, gift)
    async with _as(app_role, body.guardian):
        entered = await _gift(app_role, body.member)
    async with refused("gift_reviewed_by_another"), _as(app_role, body.guardian):
        await _review(app_role, entered)
    async with _as(app_role, body.lay_member):
        await _review(app_role, entered)
    with pytest.raises(asyncpg.UniqueViolationError) as caught:
        async with _as(app_role, body.lay_member):
            await _review(app_role, entered)
    assert caught.value.constraint_name == "gift_reviewed_once"


async def test_consent_is_decided_by_a_guardian_where_it_was_refused(
    world: World, app_role: Any
) -> None:
    body = await body_with_registers(world)

    async def decide(**about: UUID) -> UUID:
        return await _insert(app_role, "consent_decision", withhold=True, reason="Risk.", **about)

    hidden = {"consents": False, "consent_refused_because": "Because."}
    async with _as(app_role, body.member):
        interest = await _interest(app_role, body.member, **hidden)
        gift = await _gift(app_role, body.member, **hidden)
        given = await _interest(app_role, body.member)
    async with _as(app_role, body.guardian):
        own = await _interest(app_role, body.guardian, **hidden)
    for person, about in (
        (body.member, {"interest": interest}),
        (body.auditor, {"gift": gift}),
        (body.guardian, {"interest": own}),
    ):
        async with refused("consent_decided_by_guardian"), _as(app_role, person):
            await decide(**about)
    async with refused("consent_was_refused"), _as(app_role, body.guardian):
        await decide(interest=given)
    async with _as(app_role, body.guardian):
        await decide(interest=interest)
        await decide(gift=gift)
    for about, name in (
        ({"interest": interest}, "consent_decided_once"),
        ({"gift": gift}, "consent_decided_once_for_gift"),
    ):
        with pytest.raises(asyncpg.UniqueViolationError) as caught:
            async with _as(app_role, body.guardian):
                await decide(**about)
        assert caught.value.constraint_name == name


async def _breach(connection: Any, body: Body, **changes: Any) -> UUID:
    row = {
        "organisation": body.id,
        "happened_on": await _day(connection),
        "what": "Bo Smith stayed.",
        "done": "Decided again.",
        "lessons": "Read the register.",
    }
    return await _insert(connection, "conflict_breach", **(row | changes))


async def test_a_breach_is_the_guardian_s_and_never_their_own(world: World, app_role: Any) -> None:
    body = await body_with_registers(world)
    other = await world.person("Eve Second", body.id, Role.CONFLICTS_GUARDIAN)
    for person in (body.member, body.auditor, body.administrator):
        async with refused("breach_by_guardian"), _as(app_role, person):
            await _breach(app_role, body)
    async with refused("breach_of_others"), _as(app_role, body.guardian):
        breach = await _breach(app_role, body)
        await _involve(app_role, breach, body.guardian)
    async with _as(app_role, other):
        breach = await _breach(app_role, body)
        await _involve(app_role, breach, body.guardian)
    async with refused("involved_with_the_breach"), _as(app_role, other):
        await _involve(app_role, breach, body.member)
    async with refused("breach_of_others"), _as(app_role, body.guardian):
        await _publish(app_role, breach, "Somebody stayed.")
    for person in (body.auditor, body.member):
        async with refused("breach_by_guardian"), _as(app_role, person):
            await _publish(app_role, breach, "Somebody stayed.")


async def _involve(connection: Any, breach: UUID, person: Person) -> UUID:
    return await _insert(
        connection, "conflict_breach_person", breach=breach, person=person.id, name=person.name
    )


async def _publish(connection: Any, breach: UUID, text: str) -> UUID:
    return await _insert(connection, "conflict_breach_publication", breach=breach, text=text)


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
    async with _as(app_role, body.guardian):
        breach = await _breach(app_role, body)
        await _insert(app_role, "conflict_breach_person", breach=breach, name=name)
    if names:
        async with refused("breach_names_nobody"), _as(app_role, body.guardian):
            await _publish(app_role, breach, text)
    else:
        async with _as(app_role, body.guardian):
            await _publish(app_role, breach, text)


async def test_the_registers_are_append_only_and_every_change_is_recorded(
    world: World, app_role: Any, superuser: Any
) -> None:
    body = await body_with_registers(world)
    for table in TABLES:
        async with not_granted(), _as(app_role, body.guardian):
            await app_role.execute(f"DELETE FROM {table}")  # noqa: S608  # names of the test's own
        async with not_granted(), _as(app_role, body.guardian):
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
        await _interest(connection, person)


async def _filled(world: World) -> Body:
    """A body with a row in every table of the registers, nothing of it consented to."""
    body = await body_with_registers(world)
    interest = await declared(body.member, **REFUSED)
    await body.guardian.post(
        f"/interests/{interest['id']}/mitigations",
        {"what": "Leaves.", "agreed_with": str(body.guardian.id)},
    )
    await body.guardian.post(
        f"/interests/{interest['id']}/consent-decision", {"withhold": True, "reason": "Risk."}
    )
    await body.member.post(f"/interests/{interest['id']}/ending", {"ended_on": "2020-01-01"})
    await body.member.post(
        "/me/interest-confirmations", {"nothing_to_declare": True, "accurate": True}
    )
    gift = await offered(body.member, **REFUSED)
    await body.lay_member.post(f"/gifts/{gift['id']}/review", {"approves": True, "comment": "Yes."})
    breach = await made(body.guardian, f"{body.path}/conflict-breaches", BREACH, {})
    await body.guardian.post(
        f"/conflict-breaches/{breach['id']}/publications", {"text": "Somebody stayed."}
    )
    return body


async def _seen(connection: Any, person: Person | None) -> set[str]:
    """The tables of the registers in which somebody sees a row."""
    reading = acting(connection) if person is None else _as(connection, person)
    seen = set()
    async with reading:
        for table in TABLES:
            if await connection.fetchval(f"SELECT count(*) FROM {table}"):  # noqa: S608  # the test's own names
                seen.add(table)
    return seen


async def test_row_level_security_shows_each_what_is_theirs(world: World, app_role: Any) -> None:
    body = await _filled(world)
    other = await body_with_registers(world, "06P")
    breaches = {table for table in TABLES if table.startswith("conflict_breach")}
    offers = {"gift", "gift_review"}
    assert await _seen(app_role, body.guardian) == set(TABLES)
    assert await _seen(app_role, body.auditor) == set(TABLES)
    assert await _seen(app_role, body.member) == set(TABLES) - breaches
    assert await _seen(app_role, body.lay_member) == offers
    assert await _seen(app_role, body.administrator) == {"interest_confirmation"}
    for person in (body.colleague, other.guardian, other.auditor, None):
        assert await _seen(app_role, person) == set()
    # a guardian who says that they act for another organisation sees nothing of either
    async with acting(app_role, body.guardian.id, other.id):
        assert await app_role.fetchval("SELECT count(*) FROM interest") == 0


async def test_the_public_functions_give_nothing_of_what_is_withheld(
    world: World, app_role: Any
) -> None:
    body = await _filled(world)
    await declared(body.member, **REFUSED)
    for function, listed in (("public_interests", 1), ("public_gifts", 1)):
        async with acting(app_role):
            rows = await app_role.fetch(f"SELECT * FROM {function}($1)", body.id)  # noqa: S608  # the test's own names
        assert len(rows) == listed
        told = {key for key, value in rows[0].items() if value is not None}
        assert told == {"id", "name", "positions", "withheld"}
    async with acting(app_role):
        (breach,) = await app_role.fetch("SELECT * FROM public_breaches($1)", body.id)
    assert set(breach.keys()) == {"id", "text", "published_at"}
    async with not_granted(), acting(app_role):
        await app_role.fetch("SELECT * FROM published_staff($1)", body.id)
    async with acting(app_role):
        standing = "SELECT * FROM interests_standing($1, $2)"
        assert await app_role.fetch(standing, body.member.id, body.id) == []


async def test_the_database_counts_months_as_the_rules_do(superuser: Any) -> None:
    rows = await superuser.fetch(
        "SELECT d::date AS day, public_until(d::date) AS public, kept_until(d::date) AS kept,"
        " confirmation_due_on(d::date, NULL) AS first,"
        " confirmation_due_on(d::date, d::date + 20) AS again,"
        " confirmation_due_on(d::date, d::date - 1) AS anew"
        " FROM generate_series('2015-01-01'::date, '2025-12-31'::date, '1 day') AS d"
    )
    assert len(rows) == 4018
    for row in rows:
        day, later = row["day"], row["day"].fromordinal(row["day"].toordinal() + 20)
        earlier = day.fromordinal(day.toordinal() - 1)
        assert row["public"] == public_until(day)
        assert row["kept"] == kept_until(day)
        assert row["first"] == confirmation_due_on(day, None)
        assert row["again"] == confirmation_due_on(day, later)
        assert row["anew"] == confirmation_due_on(day, earlier)
