"""Verifying the record of a tender: offline, from the file, the log's key and what is held.

`market/transparency/FORMAT.md`, section 7, says in words what is checked here, in which order,
and which position is named.
"""

import base64
import bisect
import hashlib
from collections.abc import Mapping, Sequence
from typing import NamedTuple, TypeAlias
from uuid import UUID

from market.transparency.rules.exports import (
    BadRecord,
    EarlierCheckpoint,
    ExportedEvent,
    ReadEvent,
    TenderRecord,
    read,
)
from market.transparency.rules.heads import Head, verify_membership
from market.transparency.rules.leaves import (
    RevealedEvent,
    is_as_committed,
    leaf_of,
    private_digest,
)
from market.transparency.rules.merkle import EMPTY_ROOT, verify_consistency, verify_inclusion
from market.transparency.rules.notes import (
    BadNote,
    Checkpoint,
    VerifierKey,
    is_sandbox,
    parse_note,
    read_checkpoint,
    verify_checkpoint,
)
from market.transparency.rules.restarts import Restart, verify_restart
from market.transparency.rules.verdicts import Findings, Verdict, some

# Of older checkpoints in a file, by size: what they state, and whether the newest continues it.
_Proven: TypeAlias = dict[int, tuple[str, bool]]


class _Former(NamedTuple):
    """A former origin of the log: what is declared of it, and its checkpoints in the file."""

    restart: Restart
    proven: _Proven


def verify_export(content: bytes, keys: Sequence[str], checkpoints: Sequence[str] = ()) -> Verdict:
    """Verify the file of a tender's record.

    `keys` are the verifier keys (`NAME+KEYID+BASE64`) of the log, all that it ever signed with;
    `checkpoints` the notes that were kept elsewhere: without one, an operator who has signed
    another history is not found out. Raises BadVerifierKey for a text that is no verifier key,
    ValueError if there is no key. A bad file raises nothing.
    """
    if not keys:
        raise ValueError("A record can only be verified with a key.")
    examination = _Examination([VerifierKey.parse(key) for key in keys])
    examination.examine(content, checkpoints)
    return examination.found.verdict()


