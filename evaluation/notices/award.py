"""Notices from the ranking to the contract, to those whose turn it is and to every bidder."""

from typing import Final

from market.mail.kinds import Letter, NoticeKind
from tenders.notices.words import Facts, day, london, lot, lot_path, tender_path

_RANKED: Final = """
SELECT r.person, r.organisation, e.id::text AS key, lot_facts(l.id)
    || jsonb_build_object('returned', e.action = 'award.returned', 'reader', r.duty) AS facts
FROM event e JOIN lot l ON l.tender = e.tender AND l.number = (e.details ->> 'lot')::integer
CROSS JOIN LATERAL duty_recipients(e.tender, VARIADIC CASE e.action WHEN 'award.returned'
    THEN ARRAY['moderator', 'tender_manager'] ELSE ARRAY['moderator'] END) r
WHERE e.id = $1
"""


def _recommendation_due(facts: Facts) -> Letter:
    return Letter(
        subject=f"Ranked, to be recommended: {facts['title']}, lot {facts['lot']}",
        paragraphs=(
            f"The bids for lot {facts['lot']} are ranked.",
            "Recommend the bid that ranks first, with the panel's reason.",
        ),
        facts=lot(facts),
        path=lot_path(facts, "/evaluation/ranking"),
    )


def _returned(facts: Facts) -> Letter:
    return Letter(
        subject=f"Recommendation returned: {facts['title']}, lot {facts['lot']}",
        paragraphs=(
            (
                "An approver has returned the recommendation with a reason. The lot is back at its"
                " ranking."
            ),
            "Read the reason, and recommend again once it is answered."
            if facts["reader"] == "moderator"
            else "The panel answers it and recommends again; you need do nothing yet.",
        ),
        facts=lot(facts),
        path=lot_path(facts, "/evaluation"),
    )


_APPROVAL_DUE: Final = """
SELECT r.person, r.organisation, e.subject::text AS key, lot_facts(l.id)
    || jsonb_build_object('declared', r.declared) AS facts
FROM event e JOIN lot l ON l.tender = e.tender AND l.number = (e.details ->> 'lot')::integer
    AND l.stage = 'recommended'
CROSS JOIN LATERAL duty_recipients(e.tender, 'award_approver') r
WHERE e.id = $1
"""


def _approval_due(facts: Facts) -> Letter:
    return Letter(
        subject=f"A recommendation waits for you: {facts['title']}, lot {facts['lot']}",
        paragraphs=(
            f"The panel has recommended an award of lot {facts['lot']}.",
            "Read how it came about, and approve it or return it, with your reason."
            if facts["declared"]
            else "Declare first whether you have an interest in each bidder. Then read how it came"
            " about, and approve it or return it, with your reason.",
            "You are asked to confirm who you are when you decide.",
        ),
        facts=lot(facts),
        path=lot_path(facts, "/evaluation"),
    )


_NOTICES_DUE: Final = """
SELECT r.person, r.organisation, latest_award(l.id)::text AS key, lot_facts(l.id) AS facts
FROM event e JOIN lot l ON l.tender = e.tender AND l.number = (e.details ->> 'lot')::integer
    AND l.stage = 'awarded'
CROSS JOIN LATERAL duty_recipients(e.tender, 'tender_manager') r
WHERE e.id = $1
"""


def _notices_due(facts: Facts) -> Letter:
    return Letter(
        subject=f"Approved, bidders to be told: {facts['title']}, lot {facts['lot']}",
        paragraphs=(
            f"The award of lot {facts['lot']} is approved. The bidders do not know yet.",
            "Send every bidder its notice: that begins the standstill.",
        ),
        facts=lot(facts),
        path=lot_path(facts, "/evaluation"),
    )


# -- to every bidder ------------------------------------------------------------------------------

_OUTCOME: Final = """
SELECT DISTINCT ON (p.person, n.recipient) p.person, n.recipient AS organisation,
    n.recipient || '/' || n.award AS key,
    lot_facts(n.lot) || jsonb_build_object('standstill_ends_at', s.ends_at) AS facts
FROM event e JOIN award_notice n ON n.award = latest_award(e.subject)
JOIN standstill s ON s.award = n.award
CROSS JOIN LATERAL people_of(n.recipient, 'bid_manager', 'administrator') AS p (person)
WHERE e.id = $1 ORDER BY p.person, n.recipient
"""


def _outcome(facts: Facts) -> Letter:
    return Letter(
        subject=f"The outcome: {facts['title']}, lot {facts['lot']}",
        paragraphs=(
            (
                f"{facts['buyer']} has decided about lot {facts['lot']}, for which your"
                " organisation bid. Its award notice to you is in the market; this letter does"
                " not repeat it."
            ),
            (
                "Sign in and read it: it says what was decided and why. Each notice has an id; add"
                " it and /page or /document to the address below for a page or a PDF to keep."
                " No contract is made"
                " before the standstill is over. The time for a challenge is short: do not wait."
            ),
        ),
        facts=(*lot(facts), ("Standstill ends", london(facts["standstill_ends_at"]))),
        path=lot_path(facts, "/award-notices"),
    )


_LOT_ABANDONED: Final = """
SELECT DISTINCT ON (p.person) p.person, b.organisation, l.id::text AS key, lot_facts(l.id)
    || jsonb_build_object('abandoned_at', e.occurred_at,
                          'opened', e.details ->> 'stage' <> 'bidding') AS facts
FROM event e JOIN lot l ON l.id = e.subject
CROSS JOIN LATERAL standing_bids(l.tender) b
CROSS JOIN LATERAL people_of(b.organisation, 'bid_manager', 'administrator') AS p (person)
WHERE e.id = $1 AND b.lot = l.id ORDER BY p.person, b.organisation
"""


