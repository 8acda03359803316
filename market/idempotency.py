"""Requests carried out once: the answer is kept in the transaction of the change it answers for."""

import hashlib
from typing import Any
from uuid import UUID

import msgspec
from asyncpg.exceptions import PostgresError

from market.actor import Actor, RequestKey
from market.database import current, fetch_one
from market.errors import KeyReused, NotSignedIn

_STORED = """
SELECT operation, body_digest, answer FROM idempotency_key WHERE person = $1 AND key_digest = $2
"""

_ANSWERED = "request_key_answered"


class _Answered(msgspec.Struct, frozen=True):
    operation: str
    body_digest: bytes
    answer: bytes


def _digest(key: RequestKey) -> bytes:
    return hashlib.sha256(b"idempotency-key\x00" + key.key.bytes).digest()


def claimed(actor: Actor) -> UUID | None:
    """The key that the transaction of the actor's request claims as it begins; None without one.

    The unique constraint is what keeps the promise that a request is carried out once. The claim
    spares the second of two simultaneous requests the wait: it is refused as KeyInProgress.

    Raises:
        NotSignedIn: a key of nobody.
    """
    if actor.key is None:
        return None
    if actor.person is None:
        raise NotSignedIn
    return actor.key.key


def is_answered(error: PostgresError) -> bool:
    """Whether a transaction did not begin because the key it claimed has its answer already."""
    return getattr(error, "constraint_name", None) == _ANSWERED


async def stored_answer(actor: Actor, key: RequestKey) -> bytes:
    """Give the answer a key has.

    Raises:
        KeyReused: the key was used for another request.
    """
    found = await fetch_one(_Answered, _STORED, actor.person, _digest(key))
    asked = (key.operation, key.body_digest)
    if found is None or (found.operation, found.body_digest) != asked:
        raise KeyReused
    return found.answer


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
