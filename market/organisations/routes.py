"""HTTP about organisations and service lines: public, and only read."""

from typing import Annotated
from uuid import UUID

from litestar import Controller, Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath, QueryParameter

from market.actor import Actor, Scope
from market.errors import NotFound
from market.organisations import queries
from market.organisations.rules import OrganisationKind
from market.organisations.schemas import OrganisationView, ServiceLineView
from market.pages import LIMIT, Page, PageCursor, PageLimit, linked
from market.problems import AnyRequest, problems

SearchText = Annotated[
    str | None,
    QueryParameter(
        name="q",
        required=False,
        max_length=100,
        pattern=r"^[^\x00]*$",
        description="Words that all occur in the name, in any order; or an identifier.",
    ),
]


class OrganisationController(Controller):
    """Who buys and who supplies."""

    path = "/organisations"
    tags = ("organisations",)

    @get(operation_id="listOrganisations", opt={"public": True, "scope": Scope.REGISTER_READ})
    async def list_organisations(  # noqa: PLR0913  # the filters of one list
        self,
        *,
        request: AnyRequest,
        actor: NamedDependency[Actor],
        q: SearchText = None,
        kind: Annotated[
            OrganisationKind | None,
            QueryParameter(required=False, description="Only organisations of this kind."),
        ] = None,
        cursor: PageCursor = None,
        limit: PageLimit = LIMIT,
    ) -> Response[Page[OrganisationView]]:
        """List the organisations by name."""
        page = await queries.list_organisations(
            actor, words=q, kind=kind, cursor=cursor, limit=limit
        )
        return linked(page, request)

    @get(
        "/{organisation_id:uuid}",
        operation_id="getOrganisation",
        responses=problems(NotFound),
        opt={"public": True, "scope": Scope.REGISTER_READ},
    )
    async def get_organisation(
        self, organisation_id: FromPath[UUID], actor: NamedDependency[Actor]
    ) -> OrganisationView:
        """Show an organisation and its identifiers on public registers."""
        return await queries.read_organisation(actor, organisation_id)


class ServiceLineController(Controller):
    """What is bought and supplied."""

    path = "/service-lines"
    tags = ("organisations",)

    @get(operation_id="listServiceLines", opt={"public": True, "scope": Scope.REGISTER_READ})
    async def list_service_lines(self, actor: NamedDependency[Actor]) -> list[ServiceLineView]:
        """List every line of commissioning support with its CPV code."""
        return await queries.list_service_lines(actor)


CONTROLLERS = (OrganisationController, ServiceLineController)
