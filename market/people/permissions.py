"""Who may do what with people and memberships, and why not."""

from uuid import UUID

from market.actor import Actor, Role
from market.errors import Forbidden, NotFound


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
