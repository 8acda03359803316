"""Notices about standing in the market: applications to supply, and the registers of interests."""

from typing import Final

from market.mail.kinds import Letter, NoticeKind, Sending
from tenders.notices.words import API, Facts, day

# -- applications to supply -----------------------------------------------------------------------

_WAITING: Final = """
SELECT m.person, m.organisation, a.id::text AS key,
    jsonb_build_object('application', a.id, 'applicant', o.name) AS facts
FROM event e JOIN supplier_application a ON a.id = e.subject
JOIN organisation o ON o.id = a.organisation
JOIN membership m ON m.role = 'registrar' AND m.ended_at IS NULL AND m.person <> a.applicant
WHERE e.id = $1 AND NOT EXISTS (SELECT 1 FROM supplier_decision d WHERE d.application = a.id)
"""


def _waiting(facts: Facts) -> Letter:
    return Letter(
        subject=f"Application to supply: {facts['applicant']}",
        paragraphs=(
            f"{facts['applicant']} has applied to be admitted as a supplier.",
            "Check who they are, and admit or refuse them with a reason.",
        ),
        facts=(("Applicant", facts["applicant"]),),
        path=f"{API}/supplier-applications/{facts['application']}",
    )


_DECIDED: Final = """
SELECT a.applicant AS person, a.organisation, a.id::text AS key, jsonb_build_object(
    'application', a.id, 'applicant', o.name, 'admitted', d.outcome = 'admitted') AS facts
FROM event e JOIN supplier_application a ON a.id = e.subject
JOIN supplier_decision d ON d.application = a.id JOIN organisation o ON o.id = a.organisation
WHERE e.id = $1
"""


def _decided(facts: Facts) -> Letter:
    if facts["admitted"]:
        return Letter(
            subject=f"{facts['applicant']} is admitted as a supplier",
            paragraphs=(
                f"{facts['applicant']} is admitted. You are its administrator and bid manager.",
                (
                    "You can bid now, bring in your colleagues, and save searches to be told of new"
                    " opportunities."
                ),
            ),
            facts=(("Supplier", facts["applicant"]),),
            path=f"{API}/tenders",
        )
    return Letter(
        subject=f"The application of {facts['applicant']} was refused",
        paragraphs=(
            f"{facts['applicant']} was not admitted as a supplier.",
            "Sign in to read the reason. You may apply again when it no longer holds.",
        ),
        facts=(("Applicant", facts["applicant"]),),
        path=f"{API}/supplier-applications/{facts['application']}",
    )


# -- the register of interests --------------------------------------------------------------------

# The same members and the same days as in the list of those whose confirmation is due; once in the
# fortnight before the day, and once when four weeks have not gone by since.
_MEMBERS = """
WITH today AS MATERIALIZED (SELECT register_day(market_now()) AS day), due AS MATERIALIZED (
    SELECT joined.person, o.id AS organisation, o.name, confirmation_due_on(joined.day, (
        SELECT register_day(max(c.confirmed_at)) FROM interest_confirmation c
        WHERE c.person = joined.person AND c.organisation = o.id)) AS day
    FROM (SELECT m.person, m.organisation, register_day(min(m.started_at)) AS day
          FROM membership m WHERE m.ended_at IS NULL GROUP BY m.person, m.organisation) joined
    JOIN organisation o ON o.id = joined.organisation AND o.kind IN (
        'clinical_commissioning_group', 'other_nhs_body', 'commissioning_support_unit')
)"""
_TO_EACH = """
SELECT due.person, due.organisation, due.organisation || '/' || due.day
        || CASE WHEN due.day < today.day THEN '/late' ELSE '' END AS key,
    jsonb_build_object('organisation', due.name, 'due', due.day, 'late', due.day < today.day)
    AS facts
FROM due, today WHERE due.day BETWEEN today.day - 28 AND today.day + 14
"""
_TO_GUARDIANS = """
SELECT m.person, m.organisation, m.organisation || '/' || to_char(today.day, 'YYYY-MM') AS key,
    jsonb_build_object('organisation', o.name, 'register', o.id, 'late', late.members) AS facts
FROM today CROSS JOIN (
    SELECT due.organisation, count(*) AS members FROM due, today
    WHERE due.day < today.day GROUP BY due.organisation) late
JOIN organisation o ON o.id = late.organisation
JOIN membership m ON m.organisation = late.organisation AND m.role = 'conflicts_guardian'
    AND m.ended_at IS NULL
"""


