"""What the log is called, and the new name it takes when a restore has lost what was signed.

A checkpoint says how long the log was. Where a database is restored to an earlier state than one
that was signed, going on under the same name would be signing two histories. So the newest
checkpoint is kept apart from the database, in the market's folder; the keeper compares, and signs
nothing until whoever operates the market has declared the loss: the log then begins anew under a
name with a number, public with its reason and with the last that is known of what is gone.
"""

import os
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

from msgspec import Struct

from market.transparency.keys import checkpoint_key
from market.transparency.ledger import subtree_hashes
from market.transparency.rules.merkle import peaks, root
from market.transparency.rules.notes import (
    BadNote,
    Checkpoint,
    CheckpointKey,
    VerifierKey,
    verify_checkpoint,
)
from market.vault import Vault

_NUMBER = "SELECT coalesce(max(number), 1) FROM log_origin"
_SIZE = "SELECT coalesce(max(position), 0) FROM event_leaf"
_DECLARE = """
INSERT INTO log_origin (because, lost) VALUES ($1, $2) RETURNING number, begins_at, declared_at
"""
_RECORD = """
INSERT INTO event (id, action, subject_kind, subject, request, details)
VALUES ($1, 'log.restarted', 'log', $1, 'market audit restart',
        jsonb_build_object('number', $2::integer, 'begins_at', $3::bigint))
"""


class LogLost(RuntimeError):
    """The database has not what was signed: nothing more is signed until that is declared."""


class NothingLost(ValueError):
    """Nothing shows that the log has lost anything, so it has no reason to begin anew."""


class Restart(Struct, frozen=True, kw_only=True):
    """A new origin, as it was declared."""

    number: int
    begins_at: int
    declared_at: datetime


async def origin_number(connection: Any) -> int:
    """How often the log has begun, the first time included."""
    number: int = await connection.fetchval(_NUMBER)
    return number


async def current_key(connection: Any, vault: Vault) -> CheckpointKey:
    """The key that signs now, by the log's present name."""
    return checkpoint_key(vault, await origin_number(connection))


async def all_verifiers(connection: Any, vault: Vault) -> list[VerifierKey]:
    """The keys of every name the log has had, the present one last."""
    last = await origin_number(connection)
    return [checkpoint_key(vault, number).verifier for number in range(1, last + 1)]


async def ensure_not_lost(connection: Any, key: CheckpointKey, notes: Sequence[str]) -> None:
    """Compare what was signed by the log's present name with what the database holds.

    Raises:
        LogLost: the log is shorter than a checkpoint says, or was another one.
    """
    size: int = await connection.fetchval(_SIZE)
    for note in notes:
        checkpoint = _own(note, key)
        if checkpoint is None:
            continue
        if checkpoint.size > size:
            message = (
                f"The log ends at {size}, but a checkpoint of {checkpoint.size} events was signed:"
                " what came after was lost. Restore a later state, or declare the loss with"
                " `market audit restart --because …`; until then nothing is signed."
            )
            raise LogLost(message)
        now = root(checkpoint.size, await subtree_hashes(connection, peaks(checkpoint.size)))
        if now != checkpoint.root:
            message = (
                f"The first {checkpoint.size} events are not those under a checkpoint that was"
                " signed: see `market audit check`, and declare the loss with"
                " `market audit restart --because …`; until then nothing is signed."
            )
            raise LogLost(message)


def _own(note: str, key: CheckpointKey) -> Checkpoint | None:
    """A checkpoint of the present name; what another name or nobody signed says nothing here."""
    try:
        return verify_checkpoint(note, [key.verifier])
    except BadNote:
        return None


async def restart(connection: Any, vault: Vault, because: str, notes: Sequence[str]) -> Restart:
    """Declare, as the role that owns the schema, that the log begins anew, and record it.

    `notes` are the checkpoints that show the loss; the newest of them is published with it.

    Raises:
        NothingLost: the database holds all that they say.
    """
    key = await current_key(connection, vault)
    try:
        await ensure_not_lost(connection, key, notes)
    except LogLost:
        newest = max(
            (note for note in notes if _own(note, key) is not None),
            key=lambda note: verify_checkpoint(note, [key.verifier]).size,
        )
    else:
        message = "The log holds everything that the checkpoints given say: it has lost nothing."
        raise NothingLost(message)
    async with connection.transaction():
        row = await connection.fetchrow(_DECLARE, because, newest)
        declared = Restart(**dict(row))
        await connection.execute(_RECORD, uuid4(), declared.number, declared.begins_at)
    return declared


class Witness:
    """The newest checkpoint, kept in a file apart from the database: it remembers for it."""

    def __init__(self, folder: Path) -> None:
        """Keep it in the market's folder."""
        self._file = folder / "newest-checkpoint"

    def notes(self) -> list[str]:
        """What was kept; nothing where there is no file."""
        try:
            return [self._file.read_text(encoding="utf-8")]
        except FileNotFoundError:
            return []

    def keep(self, note: str) -> None:
        """Keep a newer one in its place, whole whatever happens."""
        self._file.parent.mkdir(parents=True, exist_ok=True)
        fresh = self._file.with_suffix(".new")
        with fresh.open("w", encoding="utf-8") as file:
            file.write(note)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(self._file)

    def set_aside(self, number: int) -> None:
        """Put what was kept aside, under the number of the origin that follows it."""
        if self._file.exists():
            self._file.replace(self._file.with_name(f"checkpoint-lost-before-{number}"))
