"""Files that somebody made up: what one verifier takes for good, the other does, too."""

import base64
import hashlib
import json
from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from market.transparency.rules import leaves, merkle
from market.transparency.rules.canonical import canonical
from market.transparency.rules.exports import write
from market.transparency.rules.merkle import Subtree
from market.transparency.rules.notes import CheckpointKey
from tests.makers.tender_records import (
    OTHER_TENDER,
    TENDER,
    Log,
    example,
    secret,
    worked_example,
)
from tests.makers.verdicts import judged

WITNESS = CheckpointKey.from_seed("witness.example", b"w" * 32)


def text_of(note: str) -> str:
    return note.partition("\n\n")[0] + "\n"


def alone() -> Log:
    """A log of one event: every path in its record is empty."""
    log = Log()
    log.append("tender.drafted", TENDER)
    log.sign()
    return log


def stamped(log: Log) -> bytes:
    """The record with time stamps, and with notes that a witness signed as well."""
    record = log.record()

    def witnessed(note: str) -> str:
        text = text_of(note)
        return note + WITNESS.sign_text(text).split("\n\n")[1]

    def token(note: str) -> str:
        return base64.b64encode(b"a token" + hashlib.sha256(note.encode()).digest()).decode()

    newest = witnessed(record.checkpoint.note)
    return write(
        replace(
            record,
            checkpoint=replace(record.checkpoint, note=newest, time_stamp=token(newest)),
            earlier=tuple(
                replace(one, note=note, time_stamp=token(note))
                for one in record.earlier
                for note in [witnessed(one.note)]
            ),
        )
    )


LOGS = [(log, log.export()) for log in (alone(), worked_example(), example())]
LOGS.append((example(), stamped(example())))

VALUES = '[null, true, false, 0, 1, 2, 3, 5, 9, -1, 9007199254740992, "", "0", [], {}, [[]], [{}]]'
HASHES = ["a" * 64, "A" * 64]
values: st.SearchStrategy[Any] = st.sampled_from(json.loads(VALUES) + HASHES).map(deepcopy)
Place = tuple[Any, Any]  # an object or array, and the name or index in it


def said(content: bytes) -> dict[str, Any]:
    """What a file says, without all that can be left out of it and it is as true as before."""
    record: dict[str, Any] = json.loads(content)
    record["checkpoint"] = text_of(record["checkpoint"]["note"])
    record["events"] = [{**event, "private": None} for event in record["events"]]
    del record["earlier"]
    return record


def frame(record: dict[str, Any]) -> str:
    """What is around the events, as text: `true` is not 1."""
    listed = isinstance(record.get("events"), list)
    return json.dumps({**record, "events": None} if listed else record, sort_keys=True)


def places(value: Any) -> list[Place]:
    """All the places in a JSON value."""
    found: list[Place] = []
    if isinstance(value, dict | list):
        inner = value.items() if isinstance(value, dict) else enumerate(value)
        for name, one in list(inner):
            found += [(value, name), *places(one)]
    return found


def put(data: st.DataObject, holder: Any, name: Any) -> None:
    holder[name] = data.draw(values)


def take_out(_: st.DataObject, holder: Any, name: Any) -> None:
    del holder[name]


def add(data: st.DataObject, holder: Any, name: Any) -> None:
    if isinstance(holder, dict):
        holder[data.draw(st.sampled_from(["a", "position", "salt", "zz"]))] = data.draw(values)
    else:
        holder.insert(name, data.draw(st.sampled_from(holder).map(deepcopy) | values))


def swap(data: st.DataObject, holder: Any, name: Any) -> None:
    other = data.draw(
        st.sampled_from(list(holder) if isinstance(holder, dict) else range(len(holder)))
    )
    holder[name], holder[other] = holder[other], holder[name]


def spell(data: st.DataObject, holder: Any, name: Any) -> None:
    """Write a text a little differently: one character changed, lost, or more."""
    if not isinstance(holder[name], str):
        return
    text = holder[name]
    at = data.draw(st.integers(0, len(text)))
    new = data.draw(st.sampled_from(["", "A", "a", "0", "=", " ", "\n", "+", "\u2003", "é", "—"]))
    holder[name] = text[:at] + new + text[at + data.draw(st.integers(0, 1)) :]


def upper(_: st.DataObject, holder: Any, name: Any) -> None:
    if isinstance(holder[name], str):
        holder[name] = holder[name].upper()


CHANGES: list[Callable[[st.DataObject, Any, Any], None]] = [put, take_out, add, swap, spell, upper]


def held_of(data: st.DataObject, log: Log) -> list[str]:
    return data.draw(st.lists(st.sampled_from(log.notes), max_size=3, unique=True))


def test_no_value_in_the_smallest_file_can_stand_for_another() -> None:
    log, content = LOGS[0]
    for at in range(len(places(json.loads(content)))):
        for value in [*json.loads(VALUES), *HASHES]:
            record = json.loads(content)
            holder, name = places(record)[at]
            before, holder[name] = holder[name], value
            if canonical(before) == json.dumps(value).encode():
                continue
            changed = json.dumps(record, ensure_ascii=False, separators=(",", ":")).encode()
            in_frame = frame(record) != frame(json.loads(content))
            assert not judged(changed, log.notes, in_frame=in_frame).good


