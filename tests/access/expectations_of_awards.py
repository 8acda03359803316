"""What operations from the prices to the contract answer to everybody: one row an operation.

Written from DESIGN's duties and promises and from what the API's description says of each
operation, never from the code that decides.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from tests.access.cases import Case
from tests.access.expectations import READS_EVALUATION, TOLD
from tests.access.kinds import Of
from tests.access.rules import (
    NOT_FOUND,
    Rule,
    lot_act,
    lot_reading,
    public_once,
    signed_in,
)

_BEFORE_CONTRACT = (
    "bidding",
    "quality_scoring",
    "quality_locked",
    "price_opened",
    "ranked",
    "recommended",
    "awarded",
    "standstill",
    "standstill_over",
)
_UNRANKED = dict.fromkeys(
    ("bidding", "quality_scoring", "quality_locked", "price_opened", "abandoned"), NOT_FOUND
)
_ranked = lot_reading(*READS_EVALUATION, at=_UNRANKED)
"""Once there is a ranking, for those who read the evaluation."""


def _notices(case: Case) -> str:
    """An organisation reads its own; people with a duty read all, if it is one that does."""
    if not case.moment.lot:
        return NOT_FOUND
    if case.in_force:
        return lot_reading(*READS_EVALUATION, at={})(case)
    return NOT_FOUND if case.acts_for(Of.THEMSELVES) else "200"


def _one_notice(case: Case) -> str:
    """As all of them, of one that does not exist: whoever may read finds nothing."""
    found = _notices(case)
    return NOT_FOUND if found == "200" else found


OF_AWARDS: Final[Mapping[str, Rule]] = MappingProxyType(
    {
        "abandonLot": lot_act("tender_manager", at=dict.fromkeys(_BEFORE_CONTRACT, "201")),
        "openPrices": lot_act("price_evaluator", at={"quality_locked": "201"}),
        "rankBids": lot_act("price_evaluator", at={"price_opened": "201"}),
        "getRanking": _ranked,
        "dropBidOut": lot_act(
            "tender_manager",
            at=dict.fromkeys(
                ("ranked", "recommended", "awarded", "standstill", "standstill_over"), "201"
            ),
        ),
        "listPriceExplanations": lot_reading(
            "price_evaluator",
            "tender_manager",
            "moderator",
            "award_approver",
            "guardian",
            at=_UNRANKED,
        ),
        "askForPriceExplanation": lot_act("price_evaluator", at={"ranked": "201"}),
        "decideLowPrice": lot_act("tender_manager", at={"ranked": "409 explanation-awaited"}),
        "getLotAllocation": lot_reading(*READS_EVALUATION, at={}, otherwise=NOT_FOUND),
        "getRobustness": _ranked,
        "getRobustnessChart": _ranked,
        # award, notices, contract
        "recommendAward": lot_act("moderator", at={"ranked": "201"}),
        **dict.fromkeys(
            (
                "getRecommendationReport",
                "getRecommendationReportPage",
                "getRecommendationReportDocument",
            ),
            lot_reading(
                "moderator",
                "award_approver",
                "guardian",
                at={**_UNRANKED, "ranked": NOT_FOUND},
            ),
        ),
        "approveAward": lot_act("award_approver", at={"recommended": "201"}),
        "sendAwardNotices": lot_act("tender_manager", at={"awarded": "201"}),
        "listAwardNotices": signed_in(_notices),
        "getAwardNoticePage": signed_in(_one_notice),
        "getAwardNoticeDocument": signed_in(_one_notice),
        "listAwardChecks": lot_reading(
            "tender_manager",
            "award_approver",
            "guardian",
            "contract_manager",
            at={**_UNRANKED, "ranked": NOT_FOUND, "recommended": NOT_FOUND},
        ),
        "recordAwardCheck": lot_act(
            "tender_manager",
            at=dict.fromkeys(("awarded", "standstill", "standstill_over"), "201"),
        ),
        "makeContract": lot_act(
            "contract_manager",
            at={"standstill": "409 standstill-running", "standstill_over": "201"},
        ),
        "getAward": public_once(lambda case: case.moment.lot in TOLD),
        "getContractAwardNotice": public_once(lambda case: case.moment.lot in TOLD),
    }
)
