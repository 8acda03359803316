"""Who may say who owns what, and who is who, and why not."""

from uuid import UUID

from market.actor import Actor, Role
from market.errors import Forbidden
from market.ownership.errors import NotYoursToState


def may_import(actor: Actor) -> bool:
    """Say whether the actor may import statements."""
    return (
        actor.person is None or actor.holds(Role.REGISTRAR) or actor.holds(Role.CONFLICTS_GUARDIAN)
    )


def ensure_may_import(actor: Actor) -> None:
    """Let the registrar and conflicts guardians import statements; the command line acts as nobody.

    An organisation states nothing about its own group here: it would decide which of its own
    conflicts are found.

    Raises:
        NotYoursToState: somebody else.
    """
    if may_import(actor):
        return
    message = "Only the registrar or a conflicts guardian imports ownership statements."
    raise NotYoursToState(message)


def ensure_may_read_imports(actor: Actor) -> None:
    """Let those who may import, and auditors, see what was imported.

    Raises:
        Forbidden: somebody else.
    """
    if not (
        actor.holds(Role.REGISTRAR)
        or actor.holds(Role.CONFLICTS_GUARDIAN)
        or actor.holds(Role.AUDITOR)
    ):
        message = "Imports are shown to the registrar, conflicts guardians and auditors."
        raise Forbidden(message)


def ensure_may_state_links(actor: Actor) -> None:
    """Let the registrar state and end links that no statement tells of.

    Raises:
        NotYoursToState: somebody else.
    """
    if not actor.holds(Role.REGISTRAR):
        message = "Only the registrar states or ends links."
        raise NotYoursToState(message)


def ensure_may_match(actor: Actor, person: UUID, *, colleague: bool) -> None:
    """Let somebody say which party a person is: themselves, the registrar, their own guardian.

    `colleague`: the person belongs to the organisation the actor acts for.

    Raises:
        NotYoursToState: somebody else, or a guardian of another organisation.
    """
    if actor.person == person or actor.holds(Role.REGISTRAR):
        return
    if not actor.holds(Role.CONFLICTS_GUARDIAN):
        message = (
            "Who somebody is in the statements is said by themselves, the registrar, or the"
            " conflicts guardian of their organisation."
        )
        raise NotYoursToState(message)
    if not colleague:
        message = "You are the conflicts guardian of another organisation than this person's."
        raise NotYoursToState(message)


def ensure_may_withdraw_match(actor: Actor, *, colleague: bool) -> None:
    """Let the registrar or the person's conflicts guardian withdraw who somebody is.

    The person themselves may not: nobody sheds an interest by being somebody else after all.

    Raises:
        NotYoursToState: somebody else.
    """
    if actor.holds(Role.REGISTRAR) or (actor.holds(Role.CONFLICTS_GUARDIAN) and colleague):
        return
    message = (
        "Who somebody is in the statements is withdrawn by the registrar or the conflicts guardian"
        " of their organisation."
    )
    raise NotYoursToState(message)
