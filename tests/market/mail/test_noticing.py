"""Notices are made of every event once, in order, whatever one kind does wrong."""

import asyncio
from collections.abc import Mapping
from typing import Any

import asyncpg
import pytest

from market.background import Workbench
from market.mail.kinds import Letter, NoticeKind
from market.mail.noticing import BATCH, Noticing, Reminding
from market.mail.rules.times import MOST_ATTEMPTS
from tests.conftest import Databases
from tests.makers.notices import exhaust, happen, notice
from tests.makers.world import Person
from tests.market.mail.conftest import KINDS

DEADLINE = KINDS[0]
_NOTICES = "SELECT * FROM notice ORDER BY made_at"


def _said(_: Mapping[str, Any]) -> Letter:
    return Letter(subject="s", paragraphs=("p",))


def faulty(recipients: str) -> NoticeKind:
    return NoticeKind(
        name="faulty",
        title="Faulty",
        actions=("test.greeted",),
        recipients=recipients,
        letter=_said,
    )


async def notices(connection: Any) -> list[Any]:
    return list(await connection.fetch(_NOTICES))


async def faults(connection: Any) -> list[tuple[str, str, int]]:
    rows = await connection.fetch("SELECT kind, state, attempts FROM notice_fault ORDER BY 1, 2")
    return [tuple(row) for row in rows]


async def make_due(connection: Any) -> None:
    await connection.execute("UPDATE notice_fault SET retry_at = clock_timestamp()")


async def test_everybody_concerned_gets_one_notice_of_an_event(
    ann: Person, bob: Person, superuser: Any, bench: Workbench
) -> None:
    event = await happen(superuser, "test.greeted", ann, bob)
    await happen(superuser, "test.unheard", ann)
    for _ in range(3):
        await notice(bench, KINDS)
    found = await notices(superuser)
    assert {row["person"] for row in found} == {ann.id, bob.id}
    assert [(row["kind"], row["event"], row["state"], row["attempts"]) for row in found] == [
        ("deadline-near", event, "waiting", 0)
    ] * 2
    reached = await superuser.fetchval("SELECT position FROM noticing WHERE id = 1")
    assert reached == await superuser.fetchval("SELECT max(position) FROM event_position")


async def test_one_key_is_told_once_however_often_it_happens(
    ann: Person, superuser: Any, bench: Workbench
) -> None:
    kind = NoticeKind(
        name="once",
        title="Once",
        actions=("test.greeted",),
        recipients=DEADLINE.recipients.replace("e.id::text AS key", "'the key' AS key"),
        letter=_said,
    )
    for _ in range(3):
        await happen(superuser, "test.greeted", ann)
    await notice(bench, (kind,))
    assert len(await notices(superuser)) == 1


async def test_many_noticers_at_once_make_each_notice_once(
    ann: Person, superuser: Any, bench: Workbench
) -> None:
    for _ in range(30):
        await happen(superuser, "test.greeted", ann)
    await notice(bench, ())
    await superuser.execute("UPDATE noticing SET position = 0 WHERE id = 1")
    await asyncio.gather(*(exhaust(Noticing(bench, KINDS)) for _ in range(6)))
    assert len(await notices(superuser)) == 30


async def test_a_long_log_is_gone_through_in_batches(
    ann: Person, superuser: Any, bench: Workbench
) -> None:
    await superuser.execute(
        "INSERT INTO event (id, action, subject_kind, subject, request, details)"
        " SELECT gen_random_uuid(), 'test.unheard', 'thing', gen_random_uuid(), 'test', '{}'"
        " FROM generate_series(1, $1)",
        BATCH,
    )
    await happen(superuser, "test.greeted", ann)
    await notice(bench, ())
    await superuser.execute("UPDATE noticing SET position = 0 WHERE id = 1")
    task = Noticing(bench, KINDS)
    assert await task.run() == 0
    assert await notices(superuser) == []
    assert await task.run() > 0
    assert len(await notices(superuser)) == 1


async def test_what_was_stopped_half_way_is_done_again_whole(
    ann: Person, superuser: Any, bench: Workbench, databases: Databases
) -> None:
    """The position moves in the transaction that makes the notices, or not at all."""
    await happen(superuser, "test.greeted", ann)
    await notice(bench, ())
    await superuser.execute("UPDATE noticing SET position = 0 WHERE id = 1")
    holder = await asyncpg.connect(**databases.superuser)
    transaction = holder.transaction()
    await transaction.start()
    await holder.execute("LOCK TABLE notice IN EXCLUSIVE MODE")
    task = asyncio.create_task(Noticing(bench, KINDS).run())
    await asyncio.sleep(0.3)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await transaction.rollback()
    await holder.close()
    assert await superuser.fetchval("SELECT position FROM noticing WHERE id = 1") == 0
    await notice(bench, KINDS)
    assert len(await notices(superuser)) == 1


