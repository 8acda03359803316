"""What a kind of notice is: whom it concerns, what its letter says, how it is sent by default."""

import re
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any, Final

import msgspec

DIGEST: Final = "digest"
"""No kind has this name: whoever leaves the digest by its mail names it in place of a kind."""
_NAME = re.compile(r"[a-z]+(-[a-z]+)*")
_LONGEST_NAME = 60
_BREAK_IN_PATH = re.compile(r"[\s\x00-\x1f\x7f]")


class Sending(StrEnum):
    """When a notice of a kind is sent to somebody."""

    AT_ONCE = "at_once"
    DIGEST = "digest"
    OFF = "off"


class Letter(msgspec.Struct, frozen=True, kw_only=True):
    """What a notice says; the text and the HTML of its mail are both made from it.

    Plain text throughout. What is too long for a mail is shortened when it is rendered, and line
    breaks become spaces: nothing that somebody wrote elsewhere looks like a line of the market's.

    Raises:
        ValueError: without a subject or a paragraph, or with a path of another form.
    """

    subject: str
    """One line."""
    paragraphs: tuple[str, ...]
    """Plain sentences."""
    facts: tuple[tuple[str, str], ...] = ()
    """Label and value: "Deadline", "Friday 5 February 2027, 12:00 noon (London time)"."""
    path: str | None = None
    """What to open, below the market's public address: /api/v1/tenders/…"""

    def __post_init__(self) -> None:
        """Refuse what is no letter: that is a fault of its kind."""
        if not self.subject.strip() or not any(text.strip() for text in self.paragraphs):
            message = "A letter has a subject and at least one paragraph."
            raise ValueError(message)
        if self.path is not None and (
            not self.path.startswith("/")
            or self.path.startswith("//")
            or _BREAK_IN_PATH.search(self.path)
        ):
            message = "A path begins with one stroke and holds no space: /api/v1/…"
            raise ValueError(message)


class NoticeKind(msgspec.Struct, frozen=True, kw_only=True):
    """One kind of notice. A new kind is one entry in a tuple of these, and nothing else.

    Raises:
        ValueError: a name of another form than `deadline-near`, or a formal kind that is off.
    """

    name: str
    """Stable, used in preferences and in the answer of the API: "deadline-near"."""
    title: str
    """How the preferences call it: "The deadline of a tender is near"."""
    actions: tuple[str, ...] = ()
    """The events that give rise to it. Where it is empty time does: its SQL is asked every minute.
    """
    recipients: str
    """SQL that is run as the role market_worker. For actions $1 is the event's id; for time there
    is no parameter. One row a recipient: person uuid, organisation uuid, key text, facts jsonb. A
    person gets one notice of a kind and key, however often the row comes.
    """
    letter: Callable[[Mapping[str, Any]], Letter]
    """Pure: from the facts of one row to its letter. It may be called again at any time."""
    sending: Sending = Sending.AT_ONCE
    """How it is sent to those who have not said otherwise."""
    to_outsiders: bool = False
    """Goes to its recipients whether or not they belong to the organisation, as an applicant does
    not; every other kind only reaches those who still do when it is sent.
    """
    formal: bool = False
    """Cannot be switched off: law or the tender's rules want it told (an outcome, an amendment)."""

    def __post_init__(self) -> None:
        """Hold what preferences and the API stand on."""
        if len(self.name) > _LONGEST_NAME or not _NAME.fullmatch(self.name) or self.name == DIGEST:
            message = (
                f"A kind's name is small letters and hyphens, at most {_LONGEST_NAME}, and not"
                f" {DIGEST!r}: {self.name!r}."
            )
            raise ValueError(message)
        if self.formal and self.sending is Sending.OFF:
            message = f"The kind {self.name} is formal, so it cannot be off by default."
            raise ValueError(message)


def by_name(kinds: tuple[NoticeKind, ...]) -> dict[str, NoticeKind]:
    """Give the kinds by their names.

    Raises:
        ValueError: two kinds have one name.
    """
    found = {kind.name: kind for kind in kinds}
    if len(found) < len(kinds):
        message = "Two kinds of notice have one name."
        raise ValueError(message)
    return found
