"""Saving, discarding and submitting drafts of bids."""

import secrets
from datetime import datetime
from uuid import UUID, uuid4

import msgspec

from market.actor import Actor
from market.command import command
from market.database import execute, fetch_one, fetch_value
from market.errors import NotFound, PreconditionMissing
from market.events.commands import record
from market.sealing import CannotUnwrap
from market.signing import Sealing
from market.vault import Vault
from tenders.commands.bid_versions import (
    acknowledged,
    ensure_taken,
    following,
    refuse_incomplete,
)
from tenders.commands.bids import give_in
from tenders.errors import BiddingClosed, DraftChanged, DraftUnreadable, VariantRefused
from tenders.permissions.bids import ensure_may_bid
from tenders.queries.bids import Bidding, bidding_in
from tenders.queries.drafts import DraftRow, draft_row, faults_of, opened
from tenders.rules.drafts import (
    KEY_BYTES,
    BidDraft,
    DraftPlace,
    draft_address,
    draft_key_purpose,
    sealed_draft,
    whole_price,
)
from tenders.schemas.bids import BidGiven, BidReceived, GiveBid
from tenders.schemas.drafts import DraftDiscarded, DraftSaved

# Saves of one organisation are numbered one after the other, here.
_NUMBER = "UPDATE draft_key SET saves = saves + 1 WHERE organisation = $1 RETURNING saves, wrapped"
_ADD_KEY = """
INSERT INTO draft_key (id, organisation, wrapped) VALUES ($1, $2, $3)
ON CONFLICT ON CONSTRAINT draft_key_once DO NOTHING
"""
_BEGIN = """
INSERT INTO bid_draft (id, lot, organisation, version, sealed, saved_by, variant)
VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING saved_at
"""
_SAVE = """
UPDATE bid_draft SET version = $2, sealed = $3, saved_by = $4 WHERE id = $1 RETURNING saved_at
"""
_REMOVE = "DELETE FROM bid_draft WHERE id = $1 AND version = $2"


class _Numbered(msgspec.Struct, frozen=True):
    saves: int
    wrapped: bytes


@command
async def save_draft(
    actor: Actor, vault: Vault, place: DraftPlace, version: int | None, draft: BidDraft
) -> DraftSaved:
    """Save a draft whole: the first with no version, a later one as the caller read it.

    A refusal, where it is recorded, is recorded of no tender: to save is not to try to bid.

    Raises:
        Forbidden: the actor is no bid manager.
        NotFound: no such published tender or lot.
        NotAdmitted: the organisation is no admitted supplier.
        HelperMayNotBid: the organisation helps to run this tender, or buys in it.
        BiddingClosed: the deadline has passed.
        VariantRefused: the lot takes no variant of that number, or the draft names another.
        PreconditionMissing: there is a draft, and the caller does not say which they mean.
        DraftChanged: it is no longer as the caller read it, or is gone.
        DraftUnreadable: the organisation's key is not to be had.
        KeysUnavailable: the custodian cannot read what it keeps of its documents.
    """
    bidding = await bidding_in(actor, place.tender, place.lot_number, place.variant)
    try:
        ensure_may_bid(bidding.facts())
    except BiddingClosed as refusal:
        refusal.tender = None
        raise
    ensure_taken(bidding)
    if draft.variant not in {None, place.variant}:
        message = f"This is the place of the draft of variant {place.variant}; give no other."
        raise VariantRefused(message)
    row = await draft_row(bidding, hold=True)
    if row is not None and version is None:
        raise PreconditionMissing
    if version != (None if row is None else row.version):
        raise DraftChanged
    number, key = await _numbered(vault, bidding.supplier)
    address = draft_address(bidding.supplier, bidding.lot, bidding.variant, number)
    sealed = sealed_draft(key, draft, address)
    identity = uuid4() if row is None else row.id
    saved: datetime
    if row is None:
        saved = await fetch_value(
            _BEGIN,
            identity,
            bidding.lot,
            bidding.supplier,
            number,
            sealed,
            actor.person,
            bidding.variant,
        )
    else:
        saved = await fetch_value(_SAVE, identity, number, sealed, actor.person)
    # of no tender, so that no tender's record can count drafts
    await record(actor, "draft.saved", "draft", identity, version=number)
    return DraftSaved(
        tender=place.tender,
        lot_number=place.lot_number,
        variant=place.variant,
        version=number,
        saved_at=saved,
        faults=len(await faults_of(draft, bidding, vault)),
    )


