"""The database's own promises about webhooks: held against the app role and the worker's."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from market.actor import Role
from market.sealing import CannotUnwrap
from market.vault import Vault
from market.webhooks import credentials
from tests.conftest import Databases
from tests.makers.clock import registrar
from tests.makers.direct import acting, not_granted, refused
from tests.makers.sign_in import let_sessions_age
from tests.makers.webhooks import owner, webhook
from tests.makers.world import Person, World

URL = "https://hooks.example.org/market"

_MAKE = (
    "INSERT INTO webhook_subscription (id, organisation, person, membership, url, types,"
    " start_after) SELECT $1, $2, $3, m.id, 'https://hooks.example.org/', '{}', 0"
    " FROM membership m WHERE m.person = $3"
)
_ADD = "INSERT INTO webhook_secret (id, subscription, wrapped) VALUES ($1, $2, '\\x00')"
_ASK = (
    "INSERT INTO webhook_request (id, subscription, kind, delivery)"
    " VALUES (gen_random_uuid(), $1, $2, $3)"
)
_STEP = "UPDATE webhook_subscription SET version = version + 1, "
_END_SECRETS = "UPDATE webhook_secret SET signs_until = clock_timestamp() WHERE subscription = $1"


@pytest.fixture
async def worker(databases: Databases) -> AsyncIterator[Any]:
    """A connection as the worker role."""
    connection = await asyncpg.connect(**databases.worker)
    yield connection
    await connection.close()


@asynccontextmanager
async def by_market(connection: Any, organisation: UUID) -> AsyncIterator[None]:
    """A transaction of the market itself, in nobody's name, with an event in it."""
    async with acting(connection, None, organisation):
        yield


async def _deliver(worker: Any, made: dict[str, Any], kind: str, outcome: str | None) -> UUID:
    """A delivery as the worker's books have it."""
    found = await worker.fetchval(
        "INSERT INTO webhook_delivery (id, subscription, event, position, type, subject, made_at,"
        " attempts, outcome, settled_at) VALUES (gen_random_uuid(), $1, gen_random_uuid(), 1, $2,"
        " gen_random_uuid(), now(), 0, $3::varchar,"
        " CASE WHEN $3::varchar IS NOT NULL THEN now() END) RETURNING id",
        UUID(made["id"]),
        kind,
        outcome,
    )
    return UUID(str(found))


async def _stranger(world: World) -> Person:
    return await world.person("Sid Stranger", await world.organisation("06P"), Role.ADMINISTRATOR)


# -- who sees what --------------------------------------------------------------------------------


async def test_the_app_role_reads_no_secret_but_for_its_maker(
    world: World, app_role: Any, vault: Vault
) -> None:
    boss = await owner(world)
    colleague, stranger = await owner(world, "Berta"), await _stranger(world)
    made = await webhook(boss, URL)
    count = "SELECT count(*) FROM webhook_secret"
    for person, number in ((boss, 1), (colleague, 0), (stranger, 0), (await registrar(world), 0)):
        async with acting(app_role, person.id, person.organisation):
            assert await app_role.fetchval(count) == number
    async with acting(app_role, boss.id, stranger.organisation):
        assert await app_role.fetchval(count) == 0
    assert await app_role.fetchval(count) == 0
    async with acting(app_role, boss.id, boss.organisation):
        row = await app_role.fetchrow("SELECT id, subscription, wrapped FROM webhook_secret")
    secret = credentials.recalled(vault, row["wrapped"], row["id"], row["subscription"])
    assert credentials.written(secret) == made["secret"]
    assert secret not in row["wrapped"]
    with pytest.raises(CannotUnwrap):  # it opens in its own row alone
        credentials.recalled(vault, row["wrapped"], uuid4(), row["subscription"])


async def test_an_organisation_s_webhooks_are_seen_by_it_and_by_the_registrar(
    world: World, app_role: Any, worker: Any
) -> None:
    boss, stranger = await owner(world), await _stranger(world)
    made = await webhook(boss, URL)
    delivery = await _deliver(worker, made, "a.b", None)
    await worker.execute(
        "INSERT INTO webhook_attempt (id, delivery, made_at, milliseconds)"
        " VALUES (gen_random_uuid(), $1, now(), 5)",
        delivery,
    )
    await worker.execute(
        "INSERT INTO webhook_cursor (subscription, fanned_out_to, fanned_out_at, dead_in_a_row)"
        " VALUES ($1, 0, now(), 0)",
        UUID(made["id"]),
    )
    tables = ("subscription", "request", "delivery", "attempt", "cursor")
    for person, number in ((boss, 1), (await registrar(world), 1), (stranger, 0)):
        async with acting(app_role, person.id, person.organisation):
            for table in tables:
                every = f"SELECT count(*) FROM webhook_{table}"  # noqa: S608  # names of the test's own
                assert await app_role.fetchval(every) == number, (table, person.name)


