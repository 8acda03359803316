"""Challenging the award of a lot, deciding on that, and withdrawing it."""

from datetime import datetime
from uuid import UUID, uuid4

import msgspec

from evaluation.challenge_errors import ChallengedAlready, ChallengeEnded
from evaluation.commands.moves import move
from evaluation.permissions import LotFacts, ensure_may, ensure_stage
from evaluation.queries.challenges import ChallengeRow, challenge_rows, was_notified
from evaluation.queries.facts import facts_of, hold
from evaluation.rules.stages import LotStage, shown_stage
from evaluation.schemas.challenges import (
    ChallengeLot,
    ChallengeMoved,
    ChallengeOutcome,
    DecideChallenge,
    ReceivedOutside,
    WithdrawChallenge,
)
from market.actor import Actor
from market.command import command
from market.database import fetch_one, fetch_value
from market.errors import NotFound
from market.events.commands import record
from tenders.rules.duties import Duty

_CHALLENGE = """
INSERT INTO lot_challenge (id, lot, challenger, grounds, reference, received_at, recorded_by)
VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING number, recorded_at
"""

_END = """
INSERT INTO challenge_end (id, challenge, outcome, reason, ended_by) VALUES ($1, $2, $3, $4, $5)
RETURNING ended_at
"""


_ROUND = """
INSERT INTO lot_round (id, lot, challenge, begun_by) VALUES ($1, $2, $3, $4) RETURNING number
"""


class _Recorded(msgspec.Struct, frozen=True):
    number: int
    recorded_at: datetime


@command
async def challenge_lot(
    actor: Actor, tender_id: UUID, lot_number: int, given: ChallengeLot
) -> ChallengeMoved:
    """Challenge the award of a lot, after its notices and before its contract: it is on hold then.

    A bidder does so through its bid manager; the tender manager records what came by letter or
    through a court. Source: Public Contracts Regulations 2015, regulation 95 (a claim suspends the
    making of the contract); Procurement Act 2023, section 101.

    Raises:
        NotFound: no such lot, or the actor neither bids for it nor has a duty in its tender.
        DutyNeeded: the challenge came from outside, and the actor is not the tender manager.
        DeclarationMissing: the tender manager has not declared against every bidder.
        ConflictOfInterest: the tender manager has an interest in a bidder.
        LotNotThere: the bidders have not been told, or there is a contract.
        ChallengedAlready: this bidder's challenge is not decided yet.
        ChallengeDecided: its challenge of this award was rejected; a court's is recorded as such.
        NoNoticeToChallenge: the organisation named was sent no notice of this award.
        ChallengeTimeFaulty: it was received before the notices, or will be.
    """
    facts = await hold(actor, tender_id, lot_number)
    outside = given.outside
    if outside is not None:
        facts = ensure_may(facts, Duty.TENDER_MANAGER, to="record a challenge of its award")
    if facts is None or (outside is None and not await was_notified(actor, facts)):
        raise NotFound
    ensure_stage(facts, LotStage.NOTIFIED, to="be challenged")
    challenger = _challenger(actor, outside)
    if any(row.open and row.challenger == challenger for row in await challenge_rows(facts)):
        raise ChallengedAlready
    challenge = uuid4()
    row = await fetch_one(
        _Recorded,
        _CHALLENGE,
        challenge,
        facts.lot,
        challenger,
        given.grounds,
        None if outside is None else outside.reference,
        None if outside is None else outside.received_at,
        actor.person,
    )
    if row is None:
        message = "An insert gave no row back."
        raise LookupError(message)
    await record(
        actor,
        "challenge.received",
        "lot_challenge",
        challenge,
        tender=tender_id,
        after=msgspec.json.encode(given),
        lot=lot_number,
        number=row.number,
    )
    return await _moved(actor, facts, row.number, row.recorded_at)


def _challenger(actor: Actor, outside: ReceivedOutside | None) -> UUID | None:
    return actor.organisation if outside is None else outside.challenger


