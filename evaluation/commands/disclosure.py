"""Disclosing the record of an evaluation in one act, and reading what was disclosed."""

import hashlib
from uuid import UUID, uuid4

import msgspec

from evaluation.challenge_errors import BundleTooLarge, DisclosedTooEarly, RecipientDidNotBid
from evaluation.permissions import ensure_may
from evaluation.queries import disclosure as queries
from evaluation.queries.disclosure import proofs_of
from evaluation.queries.facts import hold
from evaluation.queries.record import record_of
from evaluation.rules.bundle import MOST_BYTES, bundle_of
from evaluation.rules.disclosure import Recipient, Ruling, parties
from evaluation.rules.stages import LotStage
from evaluation.schemas.disclosure import BundleView, Disclose
from market.actor import Actor
from market.command import command, confidential_reading
from market.database import fetch_one
from market.events.commands import record
from tenders.rules.duties import Duty

_DISCLOSE = """
INSERT INTO disclosure_bundle (id, lot, recipient, organisation, addressee, evaluators, reason,
    redactions, proofs, content, digest, disclosed_by)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
RETURNING number, recipient, organisation, addressee, evaluators, reason, redactions, proofs,
    octet_length(content) AS size, encode(digest, 'hex') AS digest, disclosed_by, disclosed_at
"""


@command
async def disclose(actor: Actor, tender_id: UUID, lot_number: int, given: Disclose) -> BundleView:
    """Make a bundle of the record for a recipient, withhold by rule, and keep what was made.

    The lot is held, so that the record is that of one moment. The digest of the file goes into the
    log.

    Raises:
        NotFound: no such lot, or the actor has no duty in its tender.
        DutyNeeded: the actor is not the tender manager.
        DeclarationMissing: the actor has not declared against every bidder.
        ConflictOfInterest: the actor has an interest in a bidder.
        DisclosedTooEarly: the bidders were not told yet.
        RecipientDidNotBid: the recipient has no bid for the lot.
        BundleTooLarge: the record is larger than a bundle may be.
    """
    facts = ensure_may(
        await hold(actor, tender_id, lot_number),
        Duty.TENDER_MANAGER,
        to="disclose the record of its evaluation",
    )
    given_up = facts.stage is LotStage.ABANDONED and facts.opened
    if not given_up and not await queries.was_told(facts):
        raise DisclosedTooEarly
    content = msgspec.to_builtins(await record_of(facts))
    organisation = None if given.organisation is None else str(given.organisation)
    if given.recipient is Recipient.BIDDER and not parties(content, organisation)[0]:
        raise RecipientDidNotBid
    proven = await proofs_of(facts)
    made = bundle_of(
        content,
        Ruling(recipient=given.recipient, organisation=organisation, evaluators=given.evaluators),
        checkpoint=proven.checkpoint,
        events=proven.events,
    )
    if len(made.content) > MOST_BYTES:
        raise BundleTooLarge
    digest = hashlib.sha256(made.content)
    id_ = uuid4()
    view = await fetch_one(
        BundleView,
        _DISCLOSE,
        id_,
        facts.lot,
        given.recipient.value,
        given.organisation,
        given.addressee,
        given.evaluators.value,
        given.reason,
        len(made.redactions),
        len(proven.events),
        made.content,
        digest.digest(),
        actor.person,
    )
    if view is None:
        message = "The bundle was not stored."
        raise LookupError(message)
    await record(
        actor,
        "record.disclosed",
        "disclosure_bundle",
        id_,
        tender=tender_id,
        private={"addressee": given.addressee or organisation, "reason": given.reason},
        lot=lot_number,
        number=view.number,
        digest=view.digest,
        redactions=view.redactions,
    )
    return view


@confidential_reading
async def read_bundles(actor: Actor, tender_id: UUID, lot_number: int) -> list[BundleView]:
    """List what was disclosed of a lot; the list holds nothing of bids, so it is no event.

    Raises:
        NotFound: no such lot, or the actor has no part in its tender.
        DutyNeeded: the actor's duty does not read the record.
        DeclarationMissing: the actor has not declared against every bidder.
        ConflictOfInterest: the actor has an interest in a bidder.
        LotNotThere: the lot is neither awarded nor given up.
    """
    return await queries.bundles(actor, tender_id, lot_number)


@confidential_reading
async def read_bundle(actor: Actor, tender_id: UUID, lot_number: int, number: int) -> bytes:
    """Give a bundle as it was handed over.

    Raises:
        NotFound: no such lot or bundle, or the actor has no part in the tender.
        DutyNeeded: the actor's duty does not read the record.
        DeclarationMissing: the actor has not declared against every bidder.
        ConflictOfInterest: the actor has an interest in a bidder.
        LotNotThere: the lot is neither awarded nor given up.
    """
    found = await queries.bundle(actor, tender_id, lot_number, number)
    await record(
        actor,
        "disclosure_bundle.read",
        "disclosure_bundle",
        found.id,
        tender=tender_id,
        lot=lot_number,
        number=number,
    )
    return found.content
