"""What can be read of bids: one's own, and the keys that bids are sealed to."""

import base64
from datetime import datetime
from uuid import UUID

import msgspec

from market.actor import Actor
from market.database import fetch, fetch_one, reading
from market.errors import NotFound
from market.pages import Page
from market.sealing import EnvelopeKind, place_of
from market.signing import Sealing, SignedStatement
from tenders.permissions.bids import BiddingFacts, ensure_bid_manager, is_bid_manager
from tenders.queries.keysets import cursor_at, read_cursor
from tenders.rules.requirement import Lot
from tenders.rules.stages import TenderStage
from tenders.schemas.bids import (
    BidAct,
    BidState,
    BidSummary,
    BidVersionView,
    BidView,
    ConfirmationView,
    ParticipantView,
    SealingKeyView,
)

# Lots are numbered as the requirement is; what lies beyond would not fit the column either.
HIGHEST_LOT = 1_000

# One round trip decides about a bid: the hot path of the market. Row-level security shows no
# bid but the organisation's own.
_BIDDING = """
SELECT t.id AS tender, t.stage, t.deadline, market_now() AS now, l.id AS lot, $3::uuid AS supplier,
    (SELECT e FROM jsonb_array_elements(r.content -> 'lots') e
     WHERE (e ->> 'number')::integer = l.number)::text AS requirement,
    r.content -> 'award_method' -> 'parameters' ->> 'price' AS fixed_price,
    r.number AS requirement_version,
    q.public_key AS quality_key, p.public_key AS price_key, is_admitted_supplier($3) AS admitted,
    i_help_to_run(t.id) AS helps,
    $4::integer AS variant, b.id AS bid, v.number AS version, v.act
FROM tender t JOIN lot l ON l.tender = t.id
JOIN requirement_version r ON r.tender = t.id AND r.number = t.published_requirement
JOIN tender_key q ON q.lot = l.id AND q.envelope = 'quality'
JOIN tender_key p ON p.lot = l.id AND p.envelope = 'price'
LEFT JOIN bid b ON b.lot = l.id AND b.organisation = $3 AND b.variant = $4
LEFT JOIN LATERAL (SELECT number, act FROM bid_version WHERE bid = b.id
                   ORDER BY number DESC LIMIT 1) v ON true
WHERE t.id = $1 AND l.number = $2 AND t.published_at IS NOT NULL
"""

_PLACE = """
SELECT b.tender, l.number AS lot_number, b.variant FROM bid b JOIN lot l ON l.id = b.lot
WHERE b.id = $1 AND b.organisation = $2
"""

_LOT = """
SELECT e::text AS requirement,
    r.content -> 'award_method' -> 'parameters' ->> 'price' AS fixed_price
FROM lot l JOIN tender t ON t.id = l.tender
JOIN requirement_version r ON r.tender = t.id AND r.number = t.published_requirement,
jsonb_array_elements(r.content -> 'lots') e
WHERE l.id = $1 AND (e ->> 'number')::integer = l.number
"""

_MINE = """
SELECT b.id, b.tender, t.reference AS tender_reference, t.title AS tender_title, t.deadline,
    l.number AS lot_number, l.title AS lot_title, b.variant, waits.for_main AS lacks_main_bid,
    CASE WHEN v.act <> 'submitted' THEN 'withdrawn'
        WHEN t.deadline <= market_now() AND (waits.needed OR waits.for_main) THEN 'lapsed'
        WHEN waits.needed THEN 'to_confirm' ELSE 'standing' END AS state,
    CASE WHEN waits.needed THEN t.material_amendment END AS amendment,
    waits.needed AND form_changed(v.id) AS form_changed,
    v.number AS version, v.received_at, b.made_at
FROM bid b JOIN tender t ON t.id = b.tender JOIN lot l ON l.id = b.lot
CROSS JOIN LATERAL (
    SELECT t.material_amendment IS NOT NULL AND needs_confirmation(b.id),
        b.variant > 0 AND lacks_main_bid(b.id)) waits (needed, for_main)
JOIN LATERAL (SELECT id, number, act, received_at FROM bid_version WHERE bid = b.id
              ORDER BY number DESC LIMIT 1) v ON true
WHERE b.organisation = $1
"""

_MY_PAGE = (
    _MINE
    + """
AND ($2::timestamptz IS NULL OR (b.made_at, b.id) < ($2, $3::uuid))
ORDER BY b.made_at DESC, b.id DESC LIMIT $4
"""
)

