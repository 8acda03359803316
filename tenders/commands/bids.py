"""Giving, replacing and withdrawing sealed bids."""

from datetime import datetime
from uuid import UUID, uuid4

from market.actor import Actor
from market.command import command
from market.database import fetch_value
from market.sealing import Address, EnvelopeKind, seal
from market.signing import Sealing, WithdrawalReceipt
from market.vault import Vault
from tenders.commands.bid_versions import (
    Making,
    Part,
    acknowledged,
    first_version,
    keep_and_record,
    next_version,
    refuse_incomplete,
    store,
)
from tenders.errors import NothingToWithdraw
from tenders.queries.listed_documents import listing_of
from tenders.rules.bids import faults
from tenders.rules.envelopes import pack
from tenders.schemas.bids import BidAct, BidGiven, BidReceived, BidWithdrawn, GiveBid

_WITHDRAWAL = """
INSERT INTO bid_version (id, bid, number, act, made_by) VALUES ($1, $2, $3, 'withdrawn', $4)
RETURNING received_at
"""


async def submit_bid(
    actor: Actor, vault: Vault, tender_id: UUID, lot_number: int, given: GiveBid
) -> BidGiven:
    """Give a bid for a lot: checked, sealed, stored and acknowledged by a signed receipt.

    A repetition with the same Idempotency-Key gets the same answer, after the deadline too.

    Raises:
        NotFound: no such published tender or lot.
        Forbidden: the actor is no bid manager.
        NotAdmitted: the organisation is no admitted supplier.
        HelperMayNotBid: the organisation helps to run this tender, or buys in it.
        BiddingClosed: the deadline has passed, by the database's clock.
        AmendedMeanwhile: what the bid was checked against was amended just then.
        VariantRefused: the lot takes no variant of that number.
        AlreadyBid: there is such a bid of the organisation for this lot, withdrawn or not.
        BidIncomplete: with every fault.
    """
    received = await _submit(actor, vault, tender_id, lot_number, given)
    return acknowledged(actor, vault, received, Sealing.SERVER)


@command
async def _submit(
    actor: Actor, vault: Vault, tender_id: UUID, lot_number: int, given: GiveBid
) -> BidReceived:
    return await give_in(
        await first_version(actor, vault, tender_id, lot_number, given.variant), given
    )


async def give_in(making: Making, given: GiveBid) -> BidReceived:
    """Check, seal and store a bid as the version in the making, inside a command.

    Raises:
        BidIncomplete: with every fault.
        ParticipantsFaulty: with every fault.
    """
    parts = await _sealed(making, given)
    listed = [one.id for one in (*given.quality.documents, *given.price.documents)]
    return await store(making, parts, given.participants, Sealing.SERVER, listed)


async def replace_bid(
    actor: Actor, vault: Vault, bid_id: UUID, version: int, given: GiveBid
) -> BidGiven:
    """Replace the organisation's bid whole, or give a withdrawn one again, until the deadline.

    Raises:
        NotFound: there is no such bid, or the actor does not deal with it.
        NotAdmitted: the organisation is no admitted supplier.
        HelperMayNotBid: the organisation helps to run this tender, or buys in it.
        BiddingClosed: the deadline has passed; what stood then still stands.
        AmendedMeanwhile: what the bid was checked against was amended just then.
        BidChanged: the bid is no longer as the caller read it.
        VariantRefused: another variant is named than the bid is.
        BidIncomplete: with every fault.
    """
    received = await _replace(actor, vault, bid_id, version, given)
    return acknowledged(actor, vault, received, Sealing.SERVER)


@command
async def _replace(
    actor: Actor, vault: Vault, bid_id: UUID, version: int, given: GiveBid
) -> BidReceived:
    return await give_in(await next_version(actor, vault, bid_id, version, given.variant), given)


@command
async def withdraw_bid(actor: Actor, vault: Vault, bid_id: UUID, version: int) -> BidWithdrawn:
    """Withdraw the organisation's bid; it stays on record, and nobody opens it.

    Raises:
        NotFound: there is no such bid, or the actor does not deal with it.
        BiddingClosed: the deadline has passed; what stood then still stands.
        BidChanged: the bid is no longer as the caller read it.
        NothingToWithdraw: it is withdrawn.
    """
    making = await next_version(actor, vault, bid_id, version)
    if making.bidding.act is BidAct.WITHDRAWN:
        raise NothingToWithdraw
    version_id = uuid4()
    withdrawn_at: datetime = await fetch_value(
        _WITHDRAWAL, version_id, bid_id, making.version, actor.person
    )
    receipt = vault.sign(
        WithdrawalReceipt(
            tender=making.bidding.tender,
            lot=making.bidding.lot,
            supplier=making.bidding.supplier,
            bid=bid_id,
            variant=making.bidding.variant,
            version=making.version,
            withdrawn_at=withdrawn_at,
        )
    )
    await keep_and_record(making, version_id, "bid.withdrawn", receipt)
    return BidWithdrawn(
        bid=bid_id, version=making.version, withdrawn_at=withdrawn_at, receipt=receipt
    )


async def _sealed(making: Making, given: GiveBid) -> tuple[Part, Part]:
    """Check a bid for completeness and seal both its parts, before any row is locked.

    Raises:
        BidIncomplete: with every fault.
    """
    bidding = making.bidding
    found = faults(given.quality, given.price, bidding.asked())
    listing = await listing_of(
        making.vault.custodian, bidding, given.quality, given.price, given.document_keys
    )
    found += listing.faults
    if found:
        await refuse_incomplete(bidding, found)
    parts = []
    for kind, part, key in (
        (EnvelopeKind.QUALITY, given.quality, bidding.quality_key),
        (EnvelopeKind.PRICE, given.price, bidding.price_key),
    ):
        packed = pack(part, making.salt(kind.value), listing.keys[kind])
        address = Address(
            tender=bidding.tender,
            lot=bidding.lot,
            supplier=making.bidding.supplier,
            envelope=kind,
            version=making.version,
            variant=bidding.variant,
        )
        parts.append(Part(sealed=seal(key, address, packed.plain), commitment=packed.commitment))
    return parts[0], parts[1]
