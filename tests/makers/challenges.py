"""Challenges of awards, made through HTTP."""

from typing import Any

import httpx

from tests.makers.bids import declare
from tests.makers.evaluation import EvaluatedLot
from tests.makers.world import Person

GROUNDS = "The reasons given for criterion Q1.2 are about another bid than ours."
DECIDED = "The reasons on record quote the bidder's own answer, page by page."


async def challenge(
    lot: EvaluatedLot, person: Person | None = None, **given: Any
) -> httpx.Response:
    """Challenge the award, by default as the second supplier, whatever the answer."""
    body = {"grounds": GROUNDS, **given}
    return await (person or lot.suppliers[1]).post(f"{lot.path}/challenges", body)


async def decide(
    lot: EvaluatedLot,
    outcome: str = "rejected",
    *,
    person: Person | None = None,
    number: int = 1,
    **given: Any,
) -> httpx.Response:
    """Decide a challenge, by default as the guardian, who declares first, whatever the answer."""
    if person is None:
        await declare(lot.tender.guardian, lot.tender)
    body = {"outcome": outcome, "reason": DECIDED, **given}
    decider = person or lot.tender.guardian
    return await decider.post(f"{lot.path}/challenges/{number}/decision", body)


async def withdraw(lot: EvaluatedLot, person: Person, number: int = 1) -> httpx.Response:
    """Withdraw a challenge, whatever the answer."""
    body = {"reason": "The further reasons that were sent to us answer it."}
    return await person.post(f"{lot.path}/challenges/{number}/withdrawal", body)
