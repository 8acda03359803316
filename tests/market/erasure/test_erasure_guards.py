"""Nobody erases but the owner role, by its one function; and that takes no more than it is for."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from market.actor import Role
from tests.conftest import Databases
from tests.makers.direct import not_granted, refused
from tests.makers.erasure import BECAUSE, erase
from tests.makers.interests import body_with_registers, declared
from tests.makers.log import record_straight
from tests.makers.world import Person, World

_WAYS = [
    "SELECT erase_person('{person}', 'because')",
    "SELECT * FROM kept_of_person('{person}')",
    "SELECT * FROM private_about('{person}')",
    "SELECT * FROM erasure_of('{person}')",
    "INSERT INTO person_erasure (id, person, because) VALUES ('{person}', '{person}', 'x')",
    "UPDATE event_private SET details = NULL, salt = ''",
    "DELETE FROM event_private",
    "SELECT salt FROM event_private",
    "UPDATE interest SET nature = 'erased'",
    "UPDATE person SET email = 'erased:x'",
    "DELETE FROM person",
    "SELECT * FROM person_erasure",
    "SELECT * FROM legal_hold",
    "INSERT INTO legal_hold (id, person, because) VALUES ('{person}', '{person}', 'x')",
    "UPDATE legal_hold SET released_because = 'x'",
    "DELETE FROM legal_hold",
    "INSERT INTO erasable (name, about, words) VALUES ('event', 'true', '{{details}}')",
    "UPDATE event_about SET whose = 'actor'",
]


@pytest.fixture
async def ann(world: World) -> Person:
    return await world.person("Ann Other", await world.organisation("06F"), Role.COMMISSIONER)


@asynccontextmanager
async def erasing(superuser: Any, person: Person) -> AsyncIterator[None]:
    """Within the transaction of an erasure, as the owner role; undone afterwards."""
    transaction = superuser.transaction()
    await transaction.start()
    try:
        await superuser.execute("SET LOCAL ROLE market_owner")
        await erase(superuser, person)
        yield
    finally:
        await transaction.rollback()


@pytest.mark.parametrize("role", ["app", "worker"])
@pytest.mark.parametrize("way", _WAYS)
async def test_no_process_of_the_market_erases(
    databases: Databases, ann: Person, role: str, way: str
) -> None:
    connection = await asyncpg.connect(**(databases.app if role == "app" else databases.worker))
    for setting in ("", f"SET market.erasing = '{ann.id}'; SET market.migrating = 'on'; "):
        async with not_granted():
            await connection.execute(setting + way.format(person=ann.id))
    await connection.close()


@pytest.mark.parametrize(
    ("promise", "way"),
    [
        ("append_only", "UPDATE event_private SET details = NULL"),
        ("append_only", "DELETE FROM event_private"),
        ("append_only", "UPDATE interest SET nature = 'erased'"),
        ("append_only", "UPDATE declaration SET details = 'erased'"),
        ("append_only", "UPDATE person_erasure SET because = 'x'"),
        ("append_only", "UPDATE erasable SET about = 'true'"),
        (
            "erased_by_owner",
            "INSERT INTO person_erasure (id, person, because) VALUES ('{p}', '{p}', 'x')",
        ),
        ("only_in_migration", "INSERT INTO erasable VALUES ('event', 'true', '{{details}}')"),
        ("never_deleted", "DELETE FROM person"),
        ("never_deleted", "DELETE FROM legal_hold"),
    ],
)
async def test_a_superuser_erases_by_no_mistake(
    superuser: Any, ann: Person, promise: str, way: str
) -> None:
    await erase(superuser, await _another(superuser))
    async with refused(promise):
        await superuser.execute(way.format(p=ann.id))


async def _another(superuser: Any) -> UUID:
    """Somebody who was erased before: that opens nothing for anybody afterwards."""
    person = uuid4()
    async with superuser.transaction():
        await record_straight(superuser, person)
        await superuser.execute(
            "INSERT INTO person (id, email, name, password_hash, registered_at)"
            " VALUES ($1, $2, 'Bo Th', 'x', now())",
            person,
            f"{person}@x.example",
        )
    return person


async def test_the_owner_s_role_alone_opens_nothing(superuser: Any, world: World) -> None:
    body = await body_with_registers(world)
    await declared(body.member)
    await superuser.execute("SET ROLE market_owner")
    async with refused("append_only"):
        await superuser.execute("UPDATE interest SET nature = 'erased'")
    # the row that opens the guards asks what must be kept, however it is written
    async with refused("retention_runs"):
        await superuser.execute(
            "INSERT INTO person_erasure (id, person, because) VALUES ($1, $2, 'x')",
            uuid4(),
            body.member.id,
        )
    async with refused("retention_runs"):
        await erase(superuser, body.member)


@pytest.mark.parametrize(
    ("promise", "statement"),
    [
        ("append_only", "UPDATE event SET details = '{}'"),
        ("append_only", "UPDATE event SET person = NULL"),
        ("append_only", "DELETE FROM event"),
        ("append_only", "DELETE FROM event_private"),
        ("append_only", "UPDATE event_position SET position = position"),
        ("append_only", "UPDATE event_leaf SET hash = hash"),
        ("append_only", "UPDATE checkpoint SET note = note"),
        ("append_only", "UPDATE score SET reason = reason"),
        ("append_only", "UPDATE bid_version SET made_by = made_by"),
        ("append_only", "TRUNCATE interest CASCADE"),
        ("only_words_erased", "UPDATE interest SET nature = 'erased'"),
        ("only_words_erased", "UPDATE interest SET kind = kind"),
        ("only_words_erased", "UPDATE event_private SET event = gen_random_uuid()"),
        (
            "own_password_only",
            "UPDATE person SET password_hash = 'x' WHERE name <> 'Erased person'",
        ),
        ("membership_only_ends", "UPDATE membership SET role = 'auditor' WHERE ended_at IS NULL"),
    ],
)
async def test_within_an_erasure_the_log_and_everybody_else_stay_as_they_are(
    superuser: Any, world: World, promise: str, statement: str
) -> None:
    body = await body_with_registers(world)
    await declared(body.member)
    async with erasing(superuser, body.lay_member), refused(promise):
        await superuser.execute(statement)


async def test_an_erasure_without_its_event_is_none(superuser: Any, ann: Person) -> None:
    async with refused("event_recorded"), superuser.transaction():
        await superuser.execute("SET LOCAL ROLE market_owner")
        await superuser.execute(
            "INSERT INTO person_erasure (id, person, because) VALUES ($1, $2, 'x')",
            uuid4(),
            ann.id,
        )


async def test_whoever_was_erased_stays_so(superuser: Any, world: World, ann: Person) -> None:
    other = await world.person("Al Other", ann.organisation, Role.COMMISSIONER)
    await erase(superuser, ann)
    role = f"gen_random_uuid(), $1, '{ann.organisation}', 'auditor'"
    for statement in (
        "UPDATE person SET name = 'Ann Other' WHERE id = $1",
        "UPDATE person SET password_hash = 'x' WHERE id = $1",
        f"INSERT INTO membership (id, person, organisation, role) SELECT {role}",  # its own id
        "INSERT INTO legal_hold (id, person, because) VALUES (gen_random_uuid(), $1, 'x')",
    ):
        async with refused("person_stays_erased"):
            await superuser.execute(statement, ann.id)
    with pytest.raises(asyncpg.UniqueViolationError):
        await erase(superuser, ann)
    assert (await other.get("/me")).status_code == 200


async def test_the_last_administrator_is_not_erased_before_there_is_another(
    superuser: Any, world: World
) -> None:
    supplier = await world.organisation("0AR")
    alone = await world.person("Una Alone", supplier, Role.ADMINISTRATOR)
    async with refused("last_administrator"):
        await erase(superuser, alone)
    await world.person("Sal Second", supplier, Role.ADMINISTRATOR)
    await erase(superuser, alone)


# -- legal holds -----------------------------------------------------------------------------------

_HOLD = "INSERT INTO legal_hold (id, person, because) VALUES ($1, $2, 'Case 7.')"
_RELEASE = "UPDATE legal_hold SET released_because = $2 WHERE id = $1"


async def test_a_hold_forbids_erasing_until_it_is_released_and_that_once(
    superuser: Any, ann: Person
) -> None:
    hold = uuid4()
    async with superuser.transaction():
        await record_straight(superuser)
        await superuser.execute(_HOLD, hold, ann.id)
    async with refused("legal_hold_runs"):
        await erase(superuser, ann)
    for statement in (
        "UPDATE legal_hold SET because = 'Another.' WHERE id = $1",
        "UPDATE legal_hold SET released_at = now() WHERE id = $1",
    ):
        async with refused("hold_only_released"):
            await superuser.execute(statement, hold)
    async with refused("event_recorded"):
        await superuser.execute(_RELEASE, hold, "Settled.")
    async with superuser.transaction():
        await record_straight(superuser)
        await superuser.execute(_RELEASE, hold, "Settled.")
    async with refused("hold_only_released"):
        await superuser.execute(_RELEASE, hold, "Again.")
    await erase(superuser, ann)
    assert await superuser.fetchval("SELECT because FROM person_erasure") == BECAUSE


async def test_a_hold_needs_a_reason(superuser: Any, ann: Person) -> None:
    with pytest.raises(asyncpg.CheckViolationError):
        await superuser.execute(_HOLD.replace("Case 7.", "  "), uuid4(), ann.id)
