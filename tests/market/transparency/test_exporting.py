"""The record of a tender as the database gives it, verified offline, and after tampering there."""

import secrets
from typing import Any
from uuid import UUID, uuid4

import pytest

from market.background import Workbench
from market.events.commands import private_salt
from market.transparency.exporting import NotCovered, NothingToExport, export_tender
from market.transparency.keys import checkpoint_key
from market.transparency.rules.leaves import private_digest
from market.transparency.verification import verify_export
from tests.makers.log import keep, keep_and_sign, record_straight
from tests.makers.tampering import unguarded


@pytest.fixture
async def tender(superuser: Any, bench: Workbench) -> UUID:
    """A tender with ten events among others, and three checkpoints."""
    chosen, other = uuid4(), uuid4()
    for turn in range(3):
        for count in range(6):
            await record_straight(superuser, tender=(chosen, other)[count % 2], details='{"n": 1}')
        if turn:
            await record_straight(superuser, tender=chosen)
        await keep_and_sign(bench, superuser)
    return chosen


async def _export(superuser: Any, bench: Workbench, tender: UUID, *covering: str) -> bytes:
    made = await export_tender(superuser, [checkpoint_key(bench.vault).verifier], tender, covering)
    return made.content


async def test_a_record_verifies_with_the_key_and_any_checkpoint_of_its_time(
    superuser: Any, bench: Workbench, tender: UUID
) -> None:
    key = checkpoint_key(bench.vault).vkey
    notes = [row["note"] for row in await superuser.fetch("SELECT note FROM checkpoint")]
    verdict = verify_export(await _export(superuser, bench, tender), [key], notes)
    assert verdict.good, verdict


async def test_what_is_kept_apart_is_in_the_record_and_its_erasure_is_said_but_breaks_nothing(
    superuser: Any, bench: Workbench, tender: UUID
) -> None:
    salt = secrets.token_bytes(32)
    digest = bytes.fromhex(private_digest(private_salt(salt), {"reason": "Because."}))
    event = await superuser.fetchval(
        "INSERT INTO event (id, action, subject_kind, subject, tender, request, details,"
        " private_digest) VALUES (gen_random_uuid(), 'test.made', 'thing', gen_random_uuid(), $1,"
        " 'x', '{}', $2) RETURNING id",
        tender,
        digest,
    )
    await superuser.execute(
        "INSERT INTO event_private VALUES ($1, $2, $3)", event, salt, '{"reason": "Because."}'
    )
    await keep_and_sign(bench, superuser)
    key = checkpoint_key(bench.vault).vkey
    content = await _export(superuser, bench, tender)
    assert b"Because." in content
    before = verify_export(content, [key])
    assert before.good, before
    async with unguarded(superuser):
        await superuser.execute("UPDATE event_private SET details = NULL WHERE event = $1", event)
    erased = await _export(superuser, bench, tender)
    assert b"Because." not in erased
    after = verify_export(erased, [key])
    assert after.good, after
    assert (before.checked.private_details, before.checked.erased) == (1, 0)
    assert (after.checked.private_details, after.checked.erased) == (0, 1)


async def test_a_tender_the_log_does_not_know_and_one_not_yet_covered_are_refused(
    superuser: Any, bench: Workbench, tender: UUID
) -> None:
    with pytest.raises(NothingToExport):
        await _export(superuser, bench, uuid4())
    await record_straight(superuser, tender=tender)
    await keep(bench)
    with pytest.raises(NotCovered):
        await _export(superuser, bench, tender)


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE event SET details = '{\"n\": 2}' WHERE id = THERE",
        "UPDATE event SET person = gen_random_uuid() WHERE id = THERE",
        "UPDATE event SET occurred_at = occurred_at - interval '1 day' WHERE id = THERE",
        "UPDATE event SET after_digest = sha256('x') WHERE id = THERE",
    ],
)
async def test_an_event_changed_in_the_database_is_named_by_whoever_reads_the_record(
    superuser: Any, bench: Workbench, tender: UUID, sql: str
) -> None:
    row = await superuser.fetchrow(
        "SELECT position, event FROM event_position WHERE tender = $1 AND tender_number = 5", tender
    )
    async with unguarded(superuser):
        await superuser.execute(sql.replace("THERE", f"'{row['event']}'"))
    verdict = verify_export(
        await _export(superuser, bench, tender), [checkpoint_key(bench.vault).vkey]
    )
    assert not verdict.good
    assert verdict.first_bad_position == row["position"]


async def test_a_deleted_event_and_a_cut_end_are_named_by_whoever_reads_the_record(
    superuser: Any, bench: Workbench, tender: UUID
) -> None:
    key = checkpoint_key(bench.vault).vkey
    rows = await superuser.fetch(
        "SELECT position, event FROM event_position WHERE tender = $1 ORDER BY position", tender
    )
    async with unguarded(superuser):
        await superuser.execute("DELETE FROM event WHERE id = $1", rows[-1]["event"])
    cut = verify_export(await _export(superuser, bench, tender), [key])
    assert not cut.good
    async with unguarded(superuser):
        await superuser.execute("DELETE FROM event WHERE id = $1", rows[4]["event"])
    verdict = verify_export(await _export(superuser, bench, tender), [key])
    assert not verdict.good
    assert verdict.first_bad_position is not None
    assert rows[3]["position"] < verdict.first_bad_position <= rows[5]["position"]
