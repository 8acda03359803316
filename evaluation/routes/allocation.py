"""HTTP about the allocation of lots whose number for one supplier is limited."""

from uuid import UUID

from litestar import Controller, get
from litestar.di import NamedDependency
from litestar.params import FromPath

from evaluation.commands.reading import read_allocation
from evaluation.schemas.allocation import AllocationView
from market.actor import Actor
from market.errors import NotFound
from market.problems import problems
from tenders.errors import DUTY_REFUSALS, ConflictOfInterest, DeclarationMissing


class AllocationController(Controller):
    """Who gets which lot."""

    path = "/tenders/{tender_id:uuid}/lot-allocation"
    tags = ("evaluation",)

    @get(
        operation_id="getLotAllocation",
        responses=problems(NotFound, *DUTY_REFUSALS, DeclarationMissing, ConflictOfInterest),
    )
    async def get_allocation(
        self, tender_id: FromPath[UUID], actor: NamedDependency[Actor]
    ) -> AllocationView:
        """Show which lot goes to whom by the published limit and rule, once all are ranked.

        Solved exactly. Recommendations must follow it; those that stand are kept. Recorded.
        """
        return await read_allocation(actor, tender_id)
