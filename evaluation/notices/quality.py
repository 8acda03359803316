"""Notices about the evaluation of a lot: whose turn it is. No score and no bidder is in any."""

from typing import Final

from market.mail.kinds import Letter, NoticeKind
from tenders.notices.words import Facts, lot, lot_path, lots, tender, tender_path

# Once when they can begin, and once a week later where something is left.
_SCORES_DUE: Final = """
SELECT due.person, due.organisation,
    t.id || CASE WHEN due.since + interval '7 days' <= market_now() THEN '/week' ELSE '' END AS key,
    tender_facts(t.id) || jsonb_build_object('lots', to_jsonb(due.lots),
        'reminder', due.since + interval '7 days' <= market_now()) AS facts
FROM tender t CROSS JOIN LATERAL scores_due(t.id) due
WHERE t.stage = 'opened' AND EXISTS (
    SELECT 1 FROM lot l WHERE l.tender = t.id AND l.stage = 'quality_scoring')
"""


def _scores_due(facts: Facts) -> Letter:
    which = lots(facts["lots"])
    return Letter(
        subject=f"Your scores are due: {facts['title']}",
        paragraphs=(
            f"You have not locked your scores of {which} yet; the others wait for you."
            if facts["reminder"]
            else f"The bids for {which} are open to you, under pseudonyms, for your scores.",
            (
                "Score every criterion of every bid on your own, each with its reason, and lock."
                " Nobody sees a score of yours before all have locked."
            ),
        ),
        facts=(*tender(facts), ("To be scored", which)),
        path=tender_path(facts, f"/lots/{facts['lots'][0]}/evaluation/bids"),
    )


# Whatever may have been the last thing that a lot waited for: a lock, or that somebody who had not
# locked is out.
_MODERATION: Final = """
SELECT r.person, r.organisation, l.id::text AS key, lot_facts(l.id) AS facts
FROM event e JOIN lot l ON l.tender = e.tender AND l.stage = 'quality_scoring'
CROSS JOIN LATERAL duty_recipients(e.tender, 'moderator') r
WHERE e.id = $1 AND ready_for_moderation(l.id)
"""


def _moderation(facts: Facts) -> Letter:
    return Letter(
        subject=f"Ready for moderation: {facts['title']}, lot {facts['lot']}",
        paragraphs=(
            f"Every evaluator of lot {facts['lot']} has locked.",
            (
                "Bring the panel together, record the agreed score of each criterion with its"
                " reason, and lock the quality of the lot."
            ),
        ),
        facts=lot(facts),
        path=lot_path(facts, "/evaluation/scores"),
    )


_QUALITY_LOCKED: Final = """
SELECT r.person, r.organisation, l.id || '/' || round_of(l.id) AS key, lot_facts(l.id)
    || jsonb_build_object('reader', r.duty) AS facts
FROM event e JOIN lot l ON l.id = e.subject
CROSS JOIN LATERAL duty_recipients(e.tender, VARIADIC CASE WHEN has_prices_to_open(l.id)
    THEN ARRAY['price_evaluator'] ELSE ARRAY['tender_manager'] END) r
WHERE e.id = $1 AND (r.duty = 'price_evaluator' OR r.declared)
"""


def _quality_locked(facts: Facts) -> Letter:
    subject = f"Quality decided: {facts['title']}, lot {facts['lot']}"
    if facts["reader"] == "price_evaluator":
        return Letter(
            subject=subject,
            paragraphs=(
                (
                    f"The quality of lot {facts['lot']} is locked. The prices of the bids that met"
                    " the minimum can be opened."
                ),
                "Open them, and rank the bids. The others stay sealed for good.",
            ),
            facts=lot(facts),
            path=lot_path(facts, "/evaluation"),
        )
    return Letter(
        subject=subject,
        paragraphs=(
            (
                f"The quality of lot {facts['lot']} is locked, and the lot cannot go on: it waits"
                " for you."
            ),
            "The evaluation says why, and what can be done.",
        ),
        facts=lot(facts),
        path=lot_path(facts, "/evaluation"),
    )


KINDS: Final = (
    NoticeKind(
        name="scores-due",
        title="Your scores are due",
        recipients=_SCORES_DUE,
        letter=_scores_due,
    ),
    NoticeKind(
        name="moderation-due",
        title="A lot is ready for moderation",
        actions=("scores.locked", "interest.declared", "conflict.decided", "duty.released"),
        recipients=_MODERATION,
        letter=_moderation,
    ),
    NoticeKind(
        name="quality-decided",
        title="The quality of a lot is decided: prices can be opened",
        actions=("quality.locked",),
        recipients=_QUALITY_LOCKED,
        letter=_quality_locked,
    ),
)
