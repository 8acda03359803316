"""What operations about buyers' decisions and running contracts answer: one row an operation.

The tender has one buyer. The state after its contract has no indicator and no milestone.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from tests.access.expectations import READS_EVALUATION
from tests.access.rules import NOT_FOUND, Rule, lot_act, lot_reading, public_once

_before_contract = lot_act(
    "contract_manager", at=dict.fromkeys(("awarded", "standstill", "standstill_over"), "201")
)
"""What the contract manager records once there is an award, and before a contract."""

OF_CONTRACTS: Final[Mapping[str, Rule]] = MappingProxyType(
    {
        "decideForBuyer": lot_act(
            "award_approver",
            at=dict.fromkeys(("awarded", "standstill", "standstill_over"), "201"),
        ),
        "listBuyerDecisions": lot_reading(*READS_EVALUATION, at={}),
        "setKpi": _before_contract,
        "recordBaseline": _before_contract,
        "listKpis": lot_reading(*READS_EVALUATION, at={}),
        "assessKpi": lot_act("contract_manager", at={"contracted": NOT_FOUND}),
        "publishKpis": lot_act("contract_manager", at={"contracted": "409 period-not-over"}),
        "changeContract": lot_act("contract_manager", at={"contracted": "201"}),
        "setMilestone": lot_act("contract_manager", at={"contracted": "201"}),
        "meetMilestone": lot_act("contract_manager", at={"contracted": NOT_FOUND}),
        "reviewOutcome": lot_act("outcome_reviewer", at={"contracted": "409 review-not-due"}),
        "getPerformance": public_once(lambda case: case.moment.lot == "contracted"),
    }
)
