"""Facts as the SQL of each kind gives them, one for every way its letter can read."""

from collections.abc import Mapping
from typing import Any, Final

_TENDER: Final = {
    "tender": "6f1c1c52-0f0e-4f0c-8a3e-3f6f8d0f7a01",
    "reference": "CSM-2027-7Q2M4K",
    "title": "Business intelligence for three groups",
    "buyer": "NHS Bedfordshire CCG",
}
_LOT: Final = {**_TENDER, "lot": 2, "lot_title": "Medicines optimisation"}
_APPLICATION: Final = {
    "application": "0b94110e-f4b6-42bd-a020-dd6577c64169",
    "applicant": "Fenland Data Limited",
}
_REGISTER: Final = {
    "organisation": "NHS Bedfordshire CCG",
    "register": "74dd7cf4-2ca5-5282-920e-e9773ae3be12",
}
_NOON: Final = "2027-02-05T12:00:00+00:00"
_SUMMER: Final = "2027-07-01T15:30:05.25+00:00"
_MIDNIGHT: Final = "2027-06-30T23:00:00+00:00"
_BID: Final = {
    "variant": 0,
    **_LOT,
    "bid": "2c394532-4015-46e8-b9db-71c796f02047",
    "version": 2,
    "received_at": _SUMMER,
    "deadline": _NOON,
}
_NEAR: Final = {**_TENDER, "deadline": _NOON}
_OPENED: Final = {**_TENDER, "opened_at": _SUMMER}
_DUE: Final = {"organisation": "NHS Luton CCG", "due": "2027-03-31"}
_RUNS: Final = {**_LOT, "made_at": _SUMMER, "starts": "2027-09-01", "ends": "2030-08-31"}
_RANKED: Final = {**_LOT, "returned": False, "reader": "moderator"}
_OVER: Final = {**_LOT, "ends_at": _MIDNIGHT}

