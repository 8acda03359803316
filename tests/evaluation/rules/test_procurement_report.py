"""Reports out of records: each law's items, known answers, texts that stay texts."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluation.rules.markdown import escaped, report_in_markdown
from evaluation.rules.procurement_report import NOTHING, TITLES, report_items
from tenders.rules.rule_sets import RuleSetName
from tests.makers.records import (
    EVALUATORS,
    MANAGER,
    OfferMade,
    figure,
    organisation,
    record_of_bids,
)


def decided_record(**changes: Any) -> dict[str, Any]:
    """The record of an awarded lot of two bids, of which the second failed."""
    record = record_of_bids(
        [
            OfferMade(supplier="North Partners", unit_price="1234.5", quotation="Six groups."),
            OfferMade(supplier="South Partners", unit_price="1100", quotation="Two groups."),
        ],
        interest="indirect",
    )
    record["bids"][0]["participants"][0] |= {"share": "12.5"}
    for bid in record["bids"]:
        bid |= {"variant": 0, "price_failure": None}
    for one in record["declarations"]:
        one["declared_at"] = "2030-03-31T23:30:00+00:00"
    record["rankings"][0]["bids"].pop()
    record["rankings"][0]["bids"][0]["total"] = figure(721, 8)
    record["recommendations"][0] |= {
        "ranking": 1,
        "approvals": [{"outcome": "approved", "lay": lay} for lay in (False, True)],
    }
    record["awards"][0]["recommendation"] = 1
    return {
        **record,
        "stage": "notified",
        "lot_title": "Analysis",
        "abandoned_because": None,
        "buyers": [
            {
                "organisation": organisation(9),
                "name": "Hillshire CCG",
                "address": "1 High Street, Hillton",
            }
        ],
        "requirement": {
            "lot": {
                "description": "Dashboards for commissioners.",
                "term_months": 36,
                "minimum_quality": "50",
                "estimated_annual_value": {"amount": "250000.00"},
            }
        },
        "quality_decisions": [
            {
                "round": 1,
                "pseudonym": "Bidder A",
                "points": figure(401, 8),
                "passed": True,
                "failed_because": [],
            },
            {
                "round": 1,
                "pseudonym": "Bidder B",
                "points": figure(20),
                "passed": False,
                "failed_because": ["failed:Q1", "below_minimum:Q2", "minimum_quality"],
            },
        ],
        "exemptions": [
            {
                "person": EVALUATORS[0],
                "duties": ["author", "quality_evaluator"],
                "reason": "Nobody else knows the service.",
                "granted_by": MANAGER,
                "granted_at": "2030-01-02T09:00:00Z",
                "expires_at": "2030-09-01T09:00:00Z",
                "revoked_at": None,
            }
        ],
        **changes,
    }


def test_the_report_of_an_awarded_lot() -> None:
    """Known answer, item by item."""
    items = report_items(RuleSetName.PCR_2015, [decided_record()])
    assert {item.item: item.says for item in items} == {
        "a": [
            "Contracting authority: Hillshire CCG, 1 High Street, Hillton.",
            "Lot 1: Analysis. Dashboards for commissioners.",
            "Lot 1: contract value £1,234.50, over 36 months.",
        ],
        "b": [
            (
                "Lot 1: North Partners (Bidder A) was selected: 50.13 quality points, every minimum"
                " met."
            ),
            (
                "Lot 1: South Partners (Bidder B) was rejected with 20.00 quality points: it failed"
                " Q1, which is passed or failed; it is below the published minimum of Q2; it does"
                " not reach the published minimum of 50 per cent."
            ),
        ],
        "c": [NOTHING],
        "d": [
            "Lot 1: North Partners (Bidder A) is the successful tenderer. Its total is 90.13.",
            "Lot 1: Why it was selected: It has most points.",
            "Lot 1: 2 approvers decided so, 1 of them lay members.",
            "Lot 1: It intends to subcontract 12.5 per cent to North Partners & Sons.",
        ],
        "e": [
            (
                "There was neither negotiation nor dialogue. The tender was published, and any"
                " supplier admitted to the market could bid for it: an open procedure, in one"
                " stage."
            )
        ],
        "f": [
            (
                "It was not used. The tender was published, and any supplier admitted to the market"
                " could bid for it."
            )
        ],
        "g": [NOTHING],
        "h": ["No other means were used: all 2 tenders came in electronically and sealed."],
        "i": [
            "Edith Marsh declared an interest (indirect) in North Partners on 1 April 2030.",
            "Edith Marsh declared an interest (indirect) in South Partners on 1 April 2030.",
            (
                "Edith Marsh was let hold the duties author and quality evaluator from 2 January"
                " 2030 to 1 September 2030: Nobody else knows the service."
            ),
        ],
    }


@pytest.mark.parametrize("rule_set", RuleSetName)
def test_every_law_has_the_items_a_to_i_each_with_its_source(rule_set: RuleSetName) -> None:
    items = report_items(rule_set, [decided_record()])
    assert [item.item for item in items] == list("abcdefghi")
    assert len({item.title for item in items}) == 9
    law = "regulation 84(1)" if rule_set is RuleSetName.PCR_2015 else "section 98"
    assert all(law in item.source for item in items)
    assert set(TITLES) == set(RuleSetName)


def test_what_concerns_the_whole_tender_is_said_once() -> None:
    two = [decided_record(), decided_record(lot=2)]
    items = {item.item: item.says for item in report_items(RuleSetName.PCR_2015, two)}
    assert len(items["i"]) == 3
    assert sum("Contracting authority" in one for one in items["a"]) == 1
    assert sum("successful tenderer" in one for one in items["d"]) == 2


def test_a_bid_that_dropped_out_and_one_without_a_price_are_among_the_rejected() -> None:
    record = decided_record(
        drop_outs=[{"pseudonym": "Bidder A", "reason": "It withdrew by its letter."}]
    )
    record["bids"][1] |= {"price_failure": "does_not_fit", "variant": 2}
    record["conflict_decisions"] = [
        {
            "person": EVALUATORS[0],
            "bidder": organisation(0),
            "decided_by": MANAGER,
            "decided_at": "2030-04-02T09:00:00Z",
            "outcome": "may_discuss",
            "mitigation": "Another takes the chair.",
        }
    ]
    items = {item.item: item.says for item in report_items(RuleSetName.PCR_2015, [record])}
    assert "Lot 1: North Partners (Bidder A) dropped out: It withdrew by its letter." in items["b"]
    assert any("variant 2" in one and "(does_not_fit)" in one for one in items["b"])
    assert any(one.endswith("may discuss. Another takes the chair.") for one in items["i"])


def test_an_envelope_that_did_not_open_and_a_ranking_without_an_award_are_said() -> None:
    record = decided_record(awards=[])
    record["quality_decisions"][1]["failed_because"] = ["not_opened"]
    items = {item.item: item for item in report_items(RuleSetName.PCR_2015, [record])}
    assert any("its quality envelope did not open" in one for one in items["b"].says)
    assert not items["d"].recorded
    given_up = decided_record(stage="abandoned", abandoned_because="The need has gone.")
    items = {item.item: item for item in report_items(RuleSetName.PCR_2015, [given_up])}
    assert items["g"].says == ["Lot 1: Nothing was awarded: The need has gone."]


@given(text=st.text())
def test_what_somebody_wrote_is_never_markdown(text: str) -> None:
    written = escaped(text)
    assert len(written.splitlines()) <= 1
    assert "\n" not in written
    bare = written.replace("\\\\", "")
    for mark in "`*_[]<>#|":
        assert bare.count(mark) == bare.count(f"\\{mark}")


def test_lots_that_are_not_decided_are_named_in_the_text() -> None:
    items = report_items(RuleSetName.PROCUREMENT_ACT_2023, [decided_record()])
    text = report_in_markdown("A # title", ["Law: this"], items, [2, 3])
    assert text.startswith("# A \\# title\n")
    assert "lots 2, 3" in text


def test_an_award_that_fell_with_its_round_is_not_reported_as_standing() -> None:
    begun = {"number": 2, "challenge": 1, "begun_by": MANAGER, "begun_at": "2030-05-01T09:00:00Z"}
    says = {
        item.item: item.says
        for item in report_items(RuleSetName.PCR_2015, [decided_record(rounds=[begun])])
    }
    assert says["d"] == [NOTHING]
    assert "Lot 1: estimated at £250,000.00 a year; nothing is awarded." in says["a"]
