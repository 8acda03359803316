"""Opened bids as evaluators read them: under pseudonyms, without prices."""

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from uuid import UUID

import msgspec

from evaluation.permissions import READS_BIDS, LotFacts, ensure_reads, ensure_stage
from evaluation.queries.facts import facts_of, published_requirement
from evaluation.rules.exact import Exact
from evaluation.rules.stages import LotStage
from evaluation.schemas.scores import AnsweredQuestion, BidUnderEvaluation, ClarificationGiven
from market.actor import Actor
from market.database import fetch, fetch_one
from market.pages import Page, decode_cursor, encode_cursor
from tenders.rules.bids import QualityEnvelope
from tenders.rules.criteria import Criterion
from tenders.rules.requirement import leaves

# Whose bid it is comes through row-level security: until quality is locked it is NULL for those
# who score. The condition says the same, so that the rule can be read here too.
_BIDS = """
SELECT m.pseudonym, m.variant, o.id IS NOT NULL AS opened, o.failure, o.content,
       CASE WHEN $4 THEN g.name END AS supplier,
       q.points_numerator, q.points_denominator, q.passed, q.failed_because
FROM manifest_entry m
LEFT JOIN opened_envelope o ON o.bid = m.bid AND o.kind = 'quality'
LEFT JOIN current_quality_decision q ON q.bid = m.bid AND $4
LEFT JOIN bid b ON b.id = m.bid LEFT JOIN organisation g ON g.id = b.organisation
WHERE m.lot = $1 AND ($2::text IS NULL OR (length(m.pseudonym), m.pseudonym) > (length($2), $2))
ORDER BY length(m.pseudonym), m.pseudonym LIMIT $3
"""

_SCORABLE = """
SELECT m.bid, o.content IS NOT NULL AS readable,
       c.id AS criterion, coalesce(c.pass_fail, false) AS pass_fail,
       (SELECT mean FROM panel_rules(m.tender)) AS mean, o.content,
       ARRAY(SELECT v.value FROM scale_value v WHERE v.tender = m.tender ORDER BY v.value) AS scale
FROM manifest_entry m LEFT JOIN opened_envelope o ON o.bid = m.bid AND o.kind = 'quality'
LEFT JOIN criterion c ON c.lot = m.lot AND c.code = $3
WHERE m.lot = $1 AND m.pseudonym = $2
"""


class _Bid(msgspec.Struct, frozen=True):
    pseudonym: str
    variant: int
    opened: bool
    failure: str | None
    content: str | None
    supplier: str | None
    points_numerator: Decimal | None
    points_denominator: Decimal | None
    passed: bool | None
    failed_because: list[str] | None


class _Clarified(msgspec.Struct, frozen=True):
    pseudonym: str
    number: int
    answer: str


class Scorable(msgspec.Struct, frozen=True):
    """A bid and a criterion about which a score is to be given, and the values allowed."""

    bid: UUID
    readable: bool
    criterion: UUID | None
    pass_fail: bool
    mean: bool
    content: str | None
    scale: list[Decimal]

    def answers(self) -> dict[str, str]:
        """What the bid answers, by the code of the criterion."""
        if self.content is None:
            return {}
        given = msgspec.json.decode(self.content, type=QualityEnvelope)
        return {answer.criterion: answer.text for answer in given.answers}


async def scorable(facts: LotFacts, pseudonym: str, criterion: str) -> Scorable | None:
    """Find what a score is about, inside a transaction; None if no bid has the pseudonym."""
    return await fetch_one(Scorable, _SCORABLE, facts.lot, pseudonym, criterion)


async def bids_under_evaluation(
    actor: Actor, tender_id: UUID, lot_number: int, *, limit: int, cursor: str | None
) -> tuple[UUID, Page[BidUnderEvaluation]]:
    """List the opened bids of a lot by pseudonym, with their answers.

    Inside a transaction; the lot's id comes first.

    Raises:
        NotFound: no such lot, or the actor has no duty in its tender.
        DutyNeeded: the actor's duty does not read bids.
        DeclarationMissing: the actor has not declared against every bidder.
        ConflictOfInterest: the actor has an interest in a bidder.
        LotNotThere: the bids have not been opened.
    """
    after = None if cursor is None else decode_cursor(cursor, 1)[0]
    facts = ensure_reads(await facts_of(actor, tender_id, lot_number), *READS_BIDS, what="its bids")
    opened = [stage for stage in LotStage if stage is not LotStage.BIDDING]
    ensure_stage(facts, *opened, to="read its bids")
    _, lot = await published_requirement(facts)
    locked = facts.stage is not LotStage.QUALITY_SCORING
    rows = await fetch(_Bid, _BIDS, facts.lot, after, limit + 1, locked)
    shown = rows[:limit]
    asked = leaves(lot)
    clarified = await fetch(_Clarified, "SELECT * FROM answers_shown($1)", facts.lot)
    return facts.lot, Page(
        items=[_view(row, asked, clarified) for row in shown],
        next=encode_cursor(shown[-1].pseudonym) if len(rows) > limit else None,
    )


def _view(
    row: _Bid, asked: Sequence[Criterion], clarified: Sequence[_Clarified]
) -> BidUnderEvaluation:
    points = None
    if row.points_numerator is not None and row.points_denominator is not None:
        points = Exact.of(Fraction(row.points_numerator) / Fraction(row.points_denominator))
    return BidUnderEvaluation(
        pseudonym=row.pseudonym,
        variant=row.variant,
        opened=row.opened,
        failure=row.failure,
        answers=_answers(row.content, asked),
        clarifications=[
            ClarificationGiven(number=given.number, answer=given.answer)
            for given in clarified
            if given.pseudonym == row.pseudonym
        ],
        supplier=row.supplier,
        quality_points=points,
        passed=row.passed,
        failed_because=row.failed_because,
    )


def _answers(content: str | None, asked: Sequence[Criterion]) -> list[AnsweredQuestion]:
    """The answers in the order of the published questions."""
    if content is None:
        return []
    given = msgspec.json.decode(content, type=QualityEnvelope)
    texts = {answer.criterion: answer.text for answer in given.answers}
    return [
        AnsweredQuestion(
            criterion=leaf.code,
            title=leaf.title,
            question=leaf.question or "",
            text=texts[leaf.code],
        )
        for leaf in asked
    ]
