"""Who keeps registers, whose entries are published, for how long, and what is withheld."""

from collections.abc import Collection, Sequence
from datetime import date
from enum import StrEnum
from typing import Final

from msgspec import Struct

from market.actor import Role
from market.interests.rules.dates import kept_until, public_until
from market.organisations.rules import BUYER_KINDS, OrganisationKind

REGISTER_KINDS: Final = BUYER_KINDS | {OrganisationKind.COMMISSIONING_SUPPORT_UNIT}
"""Who keeps registers: those who buy, and support units, whose staff may help them to."""

DECISION_MAKING: Final = frozenset(
    {
        Role.ADMINISTRATOR,
        Role.PROCUREMENT_LEAD,
        Role.COMMISSIONER,
        Role.LAY_MEMBER,
        Role.CONFLICTS_GUARDIAN,
    }
)
"""Whose interests are published: since 16 June 2017 those of decision-making staff alone.

Administrators are among them because they decide who holds which role. Auditors decide nothing, and
bid managers nothing for a body that buys.
"""

PRIVATE_READERS: Final = frozenset({Role.CONFLICTS_GUARDIAN, Role.AUDITOR})
"""Who reads the private part of their own organisation's registers."""

SENIOR: Final = frozenset({Role.CONFLICTS_GUARDIAN, Role.LAY_MEMBER})
"""Who gives senior approval to a gift: the guardian, normally chair of audit, or a lay member."""


class Publication(StrEnum):
    """How an entry stands on the public register."""

    PUBLISHED = "published"
    WITHHELD = "withheld"


class Held(Struct, frozen=True):
    """A role somebody holds for an organisation, or held until a day."""

    role: Role
    ended_on: date | None = None


def is_published_staff(held: Sequence[Held], today: date) -> bool:
    """Say whether somebody's entries are on the public register of an organisation.

    They are while the person is decision-making staff there, and for six months afterwards.
    """
    return any(
        one.role in DECISION_MAKING
        and (one.ended_on is None or today <= public_until(one.ended_on))
        for one in held
    )


def publication_of(*, consents: bool, guardian_withholds: bool | None) -> Publication:
    """How an entry is shown: a refusal of consent withholds until the guardian says otherwise."""
    if consents or guardian_withholds is False:
        return Publication.PUBLISHED
    return Publication.WITHHELD


def is_on_public_register(
    *, superseded: bool, ended: date | None, staff: Sequence[Held], today: date
) -> bool:
    """Say whether an entry is listed in public at all, its content withheld or not."""
    if superseded or not is_published_staff(staff, today):
        return False
    return ended is None or today <= public_until(ended)


def ended_on(*, planned: date | None, recorded: date | None) -> date | None:
    """When an interest ended or will end: as it was recorded to have, or else as was declared."""
    return planned if recorded is None else recorded


def removable_from(
    *, ended: date | None, left: date | None, memberships_open: Collection[Role]
) -> date | None:
    """The last day on which the record of an interest is kept, or None while it counts.

    An interest of somebody who left the organisation counts from the day on which they left, where
    it has not ended by itself.
    """
    if ended is not None:
        return kept_until(ended)
    if memberships_open or left is None:
        return None
    return kept_until(left)
