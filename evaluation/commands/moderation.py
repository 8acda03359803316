"""Dissent from what the panel agreed, and reading the minutes of moderation."""

from datetime import datetime
from uuid import UUID, uuid4

import msgspec

from evaluation.commands.scoring import find_scorable
from evaluation.errors import NothingToDissentFrom
from evaluation.permissions import ensure_may, ensure_stage
from evaluation.queries.facts import share
from evaluation.queries.moderation import moderation_minutes
from evaluation.rules.stages import LotStage
from evaluation.schemas.moderation import ModerationMinutes
from evaluation.schemas.scores import Dissent, DissentRecorded
from market.actor import Actor
from market.command import command, confidential_reading
from market.database import fetch_one
from market.events.commands import record
from tenders.rules.duties import Duty

_STANDING = """
SELECT id, number FROM current_agreed_score WHERE bid = $1 AND criterion = $2
ORDER BY number DESC LIMIT 1
"""

_DISSENT = """
INSERT INTO dissent (id, agreed_score, evaluator, reason) VALUES ($1, $2, $3, $4)
RETURNING id, dissented_at
"""


class _Agreed(msgspec.Struct, frozen=True):
    id: UUID
    number: int


class _Dissent(msgspec.Struct, frozen=True):
    id: UUID
    dissented_at: datetime


@command
async def dissent(
    actor: Actor, tender_id: UUID, lot_number: int, pseudonym: str, given: Dissent
) -> DissentRecorded:
    """Record that one does not share the agreed score of a criterion of a bid, and why.

    Raises:
        NotFound: no such lot or bid, or the actor has no duty in the tender.
        DutyNeeded: the actor is not a quality evaluator.
        DeclarationMissing: the actor has not declared against every bidder.
        ConflictOfInterest: the actor has an interest in a bidder.
        LotNotThere: the quality of the lot is locked, or its bids are not open.
        BidNotOpened: the bid's quality envelope did not open.
        NoSuchCriterion: the lot does not score that.
        NothingToDissentFrom: nothing is agreed of it, or not on a score of the actor's.
        DissentedAlready: the actor has dissented from this agreed score before.
    """
    facts = ensure_may(
        await share(actor, tender_id, lot_number), Duty.QUALITY_EVALUATOR, to="record dissent"
    )
    ensure_stage(facts, LotStage.QUALITY_SCORING, to="be moderated")
    found, criterion = await find_scorable(facts, pseudonym, given.criterion)
    agreed = await fetch_one(_Agreed, _STANDING, found.bid, criterion)
    if agreed is None:
        raise NothingToDissentFrom
    stored = await fetch_one(_Dissent, _DISSENT, uuid4(), agreed.id, actor.person, given.reason)
    if stored is None:
        message = "An insert gave no row back."
        raise LookupError(message)
    await record(
        actor,
        "dissent.recorded",
        "dissent",
        stored.id,
        tender=tender_id,
        after=msgspec.json.encode(given),
        lot=lot_number,
        bid=pseudonym,
        criterion=given.criterion,
        number=agreed.number,
    )
    return DissentRecorded(
        pseudonym=pseudonym,
        criterion=given.criterion,
        agreed_number=agreed.number,
        dissented_at=stored.dissented_at,
    )


@confidential_reading
async def read_moderation(
    actor: Actor, tender_id: UUID, lot_number: int, *, pseudonym: str | None
) -> ModerationMinutes:
    """Show the minutes of a lot's moderation, of one bid or of all.

    Raises:
        NotFound: no such lot, or the actor has no duty in its tender.
        DutyNeeded: the actor's duty does not read scores, or not before quality is locked.
        DeclarationMissing: the actor has not declared against every bidder.
        ConflictOfInterest: the actor has an interest in a bidder.
        LotNotThere: the bids have not been opened.
        ModerationTooEarly: not every evaluator has locked, or not enough have.
    """
    lot, minutes = await moderation_minutes(actor, tender_id, lot_number, pseudonym=pseudonym)
    await record(
        actor,
        "moderation.read",
        "lot",
        lot,
        tender=tender_id,
        lot=lot_number,
        bids=list(dict.fromkeys(item.pseudonym for item in minutes.items)),
    )
    return minutes
