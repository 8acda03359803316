"""Who may do what with people and memberships, and why not."""

from collections.abc import Iterable
from uuid import UUID

from market.actor import Actor, Role
from market.errors import Forbidden, NotFound
from market.people.errors import LastAdministrator, WatchmanOfOneself
from market.people.rules import WATCHMEN


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
