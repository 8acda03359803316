from fractions import Fraction
from typing import Any

import msgspec
import pytest

from evaluation.rules.methods import METHODS
from tenders.rules.award_methods import TRAITS
from tenders.rules.criteria import MAXIMUM_DEPTH, Criterion
from tenders.rules.requirement import (
    Requirement,
    faults,
    highest,
    leaves,
    price_weight,
    quality_weight,
)
from tests.tenders.rules.documents import (
    SERVICE_LINES,
    lot_document,
    requirement_document,
    requirement_with,
)

QUALITY = {"title": "More", "kind": "quality", "question": "How?"}
PRICE = {"title": "Price", "kind": "price"}


def found(changes: dict[str, Any]) -> dict[str, str]:
    return {fault.field: fault.reason for fault in faults(requirement_with(changes), SERVICE_LINES)}


def test_a_complete_requirement_has_no_faults() -> None:
    assert faults(requirement_with(), SERVICE_LINES) == []


def test_a_requirement_survives_its_own_json() -> None:
    requirement = requirement_with()
    encoded = msgspec.json.encode(requirement)
    assert msgspec.json.decode(encoded, type=Requirement) == requirement


def test_the_quorum_and_the_smallest_panel_are_two_unless_published_otherwise() -> None:
    requirement = requirement_with()
    assert (requirement.approval_quorum, requirement.evaluators_minimum) == (2, 2)


def test_weights_and_leaves_are_read_from_the_tree_exactly() -> None:
    lot = requirement_with().lots[0]
    assert [leaf.code for leaf in leaves(lot)] == ["Q1.1", "Q1.2", "Q2"]
    assert sum(Fraction(leaf.weight) for leaf in leaves(lot)) == quality_weight(lot) == 60
    assert price_weight(lot) == 40


def test_the_highest_value_of_the_scale_earns_the_full_weight() -> None:
    assert highest(requirement_with().scale) == 10


