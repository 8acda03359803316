"""What the API takes and gives about saved searches."""

from datetime import datetime
from typing import Annotated, Any, ClassVar
from uuid import UUID

import msgspec
from msgspec import Meta

from tenders.rules.searches import Filters

Name = Annotated[
    str, Meta(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f]*[^\x00-\x20][^\x00-\x1f]*$")
]


class SaveSearch(Filters, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Keep a search, by the filters of the list of opportunities, under a name of one's own."""

    name: Name

    example: ClassVar[dict[str, Any]] = {
        "name": "Decision support in the east",
        "text": "intelligence",
        "service_lines": ["bi-decision-support"],
        "minimum_value": "50000.00",
    }


class SavedSearchView(msgspec.Struct, frozen=True, kw_only=True):
    """A saved search in force. Each bound of the value includes itself."""

    id: UUID
    name: str
    text: str | None
    service_lines: list[str]
    buyer: UUID | None
    minimum_value: str | None
    maximum_value: str | None
    made_at: datetime
