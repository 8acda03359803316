"""Acts of people: signing in and out, inviting, accepting, ending a membership."""

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
from market.people.errors import InvitationOver, WrongCredentials
from market.people.permissions import ensure_may_administer
from market.people.queries import memberships_of, roles_of
from market.people.rules import OPERATOR, grantable_roles, normal_email, password_faults
from market.people.schemas import (
    AcceptInvitation,
    InvitationGiven,
    InvitationMade,
    Invite,
    MembershipView,
    SessionGiven,
    SignIn,
)
from market.vault import Vault


class _Credentials(msgspec.Struct, frozen=True):
    id: UUID
    password_hash: str


class _Invitation(msgspec.Struct, frozen=True):
    id: UUID
    organisation: UUID
    email: str
    roles: list[Role]
    invited_by: UUID | None


class NewPerson(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody about to be registered, with the hash of their password."""

    id: UUID
    email: str
    name: str
    password_hash: str


def _address(text: str) -> str:
    try:
        return normal_email(text)
    except ValueError as error:
        fault = Fault(field="email", reason=str(error))
        raise Malformed(fault.reason, faults=[fault]) from None


@command
async def begin_session(
    actor: Actor, person: UUID, organisation: UUID | None, lifetime: int
) -> SessionGiven:
    """Open a session for somebody whose password was found right; see `sign_in`."""
    if organisation is None:
        organisation = await fetch_value(
            "SELECT organisation FROM membership WHERE person = $1 AND ended_at IS NULL"
            " ORDER BY started_at, organisation LIMIT 1",
            person,
        )
    roles = await roles_of(person, organisation)
    if organisation is not None and not roles:
        raise WrongCredentials
    token = credentials.new_secret("mkt_")
    session = uuid4()
    # sessions use the real clock: a sandbox that is shifted forward does not sign everybody out
    expires_at: datetime = await fetch_value(
        "INSERT INTO session (id, token_digest, person, organisation, started_at, expires_at)"
        " VALUES ($1, $2, $3, $4, clock_timestamp(), clock_timestamp() + make_interval(secs => $5))"
        " RETURNING expires_at",
        session,
        credentials.digest(token),
        person,
        organisation,
        float(lifetime),
    )
    await record(actor, "session.started", "session", session)
    return SessionGiven(
        id=session,
        token=token,
        expires_at=expires_at,
        person=person,
        organisation=organisation,
        roles=roles,
    )


@command
async def _note_failed_sign_in(actor: Actor, tried: UUID | None) -> None:
    """Record it for an unknown address as well, so that both take as long."""
    subject_kind = "address" if tried is None else "person"
    await record(actor, "session.refused", subject_kind, tried or uuid4())


async def sign_in(actor: Actor, given: SignIn, lifetime: int) -> SessionGiven:
    """Give a session for an address and its password.

    The password is checked between two transactions, since hashing is slow on purpose.

    Raises:
        WrongCredentials: for an unknown address, a wrong password or a foreign organisation alike.
    """
    try:
        address = normal_email(given.email)
    except ValueError:
        address = ""
    async with reading(actor):
        found = await fetch_one(
            _Credentials, "SELECT id, password_hash FROM person WHERE email = $1", address
        )
    stored = None if found is None else found.password_hash
    if not await credentials.password_fits(given.password, stored) or found is None:
        # the event names whose account was tried, not who tried: that is unknown
        trying = Actor(request=actor.request)
        await _note_failed_sign_in(trying, None if found is None else found.id)
        raise WrongCredentials
    signing_in = Actor(person=found.id, organisation=given.organisation, request=actor.request)
    return await begin_session(signing_in, found.id, given.organisation, lifetime)


@command
async def end_session(actor: Actor, session_id: UUID) -> None:
    """Revoke a session of one's own; ending an ended one changes nothing.

    Raises:
        NotFound: the session is not the actor's.
    """
    known = await fetch_value(
        "SELECT id FROM session WHERE id = $1 AND person = $2", session_id, actor.person
    )
    if known is None:
        raise NotFound
    await execute(
        "UPDATE session SET revoked_at = clock_timestamp() WHERE id = $1 AND revoked_at IS NULL",
        session_id,
    )
    await record(actor, "session.ended", "session", session_id)


async def invite(
    actor: Actor, organisation_id: UUID, given: Invite, lifetime: int, vault: Vault
) -> InvitationGiven:
    """Offer roles in an organisation to an e-mail address, with the secret that accepts them.

    The secret is derived after the command, so that the stored answer does not hold it.

    Raises:
        NotFound: no such organisation, or not the actor's own.
        Forbidden: the actor does not administer the organisation.
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
    offer = Invite(email=_address(given.email), roles=given.roles)
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
    made = await _create_operator(actor, _address(email), lifetime, vault)
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
        " WHERE organisation = $1 AND email = $2 AND $3 = ANY (roles)"
        " AND accepted_at IS NULL AND expires_at > clock_timestamp() ORDER BY invited_at DESC",
        OPERATOR,
        email,
        Role.REGISTRAR.value,
    ):
        # after a change of the signing key its secret cannot be made again: then a new one is due
        secret = credentials.digest(credentials.invitation_secret(vault, invited.id))
        if await _open_invitation(secret) is not None:
            await record(actor, "invitation.repeated", "invitation", invited.id)
            return invited
    offer = Invite(email=email, roles=[Role.REGISTRAR])
    return await _offer(actor, OPERATOR, offer, lifetime, vault)


