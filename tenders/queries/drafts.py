"""What can be read of drafts, by the bid managers of their organisation alone."""

from datetime import datetime
from typing import Final
from uuid import UUID

import msgspec

from market.actor import Actor
from market.database import fetch, fetch_one, reading
from market.errors import Fault, NotFound
from market.sealing import CannotUnwrap
from market.signing import SignedStatement
from market.vault import Vault
from tenders.errors import (
    BiddingClosed,
    DraftUnreadable,
    HelperMayNotBid,
    KeysUnavailable,
    NotAdmitted,
)
from tenders.permissions.bids import ensure_may_bid
from tenders.queries.bids import Bidding, bidding_in
from tenders.queries.listed_documents import listing_of
from tenders.queries.participants import identified
from tenders.rules.drafts import (
    BidDraft,
    DraftLost,
    DraftPlace,
    draft_address,
    draft_faults,
    draft_key_purpose,
    opened_draft,
)
from tenders.schemas.bids import BidAct, BidState
from tenders.schemas.drafts import DraftFaults, DraftStanding, DraftView, MyBid, StoredBid

_DRAFT = """
SELECT d.id, d.lot, d.organisation, d.variant, d.version, d.sealed, d.saved_at, k.wrapped
FROM bid_draft d JOIN draft_key k ON k.organisation = d.organisation
WHERE d.lot = $1 AND d.organisation = $2 AND d.variant = $3
"""

_STORED: Final = """
SELECT v.number AS version, v.act, v.received_at, r.signed AS receipt,
    t.material_amendment IS NOT NULL AND needs_confirmation(b.id) AS needs_confirmation,
    b.variant > 0 AND lacks_main_bid(b.id) AS lacks_main_bid
FROM bid b JOIN tender t ON t.id = b.tender
JOIN LATERAL (SELECT * FROM bid_version WHERE bid = b.id ORDER BY number DESC LIMIT 1) v ON true
JOIN bid_receipt r ON r.bid_version = v.id WHERE b.id = $1
"""

_DIGESTS = "SELECT kind, digest FROM my_sealed_digests($1, $2)"


class DraftRow(msgspec.Struct, frozen=True):
    """A draft as it is stored, with its organisation's wrapped key."""

    id: UUID
    lot: UUID
    organisation: UUID
    variant: int
    version: int
    sealed: bytes
    saved_at: datetime
    wrapped: bytes

    @property
    def address(self) -> bytes:
        """What it was encrypted for."""
        return draft_address(self.organisation, self.lot, self.variant, self.version)


class _Stored(msgspec.Struct, frozen=True):
    version: int
    act: BidAct
    received_at: datetime
    receipt: str
    needs_confirmation: bool
    lacks_main_bid: bool


class _Digest(msgspec.Struct, frozen=True):
    kind: str
    digest: str


async def draft_row(bidding: Bidding, *, hold: bool = False) -> DraftRow | None:
    """The organisation's draft for a lot, inside a transaction; held until its end if asked."""
    sql = f"{_DRAFT} FOR UPDATE OF d" if hold else _DRAFT
    return await fetch_one(DraftRow, sql, bidding.lot, bidding.supplier, bidding.variant)


def opened(row: DraftRow, vault: Vault) -> BidDraft:
    """Decrypt a draft.

    Raises:
        DraftUnreadable: its key is not to be had, or it was changed.
    """
    try:
        key = vault.custodian.recall(row.wrapped, draft_key_purpose(row.organisation))
        return opened_draft(key, row.sealed, row.address)
    except (CannotUnwrap, DraftLost) as error:
        raise DraftUnreadable from error


async def faults_of(draft: BidDraft, bidding: Bidding, vault: Vault) -> list[Fault]:
    """Everything a draft lacks before it could be a bid, at once, inside a transaction.

    Raises:
        KeysUnavailable: the custodian cannot read what it keeps of the documents.
    """
    beside = await identified(draft.participants, bidding.supplier)
    listing = await listing_of(
        vault.custodian, bidding, draft.quality, draft.price, draft.document_keys
    )
    return [
        *draft_faults(draft, bidding.asked(), bidding.fixed_price),
        *beside.faults,
        *listing.faults,
    ]


