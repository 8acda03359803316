"""Bids that their suppliers sealed before sending: stored unseen, and acknowledged as that."""

from uuid import UUID

from market.actor import Actor
from market.command import command
from market.errors import Fault
from market.sealing import is_sealed
from market.signing import Sealing
from market.vault import Vault
from tenders.commands.bid_versions import (
    Making,
    Part,
    acknowledged,
    first_version,
    next_version,
    store,
)
from tenders.errors import NotSealed, SealedForAnotherVersion
from tenders.errors.documents import SealedDocumentsFaulty
from tenders.queries.listed_documents import sealed_faults_of
from tenders.schemas.bids import BidGiven, BidReceived, GiveSealedBid


async def submit_sealed_bid(
    actor: Actor, vault: Vault, tender_id: UUID, lot_number: int, given: GiveSealedBid
) -> BidGiven:
    """Take a bid that its supplier sealed: nobody has looked inside before the opening.

    A repetition with the same Idempotency-Key gets the same answer, after the deadline too.

    Raises:
        NotFound: no such published tender or lot.
        Forbidden: the actor is no bid manager.
        NotAdmitted: the organisation is no admitted supplier.
        HelperMayNotBid: the organisation helps to run this tender, or buys in it.
        BiddingClosed: the deadline has passed, by the database's clock.
        AmendedMeanwhile: the tender was amended just then.
        VariantRefused: the lot takes no variant of that number.
        AlreadyBid: there is such a bid of the organisation for this lot, withdrawn or not.
        SealedForAnotherVersion: the envelopes were not sealed for version 1.
        NotSealed: an envelope has not the form of one.
        SealedDocumentsFaulty: with every fault.
        ParticipantsFaulty: with every fault.
    """
    received = await _submit(actor, vault, tender_id, lot_number, given)
    return acknowledged(actor, vault, received, Sealing.SUPPLIER)


async def replace_by_sealed_bid(
    actor: Actor, vault: Vault, bid_id: UUID, version: int, given: GiveSealedBid
) -> BidGiven:
    """Replace the organisation's bid by one that it sealed, whoever sealed it before.

    Raises:
        NotFound: there is no such bid, or the actor does not deal with it.
        NotAdmitted: the organisation is no admitted supplier.
        HelperMayNotBid: the organisation helps to run this tender, or buys in it.
        BiddingClosed: the deadline has passed; what stood then still stands.
        AmendedMeanwhile: the tender was amended just then.
        BidChanged: the bid is no longer as the caller read it.
        VariantRefused: another variant is named than the bid is.
        SealedForAnotherVersion: the envelopes were not sealed for the version after it.
        NotSealed: an envelope has not the form of one.
        SealedDocumentsFaulty: with every fault.
        ParticipantsFaulty: with every fault.
    """
    received = await _replace(actor, vault, bid_id, version, given)
    return acknowledged(actor, vault, received, Sealing.SUPPLIER)


@command
async def _submit(
    actor: Actor, vault: Vault, tender_id: UUID, lot_number: int, given: GiveSealedBid
) -> BidReceived:
    making = await first_version(actor, vault, tender_id, lot_number, given.variant)
    return await _store(making, given)


@command
async def _replace(
    actor: Actor, vault: Vault, bid_id: UUID, version: int, given: GiveSealedBid
) -> BidReceived:
    making = await next_version(actor, vault, bid_id, version, given.variant)
    return await _store(making, given)


async def _store(making: Making, given: GiveSealedBid) -> BidReceived:
    parts = _parts(making, given)
    faults = await sealed_faults_of(making.vault.custodian, making.bidding, given.documents)
    if faults:
        raise SealedDocumentsFaulty(faults[0].reason, faults=faults)
    return await store(making, parts, given.participants, Sealing.SUPPLIER, given.documents)


def _parts(making: Making, given: GiveSealedBid) -> tuple[Part, Part]:
    """Check of the envelopes what can be told without a key.

    Raises:
        SealedForAnotherVersion: they open for another version alone.
        NotSealed: with every fault.
    """
    if given.version != making.version:
        message = (
            f"The envelopes were sealed for version {given.version} of this bid. Seal them for"
            f" version {making.version}: they open for no other."
        )
        raise SealedForAnotherVersion(message)
    reason = (
        "It has not the first byte of the format, or a length that is none of its size classes;"
        " seal as GET /tenders/{tender_id}/keys says."
    )
    faults = [
        Fault(field=f"{name}.sealed", reason=reason)
        for name, part in (("quality", given.quality), ("price", given.price))
        if not is_sealed(part.sealed)
    ]
    if faults:
        raise NotSealed(faults[0].reason, faults=faults)
    return (
        Part(sealed=given.quality.sealed, commitment=bytes.fromhex(given.quality.commitment)),
        Part(sealed=given.price.sealed, commitment=bytes.fromhex(given.price.commitment)),
    )
