"""Requests carried out once: the answer is kept in the transaction of the change it answers for."""

import hashlib
from typing import Any

import msgspec

from market.actor import Actor, RequestKey
from market.database import current, fetch_one
from market.errors import KeyInProgress, KeyReused, NotSignedIn


class _Taken(msgspec.Struct, frozen=True):
    free: bool
    operation: str | None
    body_digest: bytes | None
    answer: bytes | None


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
    taken = await fetch_one(
        _Taken,
        "SELECT * FROM take_request_key($1, $2, $3)",
        actor.person,
        str(key.key),
        _digest(key),
    )
    if taken is None or not taken.free:
        raise KeyInProgress
    if taken.answer is None:
        return None
    if taken.operation != key.operation or taken.body_digest != key.body_digest:
        raise KeyReused
    return taken.answer


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
