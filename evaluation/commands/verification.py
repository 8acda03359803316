"""Verifying before the contract what the winner of a lot declared."""

from datetime import datetime
from uuid import UUID, uuid4

import msgspec

from evaluation.award_errors import NoSuchCheck
from evaluation.permissions import ensure_may, ensure_stage
from evaluation.queries.facts import hold
from evaluation.queries.verification import award_checks
from evaluation.rules.stages import LotStage
from evaluation.schemas.verification import CheckRecorded, RecordCheck
from market.actor import Actor
from market.command import command
from market.database import fetch_one, fetch_value
from market.events.commands import record
from tenders.rules.duties import Duty

_CHECK = """
INSERT INTO award_check
    (id, lot, award, subject, participant, outcome, reason, evidence, recorded_by)
VALUES ($1, $2, latest_award($2), $3, $4, $5, $6, $7, $8) RETURNING number, recorded_at
"""
_VERIFIED = "SELECT award_verified(latest_award($1))"


class _Recorded(msgspec.Struct, frozen=True):
    number: int
    recorded_at: datetime


@command
async def record_check(
    actor: Actor, tender_id: UUID, lot_number: int, given: RecordCheck
) -> CheckRecorded:
    """Record what was found of one thing that the winner declared; the latest check of it counts.

    No contract is made before everything is verified, or waived with a reason. Source: Public
    Contracts Regulations 2015, regulations 57, 59(8) to (11) and 60; Procurement Act 2023,
    sections 19(3)(a) and 22 (conditions of participation), 26 and 28 (exclusion).

    Raises:
        NotFound: no such lot, or the actor has no duty in its tender.
        DutyNeeded: the actor is not the tender manager.
        DeclarationMissing: the actor has not declared against every bidder.
        ConflictOfInterest: the actor has an interest in a bidder.
        LotNotThere: the lot is not awarded, or its contract is made.
        NoSuchCheck: the winner is not checked for that.
    """
    facts = ensure_may(
        await hold(actor, tender_id, lot_number), Duty.TENDER_MANAGER, to="check its winner"
    )
    ensure_stage(facts, LotStage.AWARDED, LotStage.NOTIFIED, to="have its winner checked")
    _, view = await award_checks(actor, tender_id, lot_number)
    due = {(one.check, one.participant) for one in view.checks}
    if (given.check, given.participant) not in due:
        raise NoSuchCheck
    check = uuid4()
    row = await fetch_one(
        _Recorded,
        _CHECK,
        check,
        facts.lot,
        given.check.value,
        given.participant,
        given.outcome.value,
        given.reason,
        given.evidence,
        actor.person,
    )
    if row is None:
        message = "An insert gave no row back."
        raise LookupError(message)
    await record(
        actor,
        "award.checked",
        "award_check",
        check,
        tender=tender_id,
        after=msgspec.json.encode(given),
        lot=lot_number,
        number=row.number,
        check=given.check.value,
        outcome=given.outcome.value,
    )
    return CheckRecorded(
        lot=facts.number,
        number=row.number,
        recorded_at=row.recorded_at,
        verified=await fetch_value(_VERIFIED, facts.lot),
    )
