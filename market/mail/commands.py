"""Stating how notices reach one, and leaving a kind by the address in its mails."""

import contextlib
from collections.abc import Mapping, Sequence
from uuid import UUID

import msgspec

from market.actor import Actor
from market.command import command
from market.database import fetch_value
from market.errors import Busy, Stale
from market.events.commands import record
from market.mail.errors import FormalKind, UnknownNoticeKind
from market.mail.kinds import NoticeKind, Sending
from market.mail.queries import Stated, preferences_view, stated, to_leave
from market.mail.rules.preferences import formal_kinds_off, kinds_to_leave, unknown_kinds
from market.mail.rules.tokens import Leaving
from market.mail.schemas import ChangeNoticePreferences, NoticePreferences

_ATTEMPTS = 3

_FIRST = """
INSERT INTO notice_preferences (person, choices) VALUES ($1, $2) ON CONFLICT DO NOTHING
RETURNING version
"""
_NEXT = """
UPDATE notice_preferences SET choices = $2 WHERE person = $1 AND version = $3 RETURNING version
"""


async def _state(person: UUID | None, choices: Mapping[str, Sending], version: int) -> Stated:
    """Write what somebody states, if it still stands as it did in that version.

    Raises:
        Stale: it does not.
    """
    written = msgspec.json.encode(choices, order="sorted").decode()
    if version == 1:
        changed = await fetch_value(_FIRST, person, written)
    else:
        changed = await fetch_value(_NEXT, person, written, version)
    if changed is None:
        raise Stale
    return Stated(version=changed, choices=choices)


@command
async def change_preferences(
    actor: Actor,
    kinds: Sequence[NoticeKind],
    digest_hour: int,
    version: int,
    given: ChangeNoticePreferences,
) -> NoticePreferences:
    """State how notices reach the actor; kinds that are left out go by their default.

    Raises:
        UnknownNoticeKind: with every kind that there is not.
        FormalKind: with every kind that cannot be off.
        Stale: it was changed meanwhile.
    """
    if faults := unknown_kinds(kinds, given.kinds):
        raise UnknownNoticeKind(faults=faults)
    if faults := formal_kinds_off(kinds, given.kinds):
        raise FormalKind(faults[0].reason, faults=faults)
    before = await stated(actor.person)
    after = await _state(actor.person, given.kinds, version)
    changed = sorted(
        name
        for name in {*before.choices, *after.choices}
        if before.choices.get(name) is not after.choices.get(name)
    )
    await record(
        actor, "notice_preferences.changed", "person", _someone(actor.person), kinds=changed
    )
    return preferences_view(kinds, after, digest_hour)


async def unsubscribe(actor: Actor, kinds: Sequence[NoticeKind], leaving: Leaving) -> None:
    """Switch off what an address names; to do it again, or twice at once, is as to do it once.

    Raises:
        FormalKind: it names a kind that cannot be off.
        Busy: whose it is changed their preferences at every attempt.
    """
    for kind in kinds:
        if kind.name == leaving.name and kind.formal:
            message = f"“{kind.title}” is told formally and cannot be switched off."
            raise FormalKind(message)
    whose = msgspec.structs.replace(actor, person=leaving.person)
    for _ in range(_ATTEMPTS):
        # looked at before anything is written: a programme that repeats it fills no log
        if not await to_leave(whose, kinds, leaving):
            return
        with contextlib.suppress(Stale):
            await leave(whose, kinds, leaving)
    if await to_leave(whose, kinds, leaving):
        raise Busy


@command
async def leave(actor: Actor, kinds: Sequence[NoticeKind], leaving: Leaving) -> list[str]:
    """Switch off what an address for unsubscribing names, and say which kinds that were.

    The actor is whom the address was given to: it proves them as far as this, and no further.

    Raises:
        Stale: it was changed at the same moment, or left already; this wrote nothing.
    """
    found = await stated(actor.person)
    left = [kind.name for kind in kinds_to_leave(kinds, found.choices, leaving.name)]
    if not left:  # somebody did it between the look and this transaction
        raise Stale
    await _state(actor.person, {**found.choices, **dict.fromkeys(left, Sending.OFF)}, found.version)
    await record(
        actor,
        "notice.unsubscribed",
        "person",
        _someone(actor.person),
        address=leaving.name,
        kinds=left,
    )
    return left


def _someone(person: UUID | None) -> UUID:
    if person is None:
        message = "Nobody has no preferences."
        raise TypeError(message)
    return person
