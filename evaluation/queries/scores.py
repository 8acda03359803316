"""Scores with their reasons: one's own, and everybody's once all evaluators have locked."""

from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from uuid import UUID

import msgspec

from evaluation.permissions import LotFacts, ensure_reads_scores
from evaluation.queries.facts import facts_of
from evaluation.rules.exact import Exact, shown_value
from evaluation.schemas.scores import Evidence, ScoreView, verdict_of
from market.actor import Actor
from market.database import fetch
from market.errors import Malformed
from market.pages import Page, decode_cursor, encode_cursor

# Blindness is row-level security's (`lots_with_open_scores`): an evaluator sees their own rows
# until every evaluator has locked. Agreed scores exist only after that.
_SCORES = """
WITH given AS (
    SELECT s.bid, s.criterion, false AS agreed, s.evaluator AS person, s.number, s.value,
           1 AS divisor, s.reason, NULL AS discussion, s.evidence, s.scored_at AS given_at,
           s.number = max(s.number) OVER (PARTITION BY s.bid, s.criterion, s.evaluator) AS current
    FROM current_score s WHERE s.lot = $1
    UNION ALL
    SELECT a.bid, a.criterion, true, a.moderator, a.number, a.value, a.divisor, a.reason,
           a.discussion, '[]', a.agreed_at,
           a.number = max(a.number) OVER (PARTITION BY a.bid, a.criterion)
    FROM current_agreed_score a WHERE a.lot = $1
), seated AS MATERIALIZED (SELECT * FROM seats_that_count($1))
SELECT m.pseudonym, c.code AS criterion, c.pass_fail, g.agreed, g.person, p.name AS person_name,
       g.number, g.current, g.agreed OR EXISTS (SELECT 1 FROM seated k
           WHERE k.evaluator = g.person AND k.criterion = g.criterion) AS seated,
       g.value, g.divisor, g.reason, g.discussion, g.evidence, g.given_at
FROM given g JOIN manifest_entry m ON m.bid = g.bid JOIN criterion c ON c.id = g.criterion
JOIN person p ON p.id = g.person
WHERE ($2::text IS NULL OR m.pseudonym = $2) AND ($3::text IS NULL OR
    (length(m.pseudonym), m.pseudonym, c.code, g.agreed, g.number, g.person)
    > (length($3), $3, $4, $5, $6, $7::uuid))
ORDER BY length(m.pseudonym), m.pseudonym, c.code, g.agreed, g.number, g.person LIMIT $8
"""

_AGREED = """
SELECT DISTINCT ON (a.bid, a.criterion) m.pseudonym, m.bid, c.code AS criterion, a.value AS total,
    a.divisor, a.reason, a.counted
FROM current_agreed_score a JOIN manifest_entry m ON m.bid = a.bid
JOIN criterion c ON c.id = a.criterion
WHERE a.lot = $1 ORDER BY a.bid, a.criterion, a.number DESC
"""
_NUMBERS = range(2**31)  # a cursor may hold any number of digits, a column may not


class _Score(msgspec.Struct, frozen=True):
    pseudonym: str
    criterion: str
    agreed: bool
    person: UUID
    person_name: str
    number: int
    current: bool
    seated: bool
    pass_fail: bool
    value: Decimal
    divisor: int
    reason: str
    discussion: str | None
    evidence: str
    given_at: datetime


class AgreedRow(msgspec.Struct, frozen=True):
    """The agreed score that stands for a criterion of a bid."""

    pseudonym: str
    bid: UUID
    criterion: str
    total: Decimal
    divisor: int
    reason: str
    counted: list[UUID]

    @property
    def value(self) -> Fraction:
        """What was agreed, exactly: a value of the scale, or a mean."""
        return Fraction(self.total) / self.divisor


class _Position(msgspec.Struct, frozen=True):
    pseudonym: str | None = None
    criterion: str | None = None
    agreed: bool | None = None
    number: int | None = None
    person: UUID | None = None


async def agreed_scores(facts: LotFacts) -> list[AgreedRow]:
    """The agreed scores that stand, inside a transaction."""
    return await fetch(AgreedRow, _AGREED, facts.lot)


async def scores(  # noqa: PLR0913  # the lot, the filter and the page, each by its name
    actor: Actor,
    tender_id: UUID,
    lot_number: int,
    *,
    pseudonym: str | None,
    limit: int,
    cursor: str | None,
) -> tuple[UUID, Page[ScoreView]]:
    """List scores and agreed scores, corrections included, by bid and criterion.

    Inside a transaction; the lot's id comes first.

    Raises:
        NotFound: no such lot, or the actor has no duty in its tender.
        DutyNeeded: the actor's duty does not read scores, or not before quality is locked.
        DeclarationMissing: the actor has not declared against every bidder.
        ConflictOfInterest: the actor has an interest in a bidder.
    """
    after = _position(cursor)
    facts = ensure_reads_scores(await facts_of(actor, tender_id, lot_number))
    rows = await fetch(
        _Score,
        _SCORES,
        facts.lot,
        pseudonym,
        after.pseudonym,
        after.criterion,
        after.agreed,
        after.number,
        after.person,
        limit + 1,
    )
    shown = rows[:limit]
    return facts.lot, Page(
        items=[_view(row) for row in shown],
        next=_cursor(shown[-1]) if len(rows) > limit else None,
    )


def _view(row: _Score) -> ScoreView:
    return ScoreView(
        pseudonym=row.pseudonym,
        criterion=row.criterion,
        agreed=row.agreed,
        person=row.person,
        person_name=row.person_name,
        number=row.number,
        current=row.current,
        counts=row.current and row.seated,
        value=shown_value(row.value, row.divisor),
        verdict=verdict_of(row.value) if row.pass_fail else None,
        mean=None if row.divisor == 1 else Exact.of(Fraction(row.value) / row.divisor),
        reason=row.reason,
        discussion=row.discussion,
        evidence=msgspec.json.decode(row.evidence, type=list[Evidence]),
        given_at=row.given_at,
    )


def _cursor(row: _Score) -> str:
    return encode_cursor(
        row.pseudonym, row.criterion, str(int(row.agreed)), str(row.number), str(row.person)
    )


def _position(cursor: str | None) -> _Position:
    if cursor is None:
        return _Position()
    pseudonym, criterion, agreed, number, person = decode_cursor(cursor, 5)
    try:
        return _Position(
            pseudonym=pseudonym,
            criterion=criterion,
            agreed=bool(int(agreed)),
            number=_NUMBERS[int(number)],
            person=UUID(person),
        )
    except (ValueError, IndexError):
        message = "The cursor is not one the market gave. Begin again without it."
        raise Malformed(message) from None
