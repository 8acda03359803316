"""The end of the log is lost, as a restore may lose it: a new origin is declared, and said so."""

from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest
from msgspec import Struct

from market.background import Workbench
from market.events.vocabulary import VOCABULARY
from market.migrations import OWNER
from market.transparency.checking import check_log
from market.transparency.exporting import Covered, NotCovered, export_tender
from market.transparency.keeping import Keeper, bring_up_to_now
from market.transparency.keys import checkpoint_key
from market.transparency.restarting import (
    CannotRestart,
    Contradicted,
    Declared,
    ensure_covers,
    known_keys,
    restart,
)
from market.transparency.rules.notes import CheckpointKey, verify_checkpoint
from market.transparency.rules.verdicts import Verdict
from market.transparency.stand_alone_verifier import findings
from market.transparency.verification import verify_export
from market.transparency.witness import Witness
from tests.conftest import Databases
from tests.makers.direct import acting, not_granted, refused
from tests.makers.log import keep, keep_and_sign, number, record_straight
from tests.makers.tampering import unguarded
from tests.makers.world import World

WHY = "The disk was lost; the backup ended at noon."
_CUT = """
DELETE FROM checkpoint WHERE size > {size};
DELETE FROM event_blinding b USING event_position p WHERE p.event = b.event AND p.position > {size};
DELETE FROM event e USING event_position p WHERE p.event = e.id AND p.position > {size};
DELETE FROM event_leaf WHERE position > {size};
DELETE FROM event_position WHERE position > {size};
DELETE FROM merkle_node
    WHERE ((place & ((1::bigint << 48) - 1)) + 1) << (place >> 48)::integer > {size};
UPDATE tender_head h SET (number, position) = (SELECT max(p.tender_number), max(p.position)
    FROM event_position p WHERE p.tender = h.tender);
UPDATE sequencer SET position = {size};
"""


class Lost(Struct, frozen=True):
    """A log that lost its end: checkpoints of before that were kept elsewhere."""

    tender: UUID
    kept: int
    early: str
    late: str

    @property
    def late_size(self) -> int:
        return int(self.late.split("\n")[1])


async def _newest(connection: Any) -> str:
    note: str = await connection.fetchval("SELECT note FROM checkpoint ORDER BY size DESC LIMIT 1")
    return note


async def cut(superuser: Any, size: int) -> None:
    """Lose everything after a position, as a restore to an earlier time does."""
    async with unguarded(superuser):
        await superuser.execute(_CUT.format(size=size))


@pytest.fixture
async def lost(superuser: Any, bench: Workbench) -> Lost:
    tender = uuid4()
    for _ in range(5):
        await record_straight(superuser, tender=tender)
    kept = await keep_and_sign(bench, superuser)
    early = await _newest(superuser)
    for _ in range(3):
        await record_straight(superuser, tender=tender)
    await keep_and_sign(bench, superuser)
    late = await _newest(superuser)
    await cut(superuser, kept)
    return Lost(tender, kept, early, late)


async def declare(databases: Databases, bench: Workbench, *notes: str) -> list[Declared]:
    """Restart the log as the operator does: as the role that owns the schema."""
    owner = await asyncpg.connect(**databases.superuser, server_settings={"role": OWNER})
    try:
        return await restart(owner, bench.vault, WHY, notes)
    finally:
        await owner.close()


async def go_on(superuser: Any, bench: Workbench, lost: Lost, events: int = 6) -> None:
    """Let other things happen than what was lost, and sign them."""
    for _ in range(events):
        await record_straight(superuser, tender=lost.tender)
    await bring_up_to_now(bench)


async def exported(superuser: Any, bench: Workbench, lost: Lost, *covering: str) -> Covered:
    keys = await known_keys(superuser, bench.vault)
    return await export_tender(superuser, keys, lost.tender, covering)


def judged(made: Covered, *held: str) -> Verdict:
    return verify_export(made.content, made.keys, held)


async def test_a_log_that_is_shown_what_it_lost_signs_nothing(
    superuser: Any, bench: Workbench, lost: Lost
) -> None:
    await ensure_covers(superuser, bench.vault, [lost.early])
    with pytest.raises(Contradicted, match=r"its end was lost.*market log restart"):
        await ensure_covers(superuser, bench.vault, [lost.early, lost.late])
    await go_on(superuser, bench, lost)
    with pytest.raises(Contradicted, match="another root"):
        await ensure_covers(superuser, bench.vault, [lost.late])
    with pytest.raises(Contradicted, match="no checkpoint of this market"):
        await ensure_covers(superuser, bench.vault, [lost.late.replace("tests.", "other.", 1)])


