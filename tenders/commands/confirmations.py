"""Confirming a bid that was given before a material amendment."""

from datetime import datetime
from uuid import UUID, uuid4

import msgspec

from market.actor import Actor
from market.command import command
from market.database import execute, fetch_one, fetch_value
from market.errors import NotFound
from market.events.commands import record
from market.signing import ConfirmationReceipt
from market.vault import Vault
from tenders.errors import AmendedMeanwhile, BidChanged, MustBeReplaced, NothingToConfirm
from tenders.permissions.bids import ensure_may_bid
from tenders.queries.bids import bidding_of
from tenders.schemas.amendments import BidConfirmed, ConfirmBid

_TO_CONFIRM = """
SELECT v.id AS version, t.material_amendment AS amendment, needs_confirmation(b.id) AS needed,
    form_changed(v.id) AS form_changed
FROM bid b JOIN tender t ON t.id = b.tender
JOIN LATERAL (SELECT id FROM bid_version WHERE bid = b.id ORDER BY number DESC LIMIT 1) v ON true
WHERE b.id = $1
"""

# The database sets the time, under the lock that decides whether it is late.
_CONFIRM = """
INSERT INTO bid_confirmation (id, bid, bid_version, amendment, made_by)
VALUES ($1, $2, $3, $4, $5) RETURNING confirmed_at
"""
_RECEIPT = "INSERT INTO confirmation_receipt (id, confirmation, signed) VALUES ($1, $2, $3)"


class _ToConfirm(msgspec.Struct, frozen=True):
    version: UUID
    amendment: int | None
    needed: bool
    form_changed: bool


@command
async def confirm_bid(
    actor: Actor, vault: Vault, bid_id: UUID, version: int, given: ConfirmBid
) -> BidConfirmed:
    """Let a bid stand as it is after the latest material amendment.

    Raises:
        NotFound: there is no such bid, or the actor does not deal with it.
        NotAdmitted: the organisation is no admitted supplier.
        HelperMayNotBid: the organisation helps to run this tender, or buys in it.
        BiddingClosed: the deadline has passed; without a confirmation the bid has lapsed.
        BidChanged: the bid is no longer as the caller read it.
        NothingToConfirm: it stands without that, was confirmed before, or is withdrawn.
        AmendedMeanwhile: there is a later material amendment than the one that was read.
        MustBeReplaced: what a bid for the lot answers or prices is another now.
    """
    bidding = await bidding_of(actor, bid_id)
    ensure_may_bid(bidding.facts())
    if bidding.version != version:
        raise BidChanged
    found = await fetch_one(_ToConfirm, _TO_CONFIRM, bid_id)
    if found is None:
        raise NotFound
    if not found.needed:
        raise NothingToConfirm
    if found.amendment != given.amendment:
        message = f"Amendment {found.amendment} is the latest material one: read it, and confirm."
        raise AmendedMeanwhile(message)
    if found.form_changed:
        raise MustBeReplaced
    confirmation = uuid4()
    confirmed_at: datetime = await fetch_value(
        _CONFIRM, confirmation, bid_id, found.version, given.amendment, actor.person
    )
    receipt = vault.sign(
        ConfirmationReceipt(
            tender=bidding.tender,
            lot=bidding.lot,
            supplier=bidding.supplier,
            bid=bid_id,
            version=version,
            amendment=given.amendment,
            confirmed_at=confirmed_at,
        )
    )
    signed = msgspec.json.encode(receipt)
    await execute(_RECEIPT, uuid4(), confirmation, signed.decode())
    await record(
        actor,
        "bid.confirmed",
        "bid",
        bid_id,
        tender=bidding.tender,
        version=version,
        amendment=given.amendment,
        after=signed,
    )
    return BidConfirmed(
        bid=bid_id,
        version=version,
        amendment=given.amendment,
        confirmed_at=confirmed_at,
        receipt=receipt,
    )