@pytest.mark.parametrize(
    ("changes", "field", "reason"),
    [
        (
            {"lots[0].criteria[1].weight": "19.99"},
            "lots[0].criteria",
            "The weights of lot 1 add up to 99.99; they must add up to exactly 100.",
        ),
        (
            {"lots[1].criteria[2].weight": "40.000001"},
            "lots[1].criteria",
            "The weights of lot 2 add up to 100.000001; they must add up to exactly 100.",
        ),
        (
            {"lots[0].criteria": []},
            "lots[0].criteria",
            "Lot 1 has no quality criterion that can be scored; add one.",
        ),
        (
            {"lots[0].criteria[0].children[1].weight": "14.499999"},
            "lots[0].criteria[0].children",
            (
                "The weights inside Q1 add up to 39.999999; they must add up to exactly 40, the"
                " weight of Q1."
            ),
        ),
        (
            {"lots[0].criteria[1].weight": "0"},
            "lots[0].criteria[1].weight",
            "The weight of Q2 is 0; it must be above zero.",
        ),
        (
            {"lots[0].criteria[0].children[0].weight": "-1"},
            "lots[0].criteria[0].children[0].weight",
            "The weight of Q1.1 is -1; it must be above zero.",
        ),
        (
            {"lots[0].criteria[1]": {**PRICE, "code": "P2", "weight": "20"}},
            "lots[0].criteria",
            "Lot 1 has 2 price criteria at the top level; it must have exactly one.",
        ),
        (
            {"lots[0].criteria[2].kind": "quality", "lots[0].criteria[2].question": "How?"},
            "lots[0].criteria",
            "Lot 1 has 0 price criteria at the top level; it must have exactly one.",
        ),
        (
            {"lots[0].criteria[0].children[1]": {**PRICE, "code": "P2", "weight": "14.5"}},
            "lots[0].criteria[0].children[1].kind",
            "The price criterion P2 lies inside another criterion; move it to the top level.",
        ),
        (
            {"lots[0].criteria[2].children": [{**QUALITY, "code": "Q3", "weight": "40"}]},
            "lots[0].criteria[2].children",
            (
                "The price criterion P has criteria inside it; remove them and list the prices"
                " asked for as price items."
            ),
        ),
        (
            {"lots[0].criteria[1].question": None},
            "lots[0].criteria[1].question",
            "The quality criterion Q2 asks nothing; write the question bidders answer.",
        ),
        (
            {"lots[0].criteria[0].children[0].question": " \n"},
            "lots[0].criteria[0].children[0].question",
            "The quality criterion Q1.1 asks nothing; write the question bidders answer.",
        ),
        (
            {"lots[0].criteria[1].code": "q1.1"},
            "lots[0].criteria[1].code",
            "The criterion code q1.1 is used more than once in lot 1; use each code once.",
        ),
        (
            {"lots[0].criteria[1].title": " "},
            "lots[0].criteria[1].title",
            "The title is empty; write it.",
        ),
        (
            {"lots[0].price_items[1].code": "A"},
            "lots[0].price_items[1].code",
            "The price item code A is used more than once in lot 1; use each code once.",
        ),
        (
            {"lots[0].price_items[0].quantity": "0.000"},
            "lots[0].price_items[0].quantity",
            "The quantity of A is 0; it must be above zero.",
        ),
        (
            {"lots[0].price_items[0].unit": "\t"},
            "lots[0].price_items[0].unit",
            "The unit is empty; write it.",
        ),
        (
            {"lots[0].price_items": []},
            "lots[0].price_items",
            "Lot 1 asks for no prices; list at least one price item.",
        ),
        (
            {"lots[0].minimum_quality": "100.01"},
            "lots[0].minimum_quality",
            (
                "The minimum quality is 100.01; it is a percentage of the quality points and must"
                " lie between 0 and 100."
            ),
        ),
        (
            {"lots[0].minimum_quality": "-0.5"},
            "lots[0].minimum_quality",
            (
                "The minimum quality is -0.5; it is a percentage of the quality points and must"
                " lie between 0 and 100."
            ),
        ),
        (
            {"lots[0].estimated_annual_value.amount": "-250000"},
            "lots[0].estimated_annual_value.amount",
            "The estimated annual value is -250000; it must be above zero.",
        ),
        (
            {"lots[0].term_months": 0},
            "lots[0].term_months",
            "The term in months is 0; it must be above zero.",
        ),
        (
            {"lots[0].service_lines": ["astrology"]},
            "lots[0].service_lines[0]",
            "There is no service line 'astrology'; choose one of the published codes.",
        ),
        (
            {"lots[0].service_lines": ["bi-monitoring", "bi-monitoring"]},
            "lots[0].service_lines[1]",
            "The service line bi-monitoring is used more than once in lot 1; use each code once.",
        ),
        (
            {"lots[0].service_lines": []},
            "lots[0].service_lines",
            "Lot 1 names no service line; name at least one.",
        ),
        ({"lots[0].description": ""}, "lots[0].description", "The description is empty; write it."),
        ({"lots": []}, "lots", "There is no lot; describe at least one."),
        (
            {"lots[1].number": 3},
            "lots[1].number",
            "The lot number 3 leaves a gap; number the lots 1 to 2 without gaps.",
        ),
        (
            {"lots[1].number": 1},
            "lots[1].number",
            "The lot number 1 is used more than once; number each lot once.",
        ),
        ({"title": "   "}, "title", "The title is empty; write it."),
        ({"scale[1].title": ""}, "scale[1].title", "The title is empty; write it."),
        (
            {"scale": []},
            "scale",
            "The scale has 0 values; give it at least 2.",
        ),
        (
            {"scale": [{"value": "0", "title": "nil", "descriptor": "nil"}]},
            "scale",
            "The highest value of the scale is not above zero; raise it.",
        ),
        (
            {"scale[0].value": "-1"},
            "scale[0].value",
            "The scale starts at -1; start it at zero or above.",
        ),
        (
            {"scale[2].value": "2.00"},
            "scale[2].value",
            (
                "The value 2 does not lie above the one before it, 2; list the values from lowest"
                " to highest, each once."
            ),
        ),
        (
            {"award_method.version": 2},
            "award_method.version",
            "The method lowest_price_ratio has no version 2; use one of: 1.",
        ),
    ],
)
def test_each_fault_is_named_at_its_place_with_what_to_do(
    changes: dict[str, Any], field: str, reason: str
) -> None:
    assert found(changes)[field] == reason


def test_all_faults_are_reported_at_once() -> None:
    changes = {
        "title": "",
        "scale[1].value": "0",
        "lots[0].term_months": -1,
        "lots[1].price_items[0].quantity": "-3",
        "lots[1].service_lines": ["astrology"],
    }
    assert found(changes).keys() == {
        "title",
        "scale[1].value",
        "lots[0].term_months",
        "lots[1].price_items[0].quantity",
        "lots[1].service_lines[0]",
    }


def test_lots_may_be_listed_in_any_order() -> None:
    assert found({"lots[0].number": 2, "lots[1].number": 1}) == {}


def test_a_tree_may_be_three_levels_deep_and_no_deeper() -> None:
    leaf = {**QUALITY, "code": "Q2.1.1", "weight": "20"}
    third = {**QUALITY, "code": "Q2.1", "weight": "20", "children": [leaf]}
    assert found({"lots[0].criteria[1].children": [third]}) == {}

    deeper = {**third, "children": [{**leaf, "children": [{**leaf, "code": "Q2.1.1.1"}]}]}
    field = "lots[0].criteria[1].children[0].children[0].children[0]"
    assert found({"lots[0].criteria[1].children": [deeper]}) == {
        field: f"The criterion Q2.1.1.1 lies 4 levels deep; use at most {MAXIMUM_DEPTH} levels."
    }


def test_a_tree_of_hundreds_of_levels_is_reported_and_not_followed() -> None:
    tree: dict[str, Any] = {**QUALITY, "code": "Q9", "weight": "20"}
    for _ in range(300):
        tree = {**QUALITY, "code": "Q9", "weight": "20", "children": [tree]}
    reasons = found({"lots[0].criteria[1]": tree}).values()
    assert "The criterion Q9 lies 4 levels deep; use at most 3 levels." in reasons


