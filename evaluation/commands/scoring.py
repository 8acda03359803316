"""Scoring alone, with reasons, and locking one's scores."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import NoReturn
from uuid import UUID, uuid4

import msgspec

from evaluation.errors import (
    BidNotOpened,
    EvidenceNotInBid,
    LockedAlready,
    NoSuchCriterion,
    ScoreOffScale,
    ScoresIncomplete,
    ScoresLocked,
)
from evaluation.permissions import LotFacts, ensure_may, ensure_stage
from evaluation.queries.bids import Scorable, scorable
from evaluation.queries.facts import share
from evaluation.rules.exact import shown_value
from evaluation.rules.scoring import OffScale, ensure_on_scale, is_quoted
from evaluation.rules.stages import LotStage
from evaluation.schemas.scores import (
    VERDICTS,
    AgreeScore,
    Evidence,
    GiveScore,
    ScoreGiven,
    ScoresLockedView,
    Verdict,
)
from market.actor import Actor
from market.command import command
from market.database import fetch, fetch_one, fetch_value
from market.errors import Fault, NotFound
from market.events.commands import record
from market.money import decimal_of
from tenders.rules.duties import Duty

_LOCKED = "SELECT locked_at FROM current_score_lock WHERE lot = $1 AND evaluator = $2"

_SCORE = """
INSERT INTO score (id, lot, bid, criterion, evaluator, value, reason, evidence)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
RETURNING id, number, value, 1 AS divisor, scored_at AS given_at
"""

_UNSCORED = """
SELECT m.pseudonym, c.code FROM manifest_entry m JOIN criterion c ON c.lot = m.lot
JOIN seats_that_count(m.lot) k ON k.criterion = c.id AND k.evaluator = $2
WHERE m.lot = $1 AND NOT EXISTS (
    SELECT 1 FROM opened_envelope o WHERE o.bid = m.bid AND o.kind = 'quality'
    AND o.content IS NULL)
AND NOT EXISTS (
    SELECT 1 FROM current_score s WHERE s.bid = m.bid AND s.criterion = c.id AND s.evaluator = $2)
