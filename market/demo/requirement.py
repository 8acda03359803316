"""What is bought: the requirement as its author writes it, and its timetable."""

from typing import Any

from market.demo.bidders import BUSINESS_INTELLIGENCE, MEDICINES

RULE_SET_DATE = "2020-09-01"
OPEN_DAYS = 45

SCALE = [
    {
        "value": "0",
        "title": "Unacceptable",
        "descriptor": "Nothing, or nothing that bears on the need.",
    },
    {"value": "1", "title": "Poor", "descriptor": "Meets a part of the need; serious doubts."},
    {"value": "2", "title": "Acceptable", "descriptor": "Meets the need broadly; some doubts."},
    {"value": "3", "title": "Good", "descriptor": "Meets the need, with detail and evidence."},
    {
        "value": "4",
        "title": "Excellent",
        "descriptor": "Meets all of the need with commitments beyond it; full confidence.",
    },
]


def _quality(code: str, title: str, weight: str, question: str) -> dict[str, Any]:
    return {
        "code": code,
        "title": title,
        "kind": "quality",
        "weight": weight,
        "question": question,
    }


REQUIREMENT: dict[str, Any] = {
    "title": "Business intelligence and medicines optimisation support for three groups",
    "description": (
        "Three years of support for NHS Bedfordshire, NHS Luton and NHS Milton Keynes CCGs, "
        "together about 950,000 people. A demonstration: nobody is buying this. "
        "Prices exclude VAT that the groups can recover and include VAT that they cannot."
    ),
    "scale": SCALE,
    "award_method": {"name": "lowest_price_ratio", "version": 1, "tie_rule": "higher_quality"},
    "approval_quorum": 2,
    "evaluators_minimum": 3,
    "lots": [
        {
            "number": 1,
            "title": "Business intelligence",
            "description": "Data management, decision support, risk stratification and "
            "benchmarking for commissioners and practices.",
            "service_lines": list(BUSINESS_INTELLIGENCE),
            "criteria": [
                {
                    "code": "Q1",
                    "title": "Method",
                    "kind": "quality",
                    "weight": "25",
                    "children": [
                        _quality(
                            "Q1.1",
                            "Data that can be trusted",
                            "15",
                            "How will you make sure that the data are complete, timely and right?",
                        ),
                        _quality(
                            "Q1.2",
                            "Analysis that is used",
                            "10",
                            "How will commissioners and practices come to use what you provide?",
                        ),
                    ],
                },
                _quality(
                    "Q2",
                    "Mobilisation and continuity",
                    "15",
                    "How will you take over the service without a gap?",
                ),
                _quality("Q3", "Team", "15", "Who will do the work, and where?"),
                _quality(
                    "Q4",
                    "Social value",
                    "10",
                    "What will the contract do for the people of the three groups?",
                ),
                {"code": "P", "title": "Price", "kind": "price", "weight": "35"},
            ],
            "minimum_quality": "55",
            "price_items": [
                {
                    "code": "M1",
                    "title": "Managed service",
                    "unit": "month",
                    "quantity": "36",
                },
                {
                    "code": "D1",
                    "title": "Further analysis on request",
                    "unit": "day",
                    "quantity": "300",
                },
                {"code": "S1", "title": "Mobilisation", "unit": "once", "quantity": "1"},
            ],
            "estimated_annual_value": {"amount": "2100000.00", "currency": "GBP"},
            "term_months": 36,
        },
        {
            "number": 2,
            "title": "Medicines optimisation",
            "description": "Pharmacists and technicians who support prescribers in the practices "
            "of the three groups.",
            "service_lines": list(MEDICINES),
            "criteria": [
                _quality(
                    "Q1",
                    "Work with practices",
                    "25",
                    "How will your pharmacists work with each practice?",
                ),
                _quality(
                    "Q2",
                    "Safety",
                    "20",
                    "How will you find and act on risks from medicines?",
                ),
                _quality(
                    "Q3",
                    "Involvement",
                    "15",
                    "How will prescribers and patients shape the service?",
                ),
                {"code": "P", "title": "Price", "kind": "price", "weight": "40"},
            ],
            "minimum_quality": "55",
            "price_items": [
                {"code": "M1", "title": "Core team", "unit": "month", "quantity": "36"},
                {
                    "code": "D1",
                    "title": "Pharmacist in practice",
                    "unit": "day",
                    "quantity": "900",
                },
            ],
            "estimated_annual_value": {"amount": "900000.00", "currency": "GBP"},
            "term_months": 36,
        },
    ],
}
