"""Who may enter, read and decide what in the registers, and why not."""

from uuid import UUID

import msgspec

from market.actor import Actor, Role
from market.errors import Forbidden, NotFound
from market.interests.errors import (
    GuardianInvolved,
    GuardianNeeded,
    GuardiansEntry,
    NotYourEntry,
    NotYoursToDecide,
    NotYoursToMitigate,
    NotYoursToReview,
)
from market.interests.rules.registers import PRIVATE_READERS, SENIOR


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """Of an entry in a register, what decides who may do what with it.

    Offers of gifts are read by lay members too, who review them.
    """

    id: UUID
    person: UUID
    for_organisation: UUID
    entered_by: UUID
    line_manager: UUID | None = None
    is_gift: bool = False


def acts_as(actor: Actor, organisation: UUID, *roles: Role) -> bool:
    """Say whether the actor acts for the organisation in one of some roles."""
    return actor.organisation == organisation and not actor.roles.isdisjoint(roles)


def is_guardian(actor: Actor, organisation: UUID) -> bool:
    """Say whether the actor acts as the organisation's conflicts guardian."""
    return acts_as(actor, organisation, Role.CONFLICTS_GUARDIAN)


def ensure_may_enter(actor: Actor, organisation: UUID, about: UUID) -> None:
    """Let people enter what is about themselves, and the guardian what is about a member.

    Raises:
        NotYourEntry: it is somebody else's, or another organisation's register.
    """
    if actor.organisation != organisation:
        message = "Entries are made in the register of the organisation you act for."
        raise NotYourEntry(message)
    if about != actor.person and not is_guardian(actor, organisation):
        message = "Only the conflicts guardian makes entries about other people."
        raise NotYourEntry(message)


def ensure_may_change(actor: Actor, entry: Entry) -> None:
    """Let people correct and end what they entered, and the guardian what is about others.

    Raises:
        NotFound: the entry is one the actor may not read.
        NotYourEntry: the actor reads it and is neither its person nor the guardian.
        GuardiansEntry: the guardian entered it about the actor.
    """
    ensure_may_read(actor, entry)
    if entry.person == actor.person:
        if entry.entered_by != entry.person:
            raise GuardiansEntry
    elif not is_guardian(actor, entry.for_organisation):
        raise NotYourEntry


def ensure_may_read(actor: Actor, entry: Entry) -> None:
    """Let an entry be read by its person, line manager, and the private part's readers.

    Raises:
        NotFound: for everybody else.
    """
    own = entry.person == actor.person
    managed = (
        entry.line_manager is not None
        and entry.line_manager == actor.person
        and actor.organisation == entry.for_organisation
    )
    readers = PRIVATE_READERS | SENIOR if entry.is_gift else PRIVATE_READERS
    if not (own or managed or acts_as(actor, entry.for_organisation, *readers)):
        raise NotFound


def ensure_may_mitigate(actor: Actor, entry: Entry) -> None:
    """Let the guardian and the line manager record what is done, and never the holder.

    Raises:
        NotFound: the actor may not read the entry.
        NotYoursToMitigate: the actor is the holder, or only reads it.
    """
    ensure_may_read(actor, entry)
    if entry.person == actor.person:
        message = "You hold this interest; the guardian or your line manager records what is done."
        raise NotYoursToMitigate(message)
    manages = entry.line_manager == actor.person
    if not (manages or is_guardian(actor, entry.for_organisation)):
        raise NotYoursToMitigate


def ensure_may_decide_on_consent(actor: Actor, entry: Entry) -> None:
    """Let a guardian decide on refusals of consent that are not their own.

    Raises:
        NotFound: the entry is one the actor may not read.
        NotYoursToDecide: the actor refused, or is no guardian there.
    """
    ensure_may_read(actor, entry)
    if entry.person == actor.person:
        message = "You refused consent yourself; another guardian decides on it."
        raise NotYoursToDecide(message)
    if not is_guardian(actor, entry.for_organisation):
        raise NotYoursToDecide


def ensure_may_review(actor: Actor, entry: Entry) -> None:
    """Let somebody senior review an offer which they neither got nor declared.

    Raises:
        NotFound: the offer is one the actor may not read.
        NotYoursToReview: the actor got or declared it, or is not senior there.
    """
    ensure_may_read(actor, entry)
    if actor.person in {entry.person, entry.entered_by}:
        message = "You got or declared this offer; somebody else reviews it."
        raise NotYoursToReview(message)
    if not acts_as(actor, entry.for_organisation, *SENIOR):
        raise NotYoursToReview


def ensure_may_read_private(actor: Actor, organisation: UUID) -> None:
    """Let the organisation's guardian and auditors read the private part of its registers.

    Raises:
        Forbidden: for everybody else; that there is a private part is no secret.
    """
    if not acts_as(actor, organisation, *PRIVATE_READERS):
        message = "The private part is read by the organisation's guardian and auditors alone."
        raise Forbidden(message)


def ensure_may_see_due(actor: Actor, organisation: UUID) -> None:
    """Let guardian, auditors and administrators see who owes a confirmation.

    Raises:
        Forbidden: for everybody else.
    """
    if not acts_as(actor, organisation, Role.ADMINISTRATOR, *PRIVATE_READERS):
        message = "Who owes a confirmation is seen by guardian, auditors and administrators."
        raise Forbidden(message)


def ensure_may_record_breach(actor: Actor, organisation: UUID, involved: set[UUID]) -> None:
    """Let a guardian who was not involved record and publish a breach.

    Raises:
        GuardianNeeded: the actor is no guardian of the organisation.
        GuardianInvolved: the actor was involved.
    """
    if not is_guardian(actor, organisation):
        raise GuardianNeeded
    if actor.person in involved:
        raise GuardianInvolved
