"""Who is asking, by a session, an API key or a client's token: found out before all else."""

import functools

import msgspec
from litestar.connection import ASGIConnection
from litestar.handlers.base import BaseRouteHandler

from market import refusals
from market.actor import ANONYMOUS, Actor
from market.door.limits import Limits
from market.errors import MarketError, NotSignedIn
from market.people.queries import actor_of
from market.settings import Settings
from market.systems.commands.uses import note_refused, note_use
from market.systems.credentials import TOKEN_PREFIX
from market.systems.errors import BeyondScope
from market.systems.permissions import ensure_within_scopes
from market.systems.queries.identity import (
    RefusedCredential,
    actor_of_client_token,
    actor_of_key,
)
from market.systems.rules.keys import PREFIX
from market.vault import Vault

_LONGEST_TOKEN = 200


class Door:
    """What the door of one process keeps: its counts, and what API keys are checked with."""

    def __init__(self, settings: Settings, vault: Vault) -> None:
        """Take the limits from the settings and the pepper from the vault."""
        self.limits = Limits(settings)
        self._pepper = vault.pepper()

    async def actor_of(self, token: str, address: str, request: str) -> Actor | None:
        """Who a bearer token stands for now; None for a session's token that does not work.

        Raises:
            NotSignedIn: a key or client's token that does not work, and why where that may be told.
        """
        if not token.startswith((PREFIX, TOKEN_PREFIX)):
            return await actor_of(token, request)
        try:
            actor = (
                await actor_of_key(token, self._pepper, address, request)
                if token.startswith(PREFIX)
                else await actor_of_client_token(token, request)
            )
        except RefusedCredential as refused:
            if self.limits.first_this_minute("refused", str(refused.credential)):
                await _note(refused, request)
            raise refused.refusal from None
        credential = actor.credential
        if credential is not None and self.limits.first_this_minute("use", str(credential)):
            await note_use(credential, address)
        return actor


async def _note(refused: RefusedCredential, request: str) -> None:
    """Record a refused credential; the refusal stays one when it cannot be recorded."""
    try:
        await note_refused(Actor(request=request), refused.credential, refused.refusal.slug())
    except MarketError:
        return


async def identify(connection: ASGIConnection, handler: BaseRouteHandler) -> None:  # type: ignore[type-arg]  # the guard's own signature in Litestar
    """Find out who is asking, before anything of the body is read.

    A handler marked `public` serves everybody; every other one needs a token that works now. A
    system reaches what its scopes cover and nothing else: a handler without a `scope` is not for
    systems. One marked `anonymous` does not look at who asks.

    Raises:
        NotSignedIn: no token, or one that is unknown, expired or revoked.
        BeyondScope: a system asks for what its scopes do not cover.
        TooManyRequests: the person, credential, address or tender was asked for too often.
    """
    door: Door = connection.app.state["door"]
    request = str(connection.scope.get("market_request", "-"))
    address = connection.client.host if connection.client else "unknown"
    opt = handler.opt
    actor = None
    if not opt.get("anonymous"):
        actor = await _actor(door, connection.headers.get("authorization"), address, request)
    door.limits.spend_request(actor, address)
    if opt.get("costly"):
        door.limits.spend_costly(address)
    tender = connection.path_params.get("tender_id")
    if tender is not None and not opt.get("submission"):
        door.limits.spend_on_tender(str(tender))
    if actor is None:
        if not opt.get("public"):
            raise NotSignedIn
        actor = msgspec.structs.replace(ANONYMOUS, request=request)
    else:
        try:
            ensure_within_scopes(actor, opt.get("scope"))
        except BeyondScope as refusal:
            await refusals.record(actor, f"door.{handler.fn.__name__}", refusal, tender)
            raise
    connection.scope["market_actor"] = actor  # type: ignore[typeddict-unknown-key]  # ours, read by provide_actor
    header = connection.headers.get("authorization")
    connection.scope["market_again"] = functools.partial(_actor, door, header, address, request)  # type: ignore[typeddict-unknown-key]  # ours, read by still_acting


async def _actor(door: Door, header: str | None, address: str, request: str) -> Actor | None:
    """Who sent this Authorization header; None for nobody, or nobody that a session knows."""
    scheme, _, token = (header or "").partition(" ")
    token = token.strip()
    if scheme.lower() != "bearer" or not 0 < len(token) <= _LONGEST_TOKEN:
        return None
    door.limits.ensure_address_may_try(address)
    try:
        actor = await door.actor_of(token, address, request)
    except NotSignedIn:
        door.limits.count_wrong(address)
        raise
    if actor is None:
        door.limits.count_wrong(address)
    return actor
