"""Refusals the market can give: classes named by their reason, with status and title."""

import re
from collections.abc import Callable, Sequence
from typing import ClassVar, TypeVar
from uuid import UUID

import msgspec


class Fault(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that is wrong with what was sent: where, and what to do about it."""

    field: str
    reason: str


class MarketError(Exception):
    """A refusal with a reason. Subclasses give the status, a title, and by their name the type."""

    status: ClassVar[int] = 409
    title: ClassVar[str] = "The request cannot be carried out."
    recorded: ClassVar[bool] = False
    """Whether the refusal of somebody signed in is an event: see market.refusals."""
    retry_after: int | None = None
    tender: UUID | None = None
    """The tender it is about, where the one who refuses knows it and the request does not say."""

    def __init__(
        self,
        detail: str | None = None,
        *,
        faults: Sequence[Fault] = (),
        retry_after: int | None = None,
    ) -> None:
        """Keep the reason, the fields at fault, and how many seconds to wait where it is known."""
        super().__init__(detail or self.title)
        self.detail = detail or self.title
        self.faults = tuple(faults)
        if retry_after is not None:
            self.retry_after = retry_after

    @classmethod
    def slug(cls) -> str:
        """The stable last part of the problem's type: `BiddingClosed` is `bidding-closed`."""
        return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "-", cls.__name__).lower()


class Malformed(MarketError):
    """The request could not be understood, or a value in it is not allowed."""

    status = 400
    title = "The request is not of the expected form."


class NotSignedIn(MarketError):
    """No token, or one that is unknown, expired or revoked."""

    status = 401
    title = "Sign in first."


class Forbidden(MarketError):
    """The actor may know of the thing but may not do this with it; the detail says why."""

    status = 403
    title = "You may not do this."
    recorded = True


class NotFound(MarketError):
    """There is no such thing, or none that the actor may know of."""

    status = 404
    title = "There is no such thing here."


class WrongStage(MarketError):
    """The thing exists but is not at the stage this act needs."""

    title = "This cannot be done at the present stage."


class Refused(MarketError):
    """The database kept a promise that no more particular error names."""

    title = "The market's rules do not allow this."


class Stale(MarketError):
    """The thing was changed since the caller read it."""

    status = 412
    title = "The thing has changed since you read it. Read it again and repeat the request."


class PreconditionMissing(MarketError):
    """An act on an existing thing came without If-Match."""

    status = 428
    title = "Send If-Match with the ETag of the version you read."


class TooLarge(MarketError):
    """The body is larger than the market accepts."""

    status = 413
    title = "The request's body is too large."


class TooManyRequests(MarketError):
    """A rate limit was reached."""

    status = 429
    title = "Too many requests. Wait and try again."
    retry_after = 10


class KeyMissing(MarketError):
    """A POST that creates something came without an Idempotency-Key."""

    status = 400
    title = "Send an Idempotency-Key (a UUID) so that a repeated request is carried out once."


class KeyReused(MarketError):
    """An Idempotency-Key came again with another request."""

    status = 422
    title = "This Idempotency-Key was used for another request. Use a new one."


class OutcomeUnknown(MarketError):
    """The connection to the database broke while the change was being committed."""

    status = 503
    title = "The outcome is unknown. Repeat the request with the same Idempotency-Key."
    retry_after = 1


class Busy(MarketError):
    """The database could not answer in time."""

    status = 503
    title = "The market is too busy to answer now. Try again."
    retry_after = 2


REFUSALS: dict[str, type[MarketError]] = {}
"""Which refusal a broken promise of the database is: constraint or guard name to error class."""


_Refusal = TypeVar("_Refusal", bound=type[MarketError])


def keeps(*constraints: str) -> Callable[[_Refusal], _Refusal]:
    """Name the constraints and guards of the database whose violation a refusal stands for.

    Written above the class: `@keeps("bid_one_per_lot")`.
    """

    def register(refusal: _Refusal) -> _Refusal:
        for constraint in constraints:
            REFUSALS[constraint] = refusal
        return refusal

    return register


@keeps("request_key_free")
class KeyInProgress(MarketError):
    """A request with this Idempotency-Key is being carried out now."""

    title = "A request with this Idempotency-Key is in progress. Wait and repeat it."
    retry_after = 1
