"""Who saves searches: anybody, for the organisation they act for."""

from uuid import UUID

from market.actor import Actor
from tenders.errors import NotActing


def ensure_acts_for(actor: Actor) -> tuple[UUID, UUID]:
    """Let everybody save searches who acts for an organisation; give who, and for which.

    Raises:
        NotActing: the actor acts for none.
    """
    if actor.person is None or actor.organisation is None:
        raise NotActing
    return actor.person, actor.organisation
