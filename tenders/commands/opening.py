"""Declaring against bidders, confirming the opening, and opening envelopes one by one."""

import contextlib
import secrets
import string
from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from typing import Final
from uuid import UUID, uuid4

import msgspec

from market.actor import Actor
from market.command import command
from market.database import execute, fetch, fetch_one, fetch_value, reading
from market.errors import Fault, NotFound
from market.events.commands import record
from market.people.permissions import ensure_fresh
from market.sealing import (
    Address,
    CannotOpen,
    CannotUnwrap,
    EnvelopeKind,
    key_context,
    open_with_content_key,
)
from market.vault import Vault
from tenders.errors import (
    AlreadyConfirmed,
    DeclarationsFaulty,
    EnvelopeOpened,
    EnvelopeStaysSealed,
    KeysAwaited,
    KeysUnavailable,
)
from tenders.permissions.opening import (
    ensure_knows_bidders,
    ensure_may_confirm,
    ensure_may_open,
)
from tenders.queries.bids import published_lot
from tenders.queries.opening import declarations_of, known_bidders, standing_of, unopened
from tenders.rules.custody import released_purpose
from tenders.rules.envelopes import DOES_NOT_OPEN, Found, unpack
from tenders.schemas.opening import (
    ConfirmationGiven,
    DeclarationsView,
    DeclareAll,
    EnvelopeOpenedView,
    Interest,
    OpeningResumed,
)

OPENERS_NEEDED: Final = 2

__all__ = [
    "confirm_opening",
    "declare",
    "open_envelope",
    "open_envelopes",
    "pseudonyms",
    "resume_opening",
    "unopened",
]

_FIX = """
INSERT INTO manifest_entry (id, tender, lot, bid, bid_version, pseudonym)
SELECT gen_random_uuid(), $1, * FROM unnest($2::uuid[], $3::uuid[], $4::uuid[], $5::text[])
"""

# Refuses unless the database shows that the envelope may be opened now.
_KEY = """
SELECT wrapped_key_for(m.bid, $3) AS wrapped, r.wrapped AS released, r.unopenable
FROM manifest_entry m LEFT JOIN LATERAL released_key_for(m.bid, $3) r ON true
WHERE m.tender = $1 AND m.bid = $2
"""

_SEALED = "SELECT * FROM sealed_envelope($1, $2)"

_CONFIRMED = """
SELECT EXISTS (SELECT 1 FROM opening_confirmation WHERE tender = $1 AND person = $2)
"""

_OPENED = """
INSERT INTO opened_envelope (id, envelope, bid, kind, content, failure, opened_by)
VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING bid, kind, opened_at, failure
"""

_LOTS = "SELECT id FROM lot WHERE tender = $1 ORDER BY number"

_PROGRESS = """
SELECT count(*) FILTER (WHERE r.opened_at IS NOT NULL AND r.failure IS NULL) AS opened,
    count(r.failure) AS failed, count(*) FILTER (WHERE r.opened_at IS NULL) AS remaining
FROM opening_record($1) r WHERE r.kind = 'quality'
"""


class _Standing(msgspec.Struct, frozen=True):
    bid: UUID
    lot: UUID
    bid_version: UUID


class _Lot(msgspec.Struct, frozen=True):
    id: UUID


class _Key(msgspec.Struct, frozen=True):
    wrapped: bytes | None
    released: bytes | None
    unopenable: bool | None


class _Sealed(msgspec.Struct, frozen=True):
    lot: UUID
    supplier: UUID
    version: int
    envelope: UUID
    committed: bytes
    sealed: bytes


