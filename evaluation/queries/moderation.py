"""The minutes of moderation, made out of the record alone."""

from collections import defaultdict
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from typing import Final
from uuid import UUID

import msgspec

from evaluation.errors import LotNotThere, ModerationTooEarly
from evaluation.permissions import LotFacts, ensure_reads_scores
from evaluation.queries.facts import facts_of, published_requirement
from evaluation.rules.exact import Exact, shown_value
from evaluation.rules.panel import deltas, is_flagged, spread
from evaluation.rules.stages import LotStage
from evaluation.schemas.moderation import (
    ConsensusView,
    DissentView,
    ModeratedCriterion,
    ModerationMinutes,
    OriginalView,
    Present,
)
from evaluation.schemas.scores import verdict_of
from market.actor import Actor
from market.database import fetch, fetch_value
from market.money import decimal_of, exact_text

# whether the lot's scores are open to the acting person: only then row-level security shows them
_OPEN: Final = "SELECT $1 IN (SELECT lots_with_open_scores())"

_CELLS: Final = """
SELECT m.bid, c.id AS criterion, m.pseudonym, c.code, c.title, c.pass_fail
FROM manifest_entry m JOIN criterion c ON c.lot = m.lot
JOIN opened_envelope o ON o.bid = m.bid AND o.kind = 'quality' AND o.content IS NOT NULL
WHERE m.lot = $1 AND ($2::text IS NULL OR m.pseudonym = $2)
ORDER BY length(m.pseudonym), m.pseudonym, c.code
"""

_ORIGINALS: Final = """
WITH seated AS MATERIALIZED (SELECT * FROM seats_that_count($1))
SELECT DISTINCT ON (s.bid, s.criterion, p.name, s.evaluator) s.bid, s.criterion,
    s.evaluator AS person, p.name, s.value, s.reason, s.scored_at AS given_at,
    EXISTS (SELECT 1 FROM seated k WHERE k.evaluator = s.evaluator
            AND k.criterion = s.criterion) AS counts
FROM current_score s JOIN person p ON p.id = s.evaluator WHERE s.lot = $1
ORDER BY s.bid, s.criterion, p.name, s.evaluator, s.number DESC
"""

_AGREED: Final = """
SELECT a.id, a.bid, a.criterion, a.number, a.value, a.divisor, a.reason, a.discussion, a.counted,
    p.name AS moderator, a.agreed_at
FROM current_agreed_score a JOIN person p ON p.id = a.moderator WHERE a.lot = $1
ORDER BY a.bid, a.criterion, a.number
"""

_DISSENT: Final = """
SELECT a.bid, a.criterion, a.number, d.evaluator AS person, p.name, d.reason, d.dissented_at
FROM dissent d JOIN current_agreed_score a ON a.id = d.agreed_score
JOIN person p ON p.id = d.evaluator
WHERE a.lot = $1 ORDER BY a.number, p.name, d.evaluator
"""

_PRESENT: Final = """
WITH seated AS MATERIALIZED (SELECT DISTINCT evaluator FROM seats_that_count($1)),
there AS (
    SELECT evaluator AS person, 'quality_evaluator' AS duty FROM seated
    UNION SELECT s.evaluator, 'quality_evaluator' FROM current_score s WHERE s.lot = $1
    UNION SELECT a.moderator, 'moderator' FROM current_agreed_score a WHERE a.lot = $1)
SELECT t.person, p.name, t.duty,
    t.duty = 'quality_evaluator' AND t.person IN (SELECT evaluator FROM seated) AS counts,
    CASE t.duty WHEN 'quality_evaluator' THEN (SELECT k.locked_at FROM current_score_lock k
        WHERE k.lot = $1 AND k.evaluator = t.person) END AS locked_at
FROM there t JOIN person p ON p.id = t.person ORDER BY t.duty, p.name, t.person
"""


class _Cell(msgspec.Struct, frozen=True):
    bid: UUID
    criterion: UUID
    pseudonym: str
    code: str
    title: str
    pass_fail: bool


class _Original(msgspec.Struct, frozen=True):
    bid: UUID
    criterion: UUID
    person: UUID
    name: str
    value: Decimal
    reason: str
    given_at: datetime
    counts: bool


class _Agreed(msgspec.Struct, frozen=True):
    id: UUID
    bid: UUID
    criterion: UUID
    number: int
    value: Decimal
    divisor: int
    reason: str
    discussion: str | None
    counted: list[UUID]
    moderator: str
    agreed_at: datetime

    @property
    def exact(self) -> Fraction:
        return Fraction(self.value) / self.divisor


