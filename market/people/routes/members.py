"""HTTP about an organisation's people: invitations, memberships, forgotten passwords."""

from uuid import UUID

from litestar import Controller, Response, delete, get, post
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from market.actor import Actor
from market.errors import Forbidden, Malformed, NotFound
from market.pages import LIMIT, Page, PageCursor, PageLimit, linked
from market.people import commands, queries
from market.people.errors import (
    AlreadyMember,
    AlreadyRegistered,
    FreshSignInNeeded,
    InvitationAccepted,
    InvitationOver,
    LastAdministrator,
    ResetByAdministrator,
    SignInLocked,
    WatchmanOfOneself,
    WrongCredentials,
)
from market.people.schemas import (
    AcceptInvitation,
    GiveRole,
    InvitationGiven,
    InvitationView,
    Invite,
    MembershipView,
    PasswordResetGiven,
)
from market.problems import AnyRequest, problems
from market.requests import KEYED
from market.vault import Vault


class InvitationController(Controller):
    """Bringing people into an organisation."""

    tags = ("people",)

    @post(
        "/organisations/{organisation_id:uuid}/invitations",
        operation_id="invitePerson",
        dependencies=KEYED,
        responses=problems(Forbidden, WatchmanOfOneself, NotFound, Malformed),
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
        responses=problems(
            InvitationOver, WrongCredentials, SignInLocked, Malformed, AlreadyRegistered
        ),
        opt={"public": True, "costly": True},
    )
    async def accept(
        self,
        data: JSONBody[AcceptInvitation],
        actor: NamedDependency[Actor],
        vault: NamedDependency[Vault],
    ) -> list[MembershipView]:
        """Take up an invitation. Its secret works once, so no Idempotency-Key is needed."""
        return await commands.accept_invitation(actor, vault, data)


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
        responses=problems(Forbidden, NotFound, LastAdministrator),
    )
    async def end_membership(
        self, membership_id: FromPath[UUID], actor: NamedDependency[Actor]
    ) -> None:
        """End a membership. It stays on record; needs no If-Match, since it can only end."""
        await commands.end_membership(actor, membership_id)

    @post(
        "/organisations/{organisation_id:uuid}/members/{person_id:uuid}/password-resets",
        operation_id="offerPasswordReset",
        dependencies=KEYED,
        responses=problems(Forbidden, FreshSignInNeeded, ResetByAdministrator, NotFound),
    )
    async def offer_reset(
        self,
        organisation_id: FromPath[UUID],
        person_id: FromPath[UUID],
        actor: NamedDependency[Actor],
        vault: NamedDependency[Vault],
    ) -> PasswordResetGiven:
        """Give somebody of one's organisation who forgot their password a secret to set another.

        It works once, within a day. Their authenticator, if they have one, is asked for as before.
        Of somebody who belongs to other organisations too, only the market's registrar does it.
        """
        return await commands.offer_reset(actor, organisation_id, person_id, vault)


class AdministrationController(Controller):
    """What administrators of an organisation do with its invitations and members."""

    tags = ("people",)

    @get(
        "/organisations/{organisation_id:uuid}/invitations",
        operation_id="listInvitations",
        responses=problems(Forbidden, NotFound),
    )
    async def list_invitations(
        self,
        organisation_id: FromPath[UUID],
        request: AnyRequest,
        actor: NamedDependency[Actor],
        cursor: PageCursor = None,
        limit: PageLimit = LIMIT,
    ) -> Response[Page[InvitationView]]:
        """List the invitations into the organisation one administers, the latest first."""
        return linked(await queries.invitations_of(actor, organisation_id, cursor, limit), request)

    @delete(
        "/invitations/{invitation_id:uuid}",
        operation_id="revokeInvitation",
        responses=problems(Forbidden, NotFound, InvitationOver, InvitationAccepted),
    )
    async def revoke_invitation(
        self, invitation_id: FromPath[UUID], actor: NamedDependency[Actor]
    ) -> None:
        """Revoke an invitation: its secret never works again. It stays on record.

        Needs no If-Match: an invitation is decided once, by its acceptance or its revocation.
        """
        await commands.revoke_invitation(actor, invitation_id)

    @delete(
        "/organisations/{organisation_id:uuid}/members/{person_id:uuid}",
        operation_id="removeMember",
        responses=problems(Forbidden, NotFound, LastAdministrator),
    )
    async def remove_member(
        self,
        organisation_id: FromPath[UUID],
        person_id: FromPath[UUID],
        actor: NamedDependency[Actor],
    ) -> None:
        """End every role of a person in the organisation; they act for it no more, at once.

        Open invitations of theirs into it are revoked. Needs no If-Match, since roles only end.
        """
        await commands.remove_member(actor, organisation_id, person_id)

    @post(
        "/organisations/{organisation_id:uuid}/members/{person_id:uuid}/roles",
        operation_id="giveRole",
        dependencies=KEYED,
        responses=problems(Forbidden, WatchmanOfOneself, NotFound, Malformed, AlreadyMember),
    )
    async def give_role(
        self,
        organisation_id: FromPath[UUID],
        person_id: FromPath[UUID],
        data: JSONBody[GiveRole],
        actor: NamedDependency[Actor],
    ) -> MembershipView:
        """Give a further role to somebody who belongs to the organisation one administers."""
        return await commands.give_role(actor, organisation_id, person_id, data)
