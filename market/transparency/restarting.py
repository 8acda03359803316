"""Beginning a new, declared origin of the log after its end was lost, as a restore may lose it.

Everything takes a connection, as the ledger does. Declaring needs the role that migrates.
"""

import hashlib
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import NAMESPACE_URL, uuid4, uuid5

from msgspec import Struct

from market.transparency.keys import ForeignOrigin, checkpoint_key
from market.transparency.ledger import subtree_hashes
from market.transparency.rules.merkle import EMPTY_ROOT, peaks, root
from market.transparency.rules.notes import BadNote, Checkpoint, VerifierKey, verify_checkpoint
from market.transparency.rules.restarts import Restart, origin_restarted, read_restart
from market.vault import Vault

_LOG = uuid5(NAMESPACE_URL, "urn:market:log")
"""The subject of the log's own events: there is one log."""

_HOLD = "SELECT clock_timestamp() FROM log_keeper WHERE id = 1 FOR UPDATE"
_SIZE = "SELECT coalesce(max(position), 0) FROM event_leaf"
_PRESENT = "SELECT origin FROM log_restart ORDER BY declared_at DESC LIMIT 1"
_DECLARED = """
SELECT note FROM log_restart WHERE origin = (
    SELECT origin FROM log_restart ORDER BY declared_at DESC LIMIT 1) ORDER BY former
"""
_NEWEST = "SELECT size, root FROM checkpoint WHERE origin = $1 ORDER BY size DESC LIMIT 1"
_EVENT = """
INSERT INTO event (id, action, subject_kind, subject, request, details)
VALUES ($1, 'log.restarted', 'log', $2, 'command line', jsonb_build_object(
    'origin', $3::text, 'former', $4::text, 'kept', $5::bigint, 'known', $6::bigint,
    'known_root', $7::text, 'note', $8::text))
"""
_RESTART = """
INSERT INTO log_restart (id, origin, former, kept, known, known_root, note)
VALUES ($1, $2, $3, $4, $5, $6, $7)
"""


class Contradicted(ValueError):
    """The log is not what a checkpoint that was shown says it was; the message says what to do."""


class CannotRestart(ValueError):
    """A restart cannot be declared like this; the message says why."""


class Declared(Struct, frozen=True, kw_only=True):
    """A declaration as it is kept: what it says, and the signed note that says it."""

    restart: Restart
    note: str


async def present_origin(connection: Any) -> str | None:
    """Give the origin that the log has since its last restart; None if there was none."""
    origin: str | None = await connection.fetchval(_PRESENT)
    return origin


async def declared(connection: Any) -> list[Declared]:
    """Read what the present origin declares, of each former one."""
    notes = [row["note"] for row in await connection.fetch(_DECLARED)]
    return [
        Declared(restart=read_restart(note.rpartition("\n\n")[0] + "\n"), note=note)
        for note in notes
    ]


async def known_keys(connection: Any, vault: Vault) -> list[VerifierKey]:
    """Give the keys that the log signs and has signed with, the present one first."""
    present = checkpoint_key(vault, await present_origin(connection)).verifier
    formers = [one.restart.former for one in await declared(connection)]
    return [present, *(checkpoint_key(vault, former).verifier for former in formers)]


async def ensure_covers(connection: Any, vault: Vault, notes: Sequence[str]) -> None:
    """Compare the log with checkpoints that were kept elsewhere, before anything is signed.

    What is declared lost contradicts nothing.

    Raises:
        Contradicted: the log was rewritten, or its end was lost, and nobody has declared it.
    """
    size = await connection.fetchval(_SIZE)
    restarts = {one.restart.former: one.restart for one in await declared(connection)}
    present = checkpoint_key(vault, await present_origin(connection)).verifier.name
    for checkpoint in _read(vault, notes, Contradicted):
        restart = restarts.get(checkpoint.origin)
        if restart is None and checkpoint.origin != present:
            message = (
                f"A checkpoint of {checkpoint.size} events is of {checkpoint.origin}, an origin"
                f" that this log, which is {present}, does not know: its end was lost. {_ADVICE}"
            )
            raise Contradicted(message)
        if restart is not None and restart.has_lost(checkpoint):
            continue
        if checkpoint.size > (size if restart is None else restart.kept):
            message = (
                f"A checkpoint of {checkpoint.origin} is of {checkpoint.size} events, but the log"
                f" has {size}: its end was lost. {_ADVICE}"
            )
            raise Contradicted(message)
        if not await _agrees(connection, checkpoint):
            message = (
                f"A checkpoint of {checkpoint.size} events has another root than this log: what"
                f" was at or before position {checkpoint.size} is not what it was. {_ADVICE}"
            )
            raise Contradicted(message)