# -- whether it is mailed --------------------------------------------------------------------------


async def test_without_a_server_a_notice_is_made_and_says_why_it_is_not_mailed(
    ann: Person, superuser: Any, bench_without_mail: Workbench
) -> None:
    await happen(superuser, "test.greeted", ann)
    await notice(bench_without_mail, KINDS)
    [row] = await notices(superuser)
    assert (row["state"], row["last_error"]) == (
        "skipped",
        "No mail server is set, so the market sends no mail.",
    )


async def test_what_is_more_than_a_day_old_floods_nobody(
    ann: Person, superuser: Any, bench: Workbench
) -> None:
    old = await happen(superuser, "test.greeted", ann)
    await superuser.execute("SET market.migrating = 'on'")
    await superuser.execute("ALTER TABLE event DISABLE TRIGGER append_only_event")
    await superuser.execute(
        "UPDATE event SET recorded_at = recorded_at - interval '25 hours' WHERE id = $1", old
    )
    await happen(superuser, "test.greeted", ann)
    await notice(bench, KINDS)
    states = {
        row["event"] == old: (row["state"], row["last_error"]) for row in await notices(superuser)
    }
    assert states == {
        True: ("skipped", "It was more than a day old when it was noticed."),
        False: ("waiting", None),
    }


async def test_how_somebody_wants_it_decides_when_it_goes(
    ann: Person, bob: Person, superuser: Any, bench: Workbench
) -> None:
    await ann.put("/notice-preferences", {"kinds": {"deadline-near": "digest"}}, version=1)
    await bob.put("/notice-preferences", {"kinds": {"deadline-near": "off"}}, version=1)
    await happen(superuser, "test.greeted", ann, bob)
    await happen(superuser, "test.told", bob)
    await notice(bench, KINDS)
    found = {(row["person"], row["kind"]): row for row in await notices(superuser)}
    digested = found[ann.id, "deadline-near"]
    assert digested["state"] == "waiting"
    assert digested["digest_at"] == digested["send_after"] > digested["made_at"]
    off = found[bob.id, "deadline-near"]
    assert (off["state"], off["last_error"]) == (
        "skipped",
        "You have switched notices of this kind off.",
    )
    assert found[bob.id, "news"]["digest_at"] == digested["digest_at"]


# -- faults ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "recipients",
    [
        "SELECT 1 FROM no_such_table WHERE $1 IS NULL",
        "this is no SQL",
        "SELECT 1 / 0 AS person WHERE $1::uuid IS NOT NULL",
        "SELECT 'x' AS person WHERE $1::uuid IS NOT NULL",
        (
            "SELECT gen_random_uuid() AS person, gen_random_uuid() AS organisation, 'k' AS key,"
            " '{}'::jsonb AS facts WHERE $1::uuid IS NOT NULL"
        ),
        (
            "SELECT id AS person, NULL::uuid AS organisation, 'k' AS key, '{}'::jsonb AS facts"
            " FROM person WHERE $1::uuid IS NOT NULL"
        ),
        (
            "SELECT id AS person, id AS organisation, repeat('k', 201) AS key, '{}'::jsonb AS facts"
            " FROM person WHERE $1::uuid IS NOT NULL"
        ),
        (
            "SELECT id AS person, id AS organisation, 'k' AS key, '[1]'::jsonb AS facts"
            " FROM person WHERE $1::uuid IS NOT NULL"
        ),
        "SELECT 1",
        "SELECT $1::uuid, $2::uuid",
        "DELETE FROM event WHERE id = $1 RETURNING 1",
        "SELECT pg_sleep(6) WHERE $1::uuid IS NOT NULL",
    ],
)
async def test_a_kind_whose_sql_fails_stops_no_other_and_is_noted(
    ann: Person, superuser: Any, bench: Workbench, recipients: str
) -> None:
    await happen(superuser, "test.greeted", ann)
    await notice(bench, (faulty(recipients), *KINDS))
    assert [row["kind"] for row in await notices(superuser)] == ["deadline-near"]
    assert await faults(superuser) == [("faulty", "waiting", 1)]