@command
async def declare(actor: Actor, tender_id: UUID, given: DeclareAll) -> DeclarationsView:
    """Declare, for some or all bidders of a tender, whether one has an interest in them.

    An interest is recorded and takes the person out of the tender until the conflicts guardian
    has decided; a later "none" does not lift it.

    Raises:
        NotFound: no such tender.
        DutyNeeded: the actor holds no duty for which the names matter.
        BiddersNotKnown: the time for it has not come.
        DeclarationsFaulty: somebody who does not bid, a repetition, or an interest not described.
    """
    ensure_knows_bidders(await standing_of(actor, tender_id))
    bidders = {bidder.organisation for bidder in await known_bidders(tender_id)}
    faults = list(_declaration_faults(given, bidders))
    if faults:
        raise DeclarationsFaulty(faults[0].reason, faults=faults)
    for declaration in given.declarations:
        await execute(
            "INSERT INTO declaration (id, tender, person, bidder, interest, details)"
            " VALUES ($1, $2, $3, $4, $5, $6)",
            uuid4(),
            tender_id,
            actor.person,
            declaration.bidder,
            declaration.interest.value,
            declaration.details,
        )
    interests = sum(item.interest is not Interest.NONE for item in given.declarations)
    await record(
        actor,
        "interest.declared",
        "tender",
        tender_id,
        tender=tender_id,
        bidders=len(given.declarations),
        interests=interests,
        after=msgspec.json.encode(given),
    )
    return await declarations_of(actor, tender_id)


def _declaration_faults(given: DeclareAll, bidders: set[UUID]) -> Iterable[Fault]:
    seen = set()
    for index, declaration in enumerate(given.declarations):
        field = f"declarations[{index}]"
        if declaration.bidder not in bidders:
            reason = "That organisation does not bid here; declare about those listed as bidders."
            yield Fault(field=f"{field}.bidder", reason=reason)
        elif declaration.bidder in seen:
            reason = "There is another declaration about that bidder; declare once about each."
            yield Fault(field=f"{field}.bidder", reason=reason)
        seen.add(declaration.bidder)
        if declaration.interest is not Interest.NONE and not declaration.details.strip():
            reason = "Say in a sentence what the interest is."
            yield Fault(field=f"{field}.details", reason=reason)


async def confirm_opening(actor: Actor, vault: Vault, tender_id: UUID) -> ConfirmationGiven:
    """Confirm that the bids may be opened; the second opener's confirmation opens them.

    A confirmation counts while its giver may act. Where one counts again since the guardian
    decided, either opener repeats theirs, and that opens the bids.

    It fixes the manifest of all bids that stand and moves the tender in one transaction. Then the
    quality envelopes are opened one by one, each in its own; what a fault of the machine leaves
    unopened, `resume_opening` opens.

    Raises:
        FreshSignInNeeded: the actor's sign-in or its confirmation is older than fifteen minutes.
        NotFound: no such tender.
        DutyNeeded: the actor is not an opener of this tender.
        OpeningNotDue: the deadline has not passed, or the tender is opened or abandoned.
        DeclarationMissing: the actor has not declared against every bidder.
        ConflictOfInterest: the actor has an interest in a bidder.
        AlreadyConfirmed: by the same person, and two confirmations do not count yet.
        KeysUnavailable: the opening is confirmed, but the custodian cannot use a key.
    """
    given = await _confirm(actor, tender_id)
    if given.opened:
        # where officers keep the keys they release them now, and then the opening is resumed
        with contextlib.suppress(KeysAwaited):
            await _open_quality(actor.continued(), vault, tender_id)
    return given


@command
async def _confirm(actor: Actor, tender_id: UUID) -> ConfirmationGiven:
    ensure_fresh(actor)
    # waits for bids in flight and for the other confirmation; what is read below is settled
    await execute("SELECT 1 FROM tender WHERE id = $1 FOR NO KEY UPDATE", tender_id)
    ensure_may_confirm(await standing_of(actor, tender_id))
    again: bool = await fetch_value(_CONFIRMED, tender_id, actor.person)
    if not again:
        await execute(
            "INSERT INTO opening_confirmation (id, tender, person) VALUES ($1, $2, $3)",
            uuid4(),
            tender_id,
            actor.person,
        )
    confirmed_by: int = await fetch_value("SELECT openers_confirmed($1)", tender_id)
    if again and confirmed_by < OPENERS_NEEDED:
        raise AlreadyConfirmed
    if not again:
        await record(
            actor,
            "opening.confirmed",
            "tender",
            tender_id,
            tender=tender_id,
            confirmed_by=confirmed_by,
        )
    if confirmed_by < OPENERS_NEEDED:
        return ConfirmationGiven(confirmed_by=confirmed_by, opened=False)
    bids = await _fix_manifest(tender_id)
    await execute(
        "UPDATE tender SET stage = 'opened', version = version + 1"
        " WHERE id = $1 AND stage = 'published'",
        tender_id,
    )
    await record(actor, "tender.opened", "tender", tender_id, tender=tender_id, bids=bids)
    return ConfirmationGiven(confirmed_by=confirmed_by, opened=True)


