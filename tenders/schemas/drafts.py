"""What the API takes and gives about drafts, and about how one's own bid stands."""

from datetime import datetime
from typing import Annotated, Any, ClassVar
from uuid import UUID

import msgspec
from msgspec import Meta

from market.errors import Fault
from market.signing import SignedStatement
from tenders.rules.drafts import BidDraft
from tenders.schemas.bids import BidState

DraftVersion = Annotated[
    int,
    Meta(
        description=(
            "Grows with everything that your organisation saves, for whichever lot: the number of a"
            " draft that is gone does not come again."
        )
    ),
]


class SaveDraft(BidDraft, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A draft of a bid, of the same form: anything may be missing, and prices may be any text."""

    example: ClassVar[dict[str, Any]] = {
        "quality": {"answers": [{"criterion": "Q1", "text": "Two analysts are on site"}]},
        "price": {"prices": [{"item": "A", "unit_price": ""}]},
    }


class DraftSaved(msgspec.Struct, frozen=True, kw_only=True):
    """A draft was saved. `faults` is how many things it lacks before it could be submitted."""

    tender: UUID
    lot_number: int
    variant: int
    version: DraftVersion
    saved_at: datetime
    faults: int


class DraftView(msgspec.Struct, frozen=True, kw_only=True):
    """A draft as it was saved last.

    `kept` says how: it is encrypted under a key of the organisation that the market keeps, so that
    its bid managers can read it again; whoever operates the market could. A bid, once submitted,
    is sealed otherwise.
    """

    tender: UUID
    lot_number: int
    variant: int
    version: int
    saved_at: datetime
    draft: BidDraft
    kept: str = "encrypted under a key of your organisation that the market keeps"


class DraftFaults(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that a draft lacks, by its place in the draft, and whether it could be submitted.

    `closed_because` says why none could: the deadline, the admission, helping to run the tender.
    """

    version: int
    complete: bool
    faults: list[Fault]
    may_submit: bool
    closed_because: str | None
    deadline: datetime
    now: datetime


class DraftDiscarded(msgspec.Struct, frozen=True, kw_only=True):
    """A draft was discarded: nothing of what was in it is left."""

    tender: UUID
    lot_number: int
    variant: int


class StoredBid(msgspec.Struct, frozen=True, kw_only=True):
    """What is stored of one's own bid.

    `stored_whole` says that the sealed envelopes, as they lie in the database now, have the
    digests that the receipt states. A withdrawn bid has no envelopes to compare.
    """

    bid: UUID
    version: int
    state: BidState
    lacks_main_bid: Annotated[
        bool, Meta(description="A variant that stands only beside a main bid, and there is none.")
    ]
    received_at: datetime
    stored_whole: bool
    receipt: SignedStatement


class DraftStanding(msgspec.Struct, frozen=True, kw_only=True):
    """How far one's draft is."""

    version: DraftVersion
    saved_at: datetime
    faults: Annotated[
        int | None,
        Meta(description="What it lacks, counted; null while the draft cannot be decrypted."),
    ]


class MyBid(msgspec.Struct, frozen=True, kw_only=True):
    """Is my bid complete and stored? Answered in one look, from the database that decides.

    `needs_confirmation` says that a material amendment came after the bid: it must be confirmed or
    replaced before the deadline, or it lapses.
    """

    tender: UUID
    lot_number: int
    variant: int
    deadline: datetime
    now: datetime
    stored: StoredBid | None
    stands: bool
    needs_confirmation: bool
    draft: DraftStanding | None