ORDER BY length(m.pseudonym), m.pseudonym, c.code
"""

_GIVEN = "SELECT count(*) FROM current_score WHERE lot = $1 AND evaluator = $2"

_LOCK = """
INSERT INTO score_lock (id, lot, evaluator) VALUES ($1, $2, $3) RETURNING id, locked_at
"""
_LISTED = 10


class Stored(msgspec.Struct, frozen=True):
    """A score as the database numbered and timed it."""

    id: UUID
    number: int
    value: Decimal
    divisor: int
    given_at: datetime


class _Unscored(msgspec.Struct, frozen=True):
    pseudonym: str
    code: str


class _Lock(msgspec.Struct, frozen=True):
    id: UUID
    locked_at: datetime


@command
async def give_score(
    actor: Actor, tender_id: UUID, lot_number: int, pseudonym: str, given: GiveScore
) -> ScoreGiven:
    """Score one criterion of one bid, with a reason, or correct an earlier score of one's own.

    Raises:
        NotFound: no such lot or bid, or the actor has no duty in the tender.
        DutyNeeded: the actor is not a quality evaluator.
        DeclarationMissing: the actor has not declared against every bidder.
        ConflictOfInterest: the actor has an interest in a bidder.
        LotNotThere: the lot is not being scored.
        ScoresLocked: the actor has locked their scores.
        BidNotOpened: the bid's quality envelope did not open.
        NoSuchCriterion: the lot does not score that.
        NotAssigned: the actor is not assigned to the criterion.
        ScoreOffScale: the value is not on the published scale.
        EvidenceNotInBid: what is quoted is not found in the bid.
    """
    facts = ensure_may(
        await share(actor, tender_id, lot_number), Duty.QUALITY_EVALUATOR, to="score its bids"
    )
    ensure_stage(facts, LotStage.QUALITY_SCORING, to="be scored")
    if await fetch_value(_LOCKED, facts.lot, actor.person) is not None:
        raise ScoresLocked
    found, criterion = await find_scorable(facts, pseudonym, given.criterion)
    _ensure_evidence(given.evidence, found.answers())
    stored = await fetch_one(
        Stored,
        _SCORE,
        uuid4(),
        facts.lot,
        found.bid,
        criterion,
        actor.person,
        value_of(found, given.value, given.verdict),
        given.reason,
        msgspec.json.encode(given.evidence).decode(),
    )
    return await record_score(actor, facts, pseudonym, given, stored, action="score.given")


async def find_scorable(facts: LotFacts, pseudonym: str, code: str) -> tuple[Scorable, UUID]:
    """Find the bid and the criterion that a score is about.

    Raises:
        NotFound: no bid of the lot has the pseudonym.
        BidNotOpened: the bid's quality envelope is not opened, or did not open.
        NoSuchCriterion: the lot does not score that.
    """
    found = await scorable(facts, pseudonym, code)
    if found is None:
        raise NotFound
    if not found.readable:
        raise BidNotOpened
    if found.criterion is None:
        reason = f"The lot has no criterion to score with the code {code}."
        raise NoSuchCriterion(reason, faults=[Fault(field="criterion", reason=reason)])
    return found, found.criterion


def value_of(found: Scorable, value: str | None, verdict: Verdict | None) -> Decimal:
    """Give the value to be stored: one of the scale or, of what is passed or failed, a verdict.

    Raises:
        ScoreOffScale: the value is not on the published scale, which the detail lists; or the
            criterion takes the other kind.
    """
    if found.pass_fail:
        if verdict is None:
            _refuse_value("That criterion is passed or failed: give the verdict pass or fail.")
        return VERDICTS[verdict]
    if value is None:
        _refuse_value("That criterion is scored on the scale: give one of its values.")
    try:
        ensure_on_scale(decimal_of(value), found.scale)
    except OffScale as error:
        _refuse_value(str(error))
    return decimal_of(value)


def _ensure_evidence(evidence: Sequence[Evidence], answers: Mapping[str, str]) -> None:
    faults = []
    for index, place in enumerate(evidence):
        if place.criterion is not None and place.criterion not in answers:
            reason = f"The bid answers no criterion with the code {place.criterion}."
            faults.append(Fault(field=f"evidence[{index}].criterion", reason=reason))
        elif place.quotation is not None and not is_quoted(
            place.quotation,
            answers.values() if place.criterion is None else [answers[place.criterion]],
        ):
            reason = "These words are not found in the bid; quote it as it is."
            faults.append(Fault(field=f"evidence[{index}].quotation", reason=reason))
    if faults:
        raise EvidenceNotInBid(faults[0].reason, faults=faults)


def _refuse_value(reason: str) -> NoReturn:
    raise ScoreOffScale(reason, faults=[Fault(field="value", reason=reason)]) from None


async def record_score(  # noqa: PLR0913  # what the event and the answer say, each by its name
    actor: Actor,
    facts: LotFacts,
    pseudonym: str,
    given: GiveScore | AgreeScore,
    stored: Stored | None,
    *,
    action: str,
) -> ScoreGiven:
    """Record that a score was given, without what it says, and give it as it was stored."""
    if stored is None:
        message = "An insert gave no row back."
        raise LookupError(message)
    await record(
        actor,
        action,
        "score",
        stored.id,
        tender=facts.tender,
        after=msgspec.json.encode(given),
        lot=facts.number,
        bid=pseudonym,
        criterion=given.criterion,
        number=stored.number,
    )
    return ScoreGiven(
        pseudonym=pseudonym,
        criterion=given.criterion,
        number=stored.number,
        value=shown_value(stored.value, stored.divisor),
        given_at=stored.given_at,
    )


@command
async def lock_scores(actor: Actor, tender_id: UUID, lot_number: int) -> ScoresLockedView:
    """Declare one's scores of a lot final; nobody sees another's before all have done so.

    Raises:
        NotFound: no such lot, or the actor has no duty in its tender.
        DutyNeeded: the actor is not a quality evaluator.
        DeclarationMissing: the actor has not declared against every bidder.
        ConflictOfInterest: the actor has an interest in a bidder.
        LotNotThere: the lot is not being scored.
        LockedAlready: the actor has locked before.
        NotAssigned: the actor is assigned to no criterion of the lot.
        ScoresIncomplete: a criterion of a bid has no score; the detail names the first ones.
    """
    facts = ensure_may(
        await share(actor, tender_id, lot_number, finishing=True),
        Duty.QUALITY_EVALUATOR,
        to="lock scores",
    )
    ensure_stage(facts, LotStage.QUALITY_SCORING, to="be locked")
    if await fetch_value(_LOCKED, facts.lot, actor.person) is not None:
        raise LockedAlready
    unscored = await fetch(_Unscored, _UNSCORED, facts.lot, actor.person)
    if unscored:
        raise ScoresIncomplete(listed([f"{row.pseudonym} {row.code}" for row in unscored]))
    lock = await fetch_one(_Lock, _LOCK, uuid4(), facts.lot, actor.person)
    if lock is None or actor.person is None:
        message = "An insert gave no row back."
        raise LookupError(message)
    await record(actor, "scores.locked", "score_lock", lock.id, tender=tender_id, lot=lot_number)
    return ScoresLockedView(
        lot=lot_number,
        evaluator=actor.person,
        scores=await fetch_value(_GIVEN, facts.lot, actor.person),
        locked_at=lock.locked_at,
    )


def listed(items: list[str]) -> str:
    """Say what has no score yet, the first few by name."""
    shown = ", ".join(items[:_LISTED])
    more = f" and {len(items) - _LISTED} more" if len(items) > _LISTED else ""
    return f"Without a score yet: {shown}{more}."
