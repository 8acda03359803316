"""Inviting people to roles, the market's first registrar among them; accepting and revoking."""

from datetime import datetime
from uuid import UUID, uuid4

import msgspec

from market.actor import Actor, Role
from market.command import command
from market.database import execute, fetch, fetch_one, fetch_value, reading
from market.errors import Fault, Malformed, NotFound
from market.events.commands import record
from market.organisations.rules import OrganisationKind
from market.people import credentials
from market.people.commands.identity import NewPerson, address_of, prove_identity, register
from market.people.commands.memberships import grant_role, hold_organisation
from market.people.errors import InvitationAccepted, InvitationOver
from market.people.permissions import ensure_given_by_another, ensure_may_administer
from market.people.queries import memberships_of
from market.people.rules import OPERATOR, grantable_roles
from market.people.schemas import (
    AcceptInvitation,
    InvitationGiven,
    InvitationMade,
    Invite,
    MembershipView,
)
from market.vault import Vault


class OpenInvitation(msgspec.Struct, frozen=True):
    """An invitation that can be taken up."""

    id: UUID
    organisation: UUID
    email: str
    roles: list[Role]
    invited_by: UUID | None


async def invite(
    actor: Actor, organisation_id: UUID, given: Invite, lifetime: int, vault: Vault
) -> InvitationGiven:
    """Offer roles in an organisation to an e-mail address, with the secret that accepts them.

    The secret is derived after the command, so that the stored answer does not hold it.

    Raises:
        NotFound: no such organisation, or not the actor's own.
        Forbidden: the actor does not administer the organisation, or (WatchmanOfOneself) offers
            themselves a role that watches over others.
        Malformed: the address, or a role that this kind of organisation has not.
    """
    return _with_secret(await _invite(actor, organisation_id, given, lifetime, vault), vault)


def _with_secret(made: InvitationMade, vault: Vault) -> InvitationGiven:
    return InvitationGiven(
        id=made.id,
        organisation=made.organisation,
        email=made.email,
        roles=made.roles,
        expires_at=made.expires_at,
        secret=credentials.invitation_secret(vault, made.id),
    )


@command
async def _invite(
    actor: Actor, organisation_id: UUID, given: Invite, lifetime: int, vault: Vault
) -> InvitationMade:
    kind = await fetch_value("SELECT kind FROM organisation WHERE id = $1", organisation_id)
    if kind is None:
        raise NotFound
    ensure_may_administer(actor, organisation_id)
    grantable = grantable_roles(OrganisationKind(kind))
    faults = [
        Fault(field=f"roles[{number}]", reason=f"An organisation of this kind has no {role}.")
        for number, role in enumerate(given.roles)
        if role not in grantable
    ]
    if faults:
        raise Malformed(faults[0].reason, faults=faults)
    offer = Invite(email=address_of(given.email), roles=given.roles)
    invited = await fetch_value("SELECT id FROM person WHERE email = $1", offer.email)
    ensure_given_by_another(actor, invited, offer.roles)
    return await _offer(actor, organisation_id, offer, lifetime, vault)


async def _offer(
    actor: Actor, organisation: UUID, offer: Invite, lifetime: int, vault: Vault
) -> InvitationMade:
    invitation = uuid4()
    offered = sorted(set(offer.roles))
    expires_at: datetime = await fetch_value(
        "INSERT INTO invitation (id, organisation, email, roles, secret_digest, invited_by,"
        " invited_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6, clock_timestamp(),"
        " clock_timestamp() + make_interval(secs => $7)) RETURNING expires_at",
        invitation,
        organisation,
        offer.email,
        [role.value for role in offered],
        credentials.digest(credentials.invitation_secret(vault, invitation)),
        actor.person,
        float(lifetime),
    )
    await record(actor, "invitation.made", "invitation", invitation, roles=[*offered])
    return InvitationMade(
        id=invitation,
        organisation=organisation,
        email=offer.email,
        roles=offered,
        expires_at=expires_at,
    )


async def create_operator(
    actor: Actor, email: str, lifetime: int, vault: Vault
) -> InvitationGiven | None:
    """Ensure that the market's operator exists, and invite somebody to be its registrar.

    This is the only way to become a registrar; the command line calls it. Calling it again for the
    same address gives the same invitation while that is open, and None once it was accepted.

    Raises:
        Malformed: the address.
    """
    made = await _create_operator(actor, address_of(email), lifetime, vault)
    return None if made is None else _with_secret(made, vault)