async def _fix_manifest(tender_id: UUID) -> int:
    """Write down every bid that stands, under a pseudonym, and say how many there are."""
    by_lot: dict[UUID, list[_Standing]] = defaultdict(list)
    for bid in await fetch(_Standing, "SELECT * FROM bids_to_open($1)", tender_id):
        by_lot[bid.lot].append(bid)
    entries = [
        (bid, name)
        for bids in by_lot.values()
        for bid, name in zip(bids, pseudonyms(len(bids)), strict=True)
    ]
    if entries:
        await execute(
            _FIX,
            tender_id,
            [bid.lot for bid, _ in entries],
            [bid.bid for bid, _ in entries],
            [bid.bid_version for bid, _ in entries],
            [name for _, name in entries],
        )
    return len(entries)


def pseudonyms(count: int) -> list[str]:
    """Draw "Bidder A", "Bidder B", … in random order: no letter tells who came when."""
    letters = string.ascii_uppercase
    names = []
    for number in range(count):
        name, rest = letters[number % len(letters)], number // len(letters)
        while rest:
            name, rest = letters[(rest - 1) % len(letters)] + name, (rest - 1) // len(letters)
        names.append(f"Bidder {name}")
    secrets.SystemRandom().shuffle(names)
    return names


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
    )
    try:
        plain = _opened(vault, key, address, sealed)
    except CannotUnwrap as error:
        raise KeysUnavailable from error
    except CannotOpen:
        found = Found(failure=DOES_NOT_OPEN)
    else:
        found = unpack(plain, kind, sealed.committed, await published_lot(sealed.lot))
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
    two people who call it at once open each envelope once. Nothing to open is no fault. Of a lot
    whose keys officers keep, what they released is opened, and then told what they did not.

    Raises:
        MarketError: whatever `open_envelope` raises, but for EnvelopeOpened.
    """
    opened, awaited = 0, False
    for bid in await unopened(actor, lot_id, kind):
        try:
            await open_envelope(actor, vault, tender_id, bid, kind)
        except EnvelopeOpened:
            continue
        except KeysAwaited:
            awaited = True
            continue
        opened += 1
    if awaited:
        raise KeysAwaited
    return opened


async def _open_quality(actor: Actor, vault: Vault, tender_id: UUID) -> None:
    async with reading(actor):
        lots = await fetch(_Lot, _LOTS, tender_id)
    for lot in lots:
        await open_envelopes(actor, vault, tender_id, lot.id, EnvelopeKind.QUALITY)


async def resume_opening(actor: Actor, vault: Vault, tender_id: UUID) -> OpeningResumed:
    """Open the quality envelopes that an interrupted opening left sealed; nothing left is no fault.

    Raises:
        FreshSignInNeeded: the actor's sign-in or its confirmation is older than fifteen minutes.
        NotFound: no such tender.
        DutyNeeded: the actor is not an opener of this tender.
        NotOpened: two people have not confirmed the opening.
        DeclarationMissing: the actor has not declared against every bidder.
        ConflictOfInterest: the actor has an interest in a bidder.
        KeysAwaited: officers keep the keys, and have not released them all.
        KeysUnavailable: the custodian still cannot use a key.
    """
    await _note_resumption(actor, tender_id)
    await _open_quality(actor.continued(), vault, tender_id)
    async with reading(actor):
        progress = await fetch_one(OpeningResumed, _PROGRESS, tender_id)
    if progress is None:
        raise NotFound
    return progress


@command
async def _note_resumption(actor: Actor, tender_id: UUID) -> datetime:
    ensure_fresh(actor)
    ensure_may_open(await standing_of(actor, tender_id), EnvelopeKind.QUALITY)
    await record(actor, "opening.resumed", "tender", tender_id, tender=tender_id)
    instant: datetime = await fetch_value("SELECT market_now()")
    return instant
