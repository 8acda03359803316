"""The keeper: every event hashed once, in order, and checkpoints of exactly that."""

import asyncio
from typing import Any
from uuid import uuid4

import msgspec
import pytest

from market.background import Workbench
from market.transparency.keeping import AT_ONCE, Keeper, bring_up_to_now
from market.transparency.keys import checkpoint_key
from market.transparency.ledger import events_after, heads_at, place_of
from market.transparency.rules import heads, merkle
from market.transparency.rules.leaves import header_of, leaf_of
from market.transparency.rules.merkle import Subtree
from market.transparency.rules.notes import verify_checkpoint
from tests.makers.direct import refused
from tests.makers.log import BATCH, keep, keep_and_sign, number, record_straight


async def _leaves(connection: Any) -> list[bytes]:
    rows = await connection.fetch("SELECT hash FROM event_leaf ORDER BY position")
    return [row["hash"] for row in rows]


def _tree(leaves: list[bytes]) -> bytes:
    """The root by the definition of RFC 9162, section 2.1.1, and no shortcut."""
    if len(leaves) == 1:
        return leaves[0]
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return merkle.node_hash(_tree(leaves[:split]), _tree(leaves[split:]))


async def test_every_event_is_hashed_once_and_every_complete_subtree_is_kept(
    superuser: Any, bench: Workbench
) -> None:
    for batch in (1, 2, 3, 7, 20):
        for _ in range(batch):
            await record_straight(superuser, details='{"a": "é", "b": [1, "x"], "c": null}')
        await keep(bench)
    leaves = await _leaves(superuser)
    events = await events_after(superuser, 0, 1000)
    assert len(leaves) == len(events) == await superuser.fetchval("SELECT count(*) FROM event")
    salts = {
        row["event"]: row["salt"] for row in await superuser.fetch("SELECT * FROM event_blinding")
    }
    assert [leaf_of(header_of(event, salts[event.id])) for event in events] == leaves
    expected = {}
    for level in range(1, 10):
        for number_of in range(len(leaves) >> level):
            begin = number_of << level
            expected[place_of(Subtree(level, number_of))] = _tree(
                leaves[begin : begin + (1 << level)]
            )
    rows = await superuser.fetch("SELECT place, hash FROM merkle_node")
    assert {row["place"]: row["hash"] for row in rows} == expected


async def test_a_backlog_larger_than_a_batch_is_hashed_whole(
    superuser: Any, bench: Workbench
) -> None:
    await superuser.executemany(
        "INSERT INTO event (id, action, subject_kind, subject, request, details)"
        " VALUES (gen_random_uuid(), 'test.made', 'thing', gen_random_uuid(), $1, '{}')",
        [(str(count),) for count in range(BATCH * 2 + 3)],
    )
    await keep(bench)
    assert len(await _leaves(superuser)) == await superuser.fetchval("SELECT count(*) FROM event")


@pytest.mark.parametrize("action", sorted(AT_ONCE))
async def test_after_what_decides_a_checkpoint_is_signed_at_once(
    superuser: Any, bench: Workbench, action: str
) -> None:
    await keep(bench)
    await record_straight(superuser)
    await keep(bench)
    assert await superuser.fetchval("SELECT count(*) FROM checkpoint") == 0
    tenders = [uuid4() for _ in range(3)]
    for tender in tenders * 2:
        await record_straight(superuser, tender=tender)
    await record_straight(superuser, tender=tenders[0], action=action)
    await keep(bench)
    row = await superuser.fetchrow("SELECT * FROM checkpoint")
    leaves = await _leaves(superuser)
    read = verify_checkpoint(row["note"], [checkpoint_key(bench.vault).verifier])
    assert (read.size, read.root) == (len(leaves), _tree(leaves)) == (row["size"], row["root"])
    assert read.origin == "tests.example/sandbox-log"
    known = await heads_at(superuser, read.size)
    assert {head.tender: head.count for head in known} == dict(zip(tenders, (3, 2, 2), strict=True))
    assert (read.tenders, read.tenders_root) == (3, heads.root(known))
    assert row["because"] == action


