"""The notice to a tender's manager that an interruption waits for a decision."""

from typing import Final

from market.mail.kinds import Letter, NoticeKind
from tenders.notices.words import Facts, london, tender, tender_path

_PROPOSED: Final = """
SELECT r.person, r.organisation, p.id::text AS key, tender_facts(p.tender) || jsonb_build_object(
    'deadline', p.deadline, 'began', i.began_at, 'ended', i.ended_at) AS facts
FROM event e JOIN extension_proposal p ON p.id = e.subject
JOIN interruption i ON i.id = p.interruption
CROSS JOIN LATERAL duty_recipients(p.tender, 'tender_manager') r
WHERE e.id = $1
"""


def _proposed(facts: Facts) -> Letter:
    return Letter(
        subject=f"The market was interrupted before the deadline: {facts['title']}",
        paragraphs=(
            (
                "The market could not be reached for a while in the last hour before the deadline."
                " Somebody may have been kept from bidding."
            ),
            (
                "Decide whether to put the deadline off. Until you have, what stands is not fixed"
                " and no bid is opened."
            ),
        ),
        facts=(
            *tender(facts),
            ("Deadline for bids", london(facts["deadline"])),
            ("Interrupted from", london(facts["began"])),
            ("Interrupted until", london(facts["ended"])),
        ),
        path=tender_path(facts, "/extension-proposals"),
    )


KINDS: Final = (
    NoticeKind(
        name="extension-proposed",
        title="An interruption of the market waits for your decision",
        actions=("extension.proposed",),
        recipients=_PROPOSED,
        letter=_proposed,
        formal=True,
    ),
)
