"""The record of one tender as one file, complete and checkable without the market.

`market/transparency/FORMAT.md` says what each member means. The file is RFC 8785 canonical JSON
throughout, so that there is one file for one record and no two programs read it differently.
"""

import json
import re
from collections.abc import Callable
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from market.signing import Digest
from market.transparency.rules.canonical import NotCanonical, canonical
from market.transparency.rules.leaves import (
    Details,
    EventContent,
    EventHeader,
    Identifier,
    Position,
)

FORMAT: Literal["commissioning-support-market/tender-record/v1"] = (
    "commissioning-support-market/tender-record/v1"
)
MOST_BYTES = 256 * 1024**2
"""No record is larger."""
MOST_HASHES = 64
"""No path in a tree of at most 2^53 leaves is longer."""
MOST_SIBLINGS = 128
"""No way in the map of heads is longer."""

_LONGEST_INTEGER = 17  # with its sign: 2^53 has sixteen digits
_BEGIN = '"events":['
_NEXT_EVENT = ',{"content":'
_END = f'],"format":"{FORMAT}"'
_HEADER = ',"header":{'
# The position in a header, if either side of it is whole.
_CLAIMED = re.compile(
    r'Z","position":([1-9][0-9]{0,15})(?:,|."recorded_at":")|([1-9][0-9]{0,15}),"recorded_at":"'
)

Path = Annotated[tuple[Digest, ...], Meta(max_length=MOST_HASHES)]


class BadRecord(ValueError):
    """A file is no tender record, so that nothing in it can be judged."""


class PrivateDetails(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What of an event names people or is free text, with the salt of its digest."""

    salt: Digest
    details: Details


class ExportedEvent(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One event of the tender; `private` is null where it has none, or they were erased."""

    header: EventHeader
    content: EventContent
    content_salt: Digest
    number: Position
    number_salt: Digest
    private: PrivateDetails | None
    path: Path


class ExportedCheckpoint(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The checkpoint all else is proven against; `time_stamp` is an RFC 3161 token in base64."""

    note: str
    time_stamp: str | None


class EarlierCheckpoint(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An older checkpoint, with the proof that it is a beginning of the newest."""

    note: str
    path: Path
    time_stamp: str | None


class FormerLog(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A former origin of the log: the declaration about it, and checkpoints of it that hold."""

    restart: str
    checkpoints: tuple[EarlierCheckpoint, ...]


class ExportedHead(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How many events the tender has and the leaf of the last, proven by the map of heads."""

    count: Position
    last_leaf: Digest
    siblings: Annotated[tuple[Digest, ...], Meta(max_length=MOST_SIBLINGS)]


class TenderRecord(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The record of one tender. `key` informs: a verifier trusts the key it was given."""

    format: Literal["commissioning-support-market/tender-record/v1"]
    origin: str
    key: str
    tender: Identifier
    checkpoint: ExportedCheckpoint
    earlier: tuple[EarlierCheckpoint, ...]
    former: tuple[FormerLog, ...]
    head: ExportedHead
    events: tuple[ExportedEvent, ...]


class ReadEvent(Struct, frozen=True, kw_only=True):
    """One event as it stands in a file; `fault` says why there is none, `claimed` where."""

    event: ExportedEvent | None
    fault: str = ""
    claimed: int | None = None


class ReadRecord(Struct, frozen=True, kw_only=True):
    """A file that could be read. The record itself is given without its events."""

    record: TenderRecord
    events: tuple[ReadEvent, ...]


def write(record: TenderRecord) -> bytes:
    """Write the file of a record.

    Raises NotCanonical if details hold what has no canonical form, BadRecord if it is too large.
    """
    plain = msgspec.to_builtins(record)
    events = b",".join(canonical(event) for event in plain.pop("events"))
    content = _framed(canonical({**plain, "events": []}), events)
    if len(content) > MOST_BYTES:
        message = f"A record has at most {MOST_BYTES} bytes."
        raise BadRecord(message)
    return content


def read(content: bytes) -> ReadRecord:
    """Read a file, event by event: one that cannot be read does not hide the others.

    Nothing is verified. Raises BadRecord if what is around the events cannot be read.
    """
    if len(content) > MOST_BYTES:
        message = f"The file is too large: a record has at most {MOST_BYTES} bytes."
        raise BadRecord(message)
    # Bytes that are no UTF-8 become code points that no canonical text has, where they stand.
    text = content.decode("utf-8", "surrogateescape")
    begin = text.find(_BEGIN)
    if begin < 0:
        raise BadRecord("The file has no list of events.")
    begin += len(_BEGIN)
    events = []
    at = begin
    more = not text.startswith(_END, begin)
    while more:
        event, at = _event(text, at)
        events.append(event)
        if at >= len(text):
            raise BadRecord("The file ends within the list of events.")
        more = text[at] == ","
        at += more
    return ReadRecord(record=_frame(text[:begin] + text[at:]), events=tuple(events))


def _event(text: str, begin: int) -> tuple[ReadEvent, int]:
    """Read the event that begins here, and say where the comma or bracket after it is.

    One that cannot be read ends where the next one, or the end of the list, seems to begin.
    """
    try:
        plain, end = _DECODER.raw_decode(text, begin)
        if text[end : end + 1] not in (",", "]"):
            raise ValueError("it is followed by neither a comma nor the end of the list")  # noqa: TRY301  # one fault of several
    except (ValueError, RecursionError) as error:
        found = [at for mark in (_NEXT_EVENT, _END) if (at := text.find(mark, begin + 1)) >= 0]
        end = min(found, default=len(text))
        read = ReadEvent(event=None, fault=str(error), claimed=_claimed(text[begin:end]))
    else:
        read = _typed(plain, text[begin:end])
    return read, end


def _typed(plain: object, written: str) -> ReadEvent:
    try:
        if canonical(plain) != written.encode("utf-8", "surrogateescape"):
            raise NotCanonical("it is not in canonical form")
        event = msgspec.convert(plain, ExportedEvent)
    except (ValueError, RecursionError) as error:
        return ReadEvent(event=None, fault=str(error), claimed=_claimed(written))
    return ReadEvent(event=event, claimed=event.header.position)


def _frame(text: str) -> TenderRecord:
    """Read the file with its events taken out."""
    try:
        plain, end = _DECODER.raw_decode(text)
        canonical_form = canonical(plain)
        record = msgspec.convert(plain, TenderRecord)
    except (ValueError, RecursionError) as error:
        message = f"The file is no tender record: {error}"
        raise BadRecord(message) from error
    if end != len(text) or canonical_form != text.encode("utf-8", "surrogateescape"):
        raise BadRecord("The file is not in canonical form.")
    return record


def _claimed(written: str) -> int | None:
    """Look for the position in the text of an event that cannot be read."""
    found = _CLAIMED.search(written, max(written.find(_HEADER), 0))
    return None if found is None else int(found[1] or found[2])


def _framed(frame: bytes, events: bytes) -> bytes:
    """Put the events into a record that was written without any."""
    before, begin, after = frame.partition(_BEGIN.encode())
    return before + begin + events + after


def _integer(digits: str) -> int:
    if len(digits) > _LONGEST_INTEGER:
        raise ValueError("a number is too large")
    return int(digits)


def _refuse(what: str) -> Callable[[str], object]:
    def refused(_: str) -> object:
        message = f"{what} has no place here"
        raise ValueError(message)

    return refused


_DECODER = json.JSONDecoder(
    parse_int=_integer,
    parse_float=_refuse("a number with a fraction or an exponent"),
    parse_constant=_refuse("a value that is no JSON"),
)
