"""HTTP about API keys."""

from uuid import UUID

from litestar import Controller, Response, delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from market.actor import Actor
from market.errors import Forbidden, Malformed, NotFound
from market.pages import LIMIT, Page, PageCursor, PageLimit, linked
from market.people.errors import FreshSignInNeeded
from market.problems import AnyRequest, problems
from market.requests import KEYED
from market.systems.commands import keys as commands
from market.systems.errors import (
    AlreadyReplaced,
    CredentialEnded,
    LifetimeRefused,
    NotInOwnOrganisation,
    TooManyCredentials,
)
from market.systems.queries import lists
from market.systems.schemas import ApiKeyGiven, ApiKeyView, MakeApiKey, ReplaceApiKey
from market.vault import Vault


class OrganisationApiKeyController(Controller):
    """The API keys of an organisation."""

    path = "/organisations/{organisation_id:uuid}/api-keys"
    tags = ("systems",)

    @post(
        operation_id="makeApiKey",
        dependencies=KEYED,
        responses=problems(
            FreshSignInNeeded,
            NotInOwnOrganisation,
            NotFound,
            LifetimeRefused,
            Malformed,
            TooManyCredentials,
        ),
    )
    async def make(
        self,
        organisation_id: FromPath[UUID],
        data: JSONBody[MakeApiKey],
        actor: NamedDependency[Actor],
        vault: NamedDependency[Vault],
    ) -> ApiKeyGiven:
        """Make an API key that acts in one's own name for the organisation; it is shown once.

        It works within its scopes and from its networks, until it expires, is revoked, or one is no
        longer administrator or bid manager here. It never opens, evaluates or awards.
        """
        return await commands.make_key(actor, organisation_id, data, vault)

    @get(operation_id="listApiKeys", responses=problems(Forbidden, NotFound))
    async def list_keys(
        self,
        organisation_id: FromPath[UUID],
        request: AnyRequest,
        actor: NamedDependency[Actor],
        cursor: PageCursor = None,
        limit: PageLimit = LIMIT,
    ) -> Response[Page[ApiKeyView]]:
        """List API keys by name with their last use; administrators see all, others their own."""
        return linked(await lists.api_keys_of(actor, organisation_id, cursor, limit), request)


class ApiKeyController(Controller):
    """One API key."""

    path = "/api-keys/{key_id:uuid}"
    tags = ("systems",)

    @post(
        "/rotation",
        operation_id="replaceApiKey",
        dependencies=KEYED,
        responses=problems(
            Forbidden,
            FreshSignInNeeded,
            NotFound,
            CredentialEnded,
            AlreadyReplaced,
            LifetimeRefused,
        ),
    )
    async def replace(
        self,
        key_id: FromPath[UUID],
        data: JSONBody[ReplaceApiKey],
        actor: NamedDependency[Actor],
        vault: NamedDependency[Vault],
    ) -> ApiKeyGiven:
        """Replace one's own key by a successor; the old one works on for a grace period."""
        return await commands.replace_key(actor, key_id, data, vault)

    @delete(operation_id="revokeApiKey", responses=problems(NotFound))
    async def revoke(self, key_id: FromPath[UUID], actor: NamedDependency[Actor]) -> None:
        """Revoke a key at once and for good. Needs no If-Match: it can only end."""
        await commands.revoke_key(actor, key_id)