class _Examination:
    """One file under examination."""

    def __init__(self, keys: Sequence[VerifierKey]) -> None:
        self._keys = keys
        self.found = Findings()

    def examine(self, content: bytes, held: Sequence[str]) -> None:
        try:
            reading = read(content)
        except BadRecord as fault:
            self.found.bad(str(fault))
            return
        record = reading.record
        if record.key not in map(str, self._keys):
            self.found.bad("The file names another key than those it is verified with.")
        newest = self._newest(record, reading.events)
        if newest is None:
            return
        self.found.count("positions", newest.size)
        passing = self._events(record, reading.events, newest)
        self._head(record, newest, passing)
        proven = self._earlier(record.earlier, record.origin, newest, newest.size)
        formers = self._former(record, newest)
        agreed = self._held(held, newest, proven, formers)
        self._rewritten(proven, agreed)
        for former in formers.values():
            self._rewritten(former.proven, agreed)
        if is_sandbox(record.origin):
            self.found.remark("This is the log of a sandbox: a rehearsal, not a real tender.")
        if not held:
            self.found.remark(
                "No checkpoint held elsewhere was given: an operator who signed another history"
                " would not be found out."
            )

    # -------------------------------------------------------------------------- checkpoint

    def _newest(self, record: TenderRecord, events: Sequence[ReadEvent]) -> Checkpoint | None:
        """Give the checkpoint all is proven against, also if only its signature is bad."""
        note = record.checkpoint.note
        first = (events[0].claimed if events else None) or 1
        try:
            checkpoint = read_checkpoint(parse_note(note).text)
        except BadNote as fault:
            self.found.bad(f"The checkpoint cannot be read: {fault}", first)
            return None
        try:
            verify_checkpoint(note, self._keys)
        except BadNote as fault:
            self.found.bad(f"The checkpoint is not signed as it must be: {fault}", first)
        if checkpoint.origin != record.origin:
            self.found.bad("The checkpoint is of another log than the file.", first)
        self._time_stamp(note, record.checkpoint.time_stamp, checkpoint.size)
        return checkpoint

    def _time_stamp(self, note: str, token: str | None, size: int) -> None:
        """Check that a token is of this note: who made it, needs the authority's certificate."""
        if token is None:
            return
        try:
            decoded = base64.b64decode(token.encode("ascii"), validate=True)
        except ValueError:
            decoded = b""
        canonical = base64.b64encode(decoded).decode("ascii") == token
        if canonical and hashlib.sha256(note.encode()).digest() in decoded:
            self.found.count("time_stamps")
        else:
            self.found.bad(f"The time stamp with the checkpoint of size {size} is not of it.")

    # ------------------------------------------------------------------------------ events

    def _events(
        self, record: TenderRecord, events: Sequence[ReadEvent], newest: Checkpoint
    ) -> list[ExportedEvent]:
        """Check each event by itself, then what is there together; give what passes both."""
        sound: list[ExportedEvent | None] = []
        before = 0
        for place, candidate in enumerate(events, start=1):
            event = candidate.event
            if event is None:
                fault = f"it cannot be read ({candidate.fault})"
            else:
                fault = _fault(event, record.tender, newest)
            if not fault and event is not None:
                sound.append(event)
                before = event.header.position
                continue
            sound.append(None)
            position, where = before + 1, f"after position {before}"
            if candidate.claimed is not None and before < candidate.claimed <= newest.size:
                position, where = candidate.claimed, f"at position {candidate.claimed}"
            self.found.bad(
                f"The event {where}, number {place} in the file, is bad: {fault}.", position
            )
        self._private([event for event in sound if event is not None])
        return self._in_order(sound, record.head.count, newest.size)

    def _private(self, sound: Sequence[ExportedEvent]) -> None:
        self.found.count("events", len(sound))
        self.found.count("private_details", sum(one.private is not None for one in sound))
        erased = [
            event.header.position
            for event in sound
            if event.private is None and event.content.private_digest is not None
        ]
        if erased:
            self.found.count("erased", len(erased))
            self.found.remark(
                "Private details were erased, or left out of the file (events at position"
                f" {some(erased)}). All else is checked, and they are still bound."
            )

    def _in_order(
        self, events: Sequence[ExportedEvent | None], count: int, size: int
    ) -> list[ExportedEvent]:
        """Look for what is missing, twice or out of order among the events that are genuine.

        One that failed by itself (None) has been reported, and may fill a gap.
        """
        genuine = sorted({event.number for event in events if event is not None})
        passing: list[ExportedEvent] = []
        number = position = failed = 0

        def look_for_gap(until: int, where: str) -> None:
            elsewhere = bisect.bisect_left(genuine, until) - bisect.bisect_right(genuine, number)
            missing = until - number - 1 - elsewhere - failed
            if missing > 0:
                self.found.bad(
                    f"Of the tender's events number {number + 1} to {until - 1}, {missing} missing:"
                    f" after position {position} and {where}.",
                    position + 1,
                )

        for event in events:
            if event is None:
                failed += 1
                continue
            here = event.header.position
            if event.number <= number:
                self.found.bad(
                    f"The event at position {here}, number {event.number} of the tender, stands"
                    f" twice or out of order: after number {number}.",
                    here,
                )
                continue
            if here <= position:
                self.found.bad(
                    f"The event at position {here}, number {event.number} of the tender, has a"
                    f" lower position than number {number}.",
                    here,
                )
            look_for_gap(event.number, f"before position {here}")
            passing.append(event)
            number, position, failed = event.number, here, 0
        look_for_gap(count + 1, f"up to position {size}")
        return passing

    def _head(
        self, record: TenderRecord, newest: Checkpoint, passing: Sequence[ExportedEvent]
    ) -> None:
        """Check that the map of heads ends the tender where the file does."""
        last_leaf = bytes.fromhex(record.head.last_leaf)
        head = Head(tender=UUID(record.tender), count=record.head.count, last_leaf=last_leaf)
        end = passing[-1].header.position if passing else 0
        if not verify_membership(newest.tenders_root, head, _bytes(record.head.siblings)):
            self.found.bad("The number of the tender's events is not proven.", end + 1)
            return
        for event in passing:
            here = event.header.position
            if event.number > head.count:
                self.found.bad(f"The event at position {here} is beyond the tender's last.", here)
            elif event.number == head.count and leaf_of(event.header) != last_leaf:
                self.found.bad(f"The event at position {here} is not the tender's last.", here)

    # ------------------------------------------------------------------------- checkpoints

    def _earlier(
        self, earlier: Sequence[EarlierCheckpoint], origin: str, newest: Checkpoint, below: int
    ) -> _Proven:
        """Check the older checkpoints of one origin in the file, all of them below a size."""
        proven: _Proven = {}
        former = -1
        for carried in earlier:
            try:
                older = verify_checkpoint(carried.note, self._keys)
            except BadNote as fault:
                self.found.bad(f"An earlier checkpoint in the file is bad: {fault}")
                continue
            if older.origin != origin or not former < older.size < below:
                self.found.bad(f"The checkpoint of size {older.size} does not belong where it is.")
                continue
            former = older.size
            path = _bytes(carried.path)
            good = verify_consistency(older.size, newest.size, older.root, newest.root, path)
            self.found.count("earlier_checkpoints", good)
            self._time_stamp(carried.note, carried.time_stamp, older.size)
            proven[older.size] = (older.text(), good)
        return proven

    def _former(self, record: TenderRecord, newest: Checkpoint) -> dict[str, _Former]:
        """Check what the file declares of former origins of the log, and their checkpoints."""
        formers: dict[str, _Former] = {}
        for carried in record.former:
            try:
                restart = verify_restart(carried.restart, self._keys, record.origin)
            except BadNote as fault:
                self.found.bad(f"The declaration of a restart in the file is bad: {fault}")
                continue
            proven: _Proven = {}
            if restart.former in formers or restart.kept >= newest.size:
                self.found.bad(f"The restart of {restart.former} does not belong where it is.")
                continue
            if any(key.name == restart.former for key in self._keys):
                below = restart.kept + 1
                proven = self._earlier(carried.checkpoints, restart.former, newest, below)
            elif carried.checkpoints:
                self.found.remark(
                    f"No key of {restart.former} was given: its checkpoints in the file were not"
                    " looked at."
                )
            formers[restart.former] = _Former(restart, proven)
            self.found.remark(restart.sentence())
        return formers

    def _held(
        self,
        notes: Sequence[str],
        newest: Checkpoint,
        proven: _Proven,
        formers: Mapping[str, _Former],
    ) -> list[int]:
        """Compare with the checkpoints held elsewhere; give the sizes of those that agree.

        Only they say up to where the log is what it was: those in the file are the operator's.
        """
        held = []
        for note in notes:
            try:
                checkpoint = verify_checkpoint(note, self._keys)
            except BadNote as fault:
                self.found.bad(f"A checkpoint held elsewhere cannot be used: {fault}")
                continue
            former = formers.get(checkpoint.origin)
            if former is not None and former.restart.has_lost(checkpoint):
                self.found.remark(
                    f"A checkpoint of size {checkpoint.size} held elsewhere is of what is declared"
                    f" lost, after position {former.restart.kept}: nothing can be compared with it."
                )
            elif checkpoint.origin == newest.origin or former is not None:
                held.append(checkpoint)
            else:
                self.found.bad("A checkpoint held elsewhere is of another log.")
        agreed = [0]
        for checkpoint in sorted(held, key=lambda one: one.size):
            size = checkpoint.size
            former = formers.get(checkpoint.origin)
            shown = proven if former is None else former.proven
            if former is not None and size > former.restart.known:
                self.found.bad(
                    f"The checkpoint of size {size} held elsewhere is newer than the declared"
                    f" restart knows, {former.restart.known}: more was lost than was said."
                )
            elif size > newest.size:
                self.found.bad(
                    f"The checkpoint of size {size} held elsewhere is newer than the file, which"
                    f" is of size {newest.size}: it cannot be compared without a newer export."
                )
            elif _agrees(checkpoint, newest, shown):
                agreed.append(size)
                self.found.count("held_checkpoints")
            else:
                there = size in shown or size == newest.size
                why = "" if there else ", or the file lacks the proof: ask for one that has it"
                self.found.bad(
                    f"The file does not agree with the checkpoint of size {size} held elsewhere:"
                    f" the log was rewritten after position {agreed[-1]}, at or before position"
                    f" {size}{why}.",
                    agreed[-1] + 1,
                )
        return agreed

    def _rewritten(self, proven: _Proven, agreed: Sequence[int]) -> None:
        """Report the older checkpoints in the file that the newest does not continue."""
        for size, (_, good) in proven.items():
            if not good:
                kept = max((one for one in agreed if one < size), default=0)
                self.found.bad(
                    f"The earlier checkpoint of size {size} is not proven to be a beginning of the"
                    f" newest: the log was rewritten after position {kept}, at or before position"
                    f" {size}, or the file was changed.",
                    kept + 1,
                )


