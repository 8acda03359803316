"""HTTP about the duties of a tender."""

from uuid import UUID

from litestar import Controller, delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from market.actor import Actor
from market.errors import NotFound
from market.problems import problems
from market.requests import KEYED
from tenders.commands import duties as commands
from tenders.errors import (
    DUTY_REFUSALS,
    ConflictOfInterest,
    DeclarationMissing,
    DelegationNeeded,
    DutyClash,
    DutyHeldAlready,
    DutyReleasedAlready,
    LastTenderManager,
    NotMember,
    SuppliersMayNotHoldDuties,
    TransitionRefused,
)
from tenders.queries import duties as queries
from tenders.schemas.duties import AssignDuty, DutyView


class DutyController(Controller):
    """Who does what in a tender."""

    path = "/tenders/{tender_id:uuid}/duties"
    tags = ("duties",)

    @post(
        operation_id="assignDuty",
        dependencies=KEYED,
        responses=problems(
            NotFound,
            *DUTY_REFUSALS,
            DeclarationMissing,
            ConflictOfInterest,
            DutyClash,
            DelegationNeeded,
            SuppliersMayNotHoldDuties,
            NotMember,
            DutyHeldAlready,
            TransitionRefused,
        ),
    )
    async def assign(
        self,
        tender_id: FromPath[UUID],
        data: JSONBody[AssignDuty],
        actor: NamedDependency[Actor],
    ) -> DutyView:
        """Give a person a duty. The tender's manager does this."""
        return await commands.assign_duty(actor, tender_id, data)

    @get(operation_id="listDuties", responses=problems(NotFound))
    async def list_duties(
        self, tender_id: FromPath[UUID], actor: NamedDependency[Actor]
    ) -> list[DutyView]:
        """List every duty in the tender, released ones included, for those who hold one."""
        return await queries.duties_of(actor, tender_id)

    @delete(
        "/{duty_id:uuid}",
        operation_id="releaseDuty",
        status_code=200,
        responses=problems(
            NotFound,
            *DUTY_REFUSALS,
            DeclarationMissing,
            ConflictOfInterest,
            DutyReleasedAlready,
            LastTenderManager,
        ),
    )
    async def release(
        self, tender_id: FromPath[UUID], duty_id: FromPath[UUID], actor: NamedDependency[Actor]
    ) -> DutyView:
        """Release somebody from a duty. It stays on record; needs no If-Match: it can only end."""
        return await commands.release_duty(actor, tender_id, duty_id)
