"""HTTP about oneself: who is signed in, one's password and one's authenticator."""

from uuid import UUID

from litestar import Controller, get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from litestar.status_codes import HTTP_204_NO_CONTENT

from market.actor import Actor
from market.errors import Malformed, NotFound
from market.people import commands, queries
from market.people.errors import (
    AuthenticatorEnrolled,
    AuthenticatorUnreadable,
    ConfirmationWrong,
    FreshSignInNeeded,
    ResetOver,
    SignInLocked,
)
from market.people.schemas import (
    AuthenticatorConfirmed,
    AuthenticatorEnrolment,
    AuthenticatorView,
    ChangePassword,
    ConfirmAuthenticator,
    PersonView,
    RemoveAuthenticator,
    ResetPassword,
)
from market.problems import problems
from market.vault import Vault


class PersonController(Controller):
    """The person who is signed in."""

    path = "/me"
    tags = ("people",)

    @get(operation_id="getMyself")
    async def get_myself(self, actor: NamedDependency[Actor]) -> PersonView:
        """Show who is signed in, and what they may do for which organisation."""
        return await queries.myself(actor)

    @put(
        "/password",
        operation_id="changePassword",
        responses=problems(ConfirmationWrong, Malformed, SignInLocked),
        opt={"costly": True},
        status_code=HTTP_204_NO_CONTENT,
    )
    async def change_password(
        self,
        data: JSONBody[ChangePassword],
        actor: NamedDependency[Actor],
        vault: NamedDependency[Vault],
    ) -> None:
        """Set a new password by the present one; all of one's other sessions end.

        Needs no If-Match: the present password says which one is to be changed.
        """
        await commands.change_password(actor, vault, data)

    @get("/one-time-passwords", operation_id="listMyAuthenticators")
    async def list_authenticators(self, actor: NamedDependency[Actor]) -> list[AuthenticatorView]:
        """Show one's authenticator, and how many recovery codes are left."""
        return await queries.my_authenticators(actor)

    @post(
        "/one-time-passwords",
        operation_id="enrolAuthenticator",
        responses=problems(FreshSignInNeeded, AuthenticatorEnrolled),
    )
    async def enrol(
        self, actor: NamedDependency[Actor], vault: NamedDependency[Vault]
    ) -> AuthenticatorEnrolment:
        """Get a secret for an authenticator; it counts once a code of it confirms it.

        Needs no Idempotency-Key, since no answer with a secret is kept: a repetition replaces the
        secret that was not confirmed.
        """
        return await commands.enrol_authenticator(actor, vault)

    @post(
        "/one-time-passwords/{authenticator_id:uuid}/confirmation",
        operation_id="confirmAuthenticator",
        responses=problems(NotFound, FreshSignInNeeded, ConfirmationWrong, SignInLocked),
    )
    async def confirm(
        self,
        authenticator_id: FromPath[UUID],
        data: JSONBody[ConfirmAuthenticator],
        actor: NamedDependency[Actor],
        vault: NamedDependency[Vault],
    ) -> AuthenticatorConfirmed:
        """Show by a code that the authenticator works; from now on signing in asks for one.

        The recovery codes are given here and never again. Needs no Idempotency-Key: it works once,
        and if the answer got lost the authenticator can be removed and another one enrolled.
        """
        return await commands.confirm_authenticator(actor, vault, authenticator_id, data)

    @post(
        "/one-time-passwords/{authenticator_id:uuid}/removal",
        operation_id="removeAuthenticator",
        responses=problems(NotFound, ConfirmationWrong, SignInLocked, AuthenticatorUnreadable),
        opt={"costly": True},
        status_code=HTTP_204_NO_CONTENT,
    )
    async def remove(
        self,
        authenticator_id: FromPath[UUID],
        data: JSONBody[RemoveAuthenticator],
        actor: NamedDependency[Actor],
        vault: NamedDependency[Vault],
    ) -> None:
        """Remove one's authenticator by password and code; signing in then needs the password only.

        A recovery code serves as well as a code. Needs no Idempotency-Key: it can be removed once.
        """
        await commands.remove_authenticator(actor, vault, authenticator_id, data)


class PasswordResetController(Controller):
    """Getting back in."""

    tags = ("people",)

    @post(
        "/password-resets",
        operation_id="resetPassword",
        responses=problems(ResetOver, Malformed),
        opt={"public": True, "costly": True},
        status_code=HTTP_204_NO_CONTENT,
    )
    async def reset_password(
        self,
        data: JSONBody[ResetPassword],
        actor: NamedDependency[Actor],
        vault: NamedDependency[Vault],
    ) -> None:
        """Set a new password by the secret an administrator gave; all of one's sessions end.

        The secret works once, so no Idempotency-Key is needed. Signing in asks for a code of the
        authenticator as before.
        """
        await commands.reset_password(actor, vault, data)