CASES: Final[tuple[tuple[str, str, Mapping[str, Any]], ...]] = (
    (
        "opportunity-matching",
        "two searches",
        {**_NEAR, "searches": ["Dashboards", "Everything in the east"]},
    ),
    ("deadline-near", "a week, to a supplier", {**_NEAR, "hours": 168, "reader": "supplier"}),
    ("deadline-near", "a day, to the manager", {**_NEAR, "hours": 24, "reader": "manager"}),
    ("bid-received", "the first version", {**_BID, "act": "bid.submitted", "version": 1}),
    ("bid-received", "replaced", {**_BID, "act": "bid.replaced"}),
    ("bid-received", "a variant", {**_BID, "act": "bid.replaced", "variant": 2}),
    ("bid-received", "withdrawn", {**_BID, "act": "bid.withdrawn"}),
    *(
        (
            "tender-amended",
            f"{'material' if material else 'wording'}, to {reader}",
            {
                **_NEAR,
                "number": 2,
                "summary": "Another price item",
                "material": material,
                "extended": material,
                "reader": reader,
            },
        )
        for material in (True, False)
        for reader in ("bidder", "house")
    ),
    *(
        (
            "bid-to-confirm",
            f"form changed: {form_changed}",
            {
                **_LOT,
                "bid": _BID["bid"],
                "deadline": _NOON,
                "number": 2,
                "form_changed": form_changed,
            },
        )
        for form_changed in (True, False)
    ),
    ("bid-lapsed", "", {**_LOT, "bid": _BID["bid"], "number": 2}),
    ("bid-lapsed", "a variant", {**_LOT, "bid": _BID["bid"], "number": None}),
    ("bids-opened", "to the house", {**_OPENED, "reader": "house"}),
    ("bids-opened", "to a bidder of one lot", {**_OPENED, "reader": "bidder", "lots": [2]}),
    ("bids-opened", "to a bidder of three", {**_OPENED, "reader": "bidder", "lots": [1, 2, 4]}),
    ("tender-abandoned", "unopened", {**_TENDER, "abandoned_at": _SUMMER, "opened": False}),
    ("tender-abandoned", "opened", {**_TENDER, "abandoned_at": _SUMMER, "opened": True}),
    ("duty-offered", "evaluator", {**_TENDER, "duty": "quality_evaluator"}),
    ("review-requested", "", _TENDER),
    (
        "requirement-reviewed",
        "approved, to the manager",
        {**_TENDER, "approved": True, "duty": "tender_manager", "amends": False},
    ),
    (
        "requirement-reviewed",
        "approved, to an author",
        {**_TENDER, "approved": True, "duty": "author", "amends": False},
    ),
    (
        "requirement-reviewed",
        "approved for an amendment, to the manager",
        {**_TENDER, "approved": True, "duty": "tender_manager", "amends": True},
    ),
    (
        "requirement-reviewed",
        "returned",
        {**_TENDER, "approved": False, "duty": "author", "amends": False},
    ),
    (
        "declaration-due",
        "before the opening",
        {**_TENDER, "opened": False, "duty": "opener", "deadline": _NOON},
    ),
    (
        "declaration-due",
        "after the opening",
        {**_TENDER, "opened": True, "duty": "award_approver", "deadline": _NOON},
    ),
    (
        "extension-proposed",
        "",
        {
            **_TENDER,
            "deadline": _NOON,
            "began": "2027-02-05T11:40:07+00:00",
            "ended": "2027-02-05T11:51:00+00:00",
        },
    ),
    ("conflict-to-decide", "", {**_TENDER, "declared": True}),
    ("conflict-to-decide", "to a guardian who has not declared", {**_TENDER, "declared": False}),
    ("application-waiting", "", _APPLICATION),
    ("application-decided", "admitted", {**_APPLICATION, "admitted": True}),
    ("application-decided", "refused", {**_APPLICATION, "admitted": False}),
    ("confirmation-of-interests-due", "soon", {**_DUE, "late": False}),
    ("confirmation-of-interests-due", "late", {**_DUE, "late": True}),
    ("confirmations-overdue", "one", {**_REGISTER, "late": 1}),
    ("confirmations-overdue", "several", {**_REGISTER, "late": 11}),
    ("consent-to-decide", "an interest", {**_REGISTER, "gift": False}),
    ("consent-to-decide", "a gift", {**_REGISTER, "gift": True}),
    ("scores-due", "first", {**_TENDER, "lots": [1, 2], "reminder": False}),
    ("scores-due", "after a week", {**_TENDER, "lots": [2], "reminder": True}),
    ("moderation-due", "", _LOT),
    ("bid-questioned", "", {**_LOT, "bid": "5b0c1f9e", "answer_by": _NOON}),
    ("quality-decided", "to the price evaluator", {**_LOT, "reader": "price_evaluator"}),
    ("quality-decided", "to the manager, none passed", {**_LOT, "reader": "tender_manager"}),
    ("recommendation-due", "", _RANKED),
    ("approval-due", "", {**_LOT, "declared": True}),
    ("approval-due", "to an approver who has not declared", {**_LOT, "declared": False}),
    ("recommendation-returned", "to the moderator", {**_RANKED, "returned": True}),
    (
        "recommendation-returned",
        "to the manager",
        {**_RANKED, "returned": True, "reader": "tender_manager"},
    ),
    ("notices-due", "", _LOT),
    ("buyer-decision-due", "declared", {**_LOT, "declared": True}),
    ("buyer-decision-due", "not declared", {**_LOT, "declared": False}),
    ("outcome", "", {**_LOT, "standstill_ends_at": _MIDNIGHT}),
    ("lot-abandoned", "unopened", {**_LOT, "abandoned_at": _SUMMER, "opened": False}),
    ("lot-abandoned", "opened", {**_LOT, "abandoned_at": _SUMMER, "opened": True}),
    ("standstill-over", "to the manager", {**_OVER, "reader": "tender_manager", "declared": True}),
    (
        "standstill-over",
        "to the contract manager",
        {**_OVER, "reader": "contract_manager", "declared": True},
    ),
    (
        "standstill-over",
        "to a contract manager who has not declared",
        {**_OVER, "reader": "contract_manager", "declared": False},
    ),
    ("contract-made", "to the house", {**_RUNS, "reader": "house"}),
    ("contract-made", "to the supplier", {**_RUNS, "reader": "supplier"}),
    (
        "challenge-to-decide",
        "to the guardian",
        {**_LOT, "received_at": _SUMMER, "reader": "guardian", "declared": True},
    ),
    (
        "challenge-to-decide",
        "to a contract manager who has not declared",
        {**_LOT, "received_at": _SUMMER, "reader": "contract_manager", "declared": False},
    ),
    ("lot-on-hold", "to the challenger", {**_LOT, "received_at": _SUMMER, "theirs": True}),
    ("lot-on-hold", "to another bidder", {**_LOT, "received_at": _SUMMER, "theirs": False}),
    ("challenge-decided", "", _LOT),
    ("hold-ended", "", {**_LOT, "standstill_ends_at": _MIDNIGHT}),
    ("evaluated-anew", "", _LOT),
)
"""Kind, which of its letters, and the facts."""

SHAPES: Final = frozenset((kind, frozenset(facts)) for kind, _, facts in CASES)
"""By which names the facts of each kind go: the SQL gives these and no others."""
