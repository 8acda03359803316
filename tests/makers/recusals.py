"""Interests in tests, entered in a register through HTTP, and decided by a guardian."""

from typing import Any

import httpx

from tests.makers.tenders import PublishedTender, market_time
from tests.makers.world import Person, World


async def register_interest(world: World, person: Person, **changes: Any) -> dict[str, Any]:
    """Enter an interest of one's own in the register of one's organisation; it must be accepted."""
    today = (await market_time(world)).date().isoformat()
    body: dict[str, Any] = {
        "kind": "financial",
        "relationship": "shareholder",
        "nature": "It is said here in a sentence.",
        "aware_on": today,
        "consents": True,
        "accurate": True,
        **changes,
    }
    answer = await person.post(f"/organisations/{person.organisation}/interests", body)
    assert answer.status_code == 201, answer.text
    view: dict[str, Any] = answer.json()
    return view


async def decide_conflict(
    guardian: Person, tender: PublishedTender, about: Person, bidder: Person, outcome: str
) -> httpx.Response:
    """Decide about somebody's interest in a bidder, whatever the answer."""
    body = {
        "person": str(about.id),
        "bidder": str(bidder.organisation),
        "outcome": outcome,
        "reason": "Weighed against the guidance and the panel's need.",
    }
    return await guardian.post(f"{tender.path}/conflict-decisions", body)
