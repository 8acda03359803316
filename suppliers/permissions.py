"""Who may do what with applications to supply, and why not."""

from uuid import UUID

from market.actor import Actor, Role
from market.errors import Forbidden, NotFound
from suppliers.errors import OnlyRegistrarDecides, OwnApplication


def ensure_may_list_applications(actor: Actor) -> None:
    """Let registrars alone see who applies.

    Raises:
        Forbidden: the actor is not a registrar.
    """
    if not actor.holds(Role.REGISTRAR):
        message = "Only a registrar sees the applications. Your own is at its own address."
        raise Forbidden(message)


def ensure_may_read_application(actor: Actor, applicant: UUID) -> None:
    """Let registrars and the applicant read an application.

    Raises:
        NotFound: for everybody else.
    """
    if actor.person != applicant and not actor.holds(Role.REGISTRAR):
        raise NotFound


def ensure_may_decide(actor: Actor, applicant: UUID) -> None:
    """Let a registrar decide, but not their own application.

    Raises:
        NotFound: the actor may not know of the application.
        OnlyRegistrarDecides: the applicant, who may read it, is not a registrar.
        OwnApplication: the registrar applied themselves.
    """
    ensure_may_read_application(actor, applicant)
    if not actor.holds(Role.REGISTRAR):
        raise OnlyRegistrarDecides
    if actor.person == applicant:
        raise OwnApplication
