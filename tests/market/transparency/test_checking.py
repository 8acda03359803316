"""Tampering as a database superuser, past every guard: the check names the first bad position."""

from typing import Any
from uuid import uuid4

import pytest

from market.background import Workbench
from market.transparency.checking import Checked, check_log
from market.transparency.keys import checkpoint_key
from market.transparency.ledger import events_after, heads_at, place_of, subtree_hashes
from market.transparency.rules import heads, merkle
from market.transparency.rules.leaves import header_of, leaf_of
from market.transparency.rules.merkle import Subtree
from market.transparency.rules.notes import Checkpoint
from tests.makers.log import keep, keep_and_sign, record_straight
from tests.makers.tampering import unguarded


@pytest.fixture
async def log(superuser: Any, bench: Workbench) -> int:
    """A log with three checkpoints; gives its size."""
    tenders = [uuid4() for _ in range(3)]
    size = 0
    for _ in range(3):
        for count in range(8):
            await record_straight(superuser, tender=tenders[count % 3], details='{"a": 1}')
        size = await keep_and_sign(bench, superuser)
    return size


async def _check(superuser: Any, bench: Workbench, *held: str) -> Checked:
    return await check_log(superuser, [checkpoint_key(bench.vault).verifier], held)


async def test_a_log_that_nobody_touched_is_good(
    superuser: Any, bench: Workbench, log: int
) -> None:
    await record_straight(superuser)
    await keep(bench)
    checked = await _check(superuser, bench)
    assert checked.good, checked.findings
    assert (checked.size, checked.checkpoints) == (log + 1, 3)


async def test_the_worker_s_role_can_check(bench: Workbench, log: int) -> None:
    async with bench.database.connection() as connection:
        checked = await check_log(connection, [checkpoint_key(bench.vault).verifier])
    assert checked.good
    assert checked.size == log


_EXCHANGED = """
UPDATE event_position SET position = 1000 WHERE position = 12;
UPDATE event_position SET position = 12 WHERE position = 13;
UPDATE event_position SET position = 13 WHERE position = 1000
"""
_INSERTED = """
WITH forged AS (
    INSERT INTO event (id, transaction, occurred_at, recorded_at, action, subject_kind, subject,
        request, details)
    VALUES (gen_random_uuid(), 1, now(), now(), 'test.forged', 'thing', gen_random_uuid(), 'x',
        '{}')
    RETURNING id
) UPDATE event_position SET event = (SELECT id FROM forged) WHERE position = 12
"""


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE event SET details = '{\"a\": 2}' WHERE id = THERE",
        "UPDATE event SET occurred_at = occurred_at + interval '1 microsecond' WHERE id = THERE",
        "UPDATE event SET recorded_at = recorded_at - interval '1 hour' WHERE id = THERE",
        "UPDATE event SET person = gen_random_uuid() WHERE id = THERE",
        "UPDATE event SET organisation = gen_random_uuid() WHERE id = THERE",
        "UPDATE event SET action = 'test.maze' WHERE id = THERE",
        "UPDATE event SET subject = gen_random_uuid() WHERE id = THERE",
        "UPDATE event SET subject_kind = 'thin' WHERE id = THERE",
        "UPDATE event SET request = 'other' WHERE id = THERE",
        "UPDATE event SET before_digest = sha256('x') WHERE id = THERE",
        "UPDATE event SET after_digest = sha256('x') WHERE id = THERE",
        "UPDATE event SET private_digest = sha256('x') WHERE id = THERE",
        "UPDATE event SET tender = NULL WHERE id = THERE",
        "DELETE FROM event WHERE id = THERE",
        "UPDATE event_leaf SET hash = sha256('x') WHERE position = 12",
        "UPDATE event_leaf SET content = sha256('x') WHERE position = 12",
        "UPDATE event_leaf SET number = sha256('x') WHERE position = 12",
        "DELETE FROM event_leaf WHERE position = 12",
        "DELETE FROM event_blinding WHERE event = THERE",
        "UPDATE event_blinding SET salt = sha256('x') WHERE event = THERE",
        "DELETE FROM event_position WHERE position = 12",
        "UPDATE event_position SET tender_number = 99 WHERE position = 12",
        _EXCHANGED,
        _INSERTED,
    ],
)
async def test_one_thing_changed_is_named_by_its_position(
    superuser: Any, bench: Workbench, log: int, sql: str
) -> None:
    async with unguarded(superuser):
        there = await superuser.fetchval("SELECT event FROM event_position WHERE position = 12")
        await superuser.execute(sql.replace("THERE", f"'{there}'"))
    checked = await _check(superuser, bench)
    assert not checked.good
    assert checked.first_bad_position == 12, (checked.findings, log)


