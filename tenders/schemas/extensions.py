"""What the API takes and gives about proposals to extend after an interruption."""

from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

import msgspec

from tenders.rules.extensions import ExtensionOutcome
from tenders.schemas.tenders import Instant, Reason


class DecideExtension(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Put the deadline off because of an interruption, or say why not. It is decided once.

    The reason is published with the amendment that acceptance makes.
    """

    outcome: ExtensionOutcome
    deadline: Instant | None = None
    reason: Reason

    example: ClassVar[dict[str, Any]] = {
        "outcome": "accepted",
        "deadline": "2030-04-04T13:00:00Z",
        "reason": "The market could not be reached for eleven minutes before the deadline.",
    }


class ExtensionProposalView(msgspec.Struct, frozen=True, kw_only=True):
    """That the market could not be reached in the last hour before a deadline, and what followed.

    `began_at` and `ended_at` are the interruption's, `deadline` is what it was then. While
    `outcome` is null nobody has decided, and nothing is opened. `amendment` is the number of the
    amendment that put the deadline off.
    """

    id: UUID
    tender: UUID
    deadline: datetime
    began_at: datetime
    ended_at: datetime
    proposed_at: datetime
    outcome: ExtensionOutcome | None
    amendment: int | None
    reason: str | None
    decided_at: datetime | None
