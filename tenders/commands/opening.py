"""Declaring against bidders, confirming the opening, and opening envelopes one by one."""

import contextlib
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
    EnvelopeKind,
)
from market.vault import Vault
from tenders.commands.envelopes import open_envelope, open_envelopes
from tenders.errors import (
    AlreadyConfirmed,
    DeclarationsFaulty,
    KeysAwaited,
)
from tenders.permissions.opening import (
    ensure_knows_bidders,
    ensure_may_confirm,
    ensure_may_open,
)
from tenders.queries.opening import declarations_of, known_bidders, standing_of, unopened
from tenders.schemas.opening import (
    ConfirmationGiven,
    DeclarationsView,
    DeclareAll,
    Interest,
    OpeningResumed,
)

OPENERS_NEEDED: Final = 2

__all__ = [
    "confirm_opening",
    "declare",
    "open_envelope",
    "open_envelopes",
    "resume_opening",
    "unopened",
]

# Fixes what stands, where the worker has not done so right after the deadline.
_FIX = "SELECT fix_manifest($1)"

_BIDS = "SELECT count(*) FROM manifest_entry WHERE tender = $1"

_CONFIRMED = """
SELECT EXISTS (SELECT 1 FROM opening_confirmation WHERE tender = $1 AND person = $2)
"""

_LOTS = "SELECT id FROM lot WHERE tender = $1 ORDER BY number"

_PROGRESS = """
SELECT count_manifest_faults($1) AS manifest_faults,
    count(*) FILTER (WHERE r.opened_at IS NOT NULL AND r.failure IS NULL) AS opened,
    count(r.failure) AS failed, count(*) FILTER (WHERE r.opened_at IS NULL) AS remaining
FROM opening_record($1) r WHERE r.kind = 'quality'
"""


class _Lot(msgspec.Struct, frozen=True):
    id: UUID


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

    It moves the tender in one transaction, and fixes the manifest of all bids that stand where the
    worker has not yet. Then the quality envelopes are opened one by one, each in its own; what a
    fault of the machine leaves unopened, `resume_opening` opens.

    Raises:
        FreshSignInNeeded: the actor's sign-in or its confirmation is older than fifteen minutes.
        NotFound: no such tender.
        DutyNeeded: the actor is not an opener of this tender.
        OpeningNotDue: the deadline has not passed, or the tender is opened or abandoned.
        DeclarationMissing: the actor has not declared against every bidder.
        ConflictOfInterest: the actor has an interest in a bidder.
        AlreadyConfirmed: by the same person, and two confirmations do not count yet.
        ExtensionUndecided: an interruption before the deadline waits for a decision.
        KeysUnavailable: the opening is confirmed, but the custodian cannot use a key.
        EnvelopeAltered: the opening is confirmed, but an envelope is not what was fixed.
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
    await execute(_FIX, tender_id)
    await execute(
        "UPDATE tender SET stage = 'opened', version = version + 1"
        " WHERE id = $1 AND stage = 'published'",
        tender_id,
    )
    bids: int = await fetch_value(_BIDS, tender_id)
    await record(actor, "tender.opened", "tender", tender_id, tender=tender_id, bids=bids)
    return ConfirmationGiven(confirmed_by=confirmed_by, opened=True)


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
        EnvelopeAltered: an envelope is not what was fixed at the deadline; the rest is open.
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
