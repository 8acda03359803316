"""HTTP about single sign-on: beginning, answering, and one's own identities."""

from uuid import UUID

from litestar import Controller, delete, get, post
from litestar.datastructures import State
from litestar.di import NamedDependency, Provide
from litestar.params import FromPath, JSONBody

from market.actor import Actor
from market.errors import NotFound, NotSignedIn
from market.people.errors import (
    AlreadyRegistered,
    FreshSignInNeeded,
    InvitationOver,
    WrongCredentials,
)
from market.people.schemas import SessionGiven
from market.problems import problems
from market.single_sign_on import commands, queries
from market.single_sign_on.errors import (
    AddressRegistered,
    CodeRefused,
    EmailNotVerified,
    IdentityLinked,
    IdentityNotProven,
    IdentityUnknown,
    InvitedSomebodyElse,
    LastWayIn,
    ProviderFailed,
    SignInOver,
    SingleSignOnOff,
)
from market.single_sign_on.provider import IdentityProvider
from market.single_sign_on.schemas import AskSignIn, IdentityView, SignInAnswer, SignInAsked
from market.vault import Vault


async def provide_identity_provider(state: State) -> IdentityProvider:
    """The provider that the settings name.

    Raises:
        SingleSignOnOff: they name none.
    """
    provider = state["identity_provider"]
    if not isinstance(provider, IdentityProvider):
        raise SingleSignOnOff
    return provider


PROVIDED = {"provider": Provide(provide_identity_provider)}


class SingleSignOnController(Controller):
    """Signing in by the identity provider."""

    path = "/single-sign-on"
    tags = ("people",)
    dependencies = PROVIDED

    @post(
        "/requests",
        operation_id="beginSingleSignOn",
        responses=problems(NotSignedIn, SingleSignOnOff, InvitationOver, ProviderFailed),
        opt={"public": True, "costly": True},
    )
    async def begin(
        self,
        data: JSONBody[AskSignIn],
        actor: NamedDependency[Actor],
        provider: NamedDependency[IdentityProvider],
        vault: NamedDependency[Vault],
    ) -> SignInAsked:
        """Begin to sign in by the identity provider: OpenID Connect, code flow with PKCE.

        Send the person to `authorization_url`. The provider sends them back with a state and a
        code; give both to answerSingleSignOn, or to linkIdentity if that is what was begun, within
        ten minutes. Needs no Idempotency-Key: a repetition begins another sign-in.
        """
        return await commands.ask(actor, data, provider, vault)

    @post(
        "/sessions",
        operation_id="answerSingleSignOn",
        responses=problems(
            SignInOver,
            SingleSignOnOff,
            CodeRefused,
            IdentityNotProven,
            IdentityUnknown,
            WrongCredentials,
            EmailNotVerified,
            InvitedSomebodyElse,
            InvitationOver,
            AddressRegistered,
            AlreadyRegistered,
            ProviderFailed,
        ),
        opt={"public": True, "costly": True},
    )
    async def answer(  # what a session is made of
        self,
        data: JSONBody[SignInAnswer],
        actor: NamedDependency[Actor],
        provider: NamedDependency[IdentityProvider],
        vault: NamedDependency[Vault],
        state: State,
    ) -> SessionGiven:
        """Sign in with the identity provider's answer and get a bearer token.

        An invitation given at the beginning is taken up. An answer is taken once, so no
        Idempotency-Key is needed: if this answer gets lost, begin again.
        """
        lifetime: int = state["settings"].session_lifetime
        return await commands.sign_in(actor, data, provider, vault, lifetime)


class IdentityController(Controller):
    """One's own identities at the identity provider."""

    path = "/me/identities"
    tags = ("people",)

    @get(operation_id="listMyIdentities")
    async def list_identities(self, actor: NamedDependency[Actor]) -> list[IdentityView]:
        """List the identities by which one can sign in."""
        return await queries.my_identities(actor)

    @post(
        operation_id="linkIdentity",
        dependencies=PROVIDED,
        responses=problems(
            FreshSignInNeeded,
            SignInOver,
            SingleSignOnOff,
            CodeRefused,
            IdentityNotProven,
            IdentityLinked,
            ProviderFailed,
        ),
        opt={"costly": True},
    )
    async def link(
        self,
        data: JSONBody[SignInAnswer],
        actor: NamedDependency[Actor],
        provider: NamedDependency[IdentityProvider],
        vault: NamedDependency[Vault],
    ) -> IdentityView:
        """Link an identity to oneself with the provider's answer, to sign in by it from now on.

        Begin it from the same session with `link`. Needs a sign-in of the last fifteen minutes. An
        answer is taken once, so no Idempotency-Key is needed.
        """
        return await commands.link_identity(actor, data, provider, vault)

    @delete(
        "/{identity_id:uuid}",
        operation_id="removeIdentity",
        responses=problems(NotFound, LastWayIn),
    )
    async def remove(self, identity_id: FromPath[UUID], actor: NamedDependency[Actor]) -> None:
        """Remove an identity of one's own. Needs no If-Match, since a link can only end."""
        await commands.remove_identity(actor, identity_id)


CONTROLLERS = (SingleSignOnController, IdentityController)