@command
async def decide_challenge(
    actor: Actor, tender_id: UUID, lot_number: int, number: int, given: DecideChallenge
) -> ChallengeMoved:
    """Decide a challenge as the conflicts guardian, with reasons for the challenger.

    The guardian decides because nobody else with a duty could: whoever scored, moderated, ran the
    competition or approved the award would judge their own work, while the guardian holds no
    other duty in a tender they guard. A rejected challenge ends the hold and leaves the standstill
    as it was stored: one that is over stays over, one that runs ends when it would have. To
    re-evaluate begins a new round of the lot: every criterion of every bid is scored again by a
    fresh panel, since its prices are known, and nothing is carried over. To abandon gives the lot
    up, and every bidder is told.

    Raises:
        NotFound: no such lot or challenge, or the actor has no duty in the tender.
        DutyNeeded: the actor is not the guardian.
        DeclarationMissing: the guardian has not declared against every bidder.
        ConflictOfInterest: the guardian has an interest in a bidder.
        ChallengeEnded: it is decided, withdrawn, or of an award that stands no more.
    """
    facts = ensure_may(
        await hold(actor, tender_id, lot_number), Duty.GUARDIAN, to="decide a challenge"
    )
    challenge = await _open_challenge(facts, number)
    ended_at = await _end(actor, challenge, given.outcome.value, given.reason)
    await record(
        actor,
        "challenge.decided",
        "lot_challenge",
        challenge.id,
        tender=tender_id,
        after=msgspec.json.encode(given),
        lot=lot_number,
        number=number,
        outcome=given.outcome.value,
    )
    if given.outcome is ChallengeOutcome.UPHELD_REEVALUATE:
        await _begin_round(actor, facts, challenge)
    elif given.outcome is ChallengeOutcome.UPHELD_ABANDON:
        await move(facts, LotStage.ABANDONED, because=given.reason)
        await record(
            actor,
            "lot.abandoned",
            "lot",
            facts.lot,
            tender=tender_id,
            lot=lot_number,
            stage=facts.stage.value,
            private={"reason": given.reason},
        )
    return await _moved(actor, facts, number, ended_at)


@command
async def withdraw_challenge(
    actor: Actor, tender_id: UUID, lot_number: int, number: int, given: WithdrawChallenge
) -> ChallengeMoved:
    """Withdraw the challenge of one's own organisation, as its bid manager: its hold ends.

    Raises:
        NotFound: no such lot or challenge, or it is another organisation's.
        ChallengeEnded: it is decided, withdrawn, or of an award that stands no more.
    """
    facts = await hold(actor, tender_id, lot_number)
    if facts is None or not await was_notified(actor, facts):
        raise NotFound
    challenge = await _open_challenge(facts, number, of=actor.organisation)
    ended_at = await _end(actor, challenge, "withdrawn", given.reason)
    await record(
        actor,
        "challenge.withdrawn",
        "lot_challenge",
        challenge.id,
        tender=tender_id,
        after=msgspec.json.encode(given),
        lot=lot_number,
        number=number,
    )
    return await _moved(actor, facts, number, ended_at)


async def _begin_round(actor: Actor, facts: LotFacts, challenge: ChallengeRow) -> None:
    """Take the lot back to its scoring, in a round of its own; what was before stays."""
    begun = uuid4()
    number: int = await fetch_value(_ROUND, begun, facts.lot, challenge.id, actor.person)
    await move(facts, LotStage.QUALITY_SCORING)
    await record(
        actor,
        "round.begun",
        "lot_round",
        begun,
        tender=facts.tender,
        lot=facts.number,
        number=number,
    )


async def _open_challenge(facts: LotFacts, number: int, *, of: UUID | None = None) -> ChallengeRow:
    rows = await challenge_rows(facts)
    found = next((row for row in rows if row.number == number), None)
    if found is None or (of is not None and found.challenger != of):
        raise NotFound
    if not found.open:
        raise ChallengeEnded
    return found


async def _end(actor: Actor, challenge: ChallengeRow, outcome: str, reason: str) -> datetime:
    ended_at: datetime = await fetch_value(
        _END, uuid4(), challenge.id, outcome, reason, actor.person
    )
    return ended_at


async def _moved(actor: Actor, held: LotFacts, number: int, at: datetime) -> ChallengeMoved:
    facts = await facts_of(actor, held.tender, held.number)
    if facts is None:
        message = f"The lot {held.lot} is held and cannot be read."
        raise LookupError(message)
    return ChallengeMoved(
        number=number,
        at=at,
        lot=facts.number,
        stage=shown_stage(
            facts.stage,
            standstill_end=facts.standstill_ends_at,
            now=facts.now,
            on_hold=facts.on_hold,
        ).value,
        version=facts.version,
        on_hold=facts.on_hold,
    )