@settings(max_examples=600, deadline=None)
@given(data=st.data())
def test_whatever_is_changed_in_what_a_file_says_both_find_it_good_or_both_bad(
    data: st.DataObject,
) -> None:
    log, content = data.draw(st.sampled_from(LOGS))
    record = json.loads(content)
    for _ in range(data.draw(st.integers(1, 2))):
        holder, name = data.draw(st.sampled_from(places(record)))
        data.draw(st.sampled_from(CHANGES))(data, holder, name)
    try:
        changed = canonical(record)
    except ValueError:  # a number that has no canonical form
        changed = json.dumps(record, ensure_ascii=False, separators=(",", ":")).encode()
    in_frame = frame(record) != frame(json.loads(content))
    verdict = judged(changed, held_of(data, log), in_frame=in_frame)
    assert verdict.good or changed != content
    assert not verdict.good or said(changed) == said(content)


@settings(max_examples=600, deadline=None)
@given(data=st.data())
def test_whatever_bytes_are_changed_both_find_the_file_good_or_both_bad(
    data: st.DataObject,
) -> None:
    log, content = data.draw(st.sampled_from(LOGS))
    changed = content
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(changed)))
        kept = at + data.draw(st.integers(0, 3) | st.integers(0, len(changed)))
        fresh = data.draw(
            st.binary(max_size=2)
            | st.sampled_from([b'"', b"}", b"]", b",", b"{", b"[", b"\\", b"0", b"null", b"1.5"])
            | st.integers(0, len(content)).map(lambda begin: content[begin : begin + 40])
        )
        changed = changed[:at] + fresh + changed[kept:]
    verdict = judged(changed, held_of(data, log), in_frame=True)
    assert verdict.good or changed != content
    assert not verdict.good or said(changed) == said(content)


# ------------------------------------------------------- an operator who signs what no log has


@pytest.mark.parametrize("what", ["position", "tender_number"])
def test_a_truth_is_no_number_even_if_the_log_has_it(what: str) -> None:
    log = alone()
    other = Log()
    other.put(replace(log.events[0], **{what: True}))
    other.heads[TENDER] = replace(other.heads[TENDER], count=1)
    other.sign()
    assert judged(other.export()).first_bad_position == 1


def test_an_event_of_another_tender_is_bad_even_if_it_has_the_next_number() -> None:
    log = alone()
    made = log.events[0]
    other = Log()
    other.put(made)
    other.put(replace(made, position=2, tender=OTHER_TENDER, tender_number=2))
    other.heads[TENDER] = replace(other.heads[TENDER], count=2)
    other.sign()
    (first,), (second,) = other.record().events, other.record(OTHER_TENDER).events
    verdict = judged(write(replace(other.record(), events=(first, second))))
    assert verdict.first_bad_position == 2
    assert "another tender" in verdict.findings[0]


def test_an_event_that_claims_a_position_beyond_the_log_is_bad_even_if_the_log_has_it() -> None:
    made = alone().events[0]
    proper, lying = Log(), Log()
    for log, position in ((proper, 2), (lying, 3)):
        log.put(made)
        log.put(replace(made, position=position, tender_number=2))
        log.sign()
    first, second = proper.record().events
    header = leaves.header_of(lying.events[1], secret("salt", 2))
    other = Log()
    other.put(made)
    other.hashes[Subtree(0, 1)] = leaf = leaves.leaf_of(header)
    other.hashes[Subtree(1, 0)] = merkle.node_hash(other.hashes[Subtree(0, 0)], leaf)
    other.events.append(lying.events[1])
    other.heads[TENDER] = replace(other.heads[TENDER], count=2, last_leaf=leaf)
    note = other.sign()
    record = proper.record()
    record = replace(
        record,
        checkpoint=replace(record.checkpoint, note=note),
        head=replace(record.head, last_leaf=leaf.hex()),
        events=(replace(first, path=(leaf.hex(),)), replace(second, header=header)),
    )
    verdict = judged(write(record))
    assert verdict.first_bad_position == 2
    assert "does not have it at this position" in verdict.findings[0]


def test_another_checkpoint_of_the_same_size_does_not_agree_although_it_has_the_same_root() -> None:
    log = worked_example()  # of size 4, whose path of consistency with itself is empty
    other = log.key.sign(replace(log.checkpoints[-1], tenders=3))
    assert judged(log.export(), [other]).first_bad_position == 1


def test_a_checkpoint_larger_than_any_log_or_note_cannot_be_used() -> None:
    log = worked_example()
    text = text_of(log.notes[0]).replace("tenders 2 ", f"tenders {2**53 + 1} ")
    too_long = log.notes[0] + f"— witness.example {base64.b64encode(bytes(200_001)).decode()}\n"
    for note in (log.key.sign_text(text), too_long):
        verdict = judged(log.export(), [note])
        assert not verdict.good
        assert verdict.first_bad_position is None


def test_a_file_that_begins_with_a_comma_does_not_send_the_short_verifier_back_to_its_start() -> (
    None
):
    log, content = LOGS[0]
    begin = content.index(b'"events":[') + len(b'"events":[')
    broken = b"," + content[:begin] + b"#" + content[begin:]
    assert not judged(broken, log.notes, in_frame=True).good
