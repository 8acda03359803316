"""Reading records of evaluations and reports on them: every such read is an event of its own."""

from uuid import UUID

from evaluation.queries.procurement_report import procurement_report
from evaluation.queries.record import evaluation_record
from evaluation.schemas.procurement_report import ProcurementReport
from evaluation.schemas.record import EvaluationRecord
from market.actor import Actor
from market.command import confidential_reading
from market.events.commands import record


@confidential_reading
async def read_evaluation_record(
    actor: Actor, tender_id: UUID, lot_number: int
) -> EvaluationRecord:
    """Give the record of a lot's evaluation, whole.

    Raises:
        NotFound: no such lot, or the actor has no part in its tender.
        DutyNeeded: the actor's duty does not read the record.
        DeclarationMissing: the actor has not declared against every bidder.
        ConflictOfInterest: the actor has an interest in a bidder.
        LotNotThere: the lot is neither awarded nor given up, or its bids were never opened.
    """
    facts, found = await evaluation_record(actor, tender_id, lot_number)
    await record(
        actor,
        "evaluation_record.read",
        "lot",
        facts.lot,
        tender=tender_id,
        lot=lot_number,
        bids=[bid.pseudonym for bid in found.bids],
    )
    return found


@confidential_reading
async def read_procurement_report(actor: Actor, tender_id: UUID) -> ProcurementReport:
    """Report on a procurement as the law that governs it asks.

    Raises:
        NotFound: no such tender, or the actor has no part in it.
        DutyNeeded: the actor's duty does not read the record.
        DeclarationMissing: the actor has not declared against every bidder.
        ConflictOfInterest: the actor has an interest in a bidder.
        LotNotThere: none of its lots is awarded or given up.
    """
    report = await procurement_report(actor, tender_id)
    await record(actor, "procurement_report.read", "tender", tender_id, tender=tender_id)
    return report
