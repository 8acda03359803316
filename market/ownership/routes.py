"""HTTP about ownership: imports, links, parties, who is who, and what is public of it all."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any
from uuid import UUID

from litestar import Controller, Response, delete, get, post
from litestar.connection import ASGIConnection
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.handlers.base import BaseRouteHandler
from litestar.openapi.spec import Example, OpenAPIMediaType, Operation, RequestBody, Schema
from litestar.openapi.spec.enums import OpenAPIType
from litestar.params import FromPath, JSONBody, QueryParameter, RawBody

from market.actor import Actor
from market.errors import Forbidden, Malformed, NotFound, TooLarge
from market.ownership import commands, queries
from market.ownership.errors import (
    EntityNotPerson,
    ImpossibleLink,
    LinkStatedAlready,
    MatchedAlready,
    NotYoursToState,
    OwnsItself,
    StaysAsStated,
    UnusableStatements,
)
from market.ownership.rules.links import PartyKind
from market.ownership.schemas import (
    EndLink,
    ImportSummary,
    ImportView,
    LinkView,
    MatchView,
    PartyView,
    StateLink,
    StateMatch,
)
from market.pages import LIMIT, Page, PageCursor, PageLimit, linked
from market.problems import AnyRequest, problems
from market.requests import KEYED

_LINES = ("application/jsonl", "application/x-ndjson")
_EXAMPLE: Mapping[str, Any] = {
    "statementID": "3c9ae0c8-4a34-4f9c-9c19-0b3f7a4bd7a1",
    "statementType": "entityStatement",
    "entityType": "registeredEntity",
    "name": "B Ltd",
    "identifiers": [{"scheme": "GB-COH", "id": "01234567"}],
}
_LARGEST = 64 * 1024 * 1024  # what is ever read; the setting says what is accepted


@dataclass
class _Statements(Operation):
    """The body of an import, which no Struct describes: the standard's schemas do."""

    def __post_init__(self) -> None:
        """Describe it."""
        statement = Schema(type=OpenAPIType.OBJECT, description="A statement, as published.")
        self.request_body = RequestBody(
            required=True,
            description="Statements of the Beneficial Ownership Data Standard, 0.2 or 0.4.",
            content={
                "application/json": OpenAPIMediaType(
                    schema=Schema(type=OpenAPIType.ARRAY, items=statement, min_items=1),
                    examples={"statement": Example(value=[dict(_EXAMPLE)])},
                ),
                **{
                    name: OpenAPIMediaType(
                        schema=Schema(type=OpenAPIType.STRING, description="One statement a line.")
                    )
                    for name in _LINES
                },
            },
        )


async def of_a_known_size(
    connection: ASGIConnection[BaseRouteHandler, object, object, State], _: BaseRouteHandler
) -> None:
    """Refuse a body that is too large, or does not say how large it is, before it is read.

    Raises:
        TooLarge: larger than the setting allows.
        Malformed: without a Content-Length.
    """
    length = connection.headers.get("content-length", "")
    if not length.isdecimal():
        message = "Send the file's Content-Length."
        raise Malformed(message)
    if int(length) > connection.app.state["settings"].ownership_body_limit:
        raise TooLarge


Source = Annotated[
    str,
    QueryParameter(
        min_length=1,
        max_length=300,
        pattern=r"^[^\x00-\x1f]*[^\s\x00-\x1f][^\x00-\x1f]*$",
        description=(
            "Where the file is from. It also stands for the publisher of statements that name"
            " none, so give successive files of one publisher the same."
        ),
    ),
]


class ImportController(Controller):
    """Files of ownership statements."""

    path = "/ownership/imports"
    tags = ("ownership",)

    @post(
        operation_id="importOwnership",
        dependencies=KEYED,
        responses=problems(UnusableStatements, NotYoursToState, TooLarge),
        operation_class=_Statements,
        request_max_body_size=_LARGEST,
        guards=[of_a_known_size],
        opt={"media_types": _LINES},
    )
    async def import_statements(
        self, body: RawBody, source: Source, actor: NamedDependency[Actor], state: State
    ) -> ImportView:
        """Import ownership statements, whole or not at all.

        An array of statements of the Beneficial Ownership Data Standard, version 0.2 or 0.4, or
        one statement a line. What is known changes nothing; a reference to nothing becomes a party
        of unknown kind. For the registrar and conflicts guardians.
        """
        return await commands.import_statements(
            actor, body, source, most_bytes=state["settings"].ownership_body_limit
        )

    @get(operation_id="listOwnershipImports", responses=problems(Forbidden))
    async def list_imports(
        self,
        request: AnyRequest,
        actor: NamedDependency[Actor],
        cursor: PageCursor = None,
        limit: PageLimit = LIMIT,
    ) -> Response[Page[ImportSummary]]:
        """List what was imported, the latest first, for registrar, guardians and auditors."""
        return linked(await queries.list_imports(actor, cursor, limit), request)


