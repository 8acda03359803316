"""Making the file of one tender's record: every event, with all that proves it."""

import base64
import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from msgspec import Struct

from market.events.commands import private_salt
from market.transparency.ledger import (
    CheckpointRow,
    checkpoint_at,
    events_of_tender,
    heads_at,
    subtree_hashes,
)
from market.transparency.restarting import declared
from market.transparency.rules import heads as heads_map
from market.transparency.rules.exports import (
    FORMAT,
    EarlierCheckpoint,
    ExportedCheckpoint,
    ExportedEvent,
    ExportedHead,
    FormerLog,
    PrivateDetails,
    TenderRecord,
    write,
)
from market.transparency.rules.leaves import LoggedEvent, reveal
from market.transparency.rules.merkle import (
    Subtree,
    consistency_plan,
    inclusion_plan,
    needed,
    path,
)
from market.transparency.rules.notes import BadNote, VerifierKey, parse_note, read_checkpoint

MOST_EARLIER = 2000
"""How many older checkpoints a record carries at most, besides those that were asked for."""

_SALTS = "SELECT event, salt FROM event_blinding WHERE event = ANY ($1::uuid[])"
_PRIVATE = """
SELECT event, salt, details FROM event_private
WHERE event = ANY ($1::uuid[]) AND details IS NOT NULL
"""
# Of very many, those that were signed for a reason and the last of each day come first.
_EARLIER = """
SELECT size, note FROM (
    SELECT size, note, row_number() OVER (
        ORDER BY because = 'interval' AND size <> daily, size DESC) AS rank
    FROM (
        SELECT size, note, because, max(size) OVER (PARTITION BY signed_at::date) AS daily
        FROM checkpoint WHERE size >= $1 AND size < $2 AND origin = $4
    ) listed
) ranked WHERE rank <= $3
"""
_STAMPS = "SELECT size, token FROM checkpoint_stamp WHERE size <= $1"
_LAST = "SELECT position, number FROM tender_head WHERE tender = $1"


class NothingToExport(ValueError):
    """There is no such tender in the log, or no checkpoint covers it yet."""


class NotCovered(ValueError):
    """The newest checkpoint does not cover the tender's last event yet: within a minute it does."""


class Covered(Struct, frozen=True):
    """How far a record goes."""

    events: int
    size: int
    signed_at: datetime
    content: bytes
    keys: tuple[str, ...]
    """What it verifies with: the log's key, and those it had before restarts."""


async def export_tender(
    connection: Any, keys: Sequence[VerifierKey], tender: UUID, covering: Sequence[str] = ()
) -> Covered:
    """Make the record of a tender as of the newest checkpoint.

    `keys` are the log's, the present one first (`known_keys`). `covering` are the notes of
    checkpoints held elsewhere that the file must be comparable with. Needs a role that sees every
    event and its private details: the one that migrates.

    Raises:
        NothingToExport: the log has no event of such a tender.
        NotCovered: an event of the tender is not under a checkpoint yet.
    """
    key = keys[0]
    last = await connection.fetchrow(_LAST, tender)
    newest = await checkpoint_at(connection)
    if last is None:
        message = f"The log has no event of a tender {tender}."
        raise NothingToExport(message)
    if newest is None or newest.size < last["position"]:
        message = "The tender's last event is not under a checkpoint yet. Is a worker running?"
        raise NotCovered(message)
    if newest.note.partition("\n")[0] != key.name:
        message = f"No checkpoint of {key.name} is signed yet. Is a worker running?"
        raise NotCovered(message)
    events = await events_of_tender(connection, tender, newest.size)
    first, restarts = events[0].position, await declared(connection)
    earlier = await _earlier(connection, key.name, first, newest.size, covering)
    former = [
        (
            one.note,
            await _earlier(connection, one.restart.former, first, one.restart.kept + 1, covering),
        )
        for one in restarts
    ]
    older = [size for _, listed in [("", earlier), *former] for size, _ in listed]
    hashes = await _hashes(connection, events, older, newest.size)
    stamps = {row["size"]: row["token"] for row in await connection.fetch(_STAMPS, newest.size)}
    record = TenderRecord(
        format=FORMAT,
        origin=key.name,
        key=str(key),
        tender=str(tender),
        checkpoint=ExportedCheckpoint(note=newest.note, time_stamp=_stamp(stamps, newest.size)),
        earlier=_proven(earlier, newest.size, hashes, stamps),
        former=tuple(
            FormerLog(restart=note, checkpoints=_proven(listed, newest.size, hashes, stamps))
            for note, listed in former
        ),
        head=await _head(connection, tender, newest),
        events=await _exported(connection, events, newest.size, hashes),
    )
    return Covered(
        events=len(events),
        size=newest.size,
        signed_at=newest.signed_at,
        content=write(record),
        keys=tuple(map(str, keys)),
    )