async def test_an_end_cut_off_is_found_by_any_checkpoint_that_is_left(
    superuser: Any, bench: Workbench, log: int
) -> None:
    held = await superuser.fetchval("SELECT note FROM checkpoint WHERE size = $1", log)
    cut = log - 4
    async with unguarded(superuser):
        for table in ("event_leaf", "event_position"):
            cutting = f"DELETE FROM {table} WHERE position > $1"  # noqa: S608  # two names from above
            await superuser.execute(cutting, cut)
        await superuser.execute(
            "DELETE FROM event WHERE id NOT IN (SELECT event FROM event_position)"
        )
    checked = await _check(superuser, bench)
    assert checked.first_bad_position == cut + 1
    async with unguarded(superuser):
        await superuser.execute("DELETE FROM checkpoint WHERE size > $1", cut)
        await superuser.execute(
            "DELETE FROM event_blinding WHERE event NOT IN (SELECT id FROM event)"
        )
        await superuser.execute(
            "UPDATE tender_head h SET (number, position) = (SELECT max(tender_number),"
            " max(position) FROM event_position p WHERE p.tender = h.tender)"
        )
    # whoever removes the checkpoints too leaves nothing to see here, but for whoever holds one
    assert (await _check(superuser, bench)).good
    assert (await _check(superuser, bench, held)).first_bad_position == cut + 1


async def _rewrite(superuser: Any, bench: Workbench, position: int, *, sign: bool) -> None:
    """What an operator can do who holds everything: change, hash anew and, if so, sign anew."""
    async with unguarded(superuser):
        await superuser.execute(
            "UPDATE event SET details = '{\"a\": 7}' WHERE id ="
            " (SELECT event FROM event_position WHERE position = $1)",
            position,
        )
        salts = {
            row["event"]: row["salt"]
            for row in await superuser.fetch("SELECT * FROM event_blinding")
        }
        events = await events_after(superuser, 0, 10_000)
        headers = [header_of(event, salts[event.id]) for event in events]
        leaves = [leaf_of(header) for header in headers]
        await superuser.execute("DELETE FROM merkle_node")
        for event, header, leaf in zip(events, headers, leaves, strict=True):
            await superuser.execute(
                "UPDATE event_leaf SET hash = $2, content = $3 WHERE position = $1",
                event.position,
                leaf,
                bytes.fromhex(header.content),
            )
        nodes = merkle.completed_by(0, leaves, {})
        await superuser.executemany(
            "INSERT INTO merkle_node VALUES ($1, $2)",
            [(place_of(subtree), computed) for subtree, computed in nodes],
        )
        if sign:
            key = checkpoint_key(bench.vault)
            for row in await superuser.fetch("SELECT * FROM checkpoint"):
                size = row["size"]
                hashes = await subtree_hashes(superuser, merkle.peaks(size))
                await superuser.execute(
                    "UPDATE checkpoint SET root = $2, note = $3 WHERE size = $1",
                    size,
                    merkle.root(size, hashes),
                    key.sign(await _as_now(superuser, key.verifier.name, size)),
                )


async def _as_now(superuser: Any, origin: str, size: int) -> Checkpoint:
    hashes = await subtree_hashes(superuser, merkle.peaks(size))
    known = await heads_at(superuser, size)
    return Checkpoint(
        origin=origin,
        size=size,
        root=merkle.root(size, hashes),
        tenders=len(known),
        tenders_root=heads.root(known),
    )


async def test_a_history_hashed_anew_no_longer_fits_the_checkpoints(
    superuser: Any, bench: Workbench, log: int
) -> None:
    first, second, _ = [
        row["size"] for row in await superuser.fetch("SELECT size FROM checkpoint ORDER BY size")
    ]
    await _rewrite(superuser, bench, first + 2, sign=False)
    checked = await _check(superuser, bench)
    assert checked.first_bad_position == first + 1
    assert f"between {first + 1} and {second}" in checked.findings[0].sentence
    assert log > second


async def test_only_a_checkpoint_held_elsewhere_finds_an_operator_who_signs_anew(
    superuser: Any, bench: Workbench, log: int
) -> None:
    first, second, _ = [
        row["size"] for row in await superuser.fetch("SELECT size FROM checkpoint ORDER BY size")
    ]
    held = await superuser.fetchval("SELECT note FROM checkpoint WHERE size = $1", second)
    early = await superuser.fetchval("SELECT note FROM checkpoint WHERE size = $1", first)
    await _rewrite(superuser, bench, first + 2, sign=True)
    assert (await _check(superuser, bench)).good
    assert (await _check(superuser, bench, early)).good  # it was true as far as it went
    checked = await _check(superuser, bench, early, held)
    assert not checked.good
    assert "held elsewhere" in checked.findings[0].sentence
    assert log > second


async def test_a_checkpoint_of_another_key_and_a_lost_node_are_found(
    superuser: Any, bench: Workbench, log: int
) -> None:
    note = await superuser.fetchval("SELECT note FROM checkpoint WHERE size = $1", log)
    forged = note[:-6] + "AAAA=\n"
    assert not (await _check(superuser, bench, forged)).good
    async with unguarded(superuser):
        await superuser.execute("DELETE FROM merkle_node WHERE place = $1", place_of(Subtree(3, 1)))
    checked = await _check(superuser, bench)
    assert "positions 9 to 16" in checked.findings[0].sentence


async def test_events_that_never_reached_the_log_are_counted(
    superuser: Any, bench: Workbench, log: int
) -> None:
    await record_straight(superuser)
    assert (await _check(superuser, bench)).good  # a moment ago
    async with unguarded(superuser):
        await superuser.execute(
            "UPDATE event SET recorded_at = recorded_at - interval '1 hour'"
            " WHERE id NOT IN (SELECT event FROM event_position)"
        )
    checked = await _check(superuser, bench)
    assert "1 events" in checked.findings[0].sentence
    assert checked.size == log
