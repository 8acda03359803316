"""The record of a tender under tampering: two verifiers that share no code find the same."""

from collections.abc import Sequence

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from market.transparency.rules import exports, leaves
from market.transparency.rules.canonical import canonical
from market.transparency.rules.exports import ExportedEvent, write
from market.transparency.rules.leaves import is_as_committed
from market.transparency.rules.notes import BadVerifierKey, CheckpointKey
from market.transparency.verification import verify_export
from tests.makers.tender_records import KEY, OTHER_TENDER, TENDER, Log, example, secret
from tests.makers.verdicts import judged

LOG = example()
RECORD = LOG.record()
CONTENT = write(RECORD)
POSITIONS = [event.header.position for event in RECORD.events]  # 2, 4, 5, 7, 8
FOREIGN = CheckpointKey.from_seed("market.example/log", b"f" * 32)


def changed(*events: ExportedEvent) -> bytes:
    return write(replace(RECORD, events=events))


def position_digits(event: ExportedEvent) -> bytes:
    return b'"position":%d,' % event.header.position


def is_in_frame(content: bytes) -> bool:
    """Tell whether what is around the events was changed."""
    before, begin, rest = CONTENT.partition(b'"events":[')
    after = rest[rest.index(b'],"format":"commissioning-support-market/tender-record/v1"') :]
    return not (content.startswith(before + begin) and content.endswith(after))


def history(acts: Sequence[int], log: Log | None = None) -> Log:
    """Log acts without a tender (0), of either of two (1, 2), and sign (3)."""
    log = log or Log()
    for act in acts:
        if act == 3:
            log.sign()
        else:
            log.append("bid.submitted", (None, TENDER, OTHER_TENDER)[act], number=log.size)
    log.append("tender.opened", TENDER)
    log.sign()
    return log


# --------------------------------------------------------------------------------- good ones


def test_a_record_is_good_and_says_what_was_checked() -> None:
    verdict = judged(CONTENT, LOG.notes)
    assert verdict.good
    assert verdict.remarks == ()
    checked = verdict.checked
    assert (checked.positions, checked.events, checked.private_details) == (9, 5, 1)
    assert (checked.earlier_checkpoints, checked.held_checkpoints) == (2, 3)
    assert (checked.erased, checked.time_stamps) == (0, 0)
    assert judged(LOG.export(OTHER_TENDER)).checked.events == 2


@settings(max_examples=60, deadline=None)
@given(acts=st.lists(st.integers(0, 3), max_size=40))
def test_the_record_of_every_log_is_good_with_every_checkpoint_since_its_first_event(
    acts: list[int],
) -> None:
    acts = [act for before, act in zip([0, *acts], acts, strict=False) if (before, act) != (3, 3)]
    acts = acts[1:] if acts[:1] == [3] else acts
    log = history(acts if acts[-1:] != [3] else acts[:-1])
    record = log.record()
    first = record.events[0].header.position
    pairs = zip(log.checkpoints, log.notes, strict=True)
    held = [note for checkpoint, note in pairs if checkpoint.size >= first]
    assert judged(write(record), held).good


def test_without_a_checkpoint_held_elsewhere_the_verdict_says_what_that_means() -> None:
    verdict = judged(CONTENT)
    assert verdict.good
    assert "another history" in verdict.remarks[0]


def test_a_rehearsal_is_called_one() -> None:
    key = CheckpointKey.from_seed("market.example/sandbox-log", b"s" * 32)
    log = example(key)
    verdict = judged(log.export(), log.notes, [key.vkey])
    assert verdict.good
    assert "a rehearsal" in verdict.remarks[0]


def test_erased_private_details_are_said_and_do_no_harm() -> None:
    log = example()
    whole = log.export()
    log.erase(5)
    erased = log.export()
    assert len(erased) < len(whole)
    assert "Zoë".encode() not in erased
    verdict = judged(erased, log.notes)
    assert verdict.good
    assert verdict.checked.erased == 1
    assert "position 5" in verdict.remarks[0]


# ------------------------------------------------------------------------------ a changed byte


