"""The recommendation, the notices and the published award."""

from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

import msgspec

from evaluation.permissions import READS_EVALUATION, LotFacts, ensure_reads
from evaluation.queries.facts import facts_of
from evaluation.rules.contracts import contract_years
from evaluation.rules.exact import pounds
from evaluation.rules.notice_content import NoticeContent
from evaluation.rules.stages import shown_stage
from evaluation.schemas.award import (
    ApprovalView,
    AwardView,
    ContractView,
    NoticeView,
    RecommendationView,
    YearValue,
)
from market.actor import Actor
from market.database import fetch, fetch_one, reading
from market.errors import Malformed, NotFound
from market.pages import Page, decode_cursor, encode_cursor

_RECOMMENDATION = """
SELECT r.id, r.number, m.pseudonym, o.name AS supplier, r.reason, r.recommended_by,
       r.recommended_at
FROM recommendation r JOIN manifest_entry m ON m.bid = r.bid JOIN bid b ON b.id = r.bid
JOIN organisation o ON o.id = b.organisation
JOIN current_ranking k ON k.id = r.ranking
WHERE r.lot = $1 ORDER BY r.number DESC LIMIT 1
"""

# Answers of those who left the duty or came to have an interest stay on record but do not count.
_APPROVALS = """
SELECT a.approver, p.name AS approver_name, a.lay, a.outcome, a.reason, a.decided_at
FROM approval a JOIN person p ON p.id = a.approver
WHERE a.recommendation = $1 ORDER BY a.decided_at, a.approver
"""

_NOTICES = """
SELECT n.id, n.recipient, o.name AS recipient_name, n.sent_at, n.content
FROM award_notice n JOIN organisation o ON o.id = n.recipient
WHERE n.award = (
        SELECT s.award FROM standstill s WHERE s.lot = $1 ORDER BY s.began_at DESC LIMIT 1)
    AND ($2::uuid IS NULL OR n.recipient = $2)
    AND ($3::uuid IS NULL OR (n.recipient, n.id) > ($3, $4::uuid))
ORDER BY n.recipient, n.id LIMIT $5
"""

_NOTICE = """
SELECT n.id, n.recipient, o.name AS recipient_name, n.sent_at, n.content
FROM award_notice n JOIN organisation o ON o.id = n.recipient
WHERE n.lot = $1 AND n.id = $2 AND ($3::uuid IS NULL OR n.recipient = $3)
"""

_AWARD = "SELECT * FROM published_award($1)"
_CONTRACTS = "SELECT * FROM contracts_of_lot($1)"


class _Recommendation(msgspec.Struct, frozen=True):
    id: UUID
    number: int
    pseudonym: str
    supplier: str
    reason: str
    recommended_by: UUID
    recommended_at: datetime


class _Notice(msgspec.Struct, frozen=True):
    id: UUID
    recipient: UUID
    recipient_name: str
    sent_at: datetime
    content: str


class _Award(msgspec.Struct, frozen=True):
    supplier: UUID
    supplier_name: str
    price: Decimal
    bids: int
    method: str
    method_version: int
    awarded_at: datetime
    notified_at: datetime
    standstill_ends_at: datetime


class _Contract(msgspec.Struct, frozen=True):
    buyer: UUID
    buyer_name: str
    reference: str
    starts: date
    ends: date
    value: Decimal
    term_months: int
    made_at: datetime


async def present_recommendation(facts: LotFacts) -> RecommendationView | None:
    """The latest recommendation and the answers to it, inside a transaction."""
    row = await fetch_one(_Recommendation, _RECOMMENDATION, facts.lot)
    if row is None:
        return None
    return RecommendationView(
        number=row.number,
        pseudonym=row.pseudonym,
        supplier=row.supplier,
        reason=row.reason,
        recommended_by=row.recommended_by,
        recommended_at=row.recommended_at,
        approvals=await fetch(ApprovalView, _APPROVALS, row.id),
    )


