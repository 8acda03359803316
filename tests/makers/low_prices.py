"""Lots with a price that appears abnormally low, and what is asked, answered and decided of it."""

from datetime import timedelta
from typing import Any

import httpx

from tests.makers.evaluation import EvaluatedLot, ranked_lot
from tests.makers.tenders import market_time
from tests.makers.world import Person, World

PUBLISHED = {"below_mean": "40", "below_next": "30"}
PASSING: Any = (
    {"Q1.1": "10", "Q1.2": "10", "Q2": "10"},
    {"Q1.1": "10", "Q1.2": "10", "Q2": "5"},
    {"Q1.1": "5", "Q1.2": "5", "Q2": "5"},
)
QUESTION = "Explain how you can do this at half the price of the others."
WHY = "Its own data centre saves the hosting; it showed the bills of two years."


async def low_priced_lot(world: World, **given: Any) -> EvaluatedLot:
    """A ranked lot whose first bid asks half the price of the two others."""
    options = {"prices": ("0.50", "1.00", "1.00"), "abnormally_low": PUBLISHED, **given}
    return await ranked_lot(world, agreed=PASSING, **options)


async def ask(
    lot: EvaluatedLot, place: int = 0, person: Person | None = None, days: int = 5, **given: Any
) -> httpx.Response:
    """Ask for an explanation, by default as the price evaluator, whatever the answer."""
    until = await market_time(lot.world) + timedelta(days=days)
    body = {
        "pseudonym": lot.pseudonyms[place],
        "question": QUESTION,
        "answer_by": until.isoformat(),
        **given,
    }
    asker = person or lot.tender.price_evaluator
    return await asker.post(f"{lot.path}/price-explanations", body)


async def explain(lot: EvaluatedLot, place: int = 0, number: int = 1) -> httpx.Response:
    """Answer for the bidder, whatever comes of it."""
    bid = lot.opened.bids[lot.suppliers[place], 1]["bid"]
    answer = {"answer": "We own the machines that the others rent."}
    return await lot.suppliers[place].post(f"/bids/{bid}/questions/{number}/answer", answer)


def decision(lot: EvaluatedLot, outcome: str, place: int = 0) -> dict[str, str]:
    """A right decision."""
    return {"pseudonym": lot.pseudonyms[place], "outcome": outcome, "reason": WHY}


async def decide(
    lot: EvaluatedLot, outcome: str, place: int = 0, person: Person | None = None
) -> httpx.Response:
    """Decide, by default as the tender manager, whatever the answer."""
    body = decision(lot, outcome, place)
    return await lot.act(person or lot.tender.manager, "/price-explanations/decisions", body)
