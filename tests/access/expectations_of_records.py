"""What operations about records of evaluations answer to everybody: one row an operation."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from tests.access.cases import Case
from tests.access.rules import NOT_FOUND, Rule, lot_act, lot_reading

_TOLD = ("standstill", "standstill_over", "contracted")
_READS_RECORD = ("tender_manager", "guardian", "award_approver", "outcome_reviewer")
_TOO_EARLY = "409 disclosed-too-early"


def _evaluation_record(case: Case) -> str:
    """Once awarded or given up: by duty, and for auditors, of whom nobody here has an interest."""
    given_up = case.moment.lot == "abandoned" and case.moment.opened
    recorded = given_up or case.moment.lot in {"awarded", *_TOLD}
    answer = "200" if recorded else "409 lot-not-there"
    if case.audits and case.moment.opened:
        return answer
    return lot_reading(*_READS_RECORD, at={}, otherwise=answer)(case)


def _no_bundle(case: Case) -> str:
    """Nothing was disclosed, so there is no bundle to read."""
    answer = _evaluation_record(case)
    return NOT_FOUND if answer == "200" else answer


OF_RECORDS: Final[Mapping[str, Rule]] = MappingProxyType(
    {
        "getEvaluationRecord": _evaluation_record,
        "getProcurementReport": _evaluation_record,
        "getProcurementReportText": _evaluation_record,
        "listDisclosureBundles": _evaluation_record,
        "getDisclosureBundle": _no_bundle,
        "discloseRecord": lot_act(
            "tender_manager",
            at={
                **dict.fromkeys((*_TOLD, "abandoned"), "201"),
                "abandoned while bids came in": _TOO_EARLY,
            },
            otherwise=_TOO_EARLY,
        ),
    }
)
