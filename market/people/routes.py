"""HTTP about people: sessions, oneself, invitations, memberships."""

from uuid import UUID

from litestar import Controller, Response, delete, get, post
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from market.actor import Actor
from market.errors import Forbidden, Malformed, NotFound
from market.pages import LIMIT, Page, PageCursor, PageLimit, linked
from market.people import commands, queries
from market.people.errors import AlreadyRegistered, InvitationOver, WrongCredentials
from market.people.schemas import (
    AcceptInvitation,
    InvitationGiven,
    Invite,
    MembershipView,
    PersonView,
    SessionGiven,
    SessionView,
    SignIn,
)
from market.problems import AnyRequest, problems
from market.requests import KEYED
from market.vault import Vault


class SessionController(Controller):
    """Signing in and out."""

    path = "/sessions"
    tags = ("people",)

    @post(
        operation_id="signIn",
        responses=problems(WrongCredentials),
        opt={"public": True, "costly": True},
    )
    async def sign_in(
        self, data: JSONBody[SignIn], actor: NamedDependency[Actor], state: State
    ) -> SessionGiven:
        """Sign in by password and get a bearer token that acts for one organisation.

        Needs no Idempotency-Key: a repetition gives another session, which harms nobody.
        """
        return await commands.sign_in(actor, data, state["settings"].session_lifetime)

    @get(operation_id="listMySessions")
    async def list_sessions(self, actor: NamedDependency[Actor]) -> list[SessionView]:
        """List one's own sessions that still work."""
        return await queries.my_sessions(actor)

    @delete("/{session_id:uuid}", operation_id="endSession", responses=problems(NotFound))
    async def end_session(self, session_id: FromPath[UUID], actor: NamedDependency[Actor]) -> None:
        """Revoke one of one's own sessions at once. Needs no If-Match: sessions do not change."""
        await commands.end_session(actor, session_id)


class PersonController(Controller):
    """The person who is signed in."""

    path = "/me"
    tags = ("people",)

    @get(operation_id="getMyself")
    async def get_myself(self, actor: NamedDependency[Actor]) -> PersonView:
        """Show who is signed in, and what they may do for which organisation."""
        return await queries.myself(actor)


class InvitationController(Controller):
    """Bringing people into an organisation."""

    tags = ("people",)

    @post(
        "/organisations/{organisation_id:uuid}/invitations",
        operation_id="invitePerson",
        dependencies=KEYED,
        responses=problems(Forbidden, NotFound, Malformed),
    )
    async def invite(
        self,
        organisation_id: FromPath[UUID],
        data: JSONBody[Invite],
        actor: NamedDependency[Actor],
        state: State,
        vault: NamedDependency[Vault],
    ) -> InvitationGiven:
        """Invite somebody to roles in the organisation one administers."""
        lifetime: int = state["settings"].invitation_lifetime
        return await commands.invite(actor, organisation_id, data, lifetime, vault)

    @post(
        "/invitation-acceptances",
        operation_id="acceptInvitation",
        responses=problems(InvitationOver, WrongCredentials, Malformed, AlreadyRegistered),
        opt={"public": True, "costly": True},
    )
    async def accept(
        self, data: JSONBody[AcceptInvitation], actor: NamedDependency[Actor]
    ) -> list[MembershipView]:
        """Take up an invitation. Its secret works once, so no Idempotency-Key is needed."""
        return await commands.accept_invitation(actor, data)


class MembershipController(Controller):
    """Who belongs to an organisation."""

    tags = ("people",)

    @get(
        "/organisations/{organisation_id:uuid}/memberships",
        operation_id="listMemberships",
        responses=problems(Forbidden, NotFound),
    )
    async def list_memberships(
        self,
        organisation_id: FromPath[UUID],
        request: AnyRequest,
        actor: NamedDependency[Actor],
        cursor: PageCursor = None,
        limit: PageLimit = LIMIT,
    ) -> Response[Page[MembershipView]]:
        """List by name everybody who holds or held a role in the organisation one administers."""
        return linked(await queries.members_of(actor, organisation_id, cursor, limit), request)

    @delete(
        "/memberships/{membership_id:uuid}",
        operation_id="endMembership",
        responses=problems(Forbidden, NotFound),
    )
    async def end_membership(
        self, membership_id: FromPath[UUID], actor: NamedDependency[Actor]
    ) -> None:
        """End a membership. It stays on record; needs no If-Match, since it can only end."""
        await commands.end_membership(actor, membership_id)


CONTROLLERS = (
    SessionController,
    PersonController,
    InvitationController,
    MembershipController,
)
