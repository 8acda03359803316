"""HTTP about the winner's verification before the contract."""

from uuid import UUID

from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from evaluation.award_errors import NoSuchCheck
from evaluation.commands import reading, verification
from evaluation.errors import ChangedMeanwhile, LotNotThere, ReasonTooShort
from evaluation.schemas.verification import AwardChecks, CheckRecorded, RecordCheck
from market.actor import Actor
from market.errors import NotFound
from market.problems import problems
from market.requests import KEYED, tagged
from tenders.errors import DUTY_REFUSALS, ConflictOfInterest, DeclarationMissing


class VerificationController(Controller):
    """What the winner of a lot declared, checked before the contract."""

    path = "/tenders/{tender_id:uuid}/lots/{lot_number:int}/award-checks"
    tags = ("evaluation",)

    @get(
        operation_id="listAwardChecks",
        responses=problems(NotFound, *DUTY_REFUSALS, DeclarationMissing, ConflictOfInterest),
    )
    async def list_checks(
        self,
        tender_id: FromPath[UUID],
        lot_number: FromPath[int],
        actor: NamedDependency[Actor],
    ) -> Response[AwardChecks]:
        """Show what the winner is checked for, and what was found last of each. Recorded."""
        return tagged(await reading.read_award_checks(actor, tender_id, lot_number))

    @post(
        operation_id="recordAwardCheck",
        dependencies=KEYED,
        responses=problems(
            NotFound,
            *DUTY_REFUSALS,
            DeclarationMissing,
            ConflictOfInterest,
            LotNotThere,
            NoSuchCheck,
            ReasonTooShort,
            ChangedMeanwhile,
        ),
    )
    async def record(
        self,
        tender_id: FromPath[UUID],
        lot_number: FromPath[int],
        data: JSONBody[RecordCheck],
        actor: NamedDependency[Actor],
    ) -> CheckRecorded:
        """Record what was found of one thing, with reason and evidence; the latest counts.

        Nothing follows of itself: what is not met is resolved by a later check, or the bid drops
        out under `drop-outs`. No contract is made before everything is verified or waived.
        """
        return await verification.record_check(actor, tender_id, lot_number, data)
