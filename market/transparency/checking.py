"""Checking the log in the database against itself, its checkpoints, and those held elsewhere."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from msgspec import Struct, field

from market.transparency.ledger import LoggedRow, heads_at, place_of, rows_after
from market.transparency.restarting import declared
from market.transparency.rules import heads
from market.transparency.rules.leaves import LoggedEvent, header_of, leaf_of
from market.transparency.rules.merkle import HASH_BYTES, Subtree, completed_by, peaks, root
from market.transparency.rules.notes import BadNote, Checkpoint, VerifierKey, verify_checkpoint
from market.transparency.rules.restarts import Restart

_BATCH = 1000
_MOST_FINDINGS = 20

_NODES = "SELECT place, hash FROM merkle_node WHERE place = ANY ($1::bigint[])"
_CHECKPOINTS = "SELECT size, note FROM checkpoint ORDER BY size"
_LEFT_OUT = """
SELECT count(*) FROM event e WHERE e.recorded_at < clock_timestamp() - interval '2 minutes'
AND NOT EXISTS (SELECT 1 FROM event_leaf l JOIN event_position p ON p.position = l.position
                WHERE p.event = e.id)
"""
_BEYOND = "SELECT max(position) FROM event_leaf"


class Finding(Struct, frozen=True, kw_only=True):
    """Something that is not as it was: from which position on, and what."""

    position: int | None
    sentence: str


class Checked(Struct, frozen=True, kw_only=True):
    """What a check of the whole log found."""

    size: int
    checkpoints: int
    held: int
    lost: int
    findings: tuple[Finding, ...]

    @property
    def good(self) -> bool:
        """Whether everything is as it was signed."""
        return not self.findings

    @property
    def first_bad_position(self) -> int | None:
        """The first position from which the log is not what it was."""
        return min((one.position for one in self.findings if one.position), default=None)


class _Tree(Struct):
    """A tree that grows leaf by leaf: its peaks, and what each batch completed."""

    size: int = 0
    standing: dict[Subtree, bytes] = field(default_factory=dict)
    completed: dict[Subtree, bytes] = field(default_factory=dict)

    def append(self, leaf: bytes) -> None:
        grown = dict(completed_by(self.size, [leaf], self.standing))
        hashes = self.standing | {Subtree(0, self.size): leaf} | grown
        self.size += 1
        self.standing = {peak: hashes[peak] for peak in peaks(self.size)}
        self.completed |= grown

    def root(self) -> bytes:
        return root(self.size, self.standing)


class _Progress(Struct):
    """The log as far as it was read: as its hashes say, and as its events say.

    One of the two was touched where they differ, and the checkpoints tell which. `blind` is from
    which position on neither is known.
    """

    kept: _Tree = field(default_factory=_Tree)
    computed: _Tree = field(default_factory=_Tree)
    numbers: dict[UUID, int] = field(default_factory=dict)
    trusted: int = 0
    blind: int | None = None
    findings: list[Finding] = field(default_factory=list)

    @property
    def size(self) -> int:
        return self.kept.size

    def found(self, position: int | None, sentence: str) -> None:
        if len(self.findings) < _MOST_FINDINGS:
            self.findings.append(Finding(position=position, sentence=sentence))


async def check_log(
    connection: Any, keys: Sequence[VerifierKey], held: Sequence[str] = ()
) -> Checked:
    """Read the whole log and compare it with every checkpoint, its own and those held elsewhere.

    A changed, missing, inserted or exchanged event is named by its position. Where somebody has
    rewritten the hashes as well, the first checkpoint that no longer fits tells between which
    positions. Checkpoints held elsewhere of what is declared lost are counted, and no more: see
    `restarting`. Needs a role that sees every event: the worker's.
    """
    progress = _Progress()
    given = len(held)
    restarts = {one.restart.former: one.restart for one in await declared(connection)}
    held = [note for note in held if not _is_lost(note, keys, restarts)]
    signed = [(row["note"], "signed here") for row in await connection.fetch(_CHECKPOINTS)] + [
        (note, "held elsewhere") for note in held
    ]
    waiting = _verified(progress, signed, keys)
    own = len(signed) - len(held)
    while rows := await rows_after(connection, progress.size, _BATCH):
        for row in rows:
            if row.position != progress.size + 1:
                progress.found(progress.size + 1, f"Nothing has the position {progress.size + 1}.")
                break
            _append(progress, row)
            while waiting and waiting[0][0].size == progress.size:
                _compare(progress, *waiting.pop(0))
        else:
            await _compare_nodes(connection, progress)
            continue
        break
    for checkpoint, whose in waiting:
        progress.found(
            progress.size + 1,
            f"A checkpoint {whose} is of {checkpoint.size} events, but the log ends at"
            f" {progress.size}: its end is missing.",
        )
    await _check_rest(connection, progress, signed[:own], keys)
    return Checked(
        size=progress.size,
        checkpoints=own,
        held=len(held),
        lost=given - len(held),
        findings=tuple(progress.findings),
    )


def _is_lost(note: str, keys: Sequence[VerifierKey], restarts: Mapping[str, Restart]) -> bool:
    """Whether a checkpoint of a former origin is of what was declared lost at a restart."""
    try:
        checkpoint = verify_checkpoint(note, keys)
    except BadNote:
        return False
    restart = restarts.get(checkpoint.origin)
    return restart is not None and restart.has_lost(checkpoint)


def _verified(
    progress: _Progress, signed: Sequence[tuple[str, str]], keys: Sequence[VerifierKey]
) -> list[tuple[Checkpoint, str]]:
    good = []
    for note, whose in signed:
        try:
            good.append((verify_checkpoint(note, keys), whose))
        except BadNote as error:
            progress.found(None, f"A checkpoint {whose} is not signed by the log's key: {error}")
    return sorted(good, key=lambda one: one[0].size)


def _append(progress: _Progress, row: LoggedRow) -> None:
    """Take one more leaf into both trees."""
    position, computed = row.position, None
    if row.event is None:
        progress.found(position, f"The event at position {position} is missing.")
    elif row.salt is None or row.leaf is None:
        progress.found(position, f"Of the event at position {position} the hash is missing.")
    if row.event is not None and row.salt is not None:
        header = header_of(row.event, row.salt)
        computed = leaf_of(header)
        if row.leaf is not None and (
            computed != row.leaf or (header.content, header.number) != row.commitments
        ):
            progress.found(
                position, f"The event at position {position} is not the one that was hashed."
            )
    if row.event is not None:
        _count(progress, row.event)
    if computed is None and row.leaf is None and progress.blind is None:
        progress.blind = position
    progress.kept.append(row.leaf or computed or bytes(HASH_BYTES))
    progress.computed.append(computed or row.leaf or bytes(HASH_BYTES))


def _count(progress: _Progress, event: LoggedEvent) -> None:
    """The numbers in a tender follow each other."""
    if event.tender is None:
        return
    expected = progress.numbers.get(event.tender, 0) + 1
    if event.tender_number != expected:
        progress.found(
            event.position,
            f"The event at position {event.position} should be number {expected} of its tender,"
            f" and is {event.tender_number}.",
        )
    progress.numbers[event.tender] = event.tender_number or expected


def _compare(progress: _Progress, checkpoint: Checkpoint, whose: str) -> None:
    if progress.blind is not None:
        return
    if checkpoint.root in {progress.kept.root(), progress.computed.root()}:
        progress.trusted = progress.size
        return
    progress.found(
        progress.trusted + 1,
        f"The log was rewritten from a position between {progress.trusted + 1} and"
        f" {progress.size} on: a checkpoint {whose} of {progress.size} events has another root.",
    )


async def _compare_nodes(connection: Any, progress: _Progress) -> None:
    """Every complete subtree must be kept as it is: proofs are made of them."""
    places = [place_of(one) for one in progress.kept.completed]
    stored = {row["place"]: row["hash"] for row in await connection.fetch(_NODES, places)}
    for subtree, kept in progress.kept.completed.items():
        first = (subtree.number << subtree.level) + 1
        last = first + (1 << subtree.level) - 1
        if progress.blind is not None and last >= progress.blind:
            continue
        if stored.get(place_of(subtree)) not in {kept, progress.computed.completed[subtree]}:
            progress.found(
                None, f"The kept hash over the positions {first} to {last} is not theirs."
            )
    progress.kept.completed.clear()
    progress.computed.completed.clear()


async def _check_rest(
    connection: Any,
    progress: _Progress,
    signed: Sequence[tuple[str, str]],
    keys: Sequence[VerifierKey],
) -> None:
    """What has no place in the log, and the heads of the newest checkpoint."""
    beyond = await connection.fetchval(_BEYOND)
    if beyond is not None and beyond > progress.size:
        progress.found(progress.size + 1, f"There are hashes up to position {beyond}.")
    left_out = await connection.fetchval(_LEFT_OUT)
    if left_out:
        progress.found(
            None,
            f"{left_out} events of more than two minutes ago are not in the log: is a"
            " worker running?",
        )
    newest = _verified(_Progress(), signed, keys)[-1:]
    for checkpoint, _ in newest:
        if checkpoint.size > progress.size:
            continue
        known = await heads_at(connection, checkpoint.size)
        if (len(known), heads.root(known)) != (checkpoint.tenders, checkpoint.tenders_root):
            progress.found(None, "The heads of the tenders are not those of the newest checkpoint.")
