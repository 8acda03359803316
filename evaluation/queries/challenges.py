"""Challenges of a lot: one's own for a bidder, all for those who answer for the evaluation."""

from datetime import datetime
from uuid import UUID

import msgspec

from evaluation.permissions import LotFacts
from evaluation.queries.facts import facts_of
from evaluation.schemas.challenges import ChallengesView, ChallengeView
from market.actor import Actor
from market.database import fetch, fetch_value, reading
from market.errors import NotFound
from tenders.permissions.bids import is_bid_manager

_BIDS_HERE = "SELECT EXISTS (SELECT 1 FROM award_notice WHERE lot = $1 AND recipient = $2)"


class ChallengeRow(msgspec.Struct, frozen=True):
    """A challenge as the database shows it to the acting person."""

    id: UUID
    number: int
    challenger: UUID
    challenger_name: str
    grounds: str
    reference: str | None
    received_at: datetime
    recorded_at: datetime
    open: bool
    outcome: str | None
    reason: str | None
    ended_at: datetime | None


async def challenge_rows(facts: LotFacts) -> list[ChallengeRow]:
    """The challenges of a lot that the actor may read, inside a transaction."""
    return await fetch(ChallengeRow, "SELECT * FROM challenges_shown($1)", facts.lot)


async def was_notified(actor: Actor, facts: LotFacts) -> bool:
    """Say whether the actor manages bids for a bidder of the lot that was sent a notice."""
    return is_bid_manager(actor) and bool(
        await fetch_value(_BIDS_HERE, facts.lot, actor.organisation)
    )


async def challenges(actor: Actor, tender_id: UUID, lot_number: int) -> ChallengesView:
    """List the challenges of a lot: a bidder sees its own and whether the lot is on hold.

    Raises:
        NotFound: no such lot, or the actor neither reads its evaluation, nor audits it, nor
            manages the bids of one of its bidders that was sent a notice.
    """
    async with reading(actor):
        facts = await facts_of(actor, tender_id, lot_number)
        if facts is None:
            raise NotFound
        reads_all = await fetch_value("SELECT reads_challenges($1)", facts.lot)
        if not reads_all and not await was_notified(actor, facts):
            raise NotFound
        rows = await challenge_rows(facts)
    return ChallengesView(
        lot=facts.number,
        on_hold=facts.on_hold,
        challenges=[msgspec.convert(row, ChallengeView, from_attributes=True) for row in rows],
    )
