"""Who may do what with people and memberships, and why not."""

from collections.abc import Iterable
from uuid import UUID

from market.actor import Actor, Role
from market.errors import Forbidden, NotFound
from market.people.errors import (
    FreshSignInNeeded,
    LastAdministrator,
    ResetByAdministrator,
    WatchmanOfOneself,
)
from market.people.rules import WATCHMEN


def ensure_fresh(actor: Actor) -> None:
    """Let only somebody act who has just proved who they are; asked before anything else.

    For what cannot be undone: a session left open on a desk, or a stolen token, is not enough.

    Raises:
        FreshSignInNeeded: the sign-in or its confirmation is older than fifteen minutes.
    """
    if not actor.fresh:
        raise FreshSignInNeeded


def ensure_may_administer(actor: Actor, organisation: UUID) -> None:
    """Let an organisation's administrators manage its people, and the registrar anybody's.

    Raises:
        NotFound: the organisation is not the actor's own.
        Forbidden: it is, but the actor is not its administrator.
    """
    if actor.holds(Role.REGISTRAR):
        return
    if actor.organisation != organisation:
        raise NotFound
    if not actor.holds(Role.ADMINISTRATOR):
        message = "Only an administrator of the organisation manages its people."
        raise Forbidden(message)


def ensure_may_reset(
    actor: Actor, organisation: UUID, person: UUID, *, belongs_to: frozenset[UUID]
) -> None:
    """Let an administrator reset the password of somebody who belongs to their organisation alone.

    `belongs_to` are the organisations the person has a role in now. Whoever gets a reset can sign
    in as that person, so of somebody who belongs to several it takes the registrar.

    Raises:
        NotFound: the organisation is not the actor's own, or the person is not of it.
        Forbidden: the actor is not its administrator.
        ResetByAdministrator: it would be their own, or the person belongs to others as well.
    """
    ensure_may_administer(actor, organisation)
    if organisation not in belongs_to:
        raise NotFound
    if person == actor.person:
        message = "Change your own password at /me/password; a reset is given by somebody else."
        raise ResetByAdministrator(message)
    if belongs_to != {organisation} and not actor.holds(Role.REGISTRAR):
        message = "This person belongs to other organisations too: ask the market's registrar."
        raise ResetByAdministrator(message)


def ensure_given_by_another(actor: Actor, person: UUID | None, roles: Iterable[Role]) -> None:
    """Let nobody give themselves a role that watches over others.

    Raises:
        WatchmanOfOneself: the person is the actor, and one of the roles is such a role.
    """
    if person is not None and person == actor.person and WATCHMEN.intersection(roles):
        raise WatchmanOfOneself


def ensure_administrator_remains(actor: Actor, others: int) -> None:
    """Keep an organisation administered, unless the registrar decides otherwise.

    Raises:
        LastAdministrator: an administrator is to be ended and there are no others.
    """
    if others == 0 and not actor.holds(Role.REGISTRAR):
        raise LastAdministrator
