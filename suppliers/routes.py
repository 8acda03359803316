"""HTTP about suppliers: applying, deciding, and who supplies."""

from typing import Annotated
from uuid import UUID

from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter

from market.actor import Actor, Scope
from market.errors import Forbidden, Malformed, NotFound
from market.organisations.routes import SearchText
from market.organisations.rules import OrganisationKind
from market.pages import LIMIT, Page, PageCursor, PageLimit, linked
from market.people.errors import AlreadyRegistered, SignInLocked, WrongCredentials
from market.problems import AnyRequest, problems
from market.requests import KEYED
from market.vault import Vault
from suppliers import commands, queries
from suppliers.errors import (
    AlreadyApplied,
    AlreadyDecided,
    IdentifierTaken,
    OnlyRegistrarDecides,
    OwnApplication,
)
from suppliers.schemas import ApplicationState, ApplicationView, Apply, Decide, SupplierView


class ApplicationController(Controller):
    """Becoming a supplier."""

    path = "/supplier-applications"
    tags = ("suppliers",)

    @post(
        operation_id="applyToSupply",
        responses=problems(
            Malformed,
            WrongCredentials,
            SignInLocked,
            AlreadyApplied,
            AlreadyRegistered,
            IdentifierTaken,
        ),
        opt={"public": True, "costly": True},
    )
    async def apply(
        self, data: JSONBody[Apply], actor: NamedDependency[Actor], vault: NamedDependency[Vault]
    ) -> ApplicationView:
        """Apply for an organisation to be admitted as a supplier.

        Needs no Idempotency-Key: an organisation has one application at a time, so a repetition is
        refused and changes nothing. The applicant may sign in at once, for no organisation yet.
        """
        return await commands.apply(actor, vault, data)

    @get(operation_id="listSupplierApplications", responses=problems(Forbidden))
    async def list_applications(
        self,
        request: AnyRequest,
        actor: NamedDependency[Actor],
        in_state: Annotated[
            ApplicationState | None,
            QueryParameter(
                name="state", required=False, description="Only applications in this state."
            ),
        ] = None,
        cursor: PageCursor = None,
        limit: PageLimit = LIMIT,
    ) -> Response[Page[ApplicationView]]:
        """List the applications in the order in which they came, for the registrar."""
        return linked(await queries.list_applications(actor, in_state, cursor, limit), request)

    @get(
        "/{application_id:uuid}",
        operation_id="getSupplierApplication",
        responses=problems(NotFound),
    )
    async def get_application(
        self, application_id: FromPath[UUID], actor: NamedDependency[Actor]
    ) -> ApplicationView:
        """Show an application to its applicant or a registrar."""
        return await queries.read_application(actor, application_id)

    @post(
        "/{application_id:uuid}/decision",
        operation_id="decideSupplierApplication",
        dependencies=KEYED,
        responses=problems(NotFound, OnlyRegistrarDecides, OwnApplication, AlreadyDecided),
    )
    async def decide(
        self,
        application_id: FromPath[UUID],
        data: JSONBody[Decide],
        actor: NamedDependency[Actor],
    ) -> ApplicationView:
        """Admit the supplier or refuse it, with a reason that the applicant reads."""
        return await commands.decide_application(actor, application_id, data)


class SupplierController(Controller):
    """Who supplies."""

    path = "/suppliers"
    tags = ("suppliers",)

    @get(operation_id="listSuppliers", opt={"public": True, "scope": Scope.REGISTER_READ})
    async def list_suppliers(  # noqa: PLR0913  # the filters of one list
        self,
        *,
        request: AnyRequest,
        actor: NamedDependency[Actor],
        q: SearchText = None,
        kind: Annotated[
            OrganisationKind | None,
            QueryParameter(required=False, description="Only suppliers of this kind."),
        ] = None,
        service_line: Annotated[
            str | None,
            QueryParameter(
                required=False,
                max_length=60,
                pattern=r"^[^\x00]*$",
                description="Only suppliers of this service line.",
            ),
        ] = None,
        cursor: PageCursor = None,
        limit: PageLimit = LIMIT,
    ) -> Response[Page[SupplierView]]:
        """List the admitted suppliers by name."""
        page = await queries.list_suppliers(
            actor, words=q, kind=kind, service_line=service_line, cursor=cursor, limit=limit
        )
        return linked(page, request)


CONTROLLERS = (ApplicationController, SupplierController)
