"""Requests carried out once: the answer is kept in the transaction of the change it answers for."""

import hashlib
from typing import Any

import msgspec

from market.actor import Actor, RequestKey
from market.database import current, fetch_one, fetch_value
from market.errors import KeyInProgress, KeyReused, NotSignedIn


class _Stored(msgspec.Struct, frozen=True):
    operation: str
    body_digest: bytes
    answer: bytes


def _digest(key: RequestKey) -> bytes:
    return hashlib.sha256(b"idempotency-key\x00" + key.key.bytes).digest()


async def stored_answer(actor: Actor, key: RequestKey) -> bytes | None:
    """Give the answer a key already has, or None where this request is the first.

    The unique constraint is what keeps the promise; the lock only spares the second of two
    simultaneous requests the wait, and says so.

    Raises:
        KeyInProgress: another request with this key is being carried out.
        KeyReused: the key was used for another request.
    """
    if actor.person is None:
        raise NotSignedIn
    free = await fetch_value(
        "SELECT pg_try_advisory_xact_lock(hashtextextended($1 || $2, 0))",
        str(actor.person),
        str(key.key),
    )
    if not free:
        raise KeyInProgress
    stored = await fetch_one(
        _Stored,
        "SELECT operation, body_digest, answer FROM idempotency_key WHERE person = $1"
        " AND key_digest = $2",
        actor.person,
        _digest(key),
    )
    if stored is None:
        return None
    if stored.operation != key.operation or stored.body_digest != key.body_digest:
        raise KeyReused
    return stored.answer


def store_answer(actor: Actor, key: RequestKey, answer: object) -> None:
    """Keep the answer, as it will be sent, for a repetition of the request."""
    current().later(
        "INSERT INTO idempotency_key (person, key_digest, operation, body_digest, answer)"
        " VALUES ($1, $2, $3, $4, $5)",
        actor.person,
        _digest(key),
        key.operation,
        key.body_digest,
        msgspec.json.encode(answer),
    )


def decode(answer: bytes, kind: Any) -> Any:
    """Read a stored answer back into the type the command gives."""
    return msgspec.json.decode(answer, type=kind)