def _bytes(digests: Sequence[str]) -> list[bytes]:
    return [bytes.fromhex(digest) for digest in digests]


def _fault(event: ExportedEvent, tender: str, newest: Checkpoint) -> str:
    """Say what is wrong with an event by itself, or nothing. It was read in canonical form."""
    header = event.header
    revealed = RevealedEvent(
        header=header,
        content=event.content,
        content_salt=event.content_salt,
        number=event.number,
        number_salt=event.number_salt,
    )
    proof, index = _bytes(event.path), header.position - 1
    if not is_as_committed(revealed):
        return "its content or its number is not what its header commits to"
    if not _is_as_digested(event):
        return "its private details are not those that were recorded"
    if not verify_inclusion(index, newest.size, leaf_of(header), proof, newest.root):
        return "the log does not have it at this position"
    return "" if header.tender == tender else "it is of another tender"


def _is_as_digested(event: ExportedEvent) -> bool:
    if event.private is None:
        return True
    salt = bytes.fromhex(event.private.salt)
    return private_digest(salt, event.private.details) == event.content.private_digest


def _agrees(held: Checkpoint, newest: Checkpoint, proven: _Proven) -> bool:
    """Tell whether the newest checkpoint is shown to continue one that was held elsewhere."""
    if held.size == newest.size:
        return held.text() == newest.text()
    if held.size == 0:
        return held.root == EMPTY_ROOT
    text, good = proven.get(held.size, ("", False))
    return good and text == held.text()
