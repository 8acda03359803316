"""Notices about a published tender: to those who look for it, who bid, and who run it."""

from typing import Final

from market.mail.kinds import Letter, NoticeKind
from tenders.notices.words import API, Facts, london, lots, tender, tender_path
from tenders.notices.words import lot as named_lot
from tenders.queries.matching import MATCHES_SAVED

# -- a new opportunity ----------------------------------------------------------------------------

_MATCHING = """
SELECT DISTINCT ON (search.person) search.person, search.organisation, t.id::text AS key,
    tender_facts(t.id) || jsonb_build_object('deadline', t.deadline, 'searches', (
        SELECT jsonb_agg(also.name ORDER BY also.made_at, also.id) FROM saved_search also
        WHERE also.person = search.person AND also.organisation = search.organisation
          AND also.id IN (SELECT search.id FROM saved_search search WHERE search.ended_at IS NULL
                          AND search.made_at <= t.published_at AND """
_OF_MEMBERS = """))) AS facts
FROM event e JOIN tender t ON t.id = e.subject AND t.stage = 'published'
JOIN saved_search search ON search.ended_at IS NULL AND search.made_at <= t.published_at
WHERE e.id = $1
  AND EXISTS (SELECT 1 FROM membership m WHERE m.person = search.person
              AND m.organisation = search.organisation AND m.ended_at IS NULL)
  AND NOT EXISTS (SELECT 1 FROM duty d WHERE d.tender = t.id AND d.person = search.person)
  AND """
_EARLIEST_FIRST = " ORDER BY search.person, search.made_at, search.id"
_OPPORTUNITY: Final = _MATCHING + MATCHES_SAVED + _OF_MEMBERS + MATCHES_SAVED + _EARLIEST_FIRST


def _opportunity(facts: Facts) -> Letter:
    return Letter(
        subject=f"New opportunity: {facts['title']}",
        paragraphs=(
            f"{facts['buyer']} has published a tender that matches what you look for.",
            (
                "Read the requirement first. Only an admitted supplier can bid, sealed, until the"
                " deadline."
            ),
        ),
        facts=(
            *tender(facts),
            ("Deadline", london(facts["deadline"])),
            ("Your saved searches", ", ".join(facts["searches"])),
        ),
        path=tender_path(facts, "/requirement"),
    )


# -- the deadline ---------------------------------------------------------------------------------

# Once a week and once a day before, to those whom it concerned at that moment already. Who has bid
# and who only looks are told the same in the same words: nothing here says that anybody bids.
_NEAR = """
WITH near AS MATERIALIZED (
    SELECT t.*, w.hours, t.deadline - make_interval(hours => w.hours) AS since
    FROM (SELECT t.id, t.title, t.deadline, t.published_at FROM tender t
          WHERE t.stage = 'published' AND t.deadline > market_now()
            AND t.deadline <= market_now() + interval '7 days') t
    CROSS JOIN (VALUES (168, 24), (24, 0)) w (hours, until)
    WHERE market_now() >= t.deadline - make_interval(hours => w.hours)
      AND market_now() < t.deadline - make_interval(hours => w.until)
      AND t.published_at < t.deadline - make_interval(hours => w.hours)
), told AS (
    SELECT n.id, n.hours, r.person, r.organisation, 'manager' AS reader, 1 AS preferred
    FROM near n CROSS JOIN LATERAL duty_recipients(n.id, 'tender_manager') r
    UNION ALL
    SELECT n.id, n.hours, p.person, b.organisation, 'supplier', 2
    FROM near n CROSS JOIN LATERAL standing_bids(n.id) b
    CROSS JOIN LATERAL people_of(b.organisation, 'bid_manager') AS p (person)
    UNION ALL
    SELECT t.id, t.hours, search.person, search.organisation, 'supplier', 3
    FROM near t JOIN saved_search search ON search.ended_at IS NULL AND search.made_at <= t.since
    WHERE EXISTS (SELECT 1 FROM membership m WHERE m.person = search.person
                  AND m.organisation = search.organisation AND m.ended_at IS NULL)
      AND NOT EXISTS (SELECT 1 FROM duty d WHERE d.tender = t.id AND d.person = search.person)
      AND """
