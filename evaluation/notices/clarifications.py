"""The notice to a bidder that something was asked about its bid; not what."""

from typing import Final

from market.mail.kinds import Letter, NoticeKind
from tenders.notices.words import API, Facts, london, lot

_ASKED: Final = """
SELECT p.person, b.organisation, q.id::text AS key, lot_facts(l.id) || jsonb_build_object(
    'bid', b.id, 'answer_by', q.answer_by) AS facts
FROM event e JOIN bid_question q ON q.id = e.subject JOIN lot l ON l.id = q.lot
JOIN bid b ON b.id = q.bid
CROSS JOIN LATERAL people_of(b.organisation, 'bid_manager') AS p (person)
WHERE e.id = $1
"""


def _asked(facts: Facts) -> Letter:
    return Letter(
        subject=f"A question about your bid: {facts['title']}, lot {facts['lot']}",
        paragraphs=(
            f"The buyer asks you to explain something in your bid for lot {facts['lot']}.",
            (
                "Read the question and answer it in time. An answer explains the bid and changes"
                " nothing in it; those who score read it without knowing whose it is, so do not"
                " name yourselves."
            ),
        ),
        facts=(*lot(facts), ("Answer by", london(facts["answer_by"]))),
        path=f"{API}/bids/{facts['bid']}/questions",
    )


KINDS: Final = (
    NoticeKind(
        name="bid-questioned",
        title="A question was asked about your bid",
        actions=("bid.questioned",),
        recipients=_ASKED,
        letter=_asked,
    ),
)