_MY_BID = _MINE + " AND b.id = $2"

_VERSIONS = """
SELECT v.number AS version, v.act, v.received_at, r.signed AS receipt,
    (SELECT coalesce(jsonb_agg(jsonb_build_object('role', p.role, 'organisation', p.organisation,
        'name', p.name, 'scheme', p.scheme, 'identifier', p.identifier,
        'share', trim_scale(p.share)::text, 'exclusion_grounds', p.exclusion_grounds,
        'details', p.details) ORDER BY p.role, p.name), '[]')
        FROM bid_participant p WHERE p.bid_version = v.id)::text AS participants,
    e.id AS event, l.position AS log_position
FROM bid_version v JOIN bid_receipt r ON r.bid_version = v.id
LEFT JOIN event e ON e.subject = v.bid
    AND e.action IN ('bid.submitted', 'bid.replaced', 'bid.withdrawn')
    AND (e.details ->> 'version')::integer = v.number
LEFT JOIN event_position l ON l.event = e.id
WHERE v.bid = $1 ORDER BY v.number
"""

_CONFIRMATIONS = """
SELECT v.number AS version, c.amendment, c.confirmed_at, r.signed AS receipt
FROM bid_confirmation c JOIN bid_version v ON v.id = c.bid_version
JOIN confirmation_receipt r ON r.confirmation = c.id
WHERE c.bid = $1 ORDER BY c.confirmed_at, c.id
"""

_KEYS = """
SELECT l.number AS lot_number, l.id AS lot, k.envelope, k.custodian,
    replace(encode(k.public_key, 'base64'), E'\\n', '') AS public_key,
    encode(sha256(k.public_key), 'hex') AS public_key_digest
FROM tender t JOIN lot l ON l.tender = t.id JOIN tender_key k ON k.lot = l.id
WHERE t.id = $1 AND t.published_at IS NOT NULL ORDER BY l.number, k.envelope DESC
"""


_INFO_LAYOUT = (
    "HPKE info: the bytes of info_begins; the id of your organisation (16 bytes, network order);"
    " the envelope (1 byte: 1 quality, 2 price); the variant (1 byte, 0 for the main bid); the"
    " version of the bid (8 bytes, big-endian)"
)


class _Key(msgspec.Struct, frozen=True):
    lot_number: int
    lot: UUID
    envelope: EnvelopeKind
    custodian: str
    public_key: str
    public_key_digest: str


class Bidding(msgspec.Struct, frozen=True):
    """What is needed to decide about a bid for a lot, and to seal it."""

    tender: UUID
    stage: TenderStage
    deadline: datetime
    now: datetime
    lot: UUID
    supplier: UUID
    requirement: str
    fixed_price: str | None
    requirement_version: int
    quality_key: bytes
    price_key: bytes
    admitted: bool
    helps: bool
    variant: int
    bid: UUID | None
    version: int | None
    act: BidAct | None

    def facts(self) -> BiddingFacts:
        """What decides whether the organisation may bid."""
        return BiddingFacts(
            tender=self.tender,
            stage=self.stage,
            deadline=self.deadline,
            now=self.now,
            admitted=self.admitted,
            helps=self.helps,
        )

    def asked(self) -> Lot:
        """What the lot asks for, as published."""
        return msgspec.json.decode(self.requirement, type=Lot)


class _Place(msgspec.Struct, frozen=True):
    tender: UUID
    lot_number: int
    variant: int


class _Asked(msgspec.Struct, frozen=True):
    requirement: str
    fixed_price: str | None


class _Version(msgspec.Struct, frozen=True):
    version: int
    act: BidAct
    received_at: datetime
    receipt: str
    participants: str
    event: UUID | None
    log_position: int | None


class _Confirmation(msgspec.Struct, frozen=True):
    version: int
    amendment: int
    confirmed_at: datetime
    receipt: str


class _Mine(msgspec.Struct, frozen=True):
    id: UUID
    tender: UUID
    tender_reference: str
    tender_title: str
    deadline: datetime
    lot_number: int
    lot_title: str
    variant: int
    lacks_main_bid: bool
    state: BidState
    amendment: int | None
    form_changed: bool
    version: int
    received_at: datetime
    made_at: datetime

    def summary(self) -> BidSummary:
        return msgspec.convert(self, BidSummary, from_attributes=True)


