"""The buyers of a joint purchase: whether they take part, and with what share."""

from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

import msgspec

from evaluation.rules.joint import BuyerPart
from evaluation.schemas.figures import Reason, ensure_says_something
from market.money import Money


class DecideForBuyer(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whether the organisation one acts for takes part in the award, and why."""

    takes_part: bool
    reason: Reason

    example: ClassVar[dict[str, Any]] = {
        "takes_part": True,
        "reason": "Governing body, item 9: the service meets our need at our share of its price.",
    }

    def __post_init__(self) -> None:
        """Refuse a reason made of blanks."""
        ensure_says_something(self.reason)


class BuyerDecided(msgspec.Struct, frozen=True, kw_only=True):
    """A buyer's decision as it was stored, and where it took the lot."""

    buyer: UUID
    part: BuyerPart
    decided_at: datetime
    lot: int
    stage: str
    version: int


class BuyerStanding(msgspec.Struct, frozen=True, kw_only=True):
    """A buyer of the lot, its share of the awarded price, and what it decided.

    `part` is null while it has not decided. `decided_itself` is false where the approvals that made
    the award are its decision: the lead's, and that of a buyer which delegated its award duties.
    `contract` is the reference of its contract, once there is one.
    """

    buyer: UUID
    name: str
    population: int
    value: Money
    part: BuyerPart | None
    decided_itself: bool
    reason: str | None
    decided_by_name: str | None
    decided_at: datetime | None
    contract: str | None
