"""Notices about amendments: to everybody concerned, and to those whose bid waits or lapsed."""

from typing import Final

from market.mail.kinds import Letter, NoticeKind
from tenders.notices.words import API, Facts, london, tender, tender_path
from tenders.notices.words import lot as named_lot
from tenders.queries.matching import MATCHES_SAVED

# -- an amendment ---------------------------------------------------------------------------------

# Each reader is told of their own part alone: who bids is nowhere in it.
_CONCERNED = """
WITH amended AS MATERIALIZED (
    SELECT a.*, t.title, e.person AS publisher FROM event e JOIN amendment a ON a.id = e.subject
    JOIN tender t ON t.id = a.tender AND t.stage = 'published' WHERE e.id = $1
), told AS (
    SELECT p.person, b.organisation, 'bidder' AS reader, 1 AS preferred
    FROM amended a CROSS JOIN LATERAL standing_bids(a.tender) b
    CROSS JOIN LATERAL people_of(b.organisation, 'bid_manager') AS p (person)
    UNION ALL
    SELECT r.person, r.organisation, 'house', 2
    FROM amended a CROSS JOIN LATERAL duty_recipients(a.tender, 'tender_manager', 'author',
        'reviewer', 'opener', 'guardian', 'quality_evaluator', 'moderator', 'price_evaluator',
        'award_approver', 'contract_manager') r
    WHERE r.person <> a.publisher
    UNION ALL
    SELECT search.person, search.organisation, 'looking', 3
    FROM amended a JOIN tender t ON t.id = a.tender
    JOIN saved_search search ON search.ended_at IS NULL AND search.made_at <= a.published_at
    WHERE EXISTS (SELECT 1 FROM membership m WHERE m.person = search.person
                  AND m.organisation = search.organisation AND m.ended_at IS NULL)
      AND NOT EXISTS (SELECT 1 FROM duty d WHERE d.tender = t.id AND d.person = search.person)
      AND """
_EACH_ONCE = """
)
SELECT DISTINCT ON (told.person) told.person, told.organisation, a.id::text AS key,
    tender_facts(a.tender) || jsonb_build_object('number', a.number, 'summary', a.summary,
        'material', a.material, 'deadline', a.deadline_after,
        'extended', a.deadline_after > a.deadline_before, 'reader', told.reader) AS facts
FROM told CROSS JOIN amended a ORDER BY told.person, told.preferred, told.organisation
"""
_AMENDED: Final = _CONCERNED + MATCHES_SAVED + _EACH_ONCE


def _amended(facts: Facts) -> Letter:
    deadline = london(facts["deadline"])
    first = f"{facts['buyer']} has amended the tender: amendment {facts['number']}."
    if facts["reader"] == "bidder" and facts["material"]:
        following = (
            "It is material. A bid given before it must be confirmed or replaced before the"
            " deadline; otherwise it lapses and is not opened."
        )
    elif facts["reader"] == "bidder":
        following = "It is not material: a bid given before it stands as it is."
    else:
        following = (
            "It is material: bids given before it are confirmed or replaced, or they lapse."
            if facts["material"]
            else "It is not material: bids given before it stand as they are."
        )
    return Letter(
        subject=f"Tender amended: {facts['title']}",
        paragraphs=(first, following),
        facts=(
            *tender(facts),
            ("What changed", facts["summary"]),
            ("New deadline" if facts["extended"] else "Deadline, as before", deadline),
        ),
        path=tender_path(facts, "/amendments"),
    )


# -- a bid that waits -----------------------------------------------------------------------------

_TO_CONFIRM: Final = """
WITH near AS MATERIALIZED (
    SELECT t.id, t.deadline, t.amendments, w.hours FROM tender t
    CROSS JOIN (VALUES (72, 24), (24, 0)) w (hours, until)
    WHERE t.stage = 'published' AND t.material_amendment IS NOT NULL
      AND t.deadline > market_now() AND t.deadline <= market_now() + interval '72 hours'
      AND market_now() >= t.deadline - make_interval(hours => w.hours)
      AND market_now() < t.deadline - make_interval(hours => w.until)
)
SELECT p.person, b.organisation, b.bid || '/' || n.amendments || '/' || n.hours AS key,
    lot_facts(b.lot) || jsonb_build_object('bid', b.bid, 'deadline', n.deadline,
        'number', b.amendment, 'form_changed', b.form_changed) AS facts
FROM near n CROSS JOIN LATERAL bids_to_confirm(n.id) b
CROSS JOIN LATERAL people_of(b.organisation, 'bid_manager') AS p (person)
"""


def _to_confirm(facts: Facts) -> Letter:
    wanted = "replaced" if facts["form_changed"] else "confirmed or replaced"
    return Letter(
        subject=f"Your bid waits: {facts['title']}, lot {facts['lot']}",
        paragraphs=(
            (
                f"Your organisation's bid was given before amendment {facts['number']}, which is"
                f" material. It has not been {wanted}."
            ),
            "Unless that is done before the deadline, the bid lapses and is not opened.",
        ),
        facts=(*named_lot(facts), ("Deadline", london(facts["deadline"]))),
        path=f"{API}/bids/{facts['bid']}",
    )


# -- a bid that lapsed ----------------------------------------------------------------------------

_LAPSED: Final = """
SELECT p.person, b.organisation, b.id::text AS key, lot_facts(b.lot) || jsonb_build_object(
    'bid', b.id, 'number', (e.details ->> 'amendment')::integer) AS facts
FROM event e JOIN bid b ON b.id = e.subject
CROSS JOIN LATERAL people_of(b.organisation, 'bid_manager') AS p (person)
WHERE e.id = $1
"""


def _lapsed(facts: Facts) -> Letter:
    if facts["number"] is None:
        why = (
            "Your organisation's variant stands only beside its main bid, and there was none that"
            " stood, so it lapsed at the deadline."
        )
    else:
        why = (
            "Your organisation's bid was neither confirmed nor replaced after amendment"
            f" {facts['number']}, which is material, so it lapsed at the deadline."
        )
    return Letter(
        subject=f"Your bid lapsed: {facts['title']}, lot {facts['lot']}",
        paragraphs=(why, "It was not opened, and stays sealed for good."),
        facts=named_lot(facts),
        path=f"{API}/bids/{facts['bid']}",
    )


KINDS: Final = (
    NoticeKind(
        name="tender-amended",
        title="A tender in which you have a part, or which you look for, was amended",
        actions=("tender.amended",),
        recipients=_AMENDED,
        letter=_amended,
        formal=True,
    ),
    NoticeKind(
        name="bid-to-confirm",
        title="A bid of your organisation waits to be confirmed or replaced",
        recipients=_TO_CONFIRM,
        letter=_to_confirm,
    ),
    NoticeKind(
        name="bid-lapsed",
        title="A bid of your organisation lapsed",
        actions=("bid.lapsed",),
        recipients=_LAPSED,
        letter=_lapsed,
        formal=True,
    ),
)