_NEAR_BY_TENDER = """
)
SELECT DISTINCT ON (told.person, told.id, told.hours) told.person, told.organisation,
    told.id || '/' || told.hours AS key, tender_facts(told.id) || jsonb_build_object(
        'deadline', near.deadline, 'hours', told.hours, 'reader', told.reader) AS facts
FROM told JOIN near ON near.id = told.id AND near.hours = told.hours
ORDER BY told.person, told.id, told.hours, told.preferred, told.organisation
"""
_DEADLINE_NEAR: Final = _NEAR + MATCHES_SAVED + _NEAR_BY_TENDER


_LEFT: Final = {168: "A week", 24: "A day"}


def _deadline_near(facts: Facts) -> Letter:
    deadline = london(facts["deadline"])
    left = _LEFT[facts["hours"]]
    if facts["reader"] == "manager":
        paragraphs = (
            f"Bids in the tender that you manage must be in by {deadline}.",
            (
                "Until the opening nobody, you included, learns who bids. See that two openers"
                " are at hand once the deadline has passed."
            ),
        )
    else:
        paragraphs = (
            f"Bids must be in by {deadline}. One that comes later is not accepted.",
            (
                "A bid can be given, replaced or withdrawn until then. Leave time for it: a"
                " receipt is your proof that it arrived."
            ),
        )
    return Letter(
        subject=f"{left} or less to the deadline: {facts['title']}",
        paragraphs=paragraphs,
        facts=(*tender(facts), ("Deadline", deadline)),
        path=tender_path(facts),
    )


# -- one's own bid --------------------------------------------------------------------------------

_BID_RECEIVED: Final = """
SELECT p.person, b.organisation, e.id::text AS key, lot_facts(b.lot) || jsonb_build_object(
    'bid', b.id, 'variant', b.variant, 'version', v.number, 'act', e.action,
    'received_at', v.received_at, 'deadline', t.deadline) AS facts
FROM event e JOIN bid b ON b.id = e.subject JOIN tender t ON t.id = b.tender
JOIN bid_version v ON v.bid = b.id AND v.number = (e.details ->> 'version')::integer
CROSS JOIN LATERAL people_of(b.organisation, 'bid_manager') AS p (person)
WHERE e.id = $1
"""

_ACTS: Final = {
    "bid.submitted": ("Bid received", "Your organisation's bid has arrived, sealed."),
    "bid.replaced": (
        "Bid replaced",
        (
            "Your organisation's bid has been replaced. This version stands, and no earlier one"
            " counts."
        ),
    ),
    "bid.withdrawn": (
        "Bid withdrawn",
        "Your organisation's bid has been withdrawn. None of its versions counts.",
    ),
}


def _bid_received(facts: Facts) -> Letter:
    said, sentence = _ACTS[facts["act"]]
    return Letter(
        subject=f"{said}: {facts['title']}, lot {facts['lot']}",
        paragraphs=(
            f"{sentence} If it was not one of you who did this, tell the market at once.",
            (
                "The signed receipt is with the bid: keep it. Until the deadline the bid can"
                " still be replaced or withdrawn, and a new one given."
            ),
        ),
        facts=(
            *named_lot(facts),
            *((("Variant", str(facts["variant"])),) if facts["variant"] else ()),
            ("Version", str(facts["version"])),
            ("Received", london(facts["received_at"])),
            ("Deadline", london(facts["deadline"])),
        ),
        path=f"{API}/bids/{facts['bid']}",
    )


# -- the opening, and the end ---------------------------------------------------------------------

