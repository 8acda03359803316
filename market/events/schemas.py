"""What the change feed gives: events, and where to go on."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import Meta

from market.events.commands import Detail

Position = Annotated[
    int, Meta(description="Where the event stands in the market's log, for good: from 1, gapless.")
]


class FeedEvent(msgspec.Struct, frozen=True, kw_only=True):
    """One event, as far as the reader may see it.

    `whole` says whether that is all of it. Of what is public alone, `person`, `organisation` and
    `request` are null and `details` are the public ones. `tender_number` is the event's number in
    its tender, from 1 and gapless; it is given once the bids are opened.
    """

    position: Position
    id: UUID
    type: Annotated[str, Meta(description="What was done, such as `tender.published`.")]
    occurred_at: datetime
    subject_kind: str
    subject: UUID
    tender: UUID | None
    whole: bool
    person: UUID | None
    organisation: UUID | None
    request: str | None
    details: dict[str, Detail]
    tender_number: int | None


class Feed(msgspec.Struct, frozen=True, kw_only=True):
    """Some events in the order of their positions, and where to go on."""

    items: list[FeedEvent]
    next: Annotated[
        int,
        Meta(
            description=(
                "The position to go on after. At the end of the log it is that of the last event"
                " you saw, or the size of the newest checkpoint: it does not tell of acts that you"
                " do not see as they are done."
            )
        ),
    ]
    more: Annotated[bool, Meta(description="There is more already: ask again at once.")]
