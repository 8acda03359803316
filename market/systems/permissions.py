"""Who makes, sees and ends the credentials of systems, and what these may be used for."""

from collections.abc import Collection
from uuid import UUID

from market.actor import Actor, Role, Scope
from market.errors import Forbidden, NotFound
from market.people.permissions import ensure_fresh
from market.systems.errors import BeyondScope, NotInOwnOrganisation, PersonActs
from market.systems.rules.keys import HOLDING_ROLES


def answers_for_systems(roles: Collection[Role]) -> bool:
    """Say whether somebody with these roles may have credentials, and answers for them."""
    return not HOLDING_ROLES.isdisjoint(roles)


def ensure_within_scopes(actor: Actor, scope: Scope | None) -> None:
    """Let a system do what its scopes cover, and nothing that has no scope. Persons have none.

    Raises:
        BeyondScope: the operation is not for systems, or not for this one.
    """
    if actor.scopes is None:
        return
    if scope is None:
        message = "No scope covers this: a person does it, signed in."
        raise BeyondScope(message)
    if scope not in actor.scopes:
        message = f"This needs the scope {scope}, which this key or token does not have."
        raise BeyondScope(message)


def ensure_person(actor: Actor) -> None:
    """Let persons alone deal with credentials, never systems.

    Raises:
        PersonActs: the actor is a system.
    """
    if actor.credential is not None:
        raise PersonActs


def ensure_may_make(actor: Actor, organisation: UUID) -> None:
    """Let administrators and bid managers make credentials, for themselves.

    Raises:
        PersonActs: the actor is a system.
        NotFound: the organisation is not the one the actor acts for.
        NotInOwnOrganisation: the actor is neither administrator nor bid manager of it.
        FreshSignInNeeded: the sign-in is older than fifteen minutes: a key outlives a session.
    """
    ensure_person(actor)
    if actor.organisation != organisation:
        raise NotFound
    if not answers_for_systems(actor.roles):
        raise NotInOwnOrganisation
    ensure_fresh(actor)


def sees_all(actor: Actor, organisation: UUID) -> bool:
    """Say whether somebody sees everybody's credentials of an organisation, or their own alone.

    Raises:
        NotFound: the organisation is not the one the actor acts for.
        Forbidden: the actor has nothing to do with its systems.
    """
    ensure_person(actor)
    if actor.holds(Role.REGISTRAR):
        return True
    if actor.organisation != organisation:
        raise NotFound
    if not answers_for_systems(actor.roles):
        message = "Only administrators and bid managers of the organisation deal with its systems."
        raise Forbidden(message)
    return actor.holds(Role.ADMINISTRATOR)


def ensure_may_end(actor: Actor, organisation: UUID, owner: UUID) -> None:
    """Let a credential be ended by whoever made it, the organisation's administrators, a registrar.

    Raises:
        PersonActs: the actor is a system.
        NotFound: the actor may not know of it.
    """
    ensure_person(actor)
    if actor.holds(Role.REGISTRAR) or actor.person == owner:
        return
    if actor.organisation != organisation or not actor.holds(Role.ADMINISTRATOR):
        raise NotFound


def ensure_may_change(actor: Actor, organisation: UUID, owner: UUID) -> None:
    """Let whoever made a credential, and nobody else, replace its secret or its keys.

    Another's secret would let one act in that person's name.

    Raises:
        PersonActs: the actor is a system.
        NotFound: the actor may not know of it.
        Forbidden: it is somebody else's.
        NotInOwnOrganisation: its maker is neither administrator nor bid manager any more.
        FreshSignInNeeded: the sign-in is older than fifteen minutes.
    """
    ensure_may_end(actor, organisation, owner)
    if actor.person != owner:
        message = "It acts in the name of whoever made it: only they replace it. You may revoke it."
        raise Forbidden(message)
    if actor.organisation != organisation:
        message = "Sign in for the organisation that this belongs to."
        raise Forbidden(message)
    if not answers_for_systems(actor.roles):
        raise NotInOwnOrganisation
    ensure_fresh(actor)
