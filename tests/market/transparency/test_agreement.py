"""Files that somebody made up: what one verifier takes for good, the other does, too."""

import base64
import hashlib
import json
from collections.abc import Callable
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from market.transparency.rules.canonical import canonical
from market.transparency.rules.exports import write
from market.transparency.rules.notes import CheckpointKey
from tests.makers.tender_records import TENDER, Log, example, worked_example
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

values: st.SearchStrategy[Any] = st.sampled_from(
    [
        None,
        True,
        False,
        0,
        1,
        2,
        3,
        5,
        9,
        -1,
        2**53,
        "",
        "0",
        "a" * 64,
        "A" * 64,
        [],
        {},
        [[]],
        [{}],
    ]
)
Place = tuple[Any, Any]  # an object or array, and the name or index in it


def said(content: bytes) -> dict[str, Any]:
    """What a file says, without all that can be left out of it and it is as true as before."""
    record: dict[str, Any] = json.loads(content)
    record["checkpoint"] = text_of(record["checkpoint"]["note"])
    record["events"] = [{**event, "private": None} for event in record["events"]]
    del record["earlier"]
    return record


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
        holder.insert(name, data.draw(st.sampled_from(holder) | values))


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
    frame = {**json.loads(content), "events": None} != {**record, "events": None}
    verdict = judged(changed, held_of(data, log), in_frame=frame)
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
