"""Panels in tests: a third evaluator, assignments through HTTP, and minutes."""

from collections.abc import Mapping, Sequence
from typing import Any

import httpx

from market.actor import Role
from tests.makers.bids import declare
from tests.makers.evaluation import REASON, EvaluatedLot
from tests.makers.tenders import assign
from tests.makers.world import Person

WHOLE = ("Q1.1", "Q1.2", "Q2")
"""What is scored in a lot."""


async def another_evaluator(lot: EvaluatedLot, name: str = "Elsa Evaluator") -> Person:
    """One more quality evaluator, who has taken up the duty and declared no interest."""
    home = lot.tender.manager.organisation
    person = await lot.world.person(name, home, Role.COMMISSIONER)
    given = await assign(lot.tender.manager, lot.tender.id, person, "quality_evaluator")
    assert given.status_code == 201, given.text
    await declare(person, lot.tender)
    return person


async def panel(lot: EvaluatedLot, person: Person | None = None) -> dict[str, Any]:
    """The panel as somebody, by default the manager, sees it."""
    answer = await (person or lot.tender.manager).get(f"{lot.path}/panel")
    assert answer.status_code == 200, answer.text
    view: dict[str, Any] = answer.json()
    return view


async def set_panel(
    lot: EvaluatedLot,
    seats: Mapping[Person, Sequence[str]],
    because: str | None = "The panel is set.",
    *,
    by: Person | None = None,
    version: int | None = None,
) -> httpx.Response:
    """Assign evaluators on the panel's present version, whatever the answer."""
    if version is None:
        version = (await panel(lot))["version"]
    body = {
        "evaluators": [
            {"person": str(person.id), "criteria": list(codes)} for person, codes in seats.items()
        ],
        "because": because,
    }
    return await (by or lot.tender.manager).put(f"{lot.path}/panel", body, version=version)


async def score_assigned(
    lot: EvaluatedLot, seats: Mapping[Person, Sequence[str]], value: str = "5"
) -> None:
    """Let everybody score what they are assigned to, alike, and lock."""
    for person, codes in seats.items():
        for place in range(len(lot.pseudonyms)):
            for code in codes:
                answer = await lot.score(person, place, code, value)
                assert answer.status_code == 201, answer.text
        locked = await lot.lock(person)
        assert locked.status_code == 201, locked.text


async def agree(lot: EvaluatedLot, place: int, code: str, **given: Any) -> httpx.Response:
    """Record an agreed score with whatever parts, whatever the answer."""
    return await lot.tender.moderator.post(
        f"{lot.path}/evaluation/bids/{lot.pseudonyms[place]}/agreed-scores",
        {"criterion": code, "reason": REASON, **given},
    )


async def minutes(lot: EvaluatedLot, person: Person | None = None) -> dict[str, Any]:
    """The minutes of moderation as somebody, by default the moderator, reads them."""
    answer = await (person or lot.tender.moderator).get(f"{lot.path}/moderation-minutes")
    assert answer.status_code == 200, answer.text
    view: dict[str, Any] = answer.json()
    return view
