"""What the API takes and gives about amendments, and about bids confirmed after them."""

from datetime import datetime
from typing import Annotated, Any, ClassVar
from uuid import UUID

import msgspec
from msgspec import Meta

from market.signing import SignedStatement
from tenders.rules.amendments import Change
from tenders.schemas.tenders import Instant, Reason, Title


class PublishAmendment(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Amend a published tender before its deadline: put the deadline off, or change what is asked.

    `takes_requirement` publishes the changed requirement that a reviewer approved. Where more than
    wording changes the amendment is material: it needs a deadline at least six whole days later,
    and every bid given before is confirmed or replaced, or lapses.
    """

    summary: Title
    reason: Reason
    material: bool
    deadline: Instant | None = None
    takes_requirement: bool = False

    example: ClassVar[dict[str, Any]] = {
        "summary": "A week more for bids",
        "reason": "Several suppliers asked for time to agree terms with subcontractors.",
        "material": False,
        "deadline": "2030-04-04T11:00:00Z",
    }


class AmendmentView(msgspec.Struct, frozen=True, kw_only=True):
    """One numbered amendment: what was said of it, and what it changed.

    `changes` is computed from the two versions of the requirement, which have the digests given
    (SHA-256 of RFC 8785 canonical JSON); it is empty where the deadline alone was put off.
    """

    tender: UUID
    number: int
    summary: str
    reason: str
    material: bool
    published_at: datetime
    deadline_before: datetime
    deadline_after: datetime
    requirement_before: int
    requirement_after: int
    digest_before: str
    digest_after: str
    changes: list[Change]
    new_forms: Annotated[
        list[int],
        Meta(description="Lots whose bids answer or price other things now: they are replaced."),
    ]


class AmendmentPublished(AmendmentView, frozen=True, kw_only=True):
    """An amendment as it was published; `version` is the tender's from then on, as in the ETag."""

    version: int


class ConfirmBid(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Say that a bid stands as it is after the latest material amendment, which one has read."""

    amendment: Annotated[int, Meta(ge=1, le=1_000_000, description="The number of that amendment.")]

    example: ClassVar[dict[str, Any]] = {"amendment": 1}


class BidConfirmed(msgspec.Struct, frozen=True, kw_only=True):
    """A bid was confirmed: the signed receipt. `version` is the bid's, which does not change."""

    bid: UUID
    version: int
    amendment: int
    confirmed_at: datetime
    receipt: SignedStatement