async def test_a_keeper_signs_nothing_over_what_its_witness_saw_signed_until_that_is_declared(
    superuser: Any, bench: Workbench, databases: Databases, lost: Lost, tmp_path: Path
) -> None:
    witness = Witness(tmp_path / "home")
    assert witness.notes() == []
    witness.keep(lost.late)
    await record_straight(superuser, action="lot.awarded")
    await number(bench)
    for _ in range(2):
        with pytest.raises(Contradicted, match=f"but the log has {lost.kept}: its end was lost"):
            await Keeper(bench, witness).run()
    assert await superuser.fetchval("SELECT max(position) FROM event_leaf") == lost.kept
    assert witness.notes() == [lost.late]
    await declare(databases, bench, *witness.notes())
    await keep(bench, Keeper(bench, witness))
    assert witness.notes() == [await _newest(superuser)]
    await ensure_covers(superuser, bench.vault, [lost.early, lost.late, *witness.notes()])


async def test_a_keeper_sees_before_each_signature_that_the_database_is_another_one(
    superuser: Any, bench: Workbench, tmp_path: Path
) -> None:
    witness = Witness(tmp_path)
    keeper = Keeper(bench, witness)
    left = await keep_and_sign(bench, superuser)
    await keep(bench, keeper)
    await record_straight(superuser, action="lot.awarded")
    await keep(bench, keeper)
    assert witness.notes() == [await _newest(superuser)]
    await cut(superuser, left)
    await record_straight(superuser, action="lot.awarded")
    await number(bench)
    with pytest.raises(Contradicted, match="another root"):
        await keeper.run()
    assert await superuser.fetchval("SELECT max(size) FROM checkpoint") == left


async def test_the_log_goes_on_under_a_new_origin_that_declares_what_was_lost(
    superuser: Any, bench: Workbench, databases: Databases, lost: Lost
) -> None:
    [made] = await declare(databases, bench, lost.late)
    said = made.restart
    assert (said.former, said.kept, said.known, said.because) == (
        "tests.example/sandbox-log",
        lost.kept,
        lost.late_size,
        WHY,
    )
    assert said.origin.startswith("tests.example/sandbox-log/20")
    assert made.note.startswith(f"{said.origin}\nrestarts {said.former}\nkept {lost.kept}\n")
    event = await superuser.fetchrow("SELECT * FROM event WHERE action = 'log.restarted'")
    assert f'"known": {lost.late_size}' in event["details"]
    assert set(VOCABULARY["log.restarted"].details) <= set(event["details"].split('"'))
    with pytest.raises(NotCovered):
        await exported(superuser, bench, lost)  # nothing is signed under the new origin yet
    await go_on(superuser, bench, lost)
    newest = verify_checkpoint(
        await _newest(superuser), [checkpoint_key(bench.vault, said.origin).verifier]
    )
    assert newest.origin == said.origin
    await ensure_covers(superuser, bench.vault, [lost.early, lost.late])
    checked = await check_log(
        superuser, await known_keys(superuser, bench.vault), [lost.early, lost.late]
    )
    assert checked.good, checked.findings
    assert (checked.held, checked.lost) == (1, 1)


async def test_a_record_across_a_restart_is_good_and_says_what_was_lost(
    superuser: Any, bench: Workbench, databases: Databases, lost: Lost
) -> None:
    await declare(databases, bench, lost.late)
    await go_on(superuser, bench, lost)
    made = await exported(superuser, bench, lost, lost.early)
    verdict = judged(made, lost.early, lost.late)
    assert verdict.good, verdict.findings
    assert verdict.checked.held_checkpoints == 1
    assert verdict.checked.earlier_checkpoints == 1
    assert any(WHY in remark for remark in verdict.remarks)
    assert any("nothing can be compared" in remark for remark in verdict.remarks)
    # who has the new key alone can verify the record, and no checkpoint of the former origin
    alone = verify_export(made.content, made.keys[:1])
    assert alone.good, alone.findings
    assert any("were not looked at" in remark for remark in alone.remarks)
    assert not verify_export(made.content, made.keys[:1], [lost.early]).good
    # the verifier that stands alone leaves former origins out, and takes nothing of them for good
    assert list(findings(made.content, made.keys, [])) == []
    assert list(findings(made.content, made.keys, [lost.early])) != []


async def test_what_was_not_declared_is_not_forgiven(
    superuser: Any, bench: Workbench, databases: Databases, lost: Lost
) -> None:
    await declare(databases, bench, lost.early)  # the operator has not said how much is lost
    await go_on(superuser, bench, lost)
    made = await exported(superuser, bench, lost)
    verdict = judged(made, lost.late)
    assert not verdict.good
    assert any("more was lost than was said" in finding for finding in verdict.findings)
    with pytest.raises(Contradicted):
        await ensure_covers(superuser, bench.vault, [lost.late])