async def test_no_event_waits_longer_than_the_interval_for_a_checkpoint(
    superuser: Any, bench: Workbench
) -> None:
    quick = msgspec.structs.replace(
        bench, settings=msgspec.structs.replace(bench.settings, checkpoint_interval=1)
    )
    keeper = Keeper(quick)
    await record_straight(superuser)
    await keep(quick, keeper)
    assert await superuser.fetchval("SELECT count(*) FROM checkpoint") == 0
    await asyncio.sleep(0.8)
    await keep(quick, keeper)
    size = await superuser.fetchval("SELECT size FROM checkpoint WHERE because = 'interval'")
    assert size == len(await _leaves(superuser))
    await asyncio.sleep(0.8)
    await keep(quick, keeper)
    assert await superuser.fetchval("SELECT count(*) FROM checkpoint") == 1  # nothing new to say


async def test_a_keeper_that_remembers_heads_and_one_that_reads_them_sign_the_same(
    superuser: Any, bench: Workbench
) -> None:
    tenders = [uuid4() for _ in range(5)]
    keeper = Keeper(bench)
    for turn in range(6):
        for tender in tenders[: turn + 1]:
            await record_straight(superuser, tender=tender)
        await record_straight(superuser, tender=tenders[0], action="tender.opened")
        await keep(bench, keeper if turn % 2 else None)
    for row in await superuser.fetch("SELECT size, tenders_root FROM checkpoint"):
        assert row["tenders_root"] == heads.root(await heads_at(superuser, row["size"]))


async def test_of_many_keepers_at_once_none_hashes_twice(superuser: Any, bench: Workbench) -> None:
    for _ in range(40):
        await record_straight(superuser)
    await number(bench)
    await asyncio.gather(*(Keeper(bench).run() for _ in range(6)))
    await keep_and_sign(bench, superuser)
    assert len(await _leaves(superuser)) == await superuser.fetchval("SELECT count(*) FROM event")


async def test_what_has_no_canonical_form_is_hashed_as_its_text_and_stops_nothing(
    superuser: Any, bench: Workbench
) -> None:
    await record_straight(superuser, details='{"share": 0.5, "large": 123456789012345678901234}')
    await record_straight(superuser)
    await keep(bench)
    odd = (await events_after(superuser, 0, 1000))[-2]
    assert odd.details == {"as_text": '{"large": 123456789012345678901234, "share": 0.5}'}
    assert len(await _leaves(superuser)) == await superuser.fetchval("SELECT count(*) FROM event")


async def test_a_checkpoint_is_of_what_is_hashed_and_larger_than_the_last(
    superuser: Any, bench: Workbench
) -> None:
    size = await keep_and_sign(bench, superuser)
    wrong = (
        "INSERT INTO checkpoint (size, origin, root, tenders, tenders_root, note, because,"
        " signed_at) SELECT $1, origin, root, tenders, tenders_root, note, because, signed_at"
        " FROM checkpoint"
    )
    for other in (size - 1, size + 1):
        async with refused("checkpoint_of_whole_log"):
            await superuser.execute(wrong, other)


@pytest.mark.parametrize(
    "table", ["event_position", "event_leaf", "event_blinding", "merkle_node", "checkpoint"]
)
@pytest.mark.parametrize("act", ["DELETE FROM {}", "TRUNCATE {} CASCADE"])
async def test_even_a_superuser_removes_nothing_by_mistake(
    superuser: Any, bench: Workbench, table: str, act: str
) -> None:
    await keep_and_sign(bench, superuser)
    async with refused("append_only"):
        await superuser.execute(act.format(table))


async def test_asked_the_log_is_brought_up_to_now_whoever_else_keeps_it(
    superuser: Any, bench: Workbench
) -> None:
    for _ in range(30):
        await record_straight(superuser)
    await asyncio.gather(*(bring_up_to_now(bench) for _ in range(4)))
    events = await superuser.fetchval("SELECT count(*) FROM event")
    assert await superuser.fetchval("SELECT max(size) FROM checkpoint") == events
    await bring_up_to_now(bench)
    assert await superuser.fetchval("SELECT count(*) FROM checkpoint") >= 1
