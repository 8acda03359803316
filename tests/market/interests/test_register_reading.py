"""What the database shows of the registers, to whom and for how long, past every rule in Python."""

from typing import Any

from market.interests.rules.dates import confirmation_due_on, kept_until, public_until
from tests.makers.direct import acting, not_granted
from tests.makers.direct_registers import TABLES, in_name_of
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
    reading = acting(connection) if person is None else in_name_of(connection, person)
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
