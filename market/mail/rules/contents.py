"""What the mail of one notice, or of a digest, says besides its letters."""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from market.mail.kinds import Letter, NoticeKind
from market.mail.rules.rendering import Checkpoint, Content, Remark
from market.mail.rules.times import LONDON

_PREFERENCES = "/api/v1/notice-preferences"


class Enclosed(msgspec.Struct, frozen=True, kw_only=True):
    """A letter, what kind it is of, and for which organisation somebody gets it."""

    kind: NoticeKind
    letter: Letter
    organisation: str


class Setting(msgspec.Struct, frozen=True, kw_only=True):
    """What every mail of a market has from it."""

    market: str
    public_url: str
    sandbox: bool
    checkpoint: Checkpoint | None


def _why(enclosed: Sequence[Enclosed], setting: Setting) -> Remark:
    organisations = " and ".join(dict.fromkeys(one.organisation for one in enclosed))
    outside = any(one.kind.to_outsiders for one in enclosed)
    act = "act for, or applied for," if outside else "act for"
    return Remark(
        sentence=f"You get this mail because you {act} {organisations} in the commissioning"
        f" support market {setting.market}."
    )


def _formal(kind: NoticeKind) -> Remark:
    return Remark(
        sentence=f"Mails about “{kind.title}” are formal: they cannot be switched off, only"
        " gathered in a daily digest."
    )


def _settings(setting: Setting) -> Remark:
    return Remark(
        sentence="How notices reach you is set, signed in, at:",
        address=f"{setting.public_url}{_PREFERENCES}",
    )


def single(enclosed: Enclosed, setting: Setting, unsubscribe: str) -> Content:
    """The content of the mail of one notice."""
    kind = enclosed.kind
    leave = Remark(sentence=f"To switch mails about “{kind.title}” off:", address=unsubscribe)
    return Content(
        subject=enclosed.letter.subject,
        letters=(enclosed.letter,),
        remarks=(
            _why([enclosed], setting),
            _formal(kind) if kind.formal else leave,
            _settings(setting),
        ),
        checkpoint=setting.checkpoint,
        public_url=setting.public_url,
        sandbox=setting.sandbox,
    )


def digest(
    enclosed: Sequence[Enclosed], setting: Setting, unsubscribe: str, at: datetime
) -> Content:
    """The content of a digest: all its letters, in the order in which they were made."""
    day = at.astimezone(LONDON)
    number = "1 notice" if len(enclosed) == 1 else f"{len(enclosed)} notices"
    formal = {one.kind.name: one.kind for one in enclosed if one.kind.formal}
    return Content(
        subject=f"Digest of {day.day} {day:%B %Y}: {number}",
        opening=f"Your digest of {day.day} {day:%B %Y} holds {number}.",
        letters=tuple(one.letter for one in enclosed),
        remarks=(
            _why(enclosed, setting),
            Remark(sentence="To switch off all that the digest gathers:", address=unsubscribe),
            *map(_formal, formal.values()),
            _settings(setting),
        ),
        checkpoint=setting.checkpoint,
        public_url=setting.public_url,
        sandbox=setting.sandbox,
    )