class LinkController(Controller):
    """Links that the registrar states."""

    path = "/ownership/links"
    tags = ("ownership",)

    @post(
        operation_id="stateOwnershipLink",
        dependencies=KEYED,
        responses=problems(
            NotYoursToState, ImpossibleLink, Malformed, OwnsItself, LinkStatedAlready
        ),
    )
    async def state_link(
        self, data: JSONBody[StateLink], actor: NamedDependency[Actor]
    ) -> LinkView:
        """State that somebody owns, controls or directs a body, and where that is written."""
        return await commands.state_link(actor, data)

    @post(
        "/{link_id:uuid}/ending",
        operation_id="endOwnershipLink",
        dependencies=KEYED,
        responses=problems(NotYoursToState, NotFound, StaysAsStated, ImpossibleLink),
    )
    async def end_link(
        self, link_id: FromPath[UUID], data: JSONBody[EndLink], actor: NamedDependency[Actor]
    ) -> LinkView:
        """State that a link has ended. Needs no If-Match, since it can only end, once."""
        return await commands.end_link(actor, link_id, data)


class PartyController(Controller):
    """The parties of the statements."""

    path = "/ownership/parties"
    tags = ("ownership",)

    @get(operation_id="listOwnershipParties")
    async def list_parties(  # noqa: PLR0913, PLR0917  # each a query parameter
        self,
        request: AnyRequest,
        actor: NamedDependency[Actor],
        words: Annotated[
            str | None,
            QueryParameter(
                required=False, max_length=200, description="Words of the name, or an identifier."
            ),
        ] = None,
        kind: Annotated[
            PartyKind | None, QueryParameter(required=False, description="Only of this kind.")
        ] = None,
        cursor: PageCursor = None,
        limit: PageLimit = LIMIT,
    ) -> Response[Page[PartyView]]:
        """List the parties of the statements by name, to find oneself or others in."""
        page = await queries.list_parties(actor, words=words, kind=kind, cursor=cursor, limit=limit)
        return linked(page, request)


class MatchController(Controller):
    """Which party of the statements a person of the market is."""

    path = "/ownership/people"
    tags = ("ownership",)

    @post(
        operation_id="matchPerson",
        dependencies=KEYED,
        responses=problems(NotYoursToState, Malformed, EntityNotPerson, MatchedAlready),
    )
    async def state_match(
        self, data: JSONBody[StateMatch], actor: NamedDependency[Actor]
    ) -> MatchView:
        """State that a person is a party of the statements, and how that is known.

        For the person themselves, the registrar, and the conflicts guardian of their organisation.
        A like name is no reason.
        """
        return await commands.state_match(actor, data)

    @get(operation_id="listMatchedPeople")
    async def list_matches(
        self,
        request: AnyRequest,
        actor: NamedDependency[Actor],
        cursor: PageCursor = None,
        limit: PageLimit = LIMIT,
    ) -> Response[Page[MatchView]]:
        """List who is who: oneself, a guardian's own people, and for the registrar everybody."""
        return linked(await queries.list_matches(actor, cursor, limit), request)

    @delete(
        "/{match_id:uuid}",
        operation_id="withdrawMatch",
        responses=problems(NotYoursToState, NotFound),
    )
    async def withdraw_match(self, match_id: FromPath[UUID], actor: NamedDependency[Actor]) -> None:
        """Withdraw that a person is a party. It stays on record; needs no If-Match."""
        await commands.withdraw_match(actor, match_id)


class OwnershipController(Controller):
    """What everybody may know of an organisation's ownership."""

    tags = ("ownership",)

    @get(
        "/organisations/{organisation_id:uuid}/ownership",
        operation_id="listOwnership",
        responses=problems(NotFound),
        opt={"public": True},
    )
    async def list_ownership(
        self,
        organisation_id: FromPath[UUID],
        request: AnyRequest,
        actor: NamedDependency[Actor],
        cursor: PageCursor = None,
        limit: PageLimit = LIMIT,
    ) -> Response[Page[LinkView]]:
        """List who owns, controls or directs an organisation, what it owns, and who says so.

        Links that ended or were superseded are among them, and say so.
        """
        page = await queries.list_ownership(actor, organisation_id, cursor, limit)
        return linked(page, request)


CONTROLLERS = (
    ImportController,
    LinkController,
    PartyController,
    MatchController,
    OwnershipController,
)
