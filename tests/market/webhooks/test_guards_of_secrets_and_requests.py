"""What the database holds of webhooks' secrets, requests and deliveries, whoever writes."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from tests.conftest import Databases
from tests.makers.direct import act_as, acting, refused
from tests.makers.webhooks import owner, webhook
from tests.makers.world import World

URL = "https://hooks.example.org/market"

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


# -- who sees what --------------------------------------------------------------------------------


async def test_a_secret_only_ends_and_is_erased_only_when_it_signs_no_more(
    world: World, app_role: Any, superuser: Any, worker: Any
) -> None:
    boss = await owner(world)
    made = await webhook(boss, URL)
    webhook_id = UUID(made["id"])
    async with refused("webhook_secret_only_ends"), worker.transaction():
        await worker.execute("UPDATE webhook_secret SET wrapped = NULL")
    with pytest.raises(asyncpg.UniqueViolationError) as caught:
        async with acting(app_role, boss.id, boss.organisation):
            await app_role.execute(_ADD, uuid4(), webhook_id)
    assert caught.value.constraint_name == "webhook_secret_one_current"
    set_end = "UPDATE webhook_secret SET signs_until = {0} WHERE subscription = $1"
    for end in ("clock_timestamp() + interval '25 hours'", "'infinity'"):
        async with (
            refused("webhook_secret_only_ends"),
            acting(app_role, boss.id, boss.organisation),
        ):
            await app_role.execute(set_end.format(end), webhook_id)
    async with acting(app_role, boss.id, boss.organisation):
        await app_role.execute(set_end.format("clock_timestamp() + interval '1 hour'"), webhook_id)
    for end in ("clock_timestamp() + interval '2 hours'", "NULL"):
        async with (
            refused("webhook_secret_only_ends"),
            acting(app_role, boss.id, boss.organisation),
        ):
            await app_role.execute(set_end.format(end), webhook_id)
    async with refused("webhook_secret_only_ends"), worker.transaction():
        await worker.execute("UPDATE webhook_secret SET wrapped = NULL")
    async with acting(app_role, boss.id, boss.organisation):
        await app_role.execute(_END_SECRETS, webhook_id)
    async with refused("webhook_secret_only_ends"), worker.transaction():
        await worker.execute("UPDATE webhook_secret SET wrapped = '\\x01'")
    await worker.execute("UPDATE webhook_secret SET wrapped = NULL")
    async with refused("webhook_secret_only_ends"), acting(superuser, boss.id, boss.organisation):
        await superuser.execute("UPDATE webhook_secret SET wrapped = '\\x01'")


async def test_four_secrets_are_the_most_that_sign(world: World, app_role: Any) -> None:
    boss = await owner(world)
    webhook_id = UUID((await webhook(boss, URL))["id"])
    later = "clock_timestamp() + interval '20 hours'"
    end = (
        f"UPDATE webhook_secret SET signs_until = {later}"  # noqa: S608  # the test's own
        " WHERE subscription = $1 AND signs_until IS NULL"
    )
    for _ in range(3):
        async with acting(app_role, boss.id, boss.organisation):
            await app_role.execute(end, webhook_id)
            await app_role.execute(_ADD, uuid4(), webhook_id)
    async with (
        refused("webhook_secrets_bounded"),
        acting(app_role, boss.id, boss.organisation),
    ):
        await app_role.execute(end, webhook_id)
        await app_role.execute(_ADD, uuid4(), webhook_id)


# -- requests -------------------------------------------------------------------------------------


async def test_what_has_not_ended_or_is_another_s_is_not_asked_for_again(
    world: World, app_role: Any, worker: Any
) -> None:
    boss = await owner(world)
    made, other = await webhook(boss, URL), await webhook(boss, URL)
    webhook_id = UUID(made["id"])
    waiting = await _deliver(worker, made, "a.b", None)
    challenge = await _deliver(worker, made, "webhook.verification", "delivered")
    elsewhere = await _deliver(worker, other, "a.b", "dead")
    for delivery in (waiting, challenge, elsewhere, uuid4()):
        async with refused("webhook_replay_of_own"), acting(app_role, boss.id, boss.organisation):
            await app_role.execute(_ASK, webhook_id, "delivery", delivery)
    dead = await _deliver(worker, made, "a.b", "dead")
    async with acting(app_role, boss.id, boss.organisation):
        await app_role.execute(_ASK, webhook_id, "delivery", dead)
    for kind, of in (("delivery", None), ("dead", dead), ("everything", None)):
        with pytest.raises(asyncpg.PostgresError):
            async with acting(app_role, boss.id, boss.organisation):
                await app_role.execute(_ASK, webhook_id, kind, of)


async def test_ten_requests_are_the_most_that_wait_and_each_is_carried_out_once(
    world: World, app_role: Any, worker: Any
) -> None:
    boss = await owner(world)
    webhook_id = UUID((await webhook(boss, URL))["id"])
    for _ in range(9):
        async with acting(app_role, boss.id, boss.organisation):
            await app_role.execute(_ASK, webhook_id, "dead", None)
    async with refused("webhook_requests_bounded"), acting(app_role, boss.id, boss.organisation):
        await app_role.execute(_ASK, webhook_id, "dead", None)
    await worker.execute("UPDATE webhook_request SET done_at = now() WHERE kind = 'verification'")
    async with acting(app_role, boss.id, boss.organisation):
        await app_role.execute(_ASK, webhook_id, "dead", None)
    async with refused("webhook_only_ends"), worker.transaction():
        await worker.execute(
            "UPDATE webhook_request SET done_at = now() WHERE kind = 'verification'"
        )


# -- and as everywhere ----------------------------------------------------------------------------


async def test_no_system_writes_what_people_alone_do_with_webhooks(
    world: World, app_role: Any, superuser: Any
) -> None:
    boss = await owner(world)
    await webhook(boss, URL)
    for table in ("webhook_subscription", "webhook_secret", "webhook_request"):
        for connection in (app_role, superuser):
            async with refused("person_acts"), acting(connection, boss.id, boss.organisation):
                await connection.execute(
                    "SELECT set_config('market.credential', $1, true)", str(uuid4())
                )
                await connection.execute(f"INSERT INTO {table} (id) VALUES (gen_random_uuid())")  # noqa: S608  # names of the test's own


async def test_no_act_with_a_webhook_goes_unrecorded_but_the_worker_s_books_do(
    world: World, app_role: Any, worker: Any
) -> None:
    boss = await owner(world)
    made = await webhook(boss, URL)
    for statement, arguments in (
        (_STEP + "paused_at = now(), paused_because = 'by_person'", ()),
        (_END_SECRETS, (UUID(made["id"]),)),
        (_ASK, (UUID(made["id"]), "dead", None)),
    ):
        async with refused("event_recorded"), app_role.transaction():
            await act_as(app_role, boss.id, boss.organisation, None)
            await app_role.execute(statement, *arguments)
    await worker.execute("UPDATE webhook_request SET done_at = now()")
    await _deliver(worker, made, "a.b", "delivered")


async def test_an_event_is_one_delivery_of_a_webhook_and_its_outcome_has_a_time(
    world: World, worker: Any
) -> None:
    made = await webhook(await owner(world), URL)
    again = (
        "INSERT INTO webhook_delivery (id, subscription, event, position, type, subject, made_at,"
        " attempts) SELECT gen_random_uuid(), subscription, event, 1, 'a.b', subject, now(), 0"
        " FROM webhook_delivery"
    )
    await _deliver(worker, made, "a.b", None)
    with pytest.raises(asyncpg.UniqueViolationError) as caught:
        await worker.execute(again)
    assert caught.value.constraint_name == "webhook_delivery_once"
    for change in ("outcome = 'delivered'", "settled_at = now()", "outcome = 'lost'"):
        with pytest.raises(asyncpg.CheckViolationError):
            await worker.execute(f"UPDATE webhook_delivery SET {change}")  # noqa: S608  # the test's own
