"""An operator who has the key and signs another history; signatures, checkpoints, time stamps."""

import base64
import hashlib
from uuid import UUID

import pytest
from msgspec.structs import replace

from market.transparency.rules import exports
from market.transparency.rules.exports import TenderRecord, write
from market.transparency.rules.notes import CheckpointKey
from tests.makers.tender_records import KEY, TENDER, Log, example
from tests.makers.verdicts import judged

LOG = example()
RECORD = LOG.record()
CONTENT = write(RECORD)
POSITIONS = [event.header.position for event in RECORD.events]  # 2, 4, 5, 7, 8
FOREIGN = CheckpointKey.from_seed("market.example/log", b"f" * 32)


# ---------------------------------------------------------------- an operator who has the key


def test_events_in_the_log_that_are_numbered_wrong_are_found() -> None:
    """The log is signed and every event is in it: but a number was left out, or used twice."""
    for numbers, first in (((1, 3), 2), ((1, 1), 1), ((2, 1), 1)):
        log = Log()
        made = log.append("tender.drafted", TENDER)
        other = Log()
        for position, number in enumerate(numbers, start=1):
            event = replace(made, position=position, id=UUID(int=position), tender_number=number)
            other.put(event)
        other.sign()
        verdict = judged(other.export())
        assert verdict.first_bad_position == first, verdict


def test_numbers_against_the_order_of_positions_are_found() -> None:
    log = Log()
    made = log.append("tender.drafted", TENDER)
    other = Log()
    other.put(replace(made, position=1, id=UUID(int=1), tender_number=2))
    second = other.heads[TENDER]
    other.put(replace(made, position=2, id=UUID(int=2), tender_number=1))
    other.heads[TENDER] = second
    other.sign()
    record = other.record()
    verdict = judged(write(replace(record, events=record.events[::-1])))
    assert verdict.first_bad_position == 1
    assert "has a lower position than number 1" in verdict.findings[0]


def test_a_record_with_more_events_than_its_head_says_is_bad() -> None:
    log = Log()
    for _ in range(3):
        log.append("bid.submitted", TENDER)
    log.heads[TENDER] = replace(log.heads[TENDER], count=2)
    log.sign()
    verdict = judged(log.export())
    assert verdict.first_bad_position == 2
    assert [one.rsplit(" is ")[1] for one in verdict.findings] == [
        "not the tender's last.",
        "beyond the tender's last.",
    ]


def rewritten(at: int) -> Log:
    """The same log with another event at a position, signed by the same key at the same sizes."""
    log = Log()
    sizes = {checkpoint.size for checkpoint in LOG.checkpoints}
    for event in LOG.events:
        other = replace(event, request="another request") if event.position == at else event
        log.put(other)
        log.private[event.position] = LOG.private[event.position]
        if log.size in sizes:
            log.sign()
    return log


def test_only_a_checkpoint_held_elsewhere_finds_out_who_signs_another_history() -> None:
    for at in range(1, 10):
        forged = rewritten(at)
        assert judged(forged.export()).good
        verdict = judged(forged.export(), LOG.notes)
        # of 4, 6 and 9: the largest before the change still agrees
        kept = max([size for size in (0, 4, 6) if size < at], default=0)
        assert verdict.first_bad_position == kept + 1
        assert f"rewritten after position {kept}" in verdict.findings[0]
        assert verdict.checked.held_checkpoints == sum(size < at for size in (4, 6))


def test_a_checkpoint_of_the_same_size_and_another_root_shows_rewriting() -> None:
    verdict = judged(rewritten(2).export(), LOG.notes[-1:])
    assert verdict.first_bad_position == 1
    assert "size 9" in verdict.findings[0]


def test_a_checkpoint_of_the_same_size_with_another_map_shows_rewriting() -> None:
    newest = LOG.checkpoints[-1]
    other = KEY.sign(replace(newest, tenders=3))
    assert not judged(CONTENT, [other]).good
    earlier = KEY.sign(replace(LOG.checkpoints[0], tenders_root=bytes(32)))
    assert judged(CONTENT, [earlier]).first_bad_position == 1


def test_an_older_checkpoint_without_a_proof_in_the_file_is_not_passed_over() -> None:
    less = write(replace(RECORD, earlier=RECORD.earlier[1:]))
    assert judged(less).good
    verdict = judged(less, LOG.notes)
    assert verdict.first_bad_position == 1
    assert "lacks the proof" in verdict.findings[0]
    verdict = judged(write(replace(RECORD, earlier=RECORD.earlier[:1])), LOG.notes)
    assert verdict.first_bad_position == 5


def test_an_older_checkpoint_with_a_failing_proof_shows_rewriting() -> None:
    swapped = replace(RECORD.earlier[1], path=RECORD.earlier[0].path)
    content = write(replace(RECORD, earlier=(RECORD.earlier[0], swapped)))
    assert judged(content).first_bad_position == 1
    assert judged(content, LOG.notes[:1]).first_bad_position == 5
    assert judged(content, LOG.notes).first_bad_position == 5


def test_a_newer_checkpoint_needs_a_newer_export() -> None:
    log = example()
    content = log.export()
    log.append("tender.amended", TENDER)
    newer = log.sign()
    verdict = judged(content, [newer])
    assert not verdict.good
    assert verdict.first_bad_position is None
    assert "cannot be compared without a newer export" in verdict.findings[0]
    assert judged(log.export(), [newer, *log.notes]).good