def _lot_abandoned(facts: Facts) -> Letter:
    sealed = (
        "" if facts["opened"] else " Your bid for it was not opened, and stays sealed for good."
    )
    return Letter(
        subject=f"Lot abandoned: {facts['title']}, lot {facts['lot']}",
        paragraphs=(
            (
                f"{facts['buyer']} has abandoned lot {facts['lot']}, for which your organisation"
                f" bid. No contract follows from it.{sealed}"
            ),
            (
                "This is about that lot alone. The reason is recorded by the buyer: ask for it if"
                " you are not told."
            ),
        ),
        facts=(*lot(facts), ("Abandoned", london(facts["abandoned_at"]))),
        path=tender_path(facts),
    )


# -- the standstill and the contract --------------------------------------------------------------

_STANDSTILL_OVER: Final = """
SELECT r.person, r.organisation, s.award::text AS key, lot_facts(l.id) || jsonb_build_object(
    'ends_at', s.ends_at, 'reader', r.duty, 'declared', r.declared) AS facts
FROM standstill s JOIN lot l ON l.id = s.lot AND l.stage = 'notified'
    AND s.award = latest_award(l.id)
CROSS JOIN LATERAL duty_recipients(l.tender, 'contract_manager', 'tender_manager') r
WHERE s.ends_at <= market_now() AND s.ends_at > market_now() - interval '28 days'
"""


def _standstill_over(facts: Facts) -> Letter:
    if facts["reader"] == "tender_manager":
        following = "The contract manager can record the contract now."
    elif facts["declared"]:
        following = "You can record the contract now."
    else:
        following = (
            "Declare whether you have an interest in each bidder; then you can record the contract."
        )
    return Letter(
        subject=f"The standstill is over: {facts['title']}, lot {facts['lot']}",
        paragraphs=(f"The standstill of lot {facts['lot']} has ended.", following),
        facts=(*lot(facts), ("Ended", london(facts["ends_at"]))),
        path=lot_path(facts, "/evaluation"),
    )


_CONTRACT_MADE: Final = """
WITH made AS MATERIALIZED (
    SELECT c.id, c.lot, l.tender, lot_facts(c.lot) || jsonb_build_object(
        'made_at', c.made_at, 'starts', c.starts, 'ends', c.ends) AS facts
    FROM event e JOIN contract c ON c.id = e.subject JOIN lot l ON l.id = c.lot WHERE e.id = $1
)
SELECT r.person, r.organisation, m.id::text AS key,
    m.facts || jsonb_build_object('reader', 'house') AS facts
FROM made m CROSS JOIN LATERAL duty_recipients(m.tender, 'tender_manager', 'guardian') r
UNION ALL
SELECT p.person, b.organisation, m.id::text, m.facts || jsonb_build_object('reader', 'supplier')
FROM made m JOIN award a ON a.id = latest_award(m.lot) JOIN bid b ON b.id = a.bid
CROSS JOIN LATERAL people_of(b.organisation, 'bid_manager') AS p (person)
"""


def _contract_made(facts: Facts) -> Letter:
    whose = "with your organisation " if facts["reader"] == "supplier" else ""
    return Letter(
        subject=f"Contract made: {facts['title']}, lot {facts['lot']}",
        paragraphs=(f"The contract for lot {facts['lot']} {whose}has been recorded as made.",),
        facts=(
            *lot(facts),
            ("Made", london(facts["made_at"])),
            ("Runs", f"{day(facts['starts'])} to {day(facts['ends'])}"),
        ),
        path=lot_path(facts, "/award"),
    )


KINDS: Final = (
    NoticeKind(
        name="recommendation-due",
        title="A lot is ranked and waits for a recommendation",
        actions=("lot.ranked",),
        recipients=_RANKED,
        letter=_recommendation_due,
    ),
    NoticeKind(
        name="approval-due",
        title="A recommendation waits for your approval",
        actions=("award.recommended",),
        recipients=_APPROVAL_DUE,
        letter=_approval_due,
    ),
    NoticeKind(
        name="recommendation-returned",
        title="A recommendation was returned",
        actions=("award.returned",),
        recipients=_RANKED,
        letter=_returned,
    ),
    NoticeKind(
        name="notices-due",
        title="An award is approved and the bidders wait for their notices",
        actions=("lot.awarded",),
        recipients=_NOTICES_DUE,
        letter=_notices_due,
    ),
    NoticeKind(
        name="outcome",
        title="The outcome of a lot for which your organisation bid",
        actions=("notices.sent",),
        recipients=_OUTCOME,
        letter=_outcome,
        formal=True,
    ),
    NoticeKind(
        name="lot-abandoned",
        title="A lot for which your organisation bid was abandoned",
        actions=("lot.abandoned",),
        recipients=_LOT_ABANDONED,
        letter=_lot_abandoned,
        formal=True,
    ),
    NoticeKind(
        name="standstill-over",
        title="The standstill of a lot is over",
        recipients=_STANDSTILL_OVER,
        letter=_standstill_over,
    ),
    NoticeKind(
        name="contract-made",
        title="A contract was made",
        actions=("contract.made",),
        recipients=_CONTRACT_MADE,
        letter=_contract_made,
    ),
)
