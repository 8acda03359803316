"""What the API takes and gives about webhooks, their deliveries and what is asked of them."""

from datetime import datetime
from typing import Annotated, Any, ClassVar
from uuid import UUID

import msgspec
from msgspec import UNSET, Meta, UnsetType

from market.webhooks.rules.retries import DeliveryOutcome
from market.webhooks.rules.subscriptions import (
    LONGEST_OVERLAP,
    MOST_TYPES,
    WebhookEndReason,
    WebhookPauseReason,
    WebhookRequestKind,
    WebhookState,
)

_LONGEST_OVERLAP = int(LONGEST_OVERLAP.total_seconds())
_HIGHEST = 2**53 - 1  # what every reader of JSON has an exact number for

EventType = Annotated[
    str,
    Meta(
        pattern=r"^[a-z_]+\.(?:[a-z_]+|\*)(?!\n)$",
        max_length=80,
        description="A type of event, such as `tender.published`, or all with a prefix: `bid.*`.",
    ),
]
Position = Annotated[int, Meta(ge=0, le=_HIGHEST)]


class MakeWebhook(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Make a webhook for oneself: where to, which types of events, of which tender.

    With no types, every event one may see. `after` is a position of the feed to begin behind, 0
    for the beginning of the log; without it, what happens from now on.
    """

    url: Annotated[str, Meta(min_length=1, max_length=2000)]
    types: Annotated[list[EventType], Meta(max_length=MOST_TYPES)] = []  # msgspec copies it
    tender: UUID | None = None
    after: Position | UnsetType = UNSET

    example: ClassVar[dict[str, Any]] = {
        "url": "https://hooks.fenland-data.example/market",
        "types": ["tender.*", "bid.submitted"],
        "after": 0,
    }


class RotateSecret(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Replace the secret. The former ones go on signing beside it for `overlap_seconds`.

    A day unless it is less; 0 where a secret has leaked.
    """

    overlap_seconds: Annotated[int, Meta(ge=0, le=_LONGEST_OVERLAP)] = _LONGEST_OVERLAP

    example: ClassVar[dict[str, Any]] = {"overlap_seconds": 3600}


class ReplayWebhook(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Deliver again: one `delivery` that has ended, all `dead` ones, or all `after` a position.

    Exactly one of the three. From a position everything goes out again that is shown now, what
    has become visible since included; receivers know a repetition by its `webhook-id`.
    """

    delivery: UUID | UnsetType = UNSET
    dead: bool = False
    after: Position | UnsetType = UNSET

    example: ClassVar[dict[str, Any]] = {"dead": True}

    def __post_init__(self) -> None:
        """Refuse none, and more than one.

        Raises:
            ValueError: says so.
        """
        given = (self.delivery is not UNSET) + self.dead + (self.after is not UNSET)
        if given != 1:
            message = "Give one of delivery, dead (true) and after."
            raise ValueError(message)


class WebhookSecretView(msgspec.Struct, frozen=True, kw_only=True):
    """A secret that signs: since when, and until when if it has been replaced."""

    id: UUID
    made_at: datetime
    signs_until: datetime | None


class WebhookMade(msgspec.Struct, frozen=True, kw_only=True):
    """A webhook without its secret, as it is stored to answer a repeated request."""

    id: UUID
    organisation: UUID
    person: UUID
    url: str
    types: list[str]
    tender: UUID | None
    start_after: int
    version: int
    made_at: datetime
    secret_id: UUID


class WebhookGiven(WebhookMade, frozen=True, kw_only=True):
    """A webhook with its new secret, which is shown here and never again.

    It is in the form of Standard Webhooks, as their libraries take it. In the answer to a repeated
    request it is null once it no longer signs.
    """

    secret: str | None


class WebhookView(msgspec.Struct, frozen=True, kw_only=True):
    """A webhook as it stands. Its secrets' times are shown to its maker alone."""

    id: UUID
    organisation: UUID
    person: UUID
    person_name: str
    url: str
    types: list[str]
    tender: UUID | None
    state: WebhookState
    version: int
    made_at: datetime
    verified_at: datetime | None
    verification_failure: str | None
    """Why the last attempt to verify it failed, if it did."""
    paused_at: datetime | None
    paused_because: WebhookPauseReason | None
    ended_at: datetime | None
    ended_because: WebhookEndReason | None
    position: int
    """How far in the feed its events have been looked for."""
    waiting: int
    """How many deliveries wait to be delivered."""
    dead: int
    """How many were given up in the last thirty days and not delivered since."""
    secrets: list[WebhookSecretView]


class WebhookDeliveryView(msgspec.Struct, frozen=True, kw_only=True):
    """One event for one webhook: how often it was tried, and how it ended."""

    id: UUID
    event: UUID
    position: int
    """Of the event in the feed; 0 for a verification."""
    type: str
    subject: UUID
    made_at: datetime
    attempts: int
    next_attempt_at: datetime | None
    """Null where it has ended, or waits for an earlier event of its subject."""
    outcome: DeliveryOutcome | None
    settled_at: datetime | None


class WebhookAttemptView(msgspec.Struct, frozen=True, kw_only=True):
    """One attempt: when, for how long, and the status or what failed."""

    made_at: datetime
    milliseconds: int
    status: int | None
    failure: str | None


class WebhookDeliveryLog(WebhookDeliveryView, frozen=True, kw_only=True):
    """A delivery with its attempts of the last thirty days, the last one first."""

    log: list[WebhookAttemptView]


class WebhookRequestView(msgspec.Struct, frozen=True, kw_only=True):
    """What was asked for: the worker carries it out within a second or so."""

    id: UUID
    webhook: UUID
    kind: WebhookRequestKind
    asked_at: datetime
