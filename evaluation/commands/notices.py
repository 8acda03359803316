"""Telling every bidder of an award, which begins the standstill."""

from datetime import datetime
from uuid import UUID, uuid4

import msgspec

from evaluation.commands.moves import move
from evaluation.permissions import LotFacts, ensure_may, ensure_stage
from evaluation.queries.facts import hold
from evaluation.queries.judged import judged_bids, judged_lot
from evaluation.queries.ranking import decided_bids, ranking_row
from evaluation.rules.notice_content import DecidedBid, LotAward
from evaluation.rules.notices import notice_for
from evaluation.rules.stages import LotStage
from evaluation.schemas.award import NoticesSent
from market.actor import Actor
from market.command import command
from market.database import execute, fetch_one, fetch_value
from market.events.commands import record
from tenders.rules.duties import Duty
from tenders.rules.rule_sets import LONDON, RULE_SETS, RuleSetName, standstill_end

_WINNER = "SELECT bid FROM award WHERE id = latest_award($1)"

_NOTICE = """
INSERT INTO award_notice (id, lot, bid, recipient, content, sent_by)
VALUES ($1, $2, $3, $4, $5, $6)
"""

_STANDSTILL = """
INSERT INTO standstill (id, lot, rule_set, ends_at) VALUES ($1, $2, $3, $4)
RETURNING began_at, ends_at
"""


class _Standstill(msgspec.Struct, frozen=True):
    began_at: datetime
    ends_at: datetime


@command
async def send_notices(actor: Actor, tender_id: UUID, lot_number: int, version: int) -> NoticesSent:
    """Send every bidder of an awarded lot its notice, and begin the standstill.

    Notices are made out of what was recorded (`rules.notices`) and never change. The end of the
    standstill is computed here, once, from the London day, and stored in the same transaction.
    Source: Public Contracts Regulations 2015, regulations 86 and 87; Procurement Act 2023,
    sections 50 and 51.

    Raises:
        NotFound: no such lot, or the actor has no duty in its tender.
        DutyNeeded: the actor is not the tender manager.
        DeclarationMissing: the actor has not declared against every bidder.
        ConflictOfInterest: the actor has an interest in a bidder.
        Stale: the lot was changed meanwhile.
        LotNotThere: the lot is not awarded, or its notices were sent.
        StandstillRefused: London's midnight passed meanwhile; repeat.
    """
    facts = ensure_may(
        await hold(actor, tender_id, lot_number),
        Duty.TENDER_MANAGER,
        to="send its notices",
        version=version,
    )
    ensure_stage(facts, LotStage.AWARDED, to="have its notices sent")
    rule_set = RULE_SETS[RuleSetName(facts.rule_set)]
    ends_at = standstill_end(rule_set, facts.now.astimezone(LONDON).date())
    rows = await decided_bids(facts)
    bids = await judged_bids(facts, rows)
    winner: UUID = await fetch_value(_WINNER, facts.lot)
    award = await _award(facts, bids[winner], ends_at)
    for row in rows:
        content = notice_for(award, bids[row.bid], wins=row.bid == winner)
        await execute(
            _NOTICE,
            uuid4(),
            facts.lot,
            row.bid,
            row.organisation,
            msgspec.json.encode(content).decode(),
            actor.person,
        )
    standstill = await fetch_one(
        _Standstill, _STANDSTILL, uuid4(), facts.lot, facts.rule_set, ends_at
    )
    if standstill is None:
        message = "An insert gave no row back."
        raise LookupError(message)
    moved = await move(facts, LotStage.NOTIFIED)
    await record(
        actor,
        "notices.sent",
        "lot",
        facts.lot,
        tender=tender_id,
        lot=lot_number,
        notices=len(rows),
        standstill_ends_at=ends_at.isoformat(),
    )
    return NoticesSent(
        lot=moved.lot,
        stage=moved.stage,
        version=moved.version,
        notices=len(rows),
        sent_at=standstill.began_at,
        standstill_ends_at=standstill.ends_at,
    )


async def _award(facts: LotFacts, winner: DecidedBid, ends_at: datetime) -> LotAward:
    ranking = await ranking_row(facts)
    if ranking is None:
        message = f"The awarded lot {facts.lot} has no ranking."
        raise LookupError(message)
    lot = await judged_lot(facts, ranking.method, ranking.method_version)
    return LotAward(**msgspec.structs.asdict(lot), standstill_ends_at=ends_at, winner=winner)