def test_criteria_inside_others_count_towards_the_most_a_lot_may_have() -> None:
    children = [{**QUALITY, "code": f"Q1.{number}", "weight": "0.2"} for number in range(1, 201)]
    assert found({"lots[0].criteria[0].children": children}) == {
        "lots[0].criteria": (
            "Lot 1 has more than 200 criteria, counting those inside others; leave some out."
        )
    }


@pytest.mark.parametrize(
    ("changes", "at"),
    [
        ({"lots[0].criteria[0].weight": 40}, "$.lots[0].criteria[0].weight"),
        ({"lots[0].price_items[0].quantity": 36.0}, "$.lots[0].price_items[0].quantity"),
        ({"lots[0].minimum_quality": "50.0000001"}, "$.lots[0].minimum_quality"),
        ({"lots[0].minimum_quality": "50\n"}, "$.lots[0].minimum_quality"),
        ({"lots[0].minimum_quality": "\u0665\u0660"}, "$.lots[0].minimum_quality"),
        ({"lots[0].estimated_annual_value.currency": "EUR"}, "estimated_annual_value.currency"),
        ({"lots[0].criteria[0].code": "Q 1"}, "$.lots[0].criteria[0].code"),
        ({"lots[0].number": 0}, "$.lots[0].number"),
        ({"lots": [lot_document()] * 21}, "$.lots"),
        ({"title": "x" * 201}, "$.title"),
        ({"description": "a\x00b"}, "$.description"),
        ({"description": "x" * 20_001}, "$.description"),
        ({"approval_quorum": 11}, "$.approval_quorum"),
        ({"approval_quorum": 0}, "$.approval_quorum"),
        ({"award_method.name": "toss_of_a_coin"}, "$.award_method.name"),
        ({"budget": "1"}, "unknown field `budget`"),
    ],
)
def test_what_cannot_be_read_is_refused_by_its_type(changes: dict[str, Any], at: str) -> None:
    with pytest.raises(msgspec.ValidationError) as refusal:
        requirement_with(changes)
    assert at in str(refusal.value)


def test_every_method_that_may_be_published_can_be_run() -> None:
    publishable = {(name, version) for name in TRAITS for version in TRAITS[name].versions}
    assert publishable <= METHODS.keys()


def test_a_document_says_nothing_beyond_its_fields() -> None:
    document = requirement_document()["lots"][0]["criteria"][0] | {"wieght": "40"}
    with pytest.raises(msgspec.ValidationError, match="unknown field `wieght`"):
        msgspec.convert(document, Criterion)


# -- what is passed or failed, minima, and rules of the panel -------------------------------------


def _gate(**changes: Any) -> dict[str, Any]:
    return {
        "code": "G1",
        "title": "Certificate",
        "kind": "quality",
        "weight": "0",
        "question": "Do you hold it?",
        "pass_fail": True,
        **changes,
    }


def _with_criterion(criterion: dict[str, Any], **changes: Any) -> Requirement:
    lot = lot_document()
    lot["criteria"].insert(0, criterion)
    return requirement_with({"lots": [lot], **changes})


def test_gates_minima_tolerance_and_mean_may_be_published() -> None:
    requirement = _with_criterion(
        {**_gate(), "code": "G", "pass_fail": False, "children": [_gate()]},
        spread_tolerance="2.5",
        consensus="mean",
    )
    assert faults(requirement, SERVICE_LINES) == []
    floored = requirement_with({"lots[0].criteria[1].minimum": "5"})
    assert faults(floored, SERVICE_LINES) == []


def test_a_requirement_of_before_publishes_none_of_them() -> None:
    requirement = requirement_with()
    assert (requirement.spread_tolerance, requirement.consensus) == (None, "agreed")
    assert not any(leaf.pass_fail or leaf.minimum for leaf in leaves(requirement.lots[0]))


@pytest.mark.parametrize(
    ("criterion", "field"),
    [
        (_gate(minimum="5"), "lots[0].criteria[0].minimum"),
        (_gate(children=[_gate(code="G2")]), "lots[0].criteria[0].pass_fail"),
        (_gate(pass_fail=False), "lots[0].criteria[0].weight"),
    ],
)
def test_a_faulty_gate_is_refused(criterion: dict[str, Any], field: str) -> None:
    found = faults(_with_criterion(criterion), SERVICE_LINES)
    assert [fault.field for fault in found] == [field]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"lots[0].criteria[1].minimum": "3"}, "lots[0].criteria[1].minimum"),
        ({"lots[0].criteria[0].minimum": "5"}, "lots[0].criteria[0].minimum"),
        ({"lots[0].criteria[2].minimum": "5"}, "lots[0].criteria[2].minimum"),
        ({"lots[0].criteria[1].pass_fail": True}, "lots[0].criteria[1].weight"),
        ({"spread_tolerance": "-1"}, "spread_tolerance"),
    ],
)
def test_faulty_rules_of_the_panel_are_refused(changes: dict[str, Any], field: str) -> None:
    assert [fault.field for fault in faults(requirement_with(changes), SERVICE_LINES)] == [field]
