"""What the log shows: its key, its checkpoints, and proofs under them."""

import base64
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from market.actor import Actor
from market.database import current, fetch, fetch_one, fetch_value, reading
from market.errors import Fault, Malformed, NotFound
from market.events.queries import read_feed
from market.events.schemas import FeedEvent
from market.pages import Page, decode_cursor, encode_cursor
from market.transparency.errors import NoCheckpoint, NotSignedYet
from market.transparency.keys import checkpoint_key
from market.transparency.ledger import checkpoint_at, event_with_salt, subtree_hashes
from market.transparency.restarting import declared, present_origin
from market.transparency.rules.leaves import FORMAT, EventHeader, instant, reveal
from market.transparency.rules.merkle import (
    MOST_LEAVES,
    Plan,
    consistency_plan,
    inclusion_plan,
    needed,
    path,
)
from market.transparency.rules.notes import is_sandbox
from market.transparency.schemas import (
    CheckpointView,
    ConsistencyProof,
    EventProof,
    InclusionProof,
    LogKey,
    RestartView,
)
from market.vault import Vault

_CHECKPOINTS = """
SELECT c.size, c.root, c.note, c.signed_at, s.token
FROM checkpoint c LEFT JOIN checkpoint_stamp s ON s.size = c.size
WHERE ($1::bigint IS NULL OR c.size < $1) ORDER BY c.size DESC LIMIT $2
"""
_NEWEST = "SELECT max(size) FROM checkpoint"
_LEAF = "SELECT hash, content, number FROM event_leaf WHERE position = $1"
_POSITION = "SELECT position FROM event_position WHERE event = $1"
_SEEN = "SELECT EXISTS (SELECT 1 FROM event WHERE id = $1)"
_RECORDED_AT = "SELECT public_event_recorded_at($1)"


class _CheckpointRow(msgspec.Struct, frozen=True):
    size: int
    root: bytes
    note: str
    signed_at: datetime
    token: bytes | None


class _Leaf(msgspec.Struct, frozen=True):
    hash: bytes
    content: bytes
    number: bytes


async def log_key(actor: Actor, vault: Vault) -> LogKey:
    """Name the log and the key that its checkpoints are signed with now."""
    async with reading(actor):
        key = checkpoint_key(vault, await present_origin(current().connection))
    origin = key.verifier.name
    return LogKey(origin=origin, verifier_key=key.vkey, sandbox=is_sandbox(origin))


async def list_restarts(actor: Actor, vault: Vault) -> list[RestartView]:
    """Say of each former origin of the log up to where it holds, and what of it is lost."""
    async with reading(actor):
        made = await declared(current().connection)
    return [
        RestartView(
            origin=one.restart.origin,
            former=one.restart.former,
            former_key=checkpoint_key(vault, one.restart.former).vkey,
            kept=one.restart.kept,
            known=one.restart.known,
            known_root=one.restart.known_root.hex(),
            because=one.restart.because,
            note=one.note,
        )
        for one in made
    ]


async def newest_checkpoint(actor: Actor) -> str:
    """Give the newest signed checkpoint.

    Raises:
        NoCheckpoint: the log has none yet.
    """
    async with reading(actor):
        found = await checkpoint_at(current().connection)
    if found is None:
        raise NoCheckpoint
    return found.note


async def list_checkpoints(actor: Actor, *, limit: int, cursor: str | None) -> Page[CheckpointView]:
    """List signed checkpoints, the newest first."""
    before = None
    if cursor is not None:
        (text,) = decode_cursor(cursor, 1)
        before = int(text) if text.isdecimal() and len(text) < 18 else 0  # noqa: PLR2004  # of a bigint
    async with reading(actor):
        rows = await fetch(_CheckpointRow, _CHECKPOINTS, before, limit + 1)
    shown = rows[:limit]
    return Page(
        items=[
            CheckpointView(
                size=row.size,
                root=row.root.hex(),
                note=row.note,
                signed_at=row.signed_at,
                time_stamp=None if row.token is None else base64.b64encode(row.token).decode(),
            )
            for row in shown
        ],
        next=encode_cursor(str(shown[-1].size)) if len(rows) > limit else None,
    )