def test_the_checkpoint_of_the_empty_log_begins_every_log() -> None:
    empty = Log()
    assert judged(CONTENT, [empty.sign()]).checked.held_checkpoints == 1
    other = KEY.sign(replace(empty.checkpoints[0], root=bytes(32)))
    assert judged(CONTENT, [other]).first_bad_position == 1


def test_a_checkpoint_that_a_witness_also_signed_is_the_same_checkpoint() -> None:
    witness = CheckpointKey.from_seed("witness.example", b"w" * 32)
    text = LOG.notes[0].split("\n\n")[0] + "\n"
    witnessed = LOG.notes[0] + witness.sign_text(text).split("\n\n")[1]
    assert judged(CONTENT, [witnessed]).good


@pytest.mark.parametrize(
    "note",
    [
        "",
        "nonsense",
        LOG.notes[0].replace("\n4\n", "\n5\n"),
        LOG.notes[0].rstrip(),
        "\ud800" + LOG.notes[0],
        example(FOREIGN).notes[0],
        example(CheckpointKey.from_seed("another.example/log", b"a" * 32)).notes[0],
    ],
)
def test_what_cannot_be_compared_does_not_count_as_compared(note: str) -> None:
    verdict = judged(CONTENT, [note, LOG.notes[0]])
    assert not verdict.good
    assert verdict.first_bad_position is None
    assert verdict.checked.held_checkpoints == 1


def test_checkpoints_of_another_log_are_not_compared_even_if_its_key_is_given() -> None:
    other = CheckpointKey.from_seed("another.example/log", b"a" * 32)
    keys = [KEY.vkey, other.vkey]
    assert judged(CONTENT, LOG.notes, keys).good
    verdict = judged(CONTENT, [example(other).notes[0]], keys)
    assert verdict.findings == ("A checkpoint held elsewhere is of another log.",)
    earlier = (replace(RECORD.earlier[0], note=example(other).notes[0]), RECORD.earlier[1])
    assert not judged(write(replace(RECORD, earlier=earlier)), [], keys).good


# ---------------------------------------------------------------------------------- signatures


def resigned(note: str) -> TenderRecord:
    return replace(RECORD, checkpoint=replace(RECORD.checkpoint, note=note))


def test_a_wrong_signature_leaves_nothing_vouched_for() -> None:
    note = LOG.notes[-1]
    text = note.split("\n\n")[0]
    stolen = text + "\n\n" + LOG.notes[0].split("\n\n")[1]
    for wrong in (example(FOREIGN).notes[-1], stolen, LOG.notes[-1].replace("— m", "— n")):
        verdict = judged(write(resigned(wrong)))
        assert verdict.first_bad_position == POSITIONS[0]
        assert "not signed as it must be" in verdict.findings[0]
    verdict = judged(write(resigned("nonsense")))
    assert verdict.first_bad_position == POSITIONS[0]
    assert judged(write(replace(resigned("nonsense"), events=()))).first_bad_position == 1
    verdict = judged(CONTENT, [], [FOREIGN.vkey])
    assert verdict.first_bad_position == POSITIONS[0]
    assert "another key" in verdict.findings[0]


def test_the_key_that_the_file_names_is_not_trusted() -> None:
    forged = example(FOREIGN).export()
    assert judged(forged, [], [FOREIGN.vkey]).good
    assert not judged(forged).good
    assert not judged(write(replace(RECORD, key=FOREIGN.vkey))).good
    assert not judged(write(replace(RECORD, origin="another.example/log"))).good


def test_a_log_that_changed_its_key_is_verified_with_both() -> None:
    log = example()
    log.key = FOREIGN
    log.append("tender.amended", TENDER)
    log.sign()
    both = [KEY.vkey, FOREIGN.vkey]
    assert judged(log.export(), log.notes, both).good
    assert not judged(log.export(), [], [FOREIGN.vkey]).good


def test_earlier_checkpoints_stand_in_order_once_each() -> None:
    one, two = RECORD.earlier
    newest = exports.EarlierCheckpoint(note=LOG.notes[-1], path=(), time_stamp=None)
    for earlier in ((two, one), (one, one, two), (one, two, newest)):
        assert not judged(write(replace(RECORD, earlier=earlier))).good


# --------------------------------------------------------------------------------- time stamps


def test_a_time_stamp_must_be_of_its_checkpoint() -> None:
    def token(note: str, *, spoilt: str = "") -> str:
        content = b"0 a token holds " + hashlib.sha256(note.encode()).digest()
        return base64.b64encode(content).decode() + spoilt

    newest, older = RECORD.checkpoint, RECORD.earlier[0]
    stamped = replace(
        RECORD,
        checkpoint=replace(newest, time_stamp=token(newest.note)),
        earlier=(replace(older, time_stamp=token(older.note)), RECORD.earlier[1]),
    )
    verdict = judged(write(stamped), LOG.notes)
    assert verdict.good
    assert verdict.checked.time_stamps == 2
    for wrong in (token(older.note), token(newest.note, spoilt="=") , "é", ""):  # fmt: skip
        bad = replace(stamped, checkpoint=replace(newest, time_stamp=wrong))
        assert "is not of it" in judged(write(bad)).findings[0]
