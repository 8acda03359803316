"""A log that lost what was signed: nothing more is signed until that is declared, and then anew."""

from pathlib import Path
from typing import Any

import pytest

from market.background import Workbench
from market.events.vocabulary import VOCABULARY
from market.transparency.checking import check_log
from market.transparency.keeping import AT_ONCE, Keeper
from market.transparency.keys import checkpoint_key
from market.transparency.origins import (
    LogLost,
    NothingLost,
    Witness,
    all_verifiers,
    ensure_not_lost,
    restart,
)
from market.transparency.rules.notes import is_sandbox, origin_of, verify_checkpoint
from tests.makers.direct import not_granted, refused
from tests.makers.log import keep, keep_and_sign, number, record_straight
from tests.makers.tampering import unguarded
from tests.makers.world import World

_CUT = """
DELETE FROM checkpoint WHERE size > $1; DELETE FROM event_leaf WHERE position > $1;
DELETE FROM merkle_node; DELETE FROM event_blinding USING event_position p
    WHERE p.event = event_blinding.event AND p.position > $1;
DELETE FROM event WHERE id IN (SELECT event FROM event_position WHERE position > $1);
DELETE FROM event_position WHERE position > $1;
UPDATE sequencer SET position = $1
"""


async def _note(superuser: Any) -> str:
    note: str = await superuser.fetchval("SELECT note FROM checkpoint ORDER BY size DESC LIMIT 1")
    return note


@pytest.fixture
async def lost(superuser: Any, bench: Workbench, tmp_path: Path) -> tuple[Witness, int, str]:
    """A log restored to an earlier state than was signed: the witness, its end, what is gone."""
    witness = Witness(tmp_path)
    left = await keep_and_sign(bench, superuser)
    nodes = await superuser.fetch("SELECT place, hash FROM merkle_node")
    for _ in range(5):
        await record_straight(superuser)
    await record_straight(superuser, action="lot.awarded")
    await keep(bench, Keeper(bench, witness))
    gone = await _note(superuser)
    assert witness.notes() == [gone]
    async with unguarded(superuser):
        for statement in _CUT.split(";"):
            await superuser.execute(statement.replace("$1", str(left)))
        await superuser.executemany("INSERT INTO merkle_node VALUES ($1, $2)", nodes)
    return witness, left, gone


async def test_nothing_is_signed_over_what_was_lost(
    superuser: Any, bench: Workbench, lost: tuple[Witness, int, str]
) -> None:
    witness, left, gone = lost
    await record_straight(superuser, action="lot.awarded")
    await number(bench)
    for _ in range(2):
        with pytest.raises(LogLost, match=f"ends at {left}, but a checkpoint of {left + 6} events"):
            await Keeper(bench, witness).run()
    assert await superuser.fetchval("SELECT max(position) FROM event_leaf") == left
    assert witness.notes() == [gone]


async def test_another_history_of_the_same_length_is_not_signed_over_either(
    superuser: Any, bench: Workbench, lost: tuple[Witness, int, str]
) -> None:
    witness, left, _ = lost
    for _ in range(9):
        await record_straight(superuser)
    await keep(bench)  # a worker on another machine, without the file
    assert await superuser.fetchval("SELECT max(position) FROM event_leaf") > left + 6
    with pytest.raises(LogLost, match="are not those under a checkpoint that was signed"):
        await Keeper(bench, witness).run()


async def test_a_declared_loss_begins_the_log_anew_under_another_name(
    superuser: Any, bench: Workbench, world: World, lost: tuple[Witness, int, str]
) -> None:
    witness, left, gone = lost
    before = await world.client.get("/api/v1/log/origins")
    assert [one["origin"] for one in before.json()] == ["tests.example/sandbox-log"]
    declared = await restart(superuser, bench.vault, "The disk of the primary died.", [gone])
    witness.set_aside(declared.number)
    assert (declared.number, declared.begins_at) == (2, left)
    await keep(bench, Keeper(bench, witness))
    second = checkpoint_key(bench.vault, 2)
    checkpoint = verify_checkpoint(await _note(superuser), [second.verifier])
    assert checkpoint.origin == "tests.example/sandbox-log-2"
    assert checkpoint.size == left + 1
    assert witness.notes() == [await _note(superuser)]
    keys = await all_verifiers(superuser, bench.vault)
    assert (await check_log(superuser, keys)).good
    held = await check_log(superuser, keys, [gone])
    assert not held.good
    assert "its end is missing" in held.findings[0].sentence
    shown = (await world.client.get("/api/v1/log/origins")).json()
    assert [one["begins_at"] for one in shown] == [0, left]
    assert shown[1]["because"] == "The disk of the primary died."
    assert shown[1]["lost"] == gone
    assert shown[1]["verifier_key"] == second.vkey
    assert (await world.client.get("/api/v1/log/key")).json()["origin"] == second.verifier.name
    events = (await world.client.get("/api/v1/events?after=0")).json()["items"]
    told = [one["details"] for one in events if one["type"] == "log.restarted"]
    assert told == [{"number": 2, "begins_at": left}]


async def test_without_a_loss_there_is_nothing_to_declare(
    superuser: Any, bench: Workbench, tmp_path: Path
) -> None:
    witness = Witness(tmp_path)
    await record_straight(superuser, action="lot.awarded")
    await keep(bench, Keeper(bench, witness))
    for notes in (witness.notes(), [], ["no checkpoint at all"]):
        with pytest.raises(NothingLost):
            await restart(superuser, bench.vault, "Just so.", notes)
    key = checkpoint_key(bench.vault)
    await ensure_not_lost(superuser, key, witness.notes())
    await record_straight(superuser)
    await keep(bench, Keeper(bench, witness))


async def test_only_the_role_that_owns_the_schema_declares_it(
    app_role: Any, bench: Workbench, superuser: Any
) -> None:
    insert = "INSERT INTO log_origin (because, lost) VALUES ('x', 'y')"
    async with not_granted():
        await app_role.execute(insert)
    async with bench.database.connection() as worker, not_granted():
        await worker.execute(insert)
    async with refused("event_recorded"):
        await superuser.execute(insert)
    async with refused("append_only"):
        await superuser.execute("DELETE FROM log_origin")


def test_names_count_and_a_rehearsal_stays_one() -> None:
    assert origin_of("m.example", sandbox=False) == "m.example/log"
    assert origin_of("m.example", sandbox=False, number=3) == "m.example/log-3"
    assert is_sandbox(origin_of("m.example", sandbox=True, number=12))
    assert not is_sandbox(origin_of("m.example", sandbox=False, number=2))
    assert "log.restarted" in AT_ONCE & VOCABULARY.keys()