class _Dissent(msgspec.Struct, frozen=True):
    bid: UUID
    criterion: UUID
    number: int
    person: UUID
    name: str
    reason: str
    dissented_at: datetime


class _Record(msgspec.Struct, frozen=True):
    """Everything about a lot's moderation, by bid and criterion."""

    originals: dict[tuple[UUID, UUID], list[_Original]]
    agreed: dict[tuple[UUID, UUID], list[_Agreed]]
    dissent: dict[tuple[UUID, UUID], list[_Dissent]]


async def moderation_minutes(
    actor: Actor, tender_id: UUID, lot_number: int, *, pseudonym: str | None
) -> tuple[UUID, ModerationMinutes]:
    """Show the minutes of a lot's moderation, of one bid or of all.

    Inside a transaction; the lot's id comes first.

    Raises:
        NotFound: no such lot, or the actor has no duty in its tender.
        DutyNeeded: the actor's duty does not read scores, or not before quality is locked.
        DeclarationMissing: the actor has not declared against every bidder.
        ConflictOfInterest: the actor has an interest in a bidder.
        LotNotThere: the bids have not been opened.
        ModerationTooEarly: not every evaluator has locked, or not enough have.
    """
    facts = ensure_reads_scores(await facts_of(actor, tender_id, lot_number))
    if not facts.opened:
        message = "The bids of the lot have not been opened, so nothing has been moderated."
        raise LotNotThere(message)
    if not await fetch_value(_OPEN, facts.lot):
        raise ModerationTooEarly
    requirement, _ = await published_requirement(facts)
    tolerance = requirement.spread_tolerance
    record = await _record(facts)
    return facts.lot, ModerationMinutes(
        tender=facts.tender,
        lot=facts.number,
        title=facts.title,
        closed=facts.stage is not LotStage.QUALITY_SCORING,
        spread_tolerance=tolerance,
        consensus=requirement.consensus.value,
        present=await fetch(Present, _PRESENT, facts.lot),
        items=[
            _item(cell, record, None if tolerance is None else decimal_of(tolerance))
            for cell in await fetch(_Cell, _CELLS, facts.lot, pseudonym)
        ],
    )


async def _record(facts: LotFacts) -> _Record:
    record = _Record(defaultdict(list), defaultdict(list), defaultdict(list))
    for original in await fetch(_Original, _ORIGINALS, facts.lot):
        record.originals[original.bid, original.criterion].append(original)
    for agreed in await fetch(_Agreed, _AGREED, facts.lot):
        record.agreed[agreed.bid, agreed.criterion].append(agreed)
    for dissent in await fetch(_Dissent, _DISSENT, facts.lot):
        record.dissent[dissent.bid, dissent.criterion].append(dissent)
    return record


def _item(cell: _Cell, record: _Record, tolerance: Decimal | None) -> ModeratedCriterion:
    key = cell.bid, cell.criterion
    originals, agreed = record.originals[key], record.agreed[key]
    counting = {row.person: row.value for row in originals if row.counts}
    above: dict[UUID, Fraction] = {}
    if agreed:
        above = deltas(agreed[-1].exact, {row.person: row.value for row in originals})
    values = list(counting.values())
    views = [_consensus(cell, row, standing=row is agreed[-1], now=counting) for row in agreed]
    return ModeratedCriterion(
        pseudonym=cell.pseudonym,
        criterion=cell.code,
        title=cell.title,
        spread=exact_text(spread(values)),
        flagged=is_flagged(values, tolerance, pass_fail=cell.pass_fail),
        originals=[
            OriginalView(
                person=row.person,
                name=row.name,
                value=exact_text(row.value),
                verdict=verdict_of(row.value) if cell.pass_fail else None,
                reason=row.reason,
                given_at=row.given_at,
                counts=row.counts,
                delta=Exact.of(above[row.person]) if row.person in above else None,
            )
            for row in originals
        ],
        agreed=views[-1] if views else None,
        earlier=views[:-1],
        dissent=[
            DissentView(
                person=row.person,
                name=row.name,
                agreed_number=row.number,
                reason=row.reason,
                dissented_at=row.dissented_at,
            )
            for row in record.dissent[key]
        ],
    )


def _consensus(
    cell: _Cell, row: _Agreed, *, standing: bool, now: dict[UUID, Decimal]
) -> ConsensusView:
    return ConsensusView(
        number=row.number,
        value=shown_value(row.value, row.divisor),
        exact=Exact.of(row.exact),
        verdict=verdict_of(row.value) if cell.pass_fail else None,
        reason=row.reason,
        discussion=row.discussion,
        moderator=row.moderator,
        agreed_at=row.agreed_at,
        stands=standing and set(row.counted) == set(now),
    )
