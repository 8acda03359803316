"""Linking identities to oneself, and removing them."""

from uuid import UUID

from market.actor import Actor
from market.command import command
from market.database import execute, fetch_value
from market.errors import NotFound
from market.events.commands import record
from market.people.permissions import ensure_fresh
from market.single_sign_on.commands.requests import answered, proven_identity, refusals_noted
from market.single_sign_on.commands.sessions import link
from market.single_sign_on.permissions import ensure_way_in_remains
from market.single_sign_on.provider import IdentityProvider
from market.single_sign_on.queries import identities_of
from market.single_sign_on.rules import Identity
from market.single_sign_on.schemas import IdentityView, SignInAnswer
from market.vault import Vault


async def link_identity(
    actor: Actor, given: SignInAnswer, provider: IdentityProvider, vault: Vault
) -> IdentityView:
    """Link the identity that the provider proves to the person whose session this is.

    What makes it theirs is that they are signed in and began this themselves; an e-mail address
    at the provider never is enough.

    Raises:
        FreshSignInNeeded: the sign-in or its confirmation is older than fifteen minutes.
        SignInOver: the request is unknown, answered, expired or another person's.
        CodeRefused, IdentityNotProven, ProviderFailed: as for signing in.
        IdentityLinked: the identity is linked already, to whomever.
    """
    ensure_fresh(actor)  # so that a stolen token, or a session left open, gains nothing lasting
    request = await answered(actor, given, person=actor.person)
    async with refusals_noted(actor, request):
        identity = await proven_identity(actor, request, given, provider, vault)
        return await _link(actor, identity)


@command
async def _link(actor: Actor, identity: Identity) -> IdentityView:
    made = await link(actor, identity)
    if actor.person is None:
        raise NotFound
    return next(one for one in await identities_of(actor.person) if one.id == made)


@command
async def remove_identity(actor: Actor, link_id: UUID) -> None:
    """Remove a link of one's own: nobody signs in by that identity any more.

    Raises:
        NotFound: no such link, or not the actor's.
        LastWayIn: the person could not sign in any more.
    """
    # of two removals the second waits here and finds what is left
    password = await fetch_value(
        "SELECT password_hash IS NOT NULL FROM person WHERE id = $1 FOR NO KEY UPDATE",
        actor.person,
    )
    if actor.person is None:
        raise NotFound
    linked = [one.id for one in await identities_of(actor.person)]
    if link_id not in linked:
        raise NotFound
    ensure_way_in_remains(password=bool(password), other_links=len(linked) - 1)
    await execute(
        "UPDATE identity_link SET removed_at = market_now() WHERE id = $1 AND removed_at IS NULL",
        link_id,
    )
    await record(actor, "identity.removed", "identity_link", link_id)
