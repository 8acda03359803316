"""Opening the prices of the bids that passed."""

from uuid import UUID

from evaluation.award_errors import NoBidPassed
from evaluation.commands.moves import move
from evaluation.permissions import ensure_may, ensure_stage
from evaluation.queries.facts import hold, share
from evaluation.rules.stages import LotStage
from evaluation.schemas.progress import LotMoved
from market.actor import Actor
from market.command import command
from market.database import fetch_value
from market.events.commands import record
from market.people.permissions import ensure_fresh
from market.sealing import EnvelopeKind
from market.vault import Vault
from tenders.commands.opening import open_envelopes
from tenders.rules.duties import Duty

_PASSED = "SELECT count(*) FROM current_quality_decision WHERE lot = $1 AND passed"


async def open_prices(
    actor: Actor, vault: Vault, tender_id: UUID, lot_number: int, version: int
) -> LotMoved:
    """Open the prices of the bids that passed, one by one, and then move the lot.

    Each envelope is a transaction of its own. If the process dies between them, the same request
    with the same version goes on where it stopped; the lot moves once all are open. The prices
    of bids that did not pass stay sealed for ever.

    Raises:
        FreshSignInNeeded: the actor's sign-in or its confirmation is older than fifteen minutes.
        NotFound: no such lot, or the actor has no duty in its tender.
        DutyNeeded: the actor is not a price evaluator.
        DeclarationMissing: the actor has not declared against every bidder.
        ConflictOfInterest: the actor has an interest in a bidder.
        Stale: the lot was changed meanwhile.
        LotNotThere: the quality of the lot is not locked, or its prices are open.
        NoBidPassed: there is no price to open.
        KeysAwaited: officers keep the keys, and have not released them all.
        KeysUnavailable: the custodian cannot use a key; repeat when the operator has mended it.
    """
    lot = await begin_price_opening(actor, tender_id, lot_number, version)
    await open_envelopes(actor, vault, tender_id, lot, EnvelopeKind.PRICE)
    return await finish_price_opening(actor, tender_id, lot_number, version)


@command
async def begin_price_opening(actor: Actor, tender_id: UUID, lot_number: int, version: int) -> UUID:
    """Permit and record that the prices of a lot are about to be opened; give the lot's id."""
    ensure_fresh(actor)
    facts = ensure_may(
        await share(actor, tender_id, lot_number),
        Duty.PRICE_EVALUATOR,
        to="open its prices",
        version=version,
    )
    ensure_stage(facts, LotStage.QUALITY_LOCKED, to="have its prices opened")
    if not await fetch_value(_PASSED, facts.lot):
        raise NoBidPassed
    await record(actor, "prices.opening_begun", "lot", facts.lot, tender=tender_id, lot=lot_number)
    return facts.lot


@command
async def finish_price_opening(
    actor: Actor, tender_id: UUID, lot_number: int, version: int
) -> LotMoved:
    """Move the lot once every price that may be opened is; the database checks that it is so."""
    facts = ensure_may(
        await hold(actor, tender_id, lot_number),
        Duty.PRICE_EVALUATOR,
        to="open its prices",
        version=version,
    )
    ensure_stage(facts, LotStage.QUALITY_LOCKED, to="have its prices opened")
    moved = await move(facts, LotStage.PRICE_OPENED)
    await record(actor, "prices.opened", "lot", facts.lot, tender=tender_id, lot=lot_number)
    return moved