async def test_the_worker_has_secrets_wrapped_only_and_writes_no_more_than_its_books(
    world: World, worker: Any
) -> None:
    made = await webhook(await owner(world), URL)
    wrapped = await worker.fetchval("SELECT wrapped FROM webhook_secret")
    assert made["secret"].removeprefix("whsec_").encode() not in wrapped
    for statement in (
        "UPDATE webhook_subscription SET verified_at = now()",
        "UPDATE webhook_subscription SET url = 'https://elsewhere.example/'",
        "INSERT INTO webhook_subscription (id) VALUES (gen_random_uuid())",
        "INSERT INTO webhook_secret (id) VALUES (gen_random_uuid())",
        "UPDATE webhook_secret SET signs_until = now()",
        "DELETE FROM webhook_delivery",
        "DELETE FROM webhook_attempt",
        "UPDATE webhook_attempt SET status = 200",
        "UPDATE webhook_delivery SET event = gen_random_uuid()",
        "SELECT * FROM membership",
        "SELECT password_hash FROM person",
    ):
        async with not_granted():
            await worker.execute(statement)


async def test_the_app_role_writes_nothing_into_the_worker_s_books(
    world: World, app_role: Any
) -> None:
    boss = await owner(world)
    await webhook(boss, URL)
    for statement in (
        "INSERT INTO webhook_delivery (id) VALUES (gen_random_uuid())",
        "UPDATE webhook_delivery SET outcome = 'delivered'",
        "INSERT INTO webhook_attempt (id) VALUES (gen_random_uuid())",
        "UPDATE webhook_cursor SET fanned_out_to = 0",
        "UPDATE webhook_request SET done_at = now()",
        "UPDATE webhook_secret SET wrapped = '\\x00'",
        "UPDATE webhook_subscription SET url = 'https://elsewhere.example/'",
        "DELETE FROM webhook_subscription",
        "SELECT forget_webhook_deliveries(10)",
    ):
        async with not_granted(), acting(app_role, boss.id, boss.organisation):
            await app_role.execute(statement)


# -- subscriptions --------------------------------------------------------------------------------


async def test_a_webhook_is_made_for_oneself_by_those_who_answer_for_it(
    world: World, app_role: Any
) -> None:
    boss, colleague, stranger = await owner(world), await owner(world, "B"), await _stranger(world)
    cora = await world.person("Cora", boss.organisation, Role.COMMISSIONER)
    for maker, whose, of in (
        (boss, colleague, boss.organisation),
        (cora, cora, boss.organisation),
        (boss, stranger, boss.organisation),
    ):
        async with (
            refused("webhook_for_own_organisation"),
            acting(app_role, maker.id, maker.organisation),
        ):
            await app_role.execute(_MAKE, uuid4(), of, whose.id)
    with pytest.raises(asyncpg.PostgresError):
        async with acting(app_role, boss.id, boss.organisation):
            await app_role.execute(_MAKE, uuid4(), stranger.organisation, boss.id)
    async with acting(app_role, boss.id, boss.organisation):
        await app_role.execute(_MAKE, uuid4(), boss.organisation, boss.id)


async def test_twenty_webhooks_are_an_organisation_s_most(world: World, app_role: Any) -> None:
    boss, colleague = await owner(world), await owner(world, "Berta")
    for number in range(20):
        person = (boss, colleague)[number % 2]
        async with acting(app_role, person.id, person.organisation):
            await app_role.execute(_MAKE, uuid4(), person.organisation, person.id)
    for person in (boss, colleague):
        async with refused("webhooks_bounded"), acting(app_role, person.id, person.organisation):
            await app_role.execute(_MAKE, uuid4(), person.organisation, person.id)


async def test_a_webhook_begins_unverified_whatever_is_said_and_takes_a_fresh_session(
    world: World, superuser: Any
) -> None:
    boss = await owner(world)
    fresh = (
        "INSERT INTO webhook_subscription (id, organisation, person, membership, url, types,"
        " start_after, version, made_at, verified_at, ended_at, ended_because)"
        " SELECT $1, $2, $3, m.id, 'https://hooks.example.org/', '{}', 999, 7, '2001-01-01Z',"
        " now(), now(), 'by_person' FROM membership m WHERE m.person = $3"
    )
    async with acting(superuser, boss.id, boss.organisation):
        await superuser.execute(fresh, uuid4(), boss.organisation, boss.id)
    row = await superuser.fetchrow(
        "SELECT version, verified_at, ended_at, ended_because, start_after,"
        " made_at > now() - interval '1 minute' AS just_now FROM webhook_subscription"
    )
    assert tuple(row) == (1, None, None, None, 0, True)
    await let_sessions_age(superuser, boss.id)
    session = await superuser.fetchval("SELECT id FROM session WHERE person = $1 LIMIT 1", boss.id)
    for statement, arguments in (
        (fresh, (uuid4(), boss.organisation, boss.id)),
        (_ADD, (uuid4(), await superuser.fetchval("SELECT id FROM webhook_subscription"))),
    ):
        async with (
            refused("fresh_sign_in"),
            acting(superuser, boss.id, boss.organisation, session),
        ):
            await superuser.execute(statement, *arguments)


