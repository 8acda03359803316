"""HTTP about what keeps duties apart: declarations, exemptions, decisions, delegations."""

from uuid import UUID

from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from market.actor import Actor
from market.errors import Forbidden, NotFound
from market.problems import problems
from market.requests import KEYED
from tenders.commands import conflicts as commands
from tenders.commands import delegations, reading
from tenders.errors import (
    DUTY_REFUSALS,
    BiddersNotKnown,
    ConflictOfInterest,
    DeclarationMissing,
    DeclarationsFaulty,
    DelegatedByAdministrator,
    DelegationFaulty,
    DelegationOver,
    DutyNotTakenUp,
    ExemptionFaulty,
    ExemptionOver,
    NeverExcusable,
    NotExemptible,
    NothingToTakeUp,
    NotInTender,
    OwnInterest,
    RegisterSaysOtherwise,
    RemovedForGood,
)
from tenders.queries import conflicts as queries
from tenders.schemas.conflicts import (
    ConflictDecisionView,
    ConflictView,
    DecideConflict,
    DeclareOnDuty,
    Delegate,
    DelegationView,
    DutyDeclarationView,
    EndWithReason,
    ExemptionView,
    GrantExemption,
)


class ConflictController(Controller):
    """Interests and duties in one tender."""

    path = "/tenders/{tender_id:uuid}"
    tags = ("duties",)

    @post(
        "/duty-declarations",
        operation_id="declareOnDuty",
        dependencies=KEYED,
        responses=problems(NotFound, NothingToTakeUp, RegisterSaysOtherwise),
    )
    async def declare_on_duty(
        self,
        tender_id: FromPath[UUID],
        data: JSONBody[DeclareOnDuty],
        actor: NamedDependency[Actor],
    ) -> DutyDeclarationView:
        """Take up the duties one has been given, by declaring one's interests.

        Until then they are not in force, and nothing of the tender that is not public is served.
        """
        return await commands.declare_on_duty(actor, tender_id, data)

    @get("/duty-declarations", operation_id="listDutyDeclarations", responses=problems(NotFound))
    async def list_duty_declarations(
        self, tender_id: FromPath[UUID], actor: NamedDependency[Actor]
    ) -> list[DutyDeclarationView]:
        """List one's own declarations on duties; guardian and auditors see all: recorded."""
        return await reading.read_duty_declarations(actor, tender_id)

    @post(
        "/exemptions",
        operation_id="grantExemption",
        dependencies=KEYED,
        responses=problems(NotFound, *DUTY_REFUSALS, NotExemptible, ExemptionFaulty),
    )
    async def grant_exemption(
        self,
        tender_id: FromPath[UUID],
        data: JSONBody[GrantExemption],
        actor: NamedDependency[Actor],
    ) -> ExemptionView:
        """Let a person hold two duties that are kept apart by default. The guardian does this."""
        return await commands.grant_exemption(actor, tender_id, data)

    @get(
        "/exemptions",
        operation_id="listExemptions",
        responses=problems(NotFound, DutyNotTakenUp),
        opt={"public": True},
    )
    async def list_exemptions(
        self, tender_id: FromPath[UUID], actor: NamedDependency[Actor]
    ) -> list[ExemptionView]:
        """List every exemption ever granted in a tender, with its reason; public once published."""
        return await queries.exemptions(actor, tender_id)

    @post(
        "/exemptions/{exemption_id:uuid}/revocation",
        operation_id="revokeExemption",
        dependencies=KEYED,
        responses=problems(NotFound, *DUTY_REFUSALS, ExemptionOver),
    )
    async def revoke_exemption(
        self,
        tender_id: FromPath[UUID],
        exemption_id: FromPath[UUID],
        data: JSONBody[EndWithReason],
        actor: NamedDependency[Actor],
    ) -> ExemptionView:
        """End an exemption before its time; both duties of its pair are suspended at once."""
        return await commands.revoke_exemption(actor, tender_id, exemption_id, data)

    @get(
        "/conflicts",
        operation_id="listConflicts",
        responses=problems(NotFound, *DUTY_REFUSALS, BiddersNotKnown),
    )
    async def list_conflicts(
        self, tender_id: FromPath[UUID], actor: NamedDependency[Actor]
    ) -> list[ConflictView]:
        """List what stands between people and bidders, with every path that the market found.

        One's own, about bidders one has declared about; for the guardian, everybody's: recorded.
        """
        return await reading.read_conflicts(actor, tender_id)

    @post(
        "/conflict-decisions",
        operation_id="decideConflict",
        dependencies=KEYED,
        responses=problems(
            NotFound,
            *DUTY_REFUSALS,
            BiddersNotKnown,
            DeclarationMissing,
            ConflictOfInterest,
            DeclarationsFaulty,
            NeverExcusable,
            OwnInterest,
            NotInTender,
            RemovedForGood,
        ),
    )
    async def decide_conflict(
        self,
        tender_id: FromPath[UUID],
        data: JSONBody[DecideConflict],
        actor: NamedDependency[Actor],
    ) -> ConflictDecisionView:
        """Decide about a person's interest in a bidder. The conflicts guardian does this."""
        return await commands.decide_conflict(actor, tender_id, data)

    @get("/conflict-decisions", operation_id="listConflictDecisions", responses=problems(NotFound))
    async def list_conflict_decisions(
        self, tender_id: FromPath[UUID], actor: NamedDependency[Actor]
    ) -> list[ConflictDecisionView]:
        """List what was decided about interests: one's own, or all for guardian and manager.

        That decisions about others were read is recorded.
        """
        return await reading.read_conflict_decisions(actor, tender_id)


class DelegationController(Controller):
    """Award duties held by another organisation's people."""

    path = "/organisations/{organisation_id:uuid}/award-delegations"
    tags = ("duties",)

    @post(
        operation_id="delegateAwardDuties",
        dependencies=KEYED,
        responses=problems(NotFound, Forbidden, DelegatedByAdministrator, DelegationFaulty),
    )
    async def delegate(
        self,
        organisation_id: FromPath[UUID],
        data: JSONBody[Delegate],
        actor: NamedDependency[Actor],
    ) -> DelegationView:
        """Let another buying body's people hold award duties in one's organisation's tenders."""
        return await delegations.delegate_award_duties(actor, organisation_id, data)

    @get(operation_id="listAwardDelegations", responses=problems(NotFound), opt={"public": True})
    async def list_delegations(
        self, organisation_id: FromPath[UUID], actor: NamedDependency[Actor]
    ) -> list[DelegationView]:
        """List what an organisation has delegated, ended delegations included."""
        return await queries.delegations(actor, organisation_id)

    @post(
        "/{delegation_id:uuid}/ending",
        operation_id="endAwardDelegation",
        dependencies=KEYED,
        responses=problems(NotFound, Forbidden, DelegatedByAdministrator, DelegationOver),
    )
    async def end(
        self,
        organisation_id: FromPath[UUID],
        delegation_id: FromPath[UUID],
        data: JSONBody[EndWithReason],
        actor: NamedDependency[Actor],
    ) -> DelegationView:
        """End a delegation before its time; duties held under it are suspended at once."""
        return await delegations.end_delegation(actor, organisation_id, delegation_id, data)


CONTROLLERS = (ConflictController, DelegationController)
