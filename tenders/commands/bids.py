"""Giving, replacing and withdrawing sealed bids."""

import hashlib
from datetime import datetime
from uuid import UUID, uuid4

import msgspec

from market.actor import Actor
from market.command import command
from market.database import current, execute, fetch_value
from market.events.commands import record
from market.sealing import Address, EnvelopeKind, seal
from market.signing import BidReceipt, SignedStatement, WithdrawalReceipt
from market.vault import Vault
from tenders.errors import (
    AlreadyBid,
    BidChanged,
    BidIncomplete,
    NothingToWithdraw,
    ParticipantsFaulty,
)
from tenders.permissions.bids import ensure_may_bid
from tenders.queries.bids import Bidding, bidding_in, bidding_of
from tenders.queries.participants import identified
from tenders.rules.bids import faults
from tenders.rules.envelopes import pack
from tenders.schemas.bids import (
    BidAct,
    BidGiven,
    BidReceived,
    BidWithdrawn,
    GiveBid,
    ParticipantView,
    Salts,
)

_BID = "INSERT INTO bid (id, tender, lot, organisation) VALUES ($1, $2, $3, $4)"

# The database sets the time of receipt, under the lock that decides whether the bid is late.
_VERSION = """
WITH given AS (
    INSERT INTO bid_version (id, bid, number, act, made_by, quality_commitment, price_commitment,
                             requirement)
    VALUES ($1, $2, $3, 'submitted', $4, $5, $6, $9) RETURNING id, received_at
), sealed AS (
    INSERT INTO envelope (id, bid_version, kind, sealed)
    SELECT gen_random_uuid(), given.id, part.kind, part.sealed
    FROM given, (VALUES ('quality', $7::bytea), ('price', $8::bytea)) AS part (kind, sealed)
)
SELECT received_at FROM given
"""

_WITHDRAWAL = """
INSERT INTO bid_version (id, bid, number, act, made_by) VALUES ($1, $2, $3, 'withdrawn', $4)
RETURNING received_at
"""

_PARTICIPANTS = """
INSERT INTO bid_participant (id, bid_version, role, organisation, name, scheme, identifier)
SELECT gen_random_uuid(), $1, *
FROM unnest($2::text[], $3::uuid[], $4::text[], $5::text[], $6::text[])
"""

_RECEIPT = "INSERT INTO bid_receipt (id, bid_version, signed) VALUES ($1, $2, $3)"


class _Making(msgspec.Struct, frozen=True, kw_only=True):
    """A version of a bid in the making: whose, for what, and which one."""

    actor: Actor
    vault: Vault
    bidding: Bidding
    bid: UUID
    version: int

    def salt(self, kind: EnvelopeKind) -> bytes:
        """The salt of one commitment."""
        return _salt(self.actor, self.vault, self.bid, self.version, kind)


class _Part(msgspec.Struct, frozen=True):
    """One sealed envelope, and what the receipt says of it."""

    sealed: bytes
    commitment: bytes

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.sealed).hexdigest()


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
        AlreadyBid: there is a bid of the organisation for this lot, withdrawn or not.
        BidIncomplete: with every fault.
    """
    return with_salts(actor, vault, await _submit(actor, vault, tender_id, lot_number, given))


@command
async def _submit(
    actor: Actor, vault: Vault, tender_id: UUID, lot_number: int, given: GiveBid
) -> BidReceived:
    bidding = await bidding_in(actor, tender_id, lot_number)
    ensure_may_bid(bidding.facts())
    if bidding.bid is not None:
        message = (
            "Your organisation has a bid for this lot already. Replace it with"
            f" PUT /bids/{bidding.bid}."
        )
        raise AlreadyBid(message)
    return await give_in(actor, vault, bidding, given)


async def give_in(actor: Actor, vault: Vault, bidding: Bidding, given: GiveBid) -> BidReceived:
    """Give the organisation's bid, or put this one in its place, inside a command.

    Raises:
        BidIncomplete: with every fault.
        ParticipantsFaulty: with every fault.
    """
    bid, last = bidding.bid or uuid4(), bidding.version or 0
    making = _Making(actor=actor, vault=vault, bidding=bidding, bid=bid, version=last + 1)
    parts = _sealed(making, given)
    beside = await _participants(making, given)
    if bidding.bid is None:
        await execute(_BID, bid, bidding.tender, bidding.lot, bidding.supplier)
    return await _store(making, parts, beside)


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
        BidIncomplete: with every fault.
    """
    return with_salts(actor, vault, await _replace(actor, vault, bid_id, version, given))


@command
async def _replace(
    actor: Actor, vault: Vault, bid_id: UUID, version: int, given: GiveBid
) -> BidReceived:
    making = await _next_version(actor, vault, bid_id, version)
    return await _store(making, _sealed(making, given), await _participants(making, given))


@command
async def withdraw_bid(actor: Actor, vault: Vault, bid_id: UUID, version: int) -> BidWithdrawn:
    """Withdraw the organisation's bid; it stays on record, and nobody opens it.

    Raises:
        NotFound: there is no such bid, or the actor does not deal with it.
        BiddingClosed: the deadline has passed; what stood then still stands.
        BidChanged: the bid is no longer as the caller read it.
        NothingToWithdraw: it is withdrawn.
    """
    making = await _next_version(actor, vault, bid_id, version)
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
            version=making.version,
            withdrawn_at=withdrawn_at,
        )
    )
    await _keep(making, version_id, "bid.withdrawn", receipt)
    return BidWithdrawn(
        bid=bid_id, version=making.version, withdrawn_at=withdrawn_at, receipt=receipt
    )