async def test_a_kind_that_keeps_failing_is_given_up_and_says_so(
    ann: Person, superuser: Any, bench: Workbench, capsys: pytest.CaptureFixture[str]
) -> None:
    kinds = (faulty("SELECT 1 FROM no_such_table WHERE $1 IS NULL"),)
    event = await happen(superuser, "test.greeted", ann)
    await notice(bench, kinds)
    for _ in range(MOST_ATTEMPTS + 3):
        await make_due(superuser)
        await exhaust(Noticing(bench, kinds))
    row = await superuser.fetchrow("SELECT * FROM notice_fault")
    assert (row["state"], row["attempts"], row["event"]) == ("given_up", MOST_ATTEMPTS, event)
    assert "no_such_table" in row["last_error"]
    said = capsys.readouterr()
    assert "given_up" in said.out + said.err


async def test_a_kind_that_was_mended_makes_up_for_what_it_missed(
    ann: Person, superuser: Any, bench: Workbench
) -> None:
    await happen(superuser, "test.greeted", ann)
    await notice(bench, (faulty("SELECT 1 FROM no_such_table WHERE $1 IS NULL"),))
    mended = faulty(DEADLINE.recipients)
    await exhaust(Noticing(bench, (mended,)))
    assert await notices(superuser) == []  # its next attempt is not due yet
    await make_due(superuser)
    await exhaust(Noticing(bench, (mended,)))
    assert [row["kind"] for row in await notices(superuser)] == ["faulty"]
    assert await faults(superuser) == [("faulty", "mended", 1)]


async def test_a_fault_of_a_kind_that_is_no_more_is_at_rest(
    ann: Person, superuser: Any, bench: Workbench
) -> None:
    await happen(superuser, "test.greeted", ann)
    await notice(bench, (faulty("no SQL"),))
    await make_due(superuser)
    await exhaust(Noticing(bench, KINDS))
    assert await faults(superuser) == [("faulty", "mended", 1)]


async def test_a_letter_that_fails_at_one_recipient_keeps_nobody_else_s_back(
    ann: Person, bob: Person, superuser: Any, bench: Workbench
) -> None:
    def letter(facts: Mapping[str, Any]) -> Letter:
        assert facts["person"] != str(bob.id)
        return Letter(subject="s", paragraphs=("p",))

    kind = NoticeKind(
        name="by-name",
        title="By name",
        actions=("test.greeted",),
        recipients=DEADLINE.recipients.replace("e.details -> 'facts' AS facts", "r AS facts"),
        letter=letter,
    )
    await happen(superuser, "test.greeted", bob, ann)
    await notice(bench, (kind,))
    assert [row["person"] for row in await notices(superuser)] == [ann.id]
    assert await faults(superuser) == [("by-name", "waiting", 1)]


# -- what time brings ------------------------------------------------------------------------------


async def test_time_makes_its_notices_once_a_minute_and_each_of_them_once(
    ann: Person, superuser: Any, bench: Workbench
) -> None:
    task = Reminding(bench, KINDS)
    await task.run()
    assert await notices(superuser) == []
    async with superuser.transaction():
        await happen(superuser, "clock.shifted")
        await superuser.execute("UPDATE market_clock SET shift = interval '3 days'")
    await task.run()
    assert await notices(superuser) == []  # a minute has not passed
    for _ in range(3):
        await superuser.execute("UPDATE noticing SET passed_at = '-infinity' WHERE id = 2")
        await asyncio.gather(*(Reminding(bench, KINDS).run() for _ in range(4)))
    [row] = await notices(superuser)
    assert (row["person"], row["kind"], row["event"]) == (ann.id, "clock-shifted", None)
    assert row["state"] == "waiting"


async def test_a_kind_of_time_that_fails_rests_longer_and_is_never_given_up(
    ann: Person, superuser: Any, bench: Workbench
) -> None:
    broken = NoticeKind(
        name="broken", title="Broken", recipients="SELECT 1 FROM no_such_table", letter=_said
    )
    for _ in range(MOST_ATTEMPTS + 2):
        await superuser.execute("UPDATE noticing SET passed_at = '-infinity' WHERE id = 2")
        await make_due(superuser)
        await Reminding(bench, (broken,)).run()
    assert await faults(superuser) == [("broken", "waiting", MOST_ATTEMPTS + 2)]
    await superuser.execute("UPDATE noticing SET passed_at = '-infinity' WHERE id = 2")
    await Reminding(bench, (broken,)).run()  # it rests
    assert await faults(superuser) == [("broken", "waiting", MOST_ATTEMPTS + 2)]
    await make_due(superuser)
    await superuser.execute("UPDATE noticing SET passed_at = '-infinity' WHERE id = 2")
    mended = NoticeKind(
        name="broken",
        title="Broken",
        recipients="SELECT person, organisation, 'k' AS key, NULL::jsonb AS facts FROM membership",
        letter=_said,
    )
    await Reminding(bench, (mended,)).run()
    assert [row["person"] for row in await notices(superuser)] == [ann.id]
    assert (await faults(superuser))[0][1] == "mended"
