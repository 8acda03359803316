"""Notices to those who run a tender: duties, the review of the requirement, interests."""

from typing import Final

from market.mail.kinds import Letter, NoticeKind
from tenders.notices.words import Facts, duty, london, tender, tender_path

_DUTY_OFFERED: Final = """
SELECT d.person, d.organisation, d.id::text AS key,
    tender_facts(d.tender) || jsonb_build_object('duty', d.duty) AS facts
FROM event e JOIN duty d ON d.id = e.subject AND d.person <> d.assigned_by
CROSS JOIN LATERAL duty_standing(d.tender, d.person) s
WHERE e.id = $1 AND s.duty = d.duty AND s.standing = 'offered'
"""


def _duty_offered(facts: Facts) -> Letter:
    return Letter(
        subject=f"You are asked to be {duty(facts)}: {facts['title']}",
        paragraphs=(
            f"You have been given the duty of {duty(facts)} in a tender of {facts['buyer']}.",
            (
                "It works once you have declared your interests on taking it up. Enter them in the"
                " register first if you have any; nothing to declare is an answer too."
            ),
        ),
        facts=(*tender(facts), ("Duty", duty(facts))),
        path=tender_path(facts, "/duty-declarations"),
    )


# -- the review of the requirement ----------------------------------------------------------------

_REVIEW_REQUESTED: Final = """
SELECT r.person, r.organisation, e.id::text AS key, tender_facts(t.id) AS facts
FROM event e JOIN tender t ON t.id = e.subject
    AND (t.stage = 'in_review' OR t.stage = 'published' AND t.redraft = 'in_review')
CROSS JOIN LATERAL duty_recipients(t.id, 'reviewer') r
WHERE e.id = $1
"""


def _review_requested(facts: Facts) -> Letter:
    return Letter(
        subject=f"Review asked for: {facts['title']}",
        paragraphs=(
            "The requirement waits for your independent review.",
            (
                "Read it with an eye to whether it favours anybody. Approve it, or return it to its"
                " authors, with comments."
            ),
        ),
        facts=tender(facts),
        path=tender_path(facts, "/requirement"),
    )


_REVIEWED: Final = """
SELECT r.person, r.organisation, e.subject::text AS key, tender_facts(e.tender)
    || jsonb_build_object('approved', e.action = 'requirement.approved', 'duty', r.duty,
                          'amends', coalesce(t.published_at < e.occurred_at, false)) AS facts
FROM event e JOIN tender t ON t.id = e.tender
CROSS JOIN LATERAL duty_recipients(t.id, 'tender_manager', 'author') r
WHERE e.id = $1
"""


def _reviewed(facts: Facts) -> Letter:
    if facts["approved"]:
        manager = facts["duty"] == "tender_manager"
        return Letter(
            subject=f"Requirement approved: {facts['title']}",
            paragraphs=(
                "The reviewer has approved the requirement.",
                "You can publish it now, with an amendment; until then what is published stands."
                if manager and facts["amends"]
                else "You can publish it now. From then on it changes by amendments alone."
                if manager
                else "The tender's manager can publish it now. A change before that needs another"
                " review.",
            ),
            facts=tender(facts),
            path=tender_path(facts),
        )
    return Letter(
        subject=f"Requirement returned: {facts['title']}",
        paragraphs=(
            "The reviewer has returned the requirement with comments. It is a draft again.",
            (
                "Read the comments with its versions, change what needs changing, and ask for"
                " another review."
            ),
        ),
        facts=tender(facts),
        path=tender_path(facts, "/requirement/versions"),
    )


# -- interests in bidders -------------------------------------------------------------------------

_DECLARATIONS: Final = """
SELECT due.person, due.organisation, t.id::text AS key, tender_facts(t.id) || jsonb_build_object(
    'opened', t.opened_at IS NOT NULL, 'duty', due.duty, 'deadline', t.deadline) AS facts
FROM tender t CROSS JOIN LATERAL declarations_due(t.id) due
WHERE t.stage IN ('published', 'opened') AND t.deadline <= market_now()
  AND EXISTS (SELECT 1 FROM lot l WHERE l.tender = t.id
              AND l.stage NOT IN ('contracted', 'abandoned'))
"""


def _declarations(facts: Facts) -> Letter:
    following = (
        "You read and act on the bids once you have; until then you see nothing of them."
        if facts["opened"]
        else "The bids are opened once two openers have declared and confirmed."
    )
    return Letter(
        subject=f"Your declaration is due: {facts['title']}",
        paragraphs=(
            (
                f"The deadline has passed. As {duty(facts)} you declare, for each bidder, whether"
                " you have an interest in it. None is an answer too."
            ),
            following,
        ),
        facts=(
            *tender(facts),
            ("Your duty", duty(facts)),
            ("Deadline for bids", london(facts["deadline"])),
        ),
        path=tender_path(facts, "/bidders"),
    )


_CONFLICTS: Final = """
SELECT r.person, r.organisation, w.tender || '/' || w.holder || '/' || w.decisions AS key,
    tender_facts(w.tender) || jsonb_build_object('declared', r.declared) AS facts
FROM conflicts_waiting($1) w CROSS JOIN LATERAL duty_recipients(w.tender, 'guardian') r
WHERE r.person <> w.holder
"""


def _conflict(facts: Facts) -> Letter:
    return Letter(
        subject=f"An interest waits for your decision: {facts['title']}",
        paragraphs=(
            (
                "Somebody with a duty in the tender has, or is found to have, an interest in a"
                " bidder. They take no part until you have decided."
            ),
            "See what is known of it, and decide."
            if facts["declared"]
            else "Declare first whether you yourself have an interest in each bidder; then see what"
            " is known of it, and decide.",
        ),
        facts=tender(facts),
        path=tender_path(facts, "/conflicts" if facts["declared"] else "/bidders"),
    )


KINDS: Final = (
    NoticeKind(
        name="duty-offered",
        title="You are given a duty, which your declaration takes up",
        actions=("duty.assigned",),
        recipients=_DUTY_OFFERED,
        letter=_duty_offered,
    ),
    NoticeKind(
        name="review-requested",
        title="A requirement waits for your review",
        actions=("review.requested",),
        recipients=_REVIEW_REQUESTED,
        letter=_review_requested,
    ),
    NoticeKind(
        name="requirement-reviewed",
        title="A requirement was approved or returned",
        actions=("requirement.approved", "requirement.returned"),
        recipients=_REVIEWED,
        letter=_reviewed,
    ),
    NoticeKind(
        name="declaration-due",
        title="Your declaration against the bidders is due",
        recipients=_DECLARATIONS,
        letter=_declarations,
    ),
    NoticeKind(
        name="conflict-to-decide",
        title="An interest in a bidder waits for the guardian's decision",
        actions=("interest.declared", "interest.corrected"),
        recipients=_CONFLICTS,
        letter=_conflict,
    ),
)