_BIDS_OPENED: Final = """
SELECT r.person, r.organisation, t.id::text AS key, tender_facts(t.id) || jsonb_build_object(
    'opened_at', t.opened_at, 'reader', 'house') AS facts
FROM event e JOIN tender t ON t.id = e.subject
CROSS JOIN LATERAL duty_recipients(t.id, 'tender_manager', 'guardian', 'opener') r
WHERE e.id = $1
UNION ALL
SELECT p.person, own.organisation, t.id::text, tender_facts(t.id) || jsonb_build_object(
    'opened_at', t.opened_at, 'reader', 'bidder', 'lots', own.lots)
FROM event e JOIN tender t ON t.id = e.subject
CROSS JOIN LATERAL (
    SELECT b.organisation, jsonb_agg(DISTINCT l.number ORDER BY l.number) AS lots
    FROM standing_bids(t.id) b JOIN lot l ON l.id = b.lot GROUP BY b.organisation) own
CROSS JOIN LATERAL people_of(own.organisation, 'bid_manager') AS p (person)
WHERE e.id = $1
"""


def _bids_opened(facts: Facts) -> Letter:
    if facts["reader"] == "bidder":
        return Letter(
            subject=f"Bids opened: {facts['title']}",
            paragraphs=(
                (
                    f"The bids were opened; your organisation's, for {lots(facts['lots'])}, is"
                    " among them."
                ),
                (
                    "Prices stay sealed until the quality of every bid of a lot has been decided."
                    " You need do nothing now: you will be told of the outcome."
                ),
            ),
            facts=(*tender(facts), ("Opened", london(facts["opened_at"]))),
            path=f"{API}/bids",
        )
    return Letter(
        subject=f"Bids opened: {facts['title']}",
        paragraphs=(
            "Two openers have confirmed, and the bids of the tender are open.",
            (
                "Whoever has a duty about the bids declares first whether they have an interest in"
                " each bidder. Prices stay sealed until the quality of every bid of a lot is"
                " decided."
            ),
        ),
        facts=(*tender(facts), ("Opened", london(facts["opened_at"]))),
        path=tender_path(facts, "/declarations"),
    )


_ABANDONED: Final = """
SELECT DISTINCT ON (p.person) p.person, b.organisation, t.id::text AS key,
    tender_facts(t.id) || jsonb_build_object('abandoned_at', e.occurred_at,
                                             'opened', t.opened_at IS NOT NULL) AS facts
FROM event e JOIN tender t ON t.id = e.subject
CROSS JOIN LATERAL standing_bids(t.id) b
CROSS JOIN LATERAL people_of(b.organisation, 'bid_manager', 'administrator') AS p (person)
WHERE e.id = $1 ORDER BY p.person, b.organisation
"""


def _abandoned(facts: Facts) -> Letter:
    sealed = (
        "No contract follows from it."
        if facts["opened"]
        else "No contract follows from it. Your bid was not opened, and stays sealed for good."
    )
    return Letter(
        subject=f"Tender abandoned: {facts['title']}",
        paragraphs=(
            f"{facts['buyer']} has abandoned the tender in which your organisation bid. {sealed}",
            "The reason is published with the tender.",
        ),
        facts=(*tender(facts), ("Abandoned", london(facts["abandoned_at"]))),
        path=tender_path(facts),
    )


KINDS: Final = (
    NoticeKind(
        name="opportunity-matching",
        title="A new opportunity matches one of your saved searches",
        actions=("tender.published",),
        recipients=_OPPORTUNITY,
        letter=_opportunity,
    ),
    NoticeKind(
        name="deadline-near",
        title="The deadline of a tender is near",
        recipients=_DEADLINE_NEAR,
        letter=_deadline_near,
    ),
    NoticeKind(
        name="bid-received",
        title="A bid of your organisation was received, replaced or withdrawn",
        actions=("bid.submitted", "bid.replaced", "bid.withdrawn"),
        recipients=_BID_RECEIVED,
        letter=_bid_received,
    ),
    NoticeKind(
        name="bids-opened",
        title="The bids of a tender were opened",
        actions=("tender.opened",),
        recipients=_BIDS_OPENED,
        letter=_bids_opened,
    ),
    NoticeKind(
        name="tender-abandoned",
        title="A tender in which your organisation bid was abandoned",
        actions=("tender.abandoned",),
        recipients=_ABANDONED,
        letter=_abandoned,
        formal=True,
    ),
)
