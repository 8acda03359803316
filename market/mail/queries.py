"""What can be read about notices: one's own, how one wants them, what an address would leave."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import msgspec

from market.actor import Actor
from market.database import fetch, fetch_one, reading
from market.errors import Malformed
from market.mail.kinds import Letter, NoticeKind, Sending
from market.mail.rules.preferences import Choices, effective, kinds_to_leave
from market.mail.rules.rendering import neat
from market.mail.rules.tokens import Leaving
from market.mail.schemas import (
    KindPreference,
    NoticeFact,
    NoticePreferences,
    NoticeState,
    OwnNotice,
)
from market.pages import Page, decode_cursor, encode_cursor

_STATED = "SELECT version, choices FROM notice_preferences WHERE person = $1"

_NOTICES = """
SELECT id, kind, event, facts, made_at, state, last_error, digest_at, sent_at FROM notice
WHERE person = $1 AND ($2::text IS NULL OR kind = $2)
  AND ($3::timestamptz IS NULL OR (made_at, id) < ($3, $4::uuid))
ORDER BY made_at DESC, id DESC LIMIT $5
"""


class Stated(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody has stated: nothing, in version 1."""

    version: int = 1
    choices: Choices = {}  # msgspec copies it


class _Row(msgspec.Struct, frozen=True, kw_only=True):
    version: int
    choices: str


class _Notice(msgspec.Struct, frozen=True, kw_only=True):
    id: UUID
    kind: str
    event: UUID | None
    facts: str
    made_at: datetime
    state: NoticeState
    last_error: str | None
    digest_at: datetime | None
    sent_at: datetime | None


async def stated(person: UUID | None) -> Stated:
    """What somebody has stated, inside the current transaction."""
    row = await fetch_one(_Row, _STATED, person)
    if row is None:
        return Stated()
    choices = msgspec.json.decode(row.choices, type=dict[str, Sending])
    return Stated(version=row.version, choices=choices)


def preferences_view(
    kinds: Sequence[NoticeKind], found: Stated, digest_hour: int
) -> NoticePreferences:
    """What somebody has stated, as it is shown: every kind by its title."""
    return NoticePreferences(
        version=found.version,
        digest_hour=digest_hour,
        kinds=[
            KindPreference(
                kind=kind.name,
                title=kind.title,
                sending=effective(kind, found.choices),
                default=kind.sending,
                formal=kind.formal,
            )
            for kind in sorted(kinds, key=lambda kind: kind.title)
        ],
    )


async def preferences(
    actor: Actor, kinds: Sequence[NoticeKind], digest_hour: int
) -> NoticePreferences:
    """How notices reach the actor."""
    async with reading(actor):
        return preferences_view(kinds, await stated(actor.person), digest_hour)


async def notices(
    actor: Actor, kinds: Sequence[NoticeKind], kind: str | None, cursor: str | None, limit: int
) -> Page[OwnNotice]:
    """List the actor's notices for the organisation they act for, newest first.

    Raises:
        Malformed: a cursor that is none of the market's.
    """
    made_at, after = (None, None) if cursor is None else _time_and_id(cursor)
    async with reading(actor):
        found = await fetch(_Notice, _NOTICES, actor.person, kind, made_at, after, limit + 1)
    known = {one.name: one for one in kinds}
    shown = found[:limit]
    last = shown[-1] if len(found) > limit else None
    return Page(
        items=[_view(known.get(notice.kind), notice) for notice in shown],
        next=None if last is None else encode_cursor(last.made_at.isoformat(), str(last.id)),
    )


def _time_and_id(cursor: str) -> tuple[datetime, UUID]:
    made_at, notice = decode_cursor(cursor, 2)
    try:
        return datetime.fromisoformat(made_at).astimezone(UTC), UUID(notice)
    except (ValueError, OverflowError):
        message = "The cursor is not one the market gave. Begin again without it."
        raise Malformed(message) from None


def _view(kind: NoticeKind | None, notice: _Notice) -> OwnNotice:
    letter = neat(_letter(kind, msgspec.json.decode(notice.facts)))
    return OwnNotice(
        id=notice.id,
        kind=notice.kind,
        subject=letter.subject,
        paragraphs=list(letter.paragraphs),
        facts=[NoticeFact(label=label, value=value) for label, value in letter.facts],
        path=letter.path,
        event=notice.event,
        made_at=notice.made_at,
        state=notice.state,
        because=_because(notice),
        digest_at=notice.digest_at,
        sent_at=notice.sent_at,
    )


def _letter(kind: NoticeKind | None, facts: dict[str, Any]) -> Letter:
    """The letter of a notice; where its kind cannot write it any more, the little that is known."""
    if kind is not None:
        try:
            return kind.letter(facts)
        except Exception:  # noqa: BLE001  # whatever is wrong with one kind, the list is shown
            return Letter(subject=kind.title, paragraphs=("What it said cannot be shown.",))
    return Letter(
        subject="A notice", paragraphs=("The market has no notices of this kind any more.",)
    )


def _because(notice: _Notice) -> str | None:
    """Why it was not mailed; what the mail server said is for those who run the market."""
    if notice.state is NoticeState.FAILED:
        return "It could not be sent to your address."
    return notice.last_error if notice.state is NoticeState.SKIPPED else None


async def to_leave(actor: Actor, kinds: Sequence[NoticeKind], leaving: Leaving) -> list[NoticeKind]:
    """The kinds that somebody would switch off by an address for unsubscribing."""
    whose = msgspec.structs.replace(actor, person=leaving.person)
    async with reading(whose):
        return kinds_to_leave(kinds, (await stated(leaving.person)).choices, leaving.name)
