"""HTTP about sessions: signing in and out, confirming, acting for another organisation."""

from uuid import UUID

from litestar import Controller, delete, get, post
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from market.actor import Actor
from market.errors import NotFound
from market.people import commands, queries
from market.people.errors import (
    AuthenticatorUnreadable,
    ConfirmationWrong,
    NotAMember,
    OneTimePasswordNeeded,
    OneTimePasswordWrong,
    SignInLocked,
    WrongCredentials,
)
from market.people.schemas import ConfirmSession, SessionGiven, SessionView, SignIn, SwitchTo
from market.problems import problems
from market.vault import Vault


class SessionController(Controller):
    """Signing in and out."""

    path = "/sessions"
    tags = ("people",)

    @post(
        operation_id="signIn",
        responses=problems(
            WrongCredentials,
            OneTimePasswordNeeded,
            OneTimePasswordWrong,
            SignInLocked,
            AuthenticatorUnreadable,
        ),
        opt={"public": True, "costly": True},
    )
    async def sign_in(
        self,
        data: JSONBody[SignIn],
        actor: NamedDependency[Actor],
        state: State,
        vault: NamedDependency[Vault],
    ) -> SessionGiven:
        """Sign in by password and get a bearer token that acts for one organisation.

        Who has an authenticator sends its code too. After five failures an account is locked for
        a while, longer with every further one, whether or not it exists. Needs no Idempotency-Key:
        a repetition gives another session, which harms nobody.
        """
        return await commands.sign_in(actor, vault, data, state["settings"].session_lifetime)

    @get(operation_id="listMySessions")
    async def list_sessions(self, actor: NamedDependency[Actor]) -> list[SessionView]:
        """List one's own sessions that still work."""
        return await queries.my_sessions(actor)

    @post(
        "/current/confirmation",
        operation_id="confirmSession",
        responses=problems(ConfirmationWrong, SignInLocked, AuthenticatorUnreadable),
        opt={"costly": True},
    )
    async def confirm_session(
        self,
        data: JSONBody[ConfirmSession],
        actor: NamedDependency[Actor],
        vault: NamedDependency[Vault],
    ) -> SessionView:
        """Prove anew who one is, so that for fifteen minutes the session is as good as new.

        Opening bids and prices, and approving an award, ask for this. Needs no Idempotency-Key.
        """
        return await commands.confirm_session(actor, vault, data)

    @post("/current/switches", operation_id="switchSession", responses=problems(NotAMember))
    async def switch_session(
        self, data: JSONBody[SwitchTo], actor: NamedDependency[Actor]
    ) -> SessionGiven:
        """Get another token, which acts for another of one's organisations.

        It ends when the present one does, and was confirmed when that was; the present one goes on
        working. Needs no Idempotency-Key: a repetition gives another session, which harms nobody.
        """
        return await commands.switch_session(actor, data)

    @delete("/{session_id:uuid}", operation_id="endSession", responses=problems(NotFound))
    async def end_session(self, session_id: FromPath[UUID], actor: NamedDependency[Actor]) -> None:
        """Revoke one of one's own sessions at once. Needs no If-Match: sessions do not change."""
        await commands.end_session(actor, session_id)

    @delete(operation_id="endOtherSessions")
    async def end_other_sessions(self, actor: NamedDependency[Actor]) -> None:
        """Revoke all of one's own sessions but the present one, at once."""
        await commands.end_other_sessions(actor)