async def prove_inclusion(actor: Actor, position: int, size: int | None) -> InclusionProof:
    """Prove that a position is in the log of a size, by default the newest that is signed.

    Raises:
        NotFound: no position is that.
        NotSignedYet: no checkpoint covers the position yet.
        Malformed: the size is beyond the newest checkpoint, or does not reach the position.
    """
    async with reading(actor):
        size = await _size(size, position)
        leaf = await fetch_one(_Leaf, _LEAF, position)
        proof = await _folded(inclusion_plan(position - 1, size))
    if leaf is None:
        raise NotSignedYet
    return InclusionProof(position=position, size=size, leaf_hash=leaf.hash.hex(), path=proof)


async def prove_consistency(actor: Actor, old_size: int, size: int | None) -> ConsistencyProof:
    """Prove that the log only grew between two sizes, the later by default the newest signed.

    Raises:
        NotFound: no log has that size.
        NotSignedYet: the earlier size is not signed yet.
        Malformed: the later size is beyond the newest checkpoint, or below the earlier.
    """
    async with reading(actor):
        size = await _size(size, old_size)
        proof = await _folded(consistency_plan(old_size, size))
    return ConsistencyProof(old_size=old_size, size=size, path=proof)


async def prove_event(actor: Actor, event_id: UUID) -> EventProof:
    """Prove that an event the actor may know of is in the log, under the newest checkpoint.

    Raises:
        NotFound: there is no such event that the actor may know of.
        NotSignedYet: no checkpoint covers it yet.
    """
    async with reading(actor):
        position = await fetch_value(_POSITION, event_id)
        if position is None:  # committed a moment ago, or none that the actor sees
            raise NotSignedYet if await fetch_value(_SEEN, event_id) else NotFound
    feed = await read_feed(actor, after=position - 1, limit=1)
    seen = next((one for one in feed.items if one.id == event_id), None)
    if seen is None:
        raise NotFound
    async with reading(actor):
        newest = await checkpoint_at(current().connection)
        leaf = await fetch_one(_Leaf, _LEAF, position)
        if newest is None or newest.size < position or leaf is None:
            raise NotSignedYet
        return EventProof(
            **await _shown(seen, leaf),
            leaf_hash=leaf.hash.hex(),
            path=await _folded(inclusion_plan(position - 1, newest.size)),
            checkpoint=newest.note,
        )


async def _shown(seen: FeedEvent, leaf: _Leaf) -> dict[str, Any]:
    """The event whole, where the actor sees it so; else its header, out of what is public."""
    found = await event_with_salt(current().connection, seen.id) if seen.whole else None
    if found is None:
        recorded_at = await fetch_value(_RECORDED_AT, seen.position)
        hidden = dict.fromkeys(("content", "content_salt", "number", "number_salt"))
        return {"header": _header(seen, leaf, recorded_at), **hidden}
    event, salt = found
    numbered = event.tender is None or seen.tender_number is not None
    shown = reveal(event, salt, with_number=numbered)
    return {name: getattr(shown, name) for name in shown.__struct_fields__}


def _header(seen: FeedEvent, leaf: _Leaf, recorded_at: datetime) -> EventHeader:
    return EventHeader(
        format=FORMAT,
        position=seen.position,
        id=str(seen.id),
        action=seen.type,
        occurred_at=instant(seen.occurred_at),
        recorded_at=instant(recorded_at),
        subject_kind=seen.subject_kind,
        subject=str(seen.subject),
        tender=None if seen.tender is None else str(seen.tender),
        content=leaf.content.hex(),
        number=leaf.number.hex(),
    )


async def _size(size: int | None, at_least: int) -> int:
    """The size to prove against: of what is signed, and at least so many."""
    if not 1 <= at_least <= MOST_LEAVES:
        raise NotFound
    newest: int = await fetch_value(_NEWEST) or 0
    if newest < at_least:
        raise NotSignedYet
    if size is None:
        return newest
    if not at_least <= size <= newest:
        reason = f"It is from {at_least} to {newest}, the newest signed size."
        message = "No proof under this size can be given."
        raise Malformed(message, faults=(Fault(field="size", reason=reason),))
    return size


async def _folded(plan: Plan) -> tuple[str, ...]:
    hashes = await subtree_hashes(current().connection, needed(plan))
    return tuple(one.hex() for one in path(plan, hashes))