async def _next_version(actor: Actor, vault: Vault, bid_id: UUID, version: int) -> _Making:
    """Permit a change of the organisation's own bid, as the caller read it."""
    bidding = await bidding_of(actor, bid_id)
    ensure_may_bid(bidding.facts())
    if bidding.version != version:
        raise BidChanged
    return _Making(actor=actor, vault=vault, bidding=bidding, bid=bid_id, version=version + 1)


def _sealed(making: _Making, given: GiveBid) -> tuple[_Part, _Part]:
    """Check a bid for completeness and seal both its parts, before any row is locked.

    Raises:
        BidIncomplete: with every fault.
        ParticipantsFaulty: with every fault.
    """
    bidding = making.bidding
    found = faults(given.quality, given.price, bidding.asked(), bidding.fixed_price)
    if found:
        raise BidIncomplete(found[0].reason, faults=found)
    parts = []
    for kind, part, key in (
        (EnvelopeKind.QUALITY, given.quality, bidding.quality_key),
        (EnvelopeKind.PRICE, given.price, bidding.price_key),
    ):
        packed = pack(part, making.salt(kind))
        address = Address(
            tender=bidding.tender,
            lot=bidding.lot,
            supplier=making.bidding.supplier,
            envelope=kind,
            version=making.version,
        )
        parts.append(_Part(sealed=seal(key, address, packed.plain), commitment=packed.commitment))
    return parts[0], parts[1]


async def _participants(making: _Making, given: GiveBid) -> list[ParticipantView]:
    """Identify everybody who takes part beside the lead.

    Raises:
        ParticipantsFaulty: with every fault.
    """
    found = await identified(given.participants, making.bidding.supplier)
    if found.faults:
        raise ParticipantsFaulty(found.faults[0].reason, faults=found.faults)
    return found.views


async def _store(
    making: _Making, parts: tuple[_Part, _Part], beside: list[ParticipantView]
) -> BidReceived:
    """Store a version with both its envelopes, and sign for it."""
    quality, price = parts
    version_id = uuid4()
    received_at: datetime = await fetch_value(
        _VERSION,
        version_id,
        making.bid,
        making.version,
        making.actor.person,
        quality.commitment,
        price.commitment,
        quality.sealed,
        price.sealed,
        making.bidding.requirement_version,
    )
    if beside:
        await execute(
            _PARTICIPANTS,
            version_id,
            [one.role.value for one in beside],
            [one.organisation for one in beside],
            [one.name for one in beside],
            [one.scheme for one in beside],
            [one.identifier for one in beside],
        )
    receipt = making.vault.sign(
        BidReceipt(
            tender=making.bidding.tender,
            lot=making.bidding.lot,
            supplier=making.bidding.supplier,
            bid=making.bid,
            version=making.version,
            received_at=received_at,
            quality_commitment=quality.commitment.hex(),
            price_commitment=price.commitment.hex(),
            quality_sealed_digest=quality.digest,
            price_sealed_digest=price.digest,
        )
    )
    action = "bid.submitted" if making.version == 1 else "bid.replaced"
    await _keep(making, version_id, action, receipt)
    return BidReceived(
        bid=making.bid, version=making.version, received_at=received_at, receipt=receipt
    )


async def _keep(making: _Making, version_id: UUID, action: str, receipt: SignedStatement) -> None:
    """Keep the receipt and record the act: of the content, nothing but salted commitments."""
    signed = msgspec.json.encode(receipt)
    current().later(_RECEIPT, uuid4(), version_id, signed.decode())
    await record(
        making.actor,
        action,
        "bid",
        making.bid,
        tender=making.bidding.tender,
        version=making.version,
        after=signed,
    )


def _salt(actor: Actor, vault: Vault, bid: UUID, version: int, kind: EnvelopeKind) -> bytes:
    """Make the salt of one commitment.

    It is derived, not drawn, so that a repetition can be given it again although it is stored
    nowhere: beside a commitment in the database, a salt would let whoever reads the database try
    out prices. Deriving it needs the market's signing key and the caller's Idempotency-Key.
    """
    key = b"" if actor.key is None else actor.key.key.bytes
    purpose = b"bid-salt\x00" + bid.bytes + version.to_bytes(8) + key + kind.value.encode()
    return vault.derive_secret(purpose)


def with_salts(actor: Actor, vault: Vault, received: BidReceived) -> BidGiven:
    """Add the salts to an answer, also to a stored one, unless the key they came from is gone."""
    salts = None
    if vault.has_signed_with(received.receipt.key_id):
        salts = Salts(
            quality=_salt(actor, vault, received.bid, received.version, EnvelopeKind.QUALITY).hex(),
            price=_salt(actor, vault, received.bid, received.version, EnvelopeKind.PRICE).hex(),
        )
    return BidGiven(
        bid=received.bid,
        version=received.version,
        received_at=received.received_at,
        receipt=received.receipt,
        salts=salts,
    )
