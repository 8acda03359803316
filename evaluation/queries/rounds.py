"""The rounds of a lot: a list of all, and the whole of one that was superseded."""

from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from uuid import UUID

import msgspec

from evaluation.permissions import READS_EVALUATION, LotFacts, ensure_reads
from evaluation.queries.facts import facts_of
from evaluation.rules.exact import Exact
from evaluation.schemas.rounds import (
    RoundDecision,
    RoundListed,
    RoundScore,
    RoundsView,
    RoundView,
)
from market.actor import Actor
from market.database import fetch, fetch_value, reading
from market.errors import NotFound

_ROUNDS = """
SELECT n AS number, r.begun_at, c.number AS challenge, e.reason AS because,
    ARRAY(SELECT k.number FROM ranking k WHERE k.lot = $1 AND k.round = n ORDER BY k.number)
    AS rankings
FROM generate_series(1, round_of($1)) n LEFT JOIN lot_round r ON r.lot = $1 AND r.number = n
LEFT JOIN lot_challenge c ON c.id = r.challenge LEFT JOIN challenge_end e ON e.challenge = c.id
ORDER BY n
"""

_DECISIONS = """
SELECT m.pseudonym, q.points_numerator, q.points_denominator, q.passed, q.failed_because
FROM quality_decision q JOIN manifest_entry m ON m.bid = q.bid
WHERE q.lot = $1 AND q.round = $2 ORDER BY length(m.pseudonym), m.pseudonym
"""

_SCORES = """
WITH given AS (
    SELECT s.bid, s.criterion, false AS agreed, s.evaluator AS person, s.number, s.value,
        1 AS divisor, s.reason, s.scored_at AS given_at
    FROM score s WHERE s.lot = $1 AND s.round = $2
    UNION ALL
    SELECT a.bid, a.criterion, true, a.moderator, a.number, a.value, a.divisor, a.reason,
        a.agreed_at
    FROM agreed_score a WHERE a.lot = $1 AND a.round = $2
)
SELECT m.pseudonym, c.code AS criterion, g.agreed, p.name AS person_name, g.number, g.value,
    g.divisor, g.reason, g.given_at
FROM given g JOIN manifest_entry m ON m.bid = g.bid JOIN criterion c ON c.id = g.criterion
JOIN person p ON p.id = g.person
ORDER BY length(m.pseudonym), m.pseudonym, c.code, g.agreed, p.name, g.number
"""


class _Decision(msgspec.Struct, frozen=True):
    pseudonym: str
    points_numerator: Decimal
    points_denominator: Decimal
    passed: bool
    failed_because: list[str]


class _Score(msgspec.Struct, frozen=True):
    pseudonym: str
    criterion: str
    agreed: bool
    person_name: str
    number: int
    value: Decimal
    divisor: int
    reason: str
    given_at: datetime


async def _read(actor: Actor, tender_id: UUID, lot_number: int) -> LotFacts:
    facts = ensure_reads(
        await facts_of(actor, tender_id, lot_number), *READS_EVALUATION, what="its rounds"
    )
    if facts.kept_fresh:
        raise NotFound
    return facts


async def rounds(actor: Actor, tender_id: UUID, lot_number: int) -> RoundsView:
    """List the rounds of a lot.

    Raises:
        NotFound: no such lot, no duty in its tender, or the actor is on the fresh panel of a
            round that is being scored, which sees nothing of those before.
        DutyNeeded: the actor's duty does not read evaluations.
        DeclarationMissing: the actor has not declared against every bidder.
        ConflictOfInterest: the actor has an interest in a bidder.
    """
    async with reading(actor):
        facts = await _read(actor, tender_id, lot_number)
        return RoundsView(lot=facts.number, rounds=await fetch(RoundListed, _ROUNDS, facts.lot))


async def superseded_round(
    actor: Actor, tender_id: UUID, lot_number: int, number: int
) -> tuple[UUID, RoundView]:
    """Show a round that was superseded, inside a transaction; the lot's id comes first.

    Raises:
        NotFound: as for `rounds`, or there is no such round, or it is the one that counts.
        DutyNeeded: the actor's duty does not read evaluations.
        DeclarationMissing: the actor has not declared against every bidder.
        ConflictOfInterest: the actor has an interest in a bidder.
    """
    facts = await _read(actor, tender_id, lot_number)
    if not 0 < number < await fetch_value("SELECT round_of($1)", facts.lot):
        raise NotFound
    return facts.lot, RoundView(
        lot=facts.number,
        number=number,
        decisions=[
            RoundDecision(
                pseudonym=row.pseudonym,
                quality_points=Exact.of(
                    Fraction(row.points_numerator) / Fraction(row.points_denominator)
                ),
                passed=row.passed,
                failed_because=row.failed_because,
            )
            for row in await fetch(_Decision, _DECISIONS, facts.lot, number)
        ],
        scores=[
            RoundScore(
                pseudonym=row.pseudonym,
                criterion=row.criterion,
                agreed=row.agreed,
                person_name=row.person_name,
                number=row.number,
                value=Exact.of(Fraction(row.value) / row.divisor),
                reason=row.reason,
                given_at=row.given_at,
            )
            for row in await fetch(_Score, _SCORES, facts.lot, number)
        ],
    )