async def test_a_declaration_that_was_changed_is_bad(
    superuser: Any, bench: Workbench, databases: Databases, lost: Lost
) -> None:
    await declare(databases, bench, lost.late)
    await go_on(superuser, bench, lost)
    made = await exported(superuser, bench, lost)
    changes = {b"\\nkept ": b"\\nkept 1", b"disk": b"disc", b"restarts tests": b"restarts rests"}
    for old, new in changes.items():
        assert old in made.content
        assert not verify_export(made.content.replace(old, new), made.keys).good


async def test_if_the_log_went_on_before_the_loss_was_seen_only_what_agrees_is_kept(
    superuser: Any, bench: Workbench, databases: Databases, lost: Lost
) -> None:
    await go_on(superuser, bench, lost)  # signs under the former origin, above what is lost
    [made] = await declare(databases, bench, lost.early, lost.late)
    assert made.restart.kept == lost.kept
    await go_on(superuser, bench, lost, 1)
    verdict = judged(await exported(superuser, bench, lost), lost.early, lost.late)
    assert verdict.good, verdict.findings


async def test_after_two_restarts_every_former_origin_is_declared(
    superuser: Any, bench: Workbench, databases: Databases, lost: Lost
) -> None:
    await declare(databases, bench, lost.late)
    await go_on(superuser, bench, lost)
    between = await _newest(superuser)
    await superuser.execute("SELECT pg_sleep(1)")  # an origin is named by its second
    await cut(superuser, lost.kept + 2)
    made = await declare(databases, bench, between)
    assert [one.restart.former for one in made] == [
        "tests.example/sandbox-log",
        between.partition("\n")[0],
    ]
    assert [one.restart.kept for one in made] == [lost.kept, lost.kept + 2]
    assert made[0].restart.known == lost.late_size
    await go_on(superuser, bench, lost)
    verdict = judged(await exported(superuser, bench, lost), lost.early, lost.late, between)
    assert verdict.good, verdict.findings


async def test_a_restart_needs_checkpoints_of_this_log_and_a_reason_of_one_line(
    superuser: Any, bench: Workbench, lost: Lost
) -> None:
    stranger = CheckpointKey.from_seed("tests.example/sandbox-log", b"s" * 32)
    forged = stranger.sign_text(lost.late.partition("\n\n")[0] + "\n")
    for because, notes in (
        (WHY, [forged]),
        (WHY, ["no note"]),
        ("", []),
        ("Two\nlines.", []),
        ("x" * 301, []),
    ):
        with pytest.raises(CannotRestart):
            await restart(superuser, bench.vault, because, notes)
    assert await superuser.fetchval("SELECT count(*) FROM log_restart") == 0


_SIGN = (
    "INSERT INTO checkpoint (size, origin, root, tenders, tenders_root, note, because, signed_at)"
    " VALUES ((SELECT max(position) FROM event_leaf), $1, $2, 0, $2, '', 'test', now())"
)
_DECLARE = (
    "INSERT INTO log_restart (id, origin, former, kept, known, known_root, note)"
    " VALUES (gen_random_uuid(), $1, $2, 0, 0, $3, '')"
)


async def test_under_a_former_origin_nobody_signs_and_no_origin_comes_back(
    superuser: Any, bench: Workbench, databases: Databases, lost: Lost
) -> None:
    [made] = await declare(databases, bench, lost.late)
    await go_on(superuser, bench, lost)
    async with bench.database.connection() as connection:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute(_DECLARE, "other/log", "log", b"r" * 32)
        async with unguarded(superuser):
            await superuser.execute("DELETE FROM checkpoint WHERE origin = $1", made.restart.origin)
        async with refused("checkpoint_of_present_origin"):
            await connection.execute(_SIGN, made.restart.former, b"r" * 32)
        await connection.execute(_SIGN, made.restart.origin, b"r" * 32)
    for origin in (made.restart.former, made.restart.origin):
        async with refused("restart_under_new_origin"), acting(superuser):
            await superuser.execute(_DECLARE, origin, "another/log", b"r" * 32)


async def test_everybody_may_know_of_a_restart_and_the_app_can_declare_none(
    world: World, app_role: Any, bench: Workbench, databases: Databases, lost: Lost
) -> None:
    assert (await world.public("/log/restarts")).json() == []
    first = (await world.public("/log/key")).json()
    [made] = await declare(databases, bench, lost.late)
    [shown] = (await world.public("/log/restarts")).json()
    assert shown["note"] == made.note
    assert (shown["kept"], shown["known"], shown["because"]) == (lost.kept, lost.late_size, WHY)
    assert shown["former_key"] == first["verifier_key"]
    key = (await world.public("/log/key")).json()
    assert key["origin"] == shown["origin"] != first["origin"]
    assert key["sandbox"]
    async with not_granted(), acting(app_role):
        await app_role.execute(_DECLARE, "other/log", "log", b"r" * 32)
