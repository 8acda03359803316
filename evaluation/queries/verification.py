"""What the winner of a lot is checked for, and what was found."""

from datetime import datetime
from typing import Final
from uuid import UUID

import msgspec

from evaluation.permissions import ensure_reads
from evaluation.queries.facts import facts_of
from evaluation.schemas.verification import (
    AwardChecks,
    AwardCheckView,
    CheckOutcome,
    CheckSubject,
)
from market.actor import Actor
from market.database import fetch, fetch_value
from market.errors import NotFound
from tenders.rules.duties import Duty

READS_CHECKS: Final = (
    Duty.TENDER_MANAGER,
    Duty.AWARD_APPROVER,
    Duty.GUARDIAN,
    Duty.CONTRACT_MANAGER,
)
"""The duties whose holders read what was found of a winner; the database holds the same."""

_SHOWN = "SELECT * FROM award_checks_shown($1)"
_VERIFIED = "SELECT award_verified(latest_award($1))"


class _Check(msgspec.Struct, frozen=True):
    subject: CheckSubject
    participant: UUID | None
    name: str
    declared: str | None
    number: int | None
    outcome: CheckOutcome | None
    reason: str | None
    evidence: str | None
    recorded_at: datetime | None


async def award_checks(actor: Actor, tender_id: UUID, lot_number: int) -> tuple[UUID, AwardChecks]:
    """Show the checks of the award that stands, inside a transaction; the lot's id comes first.

    Raises:
        NotFound: no such lot, no duty in its tender, or it is not awarded.
        DutyNeeded: the actor's duty does not read checks.
        DeclarationMissing: the actor has not declared against every bidder.
        ConflictOfInterest: the actor has an interest in a bidder.
    """
    facts = ensure_reads(
        await facts_of(actor, tender_id, lot_number),
        *READS_CHECKS,
        what="how its winner is checked",
    )
    rows = await fetch(_Check, _SHOWN, facts.lot)
    if not rows:
        message = "The lot is not awarded."
        raise NotFound(message)
    return facts.lot, AwardChecks(
        lot=facts.number,
        version=facts.version,
        verified=await fetch_value(_VERIFIED, facts.lot),
        checks=[
            AwardCheckView(
                check=row.subject,
                participant=row.participant,
                name=row.name,
                declared=row.declared,
                number=row.number,
                outcome=row.outcome,
                reason=row.reason,
                evidence=row.evidence,
                recorded_at=row.recorded_at,
            )
            for row in rows
        ],
    )
