"""What of an event is hashed into the log: a header in the open, commitments to the rest.

The header's canonical JSON (RFC 8785) is the content of the leaf. Who acted and what is said is
bound by a salted commitment, and the event's number in its tender by another, so that a reader of
the header alone learns neither, and nobody who has one salt can try out guesses at the other.
"""

import hashlib
import hmac
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Literal, TypeAlias
from uuid import UUID

from msgspec import Meta, Struct
from msgspec.structs import asdict

from market.signing import Digest
from market.transparency.rules.canonical import MOST_EXACT, canonical
from market.transparency.rules.merkle import leaf_hash

FORMAT: Literal["commissioning-support-market/event/v1"] = "commissioning-support-market/event/v1"
SALT_BYTES = 32

# How deep these stand in an exported event.
_CONTENT_DEPTH = 2
_DETAILS_DEPTH = 3

Instant = Annotated[
    str,
    Meta(
        pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}Z$",
        max_length=27,  # as well: in Python, `$` lets a newline after it pass
        description="An instant in UTC with six decimals.",
    ),
]
Identifier = Annotated[
    str,
    Meta(
        pattern="^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$",
        max_length=36,
        description="A UUID in lower case.",
    ),
]
Position = Annotated[int, Meta(ge=1, le=MOST_EXACT)]
Details: TypeAlias = Mapping[str, object]


class LoggedEvent(Struct, frozen=True, kw_only=True):
    """An event with its place in the log, as the database keeps it."""

    position: int
    id: UUID
    action: str
    occurred_at: datetime
    recorded_at: datetime
    subject_kind: str
    subject: UUID
    tender: UUID | None
    tender_number: int | None
    person: UUID | None
    organisation: UUID | None
    request: str
    details: Details
    before_digest: bytes | None
    after_digest: bytes | None
    private_digest: bytes | None


class EventHeader(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The content of a leaf. It may be shown to whoever may know that the event happened."""

    format: Literal["commissioning-support-market/event/v1"]
    position: Position
    id: Identifier
    action: str
    occurred_at: Instant
    recorded_at: Instant
    subject_kind: str
    subject: Identifier
    tender: Identifier | None
    content: Digest
    number: Digest


class EventContent(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What `content` in the header commits to: who acted, and what there is to say of it."""

    person: Identifier | None
    organisation: Identifier | None
    request: str
    details: Details
    before_digest: Digest | None
    after_digest: Digest | None
    private_digest: Digest | None


class RevealedEvent(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An event for somebody who may see it whole; its number in the tender only with its salt."""

    header: EventHeader
    content: EventContent
    content_salt: Digest
    number: Position | None = None
    number_salt: Digest | None = None


def content_salt(salt: bytes) -> bytes:
    """Derive the salt of an event's content from the event's own salt."""
    return _derived(salt, b"content")


def number_salt(salt: bytes) -> bytes:
    """Derive the salt of an event's number from the event's own salt."""
    return _derived(salt, b"number")


def content_commitment(salt: bytes, content: EventContent) -> str:
    """Commit to an event's content under its `content_salt`, in hexadecimal.

    Raises NotCanonical if the details hold what has no canonical form.
    """
    return _committed(salt, canonical(asdict(content), depth=_CONTENT_DEPTH))


def number_commitment(salt: bytes, number: int | None) -> str:
    """Commit to an event's number in its tender, or to its having none, in hexadecimal."""
    return _committed(salt, canonical(number))


def private_digest(salt: bytes, details: Details) -> str:
    """Digest the private details of an event under the salt kept with them, in hexadecimal.

    Raises NotCanonical if they hold what has no canonical form.
    """
    return _committed(salt, canonical(dict(details), depth=_DETAILS_DEPTH))


def content_of(event: LoggedEvent) -> EventContent:
    """Give the part of an event that its header only commits to."""
    return EventContent(
        person=_identifier(event.person),
        organisation=_identifier(event.organisation),
        request=event.request,
        details=event.details,
        before_digest=_hexadecimal(event.before_digest),
        after_digest=_hexadecimal(event.after_digest),
        private_digest=_hexadecimal(event.private_digest),
    )


def header_of(event: LoggedEvent, salt: bytes) -> EventHeader:
    """Make the header of an event, with its commitments under the event's 32-byte salt.

    Raises NotCanonical if the details hold what has no canonical form, ValueError if an instant
    has no time zone or the salt another length.
    """
    return EventHeader(
        format=FORMAT,
        position=event.position,
        id=str(event.id),
        action=event.action,
        occurred_at=instant(event.occurred_at),
        recorded_at=instant(event.recorded_at),
        subject_kind=event.subject_kind,
        subject=str(event.subject),
        tender=_identifier(event.tender),
        content=content_commitment(content_salt(salt), content_of(event)),
        number=number_commitment(number_salt(salt), event.tender_number),
    )


def reveal(event: LoggedEvent, salt: bytes, *, with_number: bool) -> RevealedEvent:
    """Show an event so that its commitments can be checked. Raises as `header_of` does."""
    return RevealedEvent(
        header=header_of(event, salt),
        content=content_of(event),
        content_salt=content_salt(salt).hex(),
        number=event.tender_number if with_number else None,
        number_salt=number_salt(salt).hex() if with_number else None,
    )


def leaf_of(header: EventHeader) -> bytes:
    """Hash the leaf of an event: the leaf number `position - 1` of the tree."""
    return leaf_hash(canonical(asdict(header)))


def is_as_committed(event: RevealedEvent) -> bool:
    """Tell whether what is revealed is what the header commits to.

    The number is checked if its salt is shown. Whether the header is in the log, only a proof of
    inclusion of `leaf_of(header)` tells. Raises NotCanonical if the details hold what has no
    canonical form.
    """
    content = content_commitment(bytes.fromhex(event.content_salt), event.content)
    if not hmac.compare_digest(content, event.header.content):
        return False
    if event.number_salt is None:
        return event.number is None
    number = number_commitment(bytes.fromhex(event.number_salt), event.number)
    return hmac.compare_digest(number, event.header.number)


def instant(moment: datetime) -> str:
    """Write an instant in UTC with six decimals and a Z. Raises ValueError without a time zone."""
    if moment.utcoffset() is None:
        raise ValueError("An instant must have a time zone.")
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def _derived(salt: bytes, purpose: bytes) -> bytes:
    if len(salt) != SALT_BYTES:
        raise ValueError("The salt of an event must be exactly 32 bytes long.")
    return hashlib.sha256(salt + purpose).digest()


def _committed(salt: bytes, content: bytes) -> str:
    return hashlib.sha256(salt + content).hexdigest()


def _identifier(value: UUID | None) -> str | None:
    return None if value is None else str(value)


def _hexadecimal(digest: bytes | None) -> str | None:
    return None if digest is None else digest.hex()
