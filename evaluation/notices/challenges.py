"""Notices of challenges of an award: to who decides, to the challenger, and to every bidder."""

from typing import Final

from market.mail.kinds import Letter, NoticeKind
from tenders.notices.words import Facts, london, lot, lot_path

_TO_DECIDE: Final = """
SELECT r.person, r.organisation, c.id::text AS key, lot_facts(c.lot) || jsonb_build_object(
    'received_at', c.received_at, 'reader', r.duty, 'declared', r.declared) AS facts
FROM event e JOIN lot_challenge c ON c.id = e.subject JOIN lot l ON l.id = c.lot
CROSS JOIN LATERAL duty_recipients(l.tender, 'guardian', 'tender_manager', 'contract_manager') r
WHERE e.id = $1 AND lot_on_hold(c.lot)
"""

_DOES: Final = {
    "guardian": "Read the challenge and decide it, with reasons that the challenger is given.",
    "tender_manager": "The conflicts guardian decides it. You can read it.",
    "contract_manager": "You cannot record the contract until the conflicts guardian has decided.",
}


def _to_decide(facts: Facts) -> Letter:
    does = _DOES[facts["reader"]]
    if not facts["declared"]:
        does = f"Declare whether you have an interest in each bidder. Then: {does}"
    return Letter(
        subject=f"Challenged, on hold: {facts['title']}, lot {facts['lot']}",
        paragraphs=(
            (
                f"The award of lot {facts['lot']} is challenged. The lot is on hold: no contract"
                " is made while the challenge is open."
            ),
            does,
        ),
        facts=(*lot(facts), ("Received", london(facts["received_at"]))),
        path=lot_path(facts, "/challenges"),
    )


_ON_HOLD: Final = """
SELECT DISTINCT ON (p.person, n.recipient) p.person, n.recipient AS organisation,
    c.id || '/' || n.recipient AS key, lot_facts(c.lot) || jsonb_build_object(
        'received_at', c.received_at, 'theirs', n.recipient = c.challenger) AS facts
FROM event e JOIN lot_challenge c ON c.id = e.subject
JOIN award_notice n ON n.award = latest_award(c.lot)
CROSS JOIN LATERAL people_of(n.recipient, 'bid_manager', 'administrator') AS p (person)
WHERE e.id = $1 AND lot_on_hold(c.lot) ORDER BY p.person, n.recipient
"""


def _on_hold(facts: Facts) -> Letter:
    what = (
        f"Your organisation's challenge of the award of lot {facts['lot']} has been recorded."
        if facts["theirs"]
        else f"The award of lot {facts['lot']}, for which your organisation bid, is challenged."
    )
    return Letter(
        subject=f"On hold: {facts['title']}, lot {facts['lot']}",
        paragraphs=(
            what,
            (
                "The lot is on hold: no contract is made until the challenge is decided. You will"
                " be told how the lot goes on."
            ),
        ),
        facts=(*lot(facts), ("Received", london(facts["received_at"]))),
        path=lot_path(facts, "/challenges"),
    )


_DECIDED: Final = """
SELECT p.person, c.challenger AS organisation, c.id::text AS key, lot_facts(c.lot) AS facts
FROM event e JOIN lot_challenge c ON c.id = e.subject
CROSS JOIN LATERAL people_of(c.challenger, 'bid_manager', 'administrator') AS p (person)
WHERE e.id = $1
"""


def _decided(facts: Facts) -> Letter:
    return Letter(
        subject=f"Your challenge is decided: {facts['title']}, lot {facts['lot']}",
        paragraphs=(
            f"{facts['buyer']} has decided your challenge of the award of lot {facts['lot']}.",
            "Sign in and read the decision and its reasons; this letter does not repeat them.",
        ),
        facts=lot(facts),
        path=lot_path(facts, "/challenges"),
    )


