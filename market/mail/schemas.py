"""What the API takes and gives about notices."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, ClassVar
from uuid import UUID

import msgspec
from msgspec import Meta

from market.mail.kinds import Sending

KindName = Annotated[str, Meta(min_length=1, max_length=60, pattern="^[a-z-]+$")]


class NoticeState(StrEnum):
    """What became of the mail of a notice. The notice itself is in the list in any case."""

    WAITING = "waiting"
    SENT = "sent"
    SKIPPED = "skipped"
    FAILED = "failed"


class ChangeNoticePreferences(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True
):
    """State how notices reach one: all of it, since kinds that are left out go by their default."""

    kinds: Annotated[dict[KindName, Sending], Meta(max_length=100)]

    example: ClassVar[dict[str, Any]] = {"kinds": {"deadline-near": "digest"}}


class KindPreference(msgspec.Struct, frozen=True, kw_only=True):
    """How notices of one kind reach one, and how they would by default.

    A formal kind cannot be switched off.
    """

    kind: str
    title: str
    sending: Sending
    default: Sending
    formal: bool


class NoticePreferences(msgspec.Struct, frozen=True, kw_only=True):
    """How notices reach one. The digest goes once a day, at an hour of London time."""

    version: int
    digest_hour: int
    kinds: list[KindPreference]


class NoticeFact(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that a notice says, by name."""

    label: str
    value: str


class OwnNotice(msgspec.Struct, frozen=True, kw_only=True):
    """A notice of one's own, in the words of its mail; `path` is what it is about, in this API.

    `because` says why it was not mailed. `digest_at` is the digest it goes in.
    """

    id: UUID
    kind: str
    subject: str
    paragraphs: list[str]
    facts: list[NoticeFact]
    path: str | None
    event: UUID | None
    made_at: datetime
    state: NoticeState
    because: str | None
    digest_at: datetime | None
    sent_at: datetime | None