async def bidding_in(actor: Actor, tender_id: UUID, lot_number: int, variant: int = 0) -> Bidding:
    """What decides about the organisation's bid for a published lot, inside a transaction.

    Variant 0 is its main bid.

    Raises:
        Forbidden: the actor is no bid manager.
        NotFound: there is no such published tender or lot.
    """
    ensure_bid_manager(actor)
    found = None
    if 1 <= lot_number <= HIGHEST_LOT:
        found = await fetch_one(
            Bidding, _BIDDING, tender_id, lot_number, actor.organisation, variant
        )
    if found is None:
        raise NotFound
    return found


async def bidding_of(actor: Actor, bid_id: UUID) -> Bidding:
    """What decides about a change of the organisation's own bid, inside a transaction.

    Raises:
        NotFound: there is no such bid, or the actor does not deal with it.
    """
    if not is_bid_manager(actor):
        raise NotFound
    place = await fetch_one(_Place, _PLACE, bid_id, actor.organisation)
    if place is None:
        raise NotFound
    return await bidding_in(actor, place.tender, place.lot_number, place.variant)


async def published_lot(lot_id: UUID) -> tuple[Lot, str | None]:
    """What a published lot asks for, and the price where it is fixed, inside a transaction.

    Raises:
        NotFound: there is no such lot.
    """
    row = await fetch_one(_Asked, _LOT, lot_id)
    if row is None:
        raise NotFound
    return msgspec.json.decode(row.requirement, type=Lot), row.fixed_price


async def my_bids(actor: Actor, limit: int, cursor: str | None) -> Page[BidSummary]:
    """The bids of the organisation the actor manages bids for, the latest first.

    Raises:
        Forbidden: the actor is no bid manager.
        Malformed: the cursor is none of ours.
    """
    ensure_bid_manager(actor)
    before, bid = read_cursor(cursor)
    async with reading(actor):
        rows = await fetch(_Mine, _MY_PAGE, actor.organisation, before, bid, limit + 1)
    following = None
    if len(rows) > limit:
        last = rows[limit - 1]
        following = cursor_at(last.made_at, last.id)
    return Page(items=[row.summary() for row in rows[:limit]], next=following)


async def my_bid(actor: Actor, bid_id: UUID) -> BidView:
    """One of the organisation's bids with every version and its receipt.

    Raises:
        NotFound: there is no such bid, or the actor does not deal with it.
    """
    if not is_bid_manager(actor):
        raise NotFound
    async with reading(actor):
        found = await fetch_one(_Mine, _MY_BID, actor.organisation, bid_id)
        if found is None:
            raise NotFound
        versions = await fetch(_Version, _VERSIONS, bid_id)
        confirmations = await fetch(_Confirmation, _CONFIRMATIONS, bid_id)
    return BidView(
        id=found.id,
        tender=found.tender,
        tender_reference=found.tender_reference,
        tender_title=found.tender_title,
        deadline=found.deadline,
        lot_number=found.lot_number,
        lot_title=found.lot_title,
        variant=found.variant,
        lacks_main_bid=found.lacks_main_bid,
        state=found.state,
        amendment=found.amendment,
        form_changed=found.form_changed,
        version=found.version,
        received_at=found.received_at,
        versions=[
            BidVersionView(
                version=row.version,
                act=row.act,
                received_at=row.received_at,
                participants=msgspec.json.decode(row.participants, type=list[ParticipantView]),
                receipt=msgspec.json.decode(row.receipt, type=SignedStatement),
                event=row.event,
                log_position=row.log_position,
            )
            for row in versions
        ],
        confirmations=[
            ConfirmationView(
                version=row.version,
                amendment=row.amendment,
                confirmed_at=row.confirmed_at,
                receipt=msgspec.json.decode(row.receipt, type=SignedStatement),
            )
            for row in confirmations
        ],
    )


async def sealing_keys(actor: Actor, tender_id: UUID) -> list[SealingKeyView]:
    """The public keys that bids for the lots of a published tender are sealed to.

    Raises:
        NotFound: there is no such published tender.
    """
    async with reading(actor):
        rows = await fetch(_Key, _KEYS, tender_id)
    if not rows:
        raise NotFound
    return [
        SealingKeyView(
            lot=row.lot,
            lot_number=row.lot_number,
            envelope=row.envelope,
            custodian=row.custodian,
            public_key=row.public_key,
            public_key_digest=row.public_key_digest,
            info_begins=base64.b64encode(place_of(tender_id, row.lot)).decode("ascii"),
            info_layout=_INFO_LAYOUT,
            if_it_does_not_open=Sealing.SUPPLIER.meaning(),
        )
        for row in rows
    ]
