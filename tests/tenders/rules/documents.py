"""A faultless requirement as its author would send it, and a way to change one thing in it."""

import re
from typing import Any

import msgspec

from tenders.rules.requirement import Requirement

SERVICE_LINES = frozenset({"bi-decision-support", "bi-monitoring"})


def lot_document(number: int = 1) -> dict[str, Any]:
    return {
        "number": number,
        "title": "Decision support",
        "description": "Dashboards and analysis for commissioners.",
        "service_lines": ["bi-decision-support"],
        "criteria": [
            {
                "code": "Q1",
                "title": "Service",
                "kind": "quality",
                "weight": "40",
                "children": [
                    _question("Q1.1", "25.5"),
                    _question("Q1.2", "14.5"),
                ],
            },
            _question("Q2", "20"),
            {"code": "P", "title": "Price", "kind": "price", "weight": "40"},
        ],
        "minimum_quality": "50",
        "price_items": [
            {"code": "A", "title": "Core service", "unit": "month", "quantity": "36"},
            {"code": "B", "title": "Analyst", "unit": "day", "quantity": "7.25"},
        ],
        "estimated_annual_value": {"amount": "250000.00", "currency": "GBP"},
        "term_months": 36,
    }


def requirement_document() -> dict[str, Any]:
    return {
        "title": "Business intelligence for three groups",
        "description": "What we need and why.",
        "scale": [
            {"value": value, "title": title, "descriptor": f"The answer is {title}."}
            for value, title in (("0", "poor"), ("2", "fair"), ("5", "good"), ("10", "excellent"))
        ],
        "lots": [lot_document(1), lot_document(2)],
        "award_method": {"name": "lowest_price_ratio", "tie_rule": "higher_quality"},
    }


def requirement_with(changes: dict[str, Any] | None = None) -> Requirement:
    """Build the requirement with values replaced at paths such as `lots[0].title`."""
    document = requirement_document()
    for path, value in (changes or {}).items():
        *way, last = (int(step) if step.isdigit() else step for step in re.findall(r"\w+", path))
        place: Any = document
        for step in way:
            place = place[step]
        place[last] = value
    return msgspec.convert(document, Requirement)


def _question(code: str, weight: str) -> dict[str, Any]:
    return {
        "code": code,
        "title": f"Question {code}",
        "kind": "quality",
        "weight": weight,
        "question": "How will you do it?",
    }