async def notices(
    actor: Actor, tender_id: UUID, lot_number: int, *, limit: int, cursor: str | None
) -> tuple[UUID, bool, Page[NoticeView]]:
    """List the notices of a lot: a bidder sees its own, people with a duty see all.

    Inside a transaction; the lot's id comes first, and whether they are read by duty.

    Raises:
        NotFound: no such lot.
        DutyNeeded: the actor's duty does not read notices.
        DeclarationMissing: the actor has not declared against every bidder.
        ConflictOfInterest: the actor has an interest in a bidder.
    """
    after, last = None, None
    if cursor is not None:
        try:
            after, last = (UUID(part) for part in decode_cursor(cursor, 2))
        except ValueError:
            message = "The cursor is not one the market gave. Begin again without it."
            raise Malformed(message) from None
    facts, recipient = await _reader(actor, tender_id, lot_number)
    rows = await fetch(_Notice, _NOTICES, facts.lot, recipient, after, last, limit + 1)
    shown = rows[:limit]
    return (
        facts.lot,
        recipient is None,
        Page(
            items=[_view(row) for row in shown],
            next=(
                encode_cursor(str(shown[-1].recipient), str(shown[-1].id))
                if len(rows) > limit
                else None
            ),
        ),
    )


async def notice(
    actor: Actor, tender_id: UUID, lot_number: int, notice_id: UUID
) -> tuple[UUID, bool, NoticeView]:
    """Show one notice, also one that a later award has replaced: it was sent all the same.

    Inside a transaction; the lot's id comes first, and whether it is read by duty.

    Raises:
        NotFound: no such lot, or no such notice that the actor may read.
        DutyNeeded: the actor's duty does not read notices.
        DeclarationMissing: the actor has not declared against every bidder.
        ConflictOfInterest: the actor has an interest in a bidder.
    """
    facts, recipient = await _reader(actor, tender_id, lot_number)
    row = await fetch_one(_Notice, _NOTICE, facts.lot, notice_id, recipient)
    if row is None:
        raise NotFound
    return facts.lot, recipient is None, _view(row)


async def _reader(actor: Actor, tender_id: UUID, lot_number: int) -> tuple[LotFacts, UUID | None]:
    """The lot, and the organisation whose notices alone are read, `None` by duty."""
    facts = await facts_of(actor, tender_id, lot_number)
    if facts is None:
        raise NotFound
    if facts.duties:
        ensure_reads(facts, *READS_EVALUATION, what="award notices")
        if facts.kept_fresh:
            raise NotFound
        return facts, None
    if actor.organisation is None:
        raise NotFound
    return facts, actor.organisation


def _view(row: _Notice) -> NoticeView:
    return NoticeView(
        id=row.id,
        recipient=row.recipient,
        recipient_name=row.recipient_name,
        sent_at=row.sent_at,
        content=msgspec.json.decode(row.content, type=NoticeContent),
    )


async def contracts_of(lot: UUID) -> list[ContractView]:
    """The contracts made for a lot, by the names of their buyers, inside a transaction."""
    return [
        ContractView(
            buyer=row.buyer,
            buyer_name=row.buyer_name,
            reference=row.reference,
            starts=row.starts,
            ends=row.ends,
            value=pounds(row.value),
            years=[
                YearValue(year=part.year, months=part.months, value=pounds(part.value))
                for part in contract_years(row.value, row.term_months)
            ],
            made_at=row.made_at,
        )
        for row in await fetch(_Contract, _CONTRACTS, lot)
    ]


async def award(actor: Actor, tender_id: UUID, lot_number: int) -> AwardView:
    """Show everybody the award of a lot, once its bidders have been told.

    Raises:
        NotFound: no such lot, or its bidders have not been told yet.
    """
    async with reading(actor):
        facts = await facts_of(actor, tender_id, lot_number)
        found = None if facts is None else await fetch_one(_Award, _AWARD, facts.lot)
        if facts is None or found is None:
            raise NotFound
        contracts = await contracts_of(facts.lot)
    return AwardView(
        tender=facts.tender,
        reference=facts.reference,
        lot=facts.number,
        title=facts.title,
        stage=shown_stage(
            facts.stage,
            standstill_end=facts.standstill_ends_at,
            now=facts.now,
            on_hold=facts.on_hold,
        ).value,
        supplier=found.supplier_name,
        organisation=found.supplier,
        contract_value=pounds(found.price),
        bids=found.bids,
        method=found.method,
        method_version=found.method_version,
        awarded_at=found.awarded_at,
        notified_at=found.notified_at,
        standstill_ends_at=found.standstill_ends_at,
        contracts=contracts,
    )
