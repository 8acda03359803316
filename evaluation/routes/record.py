"""HTTP about the record of an evaluation: read whole, reported on, disclosed."""

from uuid import UUID

from litestar import Controller, get
from litestar.di import NamedDependency
from litestar.params import FromPath

from evaluation.commands.recording import read_evaluation_record
from evaluation.errors import LotNotThere
from evaluation.schemas.record import EvaluationRecord
from market.actor import Actor
from market.errors import NotFound
from market.problems import problems
from tenders.errors import DUTY_REFUSALS, ConflictOfInterest, DeclarationMissing


class RecordController(Controller):
    """The record of a lot's evaluation."""

    path = "/tenders/{tender_id:uuid}/lots/{lot_number:int}/evaluation-record"
    tags = ("record",)

    @get(
        operation_id="getEvaluationRecord",
        responses=problems(
            NotFound, *DUTY_REFUSALS, DeclarationMissing, ConflictOfInterest, LotNotThere
        ),
    )
    async def get_record(
        self, tender_id: FromPath[UUID], lot_number: FromPath[int], actor: NamedDependency[Actor]
    ) -> EvaluationRecord:
        """Give everything that the evaluation of a lot left behind, exact and whole.

        For the tender's manager, guardian, award approvers, outcome reviewer and the buyers'
        auditors, once the lot is awarded or given up; that it is read is recorded. From it anybody
        entitled computes the ranking again: `tests/evaluation/recompute.py` does, in thirty lines.
        """
        return await read_evaluation_record(actor, tender_id, lot_number)