async def _earlier(
    connection: Any, origin: str, first: int, size: int, covering: Sequence[str]
) -> list[tuple[int, str]]:
    """Choose the checkpoints of one origin, below a size, that the record carries."""
    rows = await connection.fetch(_EARLIER, first, size, MOST_EARLIER, origin)
    found = {row["size"]: row["note"] for row in rows}
    for note in covering:
        try:
            asked = read_checkpoint(parse_note(note).text)
        except BadNote:
            continue  # the verifier says what is wrong with it
        if 0 < asked.size < size and asked.origin == origin and asked.size not in found:
            kept = await checkpoint_at(connection, asked.size)
            if kept is not None and kept.note.partition("\n")[0] == origin:
                found[asked.size] = kept.note
    return sorted(found.items())


def _proven(
    listed: Sequence[tuple[int, str]],
    size: int,
    hashes: dict[Subtree, bytes],
    stamps: dict[int, bytes],
) -> tuple[EarlierCheckpoint, ...]:
    return tuple(
        EarlierCheckpoint(
            note=note,
            path=_hexadecimal(path(consistency_plan(older, size), hashes)),
            time_stamp=_stamp(stamps, older),
        )
        for older, note in listed
    )


async def _hashes(
    connection: Any,
    events: Sequence[LoggedEvent],
    older: Sequence[int],
    size: int,
) -> dict[Subtree, bytes]:
    """Fetch everything that the proofs are folded from at once."""
    wanted: set[Subtree] = set()
    for event in events:
        wanted |= needed(inclusion_plan(event.position - 1, size))
    for old in older:
        wanted |= needed(consistency_plan(old, size))
    return await subtree_hashes(connection, wanted)


async def _head(connection: Any, tender: UUID, newest: CheckpointRow) -> ExportedHead:
    known = await heads_at(connection, newest.size)
    shown = heads_map.proof(known, tender)
    if shown.found is None or shown.found.tender != tender:
        message = f"The heads of the log do not name the tender {tender}."
        raise NothingToExport(message)
    return ExportedHead(
        count=shown.found.count,
        last_leaf=shown.found.last_leaf.hex(),
        siblings=_hexadecimal(shown.siblings),
    )


async def _exported(
    connection: Any, events: Sequence[LoggedEvent], size: int, hashes: dict[Subtree, bytes]
) -> tuple[ExportedEvent, ...]:
    ids = [event.id for event in events]
    salts = {row["event"]: row["salt"] for row in await connection.fetch(_SALTS, ids)}
    private = {
        row["event"]: PrivateDetails(
            salt=private_salt(row["salt"]).hex(), details=json.loads(row["details"])
        )
        for row in await connection.fetch(_PRIVATE, ids)
    }
    exported = []
    for event in events:
        shown = reveal(event, salts[event.id], with_number=True)
        if shown.number is None or shown.number_salt is None:
            message = f"The event {event.id} has no number in its tender."
            raise NothingToExport(message)
        exported.append(
            ExportedEvent(
                header=shown.header,
                content=shown.content,
                content_salt=shown.content_salt,
                number=shown.number,
                number_salt=shown.number_salt,
                private=private.get(event.id),
                path=_hexadecimal(path(inclusion_plan(event.position - 1, size), hashes)),
            )
        )
    return tuple(exported)


def _stamp(stamps: dict[int, bytes], size: int) -> str | None:
    token = stamps.get(size)
    return None if token is None else base64.b64encode(token).decode("ascii")


def _hexadecimal(hashes: Sequence[bytes]) -> tuple[str, ...]:
    return tuple(one.hex() for one in hashes)
