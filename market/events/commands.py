"""Recording an event, in the transaction of the change it tells of."""

import hashlib
import secrets
from collections.abc import Mapping
from uuid import UUID, uuid4

import msgspec
import rfc8785

from market.actor import Actor
from market.database import NoTransaction, current

Detail = str | int | bool | None | list[str]

_INSERT = """
INSERT INTO event
    (id, action, person, organisation, subject_kind, subject, tender, request, details,
     before_digest, after_digest, private_digest)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
"""

_INSERT_PRIVATE = "INSERT INTO event_private (event, salt, details) VALUES ($1, $2, $3)"


def _salted(salt: bytes, content: bytes | None) -> bytes | None:
    return None if content is None else hashlib.sha256(salt + content).digest()


def private_salt(salt: bytes) -> bytes:
    """The salt of an event's private details, derived from the event's own.

    A record that is handed out shows it: with it nobody can try out guesses at what the digests
    before and after are of.
    """
    return hashlib.sha256(salt + b"private").digest()


async def record(  # noqa: PLR0913  # the columns of one row, each by its name
    actor: Actor,
    action: str,
    subject_kind: str,
    subject: UUID,
    *,
    tender: UUID | None = None,
    before: bytes | None = None,
    after: bytes | None = None,
    private: Mapping[str, Detail] | None = None,
    **details: Detail,
) -> UUID:
    """Record one act in the current transaction, and give the event's id.

    The row is written at the end of the transaction, together with whatever else waits for that.

    The database sets the event's times and transaction, and adds to the details by which
    credential a system acted. `before` and `after` are the subject's content, of which only salted
    digests are kept; the salt is stored apart, so that a score or a price cannot be guessed from
    its digest and an erasure does not break the log. `private` are details that name people or are
    free text: kept apart in the same way, erasable, while the event has their salted digest (over
    RFC 8785 canonical JSON). Details must hold nothing that is sealed or withheld, and nothing
    that a law may ask to be forgotten: `market.events.vocabulary` says what they hold.

    Raises:
        NoTransaction: outside a command, or inside a query.
    """
    unit = current()
    if not unit.writes:
        message = "An event can only be recorded by a command."
        raise NoTransaction(message)
    event = uuid4()
    row = (
        event,
        action,
        actor.person,
        actor.organisation,
        subject_kind,
        subject,
        tender,
        actor.request,
        msgspec.json.encode(details).decode(),
    )
    digests: tuple[bytes | None, ...] = (None, None, None)
    if before is not None or after is not None or private is not None:
        salt = secrets.token_bytes(32)
        kept = None if private is None else rfc8785.dumps(dict(private))
        digests = _salted(salt, before), _salted(salt, after), _salted(private_salt(salt), kept)
        unit.later(_INSERT_PRIVATE, event, salt, None if kept is None else kept.decode())
    unit.later(_INSERT, *row, *digests)
    unit.recorded += 1
    return event
