"""What routes take from a request besides its body: the actor, If-Match, Idempotency-Key."""

import hmac
import re
from contextlib import AbstractAsyncContextManager
from typing import Annotated, Any, Protocol, TypeVar
from uuid import UUID

import msgspec
from litestar import Response
from litestar.datastructures import State
from litestar.di import NamedDependency, Provide
from litestar.params import HeaderParameter

from market.actor import ANONYMOUS, Actor, RequestKey
from market.errors import KeyMissing, Malformed, PreconditionMissing
from market.problems import AnyRequest
from market.vault import Vault

_ETAG = re.compile(r'^"(?P<version>[1-9][0-9]{0,8})"$')


async def provide_actor(request: AnyRequest) -> Actor:
    """The actor that the guard at the door identified, and where the request came from."""
    actor = request.scope.get("market_actor", ANONYMOUS)
    if not isinstance(actor, Actor):
        actor = ANONYMOUS
    address = request.client.host if request.client else ""
    return msgspec.structs.replace(actor, address=address)


async def provide_keyed_actor(
    request: AnyRequest,
    idempotency_key: Annotated[
        str | None,
        HeaderParameter(
            name="Idempotency-Key",
            required=False,
            description=(
                "A UUID of your choice. The same request with the same key (body, If-Match and"
                " organisation acted for alike) gets the same answer."
            ),
        ),
    ] = None,
) -> Actor:
    """The actor with the key under which this request is carried out once.

    Raises:
        KeyMissing: there is no Idempotency-Key.
        Malformed: it is not a UUID.
    """
    if idempotency_key is None:
        raise KeyMissing
    try:
        key = UUID(idempotency_key)
    except ValueError:
        message = "Idempotency-Key must be a UUID."
        raise Malformed(message) from None
    actor = await provide_actor(request)
    # whom one acts for and the version one means are as much of what was asked as the body is;
    # JSON holds no NUL, so where it ends and the body begins is plain
    asked = msgspec.json.encode((actor.organisation, request.headers.get("if-match")))
    said = asked + b"\x00" + await request.body()
    operation = f"{request.method} {request.scope['path']}"[:300]
    used_for = RequestKey(key, operation, hmac.digest(key.bytes, said, "sha256"))
    return msgspec.structs.replace(actor, key=used_for)


async def provide_version(
    actor: NamedDependency[Actor],
    if_match: Annotated[
        str | None,
        HeaderParameter(
            name="If-Match", required=False, description="The ETag of the version you read."
        ),
    ] = None,
) -> int:
    """The version the caller read and means to change.

    Raises:
        PreconditionMissing: there is no If-Match.
        Malformed: it is not an ETag the market gives.
    """
    _ = actor
    if if_match is None:
        raise PreconditionMissing
    return version_in(if_match)


def version_in(if_match: str) -> int:
    """The version that an If-Match names.

    Raises:
        Malformed: it is not an ETag the market gives.
    """
    found = _ETAG.match(if_match.strip())
    if found is None:
        message = 'If-Match must be an ETag as the market gives it, such as "3".'
        raise Malformed(message)
    return int(found["version"])


async def provide_vault(state: State, actor: NamedDependency[Actor]) -> Vault:
    """Custody of keys and the market's signature, as opened at start."""
    _ = actor
    vault = state["vault"]
    if not isinstance(vault, Vault):
        message = "The vault is not open."
        raise TypeError(message)
    return vault


# What does not depend on one another Litestar provides side by side, by a group of tasks that costs
# more than what they provide. So the version and the vault come after the actor.
DEPENDENCIES = {
    "actor": Provide(provide_actor),
    "version": Provide(provide_version),
    "vault": Provide(provide_vault),
}
KEYED = {"actor": Provide(provide_keyed_actor)}
"""For a handler that creates something: its actor carries the Idempotency-Key."""


class Visit(Protocol):
    """A request's place among those worked on at a time: see market.door.capacity."""

    def away(self) -> AbstractAsyncContextManager[None]:
        """Hold no place while something else than work is waited for."""

    def working(self) -> AbstractAsyncContextManager[None]:
        """Take a place for a while in an answer that has begun."""


def visit_of(request: AnyRequest) -> Visit:
    """The place of a request that is being answered."""
    visit: Visit = request.scope["market_visit"]  # type: ignore[typeddict-item]  # ours, set by Capacity
    return visit


async def still_acting(request: AnyRequest, actor: Actor) -> bool:
    """Say whether the request's token stands for this actor still. Nobody in particular always is.

    Raises:
        NotSignedIn: an API key or client's token that does not work any more.
    """
    if actor.person is None:
        return True
    now: Actor | None = await request.scope["market_again"]()  # type: ignore[typeddict-item]  # ours, set by identify
    return now is not None and (now.person, now.organisation) == (actor.person, actor.organisation)


class Versioned(Protocol):
    """A view that says which version of the thing it shows."""

    @property
    def version(self) -> int: ...


V = TypeVar("V", bound=Versioned)


def tagged(view: V, status_code: int = 200) -> Response[V]:
    """Answer with the view and its ETag."""
    headers: dict[str, Any] = {"ETag": f'"{view.version}"'}
    return Response(view, status_code=status_code, headers=headers)


def tagged_as(_: type[V], stored: Versioned) -> Response[V]:
    """Answer with what has the form of a view when it is written, but was never read into one."""
    headers: dict[str, Any] = {"ETag": f'"{stored.version}"'}
    answer: Response[Any] = Response(stored, headers=headers)
    return answer
