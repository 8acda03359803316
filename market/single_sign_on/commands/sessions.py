"""Signing in by an identity the provider has proven, known here or invited."""

from uuid import UUID, uuid4

import msgspec

from market.actor import Actor
from market.command import command
from market.database import execute, fetch_one, reading
from market.events.commands import record
from market.people.commands import NewPerson, begin_session, take_up
from market.people.errors import InvitationOver
from market.people.rules import SignInMethod
from market.people.schemas import SessionGiven
from market.single_sign_on.commands.requests import (
    Answered,
    answered,
    proven_identity,
    refusals_noted,
)
from market.single_sign_on.errors import AddressRegistered, IdentityUnknown, InvitedSomebodyElse
from market.single_sign_on.provider import IdentityProvider
from market.single_sign_on.queries import is_registered, person_of
from market.single_sign_on.rules import Identity, ensure_invited, name_of
from market.single_sign_on.schemas import SignInAnswer
from market.vault import Vault


class _Invitation(msgspec.Struct, frozen=True):
    id: UUID
    email: str
    organisation: UUID


async def sign_in(
    actor: Actor, given: SignInAnswer, provider: IdentityProvider, vault: Vault, lifetime: int
) -> SessionGiven:
    """Give a session for the answer of the identity provider.

    The answer is taken in one transaction, so that it counts once; the provider is asked in none;
    an invitation is taken up in a second one, and the session begun in a third. The session is
    fresh as from when the provider says that the person signed in there.

    Raises:
        SignInOver: the sign-in is unknown, answered or expired, or was begun elsewhere.
        CodeRefused: the provider does not accept the code.
        IdentityNotProven: its token proves nothing, and why.
        ProviderFailed: it gives no usable answer.
        IdentityUnknown: the identity is nobody's here, and no invitation came with it.
        EmailNotVerified, InvitedSomebodyElse, AddressRegistered, InvitationOver: the invitation
            that came with it cannot be taken up by this identity.
        WrongCredentials: the person does not belong to the organisation that was asked for.
    """
    asking = Actor(request=actor.request)  # whoever else is signed in here has no part in it
    request = await answered(asking, given, person=None)
    async with refusals_noted(asking, request):
        identity = await proven_identity(asking, request, given, provider, vault)
        person, organisation = await _person(asking, request, identity)
        signing_in = Actor(person=person, organisation=organisation, request=actor.request)
        return await begin_session(
            signing_in,
            person,
            organisation,
            lifetime,
            SignInMethod.SINGLE_SIGN_ON,
            proved_at=identity.signed_in_at,
        )


async def _person(asking: Actor, request: Answered, identity: Identity) -> tuple[UUID, UUID | None]:
    """Whose identity it is, an invitation taken up; and the organisation to act for."""
    known = await person_of(asking, identity.issuer, identity.subject)
    if request.invitation is None:
        if known is None:
            raise IdentityUnknown
        return known.id, request.organisation
    invitation = await _invitation(asking, request.invitation)
    if known is not None:
        # who they are is proven by the link; that they are meant, by the address they have here
        if known.email != invitation.email:
            raise InvitedSomebodyElse
        accepting = Actor(person=known.id, request=asking.request)
        await _accept(accepting, invitation.id, None, identity)
        return known.id, request.organisation or invitation.organisation
    ensure_invited(identity, invitation.email)
    if await is_registered(asking, invitation.email):
        raise AddressRegistered
    new = NewPerson(
        id=uuid4(),
        email=invitation.email,
        name=name_of(identity, invitation.email),
        password_hash=None,
    )
    accepting = Actor(person=new.id, request=asking.request)
    await _accept(accepting, invitation.id, new, identity)
    return new.id, request.organisation or invitation.organisation


async def _invitation(asking: Actor, invitation: UUID) -> _Invitation:
    async with reading(asking):
        found = await fetch_one(
            _Invitation,
            "SELECT id, email, organisation FROM invitation WHERE id = $1",
            invitation,
        )
    if found is None:
        raise InvitationOver
    return found


@command
async def _accept(
    actor: Actor, invitation: UUID, new: NewPerson | None, identity: Identity
) -> None:
    """Take up an invitation; somebody new is registered without a password, and linked."""
    await take_up(actor, invitation, new)
    if new is not None:
        await link(actor, identity)


async def link(actor: Actor, identity: Identity) -> UUID:
    """Write that an identity is the actor's, inside a command that has permitted it."""
    made = uuid4()
    await execute(
        "INSERT INTO identity_link (id, person, issuer, subject, linked_at)"
        " VALUES ($1, $2, $3, $4, market_now())",
        made,
        actor.person,
        identity.issuer,
        identity.subject,
    )
    await record(actor, "identity.linked", "identity_link", made)
    return made
