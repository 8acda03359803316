"""Versions of bids as they are stored, whoever sealed them: with envelopes, receipt and event."""

import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import NoReturn
from uuid import UUID, uuid4

import msgspec

from market.actor import Actor
from market.database import current, execute, fetch_value
from market.errors import Fault
from market.events.commands import record
from market.sealing import EnvelopeKind, commitment
from market.signing import BidReceipt, Sealing, SignedStatement
from market.vault import Vault
from tenders.commands.listing import list_documents
from tenders.errors import AlreadyBid, BidChanged, BidIncomplete, ParticipantsFaulty, VariantRefused
from tenders.permissions.bids import ensure_may_bid
from tenders.queries.bids import Bidding, bidding_in, bidding_of
from tenders.queries.participants import identified
from tenders.rules.participants import Participant
from tenders.rules.receipts import PARTICIPANTS, Salts, canonical_participants
from tenders.schemas.bids import BidGiven, BidReceived

# The database sets the time of receipt, under the lock that decides whether the bid is late; the
# first version is received when the bid is made.
_BID = """
INSERT INTO bid (id, tender, lot, organisation, variant) VALUES ($1, $2, $3, $4, $5)
RETURNING made_at
"""

_VERSION = """
INSERT INTO bid_version (id, bid, number, act, made_by, quality_commitment, price_commitment,
                         requirement)
VALUES ($1, $2, $3, 'submitted', $4, $5, $6, $7)
"""

_NEXT_VERSION = f"{_VERSION} RETURNING received_at"

_ENVELOPES = """
INSERT INTO envelope (id, bid_version, kind, sealed)
VALUES (gen_random_uuid(), $1, 'quality', $2), (gen_random_uuid(), $1, 'price', $3)
"""

_PARTICIPANTS = """
INSERT INTO bid_participant (id, bid_version, role, organisation, name, scheme, identifier, share,
                             exclusion_grounds, details, consents)
SELECT gen_random_uuid(), $1, role, organisation, name, scheme, identifier, share::numeric,
       exclusion_grounds, details, true
FROM unnest($2::text[], $3::uuid[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[],
            $9::text[]) AS given (role, organisation, name, scheme, identifier, share,
                                  exclusion_grounds, details)
"""

_LAST = """
SELECT max(v.number) FROM bid b JOIN bid_version v ON v.bid = b.id
WHERE b.lot = $1 AND b.organisation = $2 AND b.variant = $3
"""

_RECEIPT = "INSERT INTO bid_receipt (id, bid_version, signed) VALUES ($1, $2, $3)"


class Making(msgspec.Struct, frozen=True, kw_only=True):
    """A version of a bid in the making: whose, for what, and which one."""

    actor: Actor
    vault: Vault
    bidding: Bidding
    bid: UUID
    version: int

    def salt(self, part: str) -> bytes:
        """The salt of the commitment to one part of it."""
        return _salt(self.actor, self.vault, self.bid, self.version, part)


class Part(msgspec.Struct, frozen=True):
    """One sealed envelope, and what the receipt says of it."""

    sealed: bytes
    commitment: bytes

    @property
    def digest(self) -> str:
        """SHA-256 of the sealed envelope, in hexadecimal."""
        return hashlib.sha256(self.sealed).hexdigest()


async def first_version(
    actor: Actor, vault: Vault, tender_id: UUID, lot_number: int, variant: int | None
) -> Making:
    """Permit the first version of the organisation's bid for a lot.

    Raises:
        NotFound: no such published tender or lot.
        Forbidden: the actor is no bid manager.
        NotAdmitted: the organisation is no admitted supplier.
        HelperMayNotBid: the organisation helps to run this tender, or buys in it.
        BiddingClosed: the deadline has passed, by the database's clock.
        VariantRefused: the lot takes no variant of that number.
        AlreadyBid: there is such a bid of the organisation for this lot, withdrawn or not.
    """
    bidding = await bidding_in(actor, tender_id, lot_number, variant or 0)
    ensure_may_bid(bidding.facts())
    ensure_taken(bidding)
    if bidding.bid is not None:
        what = f"variant {bidding.variant} of its bid" if bidding.variant else "a bid"
        message = (
            f"Your organisation has {what} for this lot already. Replace it with"
            f" PUT /bids/{bidding.bid}."
        )
        raise AlreadyBid(message)
    return following(actor, vault, bidding)


def ensure_taken(bidding: Bidding) -> None:
    """Refuse a variant that the lot does not take.

    Raises:
        VariantRefused: the lot takes no variant of that number.
    """
    taken = bidding.asked().variants if bidding.variant else None
    most = 0 if taken is None else taken.most
    if bidding.variant > most:
        many = f"variants 1 to {most}" if most else "no variants"
        message = f"The lot takes {many} of each bidder; the main bid is variant 0."
        raise VariantRefused(message)


def following(actor: Actor, vault: Vault, bidding: Bidding) -> Making:
    """Begin the version after the last one, or the first where there is no bid."""
    return Making(
        actor=actor,
        vault=vault,
        bidding=bidding,
        bid=bidding.bid or uuid4(),
        version=1 + (bidding.version or 0),
    )