# What is abandoned or evaluated anew is told by notices of its own.
_GOES_ON: Final = """
WITH ended AS MATERIALIZED (
    SELECT c.id, c.lot, l.tender, latest_award(c.lot) AS award
    FROM event e JOIN lot_challenge c ON c.id = e.subject JOIN lot l ON l.id = c.lot
    WHERE e.id = $1 AND l.stage = 'notified' AND NOT lot_on_hold(c.lot)
)
SELECT DISTINCT ON (p.person, n.recipient) p.person, n.recipient AS organisation,
    x.id || '/' || n.recipient AS key, lot_facts(x.lot)
    || jsonb_build_object('standstill_ends_at', s.ends_at) AS facts
FROM ended x JOIN award_notice n ON n.award = x.award JOIN standstill s ON s.award = x.award
CROSS JOIN LATERAL people_of(n.recipient, 'bid_manager', 'administrator') AS p (person)
UNION ALL
SELECT r.person, r.organisation, x.id::text, lot_facts(x.lot)
    || jsonb_build_object('standstill_ends_at', s.ends_at)
FROM ended x JOIN standstill s ON s.award = x.award
CROSS JOIN LATERAL duty_recipients(x.tender, 'tender_manager', 'contract_manager') r
"""


def _goes_on(facts: Facts) -> Letter:
    return Letter(
        subject=f"No longer on hold: {facts['title']}, lot {facts['lot']}",
        paragraphs=(
            (
                f"No challenge of the award of lot {facts['lot']} is open any more. The award"
                " stands, and the standstill ends when it would have ended."
            ),
        ),
        facts=(*lot(facts), ("Standstill ends", london(facts["standstill_ends_at"]))),
        path=lot_path(facts, "/award"),
    )


_ANEW: Final = """
SELECT DISTINCT ON (p.person, b.organisation) p.person, b.organisation,
    r.id || '/' || b.organisation AS key, lot_facts(r.lot) AS facts
FROM event e JOIN lot_round r ON r.id = e.subject JOIN lot l ON l.id = r.lot
CROSS JOIN LATERAL standing_bids(l.tender) b
CROSS JOIN LATERAL people_of(b.organisation, 'bid_manager', 'administrator') AS p (person)
WHERE e.id = $1 AND b.lot = r.lot ORDER BY p.person, b.organisation
"""


def _anew(facts: Facts) -> Letter:
    return Letter(
        subject=f"Evaluated anew: {facts['title']}, lot {facts['lot']}",
        paragraphs=(
            (
                f"A challenge of the award of lot {facts['lot']}, for which your organisation bid,"
                " was upheld. The award does not stand: the bids are scored anew, by people who"
                " have seen no price."
            ),
            "Your bid stays as it is. You will be sent a notice of the new outcome.",
        ),
        facts=lot(facts),
        path=lot_path(facts, "/challenges"),
    )


KINDS: Final = (
    NoticeKind(
        name="challenge-to-decide",
        title="An award is challenged, and its lot is on hold",
        actions=("challenge.received",),
        recipients=_TO_DECIDE,
        letter=_to_decide,
    ),
    NoticeKind(
        name="lot-on-hold",
        title="A lot for which your organisation bid is on hold",
        actions=("challenge.received",),
        recipients=_ON_HOLD,
        letter=_on_hold,
        formal=True,
    ),
    NoticeKind(
        name="challenge-decided",
        title="A challenge of your organisation is decided",
        actions=("challenge.decided",),
        recipients=_DECIDED,
        letter=_decided,
        formal=True,
    ),
    NoticeKind(
        name="hold-ended",
        title="A lot is no longer on hold",
        actions=("challenge.decided", "challenge.withdrawn"),
        recipients=_GOES_ON,
        letter=_goes_on,
    ),
    NoticeKind(
        name="evaluated-anew",
        title="A lot for which your organisation bid is evaluated anew",
        actions=("round.begun",),
        recipients=_ANEW,
        letter=_anew,
        formal=True,
    ),
)