async def draft(actor: Actor, vault: Vault, place: DraftPlace) -> DraftView:
    """The organisation's draft for a lot, also after the deadline.

    Raises:
        Forbidden: the actor is no bid manager.
        NotFound: no such published tender or lot, or no draft.
        DraftUnreadable: its key is not to be had.
    """
    async with reading(actor):
        bidding = await bidding_in(actor, place.tender, place.lot_number, place.variant)
        row = await draft_row(bidding)
    if row is None:
        raise NotFound
    return DraftView(
        tender=place.tender,
        lot_number=place.lot_number,
        variant=place.variant,
        version=row.version,
        saved_at=row.saved_at,
        draft=opened(row, vault),
    )


async def missing(actor: Actor, vault: Vault, place: DraftPlace) -> DraftFaults:
    """Everything that the draft lacks before it could be submitted, and whether a bid could be now.

    Raises:
        Forbidden: the actor is no bid manager.
        NotFound: no such published tender or lot, or no draft.
        DraftUnreadable: its key is not to be had.
        KeysUnavailable: the custodian cannot read what it keeps of its documents.
    """
    async with reading(actor):
        bidding = await bidding_in(actor, place.tender, place.lot_number, place.variant)
        row = await draft_row(bidding)
        if row is None:
            raise NotFound
        faults = await faults_of(opened(row, vault), bidding, vault)
    closed = None
    try:
        ensure_may_bid(bidding.facts())
    except (BiddingClosed, NotAdmitted, HelperMayNotBid) as refusal:
        closed = refusal.detail
    return DraftFaults(
        version=row.version,
        complete=not faults,
        faults=faults,
        may_submit=not faults and closed is None,
        closed_because=closed,
        deadline=bidding.deadline,
        now=bidding.now,
    )


async def my_bid_for(actor: Actor, vault: Vault, place: DraftPlace) -> MyBid:
    """How the organisation's bid for a lot stands, in one snapshot.

    What became of the bid is told also where its draft cannot be read.

    Raises:
        Forbidden: the actor is no bid manager.
        NotFound: no such published tender or lot.
    """
    async with reading(actor):
        bidding = await bidding_in(actor, place.tender, place.lot_number, place.variant)
        row = await draft_row(bidding)
        stored = None if bidding.bid is None else await fetch_one(_Stored, _STORED, bidding.bid)
        digests = (
            [] if stored is None else await fetch(_Digest, _DIGESTS, bidding.bid, stored.version)
        )
        standing = None if row is None else await _standing(row, vault, bidding)
    view = None
    if bidding.bid is not None and stored is not None:
        view = _view(bidding.bid, stored, digests, late=bidding.now >= bidding.deadline)
    return MyBid(
        tender=place.tender,
        lot_number=place.lot_number,
        variant=place.variant,
        deadline=bidding.deadline,
        now=bidding.now,
        stored=view,
        stands=view is not None and view.state is BidState.STANDING and not view.lacks_main_bid,
        needs_confirmation=view is not None and view.state is BidState.TO_CONFIRM,
        draft=standing,
    )


async def _standing(row: DraftRow, vault: Vault, bidding: Bidding) -> DraftStanding:
    """How far a draft is; what cannot be read now hides nothing else."""
    try:
        faults = len(await faults_of(opened(row, vault), bidding, vault))
    except (DraftUnreadable, KeysUnavailable):
        faults = None
    return DraftStanding(version=row.version, saved_at=row.saved_at, faults=faults)


def _view(bid: UUID, stored: _Stored, digests: list[_Digest], *, late: bool) -> StoredBid:
    receipt = msgspec.json.decode(stored.receipt, type=SignedStatement)
    found = {f"{item.kind}_sealed_digest": item.digest for item in digests}
    stated = {
        name: value for name, value in receipt.statement.items() if name.endswith("_sealed_digest")
    }
    if stored.act is BidAct.WITHDRAWN:
        state = BidState.WITHDRAWN
    elif late and (stored.needs_confirmation or stored.lacks_main_bid):
        state = BidState.LAPSED
    else:
        state = BidState.TO_CONFIRM if stored.needs_confirmation else BidState.STANDING
    return StoredBid(
        bid=bid,
        version=stored.version,
        state=state,
        lacks_main_bid=stored.lacks_main_bid,
        received_at=stored.received_at,
        stored_whole=found == stated,
        receipt=receipt,
    )
