"""Beginning a sign-in, and taking its answer: once, and from whoever began it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from uuid import UUID, uuid4

import msgspec

from market.actor import Actor
from market.command import command
from market.database import fetch_one, fetch_value, reading
from market.errors import MarketError, NotSignedIn
from market.events.commands import record
from market.people import credentials
from market.people.commands import open_invitation
from market.people.errors import InvitationOver
from market.single_sign_on.errors import SignInOver
from market.single_sign_on.provider import IdentityProvider
from market.single_sign_on.queries import real_time
from market.single_sign_on.rules import Expected, Identity, Proof, proof_of
from market.single_sign_on.schemas import AskSignIn, SignInAnswer, SignInAsked
from market.vault import Vault

_PURPOSE = b"market.single_sign_on"


class Answered(msgspec.Struct, frozen=True, kw_only=True):
    """A sign-in whose answer has come, and will not be taken again."""

    id: UUID
    organisation: UUID | None
    invitation: UUID | None
    fresh: bool
    asked_at: datetime


def _proof(vault: Vault, state: str, binding: str) -> Proof:
    return proof_of(vault.derive_secret(_PURPOSE), state, binding)


async def ask(
    actor: Actor, given: AskSignIn, provider: IdentityProvider, vault: Vault
) -> SignInAsked:
    """Begin to sign in: give the provider's address, and remember what will be answered.

    Of the two random texts digests alone are kept; the code verifier and the nonce are derived
    from them and a secret of the market, and kept nowhere. The provider is asked first, in no
    transaction.

    Raises:
        NotSignedIn: an identity is to be linked by nobody.
        InvitationOver: unknown, expired, accepted or revoked, or its maker may no longer invite.
        ProviderFailed: the provider's metadata cannot be had or used.
    """
    if given.link and actor.person is None:
        raise NotSignedIn
    invitation = None
    if given.invitation is not None:
        async with reading(actor):
            invitation = await open_invitation(credentials.digest(given.invitation))
        if invitation is None:
            raise InvitationOver
    state, binding = credentials.new_secret(), credentials.new_secret()
    address = await provider.authorization_address(
        state, _proof(vault, state, binding), fresh=given.fresh
    )
    expires_at = await _ask(
        actor, given, state, binding, None if invitation is None else invitation.id
    )
    return SignInAsked(authorization_url=address, binding=binding, expires_at=expires_at)


@command
async def _ask(
    actor: Actor, given: AskSignIn, state: str, binding: str, invitation: UUID | None
) -> datetime:
    request = uuid4()
    expires_at: datetime = await fetch_value(
        "INSERT INTO single_sign_on_request"
        " (id, state_digest, binding_digest, person, organisation, invitation, fresh)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING expires_at",
        request,
        credentials.digest(state),
        credentials.digest(binding),
        actor.person if given.link else None,
        given.organisation,
        invitation,
        given.fresh,
    )
    await record(actor, "single_sign_on.asked", "single_sign_on_request", request)
    return expires_at


async def answered(actor: Actor, given: SignInAnswer, *, person: UUID | None) -> Answered:
    """Take the answer to a sign-in that was begun, once: before anything else is done with it.

    `person` is who links an identity to themselves; None is somebody who signs in.

    Raises:
        SignInOver: unknown, answered or expired, begun elsewhere, or begun for another purpose.
    """
    try:
        return await _answered(actor, given, person)
    except SignInOver as refusal:
        await _note_refused(actor.continued(), None, refusal)
        raise


@command
async def _answered(actor: Actor, given: SignInAnswer, person: UUID | None) -> Answered:
    # the row is the lock: of two answers the second waits here and finds it taken
    found = await fetch_one(
        Answered,
        "UPDATE single_sign_on_request SET used_at = clock_timestamp()"
        " WHERE state_digest = $1 AND binding_digest = $2 AND person IS NOT DISTINCT FROM $3"
        " AND used_at IS NULL AND expires_at > clock_timestamp()"
        " RETURNING id, organisation, invitation, fresh, asked_at",
        credentials.digest(given.state),
        credentials.digest(given.binding),
        person,
    )
    if found is None:
        raise SignInOver
    await record(actor, "single_sign_on.answered", "single_sign_on_request", found.id)
    return found


async def proven_identity(
    actor: Actor, request: Answered, given: SignInAnswer, provider: IdentityProvider, vault: Vault
) -> Identity:
    """Who the provider proves to sign in. Asks it, so it runs in no transaction.

    Raises:
        CodeRefused: the provider does not accept the code.
        IdentityNotProven: its token proves nothing, and why.
        ProviderFailed: it gives no usable answer.
    """
    proof = _proof(vault, given.state, given.binding)
    tokens = await provider.exchange(given.code, proof, given.iss)
    expected = Expected(
        issuer=provider.issuer,
        client_id=provider.client_id,
        nonce=proof.nonce,
        asked_at=int(request.asked_at.timestamp()),
        now=int((await real_time(actor)).timestamp()),
        skew=provider.skew,
        fresh=request.fresh,
    )
    identity = await provider.identity(tokens, expected)
    return identity if request.invitation is None else await provider.described(identity, tokens)


@asynccontextmanager
async def refusals_noted(actor: Actor, request: Answered) -> AsyncIterator[None]:
    """Record every refusal of an answer that was taken, in a transaction of its own."""
    try:
        yield
    except MarketError as refusal:
        await _note_refused(actor.continued(), request.id, refusal)
        raise


@command
async def _note_refused(actor: Actor, request: UUID | None, refusal: MarketError) -> None:
    """Record a refused sign-in, like a refused password; one that is unknown as well."""
    kind = "state" if request is None else "single_sign_on_request"
    await record(
        actor,
        "session.refused",
        kind,
        request or uuid4(),
        refusal=refusal.slug(),
        private={"reason": refusal.detail},
    )
