"""How somebody is told of each kind: what they have said, or what is usual for the kind."""

from collections.abc import Mapping, Sequence

from market.errors import Fault
from market.mail.kinds import DIGEST, NoticeKind, Sending

Choices = Mapping[str, Sending]
"""Kinds by name, as somebody has chosen; for kinds that are not there the default holds."""


def effective(kind: NoticeKind, choices: Choices) -> Sending:
    """How notices of a kind reach somebody. A formal kind is never off, whatever was said."""
    chosen = choices.get(kind.name, kind.sending)
    return kind.sending if kind.formal and chosen is Sending.OFF else chosen


def unknown_kinds(kinds: Sequence[NoticeKind], choices: Choices) -> list[Fault]:
    """Name each choice about a kind that the market does not have."""
    known = {kind.name for kind in kinds}
    return [
        Fault(field=f"kinds.{name[:60]}", reason="The market has no notices of this kind.")
        for name in sorted(choices)
        if name not in known
    ]


def formal_kinds_off(kinds: Sequence[NoticeKind], choices: Choices) -> list[Fault]:
    """Name each formal kind that somebody means to switch off."""
    return [
        Fault(
            field=f"kinds.{kind.name}",
            reason=f"“{kind.title}” is told formally: choose at_once or digest.",
        )
        for kind in kinds
        if kind.formal and choices.get(kind.name) is Sending.OFF
    ]


def kinds_to_leave(kinds: Sequence[NoticeKind], choices: Choices, name: str) -> list[NoticeKind]:
    """The kinds that unsubscribing from one, or from the digest, would switch off."""
    if name == DIGEST:
        return [
            kind for kind in kinds if not kind.formal and effective(kind, choices) is Sending.DIGEST
        ]
    return [
        kind
        for kind in kinds
        if kind.name == name and not kind.formal and effective(kind, choices) is not Sending.OFF
    ]