async def accept_invitation(actor: Actor, given: AcceptInvitation) -> list[MembershipView]:
    """Take up an invitation: registers the person, or proves to be them by their password.

    Raises:
        InvitationOver: unknown, expired or accepted.
        WrongCredentials: the address is registered and the password is not its own.
        Malformed: a new password that is too weak.
        AlreadyRegistered: the address was registered in the same moment.
    """
    secret_digest = credentials.digest(given.secret)
    async with reading(actor):
        invitation = await _open_invitation(secret_digest)
    if invitation is None:
        raise InvitationOver
    person, new = await prove_identity(
        actor, email=invitation.email, name=given.name, password=given.password
    )
    accepting = Actor(person=person, request=actor.request)
    return await _take_up(accepting, secret_digest, new)


async def prove_identity(
    actor: Actor, *, email: str, name: str, password: str
) -> tuple[UUID, NewPerson | None]:
    """Find out who somebody without a session is, or make ready to register them.

    Gives the person's id and, where the address is not registered yet, what `register` writes.
    Hashing is slow on purpose, so this runs before the command, in no transaction.

    Raises:
        WrongCredentials: the address is registered and the password is not its own.
        Malformed: a new password that is too weak.
    """
    async with reading(actor):
        known = await fetch_one(
            _Credentials, "SELECT id, password_hash FROM person WHERE email = $1", email
        )
    if known is not None:
        if not await credentials.password_fits(password, known.password_hash):
            await _note_failed_sign_in(Actor(request=actor.request), known.id)
            raise WrongCredentials
        return known.id, None
    faults = password_faults(password, email=email, name=name)
    if faults:
        raise Malformed(faults[0].reason, faults=faults)
    hashed = await credentials.hash_password(password)
    new = NewPerson(id=uuid4(), email=email, name=name, password_hash=hashed)
    return new.id, new


async def register(actor: Actor, new: NewPerson) -> None:
    """Write somebody who was not registered, inside the command by which they come in."""
    await execute(
        "INSERT INTO person (id, email, name, password_hash, registered_at)"
        " VALUES ($1, $2, $3, $4, market_now())",
        new.id,
        new.email,
        new.name,
        new.password_hash,
    )
    await record(actor, "person.registered", "person", new.id)


async def _open_invitation(secret_digest: bytes) -> _Invitation | None:
    return await fetch_one(
        _Invitation,
        "SELECT id, organisation, email, roles, invited_by FROM invitation"
        " WHERE secret_digest = $1 AND accepted_at IS NULL AND expires_at > clock_timestamp()",
        secret_digest,
    )


@command
async def _take_up(
    actor: Actor, secret_digest: bytes, new: NewPerson | None
) -> list[MembershipView]:
    # the invitation first: of two acceptances the second waits here and finds it taken
    invitation = await fetch_one(
        _Invitation,
        "UPDATE invitation SET accepted_at = clock_timestamp(), accepted_by = $2"
        " WHERE secret_digest = $1 AND accepted_at IS NULL AND expires_at > clock_timestamp()"
        " RETURNING id, organisation, email, roles, invited_by",
        secret_digest,
        actor.person,
    )
    if invitation is None or actor.person is None:
        raise InvitationOver
    if new is not None:
        await register(actor, new)
    for role in invitation.roles:
        await grant_role(
            actor, actor.person, invitation.organisation, role, granted_by=invitation.invited_by
        )
    await record(actor, "invitation.accepted", "invitation", invitation.id)
    return await memberships_of(actor.person)


async def grant_role(
    actor: Actor, person: UUID, organisation: UUID, role: Role, *, granted_by: UUID | None = None
) -> None:
    """Give a person a role they do not hold yet, inside a command that has permitted it.

    `granted_by` is who decided it, where that is not the actor.
    """
    await execute(
        "INSERT INTO membership (id, person, organisation, role, granted_by)"
        " VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING",
        uuid4(),
        person,
        organisation,
        role.value,
        actor.person if granted_by is None else granted_by,
    )


@command
async def end_membership(actor: Actor, membership_id: UUID) -> None:
    """End a role of somebody in the organisation one administers.

    Raises:
        NotFound: no such membership in force in the actor's organisation.
        Forbidden: the actor does not administer it.
    """
    organisation = await fetch_value(
        "SELECT organisation FROM membership WHERE id = $1 AND ended_at IS NULL", membership_id
    )
    if organisation is None:
        raise NotFound
    ensure_may_administer(actor, organisation)
    ended = await execute(
        "UPDATE membership SET ended_at = market_now() WHERE id = $1 AND ended_at IS NULL",
        membership_id,
    )
    if not ended:
        raise NotFound
    await record(actor, "membership.ended", "membership", membership_id)
