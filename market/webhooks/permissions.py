"""Who makes, sees, changes and ends webhooks."""

from uuid import UUID

from market.actor import Actor, Role
from market.errors import Forbidden, NotFound
from market.people.permissions import ensure_fresh
from market.webhooks.errors import NotForThisOrganisation, NotYourWebhook
from market.webhooks.rules.subscriptions import HOLDING_ROLES


def ensure_person(actor: Actor) -> None:
    """Let persons alone deal with webhooks: a system that makes one would outlive its own key.

    Raises:
        Forbidden: the actor is a system.
    """
    if actor.credential is not None:
        message = "A person makes and keeps webhooks, signed in; no system can."
        raise Forbidden(message)


def ensure_may_make(actor: Actor, organisation: UUID) -> None:
    """Let administrators and bid managers make webhooks, which show what they may see.

    Raises:
        Forbidden: the actor is a system.
        NotFound: the organisation is not the one the actor acts for.
        NotForThisOrganisation: the actor is neither administrator nor bid manager of it.
        FreshSignInNeeded: the sign-in is older than fifteen minutes: a webhook outlives a session.
    """
    ensure_person(actor)
    if actor.organisation != organisation:
        raise NotFound
    if HOLDING_ROLES.isdisjoint(actor.roles):
        raise NotForThisOrganisation
    ensure_fresh(actor)


def sees_all(actor: Actor, organisation: UUID) -> bool:
    """Say whether somebody sees everybody's webhooks of an organisation, or their own alone.

    Raises:
        NotFound: the organisation is not the one the actor acts for.
        Forbidden: the actor is a system, or has nothing to do with its webhooks.
    """
    ensure_person(actor)
    if actor.holds(Role.REGISTRAR):
        return True
    if actor.organisation != organisation:
        raise NotFound
    if HOLDING_ROLES.isdisjoint(actor.roles):
        message = "Only administrators and bid managers of the organisation deal with webhooks."
        raise Forbidden(message)
    return actor.holds(Role.ADMINISTRATOR)


def ensure_may_end(actor: Actor, organisation: UUID, maker: UUID) -> None:
    """Let a webhook be seen, paused and ended by its maker, administrators and a registrar.

    Raises:
        Forbidden: the actor is a system.
        NotFound: the actor may not know of it.
    """
    ensure_person(actor)
    if actor.holds(Role.REGISTRAR):
        return
    own = actor.person == maker or actor.holds(Role.ADMINISTRATOR)
    if actor.organisation != organisation or not own:
        raise NotFound


def ensure_may_change(actor: Actor, organisation: UUID, maker: UUID) -> None:
    """Let a webhook's maker, and nobody else, resume it, verify it and have it deliver again.

    What it delivers is what they may see.

    Raises:
        Forbidden: the actor is a system.
        NotFound: the actor may not know of it.
        NotYourWebhook: it is somebody else's.
        NotForThisOrganisation: its maker acts for another organisation, or has lost the role.
    """
    ensure_may_end(actor, organisation, maker)
    if actor.person != maker:
        raise NotYourWebhook
    if actor.organisation != organisation or HOLDING_ROLES.isdisjoint(actor.roles):
        raise NotForThisOrganisation


def ensure_may_rotate(actor: Actor, organisation: UUID, maker: UUID) -> None:
    """Let a webhook's maker replace its secret.

    Raises:
        Forbidden: the actor is a system.
        NotFound: the actor may not know of it.
        NotYourWebhook: it is somebody else's.
        NotForThisOrganisation: its maker acts for another organisation, or has lost the role.
        FreshSignInNeeded: the sign-in is older than fifteen minutes.
    """
    ensure_may_change(actor, organisation, maker)
    ensure_fresh(actor)
