"""Who takes part in a bid in tests, and what the lead declares for them."""

from typing import Any
from uuid import UUID

import httpx

from tests.makers.bids import asked, bid_body, give_bid
from tests.makers.tenders import PublishedTender
from tests.makers.world import Person

DECLARED = {"exclusion_grounds": "no_grounds", "consents": True}
"""What a lead declares for most participants."""


def consortium_member(organisation: UUID | str) -> dict[str, Any]:
    """A participant who bids jointly."""
    return {
        "role": "consortium_member",
        "organisation": str(organisation),
        "declaration": DECLARED,
    }


def subcontracted(organisation: UUID | str) -> dict[str, Any]:
    """A registered participant who does a part of the work."""
    return consortium_member(organisation) | {"role": "subcontractor", "share": "5"}


def subcontractor(name: str, number: str | None = None, **changes: Any) -> dict[str, Any]:
    """A participant known by name, and by company number where one is given."""
    identifier = {} if number is None else {"identifier": {"scheme": "GB-COH", "value": number}}
    return {
        "role": "subcontractor",
        "name": name,
        "share": "1.5",
        "declaration": DECLARED,
        **identifier,
        **changes,
    }


async def bid_with(
    person: Person, tender: PublishedTender, *participants: Any, **options: Any
) -> httpx.Response:
    """Bid for lot 1 with participants."""
    body = bid_body(asked(tender, 1)) | {"participants": list(participants)}
    return await give_bid(person, tender, 1, body, **options)
