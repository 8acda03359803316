"""The written report on a procurement, out of the records of its lots."""

from typing import Final
from uuid import UUID

import msgspec

from evaluation.errors import LotNotThere
from evaluation.permissions import RecordReader, ensure_reads_record
from evaluation.queries.facts import facts_of
from evaluation.queries.record import READER, record_of
from evaluation.rules.procurement_report import report_items
from evaluation.schemas.procurement_report import ProcurementReport
from evaluation.schemas.record import EvaluationRecord
from market.actor import Actor
from market.database import fetch, fetch_one
from market.errors import NotFound
from tenders.rules.rule_sets import RULE_SETS, RuleSetName

_LOTS: Final = "SELECT number FROM lot WHERE tender = $1 ORDER BY number"


class _Lot(msgspec.Struct, frozen=True):
    number: int


async def procurement_report(actor: Actor, tender_id: UUID) -> ProcurementReport:
    """Report on a procurement as its law asks, as soon as a lot is awarded or given up.

    Inside a transaction that sees one snapshot.

    Raises:
        NotFound: no such tender, or the actor has no part in it.
        DutyNeeded: the actor's duty does not read the record.
        DeclarationMissing: the actor has not declared against every bidder.
        ConflictOfInterest: the actor has an interest in a bidder.
        LotNotThere: none of its lots is awarded or given up after the opening.
    """
    found: list[EvaluationRecord] = []
    pending, early = [], None
    for lot in await fetch(_Lot, _LOTS, tender_id):
        facts = await facts_of(actor, tender_id, lot.number)
        reader = None if facts is None else await fetch_one(RecordReader, READER, facts.lot)
        try:
            found.append(await record_of(ensure_reads_record(facts, reader)))
        except LotNotThere as error:
            early = error
            pending.append(lot.number)
    if not found:
        raise early or NotFound
    first = found[0]
    rule_set = RuleSetName(first.rule_set)
    return ProcurementReport(
        tender=tender_id,
        reference=first.reference,
        title=first.title,
        rule_set=rule_set.value,
        law=RULE_SETS[rule_set].title,
        lots=[record.lot for record in found],
        pending=pending,
        items=report_items(rule_set, [msgspec.to_builtins(record) for record in found]),
    )