def _confirmation(facts: Facts) -> Letter:
    subject = "Confirm your interests" + (": it is overdue" if facts["late"] else "")
    was = "was" if facts["late"] else "is"
    return Letter(
        subject=f"{subject} ({facts['organisation']})",
        paragraphs=(
            (
                f"Your confirmation in the register of interests of {facts['organisation']} {was}"
                f" due on {day(facts['due'])}."
            ),
            (
                "Look through your entries, correct or end what has changed, enter what is new, and"
                " confirm. Nothing to declare is confirmed too."
            ),
        ),
        facts=(("Register of", facts["organisation"]), ("Due", day(facts["due"]))),
        path=f"{API}/me/interest-confirmation",
    )


def _overdue(facts: Facts) -> Letter:
    count = facts["late"]
    members = "One member has" if count == 1 else f"{count} members have"
    return Letter(
        subject=f"Confirmations of interests are overdue ({facts['organisation']})",
        paragraphs=(
            f"{members} not confirmed their interests in time. The list names them.",
            "Remind them: until they have, the register may not be complete.",
        ),
        facts=(("Register of", facts["organisation"]), ("Overdue", str(count))),
        path=f"{API}/organisations/{facts['register']}/interest-confirmations-due",
    )


_CONSENT: Final = """
SELECT m.person, m.organisation, e.subject::text AS key, jsonb_build_object(
    'organisation', o.name, 'register', o.id, 'gift', w.gift) AS facts
FROM event e CROSS JOIN LATERAL consents_waiting(e.id) w
JOIN organisation o ON o.id = w.organisation
JOIN membership m ON m.organisation = o.id AND m.role = 'conflicts_guardian'
    AND m.ended_at IS NULL AND m.person <> w.holder
WHERE e.id = $1
"""


def _consent(facts: Facts) -> Letter:
    register = "gifts" if facts["gift"] else "interests"
    return Letter(
        subject=f"An entry in the register of {register} waits ({facts['organisation']})",
        paragraphs=(
            (
                f"Somebody does not consent to the publication of an entry in the register of"
                f" {register}. It is withheld until you decide."
            ),
            "Read the entry and the reason given, and decide whether it stays withheld.",
        ),
        facts=(("Register of", facts["organisation"]),),
        path=f"{API}/organisations/{facts['register']}/register-of-{register}/private",
    )


KINDS: Final = (
    NoticeKind(
        name="application-waiting",
        title="An application to supply waits for the registrar",
        actions=("supplier.applied",),
        recipients=_WAITING,
        letter=_waiting,
    ),
    NoticeKind(
        name="application-decided",
        title="Your application to supply was decided",
        actions=("supplier.admitted", "supplier.refused"),
        recipients=_DECIDED,
        letter=_decided,
        to_outsiders=True,
        formal=True,
    ),
    NoticeKind(
        name="confirmation-of-interests-due",
        title="Your yearly confirmation of interests is due",
        recipients=_MEMBERS + _TO_EACH,
        letter=_confirmation,
    ),
    NoticeKind(
        name="confirmations-overdue",
        title="Members have not confirmed their interests in time",
        recipients=_MEMBERS + _TO_GUARDIANS,
        letter=_overdue,
        sending=Sending.DIGEST,
    ),
    NoticeKind(
        name="consent-to-decide",
        title="A refusal to publish an entry in a register waits for the guardian",
        actions=("interest.declared", "interest.corrected", "gift.declared", "gift.corrected"),
        recipients=_CONSENT,
        letter=_consent,
    ),
)