async def test_nobody_says_of_a_webhook_what_its_deliveries_must_show(
    world: World, app_role: Any, worker: Any
) -> None:
    boss = await owner(world)
    made = await webhook(boss, URL)
    claims = (
        "verified_at = now()",
        "paused_at = now(), paused_because = 'too_many_dead'",
        "ended_at = now(), ended_because = 'receiver_gone'",
        "ended_at = now(), ended_because = 'membership_ended'",
    )
    for claim in claims:
        for person in (boss.id, None):
            async with (
                refused("webhook_verified_by_answer"),
                acting(app_role, person, boss.organisation),
            ):
                await app_role.execute(_STEP + claim)
    for by_hand in (
        "ended_at = now(), ended_because = 'by_person'",
        "paused_at = now(), paused_because = 'by_person'",
    ):
        async with (
            refused("webhook_verified_by_answer"),
            by_market(app_role, boss.organisation),
        ):
            await app_role.execute(_STEP + by_hand)
    await _deliver(worker, made, "webhook.verification", "dead")
    async with refused("webhook_verified_by_answer"), by_market(app_role, boss.organisation):
        await app_role.execute(_STEP + claims[0])
    await _deliver(worker, made, "webhook.verification", "delivered")
    async with refused("webhook_verified_by_answer"), acting(app_role, boss.id, boss.organisation):
        await app_role.execute(_STEP + claims[0])
    async with by_market(app_role, boss.organisation):
        assert await app_role.execute(_STEP + claims[0]) == "UPDATE 1"
    await _deliver(worker, made, "a.b", "gone")
    async with by_market(app_role, boss.organisation):
        assert await app_role.execute(_STEP + claims[2]) == "UPDATE 1"


async def test_a_webhook_only_ends_and_nothing_else_of_it_changes(
    world: World, app_role: Any, superuser: Any
) -> None:
    boss = await owner(world)
    made = await webhook(boss, URL)
    for change in (
        "url = 'https://elsewhere.example/'",
        "types = '{a.b}'",
        "person = gen_random_uuid()",
        "start_after = 5",
        "made_at = now()",
        "version = version + 5",
    ):
        async with refused("webhook_only_ends"), acting(superuser, boss.id, boss.organisation):
            await superuser.execute(
                f"UPDATE webhook_subscription SET {change}"  # noqa: S608  # the test's own
                + ("" if "version" in change else ", version = version + 1")
            )
    async with acting(app_role, boss.id, boss.organisation):
        await app_role.execute(_STEP + "ended_at = '2001-01-01Z', ended_because = 'by_person'")
        ended = await app_role.fetchval("SELECT ended_at FROM webhook_subscription")
        assert ended.year > 2001
    for change in ("ended_at = NULL, ended_because = NULL", "paused_at = now()"):
        async with refused("webhook_only_ends"), acting(app_role, boss.id, boss.organisation):
            await app_role.execute(_STEP + change)
    for statement, arguments in (
        (_ADD, (uuid4(), UUID(made["id"]))),
        (_ASK, (UUID(made["id"]), "verification", None)),
    ):
        async with refused("webhook_only_ends"), acting(app_role, boss.id, boss.organisation):
            await app_role.execute(statement, *arguments)
    async with refused("never_deleted"), acting(superuser, boss.id, boss.organisation):
        await superuser.execute("DELETE FROM webhook_subscription")


async def test_only_its_maker_resumes_verifies_replays_and_gives_it_secrets(
    world: World, app_role: Any, superuser: Any
) -> None:
    boss, colleague = await owner(world), await owner(world, "Berta")
    cora = await world.person("Cora", boss.organisation, Role.COMMISSIONER)
    made = await webhook(boss, URL)
    pause = _STEP + "paused_at = now(), paused_because = 'by_person'"
    async with refused("webhook_of_another"), acting(app_role, cora.id, cora.organisation):
        await app_role.execute(pause)
    async with acting(app_role, colleague.id, colleague.organisation):
        await app_role.execute(pause)
    resume = _STEP + "paused_at = NULL, paused_because = NULL"
    for person in (colleague, cora):
        async with refused("webhook_of_another"), acting(app_role, person.id, person.organisation):
            await app_role.execute(resume)
    for statement, arguments in (
        (_ADD, (uuid4(), UUID(made["id"]))),
        (_ASK, (UUID(made["id"]), "verification", None)),
        (_END_SECRETS, (UUID(made["id"]),)),
    ):
        async with (
            refused("webhook_of_another"),
            acting(superuser, colleague.id, colleague.organisation),
        ):
            await superuser.execute(statement, *arguments)
    async with acting(app_role, boss.id, boss.organisation):
        await app_role.execute(resume)


# -- secrets --------------------------------------------------------------------------------------