async def _numbered(vault: Vault, organisation: UUID) -> tuple[int, bytes]:
    """The number of the next save of the organisation, and the key of its drafts.

    The key is made at the first. A number never comes again, also where its draft is gone.
    """
    purpose = draft_key_purpose(organisation)
    numbered = await fetch_one(_Numbered, _NUMBER, organisation)
    if numbered is None:
        made = vault.custodian.keep(secrets.token_bytes(KEY_BYTES), purpose)
        await execute(_ADD_KEY, uuid4(), organisation, made)
        numbered = await fetch_one(_Numbered, _NUMBER, organisation)  # perhaps a colleague's
    if numbered is None:
        raise DraftUnreadable
    try:
        return numbered.saves, vault.custodian.recall(numbered.wrapped, purpose)
    except CannotUnwrap as error:
        raise DraftUnreadable from error


@command
async def discard_draft(actor: Actor, place: DraftPlace, version: int) -> DraftDiscarded:
    """Discard a draft, also after the deadline; nothing of what was in it is left.

    A refusal is recorded of no tender, as of `save_draft`.

    Raises:
        Forbidden: the actor is no bid manager.
        NotFound: no such published tender or lot, or no draft.
        DraftChanged: it is no longer as the caller read it.
    """
    row = await _held(
        await bidding_in(actor, place.tender, place.lot_number, place.variant), version
    )
    await _remove(row)
    await record(actor, "draft.discarded", "draft", row.id, version=row.version)
    return DraftDiscarded(tender=place.tender, lot_number=place.lot_number, variant=place.variant)


async def submit_draft(
    actor: Actor, vault: Vault, tender_id: UUID, place: DraftPlace, version: int
) -> BidGiven:
    """Make a draft the organisation's bid for the lot in one act: given, or put in its bid's place.

    The draft is gone with it. A repetition with the same Idempotency-Key gets the same receipt,
    after the deadline too.

    Raises:
        Forbidden: the actor is no bid manager.
        NotFound: no such published tender or lot, or no draft.
        NotAdmitted: the organisation is no admitted supplier.
        HelperMayNotBid: the organisation helps to run this tender, or buys in it.
        BiddingClosed: the deadline has passed.
        VariantRefused: the lot takes no such variant any more.
        AmendedMeanwhile: what the bid was checked against was amended just then.
        DraftChanged: it is no longer as the caller read it.
        DraftUnreadable: its key is not to be had.
        BidIncomplete: with everything that is missing.
        BidChanged: a colleague changed the bid in the same moment.
    """
    received = await _submit_draft(actor, vault, tender_id, place, version)
    return acknowledged(actor, vault, received, Sealing.SERVER)


@command
async def _submit_draft(
    actor: Actor, vault: Vault, tender_id: UUID, place: DraftPlace, version: int
) -> BidReceived:
    bidding = await bidding_in(actor, tender_id, place.lot_number, place.variant)
    ensure_may_bid(bidding.facts())
    ensure_taken(bidding)
    row = await _held(bidding, version)
    draft = opened(row, vault)
    found = await faults_of(draft, bidding, vault)
    if found:
        await refuse_incomplete(bidding, found)
    price = whole_price(draft.price)
    given = GiveBid(
        quality=draft.quality,
        price=price,
        participants=draft.participants,
        document_keys=draft.document_keys,
    )
    received = await give_in(following(actor, vault, bidding), given)
    await _remove(row)
    await record(actor, "draft.submitted", "draft", row.id, version=row.version)
    return received


async def _held(bidding: Bidding, version: int) -> DraftRow:
    row = await draft_row(bidding, hold=True)
    if row is None:
        raise NotFound
    if row.version != version:
        raise DraftChanged
    return row


async def _remove(row: DraftRow) -> None:
    if not await execute(_REMOVE, row.id, row.version):
        raise DraftChanged
