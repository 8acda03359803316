"""Notices of joint purchases: to those who decide for a buyer whether it takes part."""

from typing import Final

from market.mail.kinds import Letter, NoticeKind
from tenders.notices.words import Facts, lot, lot_path

_BUYER_DECISION_DUE: Final = """
SELECT r.person, r.organisation, latest_award(l.id)::text AS key, lot_facts(l.id)
    || jsonb_build_object('declared', r.declared) AS facts
FROM event e JOIN lot l ON l.tender = e.tender AND l.number = (e.details ->> 'lot')::integer
    AND l.stage IN ('awarded', 'notified')
CROSS JOIN LATERAL buyers_to_decide(l.id) AS b (buyer)
JOIN LATERAL duty_recipients(e.tender, 'award_approver') r ON r.organisation = b.buyer
WHERE e.id = $1
"""


def _buyer_decision_due(facts: Facts) -> Letter:
    return Letter(
        subject=f"Does your organisation take part? {facts['title']}, lot {facts['lot']}",
        paragraphs=(
            (
                f"Lot {facts['lot']} of a joint purchase is awarded. Your organisation has reserved"
                " to itself whether it takes part, and has no contract before it decides."
            ),
            "Read how the award came about, and decide, with your reason."
            if facts["declared"]
            else "Declare first whether you have an interest in each bidder. Then read how the"
            " award came about, and decide, with your reason.",
        ),
        facts=lot(facts),
        path=lot_path(facts, "/buyer-decisions"),
    )


KINDS: Final = (
    NoticeKind(
        name="buyer-decision-due",
        title="Your organisation decides whether it takes part in an award",
        actions=("lot.awarded",),
        recipients=_BUYER_DECISION_DUE,
        letter=_buyer_decision_due,
    ),
)
