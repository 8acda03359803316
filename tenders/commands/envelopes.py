"""Opening envelopes, one by one: with the server's key, or the content key officers released."""

from uuid import UUID, uuid4

import msgspec

from market.actor import Actor
from market.command import command
from market.database import fetch_one
from market.errors import NotFound
from market.events.commands import record
from market.sealing import (
    Address,
    CannotOpen,
    CannotUnwrap,
    EnvelopeKind,
    key_context,
    open_with_content_key,
)
from market.vault import Vault
from tenders.commands.opened_documents import open_listed
from tenders.errors import (
    EnvelopeAltered,
    EnvelopeOpened,
    EnvelopeStaysSealed,
    KeysAwaited,
    KeysUnavailable,
)
from tenders.permissions.opening import ensure_may_open
from tenders.queries.bids import published_lot
from tenders.queries.opening import standing_of, unopened
from tenders.rules.custody import released_purpose
from tenders.rules.envelopes import DOES_NOT_OPEN, Found, unpack
from tenders.schemas.opening import EnvelopeOpenedView

# Refuses unless the database shows that the envelope may be opened now.
_KEY = """
SELECT wrapped_key_for(m.bid, $3) AS wrapped, r.wrapped AS released, r.unopenable
FROM manifest_entry m LEFT JOIN LATERAL released_key_for(m.bid, $3) r ON true
WHERE m.tender = $1 AND m.bid = $2
"""

_SEALED = "SELECT * FROM sealed_envelope($1, $2)"

_OPENED = """
INSERT INTO opened_envelope (id, envelope, bid, kind, content, failure, opened_by)
VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING bid, kind, opened_at, failure
"""


class _Key(msgspec.Struct, frozen=True):
    wrapped: bytes | None
    released: bytes | None
    unopenable: bool | None


class _Sealed(msgspec.Struct, frozen=True):
    lot: UUID
    supplier: UUID
    variant: int
    version: int
    envelope: UUID
    committed: bytes
    sealed: bytes


@command
async def open_envelope(
    actor: Actor, vault: Vault, tender_id: UUID, bid_id: UUID, kind: EnvelopeKind
) -> EnvelopeOpenedView:
    """Open one envelope and keep what was in it, or why that could not be used; in one transaction.

    An opener opens quality envelopes once the tender is opened; a price evaluator opens prices of
    bids that passed once the quality of the lot is locked. The content, as the supplier gave it,
    is then in `opened_envelope.content` (a `QualityEnvelope` or `PriceEnvelope` as JSON). An
    envelope that does not open, does not prove its commitment or does not fit the lot is kept
    with the failure instead. Pass an actor without an Idempotency-Key (`actor.continued()`).

    Raises:
        NotFound: no such tender, or no such bid in its manifest.
        DutyNeeded: it is not the actor's duty.
        NotOpened: two people have not confirmed the opening.
        DeclarationMissing: the actor has not declared against every bidder.
        ConflictOfInterest: the actor has an interest in a bidder.
        EnvelopeStaysSealed: the lot has not come so far, or the bid did not pass.
        EnvelopeOpened: it was opened before.
        EnvelopeAltered: what is stored is not what the manifest fixed at the deadline.
        KeysAwaited: officers keep the key, and have not released it.
        KeysUnavailable: the custodian cannot use the key; nothing is recorded against the bid.
    """
    ensure_may_open(await standing_of(actor, tender_id), kind)
    key = await fetch_one(_Key, _KEY, tender_id, bid_id, kind.value)
    sealed = await fetch_one(_Sealed, _SEALED, bid_id, kind.value)
    if key is None:
        raise NotFound
    if sealed is None:  # the lot moved on since the key was given
        raise EnvelopeStaysSealed
    address = Address(
        tender=tender_id,
        lot=sealed.lot,
        supplier=sealed.supplier,
        envelope=kind,
        version=sealed.version,
        variant=sealed.variant,
    )
    try:
        plain = _opened(vault, key, address, sealed)
    except CannotUnwrap as error:
        raise KeysUnavailable from error
    except CannotOpen:
        found = Found(failure=DOES_NOT_OPEN)
    else:
        found = unpack(plain, kind, sealed.committed, *await published_lot(sealed.lot))
    opened = await fetch_one(
        EnvelopeOpenedView,
        _OPENED,
        uuid4(),
        sealed.envelope,
        bid_id,
        kind.value,
        found.content,
        found.failure,
        actor.person,
    )
    if opened is None:
        raise NotFound
    await record(
        actor,
        "envelope.opened",
        "envelope",
        sealed.envelope,
        tender=tender_id,
        # why it failed may quote the bid
        private=None if found.failure is None else {"failure": found.failure},
        kind=kind.value,
        failed=found.failure is not None,
    )
    if found.content is not None:
        await open_listed(vault, bid_id, kind, found)
    return opened


def _opened(vault: Vault, key: _Key, address: Address, sealed: _Sealed) -> bytes:
    """Open with the lot's key that the server keeps, or the content key that officers released.

    Raises:
        CannotUnwrap: the custodian cannot use it.
        CannotOpen: the envelope does not open; or two officers found that it does not.
        KeysAwaited: officers have not released it.
    """
    if key.wrapped is not None:
        context = key_context(address.tender, address.lot, address.envelope)
        return vault.custodian.open_envelope(key.wrapped, context, address, sealed.sealed)
    if key.released is not None:
        content_key = vault.custodian.recall(key.released, released_purpose(sealed.envelope))
        return open_with_content_key(content_key, address, sealed.sealed)
    if key.unopenable:
        raise CannotOpen
    raise KeysAwaited


async def open_envelopes(
    actor: Actor, vault: Vault, tender_id: UUID, lot_id: UUID, kind: EnvelopeKind
) -> int:
    """Open every envelope of one kind in a lot that may be opened and is not; give how many.

    Each is a transaction of its own: after a break the same call goes on where it stopped, and
    two people who call it at once open each envelope once. Nothing to open is no fault. An envelope
    that was altered, or whose key officers have not released, keeps no other closed; it is told
    of at the end.

    Raises:
        MarketError: whatever `open_envelope` raises, but for EnvelopeOpened.
    """
    opened = 0
    kept_closed: EnvelopeAltered | KeysAwaited | None = None
    for bid in await unopened(actor, lot_id, kind):
        try:
            await open_envelope(actor, vault, tender_id, bid, kind)
        except EnvelopeOpened:
            continue
        except KeysAwaited as error:
            kept_closed = kept_closed or error
        except EnvelopeAltered as error:
            kept_closed = error
        else:
            opened += 1
    if kept_closed is not None:
        raise kept_closed
    return opened
