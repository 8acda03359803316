"""What the API takes and gives about the duties of a tender."""

from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

import msgspec

from tenders.rules.duties import Duty


class AssignDuty(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Give a person a duty, held for an organisation of which they are a member."""

    person: UUID
    organisation: UUID
    duty: Duty

    example: ClassVar[dict[str, Any]] = {
        "person": "0b0d6f0e-3d5c-4bb1-8f5e-8b7f3f1f6a11",
        "organisation": "6c2b6a3c-0a3d-5d0c-9a8e-3a3e6a1f9d10",
        "duty": "opener",
    }


class DutyView(msgspec.Struct, frozen=True, kw_only=True):
    """A duty of one person in the tender, from when to when."""

    id: UUID
    person: UUID
    name: str
    organisation: UUID
    organisation_name: str
    duty: Duty
    assigned_by: UUID
    assigned_at: datetime
    released_at: datetime | None
