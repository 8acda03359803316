"""Telling every bidder of an award, which begins the standstill."""

from collections import defaultdict
from datetime import datetime
from fractions import Fraction
from uuid import UUID, uuid4

import msgspec

from evaluation.commands.moves import move
from evaluation.permissions import LotFacts, ensure_may, ensure_stage
from evaluation.queries.facts import hold, published_requirement
from evaluation.queries.ranking import DecidedRow, decided_bids, ranking_row
from evaluation.queries.scores import agreed_scores
from evaluation.rules.notices import Agreed, DecidedBid, LotAward, notice_for
from evaluation.rules.stages import LotStage
from evaluation.schemas.award import NoticesSent
from market.actor import Actor
from market.command import command
from market.database import execute, fetch, fetch_one, fetch_value
from market.events.commands import record
from tenders.rules.duties import Duty
from tenders.rules.requirement import highest, leaves
from tenders.rules.rule_sets import LONDON, RULE_SETS, RuleSetName, standstill_end

_WINNER = "SELECT bid FROM award WHERE id = latest_award($1)"

_BUYERS = """
SELECT o.name FROM tender_buyer b JOIN organisation o ON o.id = b.organisation
WHERE b.tender = $1 ORDER BY o.name, o.id
"""

_NOTICE = """
INSERT INTO award_notice (id, lot, bid, recipient, content, sent_by)
VALUES ($1, $2, $3, $4, $5, $6)
"""

_STANDSTILL = """
INSERT INTO standstill (id, lot, rule_set, ends_at) VALUES ($1, $2, $3, $4)
RETURNING began_at, ends_at
"""


class _Buyer(msgspec.Struct, frozen=True):
    name: str


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
    bids = await _decided(facts, rows)
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


async def _decided(facts: LotFacts, rows: list[DecidedRow]) -> dict[UUID, DecidedBid]:
    agreed: dict[UUID, dict[str, Agreed]] = defaultdict(dict)
    for score in await agreed_scores(facts):
        agreed[score.bid][score.criterion] = Agreed(value=score.value, reason=score.reason)
    return {
        row.bid: DecidedBid(
            supplier=row.supplier,
            variant=row.variant,
            agreed=agreed[row.bid],
            quality_points=row.quality_points,
            passed=row.passed,
            failure=row.failure,
            price=row.price,
            price_points=row.price_points,
            total=row.total,
            place=row.place,
        )
        for row in rows
    }


async def _award(facts: LotFacts, winner: DecidedBid, ends_at: datetime) -> LotAward:
    requirement, lot = await published_requirement(facts)
    ranking = await ranking_row(facts)
    if ranking is None:
        message = f"The awarded lot {facts.lot} has no ranking."
        raise LookupError(message)
    return LotAward(
        reference=facts.reference,
        title=facts.tender_title,
        buyers=[row.name for row in await fetch(_Buyer, _BUYERS, facts.tender)],
        lot=facts.number,
        lot_title=facts.title,
        leaves=leaves(lot),
        highest=highest(requirement.scale),
        quality_weight=Fraction(facts.quality_weight),
        price_weight=Fraction(facts.price_weight),
        minimum_quality=facts.minimum_quality,
        method=ranking.method,
        method_version=ranking.method_version,
        tie_rule=requirement.award_method.tie_rule.value,
        rule_set=facts.rule_set,
        standstill_ends_at=ends_at,
        winner=winner,
    )