def test_a_changed_byte_anywhere_is_found_and_its_event_named() -> None:
    """Every eleventh byte, in three ways; a digit of the position itself leaves the neighbours."""
    spans = []
    for event in RECORD.events:
        text = canonical(msgspec.to_builtins(event))
        spans.append((CONTENT.index(text), CONTENT.index(text) + len(text), event))
    for at in range(0, len(CONTENT), 11):
        for new in {CONTENT[at] ^ 1 << at % 8, CONTENT[at] ^ 0x80, ord('"')} - {CONTENT[at]}:
            content = CONTENT[:at] + bytes([new]) + CONTENT[at + 1 :]
            verdict = judged(content, in_frame=is_in_frame(content))
            assert not verdict.good
            for begin, end, event in spans:
                if begin <= at < end:
                    position = event.header.position
                    digit = CONTENT.index(position_digits(event), begin) + len('"position":')
                    found = verdict.first_bad_position
                    assert found is not None
                    assert found == position or (at == digit and position - 1 <= found <= 9)


@settings(max_examples=300, deadline=None)
@given(
    begin=st.integers(0, len(CONTENT)),
    cut=st.integers(0, 60),
    put=st.binary(max_size=6) | st.text(max_size=6).map(str.encode),
)
def test_no_other_file_is_good(begin: int, cut: int, put: bytes) -> None:
    other = CONTENT[:begin] + put + CONTENT[begin + cut :]
    assert judged(other, in_frame=is_in_frame(other)).good == (other == CONTENT)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{}",
        b"null",
        b'"events":[',
        b'{"events":[',
        b"\xff" + CONTENT,
        b"\xef\xbb\xbf" + CONTENT,
        CONTENT + b"\n",
        b" " + CONTENT,
        CONTENT[:-1],
        CONTENT * 2,
        b"[" * 100_000,
        b'{"events":[' + b"[" * 100_000,
        CONTENT.replace(b'"nil":null', b'"nil":NaN'),
        CONTENT.replace(b'"nil":null', b'"nil":' + b"9" * 5000),
        CONTENT.replace(b'"nil":null', b'"nil":1.5'),
        CONTENT.replace(b'"nil":null', b'"nil":' + b"[" * 40 + b"]" * 40),
        CONTENT.replace(b'"nil":null', b'"nil":' + b"[" * 9000 + b"]" * 9000),
        CONTENT.replace(b'"nil":null', b'"nil":null,"nil":null'),
        CONTENT.replace(b'"nil":null', b'"\\ud800":null'),
        CONTENT.replace(b'"nil"', b'"\\u006eil"'),
        CONTENT.replace(b'"number":3', b'"number":3.0'),
        CONTENT.replace(b'"number":3', b'"number":true'),
        CONTENT.replace(b'"number":3', b'"number":"3"'),
        CONTENT.replace(b'"count":5', b'"count":9007199254740991'),
        CONTENT.replace(b'"count":5', b'"count":0'),
        CONTENT.replace(b'"key":', b'"kex":'),
        CONTENT.replace(str(TENDER).encode(), str(TENDER).upper().encode()),
        CONTENT.replace(b"tender-record/v1", b"tender-record/v2"),
        CONTENT.replace(b'"siblings":[', b'"siblings":[' + b'"' + b"0" * 64 + b'",'),
    ],
)
def test_what_is_no_record_is_bad_and_raises_nothing(content: bytes) -> None:
    assert content != CONTENT
    assert not judged(content, in_frame=is_in_frame(content)).good


def test_a_file_that_is_too_large_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exports, "MOST_BYTES", len(CONTENT) - 1)
    verdict = verify_export(CONTENT, [KEY.vkey])
    assert "too large" in verdict.findings[0]
    with pytest.raises(exports.BadRecord, match="at most"):
        write(RECORD)


def test_a_verifier_needs_a_key() -> None:
    with pytest.raises(ValueError, match="with a key"):
        verify_export(CONTENT, [])
    with pytest.raises(BadVerifierKey):
        verify_export(CONTENT, [KEY.vkey[:-1]])


# ----------------------------------------------------------- deleted, inserted, moved, cut off


@pytest.mark.parametrize("gone", range(5))
def test_a_deleted_event_is_named_by_its_number_and_between_which_positions(gone: int) -> None:
    events = list(RECORD.events)
    del events[gone]
    verdict = judged(changed(*events))
    before = POSITIONS[gone - 1] if gone else 0
    until = f"before position {POSITIONS[gone + 1]}" if gone < 4 else "up to position 9"
    assert verdict.first_bad_position == before + 1
    assert verdict.findings[0] == (
        f"Of the tender's events number {gone + 1} to {gone + 1}, 1 missing:"
        f" after position {before} and {until}."
    )