@command
async def _create_operator(
    actor: Actor, email: str, lifetime: int, vault: Vault
) -> InvitationMade | None:
    created = await execute(
        "INSERT INTO organisation (id, kind, name, demonstration, registered_at)"
        " VALUES ($1, $2, $3, false, market_now()) ON CONFLICT (id) DO NOTHING",
        OPERATOR,
        OrganisationKind.OTHER_NHS_BODY.value,
        "The market's operator",
    )
    if created:
        await record(actor, "organisation.created", "organisation", OPERATOR)
    # two calls for one address are decided one after the other
    await execute("SELECT FROM organisation WHERE id = $1 FOR NO KEY UPDATE", OPERATOR)
    if await fetch_value(
        "SELECT true FROM membership m JOIN person p ON p.id = m.person WHERE p.email = $1"
        " AND m.organisation = $2 AND m.role = $3 AND m.ended_at IS NULL",
        email,
        OPERATOR,
        Role.REGISTRAR.value,
    ):
        await record(actor, "operator.asked", "organisation", OPERATOR)
        return None
    for invited in await fetch(
        InvitationMade,
        "SELECT id, organisation, email, roles, expires_at FROM invitation"
        " WHERE organisation = $1 AND email = $2 AND $3 = ANY (roles) AND accepted_at IS NULL"
        " AND revoked_at IS NULL AND expires_at > clock_timestamp() ORDER BY invited_at DESC",
        OPERATOR,
        email,
        Role.REGISTRAR.value,
    ):
        # after a change of the signing key its secret cannot be made again: then a new one is due
        secret = credentials.digest(credentials.invitation_secret(vault, invited.id))
        if await open_invitation(secret) is not None:
            await record(actor, "invitation.repeated", "invitation", invited.id)
            return invited
    offer = Invite(email=email, roles=[Role.REGISTRAR])
    return await _offer(actor, OPERATOR, offer, lifetime, vault)


async def accept_invitation(
    actor: Actor, vault: Vault, given: AcceptInvitation
) -> list[MembershipView]:
    """Take up an invitation: registers the person, or proves to be them by their password.

    Raises:
        InvitationOver: unknown, expired, accepted or revoked, or its maker may no longer invite.
        SignInLocked: the account or the client's address had too many failures.
        WrongCredentials: the address is registered and the password is not its own.
        Malformed: a new password that is too weak.
        AlreadyRegistered: the address was registered in the same moment.
    """
    async with reading(actor):
        invitation = await open_invitation(credentials.digest(given.secret))
    if invitation is None:
        raise InvitationOver
    person, new = await prove_identity(
        actor, vault, email=invitation.email, name=given.name, password=given.password
    )
    accepting = Actor(person=person, request=actor.request)
    return await _accept(accepting, invitation.id, new)


async def open_invitation(secret_digest: bytes) -> OpenInvitation | None:
    """Find the invitation a secret stands for, if it can be taken up now."""
    return await fetch_one(
        OpenInvitation,
        "SELECT id, organisation, email, roles, invited_by FROM invitation"
        " WHERE secret_digest = $1 AND accepted_at IS NULL AND revoked_at IS NULL"
        " AND expires_at > clock_timestamp() AND may_invite(invited_by, organisation)",
        secret_digest,
    )


@command
async def _accept(actor: Actor, invitation_id: UUID, new: NewPerson | None) -> list[MembershipView]:
    return await take_up(actor, invitation_id, new)


async def take_up(actor: Actor, invitation_id: UUID, new: NewPerson | None) -> list[MembershipView]:
    """Take up an invitation as the actor, inside a command that knows who they are.

    Raises:
        InvitationOver: it was accepted or revoked meanwhile, or is over for another reason.
        WatchmanOfOneself: the actor made the invitation, and to a role that watches over others.
    """
    # the invitation first: of two acceptances the second waits here and finds it taken
    invitation = await fetch_one(
        OpenInvitation,
        "UPDATE invitation SET accepted_at = clock_timestamp(), accepted_by = $2"
        " WHERE id = $1 AND accepted_at IS NULL AND revoked_at IS NULL"
        " AND expires_at > clock_timestamp() AND may_invite(invited_by, organisation)"
        " RETURNING id, organisation, email, roles, invited_by",
        invitation_id,
        actor.person,
    )
    if invitation is None or actor.person is None:
        raise InvitationOver
    ensure_given_by_another(actor, invitation.invited_by, invitation.roles)
    if new is not None:
        await register(actor, new)
    for role in invitation.roles:
        await grant_role(
            actor, actor.person, invitation.organisation, role, granted_by=invitation.invited_by
        )
    await record(actor, "invitation.accepted", "invitation", invitation.id)
    return await memberships_of(actor.person)


@command
async def revoke_invitation(actor: Actor, invitation_id: UUID) -> None:
    """Revoke an invitation, so that its secret never works again.

    Raises:
        NotFound: no such invitation, or none into the actor's own organisation.
        Forbidden: the actor does not administer the organisation.
        InvitationAccepted: it was accepted first.
        InvitationOver: it has expired or been revoked.
    """
    organisation = await fetch_value(
        "SELECT organisation FROM invitation WHERE id = $1", invitation_id
    )
    if organisation is None:
        raise NotFound
    await hold_organisation(actor, organisation)
    # an acceptance at this moment holds the row: whoever comes second finds it decided
    revoked = await execute(
        "UPDATE invitation SET revoked_at = clock_timestamp(), revoked_by = $2 WHERE id = $1"
        " AND accepted_at IS NULL AND revoked_at IS NULL AND expires_at > clock_timestamp()",
        invitation_id,
        actor.person,
    )
    if not revoked:
        accepted = await fetch_value(
            "SELECT accepted_at IS NOT NULL FROM invitation WHERE id = $1", invitation_id
        )
        raise InvitationAccepted if accepted else InvitationOver
    await record(actor, "invitation.revoked", "invitation", invitation_id)
