"""Who may shift the clock, and why not."""

from market.actor import Actor, Role
from market.errors import Forbidden


def ensure_may_shift_clock(actor: Actor) -> None:
    """Let a registrar alone move a sandbox forward, since everybody in it moves along.

    Raises:
        Forbidden: the actor is not a registrar.
    """
    if not actor.holds(Role.REGISTRAR):
        message = "Only a registrar of the market shifts its clock."
        raise Forbidden(message)
