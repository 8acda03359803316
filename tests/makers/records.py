"""Records of evaluations out of nothing, as JSON: as much as redaction and reports look at."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from msgspec import Struct

EVALUATORS = tuple(str(UUID(int=number)) for number in (101, 102))
MODERATOR, MANAGER = (str(UUID(int=number)) for number in (103, 104))
PEOPLE = {
    EVALUATORS[0]: ("Edith Marsh", ["quality_evaluator"]),
    EVALUATORS[1]: ("Oswald Finch", ["quality_evaluator"]),
    MODERATOR: ("Maud Torrance", ["moderator"]),
    MANAGER: ("Hal Kemble", ["tender_manager"]),
}


class OfferMade(Struct, frozen=True, kw_only=True):
    """A bid in a record: who gave it, what it costs, and words out of it."""

    supplier: str
    unit_price: str
    quotation: str
    reason: str = "Meets the need with evidence, as the panel saw it."


def pseudonym(place: int) -> str:
    """The name under which the bid at a place stands."""
    return f"Bidder {chr(65 + place)}"


def organisation(place: int) -> str:
    """The id of the bidder at a place."""
    return str(UUID(int=place + 1))


def figure(numerator: object, denominator: object = 1) -> dict[str, str]:
    """An exact figure."""
    return {"numerator": str(numerator), "denominator": str(denominator)}


def record_of_bids(bids: Sequence[OfferMade], *, interest: str = "none") -> dict[str, Any]:
    """A record in which the first bid won; everything was declared by the first evaluator."""
    names = [pseudonym(place) for place in range(len(bids))]
    return {
        "reference": "BLMK-2030-1",
        "lot": 1,
        "people": [
            {"person": person, "name": name, "duties": duties}
            for person, (name, duties) in PEOPLE.items()
        ],
        "duty_declarations": [
            {"person": MANAGER, "statement": "nothing_to_declare", "details": ""}
        ],
        "declarations": [
            {
                "person": EVALUATORS[0],
                "bidder": organisation(place),
                "interest": interest,
                "details": "" if interest == "none" else "My husband Humphrey holds shares in it.",
            }
            for place in range(len(bids))
        ],
        "conflict_decisions": [],
        "exemptions": [],
        "bids": [
            {
                "pseudonym": names[place],
                "organisation": organisation(place),
                "supplier": bid.supplier,
                "prices": [{"item": "A", "unit_price": bid.unit_price}],
                "participants": [{"role": "subcontractor", "name": f"{bid.supplier} & Sons"}],
            }
            for place, bid in enumerate(bids)
        ],
        "scores": [
            {
                "pseudonym": names[place],
                "criterion": "Q1",
                "evaluator": evaluator,
                "value": "5",
                "reason": bid.reason,
                "evidence": [{"criterion": None, "quotation": bid.quotation, "page": None}],
            }
            for place, bid in enumerate(bids)
            for evaluator in EVALUATORS
        ],
        "agreed_scores": [
            {
                "pseudonym": names[place],
                "criterion": "Q1",
                "moderator": MODERATOR,
                "value": figure(5),
                "reason": bid.reason,
                "discussion": f"{PEOPLE[MODERATOR][0]} asked twice." if place == 0 else None,
                "counted": list(EVALUATORS),
            }
            for place, bid in enumerate(bids)
        ],
        "dissents": [],
        "questions": [
            {
                "pseudonym": names[place],
                "number": 1,
                "about": "quality",
                "question": f"You write: {bid.quotation} How do you mean it?",
                "answer": bid.quotation,
            }
            for place, bid in enumerate(bids)
        ],
        "rankings": [
            {
                "number": 1,
                "round": 1,
                "because": None,
                "bids": [
                    {
                        "pseudonym": names[place],
                        "place": place + 1,
                        "price": bid.unit_price,
                        "quality_points": figure(30),
                        "price_points": figure(4000, bid.unit_price),
                        "total": figure(7000, bid.unit_price),
                    }
                    for place, bid in enumerate(bids)
                ],
            }
        ],
        "drop_outs": [],
        "low_price_decisions": [],
        "challenges": [],
        "rounds": [],
        "contracts": [],
        "recommendations": [{"number": 1, "pseudonym": names[0], "reason": "It has most points."}],
        "awards": [
            {
                "pseudonym": names[0],
                "standstill": {"rule_set": "pcr2015"},
                "notices": [
                    {
                        "pseudonym": name,
                        "recipient": organisation(place),
                        "digest": f"{place:064x}",
                    }
                    for place, name in enumerate(names)
                ],
                "checks": [],
                "buyer_decisions": [],
            }
        ],
    }
