"""What the log shows: its key, its checkpoints, and proofs under them."""

import base64
from datetime import datetime

import msgspec

from market.actor import Actor
from market.database import current, fetch, fetch_value, reading
from market.errors import Fault, Malformed, NotFound
from market.pages import Page, decode_cursor, encode_cursor
from market.transparency.errors import NoCheckpoint, NotSignedYet
from market.transparency.keys import checkpoint_key
from market.transparency.ledger import checkpoint_at, subtree_hashes
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
    InclusionProof,
    LogKey,
)
from market.vault import Vault

_CHECKPOINTS = """
SELECT c.size, c.root, c.note, c.because, c.signed_at, s.token
FROM checkpoint c LEFT JOIN checkpoint_stamp s ON s.size = c.size
WHERE ($1::bigint IS NULL OR c.size < $1) ORDER BY c.size DESC LIMIT $2
"""
_NEWEST = "SELECT max(size) FROM checkpoint"
_LEAF = "SELECT hash FROM event_leaf WHERE position = $1"


class _CheckpointRow(msgspec.Struct, frozen=True):
    size: int
    root: bytes
    note: str
    because: str
    signed_at: datetime
    token: bytes | None


def log_key(vault: Vault) -> LogKey:
    """Name the log and the key that its checkpoints are signed with."""
    key = checkpoint_key(vault)
    origin = key.verifier.name
    return LogKey(origin=origin, verifier_key=key.vkey, sandbox=is_sandbox(origin))


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
                because=row.because,
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
        leaf: bytes = await fetch_value(_LEAF, position)
        proof = await _folded(inclusion_plan(position - 1, size))
    return InclusionProof(position=position, size=size, leaf_hash=leaf.hex(), path=proof)


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