_ADVICE = (
    "Nothing is signed on top of that. If a restore lost it, declare so:"
    " market log restart --because TEXT --covering FILE"
)


async def restart(
    connection: Any, vault: Vault, because: str, notes: Sequence[str] = ()
) -> list[Declared]:
    """Declare that the log goes on under a new origin, and why; the keeper is waited for.

    `notes` are checkpoints kept elsewhere, the newest that can be found: they say how much is lost.
    A former origin's checkpoints hold up to what is hashed now, or where one that is shown
    contradicts the log, up to the largest shown that agrees.

    Raises:
        CannotRestart: a checkpoint that is none of this log's, or a reason that cannot be kept.
    """
    async with connection.transaction():
        now: datetime = await connection.fetchval(_HOLD)
        size = await connection.fetchval(_SIZE)
        shown = _read(vault, notes, CannotRestart)
        earlier = {one.restart.former: one.restart for one in await declared(connection)}
        present = checkpoint_key(vault, await present_origin(connection)).verifier.name
        key = checkpoint_key(vault, origin_restarted(checkpoint_key(vault).verifier.name, now))
        made = []
        for former in sorted({present, *earlier, *(one.origin for one in shown)}):
            own = [one for one in shown if one.origin == former]
            kept = await _kept(connection, size, own)
            known = [(one.size, one.root) for one in own]
            newest = await connection.fetchrow(_NEWEST, former)
            if newest is not None:
                known.append((newest["size"], newest["root"]))
            if (before := earlier.get(former)) is not None:
                kept = min(kept, before.kept)
                known.append((before.known, before.known_root))
            known_size, known_root = max(known, default=(0, EMPTY_ROOT))
            declaration = Restart(
                origin=key.verifier.name,
                former=former,
                kept=kept,
                known=known_size,
                known_root=known_root,
                because=because,
            )
            try:
                note = declaration.sign(key)
            except BadNote as error:
                raise CannotRestart(str(error)) from error
            await _declare(connection, declaration, note)
            made.append(Declared(restart=declaration, note=note))
    return made


async def _kept(connection: Any, size: int, own: Iterable[Checkpoint]) -> int:
    """Up to which size all that was shown of a former origin agrees with the log."""
    within = [one for one in own if one.size <= size]
    agreeing = [one.size for one in within if await _agrees(connection, one)]
    return size if len(agreeing) == len(within) else max(agreeing, default=0)


async def _agrees(connection: Any, checkpoint: Checkpoint) -> bool:
    hashes = await subtree_hashes(connection, peaks(checkpoint.size))
    return root(checkpoint.size, hashes) == checkpoint.root


async def _declare(connection: Any, made: Restart, note: str) -> None:
    await connection.execute(
        _EVENT,
        uuid4(),
        _LOG,
        made.origin,
        made.former,
        made.kept,
        made.known,
        made.known_root.hex(),
        hashlib.sha256(note.encode()).hexdigest(),
    )
    await connection.execute(
        _RESTART,
        uuid4(),
        made.origin,
        made.former,
        made.kept,
        made.known,
        made.known_root,
        note,
    )


def _read(vault: Vault, notes: Sequence[str], refusal: type[ValueError]) -> list[Checkpoint]:
    """Read checkpoints that this market's key has signed, under whichever origin of its log."""
    found = []
    for note in notes:
        try:
            key = checkpoint_key(vault, note.partition("\n")[0]).verifier
            found.append(verify_checkpoint(note, [key]))
        except (BadNote, ForeignOrigin) as error:
            message = f"This is no checkpoint of this market's log: {error}"
            raise refusal(message) from error
    return found
