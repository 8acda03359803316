"""HTTP about clients."""

from uuid import UUID

from litestar import Controller, Response, delete, get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from market.actor import Actor
from market.errors import Forbidden, NotFound
from market.pages import LIMIT, Page, PageCursor, PageLimit, linked
from market.people.errors import FreshSignInNeeded
from market.problems import AnyRequest, problems
from market.requests import KEYED, tagged
from market.systems.commands import clients as commands
from market.systems.errors import (
    CredentialEnded,
    KeySetFaulty,
    NotInOwnOrganisation,
    TooManyCredentials,
)
from market.systems.queries import lists
from market.systems.schemas import ChangeKeys, ClientView, RegisterClient


class OrganisationClientController(Controller):
    """The clients of an organisation."""

    path = "/organisations/{organisation_id:uuid}/clients"
    tags = ("systems",)

    @post(
        operation_id="registerClient",
        dependencies=KEYED,
        responses=problems(
            FreshSignInNeeded, NotInOwnOrganisation, NotFound, KeySetFaulty, TooManyCredentials
        ),
    )
    async def register(
        self,
        organisation_id: FromPath[UUID],
        data: JSONBody[RegisterClient],
        actor: NamedDependency[Actor],
    ) -> Response[ClientView]:
        """Register a system with its public keys, to act in one's own name by short tokens.

        It asks for them at `/oauth/token` by OAuth 2.0 client credentials with `private_key_jwt`;
        its `client_id` is the id given here.
        """
        return tagged(await commands.register_client(actor, organisation_id, data), 201)

    @get(operation_id="listClients", responses=problems(Forbidden, NotFound))
    async def list_clients(
        self,
        organisation_id: FromPath[UUID],
        request: AnyRequest,
        actor: NamedDependency[Actor],
        cursor: PageCursor = None,
        limit: PageLimit = LIMIT,
    ) -> Response[Page[ClientView]]:
        """List clients by name with their last use; administrators see all, others their own."""
        return linked(await lists.clients_of(actor, organisation_id, cursor, limit), request)


class ClientController(Controller):
    """One client."""

    path = "/clients/{client_id:uuid}"
    tags = ("systems",)

    @get(operation_id="getClient", responses=problems(NotFound))
    async def show(
        self, client_id: FromPath[UUID], actor: NamedDependency[Actor]
    ) -> Response[ClientView]:
        """Show a client."""
        return tagged(await lists.client(actor, client_id))

    @put(
        "/keys",
        operation_id="changeClientKeys",
        responses=problems(Forbidden, FreshSignInNeeded, NotFound, KeySetFaulty, CredentialEnded),
    )
    async def change_keys(
        self,
        client_id: FromPath[UUID],
        data: JSONBody[ChangeKeys],
        actor: NamedDependency[Actor],
        version: NamedDependency[int],
    ) -> Response[ClientView]:
        """Replace the public keys of one's own client; those left out sign nothing any more."""
        return tagged(await commands.change_keys(actor, client_id, version, data))

    @delete(operation_id="revokeClient", responses=problems(NotFound))
    async def revoke(self, client_id: FromPath[UUID], actor: NamedDependency[Actor]) -> None:
        """Revoke a client at once, with every token it has. Needs no If-Match: it can only end."""
        await commands.revoke_client(actor, client_id)