async def next_version(
    actor: Actor, vault: Vault, bid_id: UUID, version: int, variant: int | None = None
) -> Making:
    """Permit a change of the organisation's own bid, as the caller read it.

    Raises:
        NotFound: there is no such bid, or the actor does not deal with it.
        NotAdmitted: the organisation is no admitted supplier.
        HelperMayNotBid: the organisation helps to run this tender, or buys in it.
        BiddingClosed: the deadline has passed; what stood then still stands.
        BidChanged: the bid is no longer as the caller read it.
        VariantRefused: another variant is named than the bid is.
    """
    bidding = await bidding_of(actor, bid_id)
    ensure_may_bid(bidding.facts())
    if variant not in {None, bidding.variant}:
        message = f"This bid is variant {bidding.variant}, and replaced as that; give no other."
        raise VariantRefused(message)
    if bidding.version != version:
        raise BidChanged
    return following(actor, vault, bidding)


async def refuse_incomplete(bidding: Bidding, faults: list[Fault]) -> NoReturn:
    """Refuse a bid for its faults, unless it was another request that brought them about.

    One that gave the bid, or its next version, just then has taken the documents with it.

    Raises:
        AlreadyBid, BidChanged: there is a version now that was not there before.
        BidIncomplete: with every fault.
    """
    last: int | None = await fetch_value(_LAST, bidding.lot, bidding.supplier, bidding.variant)
    if last != bidding.version:
        raise AlreadyBid if bidding.version is None else BidChanged
    raise BidIncomplete(faults[0].reason, faults=faults)


async def store(
    making: Making,
    parts: tuple[Part, Part],
    named: Sequence[Participant],
    sealing: Sealing,
    listed: Sequence[UUID],
) -> BidReceived:
    """Store a version with both its envelopes and who takes part beside the lead, and sign for it.

    `listed` are the documents that its envelopes list.

    Raises:
        ParticipantsFaulty: with every fault.
        ListedDocumentMissing: a document is not there any more.
        DocumentListedBefore: another request just then listed one that the market sealed.
    """
    quality, price = parts
    bidding, version_id = making.bidding, uuid4()
    found = await identified(named, bidding.supplier)
    if found.faults:
        raise ParticipantsFaulty(found.faults[0].reason, faults=found.faults)
    received_at = await _received(making, version_id, parts)
    if listed or found.views:
        await current().flush()  # what they belong to
    if beside := found.views:
        await execute(
            _PARTICIPANTS,
            version_id,
            [one.role.value for one in beside],
            [one.organisation for one in beside],
            [one.name for one in beside],
            [one.scheme for one in beside],
            [one.identifier for one in beside],
            [one.share for one in beside],
            [one.exclusion_grounds.value for one in beside],
            [one.details for one in beside],
        )
    await list_documents(version_id, listed)
    receipt = making.vault.sign(
        BidReceipt(
            tender=bidding.tender,
            lot=bidding.lot,
            supplier=bidding.supplier,
            bid=making.bid,
            variant=bidding.variant,
            version=making.version,
            received_at=received_at,
            quality_commitment=quality.commitment.hex(),
            price_commitment=price.commitment.hex(),
            participants_commitment=commitment(
                making.salt(PARTICIPANTS), canonical_participants(named)
            ).hex(),
            quality_sealed_digest=quality.digest,
            price_sealed_digest=price.digest,
            sealing=sealing,
        )
    )
    action = "bid.submitted" if making.version == 1 else "bid.replaced"
    await keep_and_record(making, version_id, action, receipt)
    return BidReceived(
        bid=making.bid, version=making.version, received_at=received_at, receipt=receipt
    )


async def _received(making: Making, version_id: UUID, parts: tuple[Part, Part]) -> datetime:
    """Store a version and its envelopes, and say when it was received."""
    quality, price = parts
    bidding = making.bidding
    version = (
        version_id,
        making.bid,
        making.version,
        making.actor.person,
        quality.commitment,
        price.commitment,
        bidding.requirement_version,
    )
    received_at: datetime
    if bidding.bid is None:
        received_at = await fetch_value(
            _BID, making.bid, bidding.tender, bidding.lot, bidding.supplier, bidding.variant
        )
        current().later(_VERSION, *version)
    else:
        received_at = await fetch_value(_NEXT_VERSION, *version)
    current().later(_ENVELOPES, version_id, quality.sealed, price.sealed)
    return received_at


async def keep_and_record(
    making: Making, version_id: UUID, action: str, receipt: SignedStatement
) -> None:
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


def acknowledged(actor: Actor, vault: Vault, received: BidReceived, sealing: Sealing) -> BidGiven:
    """Answer with the salts, also again, unless the key they came from is gone.

    Whoever sealed a bid before sending has the salts of its envelopes, and is given the other.
    """
    salts = None
    if vault.has_signed_with(received.receipt.key_id):
        quality, price, participants = (
            _salt(actor, vault, received.bid, received.version, part).hex()
            for part in (EnvelopeKind.QUALITY.value, EnvelopeKind.PRICE.value, PARTICIPANTS)
        )
        salts = Salts(participants=participants)
        if sealing is Sealing.SERVER:
            salts = Salts(quality=quality, price=price, participants=participants)
    return BidGiven(
        bid=received.bid,
        version=received.version,
        received_at=received.received_at,
        receipt=received.receipt,
        salts=salts,
        sealing=sealing.meaning(),
    )


def _salt(actor: Actor, vault: Vault, bid: UUID, version: int, part: str) -> bytes:
    """Make the salt of one commitment.

    It is derived, not drawn, so that a repetition can be given it again although it is stored
    nowhere: beside a commitment in the database, a salt would let whoever reads the database try
    out prices. Deriving it needs the market's signing key and the caller's Idempotency-Key.
    """
    key = b"" if actor.key is None else actor.key.key.bytes
    purpose = b"bid-salt\x00" + bid.bytes + version.to_bytes(8) + key + part.encode()
    return vault.derive_secret(purpose)