@pytest.mark.parametrize("kept", range(5))
def test_a_tail_cut_off_is_found_by_the_head(kept: int) -> None:
    verdict = judged(changed(*RECORD.events[:kept]))
    assert verdict.first_bad_position == ([0, *POSITIONS][kept]) + 1
    assert f"number {kept + 1} to 5" in verdict.findings[0]


def test_a_tail_cut_off_together_with_the_head_is_found_by_the_map() -> None:
    for kept in range(1, 5):
        last = leaves.leaf_of(RECORD.events[kept - 1].header).hex()
        head = replace(RECORD.head, count=kept, last_leaf=last)
        verdict = judged(write(replace(RECORD, events=RECORD.events[:kept], head=head)))
        assert verdict.first_bad_position == POSITIONS[kept - 1] + 1
        assert verdict.findings == ("The number of the tender's events is not proven.",)


@pytest.mark.parametrize("moved", range(5))
@pytest.mark.parametrize("to", range(5))
def test_a_moved_event_is_found(moved: int, to: int) -> None:
    events = list(RECORD.events)
    events.insert(to, events.pop(moved))
    verdict = judged(changed(*events))
    if moved == to:
        assert verdict.good
    else:  # the first one that stands after a later one
        numbers = [event.number for event in events]
        first = next(n for at, n in enumerate(numbers) if n < max(numbers[: at + 1]))
        late = [n for at, n in enumerate(numbers) if n < max(numbers[: at + 1])]
        assert verdict.first_bad_position == POSITIONS[min(late) - 1]
        assert f"number {first} of the tender, stands twice or out of order" in verdict.findings[0]


@pytest.mark.parametrize("at", range(6))
def test_an_event_that_stands_twice_is_named(at: int) -> None:
    events = list(RECORD.events)
    events.insert(at, events[2])
    verdict = judged(changed(*events))
    assert not verdict.good
    assert verdict.first_bad_position in ({5} if at >= 2 else {2, 4})


@pytest.mark.parametrize("at", range(6))
def test_a_made_up_event_is_named(at: int) -> None:
    """Well made, with commitments that hold, and with a path that is another event's."""
    salt = secret("forged", 1)
    real = LOG.events[6]
    forged = replace(real, position=6, details={"lot": "two"}, tender_number=at + 1)
    event = replace(
        RECORD.events[3],
        header=leaves.header_of(forged, salt),
        content=leaves.content_of(forged),
        content_salt=leaves.content_salt(salt).hex(),
        number=at + 1,
        number_salt=leaves.number_salt(salt).hex(),
    )
    assert is_as_committed(leaves.reveal(forged, salt, with_number=True))
    events = list(RECORD.events)
    events.insert(at, event)
    verdict = judged(changed(*events))
    before = ([0, *POSITIONS])[at]
    assert verdict.first_bad_position == (6 if before < 6 else before + 1)
    assert "the log does not have it" in verdict.findings[0]


def test_an_event_of_another_tender_is_named() -> None:
    (other, _) = LOG.record(OTHER_TENDER).events
    verdict = judged(changed(RECORD.events[0], other, *RECORD.events[1:]))
    assert verdict.first_bad_position == 3
    assert "another tender" in verdict.findings[0]


def test_a_replaced_event_is_named_once() -> None:
    lying = replace(RECORD.events[3], content=replace(RECORD.events[3].content, person=None))
    verdict = judged(changed(*RECORD.events[:3], lying, RECORD.events[4]))
    assert verdict.first_bad_position == 7
    assert len(verdict.findings) == 1


@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_any_other_list_of_the_same_events_is_bad(data: st.DataObject) -> None:
    order = data.draw(st.lists(st.integers(0, 4), max_size=7))
    verdict = judged(changed(*(RECORD.events[one] for one in order)))
    assert verdict.good == (order == [0, 1, 2, 3, 4])


def test_private_details_that_were_never_recorded_are_found() -> None:
    made_up = exports.PrivateDetails(salt="0" * 64, details={"name": "nobody"})
    events = list(RECORD.events)
    for at, position in enumerate(POSITIONS):
        lying = replace(events[at], private=made_up)
        verdict = judged(changed(*events[:at], lying, *events[at + 1 :]))
        assert verdict.first_bad_position == position


def test_many_things_wrong_make_no_endless_verdict() -> None:
    log = history([1] * 150)
    record = log.record()
    events = [replace(event, content_salt="0" * 64) for event in record.events]
    verdict = judged(write(replace(record, events=tuple(events))))
    assert len(verdict.findings) == 101
    assert verdict.findings[-1] == "51 more things are wrong."
